"""Merging the converted files of one component into one time-ordered Parquet file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from engine.csvfile import FileReport
from engine.headers import TIMESTAMP
from engine.quality import SensorStatistics, sensor_statistics
from engine.timestamps import Times, iso


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
    parts: Sequence[BinaryIO], reports: Sequence[FileReport], sink: BinaryIO
) -> ComponentReport:
    """Merge the Parquet files of one component: sort by time, keep the last of equal stamps, grade each
    sensor.

    Args:
        parts: outputs of ``convert_csv`` for the same columns, in file order.
        reports: their reports, in the same order.
        sink: receives the merged Parquet file.

    Raises:
        ValueError: no part, or parts with different columns.

    """
    if not parts:
        raise ValueError("a component needs at least one file")
    files = [pq.ParquetFile(part) for part in parts]
    schema = files[0].schema_arrow
    for file in files[1:]:
        if file.schema_arrow.names != schema.names:
            raise ValueError(
                f"the files of one component have columns {schema.names} and {file.schema_arrow.names}"
            )
    stamps = np.concatenate([_column(file, TIMESTAMP) for file in files]).view("datetime64[us]")
    order = _order(stamps)
    times = stamps if order is None else stamps[order]
    read, written = len(stamps), len(times)
    unsupported = sum(report.unsupported_timestamps for report in reports)
    columns: list[Any] = [pa.array(times)]
    sensors = []
    for name in schema.names[1:]:
        values = np.concatenate([_column(file, name) for file in files])
        values = values if order is None else values[order]
        columns.append(pa.array(values, from_pandas=True))
        sensors.append(
            sensor_statistics(
                name,
                times,
                values,
                missing=sum(report.missing.get(name, 0) for report in reports),
                invalid=sum(report.invalid.get(name, 0) for report in reports),
                invalid_dates=unsupported,
                duplicates=read - written,
                rows=read,
            )
        )
    table = pa.Table.from_arrays(columns, schema=schema)
    pq.write_table(table, sink, compression="snappy", use_dictionary=False, write_statistics=[TIMESTAMP])
    return ComponentReport(
        rows=written,
        duplicates=read - written,
        unsupported_timestamps=unsupported,
        start=iso(times[0]) if written else None,
        end=iso(times[-1]) if written else None,
        sensors=tuple(sensors),
    )


def _column(file: Any, name: str) -> NDArray[Any]:
    column = file.read(columns=[name]).column(0)
    values: NDArray[Any] = column.to_numpy()
    return values


def _order(stamps: Times) -> NDArray[np.intp] | None:
    """Return the rows to keep in time order, the last of equal stamps; None when they are so already."""
    steps = np.diff(stamps)
    if np.all(steps > np.timedelta64(0, "us")):
        return None
    order = np.argsort(stamps, kind="stable")
    ordered = stamps[order]
    last = np.append(ordered[1:] != ordered[:-1], True) if len(ordered) else np.zeros(0, bool)
    kept: NDArray[np.intp] = order[last]
    return kept
