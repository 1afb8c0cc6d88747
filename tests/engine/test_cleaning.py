"""Which training rows are left out because a sensor is silent, and how long faults are searched for."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.detect.features import LONGEST_MEMORY as MARGIN
from engine.detect.notices import SILENT_ROWS
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
    kept = cleaning.without_suspicious(replace(whole, values=values), np.ones(ROWS, bool), ROWS)
    assert kept[4000:4300].any() == (not fault)
    return rounds


def test_the_search_for_faults_ends_when_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged_rounds(monkeypatch, fault=False) == 1
    monkeypatch.undo()
    assert 1 < judged_rounds(monkeypatch, fault=True) < cleaning.ROUNDS


@pytest.mark.parametrize(
    ("found", "kept"),
    [([4, 5, 5], 5), ([4, 7, 9, 9], 9), ([3, 5, 10, 11], 5), ([2, 6, 8, 8], 8)],
    ids=["a fault", "faults beside it", "ever more", "most in the second"],
)
def test_a_round_after_the_second_counts_if_it_adds_less(found: list[int], kept: int) -> None:
    """The less is learned of how a machine runs, the more of it looks odd. Faults do not spread like that."""
    rounds = iter(found)
    frame = pump(ROWS, seed=4)

    def judged(*_arguments: Any) -> tuple[Any, Any]:
        ratio = np.zeros(ROWS)
        for run in range(next(rounds)):
            ratio[200 + 400 * run : 400 + 400 * run] = 2 * cleaning.FAR_ABOVE
        return ratio, np.zeros(ROWS)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cleaning, "_judged", judged)
        normal = cleaning.without_suspicious(frame, np.ones(ROWS, bool), ROWS)
    left_out = normal[400 * np.arange(1, 22) - 100]
    assert np.count_nonzero(~left_out) == kept
