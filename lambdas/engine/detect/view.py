"""One linear view of the rows: residuals, their units, and the score of a row."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.detect.cross_prediction import Halves, product, stack
from engine.detect.features import ViewName

Floats = NDArray[np.float64]

OUTPUTS: dict[ViewName, int] = {"lag": 1, "window": 2, "scale": 3, "tracked lag": 1, "tracked window": 2}
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
    """Residuals ``features @ weights - offset``, in units of their held-out 99 % quantile.

    ``usual`` is the mean squared residual in health, ``limit`` the row score that is the threshold, and
    ``moved`` the averages of ``engine.detect.level_shift`` that the forward test ended with: where scoring
    starts. ``memory`` is their span in rows.
    """

    name: ViewName
    offset: Halves
    weights: Halves
    usual: Halves
    limit: float
    moved: Floats
    memory: int

    def units(self, blocks: Sequence[Floats], missing: NDArray[np.bool_] | None) -> Halves:
        """Return the signed residuals in units, zero where the sensor has no value."""
        result = product(stack(blocks), self.weights)
        result -= self.offset
        if missing is not None:
            result.reshape(len(result), OUTPUTS[self.name], -1)[...] *= ~missing[:, None, :]
        return result

    def shifts(self) -> Halves:
        """Return what the lasting shift of each sensor by one scale does to the residuals, in units."""
        sensors = len(self.offset) // OUTPUTS[self.name]
        weights = self.weights.reshape(-1, sensors, self.weights.shape[1])
        if self.name in {"window", "tracked window"}:
            weights = weights[:1]  # a standard deviation has no level
        result: Halves = weights.sum(axis=0)
        return result

    def excess(self, units: Halves, sensors: int) -> Halves:
        """Return per row and sensor the mean excess of the squared residuals over their usual mean."""
        over: Halves = np.minimum(units, np.float32(ATTRIBUTION_CAP))
        over *= over
        over -= self.usual
        np.maximum(over, 0, out=over)
        result: Halves = over[:, :sensors]
        for start in range(sensors, over.shape[1], sensors):
            result += over[:, start : start + sensors]
        result *= np.float32(sensors / over.shape[1])
        return result


def row_scores(units: Halves) -> Floats:
    """Return one score per row: mean of the capped squares plus the mean of their largest 15 %."""
    squares = np.minimum(units, CAP)
    squares *= squares
    width = squares.shape[1]
    top = max(1, round(TOP_SHARE * width))
    mean = squares.mean(axis=1)
    squares.partition(width - top, axis=1)
    result: Floats = (mean + squares[:, width - top :].mean(axis=1)).astype(np.float64)
    return result


def smooth(ratio: Floats, level: float) -> Floats:
    """Return the exponentially weighted means (span 3) of the score ratios after ``level``."""
    gain = 2 / (SMOOTHING_SPAN + 1)
    result = np.empty_like(ratio)
    for at, value in enumerate(ratio.tolist()):
        level += gain * (value - level)
        result[at] = level
    return result
