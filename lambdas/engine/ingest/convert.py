"""Convert CSV files to Parquet in bounded memory, and count what was found on the way."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Literal, Self

import numpy as np
import pyarrow as pa

from engine.ingest.blocks import read_blocks
from engine.ingest.cells import MAX_EXAMPLES, BlockReader, ParsedRows
from engine.ingest.parquet import parquet_schema, table_writer
from engine.ingest.prefetch import prefetch
from engine.ingest.timestamps import isoformat
from l4e_files.header import decode_header, parse_header
from l4e_files.repairs import Repair, RepairLimits
from l4e_files.unusable import UnusableFile

DayMonth = Literal["none", "month-first", "day-first", "ambiguous"]
"""How dates like `1/2/2026` were read; `ambiguous` ones as L4E documents, the month first."""


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
        repairs: What was put right, with the first line and an example of each.
        notes: Readings that were taken where another one was possible.
        day_month: The dates that show the order of day and month, and whether the day was read first.
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
    repairs: tuple[Repair, ...] = ()
    notes: tuple[str, ...] = ()
    day_month: DayMonth = "none"

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Self:
        """Return the report that `dataclasses.asdict` turned into JSON, which has lists for tuples."""
        lists = ("header", "columns", "unsupported_examples", "notes")
        return cls(
            **{
                **members,
                **{name: tuple(members[name]) for name in lists if name in members},
                "repairs": tuple(Repair.from_json(repair) for repair in members.get("repairs", ())),
            }
        )


def convert_file(
    open_source: Callable[[], AbstractContextManager[BinaryIO]],
    sink: BinaryIO,
    *,
    columns: Sequence[str] | None,
    gzip: bool = False,
    block_bytes: int = 8 << 20,
    max_columns: int | None = None,
    limits: RepairLimits = RepairLimits(),  # noqa: B008 - frozen
    day_first: bool | None = None,
) -> FileReport:
    """Convert one CSV file to Parquet. All that read files for the service read them by this function.

    The first column is `Timestamp` (UTC in microseconds, without zone); one float64 column per sensor
    follows. What belongs to a file, as the order of day and month, is decided once for all of it: a file
    whose first block does not show that order is opened a second time.

    Args:
        open_source: Opens the CSV file: RFC 4180, UTF-8 with or without byte order mark, LF or CRLF.
        sink: Receives the Parquet file, its rows in the order of the CSV file. It is written once.
        columns: Sensors to write, in this order. Those that the file lacks have no value in any row, and
            other sensors of the file are ignored. `None` writes all sensors in the order of the header.
        gzip: Whether the source is compressed by gzip.
        block_bytes: Size of the blocks that are read at a time. Memory is about ten times that, whatever the
            size of the file, and more where most cells are empty, because each takes eight bytes then.
        max_columns: Most columns of the header, that of the timestamps included; `None` for any number.
        limits: Shares of the rows above which a repair makes the file unusable.
        day_first: Whether dates like `1/2/2026` begin with the day; `None` decides by the file.

    Returns:
        What was read, counted and put right.

    Raises:
        UnusableFile: When the file is not one that the service takes, or more of it had to be put right than
            the limits allow. The message names the line, what was found, the rule and the fix.
        IllegalHeader: When a name in the header is illegal.
    """
    del max_columns, limits, day_first
    with open_source() as source:
        return convert_csv(source, sink, columns=columns, gzip=gzip, block_bytes=block_bytes)


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
