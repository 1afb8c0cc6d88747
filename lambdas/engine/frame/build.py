"""Build a frame from merged components: select the window, resample, align, fill forward, mark off rows."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from engine.frame.component_reader import ComponentReader, FrameWindow, NoData
from engine.frame.filling import FilledColumn, FillLimits, LastValue, usual_limit
from engine.frame.frame import Frame, SensorId
from engine.frame.matrix import ColumnMatrix
from engine.frame.off_condition import OffCondition
from engine.ingest.timestamps import Times


def build_frame(
    components: Mapping[str, BinaryIO],
    *,
    sensors: Sequence[SensorId],
    start: np.datetime64 | None,
    end: np.datetime64 | None,
    step_seconds: int | None,
    off: OffCondition | None,
    carry: Mapping[SensorId, LastValue] | None = None,
    fill_limits: FillLimits | None = None,
    max_bytes: int | None = None,
) -> Frame:
    """Build the frame of the rows in (start, end].

    Without `carry` it begins where every sensor has a value. Columns are read a few at a time into one array,
    so that memory is bounded by the values of the frame.

    Args:
        components: Merged Parquet files, rows in order of time, by component name.
        sensors: Columns of the frame, in this order.
        start: Exclusive start; `None` is the start of the data.
        end: Inclusive end; `None` is the end of the data.
        step_seconds: Width of the buckets that rows are resampled to. A bucket holds the mean of its values
            and is labelled by its right edge; only buckets with at least one value become rows. `None` keeps
            all original timestamps, of every component.
        off: Rows where it holds for the latest value received are marked as off. `None` marks none.
        carry: Last known values of sensors before the window. They fill leading gaps, so that no
            leading row is dropped.
        fill_limits: How long a last value stands in. `None` learns it from the pauses of each sensor in the
            window (`engine.frame.filling`); `Frame.fill_limits` has what counted.
        max_bytes: The most memory that the values may take. `None` sets no limit.

    Raises:
        NoData: When a component has no row in the window, when none of its rows has a value, or when a sensor
            has neither a value there nor a carry. The message tells these apart.
        TooLarge: When the values take more than `max_bytes`.
    """
    wanted = list(dict.fromkeys([*sensors, *([off.sensor] if off else [])]))
    carry = carry or {}
    window = FrameWindow(start, end)
    readers = _open_components(components, wanted, window, step_seconds, carry)
    times = _union([reader.times for reader in readers.values()])
    if not len(times):
        raise NoData(_without_values(readers, window))
    matrix = ColumnMatrix(len(times), len(sensors), max_bytes)
    is_off, first = np.zeros(len(times), bool), 0
    limits = dict[SensorId, np.timedelta64]()
    of_every_row = usual_limit(np.zeros(len(times)), times) if fill_limits is None else None
    for at, (sensor, column) in enumerate(zip(wanted, _columns(readers, wanted, times), strict=True)):
        if fill_limits is not None:
            limit = fill_limits.get(sensor)
        else:
            limit = of_every_row if np.isfinite(column).all() else usual_limit(column, times)
        filled = FilledColumn.of(column, times, carry.get(sensor))
        known = np.isfinite(filled.values)
        if not known.any():
            raise NoData(f"sensor {sensor!r} has no value in {window}, although it has {_rows(len(times))}")
        first = max(first, int(known.argmax()))
        if off is not None and sensor == off.sensor:
            is_off = off.holds(filled.values)  # of the latest value received, however old it is
        if at < len(sensors):
            matrix.append(filled.within(limit))
            if limit is not None:
                limits[sensor] = limit
    first = 0 if carry else first
    times = times[first:]
    return Frame(
        times=times,
        values=matrix.array()[first:],
        sensors=tuple(sensors),
        off=is_off[first:],
        step=np.timedelta64(step_seconds, "s") if step_seconds else _median_step(times),
        fill_limits=limits,
    )


def _open_components(
    components: Mapping[str, BinaryIO],
    wanted: Sequence[SensorId],
    window: FrameWindow,
    step_seconds: int | None,
    carry: Mapping[SensorId, LastValue],
) -> dict[str, ComponentReader]:
    by_component: dict[str, list[SensorId]] = {}
    for sensor in wanted:
        by_component.setdefault(_component_name(sensor), []).append(sensor)
    readers: dict[str, ComponentReader] = {}
    times = np.empty(0, "datetime64[us]")
    for component, members in by_component.items():
        if component in components:
            names = [_sensor_name(sensor) for sensor in members]
            reader = ComponentReader.open(components[component], component, names, window, step_seconds)
            readers[component] = reader.sharing(times)
            times = readers[component].times
        elif not all(sensor in carry for sensor in members):
            raise NoData(f"component {component!r} has no data in {window}")
    return readers


def _without_values(readers: Mapping[str, ComponentReader], window: FrameWindow) -> str:
    """Return why there is nothing to build a frame of."""
    if not readers:
        return f"no rows in {window}"
    found = " and ".join(f"component {name!r} has {_rows(each.row_count)}" for name, each in readers.items())
    return f"{found} in {window}, but no value of any sensor in them"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _columns(
    readers: Mapping[str, ComponentReader], wanted: Sequence[SensorId], times: Times
) -> Iterator[NDArray[np.float64]]:
    """Yield the values of each sensor at the times, NaN where it has none, always in the same array."""
    column = np.empty(len(times))
    for component, group in groupby(wanted, _component_name):
        reader, names = readers.get(component), [_sensor_name(sensor) for sensor in group]
        places = None if reader is None else _places(times, reader.times)
        for found in [None] * len(names) if reader is None else reader.columns(names):
            column.fill(np.nan)
            if found is not None:
                column[places] = found
            yield column


def _component_name(sensor: SensorId) -> str:
    return sensor.partition("\\")[0]


def _sensor_name(sensor: SensorId) -> str:
    return sensor.partition("\\")[2]


def _places(times: Times, own: Times) -> slice | NDArray[np.intp]:
    """Return the rows of the frame that belong to a component's own times."""
    return slice(None) if len(times) == len(own) else np.searchsorted(times, own)


def _union(components: Sequence[Times]) -> Times:
    distinct = {id(times): times for times in components}
    parts = list(distinct.values())
    if not parts:
        return np.empty(0, "datetime64[us]")
    if all(np.array_equal(parts[0], part) for part in parts[1:]):
        return parts[0]
    return np.unique(np.concatenate(parts))


def _median_step(times: Times) -> np.timedelta64:
    if len(times) < 2:
        return np.timedelta64(1, "s")
    return max(
        np.timedelta64(1, "s"),
        np.median(np.diff(times).view(np.int64)).astype("timedelta64[us]").astype("timedelta64[s]"),
    )
