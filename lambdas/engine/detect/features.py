"""Causal features of a scaled series, computed so that the cut into windows does not change them.

Three views of the same rows, each a list of feature blocks with one column per sensor:

- ``lag``: the values now and one to three rows back;
- ``window``: mean and logarithm of the standard deviation over the last 20 rows;
- ``scale``: the values now and their exponentially weighted means of span 10 and 30.

The state is the last rows and the running means. Rolling sums are products with ones, not a running total, so
a row's features depend on its own window only; batch and window by window agree to rounding.
"""

from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ViewName = Literal["lag", "window", "scale", "tracked lag", "tracked window"]
VIEWS: tuple[ViewName, ...] = ("lag", "window", "scale")
"""The views of the sensors as they are."""
TRACKED: dict[ViewName, ViewName] = {"tracked lag": "lag", "tracked window": "window"}
"""The views of the sensors over a slow baseline, and the views whose features these are."""

LAGS = 4
WINDOW = 20
SPANS = (10, 30)
CONTEXT = WINDOW - 1
BLOCKS = {"lag": LAGS, "window": 2, "scale": 1 + len(SPANS), "tracked lag": LAGS, "tracked window": 2}
"""Feature blocks per view."""
WARM_UP = {
    "lag": LAGS - 1,
    "window": WINDOW - 1,
    "scale": SPANS[-1],
    "tracked lag": LAGS - 1,
    "tracked window": WINDOW - 1,
}
"""Rows after a start or restart for which the view does not speak."""

_STD_FLOOR = 0.02
_BLOCK = 16
"""Rows that are multiplied at once: what a longer band of a matrix has outside of it is wasted."""
_BAND = np.tri(_BLOCK, _BLOCK + CONTEXT, CONTEXT) - np.tri(_BLOCK, _BLOCK + CONTEXT, -1)
"""Ones where a row lies in the window of another."""


@dataclass(slots=True)
class Memory:
    """What the features of the next row need from the rows before: ``seen`` rows since the last start."""

    rows: Floats
    means: Floats
    seen: int = 0

    @classmethod
    def empty(cls, sensors: int) -> Self:
        """Return the memory before the first row."""
        return cls(rows=np.zeros((0, sensors)), means=np.zeros((len(SPANS), sensors)))


@dataclass(frozen=True, slots=True)
class Features:
    """Feature blocks per view for a run of rows, and how many rows had been seen up to each row."""

    blocks: dict[ViewName, tuple[Floats, ...]] = field(default_factory=dict)
    seen: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))


def features(rows: Floats, memory: Memory, views: tuple[ViewName, ...] = VIEWS) -> Features:
    """Return the features of consecutive rows and move ``memory`` behind them."""
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
        smooth = [ewma(rows, start, span) for start, span in zip(memory.means, SPANS, strict=True)]
        blocks["scale"] = (rows, *smooth)
        memory.means = np.stack([each[-1] for each in smooth])
    seen = memory.seen + np.arange(1, len(rows) + 1)
    memory.rows, memory.seen = padded[-CONTEXT:].copy(), memory.seen + len(rows)
    return Features(blocks=blocks, seen=seen)


def _rolling_mean(padded: Floats) -> Floats:
    """Return means over WINDOW rows ending at each row after the context."""
    result: Floats = np.empty((len(padded) - CONTEXT, padded.shape[1]))
    for at in range(0, len(result), _BLOCK):
        part = padded[at : at + _BLOCK + CONTEXT]
        np.matmul(_BAND[: len(part) - CONTEXT, : len(part)], part, out=result[at : at + _BLOCK])
    result /= WINDOW
    return result


def ewma(rows: NDArray[Any], start: NDArray[Any], span: int) -> NDArray[Any]:
    """Return the exponentially weighted means of span ``span`` after each row, continuing from ``start``."""
    decay = 1 - 2 / (span + 1)
    steps = np.subtract.outer(np.arange(_BLOCK), np.arange(_BLOCK))
    weights = np.tril(decay ** np.abs(steps)) * (1 - decay)
    weights = np.column_stack([decay ** np.arange(1, _BLOCK + 1), weights]).astype(rows.dtype)
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


def ewma_end(rows: Floats, start: Floats, span: int) -> Floats:
    """Return what ``ewma`` has after the last row."""
    decay = 1 - 2 / (span + 1)
    powers = decay ** np.arange(len(rows), -1, -1)
    weights = ((1 - decay) * powers[1:]).astype(rows.dtype)
    result: Floats = weights @ rows + powers[0] * start
    return result
