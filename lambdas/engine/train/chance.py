"""How far to count on what may be chance."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def beyond_chance(gains: Floats) -> float:
    """Return how far to count on the mean of gains that vary, 0 to 1, by its standard error."""
    return counted(float(gains.mean()), float(gains.std(ddof=1)) / len(gains) ** 0.5)


def counted(gain: float, error: float) -> float:
    """Return how far to count on a gain: 0 if it may be chance, and towards 1 the surer it is.

    It is shrunk by the square of its standard error over its own, as James and Stein do.
    """
    return 1 - (error / gain) ** 2 if gain > error else 0.0
