"""Robust scaling of raw sensor values, and which sensors never move."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CLIP = 30.0
_SAMPLE_ROWS = 100_000
_SAMPLE_CELLS = 6_000_000
_NORMAL_IQR = 1.349
_TINY = 1e-9


def spread(sample: Floats) -> tuple[Floats, Floats, Floats]:
    """Return median, standard deviation and max(IQR / 1.349, 0.3 sd) of every row of the sample."""
    low, center, high = np.nanquantile(sample, (0.25, 0.5, 0.75), axis=1)
    deviation = np.nanstd(sample, axis=1)
    return center, deviation, np.maximum((high - low) / _NORMAL_IQR, 0.3 * deviation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """``z = clip((x - center) / scale, +-30)``; a constant sensor has a tiny scale: any change is news."""

    center: Floats
    scale: Floats
    constant: NDArray[np.bool_]

    @classmethod
    def of(cls, values: Floats, rows: NDArray[np.bool_]) -> "Scaling":
        """Learn median and max(IQR / 1.349, 0.3 sd) of every sensor from the marked rows."""
        picks = np.flatnonzero(rows)
        most = max(1, min(_SAMPLE_ROWS, _SAMPLE_CELLS // values.shape[1]))
        sample = np.ascontiguousarray(values[picks[:: max(1, len(picks) // most)]].T)
        center, deviation, scale = spread(sample)
        constant = deviation <= _TINY * np.maximum(np.abs(center), _TINY)
        tiny = np.maximum(1e-3 * np.abs(center), 1e-6)
        return cls(center=center, scale=np.where(constant, tiny, scale), constant=constant)

    def apply(self, values: Floats) -> Floats:
        """Return the scaled values; NaN stays NaN."""
        with np.errstate(over="ignore"):  # infinity is clipped like any value far away
            scaled: Floats = values - self.center
            scaled /= self.scale
        return np.clip(scaled, -CLIP, CLIP, out=scaled)
