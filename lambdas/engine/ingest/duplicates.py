"""Count the rows of one file that repeat a timestamp, in bounded memory."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

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
    _lines: list[NDArray[np.int64] | None] = field(default_factory=list)
    _kept: int = 0
    _halvings: int = 0
    _last: np.datetime64 | None = None
    _in_order: bool = True

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
        numbers = None if increasing else lines()
        self._in_order &= increasing
        if self._halvings:
            chosen = self._chosen(times)
            times, numbers = times[chosen], None if numbers is None else numbers[chosen]
        self._times.append(times)
        self._lines.append(numbers)
        self._kept += len(times)
        while self._kept > _KEPT:
            self._halve()

    def result(self) -> tuple[int, int | None, np.datetime64] | None:
        """Return how many rows repeat a timestamp, line and timestamp of the first; `None` when none does."""
        if self._in_order:
            return None
        times = np.concatenate(self._times)
        order = np.argsort(times, kind="stable")
        repeated = order[1:][times[order[1:]] == times[order[:-1]]]
        if not len(repeated):
            return None
        first = int(repeated.min())
        return len(repeated) << self._halvings, self._line(first), times[first]

    def _line(self, row: int) -> int | None:
        for times, lines in zip(self._times, self._lines, strict=True):
            if row < len(times):
                return None if lines is None else int(lines[row])
            row -= len(times)
        return None

    def _halve(self) -> None:
        self._halvings += 1
        for at, (times, lines) in enumerate(zip(self._times, self._lines, strict=True)):
            chosen = self._chosen(times)
            self._times[at], self._lines[at] = times[chosen], None if lines is None else lines[chosen]
        self._kept = sum(map(len, self._times))
        if self._kept > _KEPT and self._halvings > 40:  # one instant over and over: a part of it shows that
            self._times, self._lines = [self._times[0][:_KEPT]], [self._lines[0]]
            self._kept = len(self._times[0])

    def _chosen(self, times: Times) -> NDArray[np.bool_]:
        mixed = times.view(np.uint64) * _GOLDEN
        mixed &= np.uint64(((1 << self._halvings) - 1) << _FIRST_BIT)
        chosen: NDArray[np.bool_] = mixed == 0
        return chosen
