"""CSV to Parquet in bounded memory, with the quality figures of the same pass.

The input is cut into blocks at line ends. A block whose timestamps have one common form and whose cells are
all numbers goes straight through Arrow's typed reader; any other block takes the slow path, which repairs
cell by cell what the documented rules allow: an unreadable timestamp drops the row, a non-numeric cell
becomes missing and is counted.
"""

import csv
import gzip as gzip_codec
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from engine.headers import TIMESTAMP, UnusableFile, parse_header
from engine.timestamps import ISO, Times, iso, parse_timestamps, probe_format

Floats = NDArray[np.float64]

MISSING_TEXTS = ("", "nan", "NaN", "NAN", "Nan", "-nan", "-NaN", "+nan", "+NaN")
"""Cell texts that mean "no value"; any other text that is no finite number is invalid."""

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_EXAMPLES = 5
_PROBE = 64
_PARSE_BYTES = 4 << 20
"""Bytes that one thread parses at a time; a longer row takes the slow path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What was read from one file.

    ``rows`` counts rows with a usable timestamp, the only ones written. ``missing`` and ``invalid`` count
    cells of those rows per sensor column: empty and NaN spellings are missing; any other text, and
    infinities, are invalid. ``start`` and ``end`` are ISO UTC with microseconds. ``bytes_read`` counts
    uncompressed bytes.
    """

    rows: int
    columns: tuple[str, ...]
    bytes_read: int
    unsupported_timestamps: int
    unsupported_examples: tuple[str, ...]
    missing: Mapping[str, int]
    invalid: Mapping[str, int]
    start: str | None
    end: str | None


def convert_csv(
    source: BinaryIO,
    sink: BinaryIO,
    *,
    columns: Sequence[str] | None,
    gzip: bool = False,
    block_bytes: int = 16 << 20,
) -> FileReport:
    """Convert one CSV file to Parquet: ``Timestamp`` (UTC, microseconds, no zone), then one float64 per
    sensor.

    Args:
        source: the CSV bytes (RFC 4180, UTF-8 with or without byte order mark, LF or CRLF).
        sink: receives the Parquet file, rows in file order.
        columns: sensor columns to write, in this order; those absent from the file are all missing, and those
            of the file not named here are ignored. None: all, in header order.
        gzip: the source is gzip-compressed.
        block_bytes: size of the blocks read at a time; peak memory is a small multiple of it.

    A short row has missing cells at its end; cells beyond the header are ignored.

    Raises:
        UnusableFile: no CSV, no row with a usable timestamp, fewer than two columns, repeated or illegal
            header.

    """
    blocks = _blocks(gzip_codec.GzipFile(fileobj=source) if gzip else source, block_bytes)
    header, count = _header(blocks)
    names = parse_header(header)
    wanted = tuple(names[1:] if columns is None else columns)
    tally = _Tally(columns=wanted, bytes_read=count)
    schema = pa.schema([(TIMESTAMP, pa.timestamp("us")), *((name, pa.float64()) for name in wanted)])
    with (
        pq.ParquetWriter(
            sink, schema, compression="snappy", use_dictionary=False, write_statistics=False
        ) as writer,
        ThreadPoolExecutor(1) as behind,  # writes a block while the next one is read
    ):
        writing: Future[None] | None = None
        for block in blocks:
            tally.bytes_read += len(block)
            times, cells = _read_block(block, names, wanted, tally)
            tally.add_times(times)
            if len(times):
                arrays = [
                    pa.array(times),
                    *(tally.clean(name, cells.get(name), len(times)) for name in wanted),
                ]
                if writing is not None:
                    writing.result()
                writing = behind.submit(writer.write_table, pa.Table.from_arrays(arrays, schema=schema))
        if writing is not None:
            writing.result()
    if not tally.rows:
        example = f", for example {tally.examples[0]!r}" if tally.examples else ""
        raise UnusableFile(f"no row has a usable timestamp ({tally.unsupported} unusable{example})")
    return tally.report()


@dataclass(slots=True, kw_only=True)
class _Tally:
    """Counts of one conversion, filled block by block."""

    columns: tuple[str, ...]
    bytes_read: int
    rows: int = 0
    unsupported: int = 0
    examples: list[str] = field(default_factory=list)
    missing: dict[str, int] = field(default_factory=dict)
    invalid: dict[str, int] = field(default_factory=dict)
    first: np.datetime64 | None = None
    last: np.datetime64 | None = None

    def add_times(self, times: Times) -> None:
        self.rows += len(times)
        if len(times):
            low, high = times.min(), times.max()
            self.first = low if self.first is None else min(self.first, low)
            self.last = high if self.last is None else max(self.last, high)

    def clean(self, name: str, cells: tuple[pa.Array, int] | None, rows: int) -> pa.Array:
        """Count missing and invalid cells and return the column with null for both."""
        if cells is None:
            self.missing[name] = self.missing.get(name, 0) + rows
            return pa.nulls(rows, pa.float64())
        column, invalid = cells
        values = column.to_numpy(zero_copy_only=False)
        finite = np.isfinite(values)
        if finite.all():
            return column
        absent = rows - int(np.count_nonzero(finite))
        infinite = int(np.count_nonzero(np.isinf(values)))
        self.missing[name] = self.missing.get(name, 0) + absent - infinite - invalid
        self.invalid[name] = self.invalid.get(name, 0) + infinite + invalid
        return pa.array(values, mask=~finite)

    def report(self) -> FileReport:
        return FileReport(
            rows=self.rows,
            columns=self.columns,
            bytes_read=self.bytes_read,
            unsupported_timestamps=self.unsupported,
            unsupported_examples=tuple(self.examples),
            missing={name: self.missing.get(name, 0) for name in self.columns},
            invalid={name: self.invalid.get(name, 0) for name in self.columns},
            start=iso(self.first),
            end=iso(self.last),
        )


