from collections.abc import Callable
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.detect.cross_prediction import Float32
from engine.detect.view import CAP, Floats, older_row_scores, row_scores

ONE_ROW = st.lists(st.floats(0, 2 * CAP, width=32), min_size=1, max_size=130).map(
    lambda values: np.array([values], np.float32)
)


def test_the_score_is_the_root_of_the_mean_fourth_power() -> None:
    residuals = np.array([[1, 0, 3, 2], [0, 0, 0, 0], [2 * CAP, 0, 0, 0]], np.float32)
    np.testing.assert_allclose(row_scores(residuals), [np.sqrt(98 / 4), 0, CAP**2 / 2], rtol=1e-6)


@given(ONE_ROW)
def test_a_score_is_between_the_mean_and_the_largest_of_the_squares(row: Float32) -> None:
    squares = np.minimum(row, CAP).astype(float) ** 2
    (score,) = row_scores(row)
    assert squares.mean() * (1 - 1e-5) - 1e-15 <= score <= squares.max() * (1 + 1e-5)


@given(ONE_ROW, st.randoms())
def test_the_order_of_the_sensors_does_not_matter(row: Float32, random: Random) -> None:
    order = random.sample(range(row.shape[1]), row.shape[1])
    np.testing.assert_allclose(row_scores(row[:, order]), row_scores(row), rtol=1e-5)


@given(ONE_ROW, st.integers(0), st.floats(0, 0.125, width=32))
def test_a_score_changes_by_little_where_a_residual_does(row: Float32, place: int, by: float) -> None:
    more = row.copy()
    more[0, place % row.shape[1]] += by
    (before,), (after,) = row_scores(row), row_scores(more)
    assert before <= after <= before + 2 * CAP * by + 1e-4


@pytest.mark.parametrize("score", [row_scores, older_row_scores])
@given(row=ONE_ROW, weight=st.floats(0, 1, width=32), place=st.integers(0))
def test_a_residual_that_counts_in_part_raises_no_score(
    score: Callable[[Float32], Floats], row: Float32, weight: float, place: int
) -> None:
    weights = np.ones(row.shape, np.float32)
    weights[0, place % row.shape[1]] = weight
    assert score(row * weights) <= score(row) * (1 + 1e-6)


@pytest.mark.parametrize("sensors", [5, 40, 120])
def test_one_odd_sensor_of_many_counts_more_than_in_the_mean_of_squares(sensors: int) -> None:
    usual = np.full((1, sensors), 0.4, np.float32)
    odd = usual.copy()
    odd[0, 3] = 4
    assert row_scores(odd) / row_scores(usual) > 2 * (odd**2).mean() / (usual**2).mean()


@pytest.mark.parametrize("sensors", [1, 9, 42, 130])
def test_rows_alone_have_the_scores_they_have_together(sensors: int) -> None:
    residuals = np.abs(np.random.default_rng(sensors).normal(size=(50, sensors))).astype(np.float32)
    alone = [row_scores(residuals[at : at + 1])[0] for at in range(50)]
    assert row_scores(residuals).tolist() == alone


def test_models_of_before_score_by_the_mean_of_all_squares_and_that_of_the_largest() -> None:
    residuals = np.array([[1, 0, 3, 2], [2 * CAP, 0, 0, 0]], np.float32)
    np.testing.assert_allclose(older_row_scores(residuals), [14 / 4 + 9, CAP**2 / 4 + CAP**2])
    many = np.arange(20, dtype=np.float32)[None] / 10
    np.testing.assert_allclose(
        older_row_scores(many), [24.7 / 20 + (1.9**2 + 1.8**2 + 1.7**2) / 3], rtol=1e-6
    )
