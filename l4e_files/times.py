"""The accepted forms of timestamps, in data files and label files alike.

Timestamps are read as UTC unless they give an offset. Not accepted are dates and times that do not exist
(30 February, 24:00, second 60), offsets of a day or more, and instants outside the years 1 to 9999 (UTC).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Form:
    """An accepted form of timestamps.

    Attributes:
        pattern: How it is written.
        example: A timestamp of that form.
        remark: What else is to know about it.
    """

    pattern: str
    example: str
    remark: str = ""


FORMS: tuple[Form, ...] = (
    Form("yyyy-MM-ddTHH:mm:ss", "2026-03-31T14:05:00"),
    Form("yyyy-MM-dd HH:mm:ss", "2026-03-31 14:05:00"),
    Form("yyyy-MM-dd-HH:mm:ss", "2026-03-31-14:05:00"),
    Form("yyyy-MM-dd-HH-mm-ss", "2026-03-31-14-05-00"),
    Form("yyyy_MM_dd_HH_mm_ss", "2026_03_31_14_05_00", "`_` may stand for `-`, and between date and time"),
    Form("yyyy/MM/ddTHH:mm:ss", "2026/03/31T14:05:00"),
    Form("yyyy/MM/dd HH:mm:ss", "2026/03/31 14:05:00"),
    Form("yyyy MM ddTHH:mm:ss", "2026 03 31T14:05:00"),
    Form("yyyy MM dd HH:mm:ss", "2026 03 31 14:05:00"),
    Form("yyyyMMddTHH:mm:ss", "20260331T14:05:00"),
    Form("yyyyMMdd HH:mm:ss", "20260331 14:05:00"),
    Form("yyyyMMddHHmmss", "20260331140500"),
    Form("yyyyMMdd_HHmmss", "20260331_140500"),
    Form("yyyyMMddTHHmmss", "20260331T140500"),
    Form("M/d/yyyy HH:mm:ss", "3/31/2026 14:05:00", "the month first, unless the file shows otherwise"),
    Form("d/M/yyyy HH:mm:ss", "31/3/2026 14:05:00", "when a day above 12 in the same file shows it"),
    Form("seconds since 1970", "1774965900", "10 digits"),
    Form("milliseconds since 1970", "1774965900000", "13 digits"),
)
"""One row per form. Seconds may be left out but for `yyyy-MM-dd-HH-mm-ss` and its form with `_`."""

ACCEPTED = (
    "'2026-03-31T14:05:00', '2026-03-31 14:05:00.250', '2026-03-31T14:05:00+01:00', '2026/03/31 14:05', "
    "'20260331140500', '3/31/2026 14:05', or seconds (10 digits) or milliseconds (13 digits) since 1970"
)
"""The accepted forms in short, for error messages."""

_CLOCK = r"(?P<H>\d{1,2})(?::(?P<M>\d{1,2})(?::(?P<S>\d{1,2})(?:[.,](?P<f>\d{1,9}))?)?|(?!\s*-))"
"""After an hour alone, `-06` is more likely its minutes than an offset: such a text is not accepted."""
_ZONE = r"\s*(?P<z>[Zz]|[+-]\d{2}:?\d{2}|[+-]\d{2})?"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern + r"\Z", re.ASCII)


SLASHED_PATTERN = _compiled(rf"(?P<m>\d{{1,2}})/(?P<d>\d{{1,2}})/(?P<Y>\d{{4}})(?:[T ]{_CLOCK}{_ZONE})?")
"""Dates with the year last; `m` is the first part, which is the day in a file with the day first."""
CALENDAR_PATTERNS = (
    _compiled(
        rf"(?P<Y>\d{{4}})([-/_ ])(?P<m>\d{{1,2}})\2(?P<d>\d{{1,2}})(?:(?:[T _]|(?<=\d)-){_CLOCK}{_ZONE})?"
    ),
    _compiled(
        r"(?P<Y>\d{4})([-_])(?P<m>\d{1,2})\2(?P<d>\d{1,2})[-_]"
        r"(?P<H>\d{1,2})([-_])(?P<M>\d{1,2})\6(?P<S>\d{1,2})" + _ZONE
    ),
    SLASHED_PATTERN,
    _compiled(rf"(?P<Y>\d{{4}})(?P<m>\d{{2}})(?P<d>\d{{2}})(?:[T _]{_CLOCK}{_ZONE})?"),
    _compiled(
        r"(?P<Y>\d{4})(?P<m>\d{2})(?P<d>\d{2})[T_]?(?P<H>\d{2})(?P<M>\d{2})(?P<S>\d{2})?(?:\.(?P<f>\d{1,9}))?"
        + _ZONE
    ),
)
EPOCH_PATTERN = _compiled(r"(?P<s>\d{10})(?P<ms>\d{3})?(?:\.(?P<f>\d{1,9}))?")
WHITESPACE = " \t\r\n\v\f"

_ORIGIN = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
FIRST_MICROS = (datetime.min.replace(tzinfo=UTC) - _ORIGIN) // _MICROSECOND
LAST_MICROS = (datetime.max.replace(tzinfo=UTC) - _ORIGIN) // _MICROSECOND
"""The first and the last instant accepted, in microseconds since 1970."""


def micros(text: str, *, day_first: bool = False) -> int | None:
    """Return the microseconds since 1970 of a timestamp, `None` when it has no accepted form.

    Args:
        text: The timestamp.
        day_first: Whether dates like `1/2/2026` begin with the day.

    Example:
        >>> micros("1970-01-01 00:00:01"), micros("yesterday")
        (1000000, None)
    """
    match = _calendar_match(text)
    if match:
        return _calendar_micros(match.groupdict(), swapped=day_first and match.re is SLASHED_PATTERN)
    match = EPOCH_PATTERN.match(text.strip(WHITESPACE))
    if match is None:
        return None
    whole = int(match["s"]) * 1_000_000 + int(match["ms"] or 0) * 1_000
    fraction = int(f"{match['f'] or '0':0<9}"[:9]) // 1_000
    return whole + (fraction // 1_000 if match["ms"] else fraction)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayMonthOrder:
    """What the dates of a file with the year last (`1/2/2026`) show about the order of day and month.

    Attributes:
        day_first: Dates that exist only with the day first.
        month_first: Dates that exist only with the month first.
        open: Dates that both orders allow, and read differently.
    """

    day_first: int = 0
    month_first: int = 0
    open: int = 0

    def __add__(self, other: "DayMonthOrder") -> "DayMonthOrder":
        return DayMonthOrder(
            day_first=self.day_first + other.day_first,
            month_first=self.month_first + other.month_first,
            open=self.open + other.open,
        )

    @property
    def is_day_first(self) -> bool:
        """Whether the day stands first; without evidence it is the month, as L4E documents."""
        return self.day_first > self.month_first

    @property
    def ambiguous(self) -> bool:
        """Whether both orders are possible, and make a difference."""
        return self.open > 0 and not self.day_first and not self.month_first


def day_month_order(texts: Iterable[str]) -> DayMonthOrder:
    """Return what timestamps show about the order of day and month.

    Example:
        >>> day_month_order(["1/3/2026 06:00", "13/3/2026 06:00"]).is_day_first
        True
    """
    counts = [0, 0, 0]
    for text in texts:
        match = SLASHED_PATTERN.match(text.strip(WHITESPACE))
        if match is None or int(match["m"]) == int(match["d"]):
            continue
        first, second, year = int(match["m"]), int(match["d"]), int(match["Y"])
        month_first, day_first = _exists(year, first, second), _exists(year, second, first)
        counts[0] += day_first and not month_first
        counts[1] += month_first and not day_first
        counts[2] += day_first and month_first
    return DayMonthOrder(day_first=counts[0], month_first=counts[1], open=counts[2])


def is_year_day_month(text: str) -> bool:
    """Return whether a date with the year first exists only if the day stands before the month.

    Example:
        >>> is_year_day_month("2026-13-03 06:00"), is_year_day_month("2026-03-13 06:00")
        (True, False)
    """
    match = _calendar_match(text)
    if match is None or match.re is SLASHED_PATTERN:
        return False
    year, first, second = int(match["Y"]), int(match["m"]), int(match["d"])
    return _exists(year, second, first) and not _exists(year, first, second)


def offset_minutes(text: str) -> int | None:
    """Return the offset of a timestamp, 0 for seconds since 1970; `None` when it gives none.

    Example:
        >>> offset_minutes("2026-03-13 06:00-01:30"), offset_minutes("2026-03-13 06:00")
        (-90, None)
    """
    match = _calendar_match(text)
    if match is None:
        return 0 if EPOCH_PATTERN.match(text.strip(WHITESPACE)) else None
    zone = match.groupdict().get("z")
    return None if zone is None else _offset_minutes(zone)


_SHORT_YEARS = re.compile(
    r"(?:\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"  # yyMMdd
    r"|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d\d"  # ddMMyy
    r"|(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d\d)"  # MMddyy
    r"(?:[01]\d|2[0-3])[0-5]\d"
)
_ENOUGH = 100


def have_short_years(texts: Iterable[str]) -> bool:
    """Return whether ten digits are dates with a year of two digits and minutes, not seconds since 1970.

    Seconds since 1970 soon have digits that no clock has: of a hundred of them, some do.

    Example:
        >>> have_short_years(f"2603{day:02d}{hour:02d}00" for day in range(1, 9) for hour in range(24))
        True
    """
    different = set(texts)
    return len(different) >= _ENOUGH and all(map(_SHORT_YEARS.fullmatch, different))


_DATE_WITH_HOUR = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])")
_SHORT_YEAR_WITH_SECONDS = re.compile(
    r"(?!19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])([0-5]\d){2}"
)
_AS_SECONDS = "10 digits are read as seconds since 1970"


def are_dates_with_hour(texts: Sequence[str]) -> bool:
    """Return whether ten digits are dates with an hour, as in `2026033114`, not seconds since 1970."""
    return len(texts) > 1 and all(map(_DATE_WITH_HOUR.fullmatch, texts))


def misread_digits(texts: Sequence[str]) -> str | None:
    """Return what digits look like that would be read as other times, and the fix, `None` for others.

    Args:
        texts: The timestamps of a file, or the first of them.

    Example:
        >>> misread_digits(["2026033114", "2026033115"])[:35]
        'a date with an hour (yyyyMMddHH), b'
    """
    if are_dates_with_hour(texts):
        meant = f"a date with an hour (yyyyMMddHH), but {_AS_SECONDS}"
    elif len(texts) > 1 and all(map(_SHORT_YEAR_WITH_SECONDS.fullmatch, texts)):
        meant = "a date with a year of two digits (yyMMddHHmmss), but 12 digits are read as yyyyMMddHHmm"
    elif have_short_years(texts):
        meant = f"a date with a year of two digits (as yyMMddHHmm), but {_AS_SECONDS}"
    else:
        return None
    return f"{meant}: write '2026-03-31 14:00:00'"


_DAY = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_NOT_ACCEPTED: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern + r"\Z", re.ASCII | re.IGNORECASE), name)
    for pattern, name in (
        (
            r"\d{1,2}[-/. ]" + _MONTH + r"[-/. ,]+\d{2,4}\b.*",
            "a date with the name of the month, as PI writes it",
        ),
        (r"(?:[a-z]{3,9},? )?" + _MONTH + r" \d{1,2},? .*", "a date with the name of the month"),
        (r"(?:[a-z]{3,9}),? \d{1,2} " + _MONTH + r" \d{4}.*", "a date with the name of the month"),
        (r".*\d\s*[ap]\.?m\.?", "a clock of twelve hours (am/pm)"),
        (r"\d{19}", "nanoseconds since 1970"),
        (r"\d{18}", "a Windows file time"),
        (r"\d{16}", "microseconds since 1970"),
        (r"\d{9}(?:\.\d+)?", "seconds since 1970 before September 2001"),
        (r"[2-7]\d{4}(?:[.,]\d+)?", "a serial day of Excel"),
        (r"\d{1,2}\. ?[^\d\s.,;|]{3,10}\.? \d{2,4}\b.*", "a date with the name of the month"),
        (r"(?:\d{1,2}\.\d{1,2}\.\d{2,4}|\d{4}\.\d{1,2}\.\d{1,2})\b.*", "a date with points"),
        (_DAY + r"[T ]\d{1,2}\.\d{2}(?:\.\d{2})?(?:\.\d+)?", "a time of day with points"),
        (r"\d{2}-\d{2}-\d{2}\b.*", "a year of two digits"),
        (r"#{3,}", "what Excel shows of a time in a column that is too narrow"),
        (r"\d{1,2}-\d{1,2}-\d{2,4}\b.*", "a date with hyphens and the year last"),
        (r"\d{1,2}/\d{1,2}/\d{2}(?:\D.*)?", "a year of two digits"),
        (r"\d{1,2}/\d{1,2}/\d{4}.*", "a date that does not exist, or a form that is not accepted after it"),
        (r"\d{4}[-/ ]?\d{2}[-/ ]?\d{2}.*\d ?[a-z]{2,5}", "a time zone with a name instead of an offset"),
        (r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?", "a time of day without its date"),
        (r"\d{1,2}:\d{2}[.,]\d", "minutes and seconds alone, as Excel shows times with fractions"),
        (r"1[.,][3-9]\d*E\+(?:09|12)", "seconds or milliseconds since 1970 that a spreadsheet has rounded"),
        (r"\d{12}", "a year of two digits, or a date that does not exist"),
        (r"\d{4}-W\d{2}\b.*", "a week of the year"),
        (r"\d{4}-\d{3}(?!\d).*", "a day of the year"),
        (r"\d{4}:\d{2}:\d{2} .*", "a date with colons"),
        (_DAY + r"[T ]\d{1,2}:\d{2}:\d{2}:\d+.*", "a fraction after a colon"),
        (_DAY + r"[T ]\d{4}(?:\d{2})?" + _ZONE, "hour and minutes without a colon"),
        (_DAY + r"[T ].*\d\s*(?:UTC|GMT)\s?[+-]\d.*", "a time zone with a name instead of an offset"),
        (_DAY + r"[T ].*:\d{2}.*[+-]\d(?::?\d{2})?", "an offset without two digits for its hours"),
        (_DAY + "[T ].*[\u2010-\u2015\u2212].*", "a dash that is no hyphen before the offset"),
        (r"\d{4}\u5e74.*", "a date with characters for year, month and day"),
        (
            _DAY + r"[T _-]24:00(?::00(?:[.,]0+)?)?" + _ZONE,
            "the end of a day as 24:00, not 00:00 of the next",
        ),
        (_DAY + "[\u00a0\u2007\u202f].*", "a no-break space between date and time"),
        (_DAY + r"[^;|\t]*[;|\t].*", "a row whose columns are separated by no comma"),
        (_DAY + r".*\[[a-z_/+-]+\]", "a time zone with a name after its offset"),
        (
            r"\d{4}([-/_ ])\d{1,2}\1\d{1,2}[-_T ]\d{1,2}[-_]\d{2}",
            "hour and minutes with '-' or '_' between them, and no seconds",
        ),
    )
)


def unaccepted_form(text: str) -> str | None:
    """Return what kind of timestamp a text is that has no accepted form, `None` when it looks like none.

    Example:
        >>> unaccepted_form("01-Mar-26 00:00:00")
        'a date with the name of the month, as PI writes it'
    """
    stripped = text.strip(WHITESPACE)
    if micros(stripped) is not None or micros(stripped, day_first=True) is not None:
        return None
    if "\0" in text:
        return "with bytes of zero, as files have that were not written to their end"
    if any(character.isdigit() and not character.isascii() for character in stripped):
        return "a time with digits of another script"
    return next((name for pattern, name in _NOT_ACCEPTED if pattern.match(stripped)), None)


def _calendar_match(text: str) -> re.Match[str] | None:
    stripped = text.strip(WHITESPACE)
    return next((match for pattern in CALENDAR_PATTERNS if (match := pattern.match(stripped))), None)


def _calendar_micros(parts: Mapping[str, str | None], *, swapped: bool) -> int | None:
    year, month, day, hour, minute, second = (int(parts.get(key) or 0) for key in "YmdHMS")
    if swapped:
        month, day = day, month
    micro = int(f"{parts.get('f') or '0':0<6}"[:6])
    offset = _offset_minutes(parts.get("z"))
    try:
        moment = datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC)
    except ValueError:
        return None
    if offset is None:
        return None
    found = (moment - _ORIGIN) // _MICROSECOND - offset * 60_000_000
    return found if FIRST_MICROS <= found <= LAST_MICROS else None


def _exists(year: int, month: int, day: int) -> bool:
    try:
        datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return False
    return True


def _offset_minutes(zone: str | None) -> int | None:
    if zone is None or zone in "Zz":
        return 0
    digits = zone[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours > 23 or minutes > 59:
        return None
    return (-1 if zone[0] == "-" else 1) * (hours * 60 + minutes)
