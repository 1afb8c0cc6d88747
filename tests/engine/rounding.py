"""What single precision lets agree between windows and a batch.

Most kernels of OpenBLAS add the terms of a row's product in one order wherever the row stands in a block. The
one for Haswell, which Zen takes too, does not: there, a row that stands elsewhere has another last bit.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine import Detector, Scores
from engine.detect.cross_prediction import BLOCK

STEPS = 17
"""Rows that a block is turned by: kernels work on up to 16 rows together."""
LAST_DECIMAL = 1e-5
"""Scores are rounded to it: a product that differs in its last bit can move a score by one."""


def adds_rows_alike(inputs: int, outputs: int) -> bool:
    """Return whether a row's product does not depend on its place in the block, for weights of this shape."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(BLOCK, inputs)).astype(np.float32)
    weights = rng.normal(size=(inputs, outputs)).astype(np.float32)
    products = rows @ weights
    return all(
        np.array_equal(np.roll(rows, step, axis=0) @ weights, np.roll(products, step, axis=0))
        for step in range(1, STEPS)
    )


def product_bound(rows: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return how far two single-precision products of the same rows may lie apart, for each element.

    Each of n additions rounds by up to eps / 2 of the sum so far, which is below the sum of |x| |w|. As the
    roundings have either sign, n of them amount to the square root of n; there are two products.
    """
    sizes: NDArray[np.float64] = np.abs(rows).astype(float) @ np.abs(weights).astype(float)
    return sizes * np.finfo(np.float32).eps * np.sqrt(len(weights))


def assert_windows_agree(detector: Detector, windows: Sequence[Scores], at_once: Scores) -> None:
    """Demand equal predictions; scores to 1e-6, or to a unit of the last decimal where the kernel rounds."""
    score = np.concatenate([window.score for window in windows])
    prediction = np.concatenate([window.prediction for window in windows])
    np.testing.assert_array_equal(prediction, at_once.prediction)
    if all(adds_rows_alike(*view.weights.shape) for view in detector.views):
        np.testing.assert_allclose(score, at_once.score, rtol=0, atol=1e-6)
        return
    np.testing.assert_allclose(score, at_once.score, rtol=0, atol=1.1 * LAST_DECIMAL)
    differing = int((np.abs(score - at_once.score) > 1e-6).sum())
    assert differing <= max(1, len(score) // 1000), f"{differing} of {len(score)} scores differ"
