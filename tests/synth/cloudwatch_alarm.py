"""A CloudWatch alarm, played period by period, with AWS's documented rules for missing data.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_MORE = 2
"""Periods that CloudWatch looks back beyond those to evaluate: it says that there are some, not how many."""
_ACTIONS = {
    "ALARM": "AlarmActions",
    "OK": "OKActions",
    "INSUFFICIENT_DATA": "InsufficientDataActions",
}


@dataclass
class PlayedAlarm:
    """An alarm of a template; `notified` are the states of which its actions have told."""

    properties: Mapping[str, Any]
    state: str = "INSUFFICIENT_DATA"
    notified: list[str] = field(default_factory=list)
    _seen: list[float | None] = field(default_factory=list)

    def play(self, points: Iterable[float | None]) -> None:
        """Let periods pass, each with the sum of its points; None is a period without any."""
        for point in points:
            self._seen.append(point)
            before, self.state = self.state, self._evaluated()
            if self.state != before and self.properties.get(_ACTIONS[self.state]):
                self.notified.append(self.state)

    def _evaluated(self) -> str:
        periods: int = self.properties["EvaluationPeriods"]
        needed: int = self.properties["DatapointsToAlarm"]
        treatment = self.properties["TreatMissingData"]
        recent = [None if one is None else self._breaches(one) for one in self._seen[-periods - _MORE :]]
        actual = [one for one in recent if one is not None]
        if not actual and treatment == "missing":
            return "INSUFFICIENT_DATA"
        lacking = max(0, periods - len(actual))
        filled = [] if treatment == "missing" else [treatment == "breaching"] * lacking
        if sum([*actual[-periods:], *filled]) >= needed:
            return "ALARM"
        return "ALARM" if treatment == "missing" and _is_premature(recent, needed) else "OK"

    def _breaches(self, value: float) -> bool:
        threshold: float = self.properties["Threshold"]
        below = self.properties["ComparisonOperator"] == "LessThanThreshold"
        return value < threshold if below else value >= threshold


def _is_premature(recent: Sequence[bool | None], needed: int) -> bool:
    """Whether the oldest point is breaching and as old as needed, and all after it breach or are missing."""
    last = recent[-needed:]
    return last[0] is True and False not in last
