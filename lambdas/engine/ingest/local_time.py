"""Recognise local time by the hour that its clocks repeat in autumn, or skip in spring."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.ingest.timestamps import Times
from l4e_files.clock_changes import CHANGE_DAYS

_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
_SHARE = 0.9
"""Share of the rows which repeat a timestamp that are in hours which clocks repeat, at least."""
_MOST_HOURS = 1_000
"""Hours with repeated timestamps that are counted: a file of local time has one a year."""
_CHANGE_DAYS = [32 * month + day for month, day in sorted(CHANGE_DAYS)]
_NIGHT_HOURS = 4
"""Clocks are changed on Sundays before this hour."""


@dataclass(slots=True)
class SkippedHours:
    """The hours that the times of one file skip as clocks do that are put forward.

    Rows go on in their step on the other side of the hour, to the microsecond.
    """

    _before: Times = field(default_factory=lambda: np.zeros(0, "datetime64[us]"))
    _first: tuple[int, np.datetime64] | None = None
    _count: int = 0

    def add(self, times: Times, lines: Callable[[], NDArray[np.int64]]) -> None:
        """Add rows.

        Args:
            times: Their timestamps.
            lines: Returns their lines; called only when they skip an hour.
        """
        joint = np.concatenate([self._before, times[:2]])
        for rows, first in ((joint, -len(self._before)), (times, 0)):
            at = _after_skipped(rows.view(np.int64))
            if len(at):
                self._count += len(at)
                self._first = self._first or (int(lines()[first + at[0]]), rows[at[0]])
        self._before = np.concatenate([self._before, times[-2:]])[-2:]

    def result(self) -> tuple[int, int, np.datetime64] | None:
        """Return how many hours are skipped, and line and timestamp after the first; `None` without one."""
        return None if self._first is None else (self._count, *self._first)


@dataclass(slots=True)
class RepeatedHours:
    """The hours in which timestamps of one file are repeated."""

    _rows: Counter[int] = field(default_factory=Counter)

    def add(self, times: Times) -> None:
        """Add timestamps that were there before."""
        if len(self._rows) <= _MOST_HOURS:
            hours, counts = np.unique(times.view(np.int64) // _HOUR, return_counts=True)
            self._rows.update(dict(zip(hours.tolist(), counts.tolist(), strict=True)))

    def count(self, times: Times) -> int:
        """Return how many hours are repeated as clocks do it: each row twice, and almost no other row.

        Args:
            times: All different timestamps of the file, or the same sample of them as was added.
        """
        hours = times.view(np.int64) // _HOUR
        changed = [
            rows
            for hour, rows in self._rows.items()
            if _is_changed_hour(np.array([hour * _HOUR]))[0]
            and rows == np.count_nonzero(hours == hour)
            and hours.min() < hour < hours.max()
        ]
        return len(changed) if sum(changed) >= _SHARE * self._rows.total() else 0


def _after_skipped(micros: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the places of instants after an hour that was skipped, two places from the start or more."""
    steps = np.diff(micros)
    at = np.flatnonzero(steps > _HOUR)
    at = at[at > 0]
    step = steps[at - 1]
    at = at[(steps[at] - step == _HOUR) & (step > 0) & (2 * step <= _HOUR)] + 1
    places: NDArray[np.intp] = at[_is_changed_hour(micros[at] - steps[at - 2])]
    return places


def _is_changed_hour(micros: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which instants lie in an hour that clocks somewhere repeat or skip: a Sunday night."""
    days = micros // _DAY
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    day_of_month = (dates - months.astype("datetime64[D]")).view(np.int64) + 1
    year_days = 32 * (months.view(np.int64) % 12 + 1) + day_of_month
    sunday = (days + 4) % 7 == 0  # 1970 began on a Thursday
    changing: NDArray[np.bool_] = sunday & np.isin(year_days, _CHANGE_DAYS)
    return changing & (micros % _DAY < _NIGHT_HOURS * _HOUR)
