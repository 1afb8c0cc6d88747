"""Parse blocks of CSV lines into arrays with Arrow's typed reader.

A block whose timestamps are ISO and whose other cells are all numbers is parsed in one step. Timestamps of
other forms, and columns that held text in the block before, are read as text and converted column by column.
When that fails, all of the block is read as text; when its rows differ in width, they are made equal first.
The result is the same whichever way is taken.
"""

import codecs
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from engine.ingest.blocks import LINE_BYTES
from engine.ingest.file_errors import UnusableFile
from engine.ingest.line_repair import make_rectangular, repair_quotes
from engine.ingest.number_columns import one_array, parse_number_columns
from engine.ingest.timestamp_columns import parse_timestamp_column
from engine.ingest.timestamps import FIRST_MICROS, Times

_ISO = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?")
_PROBED_LINES, _PROBED_BYTES = 16, 4096
_PARSE_BYTES = 512 << 10
"""What one thread parses at a time: it stays in the cache. A block with a longer line is read as text."""

MAX_EXAMPLES = 5
"""Unreadable timestamps shown in a report."""


@dataclass(slots=True, kw_only=True)
class ParsedRows:
    """The rows of a block that have a timestamp.

    Attributes:
        times: One UTC instant per row.
        columns: One chunked float64 array per sensor, null where the value is missing or invalid.
        absent: Cells per sensor without a value, for either reason.
        invalid: Cells per sensor that are not numbers.
        dropped: Number of rows without a readable timestamp.
        examples: The first of these timestamps.
    """

    times: Times
    columns: dict[str, Any] = field(default_factory=dict)
    absent: dict[str, int] = field(default_factory=dict)
    invalid: dict[str, int] = field(default_factory=dict)
    dropped: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class BlockReader:
    """A parser of the blocks of one file.

    Attributes:
        names: All columns of the file, the timestamps first.
        wanted: The sensor columns to read.
    """

    names: tuple[str, ...]
    wanted: Sequence[str]
    _text_columns: set[str] = field(default_factory=set)

    def read(self, block: bytes) -> ParsedRows:
        """Parse whole lines.

        Args:
            block: Lines after the header.

        Raises:
            UnusableFile: When the lines are not CSV.
        """
        table = self._table(block)
        if table is None:
            return ParsedRows(times=np.zeros(0, "datetime64[us]"))
        column = table.column(0)
        is_text = column.type == pa.string()
        times = parse_timestamp_column(one_array(column)) if is_text else column.to_numpy()
        rows = ParsedRows(times=times)
        unread = np.isnat(times)
        if unread.any():
            rows.dropped = int(np.count_nonzero(unread))
            rows.examples = [
                (column[int(at)].as_py() or "") if is_text else ""
                for at in np.flatnonzero(unread)[:MAX_EXAMPLES]
            ]
            rows.times, table = times[~unread], table.filter(pa.array(~unread))
        texts: dict[str, Any] = {}
        for name in self.wanted:
            try:
                _add_column(rows, name, pc.cast(table[name], pa.float64()), 0)
            except pa.ArrowInvalid:
                texts[name] = table[name]
        for name, numbers, invalid in parse_number_columns(texts) if texts else ():
            _add_column(rows, name, numbers, invalid)
        self._text_columns = set(texts)
        return rows

    def _table(self, block: bytes) -> Any:
        """Return the columns as timestamps, numbers or texts, `None` when all lines are empty."""
        if block[:1] in b"\r\n" and not block.strip(b"\r\n"):
            return None
        if block.startswith(codecs.BOM_UTF8):  # Arrow would skip it, wherever in the file the block begins
            block = b"\n" + block
        block = repair_quotes(block)
        iso = all(_ISO.fullmatch(timestamp) for timestamp in _first_timestamps(block))
        try:
            table = self._parse(block, self._text_columns, times=pa.timestamp("us") if iso else pa.string())
            if not iso or not _any_before(table.column(0), FIRST_MICROS):
                return table
        except pa.ArrowInvalid:
            pass
        try:
            return self._parse(block, set(self.wanted), parse_bytes=LINE_BYTES)
        except pa.ArrowInvalid:
            block = make_rectangular(block, len(self.names))
        try:
            return self._parse(block, set(self.wanted), parse_bytes=len(block) + 1) if block else None
        except pa.ArrowInvalid as error:
            raise UnusableFile(f"the lines from {block[:40]!r} are not CSV: {error}") from error

    def _parse(
        self, block: bytes, texts: set[str], *, times: Any = None, parse_bytes: int = _PARSE_BYTES
    ) -> Any:
        types = {name: pa.string() if name in texts else pa.float64() for name in self.wanted}
        return pa_csv.read_csv(
            pa.BufferReader(block),
            read_options=pa_csv.ReadOptions(column_names=list(self.names), block_size=parse_bytes),
            parse_options=pa_csv.ParseOptions(newlines_in_values=b'"' in block),
            convert_options=pa_csv.ConvertOptions(
                column_types={self.names[0]: times or pa.string(), **types},
                null_values=[""],  # spellings of NaN parse as numbers, and each further text would cost time
                strings_can_be_null=True,
                include_columns=[self.names[0], *self.wanted],
                timestamp_parsers=[pa_csv.ISO8601],
            ),
        )


def _add_column(rows: ParsedRows, name: str, column: Any, invalid: int) -> None:
    """Add the numbers of a sensor, of whose cells some are known to be invalid; infinities become null."""
    total = pc.sum(column).as_py()  # one call shows whether anything in it is not finite
    if total is not None and not math.isfinite(total):
        values = column.to_numpy()
        invalid += int(np.count_nonzero(np.isinf(values)))
        column = pa.chunked_array([pa.array(values, mask=~np.isfinite(values))])
    rows.columns[name], rows.absent[name], rows.invalid[name] = column, column.null_count, invalid


def _any_before(times: Any, micros: int) -> bool:
    lowest = pc.min(times.cast(pa.int64())).as_py()
    return lowest is not None and lowest < micros


def _first_timestamps(block: bytes) -> list[bytes]:
    lines = block[:_PROBED_BYTES].split(b"\n", _PROBED_LINES)[:_PROBED_LINES]
    return [line.split(b",", 1)[0].strip(b'" \r') for line in lines[:-1] or lines if line]
