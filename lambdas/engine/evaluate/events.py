"""Events as operators count them: alarm ranges of one fault joined, short ones dropped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from engine.detect.slow_alarm import MEMORY, OPENING
from engine.detect.trained_states import INDEPENDENT
from engine.evaluate.evaluation import Range

REPORT_JOIN = np.timedelta64(6, "h")
"""Time without an alarm through which reports let an event go on, whatever its sensors."""
REPORT_MINUTES = 30
"""Minutes of alarm below which reports leave an event out: it stays visible in the scores."""
REPORT_PAUSE = INDEPENDENT
"""Pause through which a fault of the same sensors goes on, a day: many show by day, or in the heat, only."""
REPORT_LONGEST_PAUSE = MEMORY * OPENING
"""The same for a fault that had lasted for longer, or then does: a weekend without load. An alarm of the slow
channel waits as long for a fault to show."""
NAMED_SHARE = 0.15
"""Share of the contributions from which a sensor takes part in an event."""
_NO_TIME = np.timedelta64(0, "s")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRules:
    """Rules that turn alarm ranges into events. The defaults leave ranges as they are.

    Attributes:
        join: ranges at most this time apart become one event, from the first row of the first range to the
            last row of the last; zero by default.
        min_rows: events with fewer anomalous rows are dropped; 1 by default.
        pause: of the events that are left, two become one if they are at most this time apart, or at most as
            long as the longer of them lasted, and the same sensors lead: the leading one of each takes part
            in the other. Zero by default: they are not joined.
        longest_pause: they never do if they are farther apart than this; zero by default.

    """

    join: np.timedelta64 = _NO_TIME
    min_rows: int = 1
    pause: np.timedelta64 = _NO_TIME
    longest_pause: np.timedelta64 = _NO_TIME

    @classmethod
    def for_reports(cls, step: np.timedelta64) -> Self:
        """Return the rules of reports: one event per fault, and no blips.

        Ranges at most six hours apart are joined. Events of less than half an hour of anomalous rows, or of
        less than three, are dropped. What is left is one fault as long as the same sensors lead it, through
        pauses of a day, or of up to two and a half days if it lasts as long. Where rows come faster than one
        a minute, half an hour is 30 rows: short faults are what such rows are for.

        Args:
            step: time between rows.

        """
        minutes = max(1, round(step / np.timedelta64(1, "m")))
        return cls(
            join=REPORT_JOIN,
            min_rows=max(3, REPORT_MINUTES // minutes),
            pause=REPORT_PAUSE,
            longest_pause=REPORT_LONGEST_PAUSE,
        )

    def apply(self, ranges: Sequence[Range]) -> list[Range]:
        """Return the events.

        Args:
            ranges: in order of time.

        Returns:
            Events in order of time; their contributions are the means over all anomalous rows.

        """
        return [event for event in self.so_far(ranges) if self.counts(event)]

    def so_far(self, ranges: Sequence[Range]) -> list[Range]:
        """Return the events while ranges are still to come: also the last one when it does not count yet.

        What this returned may be given again, with the ranges that came after it.

        Args:
            ranges: in order of time.

        """
        near = _merged(ranges, self._near)
        events = [*filter(self.counts, near[:-1]), *near[-1:]]
        # a longer event bridges longer pauses
        while len(joined := _merged(events, self._one_fault)) < len(events):
            events = joined
        return events

    def counts(self, event: Range) -> bool:
        """Return whether an event has enough anomalous rows not to be dropped."""
        return event.rows >= self.min_rows

    def _near(self, first: Range, second: Range) -> bool:
        return bool(second.start - first.end <= self.join)

    def _one_fault(self, first: Range, second: Range) -> bool:
        if not (self.counts(first) and self.counts(second)):
            return False
        apart = second.start - first.end
        usual = max(self.pause, first.end - first.start, second.end - second.start)
        return bool(apart <= min(usual, self.longest_pause)) and _same_lead(first, second)


def _merged(ranges: Sequence[Range], together: Callable[[Range, Range], bool]) -> list[Range]:
    """Return the ranges, neighbours that belong together joined."""
    merged: list[Range] = []
    for each in ranges:
        if merged and together(merged[-1], each):
            merged[-1] = _joined(merged[-1], each)
        else:
            merged.append(each)
    return merged


def _same_lead(first: Range, second: Range) -> bool:
    """Return whether the leading sensor of each takes part in the other."""
    one, other = first.contributions, second.contributions
    return bool(min(one[other.argmax()], other[one.argmax()]) >= NAMED_SHARE)


def _joined(first: Range, second: Range) -> Range:
    rows = first.rows + second.rows
    mean = (first.rows * first.contributions + second.rows * second.contributions) / rows
    return Range(start=first.start, end=second.end, contributions=mean.astype(np.float32), rows=rows)
