"""The forms of time that exports have, and how a whole column of one form is read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from l4e_files.times import have_short_years

Micros = NDArray[np.int64]
"""Times in microseconds since 1970; `NO_TIME` where there is none."""

NO_TIME = int(np.iinfo(np.int64).min)
_MAX_LENGTH = 50
_SHARE = 0.8
DAY, HOUR, SECOND = 86_400_000_000, 3_600_000_000, 1_000_000

_CLOCK = (
    r"(?P<H>\d{1,2})[:.](?P<M>\d{1,2})(?:[:.](?P<S>\d{1,2})(?:[.,:](?P<f>\d{1,9}))?)?"
    r"(?:\s*(?P<p>[AaPp])\.?\s?[Mm]\.?)?"
)
_ZONE = r"(?:\s*(?P<z>[Zz]|[+-]\d{2}(?::?\d{2})?|[A-Z]{3,5}))?"
_BEFORE_CLOCK = "(?:[Tt]|[ ,]+|[-_])"
_REST = rf"(?:{_BEFORE_CLOCK}{_CLOCK}{_ZONE})?"
_YEAR_FIRST = r"(?P<Y>\d{4})[-/. _](?P<m>\d{1,2})[-/. _](?P<d>\d{1,2})"
_WEEKDAY = r"(?:[A-Za-zÀ-ÿ]{2,10}\.?,?\s+)?"
_MONTH = r"(?P<mon>[A-Za-zÀ-ÿ]{3,10})\.?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A form of time that a pattern recognises, but for the order of its numbers.

    Attributes:
        name: What it is called in reports.
        pattern: Its regular expression, for Python and Arrow alike. Groups `a`, `b`, `c` are numbers of a
            date whose order is open, `Y`, `m`, `d`, `mon` those that are known.
        orders: The orders that its date may have.
        example: A time of this form.
    """

    name: str
    pattern: str
    orders: tuple[str, ...] = ("ymd",)
    example: str = ""


SHAPES: tuple[Shape, ...] = (
    Shape(
        name="year first",
        pattern=_YEAR_FIRST + _REST,
        example="2026-03-01 00:00:00",
    ),
    Shape(
        name="year first, one mark between all",
        pattern=rf"{_YEAR_FIRST}[-_](?P<H>\d{{1,2}})[-_](?P<M>\d{{1,2}})[-_](?P<S>\d{{1,2}}){_ZONE}",
        example="2026-03-01-00-00-00",
    ),
    Shape(
        name="year first, with hours only",
        # Minutes might follow as -30, and be taken for a zone: without them, only Z is one.
        pattern=rf"{_YEAR_FIRST}(?:{_BEFORE_CLOCK}(?P<H>\d{{1,2}})(?P<z>[Zz])?)?",
        example="2026-03-01 00",
    ),
    Shape(
        name="year last",
        pattern=rf"{_WEEKDAY}(?P<a>\d{{1,2}})[-/](?P<b>\d{{1,2}})[-/](?P<Y>\d{{4}}){_REST}",
        orders=("dmy", "mdy"),
        example="01/03/2026 00:00",
    ),
    Shape(
        name="day first, with dots",
        pattern=rf"{_WEEKDAY}(?P<d>\d{{1,2}})\. ?(?P<m>\d{{1,2}})\. ?(?P<Y>\d{{4}}){_REST}",
        orders=("dmy",),
        example="01.03.2026 00:00",
    ),
    Shape(
        name="two digits each",
        pattern=rf"(?P<a>\d{{1,2}})[-/.](?P<b>\d{{1,2}})[-/.](?P<c>\d{{2}}){_REST}",
        orders=("dmy", "mdy", "ymd"),
        example="01.03.26 00:00",
    ),
    Shape(
        name="month by name",
        pattern=rf"{_WEEKDAY}(?P<d>\d{{1,2}})[-/. ]+{_MONTH}[-/., ]+(?P<y>\d{{2}}|\d{{4}}){_REST}",
        example="01-Mar-26 00:00:00",
    ),
    Shape(
        name="month by name, first",
        pattern=rf"{_WEEKDAY}{_MONTH}[-/. ]+(?P<d>\d{{1,2}}),?[-/ ]+(?P<Y>\d{{4}}){_REST}",
        example="Mar 1, 2026 00:00:00",
    ),
    Shape(
        name="Chinese and Japanese",
        pattern=rf"(?P<Y>\d{{4}})年(?P<m>\d{{1,2}})月(?P<d>\d{{1,2}})日(?:\s*{_CLOCK}{_ZONE})?",
        example="2026年3月1日 00:00",
    ),
    Shape(
        name="month by name, year first",
        pattern=rf"(?P<Y>\d{{4}})[-/ ]{_MONTH}[-/ ](?P<d>\d{{1,2}}){_REST}",
        example="2026-Mar-01 00:00:00",
    ),
    Shape(
        name="digits only",
        # Not any year: 260301060000 is 2026-03-01 06:00, not a day of the year 2603.
        pattern=r"(?P<Y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})"
        r"(?:[T _-]?(?P<H>\d{2})(?::?(?P<M>\d{2})(?::?(?P<S>\d{2})(?:[.,]?(?P<f>\d{1,9}))?)?"
        rf"{_ZONE})?)?",
        example="20260301000000",
    ),
)
DATE_ONLY = re.compile(
    r"\d{4}[-/. ]\d{1,2}[-/. ]\d{1,2}|\d{1,2}[-/.] ?\d{1,2}[-/.] ?(\d{4}|\d{2})|\d{8}"
    r"|\d{1,2}[-/. ]+[A-Za-zÀ-ÿ]{3,10}\.?[-/. ]+(\d{4}|\d{2})",
)
CLOCK_ONLY = re.compile(_CLOCK + _ZONE)

