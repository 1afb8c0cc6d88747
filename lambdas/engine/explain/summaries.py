"""The events worth telling people, each with a sentence."""

from dataclasses import dataclass, replace

import numpy as np

from engine.detect.detector import Detector
from engine.detect.scores import Scores
from engine.evaluate.evaluation import Range, ranges
from engine.evaluate.events import EventRules
from engine.explain.sentence import describe
from engine.frame.frame import Frame

_PAST_ROWS = 64
_PAST_SPANS = 2
_MOST_PAST = 20_000
_MOST_ROWS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """An event and a sentence about it."""

    event: Range
    text: str


def summaries(detector: Detector, frame: Frame, scores: Scores, *, most: int) -> list[Summary]:
    """Return the events of scored rows in time order, at most the ``most`` longest, with a sentence each."""
    found = EventRules.for_reports(detector.step).apply(ranges(scores, step=detector.step))
    longest = sorted(found, key=lambda event: event.start - event.end)[:most]
    return [
        Summary(event=event, text=describe(detector, _around(detector, frame, event), event))
        for event in sorted(longest, key=lambda event: event.start)
    ]


def _around(detector: Detector, frame: Frame, event: Range) -> Frame:
    """Return the rows of an event, the first thousands of a very long one, and enough before them."""
    past = min(_MOST_PAST, max(_PAST_ROWS, _PAST_SPANS * detector.pipeline.baseline.span))
    first = int(np.searchsorted(frame.times, event.start))
    last = min(int(np.searchsorted(frame.times, event.end, "right")), first + _MOST_ROWS)
    rows = slice(max(0, first - past), last)
    return replace(frame, times=frame.times[rows], values=frame.values[rows], off=frame.off[rows])
