"""Take cells with text out of the bytes of a block, so that Arrow reads the rest as numbers at once.

Where most columns hold a text here and there, this is cheaper than to read all of them as text.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.ingest.number_columns import CellTexts

_ORDINARY = b"".join((b"0123456789.eE+-,\r", b": T", b"Nan"))
"""Characters of numbers and rows, of timestamps, and of NaN, which Arrow reads itself."""

_IS_MARK = bytes(character not in _ORDINARY for character in range(256))
_LF, _CR = b"\n\r"
_BYTES_PER_CELL = 256
"""Where odd cells are denser, looking at each of them costs more than it saves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OddCells:
    """Cells that were taken out of a block.

    Attributes:
        data: The block, with empty cells in their places.
        lines: Number of lines of the block.
        rows: The line of each cell, increasing.
        columns: The column of each.
        texts: What stood there.
    """

    data: bytes
    lines: int
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    texts: Sequence[str]

    def among(self, kept: NDArray[np.bool_]) -> Self:
        """Return the cells of some rows, counted among these."""
        chosen = np.flatnonzero(kept[self.rows]).tolist()
        return replace(
            self,
            rows=(np.cumsum(kept) - 1)[self.rows[chosen]],
            columns=self.columns[chosen],
            texts=[self.texts[at] for at in chosen],
        )

    def by_column(self) -> Iterator[tuple[int, CellTexts]]:
        """Yield each column with such cells, and these."""
        for column in np.unique(self.columns):
            chosen = np.flatnonzero(self.columns == column).tolist()
            yield int(column), CellTexts(self.rows[chosen], pa.array([self.texts[at] for at in chosen]))


def take_out_odd_cells(block: bytes, columns: Collection[int]) -> OddCells | None:
    """Empty the cells that hold a character that neither numbers nor timestamps have.

    Args:
        block: Whole lines.
        columns: The columns that are looked at, counted from 0.

    Returns:
        `None` when there is no such cell, when there are too many, and when lines and cells cannot be told
        by line feeds and commas alone.
    """
    if b'"' in block or (b"\r" in block and block.count(b"\r") != block.count(b"\r\n")):
        return None
    line_ends, odd = _line_ends_and_odd(block)
    rows = np.searchsorted(line_ends, odd)
    line_starts = np.append(0, line_ends + 1)[rows].tolist()
    next_lines = np.append(line_ends, len(block))[rows].tolist()
    found: list[tuple[int, int]] = []
    spans: list[tuple[int, int]] = []
    end, left = 0, 1 + len(block) // _BYTES_PER_CELL
    for at, row, line_start, next_line in zip(
        odd.tolist(), rows.tolist(), line_starts, next_lines, strict=True
    ):
        if at < end:  # in the cell before
            continue
        start = block.rfind(b",", line_start, at) + 1 or line_start
        end = block.find(b",", at, next_line)
        if end < 0:
            end = next_line - (block[next_line - 1] == _CR)
        column = block.count(b",", line_start, start)
        if column in columns:
            found.append((row, column))
            spans.append((start, end))
        left -= 1
        if left < 0:
            return None
    if not found:
        return None
    try:
        texts = [block[start:end].decode() for start, end in spans]
    except UnicodeDecodeError:
        return None
    return OddCells(
        data=_without(block, spans),
        lines=len(line_ends) + (not block.endswith(b"\n")),
        rows=np.array([row for row, _ in found], np.intp),
        columns=np.array([column for _, column in found], np.intp),
        texts=texts,
    )


def _line_ends_and_odd(block: bytes) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the places of line feeds and of odd characters; of neighbours, the first."""
    places = np.flatnonzero(np.frombuffer(block.translate(_IS_MARK), bool))
    is_end = np.frombuffer(block, np.uint8)[places] == _LF
    odd = places[~is_end]
    return places[is_end], odd[np.diff(odd, prepend=-2) > 1]


def _without(block: bytes, spans: Sequence[tuple[int, int]]) -> bytes:
    starts = [0, *(end for _, end in spans)]
    ends = [*(start for start, _ in spans), len(block)]
    view = memoryview(block)
    return b"".join([view[start:end] for start, end in zip(starts, ends, strict=True)])
