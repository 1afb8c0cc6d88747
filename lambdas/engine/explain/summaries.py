"""The longest events of scored rows, each described in a sentence."""

from dataclasses import dataclass, replace

import numpy as np

from engine.detect.detector import Detector
from engine.detect.scores import Scores
from engine.evaluate.evaluation import Range, ranges
from engine.evaluate.events import EventRules
from engine.explain.sentence import describe, growth
from engine.frame.frame import Frame

_PAST_ROWS = 64
_PAST_SPANS = 2
"""Rows before an event, and spans of the slow baseline, that the views need; the larger counts."""
_MAX_PAST_ROWS = 20_000
_MAX_EVENT_ROWS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """An event as a report shows it.

    Attributes:
        event: from its first sign to its end.
        text: a sentence: what the leading sensor did, for how long, who moved with it, and how it grew.
        peak: its highest score.
        alarmed: share of its rows with the machine on that alarm, above 0 to 1. With `peak` it says how sure
            the event is.

    """

    event: Range
    text: str
    peak: float
    alarmed: float


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
        _summary(detector, frame, scores, event) for event in sorted(longest, key=lambda event: event.start)
    ]


def _summary(detector: Detector, frame: Frame, scores: Scores, event: Range) -> Summary:
    inside = (scores.times >= event.start) & (scores.times <= event.end)
    fifth = (event.end - event.start) / 5
    early = _rows_between(detector, frame, event.start, event.start + fifth)
    late = _rows_between(detector, frame, event.end - fifth, event.end)
    rows = _rows_between(detector, frame, event.start, event.end)
    return Summary(
        event=event,
        text=describe(detector, rows, event) + growth(detector, early, late, event),
        peak=float(scores.score[inside].max()),
        alarmed=event.rows / int((inside & ~scores.off).sum()),
    )


def _rows_between(detector: Detector, frame: Frame, start: np.datetime64, end: np.datetime64) -> Frame:
    """Return the rows of a time, the first 5,000 of very many, and enough rows before them."""
    past = min(_MAX_PAST_ROWS, max(_PAST_ROWS, _PAST_SPANS * detector.pipeline.baseline.span))
    first = int(np.searchsorted(frame.times, start))
    last = min(int(np.searchsorted(frame.times, end, "right")), first + _MAX_EVENT_ROWS)
    rows = slice(max(0, first - past), last)
    return replace(frame, times=frame.times[rows], values=frame.values[rows], off=frame.off[rows])
