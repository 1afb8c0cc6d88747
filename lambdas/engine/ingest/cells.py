"""Blocks of CSV lines to arrays: Arrow's typed reader, and what it cannot read.

A block whose stamps are ISO and whose cells are all numbers is read as such. Stamps of other forms, and
columns that had odd cells in the block before, are read as text and converted column by column. A block that
fails is read as text altogether, and one that is not rectangular is made so first. Every way gives the same
result.
"""

import codecs
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from engine.ingest.blocks import LINE_BYTES
from engine.ingest.header import UnusableFile
from engine.ingest.timestamp_columns import parse_column
from engine.ingest.timestamps import FIRST, Times

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_MISSING = r"(?i)^([+-]?nan(\([a-z0-9_]*\))?)?$"
"""Text that means "no value", as Arrow reads it; other text that is no number is invalid."""

_ISO = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?")
_CELL = re.compile(rb'((?:"[^"]*(?:""[^"]*)*")?[^,\r\n]*)(,|\r\n|\n|\r|\Z)')
_WELL_QUOTED = re.compile(rb'(?:"[^"]*(?:""[^"]*)*"|[^",]*)(?:,(?:"[^"]*(?:""[^"]*)*"|[^",]*))*')
_LETTERS = ~np.isin(np.arange(256), list(b"0123456789.eE+-"))
_COMMON = np.frombuffer(b"-9", np.uint8)
"""First and last of a range of characters that holds most of those of numbers, none that is rare but "/"."""
_BESIDE_QUOTES = np.isin(np.arange(256), list(b'",\r\n'))
_PROBE = 16
_PARSE_BYTES = 512 << 10
"""What one thread parses at a time: it stays in the cache. A longer line is read as text."""
EXAMPLES = 5
"""Unreadable stamps shown in a report."""


@dataclass(slots=True, kw_only=True)
class Rows:
    """The rows of a block that have a timestamp.

    ``columns`` are float64, chunked, null where missing or invalid; ``invalid`` counts the cells of a column
    that are no number, ``absent`` those without a value for either reason. ``dropped`` counts the other rows,
    and ``examples`` are the first of their stamps.
    """

    times: Times
    columns: dict[str, Any] = field(default_factory=dict)
    absent: dict[str, int] = field(default_factory=dict)
    invalid: dict[str, int] = field(default_factory=dict)
    dropped: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class BlockReader:
    """Reads blocks of one file; ``names`` are its header, ``wanted`` the columns to read."""

    names: tuple[str, ...]
    wanted: Sequence[str]
    _odd: set[str] = field(default_factory=set)

    def read(self, block: bytes) -> Rows:
        """Read whole lines. Raises UnusableFile when they are no CSV."""
        table = self._table(block)
        if table is None:
            return Rows(times=np.zeros(0, "datetime64[us]"))
        column = table.column(0)
        times = parse_column(_flat(column)) if column.type == pa.string() else column.to_numpy()
        rows = Rows(times=times)
        unread = np.isnat(times)
        if unread.any():
            rows.dropped = int(np.count_nonzero(unread))
            rows.examples = [
                column[int(at)].as_py() or "" if column.type == pa.string() else ""
                for at in np.flatnonzero(unread)[:EXAMPLES]
            ]
            rows.times, table = times[~unread], table.filter(pa.array(~unread))
        texts: dict[str, Any] = {}
        for name in self.wanted:
            try:
                _add(rows, name, pc.cast(table[name], pa.float64()), 0)
            except pa.ArrowInvalid:
                texts[name] = table[name]
        for name, column, invalid in _repaired(texts) if texts else ():
            _add(rows, name, column, invalid)
        self._odd = set(texts)
        return rows

    def _table(self, block: bytes) -> Any:
        if block[:1] in b"\r\n" and not block.strip(b"\r\n"):
            return None
        if block.startswith(codecs.BOM_UTF8):  # Arrow would skip it, wherever in the file the block begins
            block = b"\n" + block
        if b'"' in block and not _well_quoted(block):
            block = b"\n".join(_quoted_or_not(line) for line in block.splitlines())
        stamps = _first_stamps(block)
        typed = all(_ISO.fullmatch(stamp) for stamp in stamps)
        try:
            table = self._arrow(block, self._odd, stamp=pa.timestamp("us") if typed else pa.string())
            if not typed or not _before(table.column(0), FIRST):
                return table
        except pa.ArrowInvalid:
            pass
        try:
            return self._arrow(block, set(self.wanted), parse_bytes=LINE_BYTES)
        except pa.ArrowInvalid:
            block = _rectangular(block, len(self.names))
        try:
            return self._arrow(block, set(self.wanted), parse_bytes=len(block) + 1) if block else None
        except pa.ArrowInvalid as error:
            raise UnusableFile(f"the lines from {block[:40]!r} are no CSV: {error}") from error

    def _arrow(
        self, block: bytes, texts: set[str], *, stamp: Any = None, parse_bytes: int = _PARSE_BYTES
    ) -> Any:
        types = {name: pa.string() if name in texts else pa.float64() for name in self.wanted}
        return pa_csv.read_csv(
            pa.BufferReader(block),
            read_options=pa_csv.ReadOptions(column_names=list(self.names), block_size=parse_bytes),
            parse_options=pa_csv.ParseOptions(newlines_in_values=b'"' in block),
            convert_options=pa_csv.ConvertOptions(
                column_types={self.names[0]: stamp or pa.string(), **types},
                null_values=[""],  # spellings of NaN parse as numbers, and each further text would cost time
                strings_can_be_null=True,
                include_columns=[self.names[0], *self.wanted],
                timestamp_parsers=[pa_csv.ISO8601],
            ),
        )


