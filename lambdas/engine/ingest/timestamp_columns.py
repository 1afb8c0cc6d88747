"""Parse the timestamps of a whole column at once, as arrays of bytes.

Texts of one shape, with digits and all other characters in the same places, have year, month and so on in the
same places too: a pattern is matched against one of them only. Accepted forms and limits are those of
`l4e_files.times`.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ingest.timestamps import NAT_MICROS, Times, parse_timestamps
from l4e_files.times import (
    CALENDAR_PATTERNS,
    EPOCH_PATTERN,
    FIRST_MICROS,
    LAST_MICROS,
    SLASHED_PATTERN,
    WHITESPACE,
    DayMonthOrder,
    day_month_order,
    is_year_day_month,
    offset_minutes,
)

Bytes = NDArray[np.uint8]
Ints = NDArray[np.signedinteger[Any]]

_ROWS_AT_ONCE = 16_384
"""Rows parsed together: what they need stays in the cache of the processor."""
_MAX_SHAPES = 16
_MAX_BYTES = 64
"""Texts of further shapes, or longer ones, are parsed one by one."""

_ZERO = np.uint8(ord("0"))
_MONTH_DAYS = np.array((0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), np.int32)


@dataclass(slots=True, kw_only=True)
class TimestampReader:
    """A reader of the timestamps of one file, which keeps what they show about all of them.

    Attributes:
        day_first: Whether dates like `1/2/2026` begin with the day.
        order: What the dates read so far show about the order of day and month.
        absolute: Number of times that are UTC by themselves: seconds since 1970, or with the offset zero.
        shifted: Number of times with another offset.
        year_day_month: Number of dates with the year first that exist only as year, day, month.
    """

    day_first: bool = False
    order: DayMonthOrder = field(default_factory=DayMonthOrder)
    absolute: int = 0
    shifted: int = 0
    year_day_month: int = 0

    def read(self, column: Any) -> Times:
        """Return what `parse_timestamps` returns for the texts, and note what their dates show of the order.

        Args:
            column: An Arrow array of strings; null becomes NaT.
        """
        micros = np.full(len(column), NAT_MICROS, np.int64)
        for start in range(0, len(column), _ROWS_AT_ONCE):
            rows = column.slice(start, _ROWS_AT_ONCE)
            micros[start : start + len(rows)] = self._parse(rows)
        return micros.view("datetime64[us]")

    def _parse(self, column: Any) -> Ints:
        micros = np.full(len(column), NAT_MICROS, np.int64)
        _, ends, data = column.buffers()
        offsets = np.frombuffer(ends, np.int32, len(column) + 1, column.offset * 4)
        text = np.frombuffer(data or b"", np.uint8)
        sizes = np.diff(offsets)
        left = np.flatnonzero(sizes)
        for _ in range(_MAX_SHAPES):
            if not len(left) or sizes[left[0]] > _MAX_BYTES:
                break
            size = int(sizes[left[0]])
            rows = left[sizes[left] == size]
            characters = _characters(text, offsets, rows, size)
            alike = _same_shape(characters)
            if alike.all():
                micros[rows] = self._instants(characters)
                left = left[sizes[left] != size]
            else:
                micros[rows[alike]] = self._instants(characters[:, alike])
                other = np.ones(len(column), bool)
                other[rows[alike]] = False
                left = left[other[left]]
        if len(left):
            texts = column.take(left).to_pylist()
            micros[left] = parse_timestamps(texts, day_first=self.day_first).view(np.int64)
            self.order += day_month_order(texts)
            minutes = [offset for text in texts if (offset := offset_minutes(text)) is not None]
            self.absolute += minutes.count(0)
            self.shifted += len(minutes) - minutes.count(0)
            self.year_day_month += sum(map(is_year_day_month, texts))
        return micros

    def _instants(self, characters: Bytes) -> Ints:
        """Return the microseconds since 1970 of texts of one shape."""
        text = characters[:, 0].tobytes().decode("latin-1")
        stripped = text.strip(WHITESPACE)
        matches = (pattern.match(stripped) for pattern in (*CALENDAR_PATTERNS, EPOCH_PATTERN))
        match = next((found for found in matches if found), None)
        if match is None:
            return np.full(characters.shape[1], NAT_MICROS)
        parts = _Parts(match, characters[text.index(stripped) :])
        if match.re is EPOCH_PATTERN:
            self.absolute += characters.shape[1]
            return _epoch_micros(parts)
        self._count_offsets(parts)
        first, second = parts["m"], parts["d"]
        if match.re is not SLASHED_PATTERN:
            if first.max() > 12:
                only = _exists(parts["Y"], second, first) & ~_exists(parts["Y"], first, second)
                self.year_day_month += int(np.count_nonzero(only))
            return _calendar_micros(parts, month=first, day=second)
        self.order += _shown_order(parts["Y"], first, second)
        month, day = (second, first) if self.day_first else (first, second)
        return _calendar_micros(parts, month=month, day=day)

    def _count_offsets(self, parts: "_Parts") -> None:
        hours, minutes = parts.offset()
        shifted = int(np.count_nonzero(hours + minutes))
        self.shifted += shifted
        self.absolute += len(hours) - shifted if parts.zone else 0


def _characters(text: Bytes, offsets: NDArray[np.int32], rows: NDArray[np.intp], size: int) -> Bytes:
    """Return the texts of rows with equally many bytes as an array of places by rows."""
    if len(rows) == len(offsets) - 1:
        table = text[offsets[0] : offsets[-1]].reshape(-1, size)
    else:
        table = text[offsets[rows][:, None] + np.arange(size)]
    return np.ascontiguousarray(table.T)


def _same_shape(characters: Bytes) -> NDArray[np.bool_]:
    """Return which texts have the shape of the first."""
    alike = np.ones(characters.shape[1], bool)
    for place in characters:
        alike &= place - _ZERO < 10 if 0 <= int(place[0]) - 48 < 10 else place == place[0]
    return alike


class _Parts:
    """The parts of texts of one shape as numbers, 0 where the shape lacks a part."""

    def __init__(self, match: re.Match[str], characters: Bytes) -> None:
        self.has = {name: span for name in match.re.groupindex if (span := match.span(name))[0] >= 0}
        self.zone = match.groupdict().get("z") or ""
        self._characters = characters

    def __getitem__(self, name: str) -> Ints:
        return self.number(*self.has.get(name, (0, 0)))

    def number(self, start: int, end: int) -> Ints:
        """Return the number in some places, in 32 bits where it fits, which is twice as fast."""
        value: Ints = np.zeros(self._characters.shape[1], np.int32 if end - start < 10 else np.int64)
        for place in self._characters[start:end]:
            value *= 10
            value += place - _ZERO
        return value

    def offset(self) -> tuple[Ints, Ints]:
        """Return hours and minutes of the offset, without its sign."""
        start, end = self.has["z"] if len(self.zone) > 1 else (0, 0)
        minutes = self.number(end - 2, end) if len(self.zone) > 3 else self.number(0, 0)
        return self.number(start + 1, start + 3) if end else self.number(0, 0), minutes

    def fraction(self, digits: int) -> Ints | int:
        """Return the first `digits` digits of the fraction, padded with zeros."""
        if "f" not in self.has:
            return 0
        start, end = self.has["f"]
        used = min(end - start, digits)
        value = self.number(start, start + used)
        value *= 10 ** (digits - used)
        return value


def _epoch_micros(parts: _Parts) -> Ints:
    in_milliseconds = "ms" in parts.has
    micros = parts["s"] * 1_000_000
    micros += parts["ms"] * 1_000
    micros += parts.fraction(3 if in_milliseconds else 6)
    return micros


def _shown_order(year: Ints, first: Ints, second: Ints) -> DayMonthOrder:
    """Return what dates with the year last show about the order of day and month."""
    if first.max() <= 12 and second.max() <= 12:  # almost always both exist
        both = (first >= 1) & (second >= 1) & (year >= 1)
        return DayMonthOrder(open=int(np.count_nonzero(both & (first != second))))
    month_first = _exists(year, first, second)
    day_first = _exists(year, second, first)
    return DayMonthOrder(
        day_first=int(np.count_nonzero(day_first & ~month_first)),
        month_first=int(np.count_nonzero(month_first & ~day_first)),
        open=int(np.count_nonzero(month_first & day_first & (first != second))),
    )


def _exists(year: Ints, month: Ints, day: Ints) -> NDArray[np.bool_]:
    legal: NDArray[np.bool_] = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    month = np.where(legal, month, 1)
    legal &= day <= _MONTH_DAYS[month] + (leap & (month == 2))
    return legal


def _calendar_micros(parts: _Parts, *, month: Ints, day: Ints) -> Ints:
    year = parts["Y"]
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
        hours, minutes = parts.offset()
        legal &= (hours < 24) & (minutes < 60)
        clock -= (-1 if parts.zone[0] == "-" else 1) * (hours * 60 + minutes) * 60
    micros: Ints = months.astype("datetime64[D]").view(np.int64)
    micros += day - 1
    micros *= 86_400
    micros += clock
    micros *= 1_000_000
    micros += parts.fraction(6)
    legal &= (micros >= FIRST_MICROS) & (micros <= LAST_MICROS)
    if not legal.all():
        micros[~legal] = NAT_MICROS
    return micros
