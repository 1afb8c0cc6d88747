"""Repair lines that Arrow's CSV reader would refuse or read otherwise than they were meant."""

import re
from collections.abc import Iterator

import numpy as np

_CELL = re.compile(rb'((?:"[^"]*(?:""[^"]*)*")?[^,\r\n]*)(,|\r\n|\n|\r|\Z)')
_WELL_QUOTED_LINE = re.compile(rb'(?:"[^"]*(?:""[^"]*)*"|[^",]*)(?:,(?:"[^"]*(?:""[^"]*)*"|[^",]*))*')
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


def make_rectangular(block: bytes, width: int) -> bytes:
    """Return the rows, each as wide as the header: surplus cells are cut, absent ones are empty.

    Bytes that are not UTF-8 are replaced, and empty lines removed.

    Args:
        block: Whole lines.
        width: Number of columns in the header.
    """
    try:
        block.decode()
    except UnicodeDecodeError:
        block = block.decode(errors="replace").encode()
    rows = _split_quoted(block) if b'"' in block else block.replace(b"\r", b"\n").split(b"\n")
    return b"\n".join(_fit_to_width(row, width) for row in rows if row)


def _fit_to_width(row: bytes | list[bytes], width: int) -> bytes:
    if isinstance(row, bytes):
        commas = row.count(b",")
        if commas < width:
            return row + b"," * (width - 1 - commas)
        row = row.split(b",", width)
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
