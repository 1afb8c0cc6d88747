"""How old the last value of a sensor may be for an execution to go on with it. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from engine import FillLimits
from service.jobs.inference.known_values import LastValues
from service.settings import Settings

if TYPE_CHECKING:
    from numpy import timedelta64

_HOUR = 3600
_DAY = 24 * _HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class FillTimes:
    r"""The greatest age of a last value, in seconds.

    It is what the settings say, or the limit that training has learned of the sensor where that is longer.

    Attributes:
        setting: by the settings; infinite for any age.
        longer: of each sensor (`component\sensor`) whose limit is longer.

    """

    setting: float
    longer: Mapping[str, float]

    @classmethod
    def of(cls, settings: Settings, limits: FillLimits) -> Self:
        """Return the times of a deployment and a model (`Detector.fill_limits`)."""
        hours = settings.inference_fill_hours
        setting = math.inf if hours is None else hours * _HOUR
        learned = {sensor: _seconds(limit) for sensor, limit in limits.items()}
        return cls(
            setting=setting, longer={sensor: limit for sensor, limit in learned.items() if limit > setting}
        )

    def recent(self, values: LastValues, *, at: float) -> LastValues:
        """Return the values that are young enough at a time (epoch seconds), and not from after it."""
        return {sensor: last for sensor, last in values.items() if 0 <= at - last[1] <= self._of(sensor)}

    def hours_of(self, sensor: str) -> str:
        """Return how old a value of a sensor may be, in words."""
        return f"{self._of(sensor) / _HOUR:g} hours"

    def words_of(self, sensor: str) -> str:
        """Return which earlier value of a sensor is young enough, in words."""
        return _words(self._of(sensor))

    @property
    def words(self) -> str:
        """Which earlier value of any sensor is young enough."""
        usual = _words(self.setting)
        return f"{usual}, or from as long before as it usually pauses" if self.longer else usual

    def _of(self, sensor: str) -> float:
        return self.longer.get(sensor, self.setting)


def _seconds(limit: "timedelta64") -> float:
    micros: int = limit.astype("timedelta64[us]").astype("int64").item()
    return micros / 1e6


def _words(seconds: float) -> str:
    if seconds == math.inf:
        return "an earlier one"
    return "one from the day before" if seconds == _DAY else f"one from the {seconds / _HOUR:g} hours before"
