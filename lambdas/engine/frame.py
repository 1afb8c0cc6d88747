"""From merged components to one rectangular frame: window, resample, align, forward fill, off rows."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from engine.headers import TIMESTAMP
from engine.timestamps import Times, iso

SensorId = str
"""``component\\sensor``, one backslash."""

Floats = NDArray[np.float64]
_RULE = re.compile(
    r"\s*(?P<sensor>.+?)\s*(?P<op>[<>])\s*(?P<number>[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)\s*\Z"
)


class NoData(ValueError):  # noqa: N818 - a name of the engine's published interface
    """A component or sensor has nothing in the window; the message names both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OffCondition:
    """The machine is off where ``sensor`` is below (``<``) or above (``>``) ``threshold``."""

    sensor: SensorId
    operator: Literal["<", ">"]
    threshold: float

    @classmethod
    def parse(cls, text: str, sensors: Sequence[SensorId]) -> Self:
        """Read ``component\\sensor < number``; a bare sensor name will do when only one component has it.

        Raises:
            ValueError: another form, an unknown sensor, or an ambiguous bare name.

        """
        match = _RULE.match(text)
        if match is None:
            raise ValueError(
                f"off condition {text!r} must read 'component\\sensor < number', with the operator < or >"
            )
        name = match["sensor"].replace("\\\\", "\\")
        found = [sensor for sensor in sensors if name in {sensor, sensor.partition("\\")[2]}]
        if name in found:
            found = [name]
        if not found:
            raise ValueError(
                f"off condition {text!r} names the unknown sensor {name!r}; use component\\sensor"
            )
        if len(found) > 1:
            raise ValueError(
                f"off condition {text!r}: sensor {name!r} is ambiguous; use one of {', '.join(found)}"
            )
        operator: Literal["<", ">"] = "<" if match["op"] == "<" else ">"
        return cls(sensor=found[0], operator=operator, threshold=float(match["number"]))

    def holds(self, values: Floats) -> NDArray[np.bool_]:
        """Return where the machine is off; NaN is not off."""
        return values < self.threshold if self.operator == "<" else values > self.threshold


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """Rows of all sensors on one time axis.

    ``values`` has one row per time and one column per sensor, NaN where a sensor has no value yet or has been
    silent for longer than the fill limit. ``off`` marks rows with the machine off. ``step`` is the usual
    distance of rows.
    """

    times: Times
    values: Floats
    sensors: tuple[SensorId, ...]
    off: NDArray[np.bool_]
    step: np.timedelta64

    def __post_init__(self) -> None:
        shape = (len(self.times), len(self.sensors))
        if self.values.shape != shape or self.off.shape != shape[:1]:
            raise ValueError(
                f"values {self.values.shape} and off {self.off.shape} do not fit the frame {shape}"
            )


def narrow_frame(frame: Frame, columns: NDArray[np.intp]) -> Frame:
    """Return the frame with these columns alone, its values copied side by side."""
    return Frame(
        times=frame.times,
        values=frame.values[:, columns],
        sensors=tuple(frame.sensors[column] for column in columns),
        off=frame.off,
        step=frame.step,
    )


def build_frame(
    components: Mapping[str, BinaryIO],
    *,
    sensors: Sequence[SensorId],
    start: np.datetime64 | None,
    end: np.datetime64 | None,
    step_seconds: int | None,
    off: OffCondition | None,
    carry: Mapping[SensorId, float] | None = None,
    fill_limit: np.timedelta64 | None = None,
) -> Frame:
    """Build the frame of the rows in (start, end].

    Args:
        components: merged Parquet files by component name.
        sensors: columns of the frame, in this order.
        start: exclusive start; None is the start of the data.
        end: inclusive end; None is the end of the data.
        step_seconds: width of the buckets; each holds the mean of its values and is labelled by its right
            edge. Only buckets with at least one value become rows. None keeps the union of the original
            stamps.
        off: rows where it holds, on the latest received value, are marked off.
        carry: last known values before the window; they fill leading gaps, so that no leading row is dropped.
        fill_limit: values older than this are not filled forward. None: fill whatever the age.

    Raises:
        NoData: a component has no row, or a sensor no value (and no carry), in the window.

    """
    wanted = list(dict.fromkeys([*sensors, *([off.sensor] if off else [])]))
    carry = carry or {}
    window = _Window(start, end)
    series = _series(components, wanted, window, step_seconds, carry)
    times = _union([stamps for stamps, _ in series.values()])
    if not len(times):
        raise NoData(f"no rows in {window}")
    values = np.full((len(times), len(wanted)), np.nan)
    for at, sensor in enumerate(wanted):
        _place(values[:, at], times, series.get(sensor), carry.get(sensor), fill_limit)
    for at, sensor in enumerate(wanted):
        if not np.isfinite(values[:, at]).any():
            raise NoData(f"sensor {sensor!r} has no value in {window}")
    first = 0 if carry else int(np.isfinite(values).argmax(axis=0).max())
    times, values = times[first:], values[first:]
    is_off = off.holds(values[:, wanted.index(off.sensor)]) if off else np.zeros(len(times), bool)
    return Frame(
        times=times,
        values=values[:, : len(sensors)] if len(wanted) > len(sensors) else values,
        sensors=tuple(sensors),
        off=is_off,
        step=np.timedelta64(step_seconds, "s") if step_seconds else _median_step(times),
    )


