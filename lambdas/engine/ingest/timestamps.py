"""Parse the timestamps of data and label files.

These forms are accepted, and read as UTC unless they give an offset:

- the forms that L4E documents: a date `yyyy-MM-dd`, `yyyy/MM/dd`, `yyyy MM dd` or `yyyyMMdd`, then `T` or a
  blank, then `HH:mm` or `HH:mm:ss`; `yyyy-MM-dd-HH:mm[:ss]`; `yyyy-MM-dd-HH-mm-ss`; `yyyyMMddHHmm[ss]`;
- parts without leading zeros (`2020/1/1 0:00`), and US order (`1/31/2020 0:00`) when the first part is not a
  year;
- a fraction of one to nine digits (cut to microseconds), and a trailing `Z` or offset (converted to UTC);
- a date alone (midnight), and seconds (10 digits) or milliseconds (13 digits) since 1970.

Not accepted are dates and times that do not exist (30 February, 24:00, second 60), offsets of a day or more,
and instants outside the years 1 to 9999 (UTC).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.datetime64]
"""UTC instants as `datetime64[us]`; NaT stands for a text that is not a timestamp."""

_CLOCK = r"(?P<H>\d{1,2})(?::(?P<M>\d{1,2})(?::(?P<S>\d{1,2})(?:[.,](?P<f>\d{1,9}))?)?)?"
_ZONE = r"\s*(?P<z>[Zz]|[+-]\d{2}:?\d{2}|[+-]\d{2})?"
CALENDAR_PATTERNS = tuple(
    re.compile(pattern + r"\Z", re.ASCII)
    for pattern in (
        rf"(?P<Y>\d{{4}})([-/ ])(?P<m>\d{{1,2}})\2(?P<d>\d{{1,2}})(?:(?:[T ]|(?<=\d)-){_CLOCK}{_ZONE})?",
        r"(?P<Y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})-(?P<H>\d{1,2})-(?P<M>\d{1,2})-(?P<S>\d{1,2})" + _ZONE,
        rf"(?P<m>\d{{1,2}})/(?P<d>\d{{1,2}})/(?P<Y>\d{{4}})(?:[T ]{_CLOCK}{_ZONE})?",
        rf"(?P<Y>\d{{4}})(?P<m>\d{{2}})(?P<d>\d{{2}})(?:[T ]{_CLOCK}{_ZONE})?",
        r"(?P<Y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?P<H>\d{2})(?P<M>\d{2})(?P<S>\d{2})?(?:\.(?P<f>\d{1,9}))?"
        + _ZONE,
    )
)
EPOCH_PATTERN = re.compile(r"(?P<s>\d{10})(?P<ms>\d{3})?(?:\.(?P<f>\d{1,9}))?\Z", re.ASCII)
_ORIGIN = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
NAT_MICROS = np.iinfo(np.int64).min

WHITESPACE = " \t\r\n\v\f"
FIRST_MICROS, LAST_MICROS = (
    int(np.datetime64(text, "us").view(np.int64)) for text in ("0001-01-01", "9999-12-31T23:59:59.999999")
)
"""The first and the last instant accepted, in microseconds since 1970."""


def parse_timestamps(texts: Sequence[str]) -> Times:
    """Parse texts one by one.

    Args:
        texts: Timestamps in any of the accepted forms, also mixed.

    Returns:
        One UTC instant per text, NaT where it has no accepted form.

    Example:
        >>> [str(time) for time in parse_timestamps(["2024-01-31 06:30", "1/31/2024 6:30", "yesterday"])]
        ['2024-01-31T06:30:00.000000', '2024-01-31T06:30:00.000000', 'NaT']
    """
    return np.array([_micros(text) for text in texts], dtype=np.int64).view("datetime64[us]")


def isoformat(time: np.datetime64 | None) -> str | None:
    """Return an instant as `YYYY-MM-DDTHH:MM:SS.ffffff`, `None` for `None` and NaT."""
    return None if time is None or np.isnat(time) else str(time.astype("datetime64[us]"))


def _micros(text: str) -> int:
    stripped = text.strip(WHITESPACE)
    for pattern in CALENDAR_PATTERNS:
        match = pattern.match(stripped)
        if match:
            return _calendar_micros(match.groupdict())
    match = EPOCH_PATTERN.match(stripped)
    if match is None:
        return NAT_MICROS
    micros = int(match["s"]) * 1_000_000 + int(match["ms"] or 0) * 1_000
    fraction = int(f"{match['f'] or '0':0<9}"[:9]) // 1_000
    return micros + (fraction // 1_000 if match["ms"] else fraction)


def _calendar_micros(parts: Mapping[str, str | None]) -> int:
    year, month, day, hour, minute, second = (int(parts.get(key) or 0) for key in "YmdHMS")
    micro = int(f"{parts.get('f') or '0':0<6}"[:6])
    offset = _offset_minutes(parts.get("z"))
    try:
        moment = datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC)
    except ValueError:
        return NAT_MICROS
    if offset is None:
        return NAT_MICROS
    micros = (moment - _ORIGIN) // _MICROSECOND - offset * 60_000_000
    return micros if FIRST_MICROS <= micros <= LAST_MICROS else NAT_MICROS


def _offset_minutes(zone: str | None) -> int | None:
    if zone is None or zone in "Zz":
        return 0
    digits = zone[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours > 23 or minutes > 59:
        return None
    return (-1 if zone[0] == "-" else 1) * (hours * 60 + minutes)
