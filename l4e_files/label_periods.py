"""Label files: CSV of two columns, start and end of a period of abnormal behaviour."""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from l4e_files.formats import PREPARE, decode, refuse_other_formats
from l4e_files.times import ACCEPTED, day_month_order, micros, misread_digits, unaccepted_form
from l4e_files.unusable import UnusableFile

FORM = "each line is '<start>,<end>', for example '2020-02-01T20:00:00.000000,2020-02-03T00:00:00.000000'"
"""What a line of a label file must look like."""

_SHOWN_LINES = 3
_SHOWN_CHARACTERS = 100
COLUMNS = ("start", "end", "rating", "fault_code", "equipment", "notes")
"""What is said of labels; a label file has the first two, in this order."""
NAMES: Mapping[str, str] = {
    "starttime": "start",
    "endtime": "end",
    **{name.replace("_", ""): name for name in COLUMNS},
}
"""The columns by their names in headers, as plain names."""
_PLACES = COLUMNS[:2]
_MORE_COLUMNS = ". More is said of a label, such as a rating, in a label group: keep start and end alone here"
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_GZIP = b"\x1f\x8b"
_DIGIT = re.compile(r"\d")
_NUMBER = re.compile(r"\d+")
_WITH_OFFSET = re.compile(r".*:\d\d.*[+-](?P<hours>\d\d):?(?P<minutes>\d\d)?", re.ASCII)
_WITHOUT_OFFSET = re.compile(r"[^:]*\d:\d\d(?::\d\d(?:[.,]\d+)?)?", re.ASCII)
_ORIGIN = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPeriod:
    """A period of abnormal behaviour.

    Attributes:
        line: Number of its line in the file, from 1.
        text: How it stands there.
        start: Its start in UTC.
        end: Its end in UTC, not before the start.
        swapped: Start and end with day and month the other way round, where the file allows both readings.
    """

    line: int
    text: str
    start: datetime
    end: datetime
    swapped: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFile:
    """The periods of a label file.

    Attributes:
        periods: The periods.
        notes: What else is to say about them.
        doubts: Those of the notes that are about readings that were taken where others were possible.
    """

    periods: tuple[LabelPeriod, ...]
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that is not blank: its number in the file, from 1, and its cells without blanks around them."""

    number: int
    cells: tuple[str, ...]

    def __str__(self) -> str:
        return _clip(",".join(self.cells))


def read_labels(data: bytes) -> LabelFile:
    """Return the periods of a label file.

    The first line may be a header: one without any digit. The order of day and month is one for the file,
    decided by all its dates; without evidence the month is first.

    Args:
        data: All bytes of the file.

    Raises:
        UnusableFile: When it is not a label file. The message names the lines, what was found, the rule and
            the fix.
    """
    lines = read_lines(data)
    header = lines[0] if lines and is_header(lines[0]) else None
    if header is not None:
        _require_two_columns(lines[:1])
        _require_start_and_end(header)
        lines = lines[1:]
    _require_two_columns(lines)
    found = periods_of(lines, header=header)
    cut = cut_off(data, lines)
    return replace(found, notes=(*found.notes, *cut), doubts=(*found.doubts, *cut))


def read_lines(data: bytes) -> list[Line]:
    """Return the lines of a CSV file that are not blank, without the one that tells Excel the separator.

    Raises:
        UnusableFile: When it is no text, or no CSV.
    """
    lines = _lines(_text(data))
    told = bool(lines) and lines[0].cells[0].lower().startswith("sep=")
    return lines[1:] if told else lines


def is_header(first: Line) -> bool:
    """Return whether the first line of a file is a header: it has no digit."""
    return not _DIGIT.search("".join(first.cells))


def plain_name(cell: str) -> str:
    """Return a cell of a header as names are compared: `Start Time` and `start_time` are one."""
    return cell.lower().replace("_", "").replace(" ", "")


def periods_of(lines: Sequence[Line], *, header: Line | None = None) -> LabelFile:
    """Return the periods of lines that have two cells each, start and end.

    Args:
        lines: The lines.
        header: The line with the names of these two columns, if there is one.

    Raises:
        UnusableFile: When a cell is no time or looks like another one than it would be read as, or an end
            lies before its start.
    """
    meant = misread_digits([cell for line in lines for cell in line.cells])
    if meant is not None:
        raise UnusableFile(f"line {lines[0].number}: '{lines[0].cells[0]}' looks like {meant}")
    order = day_month_order(cell for line in lines for cell in line.cells)
    periods = tuple(_periods(lines, header, day_first=order.is_day_first, ambiguous=order.ambiguous))
    days = [
        line for line, each in zip(lines, periods, strict=True) if each.start == each.end and _is_day(line)
    ]
    notes = []
    if days:
        notes.append(
            f"line {days[0].number}, '{days[0]}', ends when it starts{_others(days)}: a date alone is its "
            "midnight, so that a whole day ends with the date of the next one"
        )
    bare = [line for line in lines if any(map(_WITHOUT_OFFSET.fullmatch, line.cells))]
    if bare and any(map(_is_shifted, lines)):
        notes.append(
            f"line {bare[0].number}, '{bare[0]}', has a time without an offset{_others(bare)}, which was "
            "read as UTC, while other times have one: give all of them one"
        )
    doubts = []
    example = next((period for period in periods if period.swapped), None)
    if example is not None:
        doubts.append(
            f"no date shows whether day or month comes first: line {example.line}, '{example.text}', was "
            f"read with the month first, as {example.start:%d %B %Y}; write dates as 2020-02-01 to be sure"
        )
    return LabelFile(periods=periods, notes=(*doubts, *notes), doubts=tuple(doubts))


def cut_off(data: bytes, lines: Sequence[Line]) -> tuple[str, ...]:
    """Return whether the last line may be cut off: it has no end, and its time lacks digits of the others.

    A time such as `3/5/2026 9:05` is shorter than others, but has as many numbers, and the last as long.

    Args:
        data: All bytes of the file.
        lines: Its lines, each with start and end.
    """
    numbers = [_NUMBER.findall(cell) for line in lines for cell in line.cells]
    ends = [(len(each), len(each[-1])) for each in numbers]
    if data.endswith((b"\n", b"\r")) or not ends or ends[-1] >= min(ends[:-1]):
        return ()
    note = (
        f"line {lines[-1].number}, '{lines[-1]}', may be cut off: the file ends in it, without a line end, "
        "and its last time is shorter than all others. It was read as it stands: write the whole time"
    )
    return (note,)


def _is_shifted(line: Line) -> bool:
    """Return whether a time of a line has an offset from UTC."""
    found = map(_WITH_OFFSET.fullmatch, line.cells)
    return any(match is not None and int(match["hours"] + (match["minutes"] or "")) for match in found)


def _is_day(line: Line) -> bool:
    """Return whether start and end of a line are dates alone."""
    return not any(":" in cell or cell.isdigit() for cell in line.cells)


def _text(data: bytes) -> str:
    if data.startswith(_GZIP):
        raise UnusableFile("the file is compressed by gzip: unpack it, label files are read as they are")
    try:
        refuse_other_formats(data, gzip=False)
        return _decoded(data.removeprefix(codecs.BOM_UTF8))
    except UnusableFile as error:
        raise UnusableFile(str(error).replace(f", {PREPARE}", "")) from error  # that is for data files


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        begin, number = data.rfind(b"\n", 0, error.start) + 1, data.count(b"\n", 0, error.start) + 1
        return decode(data[begin : error.end], number=number)


def _lines(text: str) -> list[Line]:
    """Return the lines that are not blank, as cells without blanks around them."""
    if "\r" in text and "\n" not in text:
        raise UnusableFile("its lines end with carriage returns only: end them with LF or CRLF")
    if "\0" in text:
        number = text.count("\n", 0, text.index("\0")) + 1
        raise UnusableFile(
            f"line {number} has bytes of zero, as files have that were not written to their end: write the "
            f"file again; {FORM}"
        )
    lines: list[Line] = []
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        for row in reader:
            cells = tuple(cell.strip() for cell in row)
            if any(cells):
                lines.append(Line(number=reader.line_num, cells=cells if any(cells[2:]) else cells[:2]))
    except csv.Error as error:
        raise UnusableFile(
            f"line {reader.line_num} is not CSV ({error}), perhaps because a quotation mark is never closed: "
            f"{FORM}"
        ) from error
    return lines


def _require_two_columns(lines: Sequence[Line]) -> None:
    wrong = [line for line in lines if len(line.cells) != 2]
    if not wrong:
        return
    first = wrong[0]
    for mark, name in _OTHER_SEPARATORS.items():
        if len(first.cells) == 1 and mark in first.cells[0]:
            raise UnusableFile(
                f"line {first.number} '{first}' is separated by {name}: separate start and end by a comma; "
                f"{FORM}"
            )
    if len(first.cells) == 1 and "," in first.cells[0]:
        raise UnusableFile(
            f"line {first.number} '{first}' stands in quotation marks as a whole, so that it is one column: "
            f"leave them out; {FORM}"
        )
    columns = "1 column" if len(first.cells) == 1 else f"{len(first.cells)} columns"
    raise UnusableFile(
        f"line {first.number}: '{first}' has {columns}{_others(wrong)}, but a label file has exactly two: "
        f"{FORM}{_MORE_COLUMNS if len(first.cells) > len(_PLACES) else ''}"
    )


def _require_start_and_end(header: Line) -> None:
    """Require that no name of a header says that its column is another one than start and end."""
    names = [NAMES.get(plain_name(cell), place) for cell, place in zip(header.cells, _PLACES, strict=True)]
    if names == ["end", "start"]:
        raise UnusableFile(
            f"line {header.number}: the header '{header}' names the end before the start, and the service "
            f"reads columns by their place: put the start first; {FORM}"
        )
    for at, (name, place) in enumerate(zip(names, _PLACES, strict=True)):
        if name != place:
            raise UnusableFile(
                f"line {header.number}: column {at + 1} of the header '{header}' is "
                f"'{header.cells[at]}', but that of a label file is the {place}: {FORM}{_MORE_COLUMNS}"
            )


def _periods(
    lines: Sequence[Line], header: Line | None, *, day_first: bool, ambiguous: bool
) -> Iterator[LabelPeriod]:
    wrong: list[tuple[Line, str]] = []
    inverted: list[Line] = []
    for line in lines:
        times = [micros(cell, day_first=day_first) for cell in line.cells]
        wrong += [(line, cell) for cell, time in zip(line.cells, times, strict=True) if time is None]
        start, end = map(_moment, times)
        if None not in times and end < start:
            inverted.append(line)
        if wrong or inverted:
            continue
        other = [_moment(micros(cell, day_first=not day_first)) for cell in line.cells]
        yield LabelPeriod(
            line=line.number,
            text=str(line),
            start=start,
            end=end,
            swapped=(other[0], other[1]) if ambiguous and other != [start, end] else None,
        )
    if wrong:
        raise _no_timestamp(wrong, header, day_first=day_first)
    if inverted:
        line = inverted[0]
        order = " when the month is read first, as nothing shows another order" if ambiguous else ""
        raise UnusableFile(
            f"line {line.number}: the end '{line.cells[1]}' lies before the start '{line.cells[0]}'"
            f"{order}{_others(inverted)}: {FORM}"
        )


def _no_timestamp(wrong: Sequence[tuple[Line, str]], header: Line | None, *, day_first: bool) -> UnusableFile:
    """Return the error about cells that are no timestamps, each with its line."""
    line, cell = wrong[0]
    at = line.cells.index(cell)
    named = "" if header is None else f", but column '{header.cells[at]}' is the {_PLACES[at]}"
    if not cell:
        what = "start" if not line.cells[0] else "end"
        blank = [each for each, text in wrong if not text]
        return UnusableFile(
            f"line {line.number} '{line}' has no {what}{_others(blank)}: write both; the end of a fault that "
            f"goes on is the end of the data; {FORM}"
        )
    rule = f"use a form such as {ACCEPTED}"
    if micros(cell, day_first=not day_first) is not None:
        order = "day" if day_first else "month"
        rule = f"other dates of the file have the {order} first: write all dates in one order"
    kind = unaccepted_form(cell)
    return UnusableFile(
        f"line {line.number}: '{_clip(cell)}' is not a timestamp{_others([each for each, _ in wrong])}"
        f"{'' if kind is None else f' (it looks like {kind})'}{named}; {rule}; {FORM}. Only the first line "
        "may be a header, and a header has no digits"
    )


def _moment(micros_since_1970: int | None) -> datetime:
    return _ORIGIN + timedelta(microseconds=micros_since_1970 or 0)


def _others(lines: Sequence[Line]) -> str:
    """Return how many more lines have the fault, with the numbers of the first."""
    numbers = list(dict.fromkeys(line.number for line in lines))[1:]
    if not numbers:
        return ""
    shown = ", ".join(map(str, numbers[:_SHOWN_LINES]))
    more = f" and {len(numbers) - _SHOWN_LINES:,} more" if len(numbers) > _SHOWN_LINES else ""
    return f", and so in line{'' if len(numbers) == 1 else 's'} {shown}{more}"


def _clip(text: str) -> str:
    """Return a text that fits into a message, and of which all characters can be seen."""
    shown = text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + " ..."
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in shown)
