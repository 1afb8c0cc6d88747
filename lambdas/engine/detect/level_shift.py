"""Levels that have moved for good, and what still counts of a view then.

A residual that stays on one side for long says less and less about now: a sensor was recalibrated, the plant
has aged, or healthy operation drifts. Its signed units, cut to one, are averaged exponentially; where the
average is far from zero, the level has moved and the residual no longer counts, for its sensor alone and
until it comes back by itself. A fault alarms for about 700 rows before it is taken for the new level.

On a plant that held its levels in training, two things look like neither drift nor a recalibrated sensor,
and are taken over twenty times as slowly: a row far above the limit that the shift of no single sensor
explains, and a sensor out of reach (``engine.detect.baseline``).
"""

import numpy as np
from numpy.typing import NDArray

from engine.detect.baseline import SLOW
from engine.detect.cross_prediction import Halves
from engine.detect.features import ewma
from engine.detect.view import TOP_SHARE, View, row_scores

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

SPAN = 2000
"""Rows of the exponential average, and how many times the rows of training it may be at most."""
SPAN_OF_TRAINING = 3
EVERY = 8
"""Rows of which one is looked at: neighbours say the same."""
MOVED = (0.45, 0.55)
"""Average from which a level counts as moved in part, and in full."""
FAR = (4.0, 8.0)
"""Score of what still counts, over the limit, that is far above it in part, and in full."""
ALONE = (0.9, 0.96)
"""Share of the squared units that the shift of one sensor explains if it is alone in part, and in full."""
_TINY = 1e-12
ENGAGED = (0.02, 0.1)
"""Share of a view's residuals with moved levels from which the tracked views count in part, and in full."""


def memory(rows: int) -> int:
    """Return the span of the averages for a detector trained on so many rows."""
    return min(SPAN, SPAN_OF_TRAINING * rows)


def trust(
    units: Halves,
    judged: Mask,
    means: Floats,
    *,
    seen: int,
    span: int,
    view: View | None = None,
    free: Floats | None = None,
) -> tuple[Halves | None, Floats]:
    """Return what each residual counts, 0 to 1, None where all count in full; and the averages afterwards.

    Args:
        units: signed residuals in units, zero where missing.
        judged: rows to look at; the others are still in the grace after a start.
        means: the averages before the rows.
        seen: judged rows before these, of which the phase of EVERY follows.
        span: rows of the averages.
        view: the fitted view; None in trials, where averages always move at full speed.
        free: speed per row as far as sensors are within reach; None where all is taken over at full speed.

    """
    picks = np.flatnonzero(judged)[-seen % EVERY :: EVERY]
    after = np.concatenate([means[None], _averages(units[picks], means, span)])
    if view is not None and free is not None:
        _slow(after, units[picks], span, view, free[picks])
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


def _slow(after: Floats, units: Halves, span: int, view: View, free: Floats) -> None:
    """Correct the averages after each row, in place, where they move slower."""
    # no row scores more than the mean of its squares, and once more as if all of it were in the largest ones
    bound = (1 + 1 / TOP_SHARE) * np.einsum("ij,ij->i", units, units) / units.shape[1]
    far = bound > FAR[0] * view.limit
    slow = far | (free < 1)
    if not slow.any():
        return
    shifts = view.shifts()
    squares, gain, changed = shifts * shifts, 2 / (span // EVERY + 1), False
    for at in range(int(slow.argmax()), len(units)):
        speed = float(free[at])
        if far[at]:
            counts = _counts(after[at])
            ratio = float(row_scores(np.abs(units[at : at + 1]) * counts)[0]) / view.limit
            above = _part(ratio, FAR)
            if above:
                counts *= counts
                fits = (shifts @ (counts * units[at])) ** 2 / np.maximum(squares @ counts, _TINY)
                alone = _part(float(fits.max() / (counts @ units[at] ** 2)), ALONE)
                speed = min(speed, max(SLOW, 1 - above * (1 - alone)))
        changed |= speed < 1
        if changed:
            after[at + 1] = after[at] + speed * gain * (np.clip(units[at], -1, 1) - after[at])


def _part(value: float, bounds: tuple[float, float]) -> float:
    """Return 0 below the bounds, 1 above, and the way in between."""
    low, high = bounds
    return min(max((value - low) / (high - low), 0.0), 1.0)


def _counts(averages: Floats) -> Halves:
    """Return what residuals with these averages count."""
    low, high = MOVED
    counts: Halves = np.clip((high - np.abs(averages)) / (high - low), 0, 1).astype(np.float32)
    return counts


def _averages(units: Halves, means: Floats, span: int) -> Floats:
    # in float64, so that the cut into windows changes nothing
    return ewma(np.clip(units, -1, 1).astype(np.float64), means, span // EVERY)
