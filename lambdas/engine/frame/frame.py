"""Rows of all sensors on one time axis."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from engine.frame.filling import FillLimits
from engine.ingest.timestamps import Times

SensorId = str
"""`component\\sensor`, one backslash."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """Rows of all sensors on one time axis.

    Attributes:
        times: UTC instants of the rows, strictly increasing.
        values: One row per time and one column per sensor. NaN where a sensor has no value yet, or has been
            silent for longer than its last value stands in.
        sensors: Ids of the columns.
        off: For each row, whether the machine is off.
        step: The usual distance between rows.
        fill_limits: How long last values stood in; nothing is known of frames that were not built from files.
    """

    times: Times
    values: Floats
    sensors: tuple[SensorId, ...]
    off: NDArray[np.bool_]
    step: np.timedelta64
    fill_limits: FillLimits = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = (len(self.times), len(self.sensors))
        if self.values.shape != shape or self.off.shape != shape[:1]:
            raise ValueError(
                f"values {self.values.shape} and off {self.off.shape} do not fit the frame {shape}"
            )

    def part(self, start: int, stop: int) -> "Frame":
        """Return the rows from `start` up to, not including, `stop`; their values are shared, not copied."""
        rows = slice(start, stop)
        return replace(self, times=self.times[rows], values=self.values[rows], off=self.off[rows])

    def select(self, rows: slice | NDArray[np.bool_] | NDArray[np.int64]) -> "Frame":
        """Return the rows that a slice, a mask or positions pick."""
        return replace(self, times=self.times[rows], values=self.values[rows], off=self.off[rows])


def with_silent(frame: Frame, sensors: Sequence[SensorId]) -> Frame:
    """Return the frame with these sensors as its columns; those that it lacks are NaN.

    Args:
        frame: Rows of a machine of which some sensors may have sent nothing.
        sensors: Ids of the columns wanted, in their order.
    """
    place = {sensor: at for at, sensor in enumerate(frame.sensors)}
    values = np.full((len(frame.times), len(sensors)), np.nan)
    for at, sensor in enumerate(sensors):
        if sensor in place:
            values[:, at] = frame.values[:, place[sensor]]
    return replace(frame, values=values, sensors=tuple(sensors))
