"""Which training rows are used: evenly spaced strips of long data, and blocks of time as folds."""

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

FOLDS = 6
LEAST_ROWS = 1250
"""Fewer training rows are taken as they are, and have no baseline: it would follow short faults."""
STRIP_ROWS = 1024
"""Rows of data too long to use whole are taken in strips of this length."""


def sample_strips(normal: Mask, max_rows: int) -> Mask:
    """Mark the rows of evenly spaced strips that hold about `max_rows` normal rows at most.

    The strips for a smaller `max_rows` are a subset of those for a larger one.

    Args:
        normal: mask of the rows that may be learned, shape (rows,).
        max_rows: normal rows wanted.

    Returns:
        A mask of shape (rows,) that marks whole strips, rows that are not normal included.

    """
    stride = 1
    while int(normal.sum()) > stride * max_rows:
        stride *= 2
    taken: Mask = np.arange(len(normal)) // STRIP_ROWS % stride == 0
    return taken


def time_folds(normal: Mask) -> NDArray[np.int64]:
    """Return the fold of every row: one of FOLDS blocks of time with equally many normal rows.

    Args:
        normal: mask of the rows that may be learned, shape (rows,).

    Returns:
        Numbers from 0 to FOLDS - 1, shape (rows,).

    """
    order = np.cumsum(normal)
    folds: NDArray[np.int64] = np.clip((order - 1) * FOLDS // max(1, int(order[-1])), 0, FOLDS - 1)
    return folds
