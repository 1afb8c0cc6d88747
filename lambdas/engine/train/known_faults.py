"""What a detector that is about to be replaced knows of the rows its successor shall learn from.

It has watched them, or would have. Where it alarmed, there was a fault, unless the alarm lasted until the
level was taken over as the new one, or for most of a day up to the end: then the plant is like that now.
Where a level was taken over but came back before the rows end, it was a fault after all.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from engine.detect.batches import score_in_batches
from engine.detect.detector import Detector
from engine.frame.frame import Frame
from engine.train.cleaning import JOIN_ROWS, MARGIN_ROWS, MAX_SHARE

Mask = NDArray[np.bool_]

LEAST_ROWS = 12
"""Shorter alarms are taken for healthy, lest each retraining narrows what is usual."""
TAKEN_OVER_ROWS = 400
"""An alarm this long that ends with a level away is the taking over of that level."""
LASTING_ROWS = 800
"""An alarm this long that goes on when the rows end is how the plant is now: faults of today are labelled."""
LEVEL_AWAY = 0.5
_PART_ROWS = 256


def without_faults(frame: Frame, normal: Mask, prior: Detector) -> Mask:
    """Return the normal rows without those that the prior detector knows as faults, with a margin.

    Levels that came and went are left in if that makes more than 35 % of the rows: so the plant drifts. If
    its alarms alone do, it knows no more what is usual, and nothing is left out.
    """
    alarm, away = _verdicts(frame, prior)
    rows = len(normal)
    faults = np.zeros(rows, bool)
    for start, stop in _runs(alarm):
        taken_over = away[stop : stop + 2 * _PART_ROWS].any() and stop - start >= TAKEN_OVER_ROWS
        goes_on = stop + JOIN_ROWS >= rows and stop - start >= LASTING_ROWS
        if stop - start >= LEAST_ROWS and not taken_over and not goes_on:
            faults[max(0, start - MARGIN_ROWS) : stop + MARGIN_ROWS] = True
    passing = faults.copy()
    for start, stop in _runs(alarm | away):
        if away[start:stop].any() and stop < rows - _PART_ROWS:
            passing[max(0, start - MARGIN_ROWS) : stop + MARGIN_ROWS] = True
    for left_out in (passing, faults):
        kept = normal & ~left_out
        if kept.sum() >= (1 - MAX_SHARE) * normal.sum():
            return kept
    return normal


def _runs(marked: Mask) -> Iterator[tuple[int, int]]:
    """Yield first row and end of the runs of marked rows; gaps up to JOIN_ROWS belong to them."""
    rows = np.flatnonzero(marked)
    if len(rows):
        for run in np.split(rows, np.flatnonzero(np.diff(rows) > JOIN_ROWS) + 1):
            yield int(run[0]), int(run[-1]) + 1


def _verdicts(frame: Frame, prior: Detector) -> tuple[Mask, Mask]:
    """Return the rows on which the prior alarms, and those on which it holds a level for moved."""
    alarms, aways = [], []
    for scores in score_in_batches(prior, frame, rows=_PART_ROWS):
        alarms.append(scores.prediction == 1)
        moved = scores.moved is not None and float(scores.moved.max()) > LEVEL_AWAY
        aways.append(np.full(len(scores.times), moved))
    return np.concatenate(alarms), np.concatenate(aways)
