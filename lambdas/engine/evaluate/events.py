"""Events for people: ranges joined and dropped by rules."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from engine.evaluate.evaluation import Range


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRules:
    """When ranges become events. The defaults change nothing.

    Ranges at most ``join`` apart are one event, from the first row to the last one of the ranges joined.
    Events with fewer than ``min_rows`` anomalous rows are dropped.
    """

    join: np.timedelta64 = field(default_factory=lambda: np.timedelta64(0, "s"))
    min_rows: int = 1

    @classmethod
    def for_reports(cls, step: np.timedelta64) -> Self:
        """Return the rules of reports on rows ``step`` apart.

        Ranges at most 15 rows apart belong together; events with fewer than three anomalous rows are dropped.
        """
        return cls(join=15 * step, min_rows=3)

    def apply(self, found: Sequence[Range]) -> list[Range]:
        """Return the events of ranges in time order; contributions are weighted by rows."""
        events: list[Range] = []
        for each in found:
            if events and each.start - events[-1].end <= self.join:
                events[-1] = _joined(events[-1], each)
            else:
                events.append(each)
        return [event for event in events if event.rows >= self.min_rows]


def _joined(first: Range, second: Range) -> Range:
    rows = first.rows + second.rows
    mean = (first.rows * first.contributions + second.rows * second.contributions) / rows
    return Range(start=first.start, end=second.end, contributions=mean.astype(np.float32), rows=rows)
