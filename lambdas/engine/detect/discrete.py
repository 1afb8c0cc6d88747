"""Sensors with few distinct values: valves, switches, modes. What they may be is remembered for words."""

import numpy as np
from numpy.typing import NDArray

MOST = 5
"""Distinct values of a sensor that is spoken of by value, not by how far it is from what was expected."""
_SAMPLE_ROWS = 2000

FewValues = tuple[tuple[float, ...], ...]


def few_values(values: NDArray[np.floating], rows: NDArray[np.bool_]) -> FewValues:
    """Return per sensor its distinct values in the marked rows, in order; empty for more than five."""
    picks = np.flatnonzero(rows)
    sample = values[picks[:: max(1, len(picks) // _SAMPLE_ROWS)]]
    return tuple(
        _distinct(values[picks, at]) if _distinct(sample[:, at]) else () for at in range(values.shape[1])
    )


def _distinct(values: NDArray[np.floating]) -> tuple[float, ...]:
    found = np.unique(values[np.isfinite(values)])
    return tuple(float(each) for each in found) if len(found) <= MOST else ()