def _add(rows: Rows, name: str, column: Any, invalid: int) -> None:
    """Add a column of numbers of which some were no numbers; those that are not finite are nulled."""
    total = pc.sum(column).as_py()  # one call shows whether anything in it is not finite
    if total is not None and not math.isfinite(total):
        values = column.to_numpy()
        invalid += int(np.count_nonzero(np.isinf(values)))
        column = pa.chunked_array([pa.array(values, mask=~np.isfinite(values))])
    rows.columns[name], rows.absent[name], rows.invalid[name] = column, column.null_count, invalid


def _repaired(columns: Mapping[str, Any]) -> Iterator[tuple[str, Any, int]]:
    """Yield the numbers of columns of texts, null for all else, and how many of those are invalid.

    Odd cells of all columns are read together: a column has few, and every call costs as much as hundreds.
    """
    parts = [_parted(texts) for texts in columns.values()]
    numbers, invalid = _read_singly(pa.concat_arrays([texts for _, _, texts in parts]))
    start = 0
    for name, (values, odd, _) in zip(columns, parts, strict=True):
        mine = slice(start, start + len(odd))
        start = mine.stop
        values[odd] = numbers[mine]
        column = pa.chunked_array([pa.array(values, mask=np.isnan(values))])
        yield name, column, int(np.count_nonzero(invalid[mine]))


def _parted(texts: Any) -> tuple[NDArray[np.float64], NDArray[np.intp], Any]:
    """Return the numbers of a column, the rows that are to be read singly, and their texts."""
    flat = _flat(texts)
    odd = _with_letters(flat)
    if len(odd) > len(flat) // 2:  # blanks around every number, perhaps
        flat = pc.ascii_trim_whitespace(flat)
        odd = _with_letters(flat)
    try:
        numbers = pc.cast(flat if not len(odd) else flat.filter(_all_but(odd, len(flat))), pa.float64())
    except pa.ArrowInvalid:  # "1-2": the slow way for all
        odd, numbers = np.arange(len(flat)), pa.array([], pa.float64())
    values = np.empty(len(flat))
    values[_all_but(odd, len(flat))] = numbers.to_numpy(zero_copy_only=False)
    return values, odd, flat.take(pa.array(odd))


