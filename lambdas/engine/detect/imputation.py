"""Imputation of missing values by what the other sensors predict.

A sensor's last value serves for a moment; after an hour it would contradict the other sensors and mislead the
prediction of them. A predicted value contradicts nothing. Imputed values are never judged.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from engine.detect.features import LAGS
from engine.detect.view import View

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_RCOND = 1e-3
"""Smallest singular value, relative to the largest, that is solved for: sensors that are silent together may
be nearly redundant."""


def impute(rows: Floats, missing: Mask, view: View) -> None:
    """Replace the missing values of scaled rows, in place, by what the other sensors of the row predict.

    The predictions solve `residual = 0` for all missing sensors of a row together, as if every sensor had
    stood still over the lags of the view: the result depends on that row alone.

    Args:
        rows: scaled values, shape (rows, sensors); those at missing places are ignored.
        missing: where to predict, shape (rows, sensors).
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
    """Yield, per pattern of missing sensors, the rows that have it and the pattern, shape (sensors,)."""
    patterns, which = np.unique(missing, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        if pattern.any():
            yield np.flatnonzero(which.reshape(-1) == number), pattern
