"""Recognise from its first bytes and lines what kind of file one has."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from l4e_files.formats import PREPARE, decode, refuse_other_formats
from l4e_files.header import first_repeated, require_legal, split_header, without_empty_end
from l4e_files.layout import (
    Row,
    first_timestamp,
    is_text_header,
    refuse_wrong_layout,
    rows_under_header,
    shortened,
)
from l4e_files.repairs import Repair
from l4e_files.times import micros
from l4e_files.unusable import UnusableFile

HEAD_BYTES = 64 << 10
"""How much of a file is looked at; a longer first line is looked at as a whole."""

_ROWS = 200
"""Rows that are looked at, at most."""
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_OPEN_QUOTE = re.compile(r'(?:\A|,)\s*"[^"]*\Z')
_SEPARATOR_LINE = re.compile(rb'"?sep=(.)"?,*\s*', re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What is decided about a file from its first lines.

    Attributes:
        header: The names of the columns, that of the timestamps first.
        width: Number of cells of a row; columns beyond the header have no name.
        offset: Number of bytes before the first row.
        lines: Number of lines before the first row.
        repairs: What was put right.
        notes: Readings that were taken where another one was possible.
        first_timestamp: Line and text of the first cell of the first row that has several; `None` without.
    """

    header: tuple[str, ...]
    width: int
    offset: int
    lines: int
    repairs: tuple[Repair, ...] = ()
    notes: tuple[str, ...] = ()
    first_timestamp: tuple[int, str] | None = None


def recognise(
    head: bytes, *, gzip: bool = False, max_columns: int | None = None, detected: bool = False
) -> Beginning:
    """Return what the first lines of a file say about all of it.

    Args:
        head: The first bytes of the file, uncompressed: 64 KiB or more, with the whole header, unless the
            file is shorter.
        gzip: Whether the name of the file says that it is compressed.
        max_columns: Most sensors that the header may name; `None` for any number.
        detected: Whether the schema is made from this header: then no name may hold a blank.

    Raises:
        UnusableFile: When this is not a file that the service takes. The message says what it is, names the
            line, the rule and the fix.
        IllegalHeader: When a name in the header is illegal.
    """
    refuse_other_formats(head, gzip=gzip)
    repairs: list[Repair] = []
    offset = 0
    if head.startswith(codecs.BOM_UTF8):
        offset = len(codecs.BOM_UTF8)
        repairs.append(Repair(kind="byte-order-mark", count=1, line=1, example=""))
    _refuse_carriage_returns(head)
    offset, number = _skip_separator_line(head, *_skip_blank(head, offset, 1), repairs)
    line, after = _line(head, offset)
    if not line.strip():
        raise UnusableFile("the file is empty: give it a header and at least one row, or remove it")
    text = decode(line, number=number)
    if max_columns is not None and text.count(",") > max_columns:
        _refuse_columns(len(without_empty_end(split_header(text, number=number))) - 1, max_columns, number)
    header = Row(line=number, cells=split_header(text, number=number))
    rows = list(_rows(head[after:], number + 1))
    _refuse_separator(text, header, head[after:])
    _refuse_quoted_lines(text, header)
    _refuse_broken_header(text, header)
    names = without_empty_end(header.cells)
    if len(names) < len(header.cells):
        repairs.append(_dropped(header, len(names)))
    refuse_wrong_layout(Row(line=number, cells=names or header.cells), rows)
    if len(names) < 2:
        raise UnusableFile(
            f"the header (line {number}) {shortened(text.strip())!r} has {len(names)} column(s): a file "
            f"needs a timestamp and a sensor, separated by commas; {PREPARE.removeprefix('or ')}"
        )
    _require_names(names, number, rows, detected=detected)
    return Beginning(
        header=names,
        width=max(len(header.cells), _empty_width(rows, len(names))),
        offset=after,
        lines=number,
        repairs=tuple(repairs),
        notes=_notes(rows),
        first_timestamp=first_timestamp(rows),
    )


def _refuse_carriage_returns(head: bytes) -> None:
    if b"\n" not in head and b"\r" in head.rstrip(b"\r\n"):
        raise UnusableFile(
            "the lines end with a carriage return (CR) alone: they must end with LF or CRLF. Save the file "
            f"with line ends of Unix or Windows, {PREPARE}"
        )


def _line(head: bytes, offset: int) -> tuple[bytes, int]:
    """Return the line at an offset, and the offset of the next."""
    end = head.find(b"\n", offset) + 1 or len(head)
    return head[offset:end], end


def _skip_blank(head: bytes, offset: int, number: int) -> tuple[int, int]:
    while offset < len(head):
        line, after = _line(head, offset)
        if line.strip():
            break
        offset, number = after, number + 1
    return offset, number


