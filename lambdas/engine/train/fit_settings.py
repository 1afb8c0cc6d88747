"""What a user chooses for a fit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """Settings of a fit.

    Attributes:
        false_alarm_hours: hours of false alarm per day that the limits aim at on held-out rows, above 0 and
            below 24; 0.15 by default.

    Raises:
        ValueError: when `false_alarm_hours` is out of range.

    """

    false_alarm_hours: float = 0.15

    def __post_init__(self) -> None:
        if not 0 < self.false_alarm_hours < 24:
            raise ValueError(f"false_alarm_hours is {self.false_alarm_hours}; it must lie between 0 and 24")

    @property
    def quantile(self) -> float:
        """The quantile of healthy scores that becomes the limit."""
        return 1 - self.false_alarm_hours / 24
