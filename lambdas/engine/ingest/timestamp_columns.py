"""Timestamps of a whole column at once, read as arrays of bytes.

Texts of one shape, that is with digits and other characters in the same places, are matched once: where the
parts stand in one of them, they stand in all. Calendar and limits are those of ``engine.ingest.timestamps``.
"""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ingest.timestamps import BLANK, EPOCH, FIRST, LAST, NAT, PATTERNS, Times, parse_timestamps

Bytes = NDArray[np.uint8]
Ints = NDArray[np.signedinteger[Any]]

_AT_ONCE = 16_384
"""Rows read together: what they need stays in the cache of the processor."""
_SHAPES = 16
_LONGEST = 64
"""So many shapes of at most this size are read as arrays; other texts one by one."""

_ZERO = np.uint8(ord("0"))
_MONTH_DAYS = np.array((0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), np.int32)


def parse_column(column: Any) -> Times:
    """Return what ``parse_timestamps`` does, for an Arrow array of strings; null is no timestamp."""
    micros = np.full(len(column), NAT, np.int64)
    for start in range(0, len(column), _AT_ONCE):
        part = column.slice(start, _AT_ONCE)
        micros[start : start + len(part)] = _part(part)
    return micros.view("datetime64[us]")


def _part(column: Any) -> Ints:
    micros = np.full(len(column), NAT, np.int64)
    _, ends, data = column.buffers()
    offsets = np.frombuffer(ends, np.int32, len(column) + 1, column.offset * 4)
    text = np.frombuffer(data or b"", np.uint8)
    sizes = np.diff(offsets)
    left = np.flatnonzero(sizes)
    for _ in range(_SHAPES):
        if not len(left) or sizes[left[0]] > _LONGEST:
            break
        size = int(sizes[left[0]])
        rows = left[sizes[left] == size]
        cells = _cells(text, offsets, rows, size)
        alike = _alike(cells)
        if alike.all():
            micros[rows] = _instants(cells)
            left = left[sizes[left] != size]
        else:
            micros[rows[alike]] = _instants(cells[:, alike])
            other = np.ones(len(column), bool)
            other[rows[alike]] = False
            left = left[other[left]]
    if len(left):
        micros[left] = parse_timestamps(column.take(left).to_pylist()).view(np.int64)
    return micros


def _cells(text: Bytes, offsets: NDArray[np.int32], rows: NDArray[np.intp], size: int) -> Bytes:
    """The texts of rows of one size, one array per place."""
    if len(rows) == len(offsets) - 1:
        table = text[offsets[0] : offsets[-1]].reshape(-1, size)
    else:
        table = text[offsets[rows][:, None] + np.arange(size)]
    return np.ascontiguousarray(table.T)


def _alike(cells: Bytes) -> NDArray[np.bool_]:
    """Return which texts have the shape of the first."""
    alike = np.ones(cells.shape[1], bool)
    for place in cells:
        alike &= place - _ZERO < 10 if 0 <= int(place[0]) - 48 < 10 else place == place[0]
    return alike


def _instants(cells: Bytes) -> Ints:
    """Return the instants of texts of one shape."""
    text = cells[:, 0].tobytes().decode("latin-1")
    stripped = text.strip(BLANK)
    matches = (pattern.match(stripped) for pattern in (*PATTERNS, EPOCH))
    match = next((found for found in matches if found), None)
    if match is None:
        return np.full(cells.shape[1], NAT)
    parts = _Parts(match, cells[text.index(stripped) :])
    return _epoch(parts) if match.re is EPOCH else _calendar(parts)


class _Parts:
    """The parts of texts of one shape as numbers, 0 where the shape lacks a part."""

    def __init__(self, match: re.Match[str], cells: Bytes) -> None:
        self.has = {name: span for name in match.re.groupindex if (span := match.span(name))[0] >= 0}
        self.zone = match.groupdict().get("z") or ""
        self._cells = cells

    def __getitem__(self, name: str) -> Ints:
        return self.number(*self.has.get(name, (0, 0)))

    def number(self, start: int, end: int) -> Ints:
        """The number in some places, in 32 bits where it fits: that is twice as fast."""
        value: Ints = np.zeros(self._cells.shape[1], np.int32 if end - start < 10 else np.int64)
        for place in self._cells[start:end]:
            value *= 10
            value += place - _ZERO
        return value

    def fraction(self, digits: int) -> Ints | int:
        """The first ``digits`` digits of the fraction, completed by zeros."""
        if "f" not in self.has:
            return 0
        start, end = self.has["f"]
        used = min(end - start, digits)
        value = self.number(start, start + used)
        value *= 10 ** (digits - used)
        return value


def _epoch(parts: _Parts) -> Ints:
    milli = "ms" in parts.has
    micros = parts["s"] * 1_000_000
    micros += parts["ms"] * 1_000
    micros += parts.fraction(3 if milli else 6)
    return micros


def _calendar(parts: _Parts) -> Ints:
    year, month, day = parts["Y"], parts["m"], parts["d"]
    hour, minute, second = parts["H"], parts["M"], parts["S"]
    legal = (
        (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (hour < 24) & (minute < 60) & (second < 60)
    )
    month = np.where(legal, month, 1)
    if day.max() > 28:
        leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
        legal &= day <= _MONTH_DAYS[month] + (leap & (month == 2))
    months = ((year - 1970) * 12 + (month - 1)).astype(np.int64).view("datetime64[M]")
    clock = (hour * 60 + minute) * 60 + second
    if len(parts.zone) > 1:
        start, end = parts.has["z"]
        hours = parts.number(start + 1, start + 3)
        minutes = parts.number(end - 2, end) if len(parts.zone) > 3 else 0
        legal &= (hours < 24) & (minutes < 60)
        clock -= (-1 if parts.zone[0] == "-" else 1) * (hours * 60 + minutes) * 60
    micros: Ints = months.astype("datetime64[D]").view(np.int64)
    micros += day - 1
    micros *= 86_400
    micros += clock
    micros *= 1_000_000
    micros += parts.fraction(6)
    legal &= (micros >= FIRST) & (micros <= LAST)
    if not legal.all():
        micros[~legal] = NAT
    return micros
