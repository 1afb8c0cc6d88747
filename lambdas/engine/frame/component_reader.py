"""The rows of one merged component inside a window, read a few columns at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Self

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from engine.ingest.header import TIMESTAMP
from engine.ingest.timestamps import Times, iso

Floats = NDArray[np.float64]
_CELLS = 2**24
"""Values to read from a file at once."""
_SMALL_CELLS = 2**17
"""A file with at most this many values is read whole, once."""


class NoData(ValueError):  # noqa: N818 - a name of the engine's published interface
    """A component or sensor has nothing in the window; the message names both."""


@dataclass(frozen=True, slots=True)
class Window:
    """The half-open time span (start, end] of a frame; None is the start or end of the data."""

    start: np.datetime64 | None
    end: np.datetime64 | None

    def rows(self, stamps: Times) -> slice:
        """Return the rows inside, of stamps in order."""
        first = 0 if self.start is None else int(np.searchsorted(stamps, self.start, "right"))
        last = len(stamps) if self.end is None else int(np.searchsorted(stamps, self.end, "right"))
        return slice(first, max(first, last))

    def __str__(self) -> str:
        return f"the window ({iso(self.start) or 'start of data'}, {iso(self.end) or 'end of data'}]"


@dataclass(frozen=True, slots=True)
class _Table:
    """The columns of a Parquet file: read when they are asked for, or at once when they are small."""

    file: Any
    loaded: Any
    rows: int
    absent: list[str]

    @classmethod
    def open(cls, source: BinaryIO, names: Sequence[str]) -> Self:
        file = pq.ParquetFile(source)
        known, rows = set(file.schema_arrow.names), file.metadata.num_rows
        absent = [name for name in names if name not in known]
        small = not absent and rows * len(names) <= _SMALL_CELLS
        return cls(file, file.read(columns=[TIMESTAMP, *names]) if small else None, rows, absent)

    def read(self, names: Sequence[str]) -> list[NDArray[Any]]:
        table = self.file.read(columns=list(names)) if self.loaded is None else self.loaded
        return [table[name].to_numpy() for name in names]


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """One component: ``stamps`` are the times it has rows for, in order and without repetition.

    With buckets, labelled by their right edges, ``starts`` are the rows that they start at, None when each
    holds one row; ``kept`` are the buckets with a value, None for all.
    """

    table: "_Table"
    rows: slice
    stamps: Times
    starts: NDArray[np.intp] | None
    kept: NDArray[np.intp] | None

    @classmethod
    def open(
        cls,
        source: BinaryIO,
        component: str,
        names: Sequence[str],
        window: Window,
        step_seconds: int | None,
    ) -> Self:
        """Open a merged Parquet file and find its rows.

        Raises:
            NoData: a name is no column, or no row lies in the window.

        """
        table = _Table.open(source, names)
        if table.absent:
            raise NoData(f"component {component!r} has no sensor {table.absent[0]!r}")
        stamps = table.read([TIMESTAMP])[0].view("datetime64[us]")
        rows = window.rows(stamps)
        stamps = stamps[rows]
        if not len(stamps):
            raise NoData(f"component {component!r} has no rows in {window}")
        if step_seconds is None:
            return cls(table, rows, stamps, None, None)
        edges = _right_edges(stamps, step_seconds)
        starts = np.flatnonzero(np.append(True, edges[1:] != edges[:-1]))
        every = cls(table, rows, edges[starts], starts if len(starts) < len(edges) else None, None)
        kept = every.occupied(names)
        return every if kept is None else replace(every, stamps=every.stamps[kept], kept=kept)

    def occupied(self, names: Sequence[str]) -> NDArray[np.intp] | None:
        """Return the stamps at which a column has a value, None when that is everywhere."""
        some = np.zeros(len(self.stamps), bool)
        for name in names:
            some |= np.isfinite(next(self.columns([name])))
            if some.all():
                return None
        return np.flatnonzero(some)

    def sharing(self, stamps: Times) -> Self:
        """Return the reader with these stamps if they are its own: components often have the same ones."""
        return replace(self, stamps=stamps) if np.array_equal(stamps, self.stamps) else self

    def columns(self, names: Sequence[str]) -> Iterator[Floats]:
        """Read columns; yield the values of each at the stamps, NaN where it has none."""
        together = max(1, _CELLS // max(1, self.table.rows))
        for at in range(0, len(names), together):
            for raw in self.table.read(names[at : at + together]):
                values = raw[self.rows]
                if self.starts is not None:
                    values = _bucket_means(values, self.starts)
                yield values if self.kept is None else values[self.kept]


def _right_edges(stamps: Times, step_seconds: int) -> Times:
    step = step_seconds * 1_000_000
    micros = stamps.astype("datetime64[us]").view(np.int64)
    return (-(-micros // step) * step).view("datetime64[us]")


def _bucket_means(values: Floats, starts: NDArray[np.intp]) -> Floats:
    valid = np.isfinite(values)
    counts = np.add.reduceat(valid, starts, dtype=np.int64)
    sums = np.add.reduceat(values if valid.all() else np.where(valid, values, 0.0), starts)
    means: Floats = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return means
