"""Convert CSV files to Parquet in bounded memory, and count what was found on the way."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import BinaryIO

import pyarrow as pa

from engine.ingest.blocks import read_blocks, read_chunks, read_head, require_line_end, skip_bytes
from engine.ingest.cells import BlockReader
from engine.ingest.file_report import FileReport, Tally, report_of
from engine.ingest.parquet import parquet_schema, table_writer
from engine.ingest.prefetch import prefetch
from engine.ingest.timestamp_columns import TimestampReader
from l4e_files.beginning import Beginning, recognise
from l4e_files.repairs import RepairLimits
from l4e_files.times import DayMonthOrder


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
        max_columns: Most sensors that the header may name; `None` for any number.
        limits: Shares of the rows above which a repair makes the file unusable.
        day_first: Whether dates like `1/2/2026` begin with the day; `None` decides by the file.

    Returns:
        What was read, counted and put right.

    Raises:
        UnusableFile: When the file is not one that the service takes, or more of it had to be put right than
            the limits allow. The message names the line, what was found, the rule and the fix.
        IllegalHeader: When a name in the header is illegal.
    """
    reading = _Reading(columns=columns, gzip=gzip, block_bytes=block_bytes, max_columns=max_columns)
    with open_source() as source:
        report = reading.convert(source, sink, limits=limits, day_first=day_first)
    if report is None:
        with open_source() as source:
            order = reading.day_month_order(source)
        with open_source() as source:
            report = reading.convert(source, sink, limits=limits, day_first=order.is_day_first)
    assert report is not None  # noqa: S101 - the order is given
    return report


def convert_csv(
    source: BinaryIO,
    sink: BinaryIO,
    *,
    columns: Sequence[str] | None,
    gzip: bool = False,
    block_bytes: int = 8 << 20,
    max_columns: int | None = None,
    limits: RepairLimits = RepairLimits(),  # noqa: B008 - frozen
    day_first: bool | None = None,
) -> FileReport:
    """Convert one open CSV file to Parquet.

    Args:
        source: The file, as `convert_file` opens it. It must be able to seek when its first block does not
            show the order of day and month.
        sink: As for `convert_file`, and so are all other arguments.
        columns: See there.
        gzip: See there.
        block_bytes: See there.
        max_columns: See there.
        limits: See there.
        day_first: See there.

    Raises:
        UnusableFile: As for `convert_file`.
    """
    opened = False
    start = source.tell() if source.seekable() else 0

    @contextmanager
    def rewind() -> Iterator[BinaryIO]:
        nonlocal opened
        if opened:
            source.seek(start)
        opened = True
        yield source

    return convert_file(
        rewind,
        sink,
        columns=columns,
        gzip=gzip,
        block_bytes=block_bytes,
        max_columns=max_columns,
        limits=limits,
        day_first=day_first,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """How a file is read."""

    columns: Sequence[str] | None
    gzip: bool
    block_bytes: int
    max_columns: int | None

    def convert(
        self, source: BinaryIO, sink: BinaryIO, *, limits: RepairLimits, day_first: bool | None
    ) -> FileReport | None:
        """Return the report of a file; `None` when only all of it shows the order of day and month.

        The sink is not touched then.
        """
        beginning, blocks = self._open(source)
        wanted = beginning.header[1:] if self.columns is None else tuple(self.columns)
        with closing(blocks):
            head = list(islice(blocks, 1))
            order = self._order_of(beginning, head)
            if day_first is None:
                if order.ambiguous:
                    head += islice(blocks, 1)
                    if len(head) > 1:
                        return None
                day_first = order.is_day_first
            reader = self._reader(beginning, day_first=day_first)
            tally = Tally(beginning=beginning, columns=wanted, limits=limits, timestamps=reader.timestamps)
            schema = parquet_schema(wanted)
            with table_writer(sink, schema) as write:
                for block in chain(head, blocks):
                    first_line = reader.line
                    rows = reader.read(block)
                    tally.add(block, rows, first_line=first_line, next_line=reader.line)
                    if len(rows.times):
                        absent = pa.nulls(len(rows.times), pa.float64())
                        cells = [rows.columns.get(name, absent) for name in wanted]
                        table = pa.Table.from_arrays([pa.array(rows.times), *cells], schema=schema)
                        tally.sample.add(table)
                        write(table)
        return report_of(tally)

    def day_month_order(self, source: BinaryIO) -> DayMonthOrder:
        """Return what all dates of the file show about the order of day and month."""
        beginning, blocks = self._open(source)
        reader = self._reader(beginning, day_first=False)
        with closing(blocks):
            for block in blocks:
                reader.read_timestamps(block)
        return reader.timestamps.order

    def _open(self, source: BinaryIO) -> tuple[Beginning, Generator[bytes]]:
        head, chunks = read_head(read_chunks(source, gzip=self.gzip, block_bytes=self.block_bytes))
        if b"\r" not in head:
            require_line_end(head[: head.find(b"\n") if b"\n" in head else None])
        beginning = recognise(
            head, gzip=self.gzip, max_columns=self.max_columns, detected=self.columns is None
        )
        blocks = read_blocks(skip_bytes(chunks, beginning.offset))
        return beginning, prefetch(blocks, depth=2)  # two, so that decompression, on one core, never waits

    def _order_of(self, beginning: Beginning, head: Sequence[bytes]) -> DayMonthOrder:
        """Return what the first block shows; most files have no date whose order could be asked."""
        reader = self._reader(beginning, day_first=False)
        for block in head:
            if b"/" in block:
                reader.read_timestamps(block)
        return reader.timestamps.order

    def _reader(self, beginning: Beginning, *, day_first: bool) -> BlockReader:
        present = set(beginning.header[1:])
        wanted = beginning.header[1:] if self.columns is None else self.columns
        return BlockReader(
            names=beginning.header,
            wanted=[name for name in wanted if name in present],
            width=beginning.width,
            line=beginning.lines + 1,
            timestamps=TimestampReader(day_first=day_first),
        )
