"""The range of each sensor in healthy training rows, and its usual move from row to row."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.detect.baseline import BEYOND_REACH
from engine.frame.transpose import transposed

Floats = NDArray[np.float64]

_SAMPLE_ROWS = 20_000
_TAILS = (0.001, 0.999)
"""Quantiles of a sensor's training values that bound its range: single outliers do not widen it."""
NEARLY_ALL = 0.9
"""Share of readings that must lie in a range, or agree with the other sensors, for all to count as such."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRange:
    """Range and usual move of each sensor in healthy training rows, in its own unit; all of shape (sensors,).

    Attributes:
        low: lower end of the range, the outermost thousandth left out.
        high: upper end of the range, the outermost thousandth left out.
        move: median absolute change from row to row where it changes; infinite if it never does.

    """

    low: Floats
    high: Floats
    move: Floats

    @classmethod
    def of(cls, values: Floats, rows: NDArray[np.bool_]) -> Self:
        """Measure the marked rows of values of shape (rows, sensors), or an even sample of very many."""
        picks = np.flatnonzero(rows)
        picks = picks[:: max(1, len(picks) // _SAMPLE_ROWS)]
        sample = transposed(values[picks])
        low, high = np.nanquantile(sample, _TAILS, axis=1)
        steps = np.abs(sample - values[np.maximum(picks - 1, 0)].T)
        steps[~(steps > 0)] = np.nan
        still = ~np.isfinite(steps).any(axis=1)
        steps[still] = 0
        move = np.where(still, np.inf, np.nanmedian(steps, axis=1))
        return cls(low=low, high=high, move=move.astype(np.float64))  # the median of float32 is float32

    @classmethod
    def unknown(cls, sensors: int) -> Self:
        """Return a range that holds every value."""
        return cls(
            low=np.full(sensors, -np.inf), high=np.full(sensors, np.inf), move=np.full(sensors, np.inf)
        )

    def reach(self, scale: Floats) -> Floats:
        """Return half of the range of each sensor over its scale; infinite where it is unknown or zero."""
        half = (self.high - self.low) / 2
        result: Floats = np.where(half > 0, half / scale, np.inf)
        return result

    def outside(self, values: Floats) -> NDArray[np.bool_]:
        """Mark the values, shape (rows, sensors), that are clearly outside; missing ones are not.

        They are as far from the middle as no drift takes a sensor from its baseline.
        """
        with np.errstate(invalid="ignore"):  # where the range is unknown, nothing is outside
            middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
            marked: NDArray[np.bool_] = np.abs(values - middle) > BEYOND_REACH[1] * half
        return marked

    def holds(self, values: Floats, sensor: int) -> bool:
        """Return whether nearly all values of one sensor, given by its column, lie in its range."""
        inside = (values >= self.low[sensor]) & (values <= self.high[sensor])
        return float(inside.mean()) >= NEARLY_ALL
