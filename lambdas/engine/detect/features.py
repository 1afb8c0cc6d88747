"""Causal features of scaled rows, which do not depend on how the rows are cut into windows.

Three views of the same rows, each a list of feature blocks of shape (rows, sensors):

- `lag`: the values now and one to three rows back;
- `window`: mean and logarithm of the standard deviation over the last 20 rows;
- `scale`: the values now and their exponentially weighted means of span 10 and 30.

Of earlier rows they need the last 19 and the running means. Rolling sums are products with
ones instead of running totals, so a row's features depend on its own window only, up to rounding.
"""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from engine.detect.smoothing import ewma

Floats = NDArray[np.float64]
ViewName = Literal["lag", "window", "scale", "tracked lag", "tracked window"]
VIEWS: tuple[ViewName, ...] = ("lag", "window", "scale")
"""The views of the sensors as they are."""
TRACKED: dict[ViewName, ViewName] = {"tracked lag": "lag", "tracked window": "window"}
"""The views of the sensors relative to a slow baseline, and the static views whose features they use."""

LAGS = 4
"""Feature blocks of the lag view: a row and the three before it."""
WINDOW = 20
"""Rows of the rolling mean and standard deviation."""
SPANS = (10, 30)
"""Spans of the exponentially weighted means, in rows."""
LONGEST_MEMORY = max(WINDOW, *SPANS)
"""Rows for which some view remembers what has ended: faults, stops, silent sensors."""
GAP_STEPS = 2 * LONGEST_MEMORY
"""Steps without a row after which scoring starts afresh: what views remember is from too long ago."""
CONTEXT = WINDOW - 1
"""Earlier rows that the features of a row need."""
BLOCKS = {"lag": LAGS, "window": 2, "scale": 1 + len(SPANS), "tracked lag": LAGS, "tracked window": 2}
"""Feature blocks per view."""
WARM_UP = {
    "lag": LAGS - 1,
    "window": WINDOW - 1,
    "scale": LONGEST_MEMORY,
    "tracked lag": LAGS - 1,
    "tracked window": WINDOW - 1,
}
"""How many rows after a start or restart a view does not judge."""

_STD_FLOOR = 0.02
"""Smallest standard deviation, in scales: its square is added to the variance, for a finite logarithm."""
BLOCK_ROWS = 16
"""Rows multiplied at once: the matrix of a longer block is mostly zeros."""
_BAND = np.tri(BLOCK_ROWS, BLOCK_ROWS + CONTEXT, CONTEXT) - np.tri(BLOCK_ROWS, BLOCK_ROWS + CONTEXT, -1)
"""Shape (BLOCK_ROWS, BLOCK_ROWS + CONTEXT): ones where a row lies in the window that ends at another."""


@dataclass(slots=True)
class FeatureMemory:
    """What the features of the next row need of the rows before; changed in place.

    Attributes:
        rows: the last rows, shape (CONTEXT, sensors); none before the first row.
        means: the exponentially weighted means, shape (len(SPANS), sensors).
        seen: rows since the last start or restart.

    """

    rows: Floats
    means: Floats
    seen: int = 0

    @classmethod
    def empty(cls, sensors: int) -> Self:
        """Return the memory before the first row."""
        return cls(rows=np.zeros((0, sensors)), means=np.zeros((len(SPANS), sensors)))


@dataclass(frozen=True, slots=True)
class Features:
    """Features of consecutive rows.

    Attributes:
        blocks: per view its feature blocks, each of shape (rows, sensors).
        seen: rows since the last start or restart, each row included, shape (rows,).

    """

    blocks: dict[ViewName, tuple[Floats, ...]]
    seen: NDArray[np.int64]


def compute_features(rows: Floats, memory: FeatureMemory, views: tuple[ViewName, ...] = VIEWS) -> Features:
    """Return the features of consecutive rows and move the memory behind them.

    Args:
        rows: scaled values without gaps, shape (rows, sensors).
        memory: what is known of the rows before; changed.
        views: static views to compute.

    """
    if not memory.seen:
        memory.rows, memory.means = rows[:1].repeat(CONTEXT, axis=0), rows[:1].repeat(len(SPANS), axis=0)
    padded = np.concatenate([memory.rows, rows])
    blocks: dict[ViewName, tuple[Floats, ...]] = {}
    if "lag" in views:
        blocks["lag"] = tuple(padded[CONTEXT - lag : len(padded) - lag] for lag in range(LAGS))
    if "window" in views:
        mean = _rolling_mean(padded)
        spread = _rolling_mean(padded * padded)
        spread -= mean * mean
        np.maximum(spread, 0, out=spread)
        spread += _STD_FLOOR**2
        blocks["window"] = mean, 0.5 * np.log(spread, out=spread)
    if "scale" in views:
        means = [ewma(rows, start, span) for start, span in zip(memory.means, SPANS, strict=True)]
        blocks["scale"] = (rows, *means)
        memory.means = np.stack([each[-1] for each in means])
    seen = memory.seen + np.arange(1, len(rows) + 1)
    memory.rows, memory.seen = padded[-CONTEXT:].copy(), memory.seen + len(rows)
    return Features(blocks=blocks, seen=seen)


def _rolling_mean(padded: Floats) -> Floats:
    """Return the means over WINDOW rows that end at each row after the first CONTEXT ones."""
    result: Floats = np.empty((len(padded) - CONTEXT, padded.shape[1]))
    for at in range(0, len(result), BLOCK_ROWS):
        part = padded[at : at + BLOCK_ROWS + CONTEXT]
        np.matmul(_BAND[: len(part) - CONTEXT, : len(part)], part, out=result[at : at + BLOCK_ROWS])
    result /= WINDOW
    return result
