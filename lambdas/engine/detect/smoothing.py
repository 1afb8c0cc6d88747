"""Exponentially weighted means (pandas' `ewm(span=span, adjust=False)`), continued from window to window."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NEWEST_ROWS = 3
"""The newest rows: ratios of score to limit are smoothed over them, an alarm opens when two of them are high,
and a fault has ended when the lag views are calm in all of them."""
_BLOCK = 16
"""Rows multiplied at once: the matrix of a longer block is mostly zeros and negligible weights."""


def ewma(rows: NDArray[Any], start: NDArray[Any], span: int) -> NDArray[Any]:
    """Return the exponentially weighted mean of each column after each row.

    Args:
        rows: values, shape (rows, columns).
        start: the mean before the first row, shape (columns,).
        span: span in rows; a row's weight is 2 / (span + 1).

    """
    weights = _weights(span, rows.dtype)
    result = np.empty_like(rows)
    known = np.empty((_BLOCK + 1, rows.shape[1]), rows.dtype)  # the last mean, and the rows after it
    known[0] = start
    for at in range(0, len(rows), _BLOCK):
        block = rows[at : at + _BLOCK]
        size = len(block)
        known[1 : size + 1] = block
        np.matmul(weights[:size, : size + 1], known[: size + 1], out=result[at : at + size])
        known[0] = result[at + size - 1]
    return result


@lru_cache  # a window takes longer to make them than to use them
def _weights(span: int, kind: np.dtype[Any]) -> NDArray[Any]:
    """Return what the last mean and the rows of a block count in the means after each row of it."""
    decay = 1 - 2 / (span + 1)
    steps = np.subtract.outer(np.arange(_BLOCK), np.arange(_BLOCK))
    weights = np.tril(decay ** np.abs(steps)) * (1 - decay)
    result: NDArray[Any] = np.column_stack([decay ** np.arange(1, _BLOCK + 1), weights]).astype(kind)
    result.flags.writeable = False
    return result


def ewma_of_all(rows: Floats, span: int) -> Floats:
    """Return `ewma` of all rows that there are: it starts from the mean of the first span of them."""
    result: Floats = ewma(rows, rows[:span].mean(axis=0), span)
    return result


def ewma_end(rows: Floats, start: Floats, span: int) -> Floats:
    """Return the last row of `ewma`, without computing the others."""
    decay = 1 - 2 / (span + 1)
    powers = decay ** np.arange(len(rows), -1, -1)
    weights = ((1 - decay) * powers[1:]).astype(rows.dtype)
    result: Floats = weights @ rows + powers[0] * start
    return result


def smooth(ratios: Floats, before: float) -> Floats:
    """Return the exponentially weighted means (span NEWEST_ROWS) of ratios of score to limit, shape (rows,).

    Row after row instead of by matrix, so that every cut into windows gives the same bits.

    Args:
        ratios: one ratio per row.
        before: the mean before the first row.

    """
    gain = 2 / (NEWEST_ROWS + 1)
    return np.array([before := before + gain * (ratio - before) for ratio in ratios.tolist()], np.float64)


def newest_largest(values: Floats, before: Floats) -> tuple[Floats, Floats]:
    """Return at each value the largest of the newest ones up to it, and the values that the next one needs.

    Args:
        values: shape (rows,).
        before: the values before them, one less than are compared.

    """
    rows = np.concatenate([before, values])
    return largest_of(rows, len(before) + 1), rows[len(values) :].copy()


def largest_of(values: Floats, count: int) -> Floats:
    """Return the largest of every `count` consecutive values, shape (len(values) - count + 1,)."""
    span, largest = 1, values
    while 2 * span <= count:
        largest, span = np.maximum(largest[:-span], largest[span:]), 2 * span
    overlap = 2 * span - count  # of the last two of this span that make `count`
    return np.maximum(largest[: len(largest) - span + overlap], largest[span - overlap :])
