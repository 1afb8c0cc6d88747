r"""The grammar of `OffCondition`: `component\sensor < number` or `component\sensor > number`.

The sensor may be given by its bare name when no other component has a sensor of that name.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

from service.errors import ValidationError, quoted

_RULE = re.compile(
    r"""
    \s* (?P<sensor>[^<>=\s]+)
    \s* (?P<operator>[<>])
    \s* (?P<number>[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)
    \s*
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OffRule:
    r"""The machine is off where `sensor` is below (`<`) or above (`>`) `threshold`.

    `sensor` is the name as written: `component\sensor` or a bare name. After `resolved` it is the former.
    """

    text: str
    sensor: str
    operator: Literal["<", ">"]
    threshold: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the rule written in `text`.

        Raises:
            ValidationError: when `text` has another form, or the number is not finite.
        """
        match = _RULE.fullmatch(text)
        if match is None or not math.isfinite(threshold := float(match["number"])):
            raise ValidationError(
                rf"OffCondition '{text}' is not of the form 'component\sensor < number' or "
                r"'component\sensor > number': give one sensor, one of the two signs, and one number"
            )
        operator: Literal["<", ">"] = "<" if match["operator"] == "<" else ">"
        return cls(text=text, sensor=match["sensor"], operator=operator, threshold=threshold)

    def fitting(self, sensors: Sequence[str]) -> list[str]:
        """Return those of the `sensors` of a model that have the name of the rule."""
        return [sensor for sensor in sensors if self.sensor in {sensor, sensor.partition("\\")[2]}]

    def resolved(self, sensors: Sequence[str]) -> Self:
        r"""Return the rule with its sensor as `component\sensor`, one of the `sensors` of the model.

        Raises:
            ValidationError: when no sensor has that name, or several have.
        """
        name, fitting = self.sensor, self.fitting(sensors)
        if len(fitting) > 1:
            raise ValidationError(
                f"OffCondition '{self.text}': '{name}' could be any of {quoted(fitting)}: put the "
                "component's name in front"
            )
        if not fitting:
            hint = r"; write one backslash, which JSON doubles" if r"\\" in name else ""
            raise ValidationError(
                f"OffCondition '{self.text}': '{name}' is no sensor of the model, which has {quoted(sensors)}"
                f": use one of these{hint}"
            )
        return replace(self, sensor=fitting[0])
