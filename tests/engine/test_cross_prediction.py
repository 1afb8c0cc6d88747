"""Products of rows in blocks, and inverses."""

import numpy as np
import pytest

from engine.detect.cross_prediction import BLOCK, inverse, product
from tests.engine.rounding import adds_rows_alike, product_bound

ROWS, INPUTS, OUTPUTS = 3 * BLOCK + 7, 90, 30


@pytest.mark.parametrize("size", [0, 1, 5, BLOCK - 1, BLOCK, BLOCK + 1])
def test_a_row_has_the_same_product_in_every_cut(size: int) -> None:
    """To the last bit where the kernel allows it, to the rounding of single precision everywhere."""
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(ROWS, INPUTS)).astype(np.float32)
    weights = rng.normal(size=(INPUTS, OUTPUTS)).astype(np.float32)
    whole = product(rows, weights)
    np.testing.assert_allclose(whole, rows.astype(float) @ weights, atol=1e-4)
    bound = product_bound(rows, weights) * (not adds_rows_alike(INPUTS, OUTPUTS))
    for at in (0, 3, BLOCK - 2, 2 * BLOCK):
        found = product(rows[at : at + size], weights)
        assert found.shape == (size, OUTPUTS)
        assert (np.abs(found - whole[at : at + size]) <= bound[at : at + size]).all()


@pytest.mark.parametrize("size", [3, 256, 257, 600])
def test_the_inverse_is_one(size: int) -> None:
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(900, 20)) @ rng.normal(size=(20, size)) + rng.normal(0, 0.3, (900, size))
    matrix = np.corrcoef(rows.T) + 0.05 * np.eye(size)
    found = inverse(matrix)
    np.testing.assert_allclose(found @ matrix, np.eye(size), atol=1e-10)
    np.testing.assert_array_equal(found, inverse(matrix))


def test_what_rounding_made_indefinite_has_an_inverse_too() -> None:
    matrix = np.diag(np.linspace(-1, 2, 300))
    np.testing.assert_allclose(inverse(matrix) @ matrix, np.eye(300), atol=1e-10)
