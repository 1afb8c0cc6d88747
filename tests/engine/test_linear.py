"""Products whose rows do not depend on their neighbours."""

import numpy as np
import pytest

from engine.linear import BLOCK, product

ROWS, INPUTS, OUTPUTS = 3 * BLOCK + 7, 90, 30


@pytest.mark.parametrize("size", [0, 1, 5, BLOCK - 1, BLOCK, BLOCK + 1])
def test_a_row_has_the_same_product_in_every_cut(size: int) -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(ROWS, INPUTS)).astype(np.float32)
    weights = rng.normal(size=(INPUTS, OUTPUTS)).astype(np.float32)
    whole = product(rows, weights)
    np.testing.assert_allclose(whole, rows.astype(float) @ weights, atol=1e-4)
    for at in (0, 3, BLOCK - 2, 2 * BLOCK):
        np.testing.assert_array_equal(product(rows[at : at + size], weights), whole[at : at + size])
