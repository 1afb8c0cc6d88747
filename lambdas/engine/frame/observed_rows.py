"""Rows as they were measured, without values that stand in: what is kept of scored rows for trainings."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from engine.frame.component_reader import ComponentReader, FrameWindow, NoData
from engine.frame.frame import Floats, SensorId
from engine.ingest.ordered import read_in_order
from engine.ingest.parquet import TIMESTAMP, parquet_schema, table_writer
from engine.ingest.timestamps import Times

_BLOCK_ROWS = 100_000
"""Rows of a component to hand on at once."""


@dataclass(frozen=True, slots=True, eq=False)
class ObservedRows:
    """Rows in order of time.

    Attributes:
        times: UTC instants, strictly increasing.
        sensors: Names of the columns.
        values: Array of shape (rows, sensors); NaN where a sensor has no value of its own.
    """

    times: Times
    sensors: tuple[SensorId, ...]
    values: Floats

    @classmethod
    def read(cls, source: BinaryIO) -> Self:
        """Read what `write` has written."""
        table = pq.ParquetFile(source).read()
        names = tuple(table.schema.names[1:])
        values = np.empty((table.num_rows, len(names)))
        for at, name in enumerate(names):
            values[:, at] = table[name].to_numpy()
        return cls(table[TIMESTAMP].to_numpy().view("datetime64[us]"), names, values)

    def write(self, sink: BinaryIO) -> None:
        """Write the rows as Parquet."""
        _write(sink, parquet_schema(self.sensors), [_columns(self)])

    def with_sensors(self, sensors: Sequence[SensorId]) -> Self:
        """Return the rows with these columns; one that they did not have is NaN."""
        values = np.full((len(self.times), len(sensors)), np.nan)
        for at, name in enumerate(sensors):
            if name in self.sensors:
                values[:, at] = self.values[:, self.sensors.index(name)]
        return replace(self, sensors=tuple(sensors), values=values)

    def replacing(self, earlier: "ObservedRows", start: np.datetime64, end: np.datetime64) -> "ObservedRows":
        """Return the rows of `earlier` outside (start, end], and these inside.

        The columns are those of these rows.
        """
        outside = (earlier.times <= start) | (earlier.times > end)
        values = np.concatenate([earlier.with_sensors(self.sensors).values[outside], self.values])
        times = np.concatenate([earlier.times[outside], self.times])
        order = np.argsort(times, kind="stable")
        return ObservedRows(times[order], self.sensors, values[order])


def observed_rows(
    components: Mapping[str, BinaryIO],
    *,
    sensors: Sequence[SensorId],
    start: np.datetime64,
    end: np.datetime64,
    step_seconds: int | None,
) -> ObservedRows:
    r"""Return the rows in (start, end] as `build_frame` resamples them, before values stand in.

    Args:
        components: Merged Parquet files by component name.
        sensors: Columns of the rows, `component\sensor`. One that no file has is NaN.
        start: Exclusive start.
        end: Inclusive end.
        step_seconds: Width of the buckets that rows are resampled to; `None` keeps the original timestamps.
    """
    window = FrameWindow(start, end)
    found: list[tuple[Times, dict[SensorId, Floats]]] = []
    for component, source in components.items():
        wanted = [name for name in sensors if name.startswith(f"{component}\\")]
        source.seek(0)
        present = set(pq.ParquetFile(source).schema_arrow.names)
        names = [short for name in wanted if (short := name.partition("\\")[2]) in present]
        if not names:
            continue
        source.seek(0)
        try:
            reader = ComponentReader.open(source, component, names, window, step_seconds)
        except NoData:
            continue
        columns = zip(names, reader.columns(names), strict=True)
        found.append((reader.times, {f"{component}\\{name}": values.copy() for name, values in columns}))
    times = np.unique(np.concatenate([np.empty(0, "datetime64[us]"), *(own for own, _ in found)]))
    values = np.full((len(times), len(sensors)), np.nan)
    for own, columns_of_component in found:
        places = np.searchsorted(times, own)
        for name, column in columns_of_component.items():
            values[places, sensors.index(name)] = column
    known = np.isfinite(values).any(axis=1)
    return ObservedRows(times[known], tuple(sensors), values[known])


def join_rows(parts: Iterable[BinaryIO], sensors: Sequence[SensorId], sink: BinaryIO) -> None:
    """Write what several files of rows hold into one, file by file.

    Args:
        parts: What `ObservedRows.write` has written.
        sensors: The columns to write. One that a file does not have is NaN there.
        sink: Receives the rows as Parquet.
    """
    schema = parquet_schema(sensors)
    _write(sink, schema, (_columns(ObservedRows.read(part).with_sensors(sensors)) for part in parts))


def overlay_component(
    base: BinaryIO | None,
    kept: BinaryIO,
    component: str,
    *,
    names: Sequence[str],
    window: FrameWindow,
    sink: BinaryIO,
    memory_bytes: int = 256 << 20,
) -> None:
    """Write the rows of a component: those of its dataset, and kept rows at other times.

    Args:
        base: Merged Parquet file of the component; `None` when the dataset has none.
        kept: What `join_rows` has written.
        component: Name of the component.
        names: Its sensors. One that a file does not have is NaN there.
        window: The span of the rows.
        sink: Receives a merged Parquet file, in which a row of `base` goes before one of `kept` with the same
            timestamp.
        memory_bytes: About what the rows in memory may take.
    """
    schema = parquet_schema(names)
    whole = [f"{component}\\{name}" for name in names]
    with TemporaryFile() as older, TemporaryFile() as newer:
        _write(older, schema, _tables(kept, whole, window, known=True))
        _write(newer, schema, () if base is None else _tables(base, names, window, known=False))
        files = []
        for file in (older, newer):  # of equal timestamps the row of the last file is kept
            file.seek(0)
            files.append(pq.ParquetFile(file))
        with table_writer(sink, schema) as write:
            for table in read_in_order(files, memory_bytes=memory_bytes):
                write(table)


def _columns(rows: ObservedRows) -> list[NDArray[Any]]:
    return [rows.times, *rows.values.T.copy()]


def _write(sink: BinaryIO, schema: Any, tables: Iterable[Sequence[NDArray[Any]]]) -> None:
    with table_writer(sink, schema) as write:
        for columns in tables:
            write(pa.table(list(columns), schema=schema))


def _tables(
    source: BinaryIO, names: Sequence[str], window: FrameWindow, *, known: bool
) -> Iterator[list[NDArray[Any]]]:
    """Yield times and columns of a file within a window, block by block; `known` leaves out empty rows."""
    source.seek(0)
    file = pq.ParquetFile(source)
    present = set(file.schema_arrow.names)
    for batch in file.iter_batches(_BLOCK_ROWS, columns=[TIMESTAMP, *(n for n in names if n in present)]):
        times = batch[TIMESTAMP].to_numpy(zero_copy_only=False).view("datetime64[us]")
        rows = window.rows(times)
        columns = [
            batch[name].to_numpy(zero_copy_only=False)[rows]
            if name in present
            else np.full(rows.stop - rows.start, np.nan)
            for name in names
        ]
        times = times[rows]
        if known:
            found = np.logical_or.reduce([np.isfinite(column) for column in columns])
            times, columns = times[found], [column[found] for column in columns]
        if len(times):
            yield [times, *columns]
