"""Events as operators count them: nearby alarm ranges joined, short ones dropped."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from engine.evaluate.evaluation import Range


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRules:
    """Rules that turn alarm ranges into events. The defaults leave ranges as they are.

    Attributes:
        join: ranges at most this time apart become one event, from the first row of the first range to the
            last row of the last; zero by default.
        min_rows: events with fewer anomalous rows are dropped; 1 by default.

    """

    join: np.timedelta64 = field(default_factory=lambda: np.timedelta64(0, "s"))
    min_rows: int = 1

    @classmethod
    def for_reports(cls, step: np.timedelta64) -> Self:
        """Return the rules of reports: ranges at most 15 rows apart are joined, events under 3 rows dropped.

        Args:
            step: time between rows.

        """
        return cls(join=15 * step, min_rows=3)

    def apply(self, ranges: Sequence[Range]) -> list[Range]:
        """Return the events.

        Args:
            ranges: in order of time.

        Returns:
            Events in order of time; their contributions are the means over all anomalous rows.

        """
        events: list[Range] = []
        for each in ranges:
            if events and each.start - events[-1].end <= self.join:
                events[-1] = _joined(events[-1], each)
            else:
                events.append(each)
        return [event for event in events if event.rows >= self.min_rows]


def _joined(first: Range, second: Range) -> Range:
    rows = first.rows + second.rows
    mean = (first.rows * first.contributions + second.rows * second.contributions) / rows
    return Range(start=first.start, end=second.end, contributions=mean.astype(np.float32), rows=rows)
