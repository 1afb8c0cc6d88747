"""Rows far in time from all others: of a clock that was not set, or of a slip in a date.

They are no history: a single row of 1970 would make that of a week one of decades. Rows are counted per
period of 30 days in each file, and those of all files of a component decide, in whatever order they are.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from engine.ingest.timestamps import Times
from l4e_files.repairs import Repair, RepairKind

_PERIOD_BITS = 41
"""Rows are counted together whose microseconds differ in so many bits only: those of about 25 days."""
_FAR_PERIODS = 8
"""About 200 days: as long as there is no row, at least, between far rows and the others."""
_AGES = 146
"""About ten years: no machine stands still for longer, so that more rows on the other side are far ones."""
_FAR_SHARE, _SHARE_OVER_AGES = 0.01, 0.1
"""Most far rows among all, unless it is a single one."""
_FEWEST_ROWS = 5
"""Rows of which a single one can be far from the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodRows:
    """The rows of a file in a period of 25 days.

    Attributes:
        rows: How many there are.
        micros: Timestamp of the first of them in the file, in microseconds since 1970.
        line: Number of its line.
    """

    rows: int
    micros: int
    line: int

    @property
    def period(self) -> int:
        """Number of the period, counted from 1970."""
        return self.micros >> _PERIOD_BITS


@dataclass(frozen=True, slots=True, kw_only=True)
class FarRows:
    """Rows of a component that are far in time from all others.

    Attributes:
        count: How many.
        files: How many files have some.
        file: Place of the first of these files.
        time: The first of the rows in it.
        line: Number of the line of that row.
        near: Start and end of the time of the others.
    """

    count: int
    files: int
    file: int
    time: np.datetime64
    line: int
    near: tuple[np.datetime64, np.datetime64]

    def is_near(self, rows: PeriodRows) -> bool:
        """Return whether the rows of a period are among the others."""
        return bool(self.near[0] <= np.datetime64(rows.micros, "us") < self.near[1])

    def as_repair(self, kind: RepairKind) -> Repair:
        """Return what is told of them."""
        return Repair(kind=kind, count=self.count, line=self.line, example=str(self.time))


@dataclass(slots=True, kw_only=True)
class PeriodCount:
    """A count of the rows of one file per period."""

    _found: dict[int, PeriodRows] = field(default_factory=dict)

    def add(self, times: Times, lines: Callable[[], NDArray[np.int64]]) -> None:
        """Add rows.

        Args:
            times: Their timestamps.
            lines: Returns their lines; called only when they are the first of a period.
        """
        micros = times.view(np.int64)
        periods = micros >> _PERIOD_BITS
        starts = np.flatnonzero(np.diff(periods, prepend=periods[0] - 1))
        lengths = np.diff(starts, append=len(periods))
        found, first, places = np.unique(periods[starts], return_index=True, return_inverse=True)
        counts = np.bincount(places, lengths).astype(int)
        for period, at, count in zip(found.tolist(), starts[first].tolist(), counts.tolist(), strict=True):
            known = self._found.get(period)
            if known is None:
                known = PeriodRows(rows=0, micros=int(micros[at]), line=int(lines()[at]))
            self._found[period] = replace(known, rows=known.rows + count)

    def result(self) -> tuple[PeriodRows, ...]:
        """Return the periods that have rows, in the order of the file."""
        return tuple(self._found.values())


def far_rows(files: Sequence[Sequence[PeriodRows]]) -> FarRows | None:
    """Return the rows that are far from all others; `None` when there are none.

    They are one in a hundred at most, or a single one, and one in ten beyond ten years. At least 200 days lie
    between them and the others, and more time than the others take.

    Args:
        files: The periods of each file of a component.
    """
    counts = _counts(files)
    groups = _groups(sorted(counts), _FAR_PERIODS)
    if len(groups) < 2 or counts.total() < _FEWEST_ROWS:
        return None
    most = max(groups, key=lambda group: sum(counts[period] for period in group))
    length = most[-1] - most[0]
    near = [each for each in groups if each[0] - most[-1] <= length and most[0] - each[-1] <= length]
    first, last = near[0][0], near[-1][-1]
    far = _outside(files, first, last)
    count = sum(one.rows for _, one in far)
    distance = min((max(first - one.period, one.period - last) for _, one in far), default=0)
    share = _FAR_SHARE if distance <= _AGES else _SHARE_OVER_AGES
    if not 0 < count <= max(1, share * counts.total()):
        return None
    return _described(far, first, last)


def decade_gap(files: Sequence[Sequence[PeriodRows]], far: FarRows | None) -> FarRows | None:
    """Return the rows that are kept, though more than ten years lie between them and most others.

    They are too many to be slips, but no machine stands still for so long.

    Args:
        files: The periods of each file of a component.
        far: The rows of them that are left out.
    """
    kept = [[one for one in periods if far is None or far.is_near(one)] for periods in files]
    counts = _counts(kept)
    if counts.total() < _FEWEST_ROWS:
        return None
    groups = _groups(sorted(counts), _AGES)
    most = max(groups, key=lambda group: sum(counts[period] for period in group))
    return _described(_outside(kept, most[0], most[-1]), most[0], most[-1])


def _counts(files: Sequence[Sequence[PeriodRows]]) -> Counter[int]:
    """Return the number of rows of all files in each period."""
    counts: Counter[int] = Counter()
    for one in chain.from_iterable(files):
        counts[one.period] += one.rows
    return counts


def _outside(files: Sequence[Sequence[PeriodRows]], first: int, last: int) -> list[tuple[int, PeriodRows]]:
    """Return place of the file and rows of the periods before or after some."""
    return [
        (at, one) for at, periods in enumerate(files) for one in periods if not first <= one.period <= last
    ]


def _described(far: Sequence[tuple[int, PeriodRows]], first: int, last: int) -> FarRows | None:
    """Return what is to be known of far rows, if any; the others are in the periods from first to last."""
    if not far:
        return None
    file, example = far[0]
    start, end = np.array([first << _PERIOD_BITS, (last + 1) << _PERIOD_BITS]).view("datetime64[us]")
    return FarRows(
        count=sum(one.rows for _, one in far),
        files=len({at for at, _ in far}),
        file=file,
        time=np.datetime64(example.micros, "us"),
        line=example.line,
        near=(start, end),
    )


def _groups(periods: Sequence[int], apart: int) -> list[list[int]]:
    """Split periods, in order, where more than so many are without a row."""
    groups = [list(periods[:1])]
    for before, period in pairwise(periods):
        if period - before > apart:
            groups.append([])
        groups[-1].append(period)
    return groups
