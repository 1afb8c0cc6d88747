"""Parse blocks of CSV lines into arrays with Arrow's typed reader.

A block whose timestamps are ISO and whose other cells are all numbers is parsed in one step. Timestamps of
other forms, and columns that held text in the block before, are read as text and converted column by column;
where these are most columns, cells with text are taken out first. When that fails, all of the block is read
as text; when its rows differ in width, they are made equal first. The result is the same whichever way is
taken.
"""

import codecs
import csv
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from engine.ingest.blocks import LINE_BYTES
from engine.ingest.line_repair import LineShapes, count_lines, make_rectangular, repair_quotes, row_lines
from engine.ingest.number_columns import CellTexts, one_array, parse_number_columns
from engine.ingest.odd_cells import OddCells, take_out_odd_cells
from engine.ingest.timestamp_columns import TimestampReader
from engine.ingest.timestamps import Times
from l4e_files.header import split_header, without_empty_end
from l4e_files.layout import PREPARE, Row, is_text_header, shortened
from l4e_files.times import FIRST_MICROS
from l4e_files.unusable import UnusableFile

_ISO = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?")
_PROBED_LINES, _PROBED_BYTES = 16, 4096
_PROBED_TEXT_BYTES = 256 << 10
"""What is looked at before the first block, for columns with text."""
_PARSE_BYTES = 512 << 10
"""What one thread parses at a time: it stays in the cache. A block with a longer line is read as text."""

MAX_EXAMPLES = 5
"""Unreadable timestamps shown in a report."""


_EXAMPLE_CHARACTERS = 100
_AROUND_NAMES = " \t\r\ufeff"
"""What may stand around the names of a header; files that are joined bring their byte order marks."""

Ints = NDArray[np.intp]

Found = tuple[int, str]
"""Number of the line where something was found first, and what stood there."""

_FindCell = Callable[[int, str, str | None], Found]
"""Returns where a cell is, from its row and column, with a text or else with what stands in it."""


@dataclass(slots=True, kw_only=True)
class ParsedRows:
    """The rows of a block that have a timestamp.

    Attributes:
        times: One UTC instant per row.
        lines: Returns the number of the line of each row.
        columns: One chunked float64 array per sensor, null where the value is missing or invalid.
        absent: Cells per sensor without a value, for either reason.
        invalid: Cells per sensor that are not numbers.
        first_invalid: The first of them, for sensors that had none in earlier blocks.
        dropped: Number of rows without a readable timestamp.
        blank: Number of these that hold nothing at all.
        examples: The first of these timestamps.
        first_dropped: The first row without a readable timestamp that is not blank.
        wide: Number of rows with values beyond the header, those without a timestamp included.
        short: Number of rows with fewer cells than the header, likewise.
        first_wide: The first of the rows that are too wide.
        first_short: The first of the rows that are too short.
    """

    times: Times
    lines: Callable[[], NDArray[np.int64]]
    columns: dict[str, Any] = field(default_factory=dict)
    absent: dict[str, int] = field(default_factory=dict)
    invalid: dict[str, int] = field(default_factory=dict)
    first_invalid: dict[str, Found] = field(default_factory=dict)
    dropped: int = 0
    blank: int = 0
    examples: list[str] = field(default_factory=list)
    first_dropped: Found | None = None
    wide: int = 0
    short: int = 0
    first_wide: Found | None = None
    first_short: Found | None = None


