"""Convert CSV files to Parquet in bounded memory, and count what was found on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from engine.ingest.blocks import read_blocks
from engine.ingest.cells import MAX_EXAMPLES, BlockReader, ParsedRows
from engine.ingest.file_errors import UnusableFile
from engine.ingest.header import decode_header, parse_header
from engine.ingest.parquet import parquet_schema, table_writer
from engine.ingest.prefetch import prefetch
from engine.ingest.timestamps import isoformat


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What was read from one file.

    Attributes:
        rows: Number of rows with a usable timestamp, the only ones written.
        header: All names in the file, that of the timestamps first.
        columns: The sensors written.
        bytes_read: Size of the file, uncompressed.
        unsupported_timestamps: Number of rows without a usable timestamp.
        unsupported_examples: Up to five of these timestamps.
        missing: Cells of the rows written that are empty or a spelling of NaN, per sensor.
        invalid: Cells of these rows with any other text ("NULL" and "NA" too) or an infinity, per sensor.
        start: The earliest timestamp, ISO 8601 in UTC with microseconds; `None` without rows.
        end: The latest timestamp, likewise.
    """

    rows: int
    header: tuple[str, ...]
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
    block_bytes: int = 8 << 20,
) -> FileReport:
    """Convert one CSV file to Parquet.

    The first column is `Timestamp` (UTC in microseconds, without zone); one float64 column per sensor
    follows. Cells that a row lacks at its end are missing, and cells beyond the header are ignored. Up to two
    blocks are read and decompressed in advance, while one is parsed and one written.

    Args:
        source: The CSV file: RFC 4180, UTF-8 with or without byte order mark, LF or CRLF.
        sink: Receives the Parquet file, its rows in the order of the CSV file.
        columns: Sensors to write, in this order. Those that the file lacks have no value in any row, and
            other sensors of the file are ignored. `None` writes all sensors in the order of the header.
        gzip: Whether the source is compressed by gzip.
        block_bytes: Size of the blocks that are read at a time. Memory is about ten times that, whatever the
            size of the file, and more where most cells are empty, because each takes eight bytes then.

    Returns:
        What was read and counted.

    Raises:
        UnusableFile: When the file is not CSV, has no row with a usable timestamp, fewer than two columns, a
            repeated name, a line above 4 MiB, or a quotation mark that is never closed.
        IllegalHeader: When a name in the header is illegal.
    """
    lines = read_blocks(source, gzip=gzip, block_bytes=block_bytes)
    first = next(lines, b"")
    header = parse_header(decode_header(first))
    wanted = header[1:] if columns is None else tuple(columns)
    tally = _Tally(header=header, columns=wanted, bytes_read=len(first))
    reader = BlockReader(names=header, wanted=[name for name in wanted if name in set(header[1:])])
    schema = parquet_schema(wanted)
    with table_writer(sink, schema) as write:
        for block in prefetch(lines, depth=2):  # two, so that decompression, on one core, never waits
            rows = reader.read(block)
            tally.add(len(block), rows)
            if len(rows.times):
                absent = pa.nulls(len(rows.times), pa.float64())
                cells = [rows.columns.get(name, absent) for name in wanted]
                write(pa.Table.from_arrays([pa.array(rows.times), *cells], schema=schema))
    if not tally.rows:
        example = f", for example {tally.examples[0]!r}" if tally.examples else ""
        raise UnusableFile(f"no row has a usable timestamp ({tally.unsupported} unusable{example})")
    return tally.report()


@dataclass(slots=True, kw_only=True)
class _Tally:
    """Counts of one conversion, filled block by block."""

    header: tuple[str, ...]
    columns: tuple[str, ...]
    bytes_read: int
    rows: int = 0
    unsupported: int = 0
    examples: list[str] = field(default_factory=list)
    missing: dict[str, int] = field(default_factory=dict)
    invalid: dict[str, int] = field(default_factory=dict)
    first: np.datetime64 | None = None
    last: np.datetime64 | None = None

    def add(self, size: int, rows: ParsedRows) -> None:
        count = len(rows.times)
        self.bytes_read += size
        self.rows += count
        self.unsupported += rows.dropped
        self.examples.extend(rows.examples[: MAX_EXAMPLES - len(self.examples)])
        if not count:
            return
        low, high = rows.times.min(), rows.times.max()
        self.first = low if self.first is None else min(self.first, low)
        self.last = high if self.last is None else max(self.last, high)
        for name in self.columns:
            invalid = rows.invalid.get(name, 0)
            self.invalid[name] = self.invalid.get(name, 0) + invalid
            self.missing[name] = self.missing.get(name, 0) + rows.absent.get(name, count) - invalid

    def report(self) -> FileReport:
        return FileReport(
            rows=self.rows,
            header=self.header,
            columns=self.columns,
            bytes_read=self.bytes_read,
            unsupported_timestamps=self.unsupported,
            unsupported_examples=tuple(self.examples),
            missing=self.missing,
            invalid=self.invalid,
            start=isoformat(self.first),
            end=isoformat(self.last),
        )
