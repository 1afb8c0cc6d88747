"""The first lines of a file, from which it can be told what the file looks like."""

import re
from collections.abc import Sequence

from l4e_cli.prepare.decision import UnfitExport
from l4e_cli.prepare.source import Source
from l4e_cli.prepare.times import is_numeric_time, is_textual_time

HEAD_LINES, HEAD_BYTES = 2000, 1 << 20
_NAME_LINES = 60
_EDGES = re.compile('[,;|\\t"]+')


def read_head(source: Source) -> list[str]:
    """Return the first lines of a file.

    Raises:
        UnfitExport: When there is none, or it has no end.
    """
    data = b""
    for block in source.blocks():
        data += block
        if len(data) >= HEAD_BYTES or data.count(b"\n") >= HEAD_LINES:
            break
    text = data[:HEAD_BYTES].decode("utf-8", "ignore").removeprefix("\ufeff")
    lines = text.split("\n")
    if len(data) > HEAD_BYTES:
        lines.pop()
        if not lines:
            raise UnfitExport(
                f"the first line is longer than {HEAD_BYTES >> 20} MiB: split the table by columns"
            )
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise UnfitExport("the file has no lines but empty ones")
    return _join_names(lines[:HEAD_LINES])


def _join_names(lines: list[str]) -> list[str]:
    """Join lines of names that line breaks in their cells divide; empty lines keep the count."""
    at = 0
    while at < min(len(lines), _NAME_LINES):
        end = at + 1
        while _is_open(lines[at:end]) and end < len(lines) and end - at < _NAME_LINES:
            end += 1
        joined = " ".join(lines[at:end])
        if end > at + 1 and not _is_open([joined]) and not any(map(is_textual_time, _EDGES.split(joined))):
            lines[at:end] = [joined, *("" for _ in range(end - at - 1))]
        at += 1
    return lines


def _is_open(lines: Sequence[str]) -> bool:
    return sum(line.count('"') for line in lines) % 2 == 1


def times_in(rows: Sequence[Sequence[str]]) -> list[list[bool]]:
    """Return which cells are times: textual ones, or numbers if few lines have textual ones."""
    textual = [[is_textual_time(cell) for cell in row] for row in rows]
    with_text = sum(map(any, textual))
    if 2 * with_text >= sum(map(bool, rows)):
        return textual
    numeric = [[is_numeric_time(cell) for cell in row] for row in rows]
    return numeric if sum(map(any, numeric)) > 2 * with_text else textual
