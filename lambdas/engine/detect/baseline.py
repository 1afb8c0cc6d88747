"""The slow baseline of the tracked views, and what it hardly follows.

On a plant that held its levels in training, drift does not take a sensor farther from its baseline than it
ranged in training to one side. Where it is that far, it jumped: the baseline follows twenty times as slowly,
so that a large fault stays visible. On the way back towards the middle of training, it follows as ever.
"""

import numpy as np
from numpy.typing import NDArray

from engine.detect.features import ewma

Floats = NDArray[np.float64]

BEYOND = (1.0, 1.5)
"""Distance in half ranges of training from which the baseline follows slower in part, and in full."""
SLOW = 0.05
"""How fast it follows then."""


def follow(scaled: Floats, before: Floats, span: int, reach: Floats) -> tuple[Floats, Floats | None]:
    """Return the baseline after each row, and how fast its slowest sensor moves, None if nothing is held up.

    Args:
        scaled: scaled values, none missing.
        before: the baseline before the rows.
        span: rows of the exponential mean.
        reach: half of the range of each sensor in training, scaled; infinite for no bound.

    """
    level = ewma(scaled, before, span)
    if np.isinf(reach).all():
        return level, None
    free = np.ones(len(scaled))
    low, high = BEYOND
    far = np.abs(scaled[0] - before) > low * reach
    far |= (np.abs(scaled[1:] - level[:-1]) > low * reach).any(axis=0)
    if not far.any():
        return level, free
    at = before[far]
    rows, bound = scaled[:, far], reach[far]
    result = np.empty_like(rows)
    gain = 2 / (span + 1)
    for place, row in enumerate(rows):
        gap = row - at
        part = np.clip((high - np.abs(gap) / bound) / (high - low), SLOW, 1)
        part[np.abs(row) < np.abs(at)] = 1
        at = at + gain * part * gap
        result[place], free[place] = at, part.min()
    level[:, far] = result
    return level, free