_EPOCHS: Mapping[str, tuple[re.Pattern[str], int, int]] = {
    "seconds since 1970": (re.compile(r"\d{9,10}(?:\.\d{1,9})?"), 1_000_000, 1),
    "milliseconds since 1970": (re.compile(r"\d{12,13}(?:\.\d{1,6})?"), 1_000, 1),
    "microseconds since 1970": (re.compile(r"\d{15,16}"), 1, 1),
    "nanoseconds since 1970": (re.compile(r"\d{18,19}"), 1, 1_000),
}
_FIRST_MICROS, _LAST_MICROS = (int(np.datetime64(year, "us").astype(np.int64)) for year in ("1995", "2100"))
"""Numbers count as times only between these."""

EXCEL = "days as Excel counts them"
_EXCEL_PATTERN = re.compile(r"\d{5}(?:[.,]\d+)?")
_EXCEL_ORIGIN = -25_569  # 30 December 1899 in days since 1970

_MONTHS: Mapping[str, int] = {
    name: number
    for names in (
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "january february march april may june july august september october november december",
        "jan feb mär apr mai jun jul aug sep okt nov dez",
        "januar februar märz april mai juni juli august september oktober november dezember",
        "jän febr mrz apr mai jun jul aug sept okt nov dez",
        "janv févr mars avr mai juin juil août sept oct nov déc",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "ene feb mar abr may jun jul ago sep oct nov dic",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "gen feb mar apr mag giu lug ago set ott nov dic",
        "jan feb mrt apr mei jun jul aug sep okt nov dec",
        "jan fev mar abr mai jun jul ago set out nov dez",
    )
    for number, name in enumerate(names.split(), start=1)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeForm:
    """One form of time: a shape and the order of its date, or the name of a count of days or seconds."""

    name: str
    shape: Shape | None = None
    order: str = "ymd"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedTimes:
    """A column of times.

    Attributes:
        micros: The times as they are written, without regard to a zone.
        zones: Text of the zone per row, null where there is none; `None` when no row has one.
    """

    micros: Micros
    zones: Any | None = None


def find_shape(texts: Sequence[str]) -> tuple[Shape | None, float]:
    """Return the shape that most of the texts have, read in one of its orders, and the share that has it."""
    best, most = None, 0.0
    texts = [_with_plain_blanks(text) for text in texts]
    column = pa.array(texts, pa.string())
    for shape, pattern in zip(SHAPES, (*_PATTERNS, _DIGITS), strict=True):
        if sum(pattern.fullmatch(text) is not None for text in texts) < _SHARE * max(1, len(texts)):
            continue
        read = max(
            np.count_nonzero(parse_shape(column, shape, order).micros != NO_TIME) for order in shape.orders
        )
        if read > most:
            best, most = shape, float(read)
    most /= max(1, len(texts))
    return (best, most) if most >= _SHARE else (None, most)


_NUMBER = re.compile(r"[+-]?\d*[.,]?\d+")
_OTHER_BLANKS = re.compile("[\u00a0\u2007\u2009\u202f]")
_PATTERNS = tuple(re.compile(shape.pattern) for shape in SHAPES if shape is not SHAPES[-1])
_DIGITS = re.compile(SHAPES[-1].pattern)


def is_textual_time(text: str) -> bool:
    """Return whether a text is a time, or a date, that cannot be a number."""
    if not 6 <= len(text) <= _MAX_LENGTH or _NUMBER.fullmatch(text):
        return False
    return any(pattern.fullmatch(_with_plain_blanks(text)) for pattern in _PATTERNS)


def _with_plain_blanks(text: str) -> str:
    return text if text.isascii() else _OTHER_BLANKS.sub(" ", text)


def is_numeric_time(text: str) -> bool:
    """Return whether a number can be a time: digits of a date, seconds since 1970, or days of Excel."""
    if not 5 <= len(text) <= _MAX_LENGTH:
        return False
    digits = _DIGITS.fullmatch(text)
    if digits and 1 <= int(digits["m"]) <= 12 and 1 <= int(digits["d"]) <= 31:
        return True
    return any(_may_be_count(text, name) for name in _EPOCHS) or _may_be_count(text, EXCEL)


def find_epoch(texts: Sequence[str]) -> str | None:
    """Return the name of the count of seconds that most of the texts can be, `None` when there is none."""
    if have_short_years(texts):
        return None
    return next((name for name in _EPOCHS if _count_share(texts, name) >= _SHARE), None)


def may_be_excel(texts: Sequence[str]) -> bool:
    """Return whether most of the texts can be days as Excel counts them, of plausible years, and differ."""
    return len(set(texts)) > 1 and _count_share(texts, EXCEL) >= _SHARE


def is_surely_excel(texts: Sequence[str]) -> bool:
    """Return whether texts that may be days of Excel are too precise to be anything else, such as seconds."""
    return any(re.search(r"[.,]\d{5,}$", text) for text in texts)


def _count_share(texts: Sequence[str], name: str) -> float:
    return sum(_may_be_count(text, name) for text in texts) / max(1, len(texts))


def _may_be_count(text: str, name: str) -> bool:
    """Return whether a text can be a count of days or seconds, of a plausible year."""
    pattern = _EXCEL_PATTERN if name == EXCEL else _EPOCHS[name][0]
    if not pattern.fullmatch(text):
        return False
    whole = int(re.split("[.,]", text)[0])
    if name == EXCEL:
        return _FIRST_MICROS <= (whole + _EXCEL_ORIGIN) * DAY < _LAST_MICROS
    _, factor, divisor = _EPOCHS[name]
    return _FIRST_MICROS <= whole * factor // divisor < _LAST_MICROS


def parse_times(column: Any, form: TimeForm) -> ParsedTimes:
    """Read a column of texts, null or not, in one form."""
    if form.shape is None:
        return parse_count(column, form.name)
    return parse_shape(column, form.shape, form.order)


def parse_count(column: Any, name: str) -> ParsedTimes:
    """Read a column of days or seconds; what is not one of a plausible year has no time."""
    texts = _plain(column)
    pattern = _EXCEL_PATTERN if name == EXCEL else _EPOCHS[name][0]
    kept = pc.if_else(
        pc.fill_null(pc.match_substring_regex(texts, f"^(?:{pattern.pattern})$"), False),  # noqa: FBT003
        texts,
        pa.scalar(None, pa.string()),
    )
    if name == EXCEL:
        days = pc.cast(pc.replace_substring(kept, ",", "."), pa.float64()).to_numpy(zero_copy_only=False)
        with np.errstate(invalid="ignore"):
            millis = np.round((np.nan_to_num(days) + _EXCEL_ORIGIN) * 86_400_000).astype(np.int64)
        micros = np.where(np.isnan(days), NO_TIME, millis * 1_000)
    else:
        _, factor, divisor = _EPOCHS[name]
        micros = _scaled(kept, factor, divisor)
    plausible = (micros >= _FIRST_MICROS) & (micros < _LAST_MICROS)
    return ParsedTimes(micros=np.where(plausible, micros, NO_TIME))


def _scaled(texts: Any, factor: int, divisor: int) -> Micros:
    """Return decimal numbers times `factor`, over `divisor`, exactly and cut to whole microseconds."""
    parts = pc.extract_regex(texts, r"^(?P<i>\d+)(?:\.(?P<f>\d+))?$")
    whole = _integers(parts.field("i"))
    present = pc.is_valid(parts).to_numpy(zero_copy_only=False)
    digits = pc.utf8_slice_codeunits(pc.utf8_rpad(pc.fill_null(parts.field("f"), ""), 6, "0"), 0, 6)
    fraction = _integers(digits) * factor // 1_000_000
    return np.where(present, whole * factor // divisor + fraction, NO_TIME)


def parse_shape(column: Any, shape: Shape, order: str) -> ParsedTimes:
    """Read a column of texts of a shape, the numbers of the date in an order."""
    texts = _plain(column)
    if shape.name == "year first":
        direct = _direct(texts)
        if direct is not None:
            return direct
    parts = pc.extract_regex(texts, f"^(?:{shape.pattern})$")
    matched = pc.is_valid(parts).to_numpy(zero_copy_only=False)
    names = {field.name for field in parts.type}

    def number(name: str) -> Micros:
        return _integers(parts.field(name)) if name in names else np.zeros(len(texts), np.int64)

    year, month, day = _date(parts, names, number, order)
    micros, valid = _midnights(year, month, day)
    clock, in_day = _clock(parts, number)
    micros = np.where(matched & valid & in_day, micros + clock, NO_TIME)
    zones = parts.field("z")
    zones = pc.if_else(pc.equal(zones, ""), pa.scalar(None, pa.string()), zones)
    return ParsedTimes(micros=micros, zones=None if zones.null_count == len(zones) else zones)


def _direct(texts: Any) -> ParsedTimes | None:
    """Read ISO times without zone as Arrow does, `None` when one of them is anything else."""
    try:
        times = pc.cast(texts, pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None
    if pc.any(pc.less(pc.fill_null(pc.binary_length(texts), 16), 16)).as_py():  # "2026-03-01 00"
        return None
    micros = pc.fill_null(times.cast(pa.int64()), NO_TIME).to_numpy(zero_copy_only=False)
    valid = micros[micros != NO_TIME]
    if len(valid) and (valid.min() < -62_135_596_800 * SECOND or valid.max() >= 253_402_300_800 * SECOND):
        return None
    return ParsedTimes(micros=micros)


def _plain(column: Any) -> Any:
    """Return texts without blanks around them, and with plain blanks inside."""
    texts = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(texts, pa.ChunkedArray):
        texts = pa.concat_arrays(texts.chunks) if texts.num_chunks else pa.array([], pa.string())
    if not pc.all(pc.string_is_ascii(texts)).as_py():
        texts = pc.replace_substring_regex(texts, _OTHER_BLANKS.pattern, " ")
    return pc.utf8_trim_whitespace(texts)


def _integers(texts: Any) -> Micros:
    """Return the numbers of texts of digits; 0 for null and empty ones."""
    filled = pc.fill_null(texts, "0")
    filled = pc.if_else(pc.equal(filled, ""), "0", filled)
    return np.asarray(pc.cast(filled, pa.int64()).to_numpy(zero_copy_only=False))


def _date(parts: Any, names: set[str], number: Any, order: str) -> tuple[Micros, Micros, Micros]:
    if "mon" in names:
        day = number("d")
        month = _month_numbers(parts.field("mon"))
        return (_four_digits(number("y")) if "y" in names else number("Y")), month, day
    if "a" not in names:
        return number("Y"), number("m"), number("d")
    given = {"Y": number("Y")} if "Y" in names else {}
    letters = [letter for letter in order if not (letter == "y" and given)]
    found = dict(zip(letters, (number(name) for name in "abc"[: len(letters)]), strict=True))
    year = given["Y"] if given else _four_digits(found["y"])
    return year, found["m"], found["d"]


def _four_digits(year: Micros) -> Micros:
    return np.where(year < 70, year + 2000, np.where(year < 100, year + 1900, year))


def _month_numbers(names: Any) -> Micros:
    encoded = pc.dictionary_encode(pc.utf8_lower(pc.fill_null(names, "")))
    numbers = np.array([_MONTHS.get(name, 0) for name in encoded.dictionary.to_pylist()] or [0], np.int64)
    return np.asarray(numbers[encoded.indices.to_numpy(zero_copy_only=False)])


def _midnights(year: Micros, month: Micros, day: Micros) -> tuple[Micros, NDArray[np.bool_]]:
    """Return the microseconds of dates since 1970, and which of the dates exist."""
    valid = (year >= 1) & (year <= 9999) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    months = np.where(valid, (year - 1970) * 12 + month - 1, 0)
    first, following = (
        each.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) for each in (months, months + 1)
    )
    return (first + day - 1) * DAY, valid & (day <= following - first)


def _clock(parts: Any, number: Any) -> tuple[Micros, NDArray[np.bool_]]:
    """Return microseconds since midnight, and which of them are within a day; 24:00 is."""
    hour, minute, second = (number(name) for name in "HMS")
    names = {field.name for field in parts.type}
    half = pc.fill_null(pc.utf8_lower(parts.field("p")), "") if "p" in names else None
    valid = (minute <= 59) & (second <= 59)
    if half is not None and (has_half := pc.not_equal(half, "").to_numpy(zero_copy_only=False)).any():
        afternoon = pc.equal(half, "p").to_numpy(zero_copy_only=False)
        valid &= ~has_half | ((hour >= 1) & (hour <= 12))
        hour = np.where(has_half, hour % 12 + 12 * afternoon, hour)
    micros = ((hour * 60 + minute) * 60 + second) * SECOND
    if "f" in names:
        fraction = pc.utf8_rpad(pc.fill_null(parts.field("f"), ""), 6, "0")
        micros = micros + _integers(pc.utf8_slice_codeunits(fraction, 0, 6))
    return micros, valid & ((hour <= 23) | (micros == DAY))
