"""When the machine is off, by the value of one sensor."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.frame.frame import SensorId


@dataclass(frozen=True, slots=True, kw_only=True)
class OffCondition:
    """The machine is off where a sensor is below (`<`) or above (`>`) a threshold."""

    sensor: SensorId
    operator: Literal["<", ">"]
    threshold: float

    def holds(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return for each value of the sensor whether the machine is off; with NaN it is not."""
        return values < self.threshold if self.operator == "<" else values > self.threshold