@dataclass(slots=True, kw_only=True)
class _Block:
    """Lines as they were parsed, and where their rows stand in the file."""

    data: bytes
    first_line: int
    table: Any
    shapes: LineShapes
    one_line_per_row: bool
    odd: OddCells | None = None
    _lines: NDArray[np.int64] | None = None

    def lines(self) -> NDArray[np.int64]:
        """Return the number of the line of each row of the table."""
        if self._lines is None:
            rows = np.arange(self.table.num_rows) if self.one_line_per_row else row_lines(self.data)
            if len(rows) != self.table.num_rows:  # quotation marks that are read otherwise: about there
                rows = np.arange(self.table.num_rows)
            self._lines = self.first_line + rows
        return self._lines

    def found(self, row: int, text: str | None = None) -> Found:
        """Return the line of a row of the table, with a text, or else with that of the row."""
        line, whole = self.line_of(row) if text is None else (self._number(row), text)
        return line, whole[:_EXAMPLE_CHARACTERS]

    def found_cell(self, row: int, at: int) -> Found:
        """Return the line of a row of the table, with the text of a cell as it stands there."""
        line, whole = self.line_of(row)
        try:
            text = next(csv.reader([whole]))[at].strip()
        except (csv.Error, StopIteration, IndexError):  # the cell is split over lines
            text = whole
        return line, text[:_EXAMPLE_CHARACTERS]

    def line_of(self, row: int) -> Found:
        """Return number and text of the line of a row of the table."""
        line = self._number(row)
        lines = self.data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        return line, b"".join(lines[line - self.first_line :][:1]).decode(errors="replace")

    def _number(self, row: int) -> int:
        return self.first_line + row if self.one_line_per_row else int(self.lines()[row])

    def count(self) -> int:
        """Return the number of lines."""
        return self.table.num_rows if self.one_line_per_row else count_lines(self.data)


