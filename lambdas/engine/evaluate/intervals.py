"""Intervals of time, such as labelled events, and the rows inside them."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Interval = tuple[np.datetime64, np.datetime64]
"""Start and end of a labelled event, both inclusive."""
_NO_MARGIN = np.timedelta64(0, "s")


def merge_intervals(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the intervals in order of time, those that overlap or touch joined."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def rows_inside(
    times: NDArray[np.datetime64], intervals: Iterable[Interval], *, margin: np.timedelta64 = _NO_MARGIN
) -> NDArray[np.bool_]:
    """Mark the rows inside any interval, both ends included.

    Args:
        times: times of the rows in ascending order, shape (rows,).
        intervals: in any order; they may overlap.
        margin: time added before and after every interval, none by default.

    Returns:
        A mask of shape (rows,).

    """
    mask = np.zeros(len(times), bool)
    for start, end in intervals:
        first = np.searchsorted(times, start - margin, "left")
        mask[first : np.searchsorted(times, end + margin, "right")] = True
    return mask
