"""Whatever the data looks like, the engine answers with finite scores or a clear refusal."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine import Detector, Frame, fit
from tests.engine.plant import cut, frame, pump

WHOLE = pump(1600, seed=12)
DETECTOR = fit(cut(WHOLE, 0, 1200))
LATER = cut(WHOLE, 1200, 1600)


def finite(detector: Detector, rows: Frame) -> None:
    scores = detector.score(rows)
    assert np.isfinite(scores.score).all()
    assert ((scores.score >= 0) & (scores.score <= 1)).all()
    np.testing.assert_allclose(scores.contributions.sum(axis=1), 1, atol=1e-5)


@example(cells=[(0, 2, 1.7e308), (1, 2, -1.7e308)], off=[])
@settings(max_examples=40)
@given(
    cells=st.lists(st.tuples(st.integers(0, 399), st.integers(0, 4), st.floats(width=64)), max_size=30),
    off=st.lists(st.integers(0, 399), max_size=30),
)
def test_any_cell_values_and_off_rows(cells: list[tuple[int, int, float]], off: list[int]) -> None:
    values = LATER.values.copy()
    for row, sensor, value in cells:
        values[row, sensor] = value
    mask = np.zeros(400, bool)
    mask[off] = True
    finite(DETECTOR, replace(LATER, values=values, off=mask))


@pytest.mark.parametrize("sensors", [1, 2, 5])
def test_a_sensor_that_never_speaks_and_one_in_another_unit(sensors: int) -> None:
    values = LATER.values.copy()
    values[:, sensors - 1] = np.nan
    finite(DETECTOR, replace(LATER, values=values))
    values[:, sensors - 1] = LATER.values[:, sensors - 1] * 1000
    scores = DETECTOR.score(replace(LATER, values=values))
    assert scores.prediction[40:].mean() > 0.9, "a new unit is visible at once"
    assert scores.contributions[40:].mean(axis=0).argmax() == sensors - 1


def test_training_data_with_gaps_constants_and_twins() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(900, 5))
    values[:, 1] = values[:, 0]
    values[:, 2] = 4.0
    values[rng.random((900, 5)) < 0.2] = np.nan
    finite(fit(frame(values[:600])), frame(values[600:]))


def test_an_empty_window_keeps_the_state() -> None:
    before = DETECTOR.score(cut(LATER, 0, 50))
    empty = DETECTOR.score(cut(LATER, 50, 50), state=before.state)
    assert len(empty.score) == 0
    assert empty.state == before.state


def test_rows_that_arrive_late_are_judged_by_what_is_known_then() -> None:
    first = DETECTOR.score(cut(LATER, 100, 200))
    finite(DETECTOR, cut(LATER, 50, 100))
    late = DETECTOR.score(cut(LATER, 50, 100), state=first.state)
    assert late.prediction.mean() < 0.2
