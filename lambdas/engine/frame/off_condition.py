"""When the machine is off, by the value of one sensor."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from engine.frame.frame import SensorId

_GRAMMAR = re.compile(
    r"\s*(?P<sensor>[^\s<>=]+)\s*(?P<operator>[<>])\s*"
    r"(?P<threshold>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OffCondition:
    """The machine is off where a sensor is below (`<`) or above (`>`) a threshold."""

    sensor: SensorId
    operator: Literal["<", ">"]
    threshold: float

    @classmethod
    def parse(cls, text: str, sensors: Sequence[SensorId]) -> Self:
        r"""Parse `component\sensor < number`, or the same with `>`.

        Args:
            text: The condition. The name of the sensor alone is enough when only one component has it; a
                doubled backslash counts as one.
            sensors: Ids of all sensors.

        Raises:
            ValueError: When the text has another form, or names an unknown or ambiguous sensor.

        Example:
            >>> OffCondition.parse("speed < 10", ["pump\\speed", "pump\\flow"])
            OffCondition(sensor='pump\\speed', operator='<', threshold=10.0)
        """
        match = _GRAMMAR.fullmatch(text)
        if match is None or not math.isfinite(threshold := float(match["threshold"])):
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
        operator: Literal["<", ">"] = "<" if match["operator"] == "<" else ">"
        return cls(sensor=found[0], operator=operator, threshold=threshold)

    def holds(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return for each value of the sensor whether the machine is off; with NaN it is not."""
        return values < self.threshold if self.operator == "<" else values > self.threshold
