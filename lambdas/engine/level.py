"""Levels that have moved for good, and what still counts of a view then.

A residual that stays on one side for long says less and less about now: a sensor was recalibrated, the plant
has aged, or healthy operation drifts. Its signed units, cut to one, are averaged exponentially; where the
average is far from zero, the level has moved and the residual no longer counts, for its sensor alone and
until it comes back by itself. A fault alarms for about 700 rows before it is taken for the new level.
"""

import numpy as np
from numpy.typing import NDArray

from engine.linear import Halves
from engine.transform import ewma

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

SPAN = 2000
"""Rows of the exponential average, and how many times the rows of training it may be at most."""
SPAN_OF_TRAINING = 3
EVERY = 8
FREEZE = 0.5
"""Rows of which one is looked at: neighbours say the same."""
MOVED = (0.45, 0.55)
"""Average from which a level counts as moved in part, and in full."""
ENGAGED = (0.02, 0.1)
"""Share of a view's residuals with moved levels from which the tracked views count in part, and in full."""


def memory(rows: int) -> int:
    """Return the span of the averages for a detector trained on so many rows."""
    return min(SPAN, SPAN_OF_TRAINING * rows)


def trust(
    units: Halves, judged: Mask, means: Floats, *, seen: int, span: int, hold=None
) -> tuple[Halves | None, Floats]:
    """Return what each residual counts, 0 to 1, None where all count in full; and the averages afterwards.

    Args:
        units: signed residuals in units, zero where missing.
        judged: rows to look at; the others are still in the grace after a start.
        means: the averages before the rows.
        seen: judged rows before these, of which the phase of EVERY follows.
        span: rows of the averages.

    """
    picks = np.flatnonzero(judged)[-seen % EVERY :: EVERY]
    if hold is not None:
        m=hold.min(axis=1)[picks]
        picks = picks[m>=FREEZE]
    after = np.concatenate([means[None], _averages(units[picks], means, span)])
    low, high = MOVED
    counts = np.clip((high - np.abs(after)) / (high - low), 0, 1).astype(np.float32)
    if (counts == 1).all():
        return None, after[-1]
    place = np.searchsorted(picks, np.arange(len(units)))
    return counts[place], after[-1]


def persistent(units: Halves, span: int) -> Floats:
    """Return the averages after rows before which nothing is known, freed of their start from zero."""
    averages = _averages(units[::EVERY], np.zeros(units.shape[1]), span)
    decay = 1 - 2 / (span // EVERY + 1)
    found: Floats = averages[-1] / (1 - decay ** len(averages))
    return found


def _averages(units: Halves, means: Floats, span: int) -> Floats:
    # in float64, so that the cut into windows changes nothing
    return ewma(np.clip(units, -1, 1).astype(np.float64), means, span // EVERY)
