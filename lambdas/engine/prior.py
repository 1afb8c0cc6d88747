"""What a detector that is about to be replaced knows of the rows its successor shall learn from.

It has watched them, or would have: stretches on which it alarmed, or a level had moved, and after which the
plant came back, were faults. A level that is still away when the rows end is how the plant is now.
"""

import numpy as np
from numpy.typing import NDArray

from engine.cleaning import JOIN_ROWS, MARGIN_ROWS, MAX_SHARE
from engine.detector import Detector
from engine.frame import Frame
from engine.parts import score_in_parts

Mask = NDArray[np.bool_]

LEAST_ROWS = 12
"""Shorter stretches are taken for healthy, lest each retraining narrows what is usual."""
LEVEL_AWAY = 0.5
_PART_ROWS = 256


def without_faults(frame: Frame, normal: Mask, prior: Detector) -> Mask:
    """Return the normal rows without those that the prior detector knows as faults, with a margin.

    Where that would be more than 35 % of them, it knows no more what is usual, and nothing is left out.
    """
    alarm, away = _verdicts(frame, prior)
    kept = normal.copy()
    odd = np.flatnonzero(alarm | away)
    if not len(odd):
        return kept
    for run in np.split(odd, np.flatnonzero(np.diff(odd) > JOIN_ROWS) + 1):
        start, stop = run[0], run[-1] + 1
        lasting = stop > len(kept) - JOIN_ROWS and away[stop - 1]
        if stop - start >= LEAST_ROWS and not lasting:
            kept[max(0, start - MARGIN_ROWS) : stop + MARGIN_ROWS] = False
    return kept if kept.sum() >= (1 - MAX_SHARE) * normal.sum() else normal


def _verdicts(frame: Frame, prior: Detector) -> tuple[Mask, Mask]:
    """Return the rows on which the prior alarms, and those on which it holds a level for moved."""
    alarms, aways = [], []
    for scores in score_in_parts(prior, frame, rows=_PART_ROWS):
        alarms.append(scores.prediction == 1)
        moved = scores.moved is not None and float(scores.moved.max()) > LEVEL_AWAY
        aways.append(np.full(len(scores.times), moved))
    return np.concatenate(alarms), np.concatenate(aways)
