"""When a component and each of its sensors have values: rates, gaps, and how much there is of every day."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from l4e_cli.interval import Interval

_GAP_STEPS = 10
"""Rows further apart than this many times their typical distance have a gap between them."""
_SAMPLED = 4_096
"""Distances of a piece of a column that the typical one is estimated from."""

Times = NDArray[np.datetime64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A span of time, divided into bins of equal length."""

    span: Interval
    bins: int

    @property
    def bin_length(self) -> np.timedelta64:
        """Length of a bin, at least a microsecond."""
        return max(self.span.length.astype("timedelta64[us]") // self.bins, np.timedelta64(1, "us"))

    def places(self, times: Times) -> NDArray[np.int64]:
        """Return the bin of each instant of the span."""
        return np.minimum((times - self.span.start) // self.bin_length, self.bins - 1).astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SensorCoverage:
    """When a sensor has values.

    Attributes:
        values: How many it has.
        filled: Share of each bin that has values, from 0 to 1, measured by how often this sensor reports.
        step: Typical time between two values; None below two values.
        longest_gap: The longest time without a value, also before its first and after its last one while the
            component has rows; None without values.
    """

    values: int
    filled: NDArray[np.float64]
    step: np.timedelta64 | None
    longest_gap: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ComponentCoverage:
    """When a component has rows.

    Attributes:
        step: Typical time between two rows; None below two rows.
        gaps: The times without a row, of more than ten typical steps, in order of time.
        sensors: The same for each sensor, by name.
    """

    step: np.timedelta64 | None
    gaps: tuple[Interval, ...]
    sensors: Mapping[str, SensorCoverage]


def measure(columns: BinaryIO, grid: Grid) -> ComponentCoverage:
    """Return the coverage of a merged component, whose row groups are read one at a time.

    Args:
        columns: The Parquet file that `merge_component` writes, with at least one row.
        grid: The bins to count values in; they span all rows.
    """
    file = pq.ParquetFile(columns)
    time_name, *names = file.schema_arrow.names
    first, last, steps = None, None, _Distances()
    for times in _times(file, time_name):
        first, last = times[0] if first is None else first, times[-1]
        steps.add(times)
    typical = steps.typical()
    sensors = [_Sensor(grid, first) for _ in names]
    gaps: list[Interval] = []
    end: np.datetime64 | None = None
    for group in range(file.num_row_groups):
        table = file.read_row_group(group)
        times = table.column(0).to_numpy()
        if typical is not None:
            gaps += _gaps(times, end, _GAP_STEPS * typical)
        end = times[-1] if len(times) else end
        places = grid.places(times)
        for sensor, column in zip(sensors, table.columns[1:], strict=True):
            sensor.add(times, places, np.isfinite(column.to_numpy()))
    return ComponentCoverage(
        step=typical,
        gaps=tuple(gaps),
        sensors={name: sensor.coverage(last) for name, sensor in zip(names, sensors, strict=True)},
    )


def _times(file: Any, name: str) -> Iterator[Times]:
    for group in range(file.num_row_groups):
        times = file.read_row_group(group, columns=[name]).column(0).to_numpy()
        if len(times):
            yield times


def _gaps(times: Times, before: np.datetime64 | None, longest: np.timedelta64) -> list[Interval]:
    known = times if before is None else np.concatenate([[before], times])
    at = np.flatnonzero(np.diff(known) > longest)
    return [Interval(start=known[place], end=known[place + 1]) for place in at.tolist()]


class _Distances:
    """The typical distance of neighbours in a column that comes in pieces."""

    def __init__(self) -> None:
        self._sampled: list[NDArray[np.int64]] = []
        self._end: np.datetime64 | None = None

    def add(self, times: Times) -> None:
        known = times if self._end is None else np.concatenate([[self._end], times])
        self._end = times[-1]
        distances = np.diff(known).astype("timedelta64[us]").astype(np.int64)
        self._sampled.append(distances[:: max(1, len(distances) // _SAMPLED)])

    def typical(self) -> np.timedelta64 | None:
        distances = np.concatenate(self._sampled) if self._sampled else np.zeros(0, np.int64)
        return np.timedelta64(int(np.median(distances)), "us") if len(distances) else None


class _Sensor:
    """The coverage of one sensor, piece by piece."""

    def __init__(self, grid: Grid, start: np.datetime64 | None) -> None:
        self._grid, self._counts = grid, np.zeros(grid.bins, np.int64)
        self._distances = _Distances()
        self._end, self._longest = start, None if start is None else Interval(start=start, end=start)

    def add(self, times: Times, places: NDArray[np.int64], valid: NDArray[np.bool_]) -> None:
        if not valid.all():
            times, places = times[valid], places[valid]
        if not len(times):
            return
        self._counts += np.bincount(places, minlength=self._grid.bins)
        self._distances.add(times)
        known = np.concatenate([[self._end], times])
        at = int(np.argmax(np.diff(known)))
        self._lengthen(Interval(start=known[at], end=known[at + 1]))
        self._end = times[-1]

    def coverage(self, last: np.datetime64 | None) -> SensorCoverage:
        values, step = int(self._counts.sum()), self._distances.typical()
        if values and last is not None and self._end is not None:
            self._lengthen(Interval(start=self._end, end=last))
        return SensorCoverage(
            values=values,
            filled=_filled(self._counts, 1.0 if step is None else float(self._grid.bin_length / step)),
            step=step,
            longest_gap=self._longest if values else None,
        )

    def _lengthen(self, gap: Interval) -> None:
        if self._longest is None or gap.length > self._longest.length:
            self._longest = gap


def _filled(counts: NDArray[np.int64], expected: float) -> NDArray[np.float64]:
    """Return the share of each bin that has values, `expected` of which come in a bin.

    Where less than one comes, a value also fills the bins until the next one is due, and half as many again.
    """
    if expected >= 1:
        shares: NDArray[np.float64] = np.minimum(1.0, counts / np.floor(expected))
        return shares
    reach = min(len(counts), int(np.ceil(1.5 / expected)))
    seen = np.concatenate([np.zeros(reach + 1, np.int64), np.cumsum(counts)])
    recent: NDArray[np.float64] = (seen[reach + 1 :] > seen[: len(counts)]).astype(np.float64)
    return recent
