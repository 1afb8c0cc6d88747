"""Recognise layouts of the first rows that would be read otherwise than they were meant."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from l4e_files.times import are_dates_with_hour, micros, misread_digits, unaccepted_form
from l4e_files.unusable import UnusableFile

PREPARE = "or let `l4e prepare` rewrite the file"

_TIME_NAME = re.compile(r"time|date|stamp|datum|zeit|uhr|fecha|hora|heure|tijd|czas|\bts\b", re.IGNORECASE)
_TAG_NAME = re.compile(
    r"(pi[ _]?)?(tag|point|sensor|variable|signal|item|channel|measurement|parameter|metric|attribute|series)"
    r"([ _]?(name|id|key|no|nr|number|code))?|name|node[ _]?id|browse[ _]?name",
    re.IGNORECASE,
)
_ENTITY_NAME = re.compile(
    r"(asset|machine|device|equipment|unit|component|station|plant|site|line|pump|motor|engine|turbine|anlage|"
    r"maschine|gerät)([ _]?(name|id|key|no|nr|number|code))?",
    re.IGNORECASE,
)
_VALUE_NAME = re.compile(r"(\w+[ _])?(value|val|values|reading|wert|valor|valeur|measure|pv)", re.IGNORECASE)
_DATE_ONLY = re.compile(
    r"\d{4}([-/ .]?)\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2\d{2,4}|\d{1,2}-[A-Za-z]{3}-\d{2,4}"
)
_CLOCK_ONLY = re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?(\s*[AaPp][Mm])?")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_YEAR_NAME = re.compile(r"years?|yyyy|jahr|ann[ée]e|año|anno|jaar", re.IGNORECASE)
_MONTH_NAME = re.compile(r"months?|mm|mon|monat|mois|mes|mese|maand", re.IGNORECASE)
_HOUR_NAME = re.compile(r"hours?|hrs?|stunde|heure|hora|uur|ora", re.IGNORECASE)
_HOUR = re.compile(r"[01]?\d|2[0-4]", re.ASCII)
_TIME_OF_DAY = re.compile(
    r"(?:h|hour|hr|stunde|heure|hora)?[ _]?(?:[01]?\d|2[0-4])(?:[:.h][0-5]\d(?:[:.][0-5]\d)?)?(?:h|uhr)?",
    re.ASCII | re.IGNORECASE,
)
_HOURS = 23
"""Times of the day in a header, at least, for which a row is a day: one with a clock put forward has 23."""
_MIDNIGHT = re.compile(r".*[T _-]0?0[:-]00(?:[:-]00(?:\.0+)?)?(?:Z|\+00:?00)?", re.ASCII)
_DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}", re.ASCII)
"""The beginning of a date, also of one that no calendar has: what begins like this is meant to be a time."""
_COMMA_NUMBER = re.compile(r"[+-]?\d{1,3}([. ']\d{3})*,\d+|[+-]?\d+,\d+")
_LONG_COLUMNS, _LONG_NUMBERS, _LONG_ROWS, _REPEATED_SHARE = 6, 2, 6, 0.4
_TURNS_SHARE = 0.25
"""Share of rows that are of another machine than the row before, from which on machines take turns."""
_NUMBERED_ROWS, _FILLED_SHARE = 20, 0.8
"""Share of all pairs of timestamp and number from which on numbers name sensors; in fewer rows, all pairs."""
_STATES = {"0", "1"}
"""Numbers that are a state rather than names, unless there are many rows."""
_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the head: the number of its line, and its cells without blanks around them."""

    line: int
    cells: tuple[str, ...]

    @property
    def text(self) -> str:
        """The row, shortened, for a message."""
        return shortened(",".join(self.cells))


