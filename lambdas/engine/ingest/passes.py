"""Recognise a long layout that is sorted by sensor, which its first rows do not show.

The times of such a file start again for each sensor, and a column holds another number or text each time.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.ingest.timestamps import Times

_OVERLAP = 0.25
"""Share of the time of a pass by which times fall back, at least, when they start again."""
_MOST_PASSES = 3_000
"""Passes that are followed: as many as a dataset has sensors. A file in no order falls back more often."""
_MOST_COLUMNS = 6
"""Columns of a long layout, the timestamps included: of more, one may have such numbers by chance."""
_LOOKED_AT = 1_000
"""Bytes of a line that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SortedBySensor:
    """A column that holds one text while times rise, and another each time when they start again.

    Attributes:
        column: The place of that column, from 0; the timestamps have place 0.
        line: Number of the line where times start again first.
        text: What the column holds in that line.
    """

    column: int
    line: int
    text: str


@dataclass(slots=True, kw_only=True)
class _Pass:
    """Rows while times rise: the cells of the first and of the last one, and the number of the first line."""

    line: int
    start: np.datetime64
    end: np.datetime64
    first: list[str]
    last: list[str]


@dataclass(slots=True)
class Passes:
    """Follows where the times of a file start again: where they never do, by one comparison a row."""

    _found: list[_Pass] = field(default_factory=list)
    _unordered: bool = False

    def add(
        self, block: bytes, times: Times, lines: Callable[[], NDArray[np.int64]], first_line: int
    ) -> None:
        """Add rows of the file.

        Args:
            block: The lines that hold them.
            times: Their timestamps, at least one.
            lines: Returns their lines; called only where times fall back.
            first_line: Number of the first line of the block.
        """
        if self._unordered:
            return
        before = self._found[-1].end if self._found else times[:1]
        falls = np.flatnonzero(np.diff(times, prepend=before) < np.timedelta64(0, "us"))
        if len(self._found) + len(falls) > _MOST_PASSES:
            self._unordered = True
            return
        if len(falls) or not self._found:
            numbers, texts = lines(), _Lines.of(block, first_line)
            if not self._found:
                self._begin(times[0], int(numbers[0]), texts)
            for at in falls.tolist():
                known = self._found[-1]
                latest = times[at - 1] if at else known.end
                if latest - times[at] < _OVERLAP * (latest - known.start):
                    continue
                known.end = latest
                if at:
                    known.last = texts.cells(int(numbers[at - 1]))
                self._begin(times[at], int(numbers[at]), texts)
        self._found[-1].end = times[-1]
        self._found[-1].last = _cells(_last_line(block))

    def sorted_by_sensor(self) -> SortedBySensor | None:
        """Return the column that says of which sensor the rows of a pass are; `None` without one."""
        if len(self._found) < 2 or self._unordered:
            return None
        if not all(map(_overlap, self._found, self._found[1:])):
            return None
        widths = {len(cells) for each in self._found for cells in (each.first, each.last)}
        for column in range(1, min(widths)):
            texts = [each.first[column] for each in self._found]
            constant = texts == [each.last[column] for each in self._found]
            if max(widths) > _MOST_COLUMNS and any(map(str.isdigit, texts)):
                continue
            if constant and all(texts) and len(set(texts)) == len(texts) and all(map(_names, texts)):
                return SortedBySensor(column=column, line=self._found[1].line, text=texts[1])
        return None

    def _begin(self, time: np.datetime64, line: int, texts: "_Lines") -> None:
        cells = texts.cells(line)
        self._found.append(_Pass(line=line, start=time, end=time, first=cells, last=cells))


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines of a block: where each begins, and the number of the first."""

    block: bytes
    starts: NDArray[np.intp]
    first_line: int

    @classmethod
    def of(cls, block: bytes, first_line: int) -> "_Lines":
        ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
        return cls(block, np.append(0, ends + 1), first_line)

    def cells(self, line: int) -> list[str]:
        at = min(line - self.first_line, len(self.starts) - 1)  # a line may end with CR alone
        start = int(self.starts[at])
        return _cells(self.block[start : start + _LOOKED_AT].partition(b"\n")[0])


def _overlap(one: _Pass, other: _Pass) -> bool:
    """Return whether two passes share much of the time of the longer one."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    return bool(shared > _OVERLAP * max(one.end - one.start, other.end - other.start))


def _names(text: str) -> bool:
    """Return whether a text may name a sensor: it is a whole number, or none."""
    return text.isdigit() or not text[:1].lstrip("+-.").isdigit()


def _last_line(block: bytes) -> bytes:
    end = block[-_LOOKED_AT:].rstrip()
    return end[end.rfind(b"\n") + 1 :]


def _cells(line: bytes) -> list[str]:
    text = line.decode(errors="replace").strip().replace("\r", "")
    return [cell.strip() for cell in next(csv.reader([text]), [])]
