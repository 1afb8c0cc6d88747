"""From merged components to one rectangular frame: window, resample, align, forward fill, off rows."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import BinaryIO, Literal, Self

import numpy as np
from numpy.typing import NDArray

from engine.frame.component_reader import NoData, Reader, Window
from engine.frame.matrix import Columns
from engine.ingest.timestamps import Times

SensorId = str
"""``component\\sensor``, one backslash."""

Floats = NDArray[np.float64]
_RULE = re.compile(
    r"\s*(?P<sensor>.+?)\s*(?P<op>[<>])\s*(?P<number>[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)\s*\Z"
)


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

    def part(self, start: int, stop: int) -> "Frame":
        """Return the rows from ``start`` to before ``stop``; they share their values with this frame."""
        rows = slice(start, stop)
        return replace(self, times=self.times[rows], values=self.values[rows], off=self.off[rows])

    def select(self, rows: slice | NDArray[np.bool_] | NDArray[np.int64]) -> "Frame":
        """Return the rows that a slice, a mask or positions pick."""
        return replace(self, times=self.times[rows], values=self.values[rows], off=self.off[rows])


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
    max_bytes: int | None = None,
) -> Frame:
    """Build the frame of the rows in (start, end].

    Columns are read a few at a time into one array: memory is bounded by the values of the frame.

    Args:
        components: merged Parquet files by component name: rows in time order.
        sensors: columns of the frame, in this order.
        start: exclusive start; None is the start of the data.
        end: inclusive end; None is the end of the data.
        step_seconds: width of the buckets; each holds the mean of its values and is labelled by its right
            edge. Only buckets with at least one value become rows. None keeps the union of the original
            stamps.
        off: rows where it holds, on the latest received value, are marked off.
        carry: last known values before the window; they fill leading gaps, so that no leading row is dropped.
        fill_limit: values older than this are not filled forward. None: fill whatever the age.
        max_bytes: the most that the values may take. None: whatever they take.

    Raises:
        NoData: a component has no row, or a sensor no value (and no carry), in the window.
        TooLarge: the values take more than ``max_bytes``.

    """
    wanted = list(dict.fromkeys([*sensors, *([off.sensor] if off else [])]))
    carry = carry or {}
    window = Window(start, end)
    readers = _open(components, wanted, window, step_seconds, carry)
    times = _union([reader.stamps for reader in readers.values()])
    if not len(times):
        raise NoData(f"no rows in {window}")
    values = Columns(len(times), len(sensors), max_bytes)
    is_off, first = np.zeros(len(times), bool), 0
    filled = _filled(readers, wanted, times, carry, fill_limit)
    for at, (sensor, column) in enumerate(zip(wanted, filled, strict=True)):
        known = np.isfinite(column)
        if not known.any():
            raise NoData(f"sensor {sensor!r} has no value in {window}")
        first = max(first, int(known.argmax()))
        if off is not None and sensor == off.sensor:
            is_off = off.holds(column)
        if at < len(sensors):
            values.append(column)
    first = 0 if carry else first
    times = times[first:]
    return Frame(
        times=times,
        values=values.array()[first:],
        sensors=tuple(sensors),
        off=is_off[first:],
        step=np.timedelta64(step_seconds, "s") if step_seconds else _median_step(times),
    )


def _open(
    components: Mapping[str, BinaryIO],
    wanted: Sequence[SensorId],
    window: Window,
    step_seconds: int | None,
    carry: Mapping[SensorId, float],
) -> dict[str, Reader]:
    by_component: dict[str, list[SensorId]] = {}
    for sensor in wanted:
        by_component.setdefault(_component(sensor), []).append(sensor)
    readers: dict[str, Reader] = {}
    stamps = np.empty(0, "datetime64[us]")
    for component, members in by_component.items():
        if component in components:
            names = [_column(sensor) for sensor in members]
            reader = Reader.open(components[component], component, names, window, step_seconds)
            readers[component] = reader.sharing(stamps)
            stamps = readers[component].stamps
        elif not all(sensor in carry for sensor in members):
            raise NoData(f"component {component!r} has no data in {window}")
    return readers


def _filled(
    readers: Mapping[str, Reader],
    wanted: Sequence[SensorId],
    times: Times,
    carry: Mapping[SensorId, float],
    limit: np.timedelta64 | None,
) -> Iterator[Floats]:
    """Yield the values of each wanted sensor at the times, filled forward, always in the same array."""
    column = np.empty(len(times))
    for component, group in groupby(wanted, _component):
        reader, members = readers.get(component), list(group)
        places = None if reader is None else _places(times, reader.stamps)
        read = iter(()) if reader is None else reader.columns([_column(sensor) for sensor in members])
        for sensor in members:
            column.fill(np.nan)
            if reader is not None:
                column[places] = next(read)
            _fill(column, times, carry.get(sensor), limit)
            yield column


def _component(sensor: SensorId) -> str:
    return sensor.partition("\\")[0]


def _column(sensor: SensorId) -> str:
    return sensor.partition("\\")[2]


def _places(times: Times, stamps: Times) -> slice | NDArray[np.intp]:
    """Return the rows of the frame that a component has values for."""
    return slice(None) if len(times) == len(stamps) else np.searchsorted(times, stamps)


def _union(stamps: Sequence[Times]) -> Times:
    distinct = {id(each): each for each in stamps}
    parts = list(distinct.values())
    if not parts:
        return np.empty(0, "datetime64[us]")
    if all(np.array_equal(parts[0], each) for each in parts[1:]):
        return parts[0]
    return np.unique(np.concatenate(parts))


def _fill(column: Floats, times: Times, carry: float | None, limit: np.timedelta64 | None) -> None:
    """Fill the values of one sensor forward, in place."""
    known = np.isfinite(column)
    if known.all():
        return
    last = np.maximum.accumulate(np.where(known, np.arange(len(column)), -1))
    stale = last < 0
    if limit is not None:
        stale |= times - times[np.maximum(last, 0)] > limit
    column[:] = np.where(stale, np.nan, column[np.maximum(last, 0)])
    if carry is not None:
        column[last < 0] = carry


def _median_step(times: Times) -> np.timedelta64:
    if len(times) < 2:
        return np.timedelta64(1, "s")
    return max(
        np.timedelta64(1, "s"),
        np.median(np.diff(times).view(np.int64)).astype("timedelta64[us]").astype("timedelta64[s]"),
    )
