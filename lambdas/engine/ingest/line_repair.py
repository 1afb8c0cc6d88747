"""Repair lines that Arrow's CSV reader would refuse or read otherwise than they were meant."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_CELL = re.compile(rb'((?:"[^"]*(?:""[^"]*)*")?[^,\r\n]*)(,|\r\n|\n|\r|\Z)')
_WELL_QUOTED_LINE = re.compile(rb'(?:"[^"]*(?:""[^"]*)*"|[^",]*)(?:,(?:"[^"]*(?:""[^"]*)*"|[^",]*))*')
_LF, _CR, _MARK = b'\n\r"'
_NO_VALUE = b' \t,"'
_MAY_TOUCH_QUOTES = np.isin(np.arange(256), list(b'",\r\n'))


def repair_quotes(block: bytes) -> bytes:
    """Return the lines with quotation marks only around whole cells, as RFC 4180 wants.

    In a line where they stand elsewhere, they are characters like any other.

    Args:
        block: Whole lines.
    """
    if b'"' not in block or _well_quoted(block):
        return block
    return b"\n".join(
        line if _WELL_QUOTED_LINE.fullmatch(line) else line.replace(b'"', b"'") for line in block.splitlines()
    )


def _well_quoted(block: bytes) -> bool:
    data = np.frombuffer(block, np.uint8)
    marks = np.flatnonzero(data == ord('"'))
    opening, closing = marks[::2], marks[1::2]
    before, after = data[opening[opening > 0] - 1], data[closing[closing < len(data) - 1] + 1]
    return len(marks) % 2 == 0 and bool(_MAY_TOUCH_QUOTES[before].all() and _MAY_TOUCH_QUOTES[after].all())


@dataclass(slots=True)
class LineShapes:
    """Rows that are not as wide as the header.

    Attributes:
        wide: Number of rows with a value beyond the header.
        short: Number of rows with fewer cells than the header has names.
        first_wide: Place among the rows of the first that is too wide; `None` without one.
        first_short: Place among the rows of the first that is too short; `None` without one.
    """

    wide: int = 0
    short: int = 0
    first_wide: int | None = None
    first_short: int | None = None


def make_rectangular(block: bytes, *, names: int, width: int) -> tuple[bytes, LineShapes]:
    """Return the rows, each equally wide: surplus cells are cut, absent ones are empty.

    Bytes that are not UTF-8 are replaced, and empty lines removed.

    Args:
        block: Whole lines.
        names: Number of columns in the header.
        width: Number of cells to make, at least as many.
    """
    block = as_utf8(block)
    rows = _split_quoted(block) if b'"' in block else _split_lines(block)
    shapes = LineShapes()
    fitted = [
        _fit_to_width(row, names, width, at, shapes) for at, row in enumerate(row for row in rows if row)
    ]
    return b"\n".join(fitted), shapes


def as_utf8(block: bytes) -> bytes:
    """Return the lines with bytes that are not UTF-8 replaced."""
    try:
        block.decode()
    except UnicodeDecodeError:
        return block.decode(errors="replace").encode()
    return block


def count_lines(block: bytes) -> int:
    """Return the number of lines: LF, CRLF and CR end one."""
    return len(_line_starts(np.frombuffer(block, np.uint8))) - block.endswith((b"\n", b"\r"))


def row_lines(block: bytes) -> NDArray[np.int64]:
    """Return the number of lines before each row.

    Lines that are empty, or that continue a cell in quotation marks, begin no row.

    Args:
        block: Whole lines, as `repair_quotes` returns them.
    """
    data = np.frombuffer(block, np.uint8)
    starts = _line_starts(data)
    begins = starts < len(data)
    begins[begins] &= ~np.isin(data[starts[begins]], (_LF, _CR))
    if b'"' in block:
        marks = np.append(0, np.cumsum(data == _MARK))
        begins &= marks[starts] % 2 == 0
    return np.flatnonzero(begins)


def _line_starts(data: NDArray[np.uint8]) -> NDArray[np.int64]:
    ends = np.flatnonzero(data == _LF)
    returns = np.flatnonzero(data == _CR)
    if len(returns):  # one before a line feed belongs to it
        alone = returns[(returns + 1 == len(data)) | (data[np.minimum(returns + 1, len(data) - 1)] != _LF)]
        ends = np.sort(np.concatenate((ends, alone)))
    return np.append(0, ends + 1)


def _split_lines(block: bytes) -> list[bytes]:
    return block.replace(b"\r", b"\n").split(b"\n")


def _fit_to_width(row: bytes | list[bytes], names: int, width: int, at: int, shapes: LineShapes) -> bytes:
    cells = row.count(b",") + 1 if isinstance(row, bytes) else len(row)
    if cells < names:
        shapes.short += 1
        shapes.first_short = at if shapes.first_short is None else shapes.first_short
    if isinstance(row, bytes):
        if cells <= width:
            return row + b"," * (width - cells)
        row = row.split(b",", width)
    if b"".join(row[width:]).strip(_NO_VALUE):
        shapes.wide += 1
        shapes.first_wide = at if shapes.first_wide is None else shapes.first_wide
    return b",".join(row[:width]) + b"," * (width - len(row))


def _split_quoted(block: bytes) -> Iterator[list[bytes]]:
    """Split lines with quotation marks into the texts of their cells, marks included."""
    row: list[bytes] = []
    for cell, separator in _CELL.findall(block):
        row.append(cell)
        if separator != b",":
            if row != [b""]:
                yield row
            row = []
