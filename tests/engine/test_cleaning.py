"""How long unlabelled faults are searched for."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.frame.scaling import Scaling
from engine.train import cleaning
from tests.engine.plant import pump

ROWS = 9000


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
