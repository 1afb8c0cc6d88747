"""The longest events of scored rows, each described in a sentence."""

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
"""Rows before an event, and spans of the slow baseline, that the views need; the larger counts."""
_MAX_PAST_ROWS = 20_000
_MAX_EVENT_ROWS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """An event and the sentence that describes it."""

    event: Range
    text: str


def summaries(detector: Detector, frame: Frame, scores: Scores, *, most: int) -> list[Summary]:
    """Return the longest events of scored rows, each with a sentence.

    Args:
        detector: the detector that scored the rows.
        frame: the rows.
        scores: their scores.
        most: number of events at most.

    Returns:
        Summaries in order of time.

    """
    events = EventRules.for_reports(detector.step).apply(ranges(scores, step=detector.step))
    longest = sorted(events, key=lambda event: event.start - event.end)[:most]
    return [
        Summary(event=event, text=describe(detector, _rows_around(detector, frame, event), event))
        for event in sorted(longest, key=lambda event: event.start)
    ]


def _rows_around(detector: Detector, frame: Frame, event: Range) -> Frame:
    """Return the rows of an event, the first 5,000 of a very long one, and enough rows before them."""
    past = min(_MAX_PAST_ROWS, max(_PAST_ROWS, _PAST_SPANS * detector.pipeline.baseline.span))
    first = int(np.searchsorted(frame.times, event.start))
    last = min(int(np.searchsorted(frame.times, event.end, "right")), first + _MAX_EVENT_ROWS)
    rows = slice(max(0, first - past), last)
    return replace(frame, times=frame.times[rows], values=frame.values[rows], off=frame.off[rows])
