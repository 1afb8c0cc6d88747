"""Values to stand in for sensors that are silent, so that they do not mislead the prediction of the others.

A sensor's last value would do for a moment; after an hour it contradicts everything. What the other sensors
predict for it contradicts nothing. The stand-in itself is never judged.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from engine.detect.features import LAGS
from engine.detect.view import View

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_RCOND = 1e-3


def stand_in(rows: Floats, missing: Mask, view: View) -> None:
    """Replace the missing values of scaled rows, in place, by what the other sensors of the row predict.

    The predictions solve ``residual = 0`` for all missing sensors of a row together, as if all sensors had
    stood still for the lags of the view: the result depends on that row alone.

    Args:
        rows: scaled rows without baseline; what stands at missing places is ignored.
        missing: where to predict.
        view: the lag view.

    """
    count = rows.shape[1]
    still = view.weights.astype(np.float64).reshape(LAGS, count, count).sum(axis=0)
    offset = view.offset.astype(np.float64)
    for at, columns in _patterns(missing):
        target = offset[columns] - rows[np.ix_(at, ~columns)] @ still[np.ix_(~columns, columns)]
        system = still[np.ix_(columns, columns)]
        rows[np.ix_(at, columns)] = target @ np.linalg.pinv(system, rcond=_RCOND)


def _patterns(missing: Mask) -> Iterator[tuple[NDArray[np.int64], Mask]]:
    """Yield the rows of each pattern of missing sensors, and the pattern."""
    patterns, which = np.unique(missing, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        if pattern.any():
            yield np.flatnonzero(which.reshape(-1) == number), pattern
