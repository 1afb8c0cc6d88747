"""Robust scaling of sensor values, and which sensors are constant."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.frame.excursions import CLIP, FARTHEST, limit_excursions
from engine.frame.transpose import transposed

Floats = NDArray[np.float64]

_SAMPLE_ROWS = 100_000
_SAMPLE_CELLS = 6_000_000
_SENSORS = 16
_NORMAL_IQR = 1.349
"""Interquartile range of the standard normal distribution."""
_CONSTANT = 1e-9
"""A sensor with a smaller standard deviation, relative to its median, is constant."""


def robust_spread(sample: Floats) -> tuple[Floats, Floats, Floats]:
    """Return median, standard deviation and scale of each sensor; the scale is max(IQR / 1.349, 0.3 sd).

    Args:
        sample: Values, sensors by rows; NaN counts as missing.
    """
    low, center, high = np.nanquantile(sample, (0.25, 0.5, 0.75), axis=1)
    deviation = np.nanstd(sample, axis=1)
    return center, deviation, np.maximum((high - low) / _NORMAL_IQR, 0.3 * deviation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """The robust scaling `z = (x - center) / scale` of each sensor, far readings brought nearer.

    Attributes:
        center: The medians.
        scale: What one unit of `z` is; tiny for a constant sensor, so that any change stands out.
        constant: Whether the sensor never moved.
        follows: Whether readings that stay far outside count as far as they are; not in models of older
            releases, which count 30 units at most.
    """

    center: Floats
    scale: Floats
    constant: NDArray[np.bool_]
    follows: bool = True

    @classmethod
    def of(cls, values: Floats, rows: NDArray[np.bool_]) -> "Scaling":
        """Learn the scaling from the marked rows.

        Args:
            values: Values, rows by sensors; NaN counts as missing.
            rows: Which rows to learn from; of more than 100,000, evenly spaced ones are used.
        """
        picks = np.flatnonzero(rows)
        most = max(1, min(_SAMPLE_ROWS, _SAMPLE_CELLS // values.shape[1]))
        picks = picks[:: max(1, len(picks) // most)]
        # a few sensors at a time: copies of all of them would take as much memory as the values
        sensors = range(0, values.shape[1], _SENSORS)
        spreads = [robust_spread(transposed(values[picks, at : at + _SENSORS])) for at in sensors]
        center, deviation, scale = np.concatenate(spreads, axis=1)
        constant = deviation <= _CONSTANT * np.maximum(np.abs(center), _CONSTANT)
        tiny = np.maximum(1e-3 * np.abs(center), 1e-6)
        return cls(center=center, scale=np.where(constant, tiny, scale), constant=constant)

    def apply(self, values: Floats) -> Floats:
        """Return the scaled values, rows by sensors; NaN stays NaN."""
        most = FARTHEST if self.follows else CLIP
        scaled = self._scaled(values)
        return np.clip(scaled, -most, most, out=scaled)

    def follow(self, values: Floats, outside: Floats, *, spike: float = CLIP) -> Floats:
        """Return the scaled values of consecutive rows, those nearer that have not been far for long.

        Args:
            values: Values, rows by sensors; NaN stays NaN.
            outside: For how many rows each sensor has been far before them; moved on behind them.
            spike: How far a reading counts that may be a spike; NaN for no value.
        """
        if not self.follows:
            return self.apply(values)
        scaled = self._scaled(values)
        limit_excursions(scaled, outside, spike)
        return scaled

    def _scaled(self, values: Floats) -> Floats:
        with np.errstate(over="ignore"):  # infinity is brought nearer like any value far away
            scaled: Floats = values - self.center
            scaled /= self.scale
        return scaled
