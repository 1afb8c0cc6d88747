"""Windows of data that a scheduler infers, and how the ones that are due follow from the clock. Pure."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service.clock import iso_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceWindow:
    """One window of data `(start, end]`; both in epoch seconds."""

    start: int
    end: int

    def __str__(self) -> str:
        return f"({iso_seconds(self.start)}, {iso_seconds(self.end)}]"


def due(
    *, next_end: int, frequency: int, delay: int, now: float, catch_up: float | None
) -> Iterator[InferenceWindow]:
    """Yield the windows to infer now, oldest first.

    Args:
        next_end: the end of the first window not yet inferred, in epoch seconds.
        frequency: the length of a window in seconds.
        delay: seconds that the scheduler waits for data after a window ends.
        now: the time in epoch seconds.
        catch_up: windows that became due longer ago than these seconds are left out for good; None keeps all.
    """
    end = next_end
    if catch_up is not None:
        missed = max(0, math.ceil(now - delay - catch_up - next_end))
        end += -(-missed // frequency) * frequency
    while end + delay <= now:
        yield InferenceWindow(start=end - frequency, end=end)
        end += frequency


def delay_seconds(scheduler: Mapping[str, Any]) -> int:
    """Return `DataDelayOffsetInMinutes` of a scheduler in seconds."""
    return int(scheduler.get("DataDelayOffsetInMinutes", 0)) * 60