Series = tuple[Times, Floats]


@dataclass(frozen=True, slots=True)
class _Window:
    """The half-open time span (start, end] of a frame."""

    start: np.datetime64 | None
    end: np.datetime64 | None

    def __str__(self) -> str:
        return f"the window ({iso(self.start) or 'start of data'}, {iso(self.end) or 'end of data'}]"


def _series(
    components: Mapping[str, BinaryIO],
    wanted: Sequence[SensorId],
    window: _Window,
    step_seconds: int | None,
    carry: Mapping[SensorId, float],
) -> dict[SensorId, Series]:
    result: dict[SensorId, Series] = {}
    by_component: dict[str, list[SensorId]] = {}
    for sensor in wanted:
        by_component.setdefault(sensor.partition("\\")[0], []).append(sensor)
    for component, members in by_component.items():
        if component not in components:
            if all(sensor in carry for sensor in members):
                continue
            raise NoData(f"component {component!r} has no data in {window}")
        names = [sensor.partition("\\")[2] for sensor in members]
        table = _read(components[component], component, names, window)
        if not table.num_rows:
            raise NoData(f"component {component!r} has no rows in {window}")
        stamps = table.column(0).to_numpy()
        edges = _right_edges(stamps, step_seconds) if step_seconds else None
        for sensor, name in zip(members, names, strict=True):
            values = table[name].to_numpy()
            result[sensor] = (stamps, values) if edges is None else _bucket_means(edges, values)
    return result


def _read(source: BinaryIO, component: str, names: Sequence[str], window: _Window) -> Any:
    file = pq.ParquetFile(source)
    absent = [name for name in names if name not in file.schema_arrow.names]
    if absent:
        raise NoData(f"component {component!r} has no sensor {absent[0]!r}")
    table = file.read(columns=[TIMESTAMP, *names])
    stamps = table.column(TIMESTAMP)
    if window.start is not None:
        table = table.filter(pc.greater(stamps, _scalar(window.start)))
    if window.end is not None:
        table = table.filter(pc.less_equal(table.column(TIMESTAMP), _scalar(window.end)))
    return table.select([TIMESTAMP, *names])


def _scalar(time: np.datetime64) -> Any:
    return pa.scalar(time.astype("datetime64[us]").item(), pa.timestamp("us"))


def _right_edges(stamps: Times, step_seconds: int) -> Times:
    step = step_seconds * 1_000_000
    micros = stamps.astype("datetime64[us]").view(np.int64)
    return (-(-micros // step) * step).view("datetime64[us]")


def _bucket_means(edges: Times, values: Floats) -> Series:
    valid = np.isfinite(values)
    edges, values = edges[valid], values[valid]
    if not len(edges):
        return edges, values
    starts = np.flatnonzero(np.append(True, edges[1:] != edges[:-1]))
    counts = np.diff(np.append(starts, len(values)))
    return edges[starts], np.add.reduceat(values, starts) / counts


def _union(stamps: Sequence[Times]) -> Times:
    distinct = {id(each): each for each in stamps}
    parts = list(distinct.values())
    if not parts:
        return np.empty(0, "datetime64[us]")
    if all(np.array_equal(parts[0], each) for each in parts[1:]):
        return parts[0]
    return np.unique(np.concatenate(parts))


def _place(
    column: Floats, times: Times, series: Series | None, carry: float | None, limit: np.timedelta64 | None
) -> None:
    """Write one sensor into its column of the frame and fill it forward."""
    if series is not None and len(series[0]):
        valid = np.isfinite(series[1])
        column[np.searchsorted(times, series[0][valid])] = series[1][valid]
    known = np.isfinite(column)
    last = np.maximum.accumulate(np.where(known, np.arange(len(column)), -1))
    if limit is not None:
        stale = (last >= 0) & (times - times[np.maximum(last, 0)] > limit)
        column[:] = np.where(stale | (last < 0), np.nan, column[np.maximum(last, 0)])
    elif not known.all():
        column[:] = np.where(last < 0, np.nan, column[np.maximum(last, 0)])
    if carry is not None:
        column[last < 0] = carry


def _median_step(times: Times) -> np.timedelta64:
    if len(times) < 2:
        return np.timedelta64(1, "s")
    return max(
        np.timedelta64(1, "s"),
        np.median(np.diff(times).view(np.int64)).astype("timedelta64[us]").astype("timedelta64[s]"),
    )
