"""The tolerant timestamp parser of data and label files, and the format probe behind the fast CSV path.

Accepted, always read as UTC when no offset is given:

- the documented forms: a date ``yyyy-MM-dd``, ``yyyy/MM/dd``, ``yyyy MM dd`` or ``yyyyMMdd``, then ``T`` or a
  blank, then ``HH:mm`` or ``HH:mm:ss``; ``yyyy-MM-dd-HH:mm[:ss]``; ``yyyy-MM-dd-HH-mm-ss``;
  ``yyyyMMddHHmm[ss]``;
- parts without leading zeros (``2020/1/1 0:00``) and US order (``1/31/2020 0:00``) when the first part is no
  year;
- a fraction of one to nine digits (cut to microseconds), a trailing ``Z`` or offset (converted to UTC);
- a bare date (midnight), and seconds (10 digits) or milliseconds (13 digits) since 1970.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.datetime64]
"""UTC instants as ``datetime64[us]``; NaT marks a text that is no timestamp."""

_CLOCK = r"(?P<H>\d{1,2})(?::(?P<M>\d{1,2})(?::(?P<S>\d{1,2})(?:[.,](?P<f>\d{1,9}))?)?)?"
_ZONE = r"\s*(?P<z>[Zz]|[+-]\d{2}:?\d{2}|[+-]\d{2})?"
_PATTERNS = tuple(
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
_EPOCH = re.compile(r"(?P<s>\d{10})(?P<ms>\d{3})?(?:\.(?P<f>\d{1,9}))?\Z", re.ASCII)
_ORIGIN = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NAT = np.iinfo(np.int64).min

# Formats that the CSV reader parses by itself, found by the shape of the first texts. ISO means Arrow's own
# parser.
ISO = "ISO8601"
_SHAPES = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?\Z", re.ASCII), ISO),
    (re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\Z", re.ASCII), "%Y/%m/%d %H:%M:%S"),
    (re.compile(r"\d{4}/\d\d/\d\dT\d\d:\d\d:\d\d\Z", re.ASCII), "%Y/%m/%dT%H:%M:%S"),
    (re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d\Z", re.ASCII), "%Y/%m/%d %H:%M"),
    (re.compile(r"\d{4}-\d\d-\d\d-\d\d:\d\d:\d\d\Z", re.ASCII), "%Y-%m-%d-%H:%M:%S"),
    (re.compile(r"\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d\Z", re.ASCII), "%Y-%m-%d-%H-%M-%S"),
    (re.compile(r"\d{8}T\d\d:\d\d:\d\d\Z", re.ASCII), "%Y%m%dT%H:%M:%S"),
    (re.compile(r"\d{8} \d\d:\d\d:\d\d\Z", re.ASCII), "%Y%m%d %H:%M:%S"),
)


def parse_timestamps(texts: Sequence[str]) -> Times:
    """Return one UTC instant per text, NaT for a text in no accepted form."""
    return np.array([_micros(text) for text in texts], dtype=np.int64).view("datetime64[us]")


def probe_format(texts: Sequence[str]) -> str | None:
    """Return the one format of all texts that the CSV reader can parse itself, or None."""
    if not texts:
        return None
    for shape, name in _SHAPES:
        if all(shape.match(text) for text in texts):
            return name
    return None


def iso(time: np.datetime64 | None) -> str | None:
    """Return ``YYYY-MM-DDTHH:MM:SS.ffffff``, or None for no time."""
    return None if time is None or np.isnat(time) else str(time.astype("datetime64[us]"))


def _micros(text: str) -> int:
    stripped = text.strip()
    for pattern in _PATTERNS:
        match = pattern.match(stripped)
        if match:
            return _calendar(match.groupdict())
    match = _EPOCH.match(stripped)
    if match is None:
        return _NAT
    micros = int(match["s"]) * 1_000_000 + int(match["ms"] or 0) * 1_000
    fraction = int(f"{match['f'] or '0':0<9}"[:9]) // 1_000
    return micros + (fraction // 1_000 if match["ms"] else fraction)


def _calendar(parts: dict[str, str | None]) -> int:
    year, month, day, hour, minute, second = (int(parts.get(key) or 0) for key in "YmdHMS")
    micro = int(f"{parts.get('f') or '0':0<6}"[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC)
    except ValueError:
        return _NAT
    return (moment - _ORIGIN) // _MICROSECOND - _offset_minutes(parts.get("z")) * 60_000_000


def _offset_minutes(zone: str | None) -> int:
    if zone is None or zone in "Zz":
        return 0
    digits = zone[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
    return -minutes if zone[0] == "-" else minutes
