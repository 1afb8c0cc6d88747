"""What a fit decides about drift, and what scoring does about levels that move later."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from engine import Detector, Frame, Scores, fit
from engine.detect.features import TRACKED
from engine.detect.level_shift import SPAN
from tests.engine.plant import cut, frame, pump
from tests.engine.rounding import assert_windows_agree


def drifting(rows: int, *, seed: int) -> Frame:
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(rows, 1)).cumsum(axis=0) * 0.05
    values = common * np.linspace(1, 2, 5) + rng.normal(0, 0.3, (rows, 5))
    return frame(values + rng.normal(0, 0.01, (rows, 5)).cumsum(axis=0))


@pytest.fixture(scope="module")
def tracked() -> Detector:
    return fit(cut(drifting(12000, seed=6), 0, 8000))


@pytest.mark.parametrize(
    ("rows", "span"), [(1240, 0), (1250, 208), (1300, 216), (5999, 999), (6000, 1000), (9000, 1000)]
)
def test_the_baseline_is_as_long_as_a_sixth_of_training_within_bounds(rows: int, span: int) -> None:
    detector = fit(cut(pump(9000, seed=1), 0, rows))
    assert detector.pipeline.baseline.span == span
    assert any(view.name in TRACKED for view in detector.views) == (span > 0)


def test_fast_faults_are_found_whatever_drifts(tracked: Detector) -> None:
    whole = drifting(12000, seed=6)
    values = whole.values[8000:].copy()
    values[3000:3100, 2] += 3

    scores = tracked.score(replace(cut(whole, 8000, 12000), values=values))

    assert scores.prediction[:3000].mean() < 0.05
    assert scores.prediction[3010:3100].mean() > 0.7
    assert scores.contributions[3010:3100].mean(axis=0).argmax() == 2


def moved(whole: Frame, sensor: int, start: int, stop: int, by: float) -> Frame:
    values = whole.values.copy()
    values[start:stop, sensor] += by * values[:, sensor].std()
    return replace(whole, values=values)


@pytest.fixture(scope="module")
def steady() -> tuple[Detector, Frame]:
    whole = pump(14000, seed=1)
    return fit(cut(whole, 0, 6000)), cut(whole, 6000, 14000)


SHIFTS: dict[str, dict[int, float]] = {
    "small": {1: 0.4},
    "several": {1: 1.0, 2: -1.5, 3: 0.7},
    "large": {2: 8.0},
}


@pytest.mark.parametrize(
    ("drifts", "by", "size"),
    [
        *itertools.product([False, True], SHIFTS, [64, 999]),
        # Hundreds of windows take seconds: once with a level that is taken over, once with some that are not.
        (False, "small", 7),
        (True, "several", 7),
    ],
)
def test_levels_go_on_from_window_to_window(
    steady: tuple[Detector, Frame], tracked: Detector, *, drifts: bool, by: str, size: int
) -> None:
    detector, rows = (tracked, cut(drifting(12000, seed=6), 8000, 10000)) if drifts else steady
    rows = cut(rows, 0, 2000)
    for sensor, shift in SHIFTS[by].items():
        rows = moved(rows, sensor, 300, 1600, shift)
    state, parts = None, []
    for start in range(0, 2000, size):
        parts.append(detector.score(cut(rows, start, min(start + size, 2000)), state=state))
        state = parts[-1].state
    at_once = detector.score(rows)
    assert_windows_agree(detector, parts, at_once)
    together = sum((part.moved * len(part.times) for part in parts if part.moved is not None), np.zeros(5))
    expected = np.zeros(5) if at_once.moved is None else at_once.moved * 2000
    np.testing.assert_allclose(together, expected, atol=1e-2)


def test_a_level_that_stays_away_alarms_then_is_taken_over_and_told(steady: tuple[Detector, Frame]) -> None:
    detector, later = steady
    scores = detector.score(moved(later, 2, 1000, 8000, 0.4))
    assert scores.prediction[1010:1500].mean() > 0.9, "at first it is a fault"
    assert scores.prediction[1000 + SPAN :].mean() < 0.03, "in the end it is how the plant is"
    assert scores.moved is not None
    assert scores.moved.argmax() == 2
    assert scores.moved[2] > 0.7
    assert (np.delete(scores.moved, 2) < 0.3).all()


def test_the_farther_a_level_jumped_the_longer_it_alarms_but_not_for_ever() -> None:
    whole = pump(36000, seed=1)
    detector, later = fit(cut(whole, 0, 6000)), cut(whole, 6000, 36000)
    scores = [detector.score(moved(later, 2, 1000, 30000, by)) for by in (0.3, 1.0, 3.0)]
    modest, large, huge = (each.prediction[1000:6000].mean() for each in scores)
    assert modest < large < huge
    assert modest < 0.2
    assert huge > 0.5
    assert all(each.prediction[10000:].mean() < 0.03 for each in scores)


def test_several_sensors_that_moved_together_alarm_for_as_long_as_they_stay(
    steady: tuple[Detector, Frame],
) -> None:
    detector, later = steady
    both = moved(moved(later, 2, 1000, 6000, 1.0), 4, 1000, 6000, -1.5)
    scores = detector.score(both)
    assert scores.prediction[1010:6000].mean() > 0.95
    assert scores.prediction[6100:].mean() < 0.05


def test_large_faults_alarm_as_long_on_a_plant_that_drifts(tracked: Detector) -> None:
    """Drift is small when it is taken over: what is neither small nor of one sensor is a fault there, too."""
    later = cut(drifting(12000, seed=6), 8000, 12000)
    several = tracked.score(moved(moved(later, 2, 500, 3500, 4.0), 3, 500, 3500, -4.0))
    single = tracked.score(moved(later, 2, 500, 3500, 12.0))
    for scores in (several, single):
        assert scores.prediction[:500].mean() < 0.05
        assert scores.prediction[510:3500].mean() > 0.95
    assert single.contributions[510:3500].mean(axis=0).argmax() == 2


def test_faults_that_training_left_out_change_nothing_of_how_long_later_ones_alarm() -> None:
    whole = pump(14000, seed=1)
    detector = fit(moved(cut(whole, 0, 6000), 2, 2000, 2900, 3.0))
    assert detector.trimmed > 0.1
    later = cut(whole, 6000, 14000)
    scores = detector.score(moved(moved(later, 2, 1000, 6000, 1.0), 4, 1000, 6000, -1.5))
    assert scores.prediction[1010:6000].mean() > 0.95


@pytest.mark.parametrize(("size", "share"), [(1.5, 0.85), (1.6, 0.9)])
def test_other_sensors_are_watched_on_while_one_level_has_moved(
    steady: tuple[Detector, Frame], size: float, share: float
) -> None:
    detector, later = steady
    rows = moved(moved(later, 2, 1000, 8000, 1.0), 4, 6000, 6200, size)
    scores = detector.score(rows)
    assert scores.prediction[6010:6200].mean() > share
    assert scores.contributions[6010:6200].mean(axis=0).argmax() == 4


def test_the_trained_level_counts_again_once_it_is_back(steady: tuple[Detector, Frame]) -> None:
    detector, later = steady
    back = moved(later, 2, 0, 3000, 1.0)
    scores: Scores = detector.score(moved(back, 2, 6000, 6300, 1.0))
    assert scores.prediction[3100:6000].mean() < 0.05
    assert scores.prediction[6010:6300].mean() > 0.9
