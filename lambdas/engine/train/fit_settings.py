"""What a user chooses for a fit."""

from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """Settings of a fit.

    Attributes:
        false_alarm_hours: hours of false alarm per day that all limits together aim at on held-out rows,
            above 0 and below 24; 0.15 by default.

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

    def beside(self, slow: float) -> Self:
        """Return the settings of the fast views beside a slow channel.

        Args:
            slow: how far the channel counts, 0 to 1; in full, half of the budget is left to it.

        """
        return replace(self, false_alarm_hours=self.false_alarm_hours * (1 - slow / 2))
