"""Merge the converted files of one component into one Parquet file in order of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from engine.ingest.far_rows import FarRows
from engine.ingest.file_report import FileReport
from engine.ingest.ordered import Overlap, Repetition, open_parquet_files, read_in_order
from engine.ingest.parquet import table_writer
from engine.ingest.prefetch import prefetch
from engine.ingest.statistics import RunningStatistics, SensorStatistics
from engine.ingest.timestamps import isoformat

_FEWEST_IN_TURNS = 10
"""Rows of a file between those of another one that are no chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """Files with the same columns whose rows come in turns.

    Attributes:
        files: How many files have most of their rows between those of another one.
        file: Place of the first of them.
        other: Place of a file whose rows are between its own.
    """

    files: int
    file: int
    other: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentReport:
    """What a merged component holds.

    Attributes:
        rows: Number of rows written.
        duplicates: Rows dropped because a later one has the same timestamp, and no column is only theirs.
        unsupported_timestamps: Rows dropped because their timestamp is not readable, or far from all others.
        start: The first timestamp, ISO 8601 in UTC with microseconds; `None` without rows.
        end: The last timestamp, likewise.
        sensors: Statistics of each sensor.
        repetition: The first timestamp that rows of two files have; `None` without one.
        contradicting: Rows of these duplicates whose values are others than those of the row of another file.
        far: The rows left out because they are far from all others; `None` without one.
        turns: Files with the same columns whose rows come in turns; `None` without them.
    """

    rows: int
    duplicates: int
    unsupported_timestamps: int
    start: str | None
    end: str | None
    sensors: tuple[SensorStatistics, ...]
    repetition: Repetition | None = None
    contradicting: int = 0
    far: FarRows | None = None
    turns: Turns | None = None


def merge_component(
    parts: Sequence[BinaryIO],
    reports: Sequence[FileReport],
    sink: BinaryIO,
    *,
    far: FarRows | None = None,
    memory_bytes: int = 256 << 20,
) -> ComponentReport:
    """Merge the Parquet files of one component.

    Rows are sorted by time, and of rows with equal timestamps the last one is kept. Where its file lacks a
    column that an earlier file has, the value is that of the earlier file: files may hold a sensor each.

    Args:
        parts: Outputs of `convert_csv` for the same columns, in the order of the files.
        reports: Their reports, in the same order.
        sink: Receives the merged Parquet file.
        far: The rows of the files, if any, to leave out because they are far from all others.
        memory_bytes: About what the rows in memory may take, whatever the size of the files; each sensor
            takes another 0.2 MiB. Rows far out of order go through a temporary file, as large as their
            columns.

    Returns:
        What was written, and the statistics of each sensor.

    Raises:
        ValueError: When there is no part, or parts have different columns.
        OSError: When there is no room for the temporary file.
    """
    if not parts:
        raise ValueError("a component needs at least one file")
    files = open_parquet_files(parts)
    schema = files[0].schema_arrow
    for file in files[1:]:
        names = file.schema_arrow.names
        if names != schema.names:
            raise ValueError(f"the files of one component have columns {schema.names} and {names}")
    running = [RunningStatistics() for _ in schema.names[1:]]
    first, last, written = None, None, 0
    overlap = Overlap(
        named=np.array([[name in report.header for name in schema.names[1:]] for report in reports])
    )
    with table_writer(sink, schema) as write:
        in_order = read_in_order(files, memory_bytes=memory_bytes, overlap=overlap)
        for read_table in prefetch(in_order):
            table = read_table if far is None else _between(read_table, *far.near)
            write(table)
            times = table.column(0).to_numpy()
            if not len(times):
                continue
            first, last = times[0] if first is None else first, times[-1]
            written += len(times)
            for sensor, column in zip(running, table.columns[1:], strict=True):
                sensor.add(times, column.to_numpy())
    left_out = 0 if far is None else far.count
    read = sum(report.rows for report in reports)
    unsupported = sum(report.unsupported_timestamps for report in reports) + left_out
    duplicates = read - left_out - written - overlap.joined
    sensors = [
        sensor.statistics(
            name,
            missing=int(lacking)
            + sum(report.missing.get(name, 0) for report in reports if name in report.header),
            invalid=sum(report.invalid.get(name, 0) for report in reports),
            invalid_dates=unsupported,
            duplicates=duplicates,
            rows=read - overlap.joined,
        )
        for name, sensor, lacking in zip(schema.names[1:], running, overlap.lacking, strict=True)
    ]
    return ComponentReport(
        rows=written,
        duplicates=duplicates,
        unsupported_timestamps=unsupported,
        start=isoformat(first),
        end=isoformat(last),
        sensors=tuple(sensors),
        repetition=overlap.repetition,
        contradicting=overlap.contradicting,
        far=far,
        turns=_turns(overlap, reports),
    )


def _turns(overlap: Overlap, reports: Sequence[FileReport]) -> Turns | None:
    found = [
        at
        for at, (report, turns) in enumerate(zip(reports, overlap.turns.tolist(), strict=True))
        if turns >= max(_FEWEST_IN_TURNS, report.rows / 2)
    ]
    return Turns(files=len(found), file=found[0], other=int(overlap.other[found[0]])) if found else None


def _between(table: Any, start: np.datetime64, end: np.datetime64) -> Any:
    """Return the rows of a table in order of time from an instant on, and before another."""
    low, high = np.searchsorted(table.column(0).to_numpy(), [start, end])
    return table.slice(low, high - low)
