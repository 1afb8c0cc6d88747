"""Recognise columns that count time or rows, beside the timestamps: they measure nothing.

A count of milliseconds, or the number of the row, follows the timestamps or the lines in every row of a file.
A counter of running hours does so too where the machine never stops, and is a sensor.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.ingest.timestamps import Times

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Counted = Literal["rows", "nanoseconds", "microseconds", "milliseconds", "seconds", "days", "hours"]

_MICROS: Mapping[Counted, float] = {
    "nanoseconds": 1e-3,
    "microseconds": 1.0,
    "milliseconds": 1e3,
    "seconds": 1e6,
    "days": 86_400e6,
    "hours": 3_600e6,
}
_DATED: frozenset[Counted] = frozenset({"nanoseconds", "microseconds", "milliseconds", "seconds", "days"})
"""Units in which dates are counted: from 1970, and days from 1900."""
_RUNNING: frozenset[Counted] = frozenset({"days", "hours"})
"""Units of counters that run as long as the machine does."""
_EXCEL = int(np.datetime64("1899-12-30", "us").astype(np.int64))
"""Excel counts days from here, in microseconds since 1970."""
_NEAR = 86_400e6
"""Microseconds by which a clock with a date may be ahead or behind: it may have another zone."""
_STEADY = 60e6
"""Microseconds by which one without a date may gain or lose in a file; timestamps may lack their seconds."""
_STEADY_SHARE = 0.05
"""Share of the time of a file by which any clock may do so: an hour in a day, when it is put forward."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockColumn:
    """A column that counts time or rows in all of a file.

    Attributes:
        name: Its name.
        counted: What it counts.
        dated: Whether it tells the time of the row: since 1970, or in days since 1900 as Excel does.
        first: Its value in the first row.
    """

    name: str
    counted: Counted
    dated: bool
    first: float

    @property
    def unit(self) -> str:
        """What it counts, and from when if it is dated."""
        since = 1900 if self.counted == "days" else 1970
        return f"{self.counted} since {since}" if self.dated else self.counted


def common_clock(clocks: Sequence[ClockColumn]) -> ClockColumn | None:
    """Return what a column counts in all of its files; `None` when it may be a sensor.

    Cycles and running time are counted in rows and seconds, too, but seldom from 0 or 1 on.

    Args:
        clocks: What it counts in each file.
    """
    if len({clock.unit for clock in clocks}) != 1:
        return None
    counted = clocks[0].unit in {"rows", "seconds"}
    return clocks[0] if not counted or any(clock.first in {0, 1} for clock in clocks) else None


@dataclass(slots=True, kw_only=True)
class _Follower:
    """A column that may count something, as far as was read.

    Attributes:
        name: Its name.
        counted: What it may count.
        first: Its first value.
        low: How much it is ahead of what it follows, at least: in microseconds, or rows.
        high: At most.
    """

    name: str
    counted: Counted
    first: float
    low: float = np.inf
    high: float = -np.inf

    def follows(self, values: Floats, times: Ints, lines: Callable[[], Ints]) -> bool:
        """Return whether this still may be so, after more rows of the column."""
        ahead = _ahead(self.counted, values, times, lines)
        self.low, self.high = min(self.low, float(ahead.min())), max(self.high, float(ahead.max()))
        return self.dated or self.high - self.low <= (0 if self.counted == "rows" else _STEADY)

    @property
    def dated(self) -> bool:
        """Whether the values are about the time of their rows."""
        return self.counted in _DATED and max(-self.low, self.high) <= _NEAR


def _ahead(counted: Counted, values: Floats, times: Ints, lines: Callable[[], Ints]) -> Floats:
    """Return how much values are ahead of the lines or the timestamps, in rows or microseconds."""
    if counted == "rows":
        return values - lines()
    return values * _MICROS[counted] - (times - _EXCEL if counted == "days" else times)


@dataclass(slots=True)
class ClockColumns:
    """Follows the columns of one file; both ends of its first block show of most that they are no clocks."""

    _followers: list[_Follower] | None = None
    _start: int = 0
    _end: int = 0

    @np.errstate(over="ignore", invalid="ignore")  # of numbers near the largest one, which count nothing
    def add(self, times: Times, lines: Callable[[], Ints], columns: Mapping[str, Any]) -> None:
        """Add rows of the file.

        Args:
            times: Their timestamps, at least one.
            lines: Returns their lines; called only where columns may count rows.
            columns: Their values: chunked Arrow arrays, null where there is none.
        """
        micros = times.view(np.int64)
        filled = {name: column for name, column in columns.items() if not column.null_count}
        if self._followers is None:
            self._followers = list(_possible(micros, lines, filled))
            self._start = self._end = int(micros[0])
        self._start, self._end = min(self._start, int(micros.min())), max(self._end, int(micros.max()))
        self._followers = [
            each
            for each in self._followers
            if each.name in filled and each.follows(filled[each.name].to_numpy(), micros, lines)
        ]

    def result(self) -> tuple[ClockColumn, ...]:
        """Return the columns that count time or rows, in the order of the file."""
        most = _STEADY_SHARE * (self._end - self._start)
        fits: dict[str, list[_Follower]] = {}
        for each in (self._followers or ()) if most else ():
            if each.high - each.low <= (0 if each.counted == "rows" else most):
                fits.setdefault(each.name, []).append(each)
        best = [next((each for each in some if each.dated), some[0]) for some in fits.values()]
        return tuple(
            ClockColumn(name=each.name, counted=each.counted, dated=each.dated, first=each.first)
            for each in best
            if each.dated or not any(other.counted in _RUNNING for other in fits[each.name])
        )


def _possible(micros: Ints, lines: Callable[[], Ints], columns: Mapping[str, Any]) -> Iterator[_Follower]:
    """Yield what columns may count by their first and last value in a block."""
    names, ends = list(columns), [0, len(micros) - 1]
    values = np.array([[column[at].as_py() for at in ends] for column in columns.values()]).reshape(-1, 2)
    steady_within = min(_STEADY, abs(int(micros[-1] - micros[0])) / 2)  # in few rows nothing gains a minute
    for counted in ("rows", *_MICROS):
        ahead = _ahead(counted, values, micros[ends], lambda: lines()[ends])
        steady = abs(ahead[:, 1] - ahead[:, 0]) <= (0 if counted == "rows" else steady_within)
        near = (abs(ahead) <= _NEAR).all(axis=1) & (counted in _DATED)
        for at in np.flatnonzero(steady | near).tolist():
            yield _Follower(name=names[at], counted=counted, first=float(values[at, 0]))
