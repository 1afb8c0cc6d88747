"""Sensor data of one asset in memory: what is uploaded, and what the picture shows."""

import csv
import io
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from l4e_cli.interval import Interval

Times = NDArray[np.datetime64]
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentRecording:
    """Rows of one component: a time and one value per sensor, NaN where it is missing."""

    name: str
    sensors: tuple[str, ...]
    times: Times
    values: Values

    def between(self, interval: Interval) -> "ComponentRecording":
        """Return the rows whose time is in `interval`."""
        inside = (self.times >= interval.start) & (self.times <= interval.end)
        return ComponentRecording(
            name=self.name, sensors=self.sensors, times=self.times[inside], values=self.values[inside]
        )

    def shifted(self, by: np.timedelta64) -> "ComponentRecording":
        """Return the same rows, later by `by`."""
        return ComponentRecording(
            name=self.name, sensors=self.sensors, times=self.times + by, values=self.values
        )

    def to_csv(self) -> bytes:
        """Return the file for the service: ISO times in UTC, every digit, empty where a value is missing."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("Timestamp", *self.sensors))
        stamps = np.datetime_as_string(self.times).tolist()
        for stamp, row in zip(stamps, self.values.tolist(), strict=True):
            writer.writerow([stamp, *("" if value != value else repr(value) for value in row)])  # noqa: PLR0124 - NaN
        return text.getvalue().encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """All components of one asset and the known faults."""

    components: tuple[ComponentRecording, ...]
    labels: tuple[Interval, ...] = ()

    def without(self, sensors: Collection[str]) -> "Recording":
        r"""Return the recording without some sensors (`component\sensor`), nor components without any."""
        parts = []
        for part in self.components:
            kept = [name for name in part.sensors if f"{part.name}\\{name}" not in sensors]
            at = [part.sensors.index(name) for name in kept]
            if kept:
                parts.append(replace(part, sensors=tuple(kept), values=part.values[:, at]))
        return replace(self, components=tuple(parts))

    @property
    def span(self) -> Interval:
        """Period from the first to the last row."""
        return Interval(
            start=min(part.times.min() for part in self.components),
            end=max(part.times.max() for part in self.components),
        )

    def labels_csv(self) -> bytes:
        """Return the label file for the service: start and end of each fault, without header."""
        lines = (f"{_stamp(label.start)},{_stamp(label.end)}\n" for label in self.labels)
        return "".join(lines).encode()

    def sensor(self, identifier: str) -> tuple[Times, Values]:
        r"""Return times and values of the sensor `component\sensor`."""
        name, _, sensor = identifier.partition("\\")
        part = next(part for part in self.components if part.name == name)
        return part.times, part.values[:, part.sensors.index(sensor)]

    @property
    def sensor_ids(self) -> tuple[str, ...]:
        r"""Every sensor as `component\sensor`."""
        return tuple(f"{part.name}\\{sensor}" for part in self.components for sensor in part.sensors)


def typical_step(times: Iterable[Times]) -> np.timedelta64:
    """Return the median distance between neighbouring rows of all components, one of which has two rows."""
    distances = np.concatenate([np.diff(np.unique(part)) for part in times])
    return np.timedelta64(int(np.median(distances.astype("timedelta64[ms]").astype(np.int64))), "ms")


def snap(step: np.timedelta64, allowed: Sequence[str]) -> str:
    """Return the member of `allowed` (`PT1S`, `PT5M`, `PT1H` ...) that is nearest to `step` by ratio."""
    seconds = max(step / np.timedelta64(1, "s"), 1e-3)
    return min(allowed, key=lambda text: abs(np.log(duration_seconds(text) / seconds)))


def duration_seconds(text: str) -> int:
    """Return the length of `PT5S`, `PT5M` or `PT1H` in seconds."""
    return int(text[2:-1]) * {"S": 1, "M": 60, "H": 3600}[text[-1]]


def _stamp(time: np.datetime64) -> str:
    return str(np.datetime_as_string(time, unit="s"))
