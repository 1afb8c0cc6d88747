"""Segments of the day a scheduler infers, and how the ones that are due follow from the clock. Pure."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from service.clock import iso_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One segment ``(start, end]``; both in epoch seconds."""

    start: int
    end: int

    def __str__(self) -> str:
        return f"({iso_seconds(self.start)}, {iso_seconds(self.end)}]"


def due(*, next_end: int, frequency: int, delay: int, now: float, catch_up: float | None) -> Iterator[Window]:
    """The segments to infer now, oldest first.

    ``next_end`` is the end of the first segment not yet inferred, ``frequency`` its length and ``delay`` the
    time the scheduler waits for data after a segment ends. Segments that became due more than ``catch_up``
    ago are left out for good (None: never). All in seconds.
    """
    end = next_end
    if catch_up is not None:
        missed = max(0, math.ceil(now - delay - catch_up - next_end))
        end += -(-missed // frequency) * frequency
    while end + delay <= now:
        yield Window(start=end - frequency, end=end)
        end += frequency
