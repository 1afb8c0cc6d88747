"""Rows of one time made one, and a long layout made wide."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from l4e_cli.prepare.time_survey import clock_may_change
from l4e_cli.prepare.times import Micros

CELLS = 2_000_000
"""Cells of a table that are made at a time, most of which may be empty."""


@dataclass(slots=True)
class Merged:
    """What became of rows with the same time.

    Attributes:
        repeated: Values for which the same sensor has another one at the same time.
        conflicts: Those of them that are different.
        at_clock_change: Those of the conflicts that are about when clocks change.
        example: One conflict.
    """

    repeated: int = 0
    conflicts: int = 0
    at_clock_change: int = 0
    example: str = ""

    def note(self, name: str, times: Micros, earlier: Any, final: Any) -> None:
        """Count values that a later one of the same time replaces."""
        self.repeated += len(earlier)
        other = np.flatnonzero(pc.not_equal(earlier, final).to_numpy(zero_copy_only=False))
        if len(other):
            at = int(other[0])
            self.conflicts += len(other)
            self.at_clock_change += sum(clock_may_change(int(times[one])) for one in other[:10_000])
            moment = str(times[at].astype("datetime64[us]").astype("datetime64[s]"))
            self.example = (
                self.example or f"{name} at {moment}: {earlier[at].as_py()}, then {final[at].as_py()}"
            )


@dataclass(slots=True, kw_only=True)
class Merger:
    """Makes one row per time of rows that are in order of time.

    Attributes:
        names: Names of the sensors.
        long: Whether a row holds a sensor's position and a value, instead of one value per sensor.
        merged: What became of rows with the same time.
        values: How many values each sensor has.
    """

    names: Sequence[str]
    long: bool
    merged: Merged = field(default_factory=Merged)
    values: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.values = [0] * len(self.names)

    def merge(self, rows: Any) -> Iterator[tuple[Micros, list[Any]]]:
        """Yield times and one column of texts per sensor, in order; of several values the last one stays."""
        times = rows.column(0).to_numpy()
        if not len(times):
            return
        most = max(1, CELLS // max(1, len(self.names)))
        starts = np.flatnonzero(np.diff(times, prepend=times[0] - 1))
        for first in range(0, len(starts), most):
            begin = int(starts[first])
            end = int(starts[first + most]) if first + most < len(starts) else len(times)
            part = rows.slice(begin, end - begin).combine_chunks()
            unique, position = np.unique(times[begin:end], return_inverse=True)
            columns = self._long(part, unique, position) if self.long else self._wide(part, unique, position)
            for at, column in enumerate(columns):
                self.values[at] += len(column) - column.null_count
            yield unique, columns

    def _wide(self, rows: Any, unique: Micros, position: NDArray[np.intp]) -> list[Any]:
        columns = [_flat(column) for column in rows.columns[1:]]
        if len(unique) == rows.num_rows:
            return columns
        return [
            self._pick(
                name,
                column,
                np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False)),
                unique,
                position,
            )
            for name, column in zip(self.names, columns, strict=True)
        ]

    def _long(self, rows: Any, unique: Micros, position: NDArray[np.intp]) -> list[Any]:
        sensors = rows.column(1).to_numpy()
        values = _flat(rows.column(2))
        order = np.argsort(sensors, kind="stable")
        ends = np.searchsorted(sensors[order], np.arange(len(self.names) + 1))
        return [
            self._pick(name, values, order[ends[at] : ends[at + 1]], unique, position)
            for at, name in enumerate(self.names)
        ]

    def _pick(
        self, name: str, column: Any, where: NDArray[np.intp], unique: Micros, position: NDArray[np.intp]
    ) -> Any:
        """Return the values of some rows by time, the last one of each time."""
        if not len(where):
            return pa.nulls(len(unique), pa.string())
        chosen = np.full(len(unique), -1, np.int64)
        np.maximum.at(chosen, position[where], where)
        final = chosen[position[where]]
        replaced = where[final != where]
        if len(replaced):
            self.merged.note(
                name,
                unique[position[replaced]],
                column.take(pa.array(replaced)),
                column.take(pa.array(final[final != where])),
            )
        return column.take(pa.array(chosen, mask=chosen < 0))


def _flat(column: Any) -> Any:
    if not isinstance(column, pa.ChunkedArray):
        return column
    return (
        column.chunk(0)
        if column.num_chunks == 1
        else pa.concat_arrays(column.chunks or [pa.array([], column.type)])
    )
