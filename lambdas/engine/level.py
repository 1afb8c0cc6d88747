"""Levels that have moved for good, and what still counts of a view then.

A residual that stays on one side for long says less and less about now: a sensor was recalibrated, the plant
has aged, or healthy operation drifts. Its signed units, cut to one, are averaged exponentially; where the
average is far from zero, the level has moved and the residual no longer counts, for its sensor alone and
until it comes back by itself. A fault alarms for about 700 rows before it is taken for the new level. Drift
is taken over while it is small. What stands far above the limit came faster than that: it is taken over
twenty times as slowly.
"""

import numpy as np
from numpy.typing import NDArray

from engine.linear import Halves
from engine.transform import ewma
from engine.view import TOP_SHARE, row_scores

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

SPAN = 2000
"""Rows of the exponential average, and how many times the rows of training it may be at most."""
SPAN_OF_TRAINING = 3
EVERY = 8
"""Rows of which one is looked at: neighbours say the same."""
MOVED = (0.45, 0.55)
"""Average from which a level counts as moved in part, and in full."""
FAR = (8.0, 12.0)
"""Score of what still counts, over the limit, from which the averages move slower in part, and in full."""
SLOW = 0.05
"""How fast they move then."""
ENGAGED = (0.02, 0.1)
"""Share of a view's residuals with moved levels from which the tracked views count in part, and in full."""


def memory(rows: int) -> int:
    """Return the span of the averages for a detector trained on so many rows."""
    return min(SPAN, SPAN_OF_TRAINING * rows)


def trust(
    units: Halves, judged: Mask, means: Floats, *, limit: float, seen: int, span: int
) -> tuple[Halves | None, Floats]:
    """Return what each residual counts, 0 to 1, None where all count in full; and the averages afterwards.

    Args:
        units: signed residuals in units, zero where missing.
        judged: rows to look at; the others are still in the grace after a start.
        means: the averages before the rows.
        limit: score of a row that is the threshold of the view.
        seen: judged rows before these, of which the phase of EVERY follows.
        span: rows of the averages.

    """
    picks = np.flatnonzero(judged)[-seen % EVERY :: EVERY]
    after = np.concatenate([means[None], _averages(units[picks], means, span)])
    _slow(after, units[picks], limit, span)
    counts = _counts(after)
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


def _slow(after: Floats, units: Halves, limit: float, span: int) -> None:
    """Correct the averages after each row, in place, for rows far above the limit."""
    # no row scores more than the mean of its squares, and once more as if all of it were in the largest ones
    bound = (1 + 1 / TOP_SHARE) * np.einsum("ij,ij->i", units, units) / units.shape[1]
    suspects = np.flatnonzero(bound > FAR[0] * limit)
    if not len(suspects):
        return
    gain, slower = 2 / (span // EVERY + 1), False
    low, high = FAR
    for at in range(suspects[0], len(units)):
        part = 1.0
        if bound[at] > low * limit:
            ratio = row_scores(np.abs(units[at : at + 1]) * _counts(after[at])) / limit
            part = float(np.clip((high - ratio[0]) / (high - low), SLOW, 1))
            slower |= part < 1
        if slower:
            after[at + 1] = after[at] + part * gain * (np.clip(units[at], -1, 1) - after[at])


def _counts(averages: Floats) -> Halves:
    """Return what residuals with these averages count."""
    low, high = MOVED
    counts: Halves = np.clip((high - np.abs(averages)) / (high - low), 0, 1).astype(np.float32)
    return counts


def _averages(units: Halves, means: Floats, span: int) -> Floats:
    # in float64, so that the cut into windows changes nothing
    return ewma(np.clip(units, -1, 1).astype(np.float64), means, span // EVERY)
