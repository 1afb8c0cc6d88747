"""One linear view of the rows: residuals in units, and the score of a row."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.detect.cross_prediction import Float32, product, stack
from engine.detect.features import ViewName

Floats = NDArray[np.float64]

OUTPUTS: dict[ViewName, int] = {"lag": 1, "window": 2, "scale": 3, "tracked lag": 1, "tracked window": 2}
"""First feature blocks of each view that are predicted; the others only predict."""
RESIDUAL_QUANTILE = 0.99
"""Quantile of the absolute held-out residuals that is the unit of a residual."""
CAP = 6.0
"""Most units that a residual counts in the score, so that no single sensor decides it. In contributions it
counts in full, so that the largest one leads."""
POWER = 4.0
"""The score of a row averages this power of its residuals: a fault begins in few sensors, even of many, and
the mean of squares hides it."""
_BLOCK_ROWS = 256
"""Rows that are scored at once: their powers stay near the processor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Residuals `features @ weights - offset`, in units of their held-out 99 % quantile.

    Attributes:
        name: name of the view.
        offset: shape (outputs,); outputs are the predicted blocks, OUTPUTS, times the sensors.
        weights: shape (features, outputs).
        usual: mean square of a residual in healthy operation, capped at CAP, shape (outputs,).
        limit: row score above which a row alarms.
        fourth_powers: whether rows have the score of `row_scores`; in models of older releases it is that of
            `older_row_scores`, which their limits fit.
        level_averages: averages of `engine.detect.level_shift` at the end of training, from which scoring
            starts, shape (outputs,).
        average_span: span of these averages in rows.

    """

    name: ViewName
    offset: Float32
    weights: Float32
    usual: Float32
    limit: float
    fourth_powers: bool
    level_averages: Floats
    average_span: int

    def residuals(self, blocks: Sequence[Floats], missing: NDArray[np.bool_] | None) -> Float32:
        """Return the signed residuals in units, shape (rows, outputs).

        Args:
            blocks: feature blocks of the view, each of shape (rows, sensors).
            missing: where a sensor has no value, shape (rows, sensors); its residuals are 0.

        """
        result = product(stack(blocks), self.weights)
        result -= self.offset
        if missing is not None:
            result.reshape(len(result), OUTPUTS[self.name], -1)[...] *= ~missing[:, None, :]
        return result

    def value_units(self) -> Float32:
        """Return what the newest value of each sensor counts in its own residual: one over its unit."""
        result: Float32 = np.diag(self.weights[: self.weights.shape[1]])
        return result

    def shifts(self) -> Float32:
        """Return what the lasting shift of each sensor by one scale adds to residuals: (sensors, outputs)."""
        sensors = len(self.offset) // OUTPUTS[self.name]
        weights = self.weights.reshape(-1, sensors, self.weights.shape[1])
        if self.name in {"window", "tracked window"}:
            weights = weights[:1]  # a standard deviation has no level
        result: Float32 = weights.sum(axis=0)
        return result

    def scores(self, residuals: Float32) -> Floats:
        """Return one score per row from absolute residuals in units, shape (rows, outputs)."""
        return (row_scores if self.fourth_powers else older_row_scores)(residuals)

    def excess(self, residuals: Float32, sensors: int) -> Float32:
        """Return by how much the squared residuals of each sensor exceed their usual mean: (rows, sensors).

        Args:
            residuals: absolute residuals in units, shape (rows, outputs).
            sensors: number of sensors.

        """
        over: Float32 = residuals * residuals
        over -= self.usual
        np.maximum(over, 0, out=over)
        result: Float32 = over[:, :sensors]
        for start in range(sensors, over.shape[1], sensors):
            result += over[:, start : start + sensors]
        result *= np.float32(sensors / over.shape[1])
        return result


def row_scores(residuals: Float32) -> Floats:
    """Return one score per row, in squared units: the root of the mean fourth power of its capped residuals.

    It lies between the mean and the largest of the squares, and no residual that grows can lower it.

    Args:
        residuals: absolute residuals in units, shape (rows, outputs).

    """
    result = np.empty(len(residuals))
    for at in range(0, len(residuals), _BLOCK_ROWS):
        powers = np.minimum(residuals[at : at + _BLOCK_ROWS], CAP)
        powers *= powers
        powers **= POWER / 2
        mean = powers.sum(axis=1) / powers.shape[1]  # np.mean takes longer for few rows
        result[at : at + _BLOCK_ROWS] = mean ** (2 / POWER)
    return result


def older_row_scores(residuals: Float32) -> Floats:
    """Return what older releases had: the mean of the capped squares plus the mean of their largest 15 %."""
    squares = np.minimum(residuals, CAP)
    squares *= squares
    width = squares.shape[1]
    top = max(1, round(0.15 * width))
    mean = squares.mean(axis=1)
    squares.partition(width - top, axis=1)
    result: Floats = (mean + squares[:, width - top :].mean(axis=1)).astype(np.float64)
    return result