def _skip_separator_line(head: bytes, offset: int, number: int, repairs: list[Repair]) -> tuple[int, int]:
    line, after = _line(head, offset)
    named = _SEPARATOR_LINE.fullmatch(line)
    if named is None:
        return offset, number
    text = line.decode("utf-8", "replace").strip()
    if named[1] != b",":
        raise UnusableFile(
            f"line {number} ({text!r}) names another separator than the comma: columns must be separated by "
            f"commas. Export with commas and decimal points, {PREPARE}"
        )
    repairs.append(Repair(kind="separator-line", count=1, line=number, example=text))
    return _skip_blank(head, after, number + 1)


def _refuse_columns(count: int, most: int, number: int) -> None:
    if count > most:
        raise UnusableFile(
            f"the header (line {number}) has {count:,} sensor columns but at most {most:,} are allowed: "
            "leave some out, or raise the setting 'columns_per_dataset' of the service"
        )


def _rows(head: bytes, number: int) -> Iterator[Row]:
    """Yield the rows in what follows the header; the last line may be cut, and is left out then."""
    text = head[: head.rfind(b"\n") + 1] if len(head) >= HEAD_BYTES // 2 else head
    reader = csv.reader(text.decode("utf-8", "replace").splitlines(keepends=True))
    line, found = number, 0
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                yield Row(line=line, cells=tuple(cell.strip() for cell in cells))
                found += 1
            line = number + reader.line_num
            if found >= _ROWS:
                return
    except csv.Error:
        return


def _refuse_separator(text: str, header: Row, head: bytes) -> None:
    """Refuse when another character separates the columns."""
    lines = [line for line in head.decode("utf-8", "replace").splitlines()[:_ROWS] if line.strip()]
    for separator, name in _SEPARATORS.items():
        if separator not in text:
            continue
        alone = len(without_empty_end(header.cells)) < 2
        stamped = bool(lines) and all(
            separator in line and micros(line.split(separator)[0].strip('" ')) is not None for line in lines
        )
        by_comma = any(micros(line.split(",")[0].strip('" ')) is not None for line in lines)
        if alone or (stamped and not by_comma):
            raise UnusableFile(
                f"the header (line {header.line}) {shortened(text.strip())!r} has {len(header.cells)} "
                f"column(s) by commas: the columns are separated by {name}. Columns must be separated by "
                f"commas, and decimals written with a point: export the file so, {PREPARE}"
            )


def _refuse_quoted_lines(text: str, header: Row) -> None:
    """Refuse lines that stand in quotation marks as a whole."""
    if len(header.cells) == 1 and text.lstrip().startswith('"') and len(split_header(header.cells[0])) > 1:
        raise UnusableFile(
            f"line {header.line} ({shortened(text.strip())!r}) is in quotation marks as a whole, so that it "
            f"is one column: put them around single cells only, or leave them out, {PREPARE}"
        )


def _refuse_broken_header(text: str, header: Row) -> None:
    """Refuse a header whose last name is in quotation marks that end in another line."""
    if _OPEN_QUOTE.search(text.replace('""', "")):
        raise UnusableFile(
            f"the name {shortened(header.cells[-1])!r} of the header (line {header.line}) has a line break: "
            f"names stand in one line, without line breaks; rename it in the export, {PREPARE}"
        )


def _dropped(header: Row, kept: int) -> Repair:
    count = len(header.cells) - kept
    return Repair(kind="dropped-columns", count=count, line=header.line, example=header.text)


def _require_names(names: Sequence[str], number: int, rows: Sequence[Row], *, detected: bool) -> None:
    broken = "" in names[1:] or first_repeated(names) is not None
    if broken and is_text_header(rows[0] if rows else None):
        raise UnusableFile(
            f"the header has two rows: line {number} ({shortened(','.join(names))!r}) has empty or repeated "
            f"names, and line {rows[0].line} ({rows[0].text!r}) holds no data. A file has one header row, "
            f"every name in it once: join the two rows, {PREPARE}"
        )
    require_legal(names, number=number, detected=detected)


def _empty_width(rows: Sequence[Row], names: int) -> int:
    """Return the usual width of rows whose cells beyond the header are all empty, else 0."""
    if any(any(row.cells[names:]) for row in rows):
        return 0
    widths = Counter(len(row.cells) for row in rows)
    return widths.most_common(1)[0][0] if widths else 0


def _notes(rows: Sequence[Row]) -> tuple[str, ...]:
    under = rows_under_header(rows)
    if not under:
        return ()
    row = under[0]
    note = f"line {row.line} under the header ({row.text!r}) was left out: units or a second header, not data"
    return (note,)
