"""Events as operators count them: nearby alarm ranges joined, short ones dropped."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from engine.evaluate.evaluation import Range

_MINUTES = 360
REPORT_JOIN = np.timedelta64(_MINUTES, "m")
"""Time without an alarm after which reports call the next one another event."""
REPORT_MINUTES = 30
"""Minutes of alarm below which reports leave an event out: it stays visible in the scores."""


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
        """Return the rules of reports: one event per fault, and no blips.

        Ranges at most six hours apart are joined: a fault goes on through stops and nights. Events of less
        than half an hour of anomalous rows, or of less than three, are dropped. Rows faster than one a
        minute count like minutes.

        Args:
            step: time between rows.

        """
        minutes = max(1, round(step / np.timedelta64(1, "m")))
        return cls(join=min(REPORT_JOIN, _MINUTES * step), min_rows=max(3, REPORT_MINUTES // minutes))

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
