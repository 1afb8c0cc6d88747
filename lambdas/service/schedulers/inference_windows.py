"""Windows of data that a scheduler infers: which one is next, which are due, which were missed. Pure.

Time is divided into segments aligned to the hour, as long as the scheduler's DataUploadFrequency. A window
begins where the one before it ended and ends with the segment that it begins in. So it is a whole segment,
except after a change of frequency and before a stop, and every row lies in exactly one window.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.clock import iso_seconds
from service.members.durations import seconds
from service.storage.records import Pause

Scheduler = Mapping[str, Any]
"""The record of an inference scheduler."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceWindow:
    """One window of data `(start, end]`; both in epoch seconds."""

    start: int
    end: int

    def __str__(self) -> str:
        return f"({iso_seconds(self.start)}, {iso_seconds(self.end)}]"


def segment_start(moment: float, frequency: str) -> int:
    """Return the start (epoch seconds) of the segment of a `DataUploadFrequency` that `moment` lies in."""
    length = seconds(frequency)
    return math.floor(moment) // length * length


def delay_seconds(scheduler: Scheduler) -> int:
    """Return `DataDelayOffsetInMinutes` of a scheduler in seconds."""
    return int(scheduler.get("DataDelayOffsetInMinutes", 0)) * 60


def inferred_until(scheduler: Scheduler) -> int:
    """Return the end of the last window that has an execution, in epoch seconds."""
    if "inferredUntil" in scheduler:
        return int(scheduler["inferredUntil"])
    return int(scheduler["nextSegmentEnd"]) - seconds(scheduler["DataUploadFrequency"])


def next_window(scheduler: Scheduler) -> InferenceWindow:
    """Return the window that follows the last one, whether it is due or not."""
    start, stop = _start_and_stop(scheduler)
    frequency = scheduler["DataUploadFrequency"]
    end = segment_start(start, frequency) + seconds(frequency)
    return InferenceWindow(start=start, end=end if stop is None else min(end, stop))


def is_due(scheduler: Scheduler, window: InferenceWindow, *, now: float) -> bool:
    """Return whether a window has ended, and the delay of its scheduler with it, at `now` (epoch seconds)."""
    return window.end + delay_seconds(scheduler) <= now


def missed_span(scheduler: Scheduler, *, now: float, catch_up: float | None) -> InferenceWindow | None:
    """Return the windows that became due too long ago to be inferred, as one span; None without any.

    Args:
        scheduler: the record of the scheduler.
        now: the time in epoch seconds.
        catch_up: seconds after they became due in which windows are still inferred; None is without limit.
    """
    if catch_up is None:
        return None
    start, stop = _start_and_stop(scheduler)
    before = math.ceil(now - delay_seconds(scheduler) - catch_up)  # a window that ended earlier was missed
    end = segment_start(before - 1, scheduler["DataUploadFrequency"])
    if stop is not None and stop < before:
        end = stop
    return InferenceWindow(start=start, end=end) if end > start else None


def segments(window: InferenceWindow, frequency: str) -> int:
    """Return the number of segments that a window lies in."""
    length = seconds(frequency)
    return -(-window.end // length) - window.start // length


def frequency_for(window: InferenceWindow, frequencies: Sequence[str]) -> str:
    """Return the shortest of the `frequencies` whose segments are as long as a window, or the longest."""
    length = window.end - window.start
    ordered = sorted(frequencies, key=seconds)
    return next((each for each in ordered if seconds(each) >= length), ordered[-1])


def pauses_when_stopped(scheduler: Scheduler, *, now: float) -> list[Pause]:
    """Return the pauses of a scheduler that is stopped at `now` (epoch seconds).

    The pause begins after the last window that was due: one that was not inferred yet still is, once the
    scheduler is started again.
    """
    pauses = _pauses_ahead(scheduler)
    due = segment_start(now - delay_seconds(scheduler), scheduler["DataUploadFrequency"])
    if pauses and pauses[-1]["end"] >= due:  # no window was due between the two stops
        return [*pauses[:-1], {"start": pauses[-1]["start"]}]
    return [*pauses, {"start": max(due, inferred_until(scheduler))}]


def pauses_when_started(scheduler: Scheduler, *, now: float) -> list[Pause]:
    """Return the pauses of a stopped scheduler that is started at `now` (epoch seconds).

    The pause ends with the first window that is due after now: a scheduler that is stopped and started
    between two windows loses none.
    """
    pauses = _pauses_ahead(scheduler)
    start = inferred_until(scheduler)  # of schedulers that an earlier release stopped
    if pauses and "end" not in pauses[-1]:
        start = int(pauses.pop()["start"])
    end = segment_start(now - delay_seconds(scheduler), scheduler["DataUploadFrequency"])
    return [*pauses, {"start": start, "end": end}] if end > start else pauses


def _pauses_ahead(scheduler: Scheduler) -> list[Pause]:
    """Return the pauses that the scheduler has not got past."""
    done = inferred_until(scheduler)
    return [pause for pause in scheduler.get("pauses", ()) if pause.get("end", math.inf) > done]


def _start_and_stop(scheduler: Scheduler) -> tuple[int, int | None]:
    """Return where the next window begins, and where the pause after it does, if there is one."""
    if "begun" in scheduler:  # it is brought to its end, whatever was left out since
        start = int(scheduler["begun"])
        return start, next((int(p["start"]) for p in _pauses_ahead(scheduler) if p["start"] > start), None)
    start = inferred_until(scheduler)
    for pause in _pauses_ahead(scheduler):
        if start < pause["start"]:
            return start, int(pause["start"])
        start = max(start, int(pause.get("end", start)))
    return start, None
