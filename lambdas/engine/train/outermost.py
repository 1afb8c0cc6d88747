"""How much faster errors grow beyond training than within, as its own outermost states tell.

The next season lies beyond all days of training. Some relations go on there, and some do not: a product of
two quantities, which training knew as a sum. Training holds such days itself: the outermost quarter of them
in one direction, when a model that has learned only the others predicts them.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine.train.chance import counted

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

OUTERMOST = 0.25
"""Share of training that is predicted by the rest: half of it on either side."""


def error_growth(places: Floats, squares: Callable[[Mask], float], days: float) -> Floats:
    """Return by how much squared errors grow with the squared distance beyond training, shape (axes,).

    Args:
        places: averages of the states over a day on each axis, shape (bins, axes).
        squares: how many times as large as usual the squared errors of some bins are, by a model that has
            not learned them.
        days: that all bins stand for.

    """
    chance = (2 / (OUTERMOST * days)) ** 0.5  # standard error of the mean square of so many normal values
    return np.array([_growth(each, squares, chance) for each in places.T])


def _growth(place: Floats, squares: Callable[[Mask], float], chance: float) -> float:
    beyond = place - np.clip(place, *np.quantile(place, (OUTERMOST / 2, 1 - OUTERMOST / 2)))
    outermost = beyond != 0
    if not outermost.any():
        return 0.0
    excess = max(squares(outermost) - 1, 0.0)
    return counted(excess, chance) * excess / float((beyond[outermost] ** 2).mean())
