"""States that training did not hold, and how much less residuals count there.

A model that is asked about a hotter day than it has learned from extrapolates, and errs the more the farther
it must.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.detect.cross_prediction import Reals

Floats = NDArray[np.float64]

GROWTH = 0.3
"""By how much of itself the error of a prediction grows per scale beyond the states of training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedStates:
    """How far each sensor was from its centre in training as far as the others confirm it.

    Attributes:
        low, high: the range, in scales, shape (sensors,).

    """

    low: Floats
    high: Floats

    @classmethod
    def of(cls, states: Floats) -> Self:
        """Return the range of states, shape (bins, sensors)."""
        return cls(low=states.min(axis=0), high=states.max(axis=0))

    @classmethod
    def unbounded(cls, sensors: int) -> Self:
        """Return what models of older releases know: no state is beyond it."""
        high = np.full(sensors, np.finfo(np.float64).max)
        return cls(low=-high, high=high)

    def error(self, states: Floats) -> Floats:
        """Return how many times as large as usual errors are in each state, shape (bins,)."""
        beyond = np.maximum(states - self.high, self.low - states).max(axis=1)
        result: Floats = 1 + GROWTH * np.maximum(beyond, 0)
        return result


def confirmed_states(values: Reals, residuals: Reals) -> Floats:
    """Return how far each sensor is from its centre as far as the other sensors confirm it.

    That is the nearer one of its value and its prediction, and 0 between the two sides. A sensor that leaves
    its relation to the others is far alone.

    Args:
        values: scaled values, shape (bins, sensors); what is missing confirms nothing.
        residuals: what is left of them when the others predict them, shape (bins, sensors).

    """
    predicted = values - residuals
    nearer = np.where(np.abs(values) < np.abs(predicted), values, predicted)
    return np.where(values * predicted > 0, nearer, 0.0).astype(np.float64, copy=False)