@dataclass(slots=True, kw_only=True)
class BlockReader:
    """A parser of the blocks of one file.

    Attributes:
        names: All columns of the file, the timestamps first.
        wanted: The sensor columns to read.
        width: Number of cells of a row: columns beyond the names have none, and should be empty.
        line: Number of the first line of the next block.
        timestamps: Reads the first column, and keeps what it shows about the order of day and month.
    """

    names: tuple[str, ...]
    wanted: Sequence[str]
    width: int
    line: int
    timestamps: TimestampReader
    _text_columns: set[str] | None = None
    _known_invalid: set[str] = field(default_factory=set)
    _begun: bool = False

    def read(self, data: bytes) -> ParsedRows:
        """Parse whole lines.

        Args:
            data: The lines after those read before.

        Raises:
            UnusableFile: When the lines are not CSV, or other names begin among them.
        """
        block = self._parse_block(data)
        if block is None:
            self.line += count_lines(data)
            return ParsedRows(times=np.zeros(0, "datetime64[us]"), lines=lambda: np.zeros(0, np.int64))
        self.line += block.count()
        table, column = block.table, block.table.column(0)
        is_text = column.type == pa.string()
        times = self.timestamps.read(one_array(column)) if is_text else column.to_numpy()
        rows = ParsedRows(times=times, lines=block.lines)
        self._add_shapes(rows, block)
        unread = np.isnat(times)
        kept: NDArray[np.intp] | None = None
        odd = block.odd
        if unread.any():
            kept = np.flatnonzero(~unread)
            if is_text:
                self._refuse_other_header(block, kept, np.flatnonzero(unread))
            self._add_dropped(rows, block, np.flatnonzero(unread), is_text=is_text)
            usable = kept
            rows.times, rows.lines = times[kept], lambda: block.lines()[usable]
            table = table.filter(pa.array(~unread))
            odd = odd and odd.among(~unread)

        self._begun = self._begun or len(rows.times) > 0

        def found(row: int, name: str, text: str | None) -> Found:
            at = row if kept is None else int(kept[row])
            return block.found_cell(at, self.names.index(name)) if text is None else block.found(at, text)

        taken_out = {self.names[at]: texts for at, texts in odd.by_column()} if odd else {}
        self._add_columns(rows, table, taken_out, found)
        return rows

    def read_timestamps(self, data: bytes) -> None:
        """Parse the first column alone, for what it shows about the order of day and month."""
        self.wanted, wanted = (), self.wanted
        self.read(data)
        self.wanted = wanted

    def _add_shapes(self, rows: ParsedRows, block: _Block) -> None:
        """Count rows with values beyond the header, and rows with too few cells."""
        shapes = block.shapes
        rows.wide, rows.short = shapes.wide, shapes.short
        if shapes.first_short is not None:
            rows.first_short = block.found(shapes.first_short)
        first = shapes.first_wide
        if self._unnamed:
            filled = np.zeros(block.table.num_rows, bool)
            for name in self._unnamed:
                column = block.table[name]
                if column.null_count < len(column):
                    texts = pc.fill_null(pc.utf8_trim_whitespace(column), "")
                    filled |= pc.not_equal(texts, "").to_numpy()
            rows.wide += int(np.count_nonzero(filled))
            first = min((at for at in (first, *np.flatnonzero(filled)[:1]) if at is not None), default=None)
        if first is not None:
            rows.first_wide = block.found(int(first))

    def _refuse_other_header(self, block: _Block, kept: Ints, dropped: Ints) -> None:
        """Refuse names below data that are not those of the first line: files were joined that differ."""
        below = dropped if self._begun else dropped[dropped > kept[0]] if len(kept) else dropped[:0]
        if not len(below):
            return
        first = pc.utf8_trim(block.table.column(0).take(pa.array(below)), characters=_AROUND_NAMES)
        for at in below[pc.index_in(first, pa.array([self.names[0]])).is_valid().to_numpy()]:
            line, whole = block.line_of(int(at))
            text = whole.strip(_AROUND_NAMES)
            names = without_empty_end(split_header(text, number=line))
            if len(names) > 1 and names != self.names and is_text_header(Row(line=line, cells=names)):
                raise UnusableFile(
                    f"line {line} ({shortened(text)!r}) begins with {self.names[0]!r} as the header "
                    f"does, but has other names than it ({shortened(','.join(self.names))!r}): the values "
                    f"below it would be read under the wrong names. Split the file there, {PREPARE}"
                )

    def _add_dropped(
        self, rows: ParsedRows, block: _Block, dropped: NDArray[np.intp], *, is_text: bool
    ) -> None:
        """Count the rows without a timestamp, and those of them that hold nothing."""
        column = block.table.column(0)
        rows.dropped = len(dropped)
        rows.examples = [(column[int(at)].as_py() or "") if is_text else "" for at in dropped[:MAX_EXAMPLES]]
        taken = block.table.take(pa.array(dropped))
        filled = np.zeros(len(dropped), bool)
        for cells in taken.columns[0 if is_text else 1 :]:
            if cells.null_count < len(cells):
                filled |= cells.is_valid().to_numpy()
        rows.blank = len(dropped) - int(np.count_nonzero(filled))
        for at in dropped[filled][:1]:
            rows.first_dropped = block.found(int(at))

    def _add_columns(
        self,
        rows: ParsedRows,
        table: Any,
        taken_out: Mapping[str, CellTexts],
        found: _FindCell,
    ) -> None:
        """Add the numbers of the sensors; those with cells that were taken out have null there."""
        with_text: dict[str, Any] = {}
        for name in self.wanted:
            if name in taken_out:
                with_text[name] = table[name]
                continue
            try:
                self._add_column(rows, name, pc.cast(table[name], pa.float64()), found)
            except pa.ArrowInvalid:
                with_text[name] = table[name]
        for name, numbers, invalid in parse_number_columns(with_text, taken_out) if with_text else ():
            count = len(invalid.rows)
            self._add_column(rows, name, numbers, found, count)
            if count and name not in self._known_invalid:
                self._known_invalid.add(name)
                first = found(int(invalid.rows[0]), name, invalid.texts[0].as_py())
                rows.first_invalid[name] = min(first, rows.first_invalid.get(name, first))
        self._text_columns = set(with_text)

    def _add_column(
        self, rows: ParsedRows, name: str, column: Any, found: _FindCell, invalid: int = 0
    ) -> None:
        """Add the numbers of a sensor, some of whose cells are known to be invalid, as infinities are too."""
        total = pc.sum(column).as_py()  # one call shows whether anything in it is not finite
        if total is not None and not math.isfinite(total):
            values = column.to_numpy()
            infinite = np.flatnonzero(np.isinf(values))
            invalid += len(infinite)
            if len(infinite) and name not in self._known_invalid:
                rows.first_invalid[name] = found(int(infinite[0]), name, None)
            column = pa.chunked_array([pa.array(values, mask=~np.isfinite(values))])
        rows.columns[name], rows.absent[name], rows.invalid[name] = column, column.null_count, invalid

    @property
    def _unnamed(self) -> list[str]:
        return [f"\0{at}" for at in range(len(self.names), self.width)]

    def _parse_block(self, data: bytes) -> _Block | None:
        """Return the columns as timestamps, numbers or texts, `None` when all lines are empty."""
        if data[:1] in b"\r\n" and not data.strip(b"\r\n"):
            return None
        data = repair_quotes(data)
        block = _Block(
            data=data,
            first_line=self.line,
            table=None,
            shapes=LineShapes(),
            one_line_per_row=b'"' not in data,
        )
        # Arrow would skip a byte order mark, wherever in the file the block begins.
        marked = b"\n" + data if data.startswith(codecs.BOM_UTF8) else data
        if self._parse_at_once(block, marked):
            return block
        block.one_line_per_row = False
        try:
            block.table = self._parse(marked, set(self.wanted), parse_bytes=LINE_BYTES)
        except pa.ArrowInvalid:
            marked, block.shapes = make_rectangular(marked, names=len(self.names), width=self.width)
            if not marked:
                return None
            try:
                block.table = self._parse(marked, set(self.wanted), parse_bytes=len(marked) + 1)
            except pa.ArrowInvalid as error:
                raise UnusableFile(
                    f"the lines from {data[:40]!r} (line {self.line}) are not CSV: {error}"
                ) from error
        return block

    def _parse_at_once(self, block: _Block, data: bytes) -> bool:
        """Parse lines as they are, or without the cells with text; return whether all could be read."""
        iso = all(_ISO.fullmatch(timestamp) for timestamp in _first_timestamps(data))
        kind = pa.timestamp("us") if iso else pa.string()
        for odd in self._ways_at_once(data):
            try:
                if odd is None:
                    table = self._parse(data, self._text_columns or set(), times=kind, skip_empty=False)
                else:
                    table = self._parse(odd.data, set(), times=kind, skip_empty=False)
            except pa.ArrowInvalid:
                continue
            times = table.column(0)
            if times.null_count or (iso and _any_before(times, FIRST_MICROS)):  # null: an empty line?
                return False
            block.table, block.odd = table, odd
            return True
        return False

    def _ways_at_once(self, data: bytes) -> Iterator[OddCells | None]:
        """Yield the ways to read lines at once, the one that is likely the fastest first."""
        wanted = set(self.wanted)
        places = {at for at, name in enumerate(self.names) if name in wanted}
        if self._text_columns is None:
            head = take_out_odd_cells(data[: data.find(b"\n", _PROBED_TEXT_BYTES) + 1 or None], places)
            self._text_columns = {self.names[at] for at in head.columns.tolist()} if head else set()
        mostly_text = 2 * len(self._text_columns) > len(wanted)
        if not mostly_text:
            yield None
        odd = take_out_odd_cells(data, places)
        if odd is not None:
            yield odd
        if mostly_text:
            yield None

    def _parse(
        self,
        block: bytes,
        texts: set[str],
        *,
        times: Any = None,
        parse_bytes: int = _PARSE_BYTES,
        skip_empty: bool = True,
    ) -> Any:
        types = {name: pa.string() if name in texts else pa.float64() for name in self.wanted}
        unnamed = self._unnamed
        return pa_csv.read_csv(
            pa.BufferReader(block),
            read_options=pa_csv.ReadOptions(column_names=[*self.names, *unnamed], block_size=parse_bytes),
            parse_options=pa_csv.ParseOptions(
                newlines_in_values=b'"' in block, ignore_empty_lines=skip_empty
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types={
                    self.names[0]: times or pa.string(),
                    **types,
                    **dict.fromkeys(unnamed, pa.string()),
                },
                null_values=[""],  # spellings of NaN parse as numbers, and each further text would cost time
                strings_can_be_null=True,
                include_columns=[self.names[0], *self.wanted, *unnamed],
                timestamp_parsers=[pa_csv.ISO8601],
            ),
        )


def _any_before(times: Any, micros: int) -> bool:
    lowest = pc.min(times.cast(pa.int64())).as_py()
    return lowest is not None and lowest < micros


def _first_timestamps(block: bytes) -> list[bytes]:
    lines = block[:_PROBED_BYTES].split(b"\n", _PROBED_LINES)[:_PROBED_LINES]
    return [line.split(b",", 1)[0].strip(b'" \r') for line in lines[:-1] or lines if line]
