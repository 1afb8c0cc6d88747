"""CSV to Parquet in bounded memory, with the quality figures of the same pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from engine.ingest.blocks import blocks
from engine.ingest.cells import EXAMPLES, BlockReader, Rows
from engine.ingest.header import UnusableFile, decode_header, parse_header
from engine.ingest.parquet import schema_of, table_writer
from engine.ingest.prefetch import ahead
from engine.ingest.timestamps import iso


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What was read from one file.

    ``rows`` counts rows with a usable timestamp, the only ones written. ``header`` are the names in the file,
    that of the timestamps first; ``columns`` the sensors written. ``missing`` and ``invalid`` count cells of
    those rows per sensor: empty cells and spellings of NaN are missing; any other text ("NULL" and "NA" too),
    and infinities, are invalid. ``start`` and ``end`` are ISO UTC with microseconds. ``bytes_read`` counts
    uncompressed bytes.
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
    """Convert one CSV file to Parquet: ``Timestamp`` (UTC, microseconds, no zone), then one float64 per
    sensor.

    Args:
        source: the CSV bytes (RFC 4180, UTF-8 with or without byte order mark, LF or CRLF).
        sink: receives the Parquet file, rows in file order.
        columns: sensor columns to write, in this order; those absent from the file are all missing, and those
            of the file not named here are ignored. None: all, in header order.
        gzip: the source is gzip-compressed.
        block_bytes: size of the blocks read at a time; memory is about ten times of it, whatever the file
            (more where most cells are empty: a column takes eight bytes for each).

    A short row has missing cells at its end; cells beyond the header are ignored. Up to two blocks are read
    and decompressed ahead, one is parsed and one written at a time.

    Raises:
        UnusableFile: no CSV, no row with a usable timestamp, fewer than two columns, repeated header, a line
            above 4 MiB, a quotation mark that is not closed.
        IllegalHeader: a header with an illegal name.

    """
    lines = blocks(source, gzip=gzip, block_bytes=block_bytes)
    first = next(lines, b"")
    header = parse_header(decode_header(first))
    wanted = header[1:] if columns is None else tuple(columns)
    tally = _Tally(header=header, columns=wanted, bytes_read=len(first))
    reader = BlockReader(names=header, wanted=[name for name in wanted if name in set(header[1:])])
    schema = schema_of(wanted)
    with table_writer(sink, schema) as write:
        for block in ahead(lines, depth=2):  # one core decompresses: it should never wait
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

    def add(self, size: int, rows: Rows) -> None:
        count = len(rows.times)
        self.bytes_read += size
        self.rows += count
        self.unsupported += rows.dropped
        self.examples.extend(rows.examples[: EXAMPLES - len(self.examples)])
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
            start=iso(self.first),
            end=iso(self.last),
        )
