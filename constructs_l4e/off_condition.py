r"""When a machine is off, as the API writes it: `component\sensor < number`."""

import re
from dataclasses import dataclass
from typing import Self

from constructs_l4e import _props, _validate
from constructs_l4e.schema import DatasetSchema

# Names of the API hold no blank and none of the three signs.
_GRAMMAR = re.compile(r"\s*([^\s<>=]+)\s*([<>])\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class OffCondition:
    r"""When the machine is off: while one sensor is below or above a threshold.

    Data of these times is left out of training, and inference reports it as `MACHINE_OFF`.

    Args:
        sensor: `component\sensor`, or the name of the sensor alone when only one component has it.
        operator: `<` or `>`.
        threshold: finite number in the unit of the sensor.

    Raises:
        ValueError: when the operator is another one, the threshold is not finite, or the condition is longer
            than the API allows.

    Example:
        >>> print(OffCondition.below(r"pump\speed", 10.0))
        pump\speed < 10.0
    """

    sensor: str
    operator: str
    threshold: float

    def __post_init__(self) -> None:
        _props.check_fields(self)
        if self.operator not in {"<", ">"}:
            raise ValueError(
                f'operator "{self.operator}" of the off condition is not supported: use "<" or ">"'
            )
        if not abs(self.threshold) < float("inf"):
            raise ValueError(f'threshold "{self.threshold}" of the off condition is not finite: use a number')
        _validate.text(str(self), shape="OffCondition", what="off condition", fix="shorten it")

    @classmethod
    def below(cls, sensor: str, threshold: float) -> Self:
        """Return the condition that holds while `sensor` is below `threshold`."""
        return cls(sensor=sensor, operator="<", threshold=threshold)

    @classmethod
    def above(cls, sensor: str, threshold: float) -> Self:
        """Return the condition that holds while `sensor` is above `threshold`."""
        return cls(sensor=sensor, operator=">", threshold=threshold)

    @classmethod
    def parse(cls, text: str) -> Self:
        r"""Return the condition that the API writes as `text`.

        Args:
            text: one comparison, such as `pump\speed < 10`.

        Raises:
            ValueError: when `text` is anything else.
        """
        match = _GRAMMAR.fullmatch(_validate.known(text, what="off condition"))
        if match is None:
            raise ValueError(
                f'off condition "{text}" is not understood: write component\\sensor, "<" or ">", and a number'
            )
        return cls(sensor=match[1], operator=match[2], threshold=float(match[3]))

    def __str__(self) -> str:
        return f"{self.sensor} {self.operator} {self.threshold!r}"

    def require_sensor_in(self, schema: DatasetSchema) -> None:
        """Check that the condition names one sensor of `schema`.

        Raises:
            ValueError: when `schema` has no such sensor, or the bare name is that of several.
        """
        ids = schema.sensor_ids
        matches = [sensor for sensor in ids if self.sensor in {sensor, sensor.split("\\")[1]}]
        if len(matches) != 1:
            problem = "names more than one sensor" if matches else "names no sensor of the schema"
            raise ValueError(f'off condition "{self}" {problem}: use one of {_validate.few(matches or ids)}')
