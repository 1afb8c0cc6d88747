"""One linear view of the rows: residuals, their units, and the score of a row."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.transform import ViewName

Floats = NDArray[np.float64]

OUTPUTS: dict[ViewName, int] = {"lag": 1, "window": 2, "scale": 3}
"""Feature blocks that are predicted; the others only predict."""
RESIDUAL_QUANTILE = 0.99
CAP = 6.0
"""A residual counts as at most this many units in the score: one sensor alone does not set the limit."""
ATTRIBUTION_CAP = 30.0
"""The same for contributions, later, so that the largest residual still leads."""
TOP_SHARE = 0.15
SMOOTHING_SPAN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Residuals ``features @ weights - offset``, measured in ``scale``: their held-out 99 % quantile.

    ``usual`` is the mean squared residual in health, ``limit`` the row score that is the threshold.
    """

    name: ViewName
    offset: Floats
    weights: Floats
    scale: Floats
    usual: Floats
    limit: float

    def units(self, blocks: Sequence[Floats], missing: NDArray[np.bool_] | None) -> Floats:
        """Return |residual| in units, zero where the sensor has no value."""
        result: Floats = np.concatenate(blocks, axis=1) @ self.weights
        result -= self.offset
        np.abs(result, out=result)
        result /= self.scale
        if missing is not None:
            result[np.tile(missing, (1, OUTPUTS[self.name]))] = 0.0
        return result

    def excess(self, units: Floats, sensors: int) -> Floats:
        """Return per row and sensor the mean excess of the squared residuals over their usual mean."""
        over = np.minimum(units, ATTRIBUTION_CAP)
        over *= over
        over -= self.usual
        np.maximum(over, 0, out=over)
        blocks = over.reshape(len(over), -1, sensors)
        return sum((blocks[:, at] for at in range(1, blocks.shape[1])), blocks[:, 0]) / blocks.shape[1]


def row_scores(units: Floats) -> Floats:
    """Return one score per row: mean of the capped squares plus the mean of their largest 15 %."""
    squares = np.minimum(units, CAP)
    squares *= squares
    width = squares.shape[1]
    top = max(1, round(TOP_SHARE * width))
    largest = np.partition(squares, width - top, axis=1)[:, width - top :]
    result: Floats = squares.mean(axis=1) + largest.mean(axis=1)
    return result


def smooth(ratio: Floats, level: float) -> Floats:
    """Return the exponentially weighted means (span 3) of the score ratios after ``level``."""
    gain = 2 / (SMOOTHING_SPAN + 1)
    result = np.empty_like(ratio)
    for at, value in enumerate(ratio.tolist()):
        level += gain * (value - level)
        result[at] = level
    return result
