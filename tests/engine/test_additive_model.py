"""The model of the slow channel: what of a bin its bends explain, within their ranges and beyond."""

import numpy as np
import pytest

from engine.detect.additive_model import Additive, unbounded

BENT = Additive(
    mean=np.zeros(6),
    weights=np.array([[1, 0], [0, 1], [0, 0], [0, 0], [0, -1.0], [0, 0]]),
    precision=np.eye(6),
    bounds=unbounded(2),
)
"""Two sensors and one hinge: the second is as large as the bend of the first."""


def residual(model: Additive, value: float, bend: float) -> float:
    """Return what is left of the second sensor."""
    found: float = model.residuals(np.array([[0, value, 0, 0, bend, 0]]))[0, 1]
    return found


LEARNED = np.zeros((3, 2))
LEARNED[:, 0] = -1, 2, np.nan
BOUNDED = BENT.bounded(LEARNED)
"""Bends from -1 to 2 were learned, beside a bin without a value."""


@pytest.mark.parametrize(
    ("value", "bend", "left"),
    [
        (5, 2, 3),
        (5, 5, 0),
        (2, 5, 0),
        (3, 5, 0),
        (1, 5, -1),
        (7, 5, 2),
        (-2, -4, 0),
        (-6, -4, -2),
        (0, -4, 1),
    ],
)
def test_beyond_its_range_a_bend_may_end(value: float, bend: float, left: float) -> None:
    """The first is within the range; in the others, all from its end to the bend is explained."""
    assert residual(BOUNDED, value, bend) == left


def test_without_a_range_bends_go_on() -> None:
    assert residual(BENT, 2, 5) == -3


def test_far_outside_an_error_counts_in_proportion() -> None:
    assert residual(BENT, 200, 100) == pytest.approx(30 * np.log(2))
    assert residual(BENT, 20, 10) == 10
