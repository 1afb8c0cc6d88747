"""The steps of time that the API offers: for resampling, and for inference."""

import enum
import re
from typing import Self

_DURATION = re.compile(r"PT(\d+)([SMH])")
_UNIT_SECONDS = {"S": 1, "M": 60, "H": 3600}


class _Step(enum.StrEnum):
    """Base of enums whose members are ISO 8601 durations."""

    @property
    def seconds(self) -> int:
        """Length in seconds."""
        match = _DURATION.fullmatch(self.value)
        assert match is not None, self.value  # noqa: S101 - members are the constants below
        return int(match[1]) * _UNIT_SECONDS[match[2]]


class TargetSamplingRate(_Step):
    """Step to which sensor data is resampled before training and inference.

    Members are the ISO 8601 durations that the API takes.

    Example:
        >>> TargetSamplingRate.PT5M.seconds
        300
    """

    PT1S = "PT1S"
    PT5S = "PT5S"
    PT10S = "PT10S"
    PT15S = "PT15S"
    PT30S = "PT30S"
    PT1M = "PT1M"
    PT5M = "PT5M"
    PT10M = "PT10M"
    PT15M = "PT15M"
    PT30M = "PT30M"
    PT1H = "PT1H"


class DataUploadFrequency(_Step):
    """How often new sensor files arrive and inference runs.

    Members are the ISO 8601 durations that the API takes.

    Example:
        >>> DataUploadFrequency.shortest_for(TargetSamplingRate.PT15M).value
        'PT15M'
    """

    PT5M = "PT5M"
    PT10M = "PT10M"
    PT15M = "PT15M"
    PT30M = "PT30M"
    PT1H = "PT1H"

    @classmethod
    def shortest_for(cls, rate: TargetSamplingRate | None) -> Self:
        """Return the shortest frequency that is not shorter than the step of a model.

        Args:
            rate: step of the model. None stands for the rate of the data, which any frequency suits.
        """
        return next(each for each in cls if rate is None or each.seconds >= rate.seconds)
