"""Runs of training rows that look like faults, but are how the machine runs on rare occasions.

A valve that is nearly always closed opens wide on hot days: the relations that held on all other days break
for hours, as with a fault. Two things tell the two apart. On a hot day the plant is far from its usual state:
sensors are far, *and the others predict that they are*. A sensor that leaves its relation to the others is
far alone. And hot days come back.
"""

import numpy as np
from numpy.typing import NDArray

from engine.detect.cross_prediction import Float32
from engine.train.row_runs import joined_runs

Floats = NDArray[np.float64]

USUAL_SHARE = 0.9
"""Share of the rows that are in usual states."""
RARE = 2.0
"""A state is rare from this many times the distance of the outermost usual one."""
VISITS = 3
"""Other times that the plant must have been as far for the state to be one of its own."""


def state_distance(values: Float32, residuals: Float32) -> Floats:
    """Return how far each row is from the usual state: the largest distance that the other sensors confirm.

    Args:
        values: scaled values, shape (rows, sensors).
        residuals: what is left of them when the other sensors predict them, shape (rows, sensors).

    """
    predicted = values - residuals
    high, low = np.minimum(values, predicted), np.maximum(values, predicted)
    result: Floats = np.maximum(high, -low).max(axis=1).astype(np.float64)
    return result


def rare_distance(distance: Floats) -> float:
    """Return the distance from which a state is rare, from those of all rows."""
    return RARE * float(np.quantile(distance, USUAL_SHARE))


def came_back(distance: Floats, run: tuple[int, int], *, rare: float, apart: int) -> bool:
    """Return whether a run of rows lies in a rare state that the plant was in at other times, too.

    Args:
        distance: of each row from the usual state, shape (rows,).
        run: its first row, and the row after its last one.
        rare: distance from which a state is rare.
        apart: rows between two times that are not one.

    """
    start, stop = run
    as_far = float(np.median(distance[start:stop]))
    others = distance >= as_far
    others[max(0, start - apart) : stop + apart] = False
    return as_far > rare and sum(1 for _ in joined_runs(others, gap=apart)) >= VISITS
