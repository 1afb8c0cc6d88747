"""Which rows training takes: runs and margins, strips, folds, and quantiles of columns."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from engine.frame.transpose import transposed
from engine.train.calibration import column_quantile
from engine.train.calibration_data import taken
from engine.train.row_runs import joined_runs, with_margin
from engine.train.sampling import STRIP_ROWS, sample_strips, time_folds


def marked(text: str) -> np.ndarray:
    return np.array([mark == "1" for mark in text])


@pytest.mark.parametrize(
    ("gap", "runs"), [(1, [(0, 2), (4, 5), (8, 9)]), (3, [(0, 5), (8, 9)]), (4, [(0, 9)])]
)
def test_marked_rows_near_each_other_are_one_run(gap: int, runs: list[tuple[int, int]]) -> None:
    assert list(joined_runs(marked("110010001"), gap=gap)) == runs
    assert list(joined_runs(marked("000"), gap=gap)) == []


@pytest.mark.parametrize(
    ("given", "margin", "expected"),
    [("000100000", 2, "011111000"), ("100000001", 1, "110000011"), ("0000", 3, "0000"), ("0110", 0, "0110")],
)
def test_a_margin_is_on_both_sides(given: str, margin: int, expected: str) -> None:
    assert with_margin(marked(given), margin).tolist() == marked(expected).tolist()


def test_strips_of_long_data_are_evenly_spaced_and_nested() -> None:
    normal = np.ones(40 * STRIP_ROWS, bool)
    assert sample_strips(normal, len(normal)).all()
    half, few = (sample_strips(normal, len(normal) // part) for part in (2, 5))
    assert half.sum() == 20 * STRIP_ROWS
    assert few.sum() == 5 * STRIP_ROWS
    assert (half | few).sum() == half.sum()
    normal[STRIP_ROWS:] = False
    assert sample_strips(normal, STRIP_ROWS).all(), "rows that are not learned anyway cost nothing"


def test_folds_hold_equally_many_normal_rows() -> None:
    normal = np.ones(6000, bool)
    normal[1000:3000] = False
    folds = time_folds(normal)
    assert (np.diff(folds) >= 0).all()
    assert np.bincount(folds[normal]).tolist() == [667, 667, 666, 667, 667, 666]
    assert not time_folds(np.zeros(5, bool)).any()


@pytest.mark.parametrize("rows", [1, 2, 99, 100, 101])
@pytest.mark.parametrize("quantile", [0.0, 0.5, 0.99, 1.0])
def test_quantiles_of_columns_are_those_of_numpy(rows: int, quantile: float) -> None:
    values = np.random.default_rng(3).normal(size=(rows, 70)).astype(np.float32)
    assert_allclose(
        column_quantile(values, quantile), np.quantile(values, quantile, axis=0), rtol=1e-5, atol=1e-6
    )


def test_quantiles_of_a_single_column_leave_its_rows_in_order() -> None:
    values = np.random.default_rng(3).normal(size=(100, 1)).astype(np.float32)
    before = values.copy()
    column_quantile(values, 0.5)
    assert values.tolist() == before.tolist()


@pytest.mark.parametrize("rows", [0, 1, 255, 256, 600])
def test_a_tall_array_is_transposed_block_by_block(rows: int) -> None:
    values = np.arange(3 * rows, dtype=np.float32).reshape(rows, 3)
    found = transposed(values)
    assert found.tolist() == values.T.tolist()
    assert found.flags.c_contiguous


@pytest.mark.parametrize("mask", ["0000", "1111", "0110", "1010", "1101", "0001"])
def test_marked_rows_are_taken_whether_or_not_they_follow_each_other(mask: str) -> None:
    rows = np.arange(8, dtype=np.float32).reshape(4, 2)
    assert taken(rows, marked(mask)).tolist() == rows[marked(mask)].tolist()