def shortened(text: str) -> str:
    """Return a text that fits into a message."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 4]} ..."


def refuse_wrong_layout(header: Row, rows: Sequence[Row]) -> None:
    """Refuse what a plain reading would take for other data than it is.

    Args:
        header: The first line.
        rows: The rows after it, as far as they are known.

    Raises:
        UnusableFile: Naming the line, the layout, the rule and the fix.
    """
    _refuse_missing_header(header)
    _refuse_times_as_names(header)
    body = [row for row in rows if len(row.cells) > 1]
    if not body:
        return
    first = next((at for at, row in enumerate(body) if _like_time(row.cells[0])), None)
    if first is not None:
        _refuse_preamble(header, body[:first], body[first])
        body = body[first:]
    if not any(_like_time(row.cells[0]) or _DATE.match(row.cells[0]) for row in rows if row.cells):
        _refuse_index(header, body)
    _refuse_labels(header, body)
    _refuse_date_and_time(header, body)
    _refuse_days(header, body)
    _refuse_long(header, body)
    _refuse_decimal_commas(header, body)
    _refuse_misread_digits(body)


def rows_under_header(rows: Sequence[Row]) -> list[Row]:
    """Return the rows before the first timestamp that hold no number: units, or a second header."""
    found: list[Row] = []
    for row in rows:
        if _like_time(row.cells[0]) or any(map(_NUMBER.fullmatch, row.cells)):
            return found
        found.append(row)
    return []


def first_timestamp(rows: Sequence[Row]) -> tuple[int, str] | None:
    """Return line and text of the first cell that is or looks like a timestamp, `None` without one."""
    return next(((row.line, row.cells[0]) for row in rows if _like_time(row.cells[0])), None)


def why_wide(header: Sequence[str], example: Sequence[str]) -> str:
    """Return the likely reason why rows have more cells than the header, with the fix.

    Args:
        header: The names of the columns.
        example: The cells of such a row.
    """
    cells = [cell.strip() for cell in example]
    names, width = len(header), len(cells)
    digits = [cell.isdigit() for cell in cells[1:]]
    if (
        re.fullmatch(r".*\d:\d\d:\d\d", cells[0])
        and width == names + 1
        and re.fullmatch(r"\d{3}|\d{6,9}", cells[1])
    ):
        return f"The timestamp is split at the comma before its fraction: write a point there, {PREPARE}"
    if width == names + 1 and not _TIME_NAME.search(header[0]):
        return (
            "The header seems to lack the name of the first column (R's write.table omits it): begin it "
            f"with 'Timestamp,', {PREPARE}"
        )
    if any(digits[1:]) and (width - 1) > (names - 1) and sum(digits) >= 2:
        return f"The numbers seem to have a decimal comma: write a decimal point, {PREPARE}"
    return (
        "Give every row one cell per name of the header, put cells that hold a comma into quotation marks, "
        f"{PREPARE}"
    )


def long_layout(column: int, name: str, text: str, line: int) -> str:
    """Return what is wrong with a file whose rows are of one sensor each, and what to do.

    Args:
        column: The place of the column that says of which sensor, from 0.
        name: Its name.
        text: What stands in it.
        line: The line where it stands there.
    """
    return (
        f"the file is in the long layout: a row is of one sensor or machine, and column {column + 1} "
        f"({name!r}) says of which ({shortened(text)!r} in line {line}). The service takes one column per "
        f"sensor, and machines as components of their own: pivot the export, {PREPARE}"
    )


def is_text_header(row: Row | None) -> bool:
    """Return whether the row under a header with empty or repeated names looks like the real header."""
    return row is not None and not _like_time(row.cells[0]) and not any(map(_NUMBER.fullmatch, row.cells))


def _like_time(text: str) -> bool:
    return micros(text) is not None or micros(text, day_first=True) is not None or bool(unaccepted_form(text))


def _refuse_missing_header(header: Row) -> None:
    first = header.cells[0]
    numbers = [bool(_NUMBER.fullmatch(cell)) for cell in header.cells[1:] if cell]
    if micros(first) is not None or micros(first, day_first=True) is not None:
        pass
    elif not (unaccepted_form(first) and all(numbers)):
        return
    raise UnusableFile(
        f"line {header.line} starts with the timestamp {first!r}: a header row is missing; begin the file "
        "with a line of names, such as 'Timestamp,Flow,Pressure'"
    )


def _trimmed(cells: Sequence[str]) -> int:
    return max((at for at, cell in enumerate(cells, start=1) if cell), default=0)


def _refuse_preamble(header: Row, between: Sequence[Row], first: Row) -> None:
    """Refuse when a later line is the header: the last line of text as wide as the data."""
    for row in reversed(between):
        data = any(map(_NUMBER.fullmatch, row.cells)) or _DATE.match(row.cells[0])
        if data or len(row.cells) != len(first.cells):
            continue
        wider = _trimmed(row.cells) > _trimmed(header.cells) and _trimmed(header.cells) < len(first.cells)
        other = len(header.cells) != len(first.cells) and _trimmed(header.cells) != len(first.cells)
        named = bool(_TIME_NAME.search(row.cells[0])) and not _TIME_NAME.search(header.cells[0])
        if wider or other or named:
            raise UnusableFile(
                f"line {header.line} ({header.text!r}) is not the header: line {row.line} looks like it "
                f"({row.text!r}). The first line must hold the names of the columns: remove the lines "
                f"before it, {PREPARE}"
            )


def _refuse_index(header: Row, body: Sequence[Row]) -> None:
    for column in range(1, min(len(row.cells) for row in body)):
        if all(_like_time(row.cells[column]) and len(row.cells[column]) > 7 for row in body):
            name = header.cells[column] if column < len(header.cells) else ""
            raise UnusableFile(
                f"the first column must hold the timestamps, but line {body[0].line} begins with "
                f"{body[0].cells[0]!r}; column {column + 1} ({name!r}, {body[0].cells[column]!r} there) "
                "looks like them: remove the columns before it, such as an index (pandas: "
                f"to_csv(index=False)), {PREPARE}"
            )


def _refuse_labels(header: Row, body: Sequence[Row]) -> None:
    """Refuse periods, with nothing but a start and an end in each row."""
    ends = [row.cells[1] for row in body]
    if _trimmed(header.cells) == 2 and all(_DATE.match(end) and _like_time(end) for end in ends):
        raise UnusableFile(
            f"the file holds periods, as a label file does: a start and an end in each row, such as "
            f"{body[0].text!r} in line {body[0].line}, and no sensor. Move it to the prefix of the labels"
        )


def _refuse_date_and_time(header: Row, body: Sequence[Row]) -> None:
    if (
        len(header.cells) > 2
        and _YEAR_NAME.fullmatch(header.cells[0])
        and _MONTH_NAME.fullmatch(header.cells[1])
    ):
        raise UnusableFile(
            f"the parts of the time stand in columns of their own, from {header.cells[0]!r} on "
            f"({body[0].text!r} in line {body[0].line}). The first column must hold all of them, as "
            "'2026-03-31 14:05:00': join them"
        )
    for column in range(1, min(len(header.cells), *(len(row.cells) for row in body))):
        pairs = [(row.cells[0], row.cells[column]) for row in body]
        named = _TIME_NAME.search(header.cells[0]) or _TIME_NAME.search(header.cells[column])
        split = _all_match(pairs, _DATE_ONLY, _CLOCK_ONLY) or _all_match(pairs, _CLOCK_ONLY, _DATE_ONLY)
        hours = _HOUR_NAME.fullmatch(header.cells[column]) and _are_hours_of_days(pairs)
        if (named and split) or hours:
            raise UnusableFile(
                f"date and time stand in two columns: {header.cells[0]!r} and {header.cells[column]!r} "
                f"({pairs[0][0]!r} and {pairs[0][1]!r} in line {body[0].line}). The first column must hold "
                f"both, as '2026-03-31 14:05:00': join them, {PREPARE}"
            )


def _refuse_days(header: Row, body: Sequence[Row]) -> None:
    """Refuse a column per time of the day, and a row per day."""
    names = [name for name in header.cells[1:] if name]
    dates = all(_DATE_ONLY.fullmatch(row.cells[0]) or _MIDNIGHT.fullmatch(row.cells[0]) for row in body)
    if len(names) >= _HOURS and dates and all(map(_TIME_OF_DAY.fullmatch, names)):
        raise UnusableFile(
            f"a row is a day: the columns {names[0]!r} to {names[-1]!r} are times of the day, not sensors. "
            "Write one row per time, with date and time of day in the first column"
        )


def _refuse_times_as_names(header: Row) -> None:
    """Refuse a column per time, and a row per sensor."""
    names = [name for name in header.cells[1:] if name]
    if len(names) > 1 and all(_DATE.match(name) and _like_time(name) for name in names):
        raise UnusableFile(
            f"the columns of the header (line {header.line}) are times, from {names[0]!r} to {names[-1]!r}: "
            "the table is turned, a row is a sensor. Write one row per time, with a column per sensor"
        )


def _are_hours_of_days(pairs: Sequence[tuple[str, str]]) -> bool:
    """Return whether dates repeat with another hour each time; hours of each day alone are a measurement."""
    repeated = len({date for date, _ in pairs}) < len(pairs) == len(set(pairs))
    return repeated and _all_match(pairs, _DATE_ONLY, _HOUR)


def _all_match(pairs: Sequence[tuple[str, str]], first: re.Pattern[str], second: re.Pattern[str]) -> bool:
    return all(first.fullmatch(one) and second.fullmatch(other) for one, other in pairs)


def _refuse_long(header: Row, body: Sequence[Row]) -> None:
    names = header.cells
    full = [row for row in body if len(row.cells) >= len(names)]
    places = range(1, len(names))
    numbers = {at for at in places if any(_NUMBER.fullmatch(row.cells[at]) for row in full)}
    if len(names) < 3 or not full:
        return
    valued = sum(bool(_VALUE_NAME.fullmatch(name)) for name in names[1:]) == 1
    for column in places:
        texts = [row.cells[column] for row in full]
        few_numbers = len(numbers - {column}) <= _LONG_NUMBERS
        if not all(texts):
            continue
        named = valued and few_numbers and _TAG_NAME.fullmatch(names[column]) is not None
        at_every_time = _at_every_time(full, column)
        if column in numbers:  # a sensor that happens to have few whole numbers is no number of a sensor
            whole = all(map(str.isdigit, texts))
            named = named and whole and _few(texts)
            repeats = whole and at_every_time and (len(full) >= _NUMBERED_ROWS or set(texts) != _STATES)
            short = few_numbers and len(names) <= _LONG_COLUMNS
            repeats = repeats and (short or _ENTITY_NAME.fullmatch(names[column]) is not None)
        else:  # the text of a machine may stand beside any number of its sensors
            repeats = _repeats_per_time(full, column) or at_every_time
            named = named or (_ENTITY_NAME.fullmatch(names[column]) is not None and _alternates(texts))
        if named or repeats:
            raise UnusableFile(long_layout(column, names[column], texts[0], full[0].line))


def _repeats_per_time(rows: Sequence[Row], column: int) -> bool:
    """Return whether timestamps repeat, with another text of the column each time, and texts repeat too."""
    times = {row.cells[0] for row in rows}
    pairs = {(row.cells[0], row.cells[column]) for row in rows}
    return (
        len(rows) - len(times) >= _REPEATED_SHARE * len(rows)
        and len(pairs) == len(rows)
        and _few([row.cells[column] for row in rows])
    )


def _few(texts: Sequence[str]) -> bool:
    """Return whether texts repeat, and are not all the same."""
    return len(texts) >= _LONG_ROWS and 2 <= len(set(texts)) <= len(texts) // 2


def _alternates(texts: Sequence[str]) -> bool:
    """Return whether few texts take turns, as machines do whose rows stand between each other."""
    changes = sum(one != other for one, other in pairwise(texts))
    return _few(texts) and changes >= _TURNS_SHARE * len(texts)


def _at_every_time(rows: Sequence[Row], column: int) -> bool:
    """Return whether a column has the same texts at almost every timestamp, in few rows at every one."""
    texts = {row.cells[column] for row in rows}
    times = {row.cells[0] for row in rows}
    pairs = {(row.cells[0], row.cells[column]) for row in rows}
    share = _FILLED_SHARE if len(rows) >= _NUMBERED_ROWS else 1
    repeated = 2 <= len(texts) <= len(rows) // 2 and len(times) < len(rows)
    return repeated and len(pairs) == len(rows) >= share * len(times) * len(texts)


def _refuse_decimal_commas(header: Row, body: Sequence[Row]) -> None:
    """Refuse when no cell is a number, and most have a decimal comma in quotation marks."""
    cells = [(row, cell) for row in body for cell in row.cells[1 : len(header.cells)] if cell]
    commas = [(row, cell) for row, cell in cells if _COMMA_NUMBER.fullmatch(cell)]
    if 2 * len(commas) > len(cells) and not any(_NUMBER.fullmatch(cell) for _, cell in cells):
        row, cell = commas[0]
        raise UnusableFile(
            f"the numbers have a decimal comma ({cell!r} in line {row.line}), so that no cell is a number: "
            f"write a decimal point and no separator of thousands, {PREPARE}"
        )


def _refuse_misread_digits(body: Sequence[Row]) -> None:
    """Refuse digits that would be read as other times than they were meant."""
    texts = [row.cells[0] for row in body]
    meant = misread_digits(texts)
    if meant is not None:
        fix = f", {PREPARE}" if are_dates_with_hour(texts) else ""
        raise UnusableFile(f"the timestamp {texts[0]!r} in line {body[0].line} looks like {meant}{fix}")
