"""Merging the converted files of one component into one time-ordered Parquet file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from engine.ingest.convert import FileReport
from engine.ingest.ordered import merged, opened
from engine.ingest.parquet import table_writer
from engine.ingest.prefetch import ahead
from engine.ingest.statistics import Grader, SensorStatistics
from engine.ingest.timestamps import iso


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentReport:
    """What a merged component holds: ``rows`` written, ``duplicates`` and unreadable stamps dropped."""

    rows: int
    duplicates: int
    unsupported_timestamps: int
    start: str | None
    end: str | None
    sensors: tuple[SensorStatistics, ...]


def merge_component(
    parts: Sequence[BinaryIO], reports: Sequence[FileReport], sink: BinaryIO, *, memory_bytes: int = 256 << 20
) -> ComponentReport:
    """Merge the Parquet files of one component: sort by time, keep the last of equal stamps, grade each
    sensor.

    Args:
        parts: outputs of ``convert_csv`` for the same columns, in file order.
        reports: their reports, in the same order.
        sink: receives the merged Parquet file.
        memory_bytes: about what the rows at work may take, whatever the size of the files; each sensor takes
            another 0.2 MiB. Rows far out of order go through a temporary file as large as their columns.

    Raises:
        ValueError: no part, or parts with different columns.
        OSError: no room for the temporary file.

    """
    if not parts:
        raise ValueError("a component needs at least one file")
    files = opened(parts)
    schema = files[0].schema_arrow
    for file in files[1:]:
        names = file.schema_arrow.names
        if names != schema.names:
            raise ValueError(f"the files of one component have columns {schema.names} and {names}")
    graders = [Grader() for _ in schema.names[1:]]
    first, last, written = None, None, 0
    with table_writer(sink, schema) as write:
        for table in ahead(merged(files, memory_bytes=memory_bytes)):
            write(table)
            times = table.column(0).to_numpy()
            if not len(times):
                continue
            first, last = times[0] if first is None else first, times[-1]
            written += len(times)
            for grader, column in zip(graders, table.columns[1:], strict=True):
                grader.add(times, column.to_numpy())
    read = sum(report.rows for report in reports)
    unsupported = sum(report.unsupported_timestamps for report in reports)
    sensors = [
        grader.statistics(
            name,
            missing=sum(report.missing.get(name, 0) for report in reports),
            invalid=sum(report.invalid.get(name, 0) for report in reports),
            invalid_dates=unsupported,
            duplicates=read - written,
            rows=read,
        )
        for name, grader in zip(schema.names[1:], graders, strict=True)
    ]
    return ComponentReport(
        rows=written,
        duplicates=read - written,
        unsupported_timestamps=unsupported,
        start=iso(first),
        end=iso(last),
        sensors=tuple(sensors),
    )