def _with_letters(texts: Any) -> NDArray[np.intp]:
    """Return the rows whose text has a character that no plain number has."""
    _, ends, data = texts.buffers()
    offsets = np.frombuffer(ends, np.int32, len(texts) + 1, texts.offset * 4)
    letters = np.frombuffer(data or b"", np.uint8)[offsets[0] : offsets[-1]]
    rare = np.flatnonzero(letters - _COMMON[0] > _COMMON[1] - _COMMON[0])  # what is less wraps around
    found = rare[_LETTERS[letters[rare]]]
    rows: NDArray[np.intp] = np.unique(np.searchsorted(offsets[1:] - offsets[0], found, "right"))
    return rows


def _all_but(rows: NDArray[np.intp], count: int) -> NDArray[np.bool_]:
    others = np.ones(count, bool)
    others[rows] = False
    return others


def _read_singly(texts: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the numbers of texts of any form, NaN for all else, and which of these are invalid."""
    trimmed = pc.utf8_trim_whitespace(texts)
    numeric = pc.match_substring_regex(trimmed, _NUMBER)
    known = pc.or_(numeric, pc.match_substring_regex(trimmed, _MISSING))
    plain = pc.utf8_ltrim(trimmed, characters="+")
    numbers = pc.cast(pc.if_else(numeric, plain, pa.scalar(None, pa.string())), pa.float64())
    invalid = pc.and_kleene(texts.is_valid(), pc.invert(known))
    return numbers.to_numpy(zero_copy_only=False), invalid.to_numpy(zero_copy_only=False)


def _well_quoted(block: bytes) -> bool:
    """Return whether quotation marks enclose whole cells, as RFC 4180 wants."""
    data = np.frombuffer(block, np.uint8)
    marks = np.flatnonzero(data == ord('"'))
    opening, closing = marks[::2], marks[1::2]
    before, after = data[opening[opening > 0] - 1], data[closing[closing < len(data) - 1] + 1]
    return len(marks) % 2 == 0 and bool(_BESIDE_QUOTES[before].all() and _BESIDE_QUOTES[after].all())


def _quoted_or_not(line: bytes) -> bytes:
    """Where marks do not enclose whole cells of their line, they are characters like any other."""
    return line if _WELL_QUOTED.fullmatch(line) else line.replace(b'"', b"'")


def _rectangular(block: bytes, width: int) -> bytes:
    """Make every row as wide as the header: cells beyond it are cut, and those that it lacks are empty."""
    try:
        block.decode()
    except UnicodeDecodeError:
        block = block.decode(errors="replace").encode()
    rows = _quoted_rows(block) if b'"' in block else block.replace(b"\r", b"\n").split(b"\n")
    return b"\n".join(_fitted(row, width) for row in rows if row)


def _fitted(row: bytes | list[bytes], width: int) -> bytes:
    if isinstance(row, bytes):
        commas = row.count(b",")
        if commas < width:
            return row + b"," * (width - 1 - commas)
        row = row.split(b",", width)
    return b",".join(row[:width]) + b"," * (width - len(row))


def _quoted_rows(block: bytes) -> Iterator[list[bytes]]:
    """Split lines with quotation marks into the texts of their cells, marks included."""
    row: list[bytes] = []
    for cell, mark in _CELL.findall(block):
        row.append(cell)
        if mark != b",":
            if row != [b""]:
                yield row
            row = []


def _before(stamps: Any, first: int) -> bool:
    lowest = pc.min(stamps.cast(pa.int64())).as_py()
    return lowest is not None and lowest < first


def _flat(column: Any) -> Any:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _first_stamps(block: bytes) -> list[bytes]:
    lines = block[:4096].split(b"\n", _PROBE)[:_PROBE]
    return [line.split(b",", 1)[0].strip(b'" \r') for line in lines[:-1] or lines if line]
