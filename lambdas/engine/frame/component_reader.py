"""Read the rows of one merged component that lie in a window, a few columns at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Self

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from engine.frame.frame import Floats
from engine.ingest.parquet import TIMESTAMP
from engine.ingest.timestamps import Times, isoformat

_VALUES_AT_ONCE = 2**24
"""Values to read from a file at a time."""
_SMALL_FILE_VALUES = 2**17
"""A file from which at most this many values are wanted is read once."""


class NoData(ValueError):  # noqa: N818 - a name of the engine's published interface
    """A component or sensor has nothing in the window; the message names both."""


@dataclass(frozen=True, slots=True)
class FrameWindow:
    """The half-open time span (start, end] of a frame; `None` is the start or end of the data."""

    start: np.datetime64 | None
    end: np.datetime64 | None

    def rows(self, times: Times) -> slice:
        """Return the rows whose times, in order, lie in the window."""
        first = 0 if self.start is None else int(np.searchsorted(times, self.start, "right"))
        last = len(times) if self.end is None else int(np.searchsorted(times, self.end, "right"))
        return slice(first, max(first, last))

    def __str__(self) -> str:
        return (
            f"the window ({isoformat(self.start) or 'start of data'}, {isoformat(self.end) or 'end of data'}]"
        )


@dataclass(frozen=True, slots=True)
class _ParquetColumns:
    """Columns of a Parquet file, read on request, or all in the beginning when they are small."""

    file: Any
    table: Any
    rows: int
    absent: list[str]

    @classmethod
    def open(cls, source: BinaryIO, names: Sequence[str]) -> Self:
        file = pq.ParquetFile(source)
        known, rows = set(file.schema_arrow.names), file.metadata.num_rows
        absent = [name for name in names if name not in known]
        small = not absent and rows * len(names) <= _SMALL_FILE_VALUES
        return cls(file, file.read(columns=[TIMESTAMP, *names]) if small else None, rows, absent)

    def read(self, names: Sequence[str]) -> list[NDArray[Any]]:
        table = self.file.read(columns=list(names)) if self.table is None else self.table
        return [table[name].to_numpy() for name in names]


@dataclass(frozen=True, slots=True, eq=False)
class ComponentReader:
    """The rows of one component in a window, one per original timestamp or per bucket.

    Attributes:
        file: The columns of the component.
        rows: The rows of the file that lie in the window.
        times: UTC instants of the rows returned, strictly increasing; those of buckets are their right edges.
        bucket_starts: The first row of each bucket, counted from the start of the window; `None` without
            buckets, or when each holds one row.
        kept_buckets: The buckets with a value; `None` without buckets, or when all have one.
    """

    file: _ParquetColumns
    rows: slice
    times: Times
    bucket_starts: NDArray[np.intp] | None
    kept_buckets: NDArray[np.intp] | None

    @classmethod
    def open(
        cls,
        source: BinaryIO,
        component: str,
        names: Sequence[str],
        window: FrameWindow,
        step_seconds: int | None,
    ) -> Self:
        """Open a merged Parquet file and find its rows.

        Args:
            source: The file.
            component: Name of the component, for messages.
            names: Sensors that will be read.
            window: The span of the rows.
            step_seconds: Width of the buckets; `None` for the original timestamps.

        Raises:
            NoData: When the file lacks one of the sensors, or no row lies in the window.
        """
        file = _ParquetColumns.open(source, names)
        if file.absent:
            raise NoData(f"component {component!r} has no sensor {file.absent[0]!r}")
        times = file.read([TIMESTAMP])[0].view("datetime64[us]")
        rows = window.rows(times)
        times = times[rows]
        if not len(times):
            raise NoData(f"component {component!r} has no rows in {window}")
        if step_seconds is None:
            return cls(file, rows, times, None, None)
        edges = right_edges(times, step_seconds)
        starts = np.flatnonzero(np.append(True, edges[1:] != edges[:-1]))
        reader = cls(file, rows, edges[starts], starts if len(starts) < len(edges) else None, None)
        kept = reader._rows_with_values(names)
        return reader if kept is None else replace(reader, times=reader.times[kept], kept_buckets=kept)

    @property
    def row_count(self) -> int:
        """Number of rows of the file in the window, with and without values."""
        return int(self.rows.stop - self.rows.start)

    def _rows_with_values(self, names: Sequence[str]) -> NDArray[np.intp] | None:
        """Return the rows in which any column has a value, `None` when all have."""
        found = np.zeros(len(self.times), bool)
        for name in names:
            found |= np.isfinite(next(self.columns([name])))
            if found.all():
                return None
        return np.flatnonzero(found)

    def sharing(self, times: Times) -> Self:
        """Return the reader with the times of another component in place of its own, if they are equal."""
        return replace(self, times=times) if np.array_equal(times, self.times) else self

    def columns(self, names: Sequence[str]) -> Iterator[Floats]:
        """Yield the values of each sensor at the times, NaN where it has none.

        Args:
            names: Sensors of the component.
        """
        at_once = max(1, _VALUES_AT_ONCE // max(1, self.file.rows))
        for start in range(0, len(names), at_once):
            for column in self.file.read(names[start : start + at_once]):
                values = column[self.rows]
                if self.bucket_starts is not None:
                    values = _bucket_means(values, self.bucket_starts)
                yield values if self.kept_buckets is None else values[self.kept_buckets]


def rows_between(component: BinaryIO, start: np.datetime64, end: np.datetime64) -> int:
    """Return the number of rows of a merged Parquet file in (start, end]."""
    component.seek(0)
    times = pq.ParquetFile(component).read(columns=[TIMESTAMP]).column(0).to_numpy()
    return int(((times > start) & (times <= end)).sum())


def right_edges(times: Times, step_seconds: int) -> Times:
    """Return for each time the end of the bucket that it falls into; an edge belongs to the bucket before."""
    step = step_seconds * 1_000_000
    micros = times.astype("datetime64[us]").view(np.int64)
    return (-(-micros // step) * step).view("datetime64[us]")


def _bucket_means(values: Floats, starts: NDArray[np.intp]) -> Floats:
    valid = np.isfinite(values)
    counts = np.add.reduceat(valid, starts, dtype=np.int64)
    sums = np.add.reduceat(values if valid.all() else np.where(valid, values, 0.0), starts)
    means: Floats = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return means
