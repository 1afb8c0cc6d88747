"""Sensors with few distinct values: valves, switches, modes. Sentences about events name these values."""

import numpy as np
from numpy.typing import NDArray

MOST_VALUES = 5
"""Distinct values up to which a sensor is discrete."""
_SAMPLE_ROWS = 2000
"""Rows in which most sensors already show that they are not discrete."""

DiscreteValues = tuple[tuple[float, ...], ...]
"""Per sensor its distinct values in ascending order; empty for a sensor that is not discrete."""


def discrete_values(values: NDArray[np.floating], rows: NDArray[np.bool_]) -> DiscreteValues:
    """Return the distinct values of each discrete sensor.

    Args:
        values: shape (rows, sensors); missing ones are NaN.
        rows: rows to look at, shape (rows,).

    """
    picks = np.flatnonzero(rows)
    sample = values[picks[:: max(1, len(picks) // _SAMPLE_ROWS)]]
    return tuple(
        _distinct(values[picks, at]) if _distinct(sample[:, at]) else () for at in range(values.shape[1])
    )


def _distinct(values: NDArray[np.floating]) -> tuple[float, ...]:
    found = np.unique(values[np.isfinite(values)])
    return tuple(float(each) for each in found) if len(found) <= MOST_VALUES else ()
