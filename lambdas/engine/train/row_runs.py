"""Runs of marked rows and margins around them."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from engine.ingest.timestamps import Times

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


def longest_stretches(times: Times, marked: Mask, *, gap: int, most: int) -> Times:
    """Return first and last time of the longest stretches of marked rows, shape (stretches, 2).

    Args:
        times: times of the rows, shape (rows,).
        marked: mask of them.
        gap: two marked rows at most this many rows apart belong to the same stretch.
        most: how many stretches; they are in order of time.

    """
    runs = [(start, stop - 1) for start, stop in joined_runs(marked, gap=gap)]
    runs.sort(key=lambda run: times[run[0]] - times[run[1]])
    longest: Times = times[np.array(sorted(runs[:most]), int).reshape(-1, 2)]
    return longest


def marked_runs(runs: Iterable[tuple[int, int]], rows: int) -> Mask:
    """Return a mask of so many rows in which the rows of the runs, ends exclusive, are marked."""
    result = np.zeros(rows, bool)
    for start, stop in runs:
        result[start:stop] = True
    return result


def with_margin(marked: Mask, margin: int) -> Mask:
    """Return the mask with `margin` rows before and after every marked row marked, too."""
    result = marked.copy()
    for start, stop in joined_runs(marked, gap=1):
        result[max(0, start - margin) : stop + margin] = True
    return result
