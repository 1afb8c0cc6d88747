"""Which training rows are left out because a sensor is silent, and how long faults are searched for."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.detect.features import LONGEST_MEMORY as MARGIN
from engine.detect.notices import SILENT_ROWS
from engine.frame.scaling import Scaling
from engine.train import cleaning
from engine.train.cleaning import without_silent
from tests.engine.plant import pump

ROWS = 9000


@pytest.mark.parametrize(
    ("silent", "left_out"),
    [
        ((500, 500 + SILENT_ROWS - 1), None),
        ((500, 500 + SILENT_ROWS), (500 + SILENT_ROWS - 1 - MARGIN, 500 + SILENT_ROWS + MARGIN)),
        ((4000, 4300), (4000 + SILENT_ROWS - 1 - MARGIN, 4300 + MARGIN)),
        ((0, 40), (0, 40 + MARGIN)),
        ((8000, ROWS), (8000 + SILENT_ROWS - 1 - MARGIN, ROWS)),
        ((0, ROWS * 3 // 4), None),
        ((0, ROWS), None),
    ],
    ids=["short", "just silent", "across blocks", "at the start", "at the end", "mostly", "always"],
)
def test_rows_with_a_silent_sensor_are_not_learned(
    silent: tuple[int, int], left_out: tuple[int, int] | None
) -> None:
    whole = pump(ROWS, seed=4)
    values = whole.values.copy()
    values[slice(*silent), 2] = np.nan
    expected = np.ones(ROWS, bool)
    if left_out is not None:
        expected[slice(*left_out)] = False
    kept = without_silent(replace(whole, values=values), np.ones(ROWS, bool))
    assert np.array_equal(kept, expected)


def test_silence_where_nothing_is_learned_anyway_costs_no_row() -> None:
    whole = pump(ROWS, seed=4)
    values, normal = whole.values.copy(), np.ones(ROWS, bool)
    values[1000:8000, 2] = np.nan
    normal[1000:8000] = False
    assert np.array_equal(without_silent(replace(whole, values=values), normal), normal)


def test_single_missing_values_of_many_sensors_cost_no_row() -> None:
    whole = pump(ROWS, seed=4)
    values = np.where(np.random.default_rng(0).random(whole.values.shape) < 0.2, np.nan, whole.values)
    kept = without_silent(replace(whole, values=values), np.ones(ROWS, bool))
    assert kept.mean() > 0.99


def judged_rounds(monkeypatch: pytest.MonkeyPatch, *, fault: bool) -> int:
    """Return how often the rows of a pump are judged, with a long fault of one sensor or without."""
    rounds = 0

    def counted(*args: Any) -> Any:
        nonlocal rounds
        rounds += 1
        return judged(*args)

    judged = cleaning._judged
    monkeypatch.setattr(cleaning, "_judged", counted)
    whole = pump(ROWS, seed=4)
    values = whole.values.copy()
    if fault:
        values[4000:4300, 2] += 2 * values[:, 2].std()
    normal = np.ones(ROWS, bool)
    kept = cleaning.without_suspicious(
        replace(whole, values=values), normal, Scaling.of(values, normal), ROWS
    )
    assert kept[4000:4300].any() == (not fault)
    return rounds


def test_faults_are_searched_for_twice_and_only_where_there_are_any(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged_rounds(monkeypatch, fault=False) == 1
    monkeypatch.undo()
    assert judged_rounds(monkeypatch, fault=True) == 2
