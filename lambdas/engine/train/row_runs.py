"""Runs of marked rows and margins around them."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def joined_runs(marked: Mask, *, gap: int) -> Iterator[tuple[int, int]]:
    """Yield first row and end (exclusive) of the runs of marked rows.

    Args:
        marked: mask of shape (rows,).
        gap: two marked rows at most this many rows apart belong to the same run.

    """
    rows = np.flatnonzero(marked)
    if len(rows):
        for run in np.split(rows, np.flatnonzero(np.diff(rows) > gap) + 1):
            yield int(run[0]), int(run[-1]) + 1


def with_margin(marked: Mask, margin: int) -> Mask:
    """Return the mask with `margin` rows before and after every marked row marked, too."""
    result = marked.copy()
    for start, stop in joined_runs(marked, gap=1):
        result[max(0, start - margin) : stop + margin] = True
    return result