def _blocks(stream: Any, block_bytes: int) -> Iterator[bytes]:
    """Yield the header line, then blocks of whole lines."""
    rest, header_due = b"", True
    while True:
        chunk = _read(stream, block_bytes)
        data = rest + chunk
        if header_due and data:
            end = _line_end(data, first=True) if chunk else len(data)
            if end:
                yield data[:end]
                data, header_due = data[end:], False
        end = _line_end(data, first=False) if chunk else len(data)
        if end and not header_due:
            yield data[:end]
            data = data[end:]
        rest = data
        if not chunk:
            return


def _read(stream: Any, size: int) -> bytes:
    try:
        data: bytes = stream.read(size)
    except (OSError, EOFError, zlib.error) as error:
        raise UnusableFile(f"the file is not readable as gzip: {error}") from error
    return data


def _line_end(data: bytes, *, first: bool) -> int:
    """Return the offset after the first or last line end that lies outside quotes, 0 when there is none."""
    find = data.find if first else data.rfind
    end = find(b"\n")
    quoted = b'"' in data
    while quoted and end >= 0 and data.count(b'"', 0, end) % 2:
        end = data.find(b"\n", end + 1) if first else data.rfind(b"\n", 0, end)
    return end + 1


def _header(blocks: Iterator[bytes]) -> tuple[str, int]:
    raw = next(blocks, b"")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableFile(f"the header is not UTF-8 text: {error}") from error
    if "\0" in text:
        raise UnusableFile("the header holds NUL bytes: this is no CSV file")
    if not text.strip():
        raise UnusableFile("the file is empty")
    return text.strip("\r\n"), len(raw)


Cells = dict[str, tuple[pa.Array, int]]
"""Per wanted column of the file: its float64 array, and the count of invalid cells already made null."""


def _read_block(
    block: bytes, names: tuple[str, ...], wanted: Sequence[str], tally: _Tally
) -> tuple[Times, Cells]:
    present = [name for name in wanted if name in set(names[1:])]
    form = probe_format(_first_stamps(block))
    if form is not None:
        types = {names[0]: pa.timestamp("us"), **dict.fromkeys(present, pa.float64())}
        parsers = [pa_csv.ISO8601 if form == ISO else form]
        try:
            table = _arrow(block, names, present, types, parsers)
            if table.column(0).null_count == 0:
                return table.column(0).to_numpy(), {name: (_flat(table[name]), 0) for name in present}
        except pa.ArrowInvalid:
            pass  # an odd cell somewhere in the block: repair it on the slow path
    try:
        table = _arrow(block, names, present, dict.fromkeys((names[0], *present), pa.string()), None)
    except pa.ArrowInvalid:
        table = _ragged(block, names, present)
    return _repair(table, present, tally)


def _arrow(
    block: bytes,
    names: tuple[str, ...],
    present: Sequence[str],
    types: Mapping[str, Any],
    parsers: list[Any] | None,
) -> Any:
    return pa_csv.read_csv(
        pa.BufferReader(block),
        read_options=pa_csv.ReadOptions(column_names=list(names), block_size=_PARSE_BYTES),
        parse_options=pa_csv.ParseOptions(newlines_in_values=b'"' in block),
        convert_options=pa_csv.ConvertOptions(
            column_types=types,
            null_values=[""],  # NaN spellings parse as numbers, and each further text would cost time
            strings_can_be_null=False,
            include_columns=[names[0], *present],
            **({"timestamp_parsers": parsers} if parsers else {}),
        ),
    )


def _ragged(block: bytes, names: tuple[str, ...], present: Sequence[str]) -> Any:
    """Read a block that is not rectangular, or not UTF-8, with the standard library's tolerant reader."""
    text = io.StringIO(block.decode("utf-8", errors="replace").replace("\0", ""), newline="")
    rows = [row for row in csv.reader(text) if row]
    picks = [0, *(names.index(name) for name in present)]
    arrays = [pa.array([row[at] if at < len(row) else "" for row in rows], pa.string()) for at in picks]
    return pa.table(arrays, names=[names[0], *present])


def _repair(table: Any, present: Sequence[str], tally: _Tally) -> tuple[Times, Cells]:
    stamps = [text or "" for text in table.column(0).to_pylist()]
    times = parse_timestamps(stamps)
    good = ~np.isnat(times)
    bad = np.flatnonzero(~good)
    tally.unsupported += len(bad)
    tally.examples.extend(stamps[at] for at in bad[: _EXAMPLES - len(tally.examples)])
    keep = pa.array(good)
    return times[good], {name: _numbers(_flat(table[name]).filter(keep)) for name in present}


def _numbers(texts: pa.Array) -> tuple[pa.Array, int]:
    trimmed = pc.utf8_trim_whitespace(texts)
    absent = pc.is_in(trimmed, value_set=pa.array(MISSING_TEXTS))
    numeric = pc.match_substring_regex(trimmed, _NUMBER)
    invalid = pc.sum(pc.invert(pc.or_(absent, numeric))).as_py() or 0
    plain = pc.utf8_ltrim(trimmed, characters="+")
    return pc.cast(pc.if_else(numeric, plain, pa.scalar(None, pa.string())), pa.float64()), invalid


def _first_stamps(block: bytes) -> list[str]:
    lines = block[:16384].split(b"\n", _PROBE)[:_PROBE]
    return [
        line.split(b",", 1)[0].strip(b'" \r').decode("utf-8", "replace")
        for line in lines[:-1] or lines
        if line
    ]


def _flat(column: Any) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
