"""States that training held, and how much less residuals count the farther a row is from them.

A prediction learned from few states errs the more, the farther a state is from their centre: on a day hotter
than any in training, and in a combination of load and weather that training saw once. In a linear regression,
the variance of its error is that of the noise times one plus the leverage of the row: its squared distance
from the mean, in the covariance of the rows, over their number. Only independent rows count. Weather and
orders last for days, a season for months: a sensor whose mean differs between blocks of training was in fewer
independent states than there were days.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.detect.artefact import Arrays, check_arrays, check_finite
from engine.detect.cross_prediction import RIDGE, Float32, Reals, inverse, product
from engine.detect.nearer import nearer

Floats = NDArray[np.float64]

INDEPENDENT = np.timedelta64(24 * 3600 * 10**6, "us")
"""Time after which a plant is in a state of its own, a day: load and weather cycle in it."""
_STILL = 1e-4
"""A sensor that varies by less, in its scales, tells no states apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedStates:
    """Where the states of training lay.

    Attributes:
        center: the mean state, in scales, shape (sensors,).
        leverage: the leverage of a state that is `d` from it is `d @ leverage @ d`; shape (sensors, sensors).

    """

    center: Float32
    leverage: Float32

    @classmethod
    def of(
        cls,
        states: Floats,
        time: np.timedelta64,
        trust: float = 1.0,
        means: Floats | None = None,
        doubt: float = 1.0,
    ) -> Self:
        """Return where the states of training lay.

        Args:
            states: confirmed states, shape (rows, sensors).
            time: that the rows stand for.
            trust: how far they are to count, 0 to 1.
            means: the mean states of consecutive blocks of the rows, shape (blocks, sensors), which tell how
                many states of each sensor are independent, if fewer than one a day; None for one a day.
            doubt: how far blocks that differ are to count as few states, 0 to 1.

        """
        center = states.mean(axis=0)
        away = states - center
        covariance = away.T @ away / len(states)
        deviation = np.sqrt(np.maximum(np.diag(covariance), 0))
        deviation[deviation < _STILL] = np.inf
        correlation = covariance / deviation[:, None] / deviation
        correlation[np.diag_indices(len(center))] += RIDGE
        uncertain = np.full(len(center), 1 / max(float(time / INDEPENDENT), 1.0))
        if means is not None and len(means) > 1:
            errors = np.square(means - center).sum(axis=0) / (len(means) * (len(means) - 1))
            uncertain = np.maximum(uncertain, doubt * errors / deviation**2)
        deviation /= np.sqrt(uncertain)
        leverage = trust * inverse(correlation) / deviation[:, None] / deviation
        return cls(center=center.astype(np.float32), leverage=leverage.astype(np.float32))

    @classmethod
    def unknown(cls, sensors: int) -> Self:
        """Return what models of older releases know: all states are alike."""
        return cls(center=np.zeros(sensors, np.float32), leverage=np.zeros((sensors, sensors), np.float32))

    def to_arrays(self, name: str) -> Arrays:
        """Return the arrays, each under this name and its own."""
        return {f"{name}.center": self.center, f"{name}.leverage": self.leverage}

    @classmethod
    def read(cls, arrays: Arrays, name: str, sensors: int) -> Self | None:
        """Read what `to_arrays` gave; None if there is nothing.

        Raises:
            BadArtefact: when the arrays are damaged, or of other sensors.

        """
        if f"{name}.center" not in arrays:
            return None
        shapes = {f"{name}.center": ("f4", (sensors,)), f"{name}.leverage": ("f4", (sensors, sensors))}
        check_arrays(arrays, shapes)
        check_finite(*(arrays[each] for each in shapes))
        return cls(center=arrays[f"{name}.center"], leverage=arrays[f"{name}.leverage"])

    def variance(self, states: Reals) -> Floats:
        """Return how many times as large as in the centre squared errors are in each state, shape (rows,)."""
        away = (states - self.center).astype(np.float32, copy=False)
        leverage = (product(away, self.leverage) * away).sum(axis=1, dtype=np.float64)
        result: Floats = 1 + np.maximum(leverage, 0)
        return result


def confirmed_states(values: Reals, residuals: Reals) -> Floats:
    """Return how far each sensor is from its centre as far as the other sensors confirm it.

    That is the nearer one of its value and its prediction, and 0 between the two sides. A sensor that leaves
    its relation to the others is far alone.

    Args:
        values: scaled values, shape (bins, sensors); what is missing confirms nothing.
        residuals: what is left of them when the others predict them, shape (bins, sensors).

    """
    return nearer(values, values - residuals).astype(np.float64, copy=False)
