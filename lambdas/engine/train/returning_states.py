"""Rare states in training: kept although they look like faults, and with limits of their own.

A valve that is nearly always closed opens wide on hot days: the relations that held on all other days break
for hours, as with a fault. Two things tell the two apart. On a hot day the plant is far from its usual state:
sensors are far, *and the others predict that they are*. A sensor that leaves its relation to the others is
far alone. And hot days come back.
"""

import numpy as np
from numpy.typing import NDArray

from engine.detect.ramp import ramp
from engine.detect.rare_states import RARE, RareStates
from engine.train.row_runs import joined_runs

Floats = NDArray[np.float64]

USUAL_SHARE = 0.9
"""Share of the rows that are in usual states."""
VISITS = 3
"""Other times that the plant must have been as far for the state to be one of its own."""


def usual_distance(distance: Floats) -> float:
    """Return the distance of the outermost usual state, from those of all rows."""
    return float(np.quantile(distance, USUAL_SHARE))


def came_back(distance: Floats, run: tuple[int, int], *, usual: float, apart: int) -> bool:
    """Return whether a run of rows lies in a rare state that the plant was in at other times, too.

    Args:
        distance: of each row from the usual state, shape (rows,).
        run: its first row, and the row after its last one.
        usual: distance of the outermost usual state.
        apart: rows between two times that are not one.

    """
    start, stop = run
    as_far = float(np.median(distance[start:stop]))
    others = distance >= as_far
    others[max(0, start - apart) : stop + apart] = False
    return as_far > RARE * usual and sum(1 for _ in joined_runs(others, gap=apart)) >= VISITS


def rare_limits(distance: Floats, ratio: Floats, *, quantile: float, apart: int) -> RareStates | None:
    """Return how much wider limits must be in rare states for no larger share of their rows to alarm.

    Args:
        distance: of held-out rows from the usual state, shape (rows,).
        ratio: their score over limit, shape (rows,).
        quantile: of healthy scores, that the limits lie on.
        apart: rows between two visits of a state that are not one.

    Returns:
        None where training held rare states no more than VISITS times, or limits are wide enough for them.
        They count in full from twice as many times on.

    """
    usual = usual_distance(distance)
    rare = distance > RARE * usual
    visits = sum(1 for _ in joined_runs(rare, gap=apart))
    if visits <= VISITS or usual <= 0:
        return None
    needed = float(np.quantile(ratio[rare], quantile))
    known = ramp(float(visits), VISITS, 2 * VISITS)
    return RareStates(usual=usual, widening=1 + known * (needed - 1)) if needed > 1 else None
