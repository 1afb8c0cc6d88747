"""Readings far outside: how far spikes count, if at all, and that what stays outside counts as far as it is.

A reading thirty spreads away may be a spike. One must not decide what is learned, and means over half an hour
go without it. But it may also be a valve that opens: nearly always closed, its spread is that of its noise,
and open it is a hundred spreads away. A relation that knows it only up to the edge misses the rest. What
tells the two apart is whether it stays.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CLIP = 30.0
"""Spreads that a spike counts, at most, on both sides."""
SPIKE_ROWS = 3
"""Rows for which a reading may be a spike. In each one after them it may lie farther by as much again."""
FARTHEST = 600.0
"""Spreads that any reading counts, at most: what one training row in 32,000 does is no farther, since a
spread is at least .3 standard deviations."""


def limit_excursions(scaled: Floats, outside: Floats, spike: float) -> None:
    """Bring readings nearer, in place, that have not been outside for long enough.

    Args:
        scaled: scaled values of consecutive rows, shape (rows, sensors); NaN is not outside.
        outside: for how many rows each sensor has been outside before them, shape (sensors,), negative on
            the lower side; moved on behind them.
        spike: how far a reading counts that may be a spike; NaN for no value.

    """
    if not len(scaled):
        return
    inside = (scaled.max(axis=0) <= CLIP) & (scaled.min(axis=0) >= -CLIP)
    columns = np.flatnonzero(~inside)  # with those that have missing values
    before: Floats = outside[columns]
    outside[:] = 0
    if len(columns):
        part = scaled[:, columns]
        sides = np.where(np.abs(part) > CLIP, np.sign(part), 0)
        rows = _rows_on_one_side(sides, before)
        most = np.where(rows > SPIKE_ROWS, CLIP * (rows - SPIKE_ROWS + 1), spike)
        nearer = sides * np.minimum(np.abs(part), np.minimum(most, FARTHEST))
        scaled[:, columns] = np.where(sides == 0, part, nearer)
        outside[columns] = sides[-1] * rows[-1]


def in_proportion(values: Floats, errors: Floats) -> Floats:
    """Return errors of predictions, those beyond the edge in proportion to how far out they are.

    Args:
        values: scaled values, of any shape.
        errors: what their predictions leave of them, same shape.

    """
    predicted = values - errors
    far = (np.abs(values) > CLIP) | (np.abs(predicted) > CLIP)
    return np.where(far, _by_proportion(values) - _by_proportion(predicted), errors) if far.any() else errors


def _by_proportion(values: Floats) -> Floats:
    """Return values on a scale that is logarithmic beyond the edge."""
    beyond: Floats = np.log(np.maximum(np.abs(values), CLIP) / CLIP)
    return np.clip(values, -CLIP, CLIP) * (1 + beyond)


def _rows_on_one_side(sides: Floats, before: Floats) -> Floats:
    """Return for how many rows each sensor has been on the side that it has in each row: (rows, sensors).

    Args:
        sides: -1, 0 or 1, shape (rows, sensors).
        before: how long it had been there before the first row, shape (sensors,), negative for the side -1.

    """
    place = np.arange(len(sides))[:, None]
    changed = np.diff(sides, axis=0, prepend=np.sign(before)[None]) != 0
    since = np.maximum.accumulate(np.where(changed, place, -1), axis=0)
    here = (place - since + 1).astype(np.float64)
    result: Floats = np.where(since < 0, here + np.abs(before) - 1, here)
    return result
