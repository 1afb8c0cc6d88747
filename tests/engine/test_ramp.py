"""The ramp, for one number and for arrays, rising and falling."""

import numpy as np
import pytest

from engine.detect.ramp import ramp

STEPS = [-1.0, 2.0, 2.5, 3.0, 4.0, 9.0]


@pytest.mark.parametrize(
    ("zero", "one", "expected"),
    [(2.0, 4.0, [0, 0, 0.25, 0.5, 1, 1]), (4.0, 2.0, [1, 1, 0.75, 0.5, 0, 0])],
    ids=["rising", "falling"],
)
def test_a_number_and_an_array_give_the_same(zero: float, one: float, expected: list[float]) -> None:
    assert [ramp(value, zero, one) for value in STEPS] == expected
    np.testing.assert_array_equal(ramp(np.array(STEPS), zero, one), expected)
