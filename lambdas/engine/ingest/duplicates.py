"""Count the rows of one file that repeat a timestamp, in bounded memory."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.ingest.local_time import RepeatedHours
from engine.ingest.timestamps import Times

_KEPT = 1 << 22
"""Most instants kept; of a longer file they are a sample of all its different instants."""
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST_BIT = 23  # the lower ones of a product are not mixed


@dataclass(slots=True)
class DuplicateCount:
    """A count of rows that repeat a timestamp, exact up to four million rows and estimated above.

    An instant is either always in the sample or never, so that its repetitions are.
    """

    _times: list[Times] = field(default_factory=list)
    _lines: list[NDArray[np.int64]] = field(default_factory=list)
    _hours: RepeatedHours = field(default_factory=RepeatedHours)
    _kept: int = 0
    _halvings: int = 0
    _last: np.datetime64 | None = None
    _in_order: bool = True
    _count: int = 0
    _first: tuple[int, np.datetime64] | None = None

    def add(self, times: Times, lines: Callable[[], NDArray[np.int64]]) -> None:
        """Add the next rows of the file.

        Args:
            times: Their timestamps.
            lines: Returns their lines; called only when one of them may be a repetition.
        """
        if not len(times):
            return
        micros = times.view(np.int64)
        increasing = bool((micros[1:] > micros[:-1]).all()) and (self._last is None or times[0] > self._last)
        last = times[-1] if increasing else times.max()
        self._last = last if self._last is None else max(self._last, last)
        self._in_order &= increasing
        # Of rows that come later than all before, no line is asked for: one array of zeros is all they take.
        numbers = np.broadcast_to(np.int64(0), len(times)) if increasing else lines()
        chosen = self._chosen(times) if self._halvings else slice(None)
        self._times.append(times[chosen])
        self._lines.append(numbers[chosen])
        self._kept += len(self._times[-1])
        if self._kept > _KEPT:
            self._take_out_repeated()
            while self._kept > _KEPT // 2:
                self._halve()

    def result(self) -> tuple[int, int, np.datetime64] | None:
        """Return how many rows repeat a timestamp, line and timestamp of the first; `None` when none does."""
        self._take_out_repeated()
        return None if self._first is None else (self._count, *self._first)

    def local_hours(self) -> int:
        """Return how many hours are repeated as by local clocks in autumn."""
        self._take_out_repeated()
        return self._hours.count(np.concatenate(self._times)) if self._first else 0

    def lacks_half_the_day(self) -> bool:
        """Return whether the times have the hours 1 to 12 and no other, as a clock without am and pm."""
        self._take_out_repeated()
        micros = (
            np.concatenate([times.view(np.int64) for times in self._times])
            if self._times
            else np.zeros(0, np.int64)
        )
        return set(np.unique(micros // 3_600_000_000 % 24).tolist()) == set(range(1, 13))

    def _take_out_repeated(self) -> None:
        """Count the repetitions among the rows that are kept, and keep each instant once."""
        if self._in_order:
            return
        times, lines = np.concatenate(self._times), np.concatenate(self._lines)
        order = np.argsort(times, kind="stable")
        repeated = np.zeros(len(times), bool)
        repeated[order[1:]] = times[order[1:]] == times[order[:-1]]
        if repeated.any():
            first = int(repeated.argmax())
            self._count += int(np.count_nonzero(repeated)) << self._halvings
            self._hours.add(times[repeated])
            self._first = self._first or (int(lines[first]), times[first])
        self._times, self._lines = [times[~repeated]], [lines[~repeated]]
        self._kept = len(self._times[0])

    def _halve(self) -> None:
        self._halvings += 1
        chosen = [self._chosen(times) for times in self._times]
        self._times = [times[some] for times, some in zip(self._times, chosen, strict=True)]
        self._lines = [lines[some] for lines, some in zip(self._lines, chosen, strict=True)]
        self._kept = sum(map(len, self._times))

    def _chosen(self, times: Times) -> NDArray[np.bool_]:
        mixed = times.view(np.uint64) * _GOLDEN
        mixed &= np.uint64(((1 << self._halvings) - 1) << _FIRST_BIT)
        chosen: NDArray[np.bool_] = mixed == 0
        return chosen
