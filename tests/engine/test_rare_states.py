"""Rare states of a plant are learned; what happened once, or to one sensor alone, is not."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from engine import BadArtefact, Detector, Frame, fit
from engine.detect.rare_states import RareStates, state_distance
from engine.frame.scaling import Scaling
from engine.train.cleaning import without_suspicious
from engine.train.returning_states import rare_limits
from tests.engine.plant import frame

Floats = NDArray[np.float64]
ROWS = 12_000
HOT = 200
"""Rows of a hot spell, in which a cooler's valve opens."""
SPELLS = (1000, 4000, 6500, 9000, 11_000)
LOAD, OIL, VALVE = 1, 3, 4


def cooled(spells: tuple[int, ...], *, seed: int = 3, rows: int = ROWS) -> Frame:
    """Return a cooled machine: in hot spells its valve opens, and the oil no longer follows the motor."""
    rng = np.random.default_rng(seed)
    load = np.repeat(rng.uniform(0.6, 1.0, rows // 300), 300)
    warm = np.zeros(rows)
    for start in spells:
        warm[start : start + HOT] = 25 * np.minimum(2 * np.hanning(HOT), 1)
    air = 10 + 3 * np.sin(np.arange(rows) / 230) + warm
    motor = air + 30 * load
    valve = np.clip((motor - 42) / 20, 0, 1)
    oil = motor - 15 * valve
    noise = rng.normal(0, 1, (rows, 5)) * (0.2, 0.01, 0.2, 0.2, 0.01)
    return frame(
        np.stack([air, load, motor, oil, valve], axis=1) + noise,
        sensors=("air", "load", "motor", "oil", "valve"),
    )


def learned(whole: Frame) -> NDArray[np.bool_]:
    normal = np.ones(len(whole.times), bool)
    return without_suspicious(whole, normal, Scaling.of(whole.values, normal), len(whole.times))


def middle(start: int) -> slice:
    return slice(start + HOT // 4, start + 3 * HOT // 4)


def test_a_rare_state_that_comes_back_is_learned() -> None:
    kept = learned(cooled(SPELLS))
    assert [kept[middle(start)].all() for start in SPELLS] == [True] * len(SPELLS)


def test_hot_spells_that_curves_predict_from_one_another_are_learned_from_two_on() -> None:
    for count in (2, 3):
        kept = learned(cooled(SPELLS[:count]))
        assert [kept[middle(start)].all() for start in SPELLS[:count]] == [True] * count


@pytest.mark.parametrize("at", [LOAD, OIL, VALVE], ids=["load", "oil", "valve"])
def test_a_fault_in_one_of_three_hot_spells_is_not_learned_and_the_others_are(at: int) -> None:
    whole = cooled(SPELLS[:3])
    values = whole.values.copy()
    values[SPELLS[2] : SPELLS[2] + HOT, at] += 3 * values[:, at].std()
    kept = learned(replace(whole, values=values))
    assert [kept[middle(start)].any() for start in SPELLS[:3]] == [True, True, False]


def test_a_rare_state_that_came_once_is_not_learned() -> None:
    kept = learned(cooled(SPELLS[2:3]))
    assert not kept[middle(SPELLS[2])].any()
    assert kept.mean() > 0.95


@pytest.mark.parametrize("at", [OIL, VALVE], ids=["oil", "valve"])
def test_a_sensor_that_leaves_its_relation_again_and_again_is_not_learned(at: int) -> None:
    whole = cooled(())
    values = whole.values.copy()
    for start in SPELLS:
        values[start : start + HOT, at] += 4 * values[:, at].std()
    kept = learned(replace(whole, values=values))
    assert not any(kept[middle(start)].any() for start in SPELLS)


def test_a_machine_that_learned_its_hot_days_is_quiet_on_the_next_one() -> None:
    detector = fit(cooled(SPELLS))
    later = cooled(SPELLS, seed=4)
    assert float(detector.score(later).prediction.mean()) < 0.01


def windy(spells: tuple[int, ...], *, seed: int, rows: int) -> Frame:
    """Return the cooled machine in wind that nobody measures: each hot spell is its own."""
    whole, rng = cooled(spells, seed=seed, rows=rows), np.random.default_rng(seed + 50)
    values = whole.values.copy()
    for start in spells:
        values[start : start + HOT, OIL] += rng.normal() * np.minimum(2 * np.hanning(HOT), 1)
    return replace(whole, values=values)


def trained_in_the_cold() -> Detector:
    """Return a detector whose training held seven hot spells: rows that the budget hardly notices."""
    return fit(windy(tuple(range(1000, 44_000, 7000)), seed=5, rows=45_000))


def test_a_season_of_hot_days_is_quiet_and_faults_in_it_alarm() -> None:
    detector = trained_in_the_cold()
    season = windy(tuple(range(200, ROWS - HOT, 500)), seed=6, rows=ROWS)
    assert detector.score(season).prediction.mean() < 0.01
    everywhere = replace(detector, rare=None, trained=None)
    assert everywhere.score(season).prediction.mean() > 0.04
    values = season.values.copy()
    fault = middle(5200)
    values[fault, LOAD] += 0.3
    assert detector.score(replace(season, values=values)).prediction[fault].mean() > 0.8


def test_limits_in_rare_states_are_kept_and_act_on_every_window() -> None:
    detector = trained_in_the_cold()
    assert detector.rare is not None
    again = Detector.from_bytes(detector.to_bytes())
    assert again.rare == detector.rare
    season = windy((100, 600, 1100), seed=6, rows=1500)
    state, parts = None, []
    for start in range(0, 1500, 250):
        scores = again.score(season.part(start, start + 250), state=state)
        state = scores.state
        parts.append(scores.score)
    np.testing.assert_allclose(np.concatenate(parts), detector.score(season).score, atol=2e-5)


@pytest.mark.parametrize("rare", [{"usual": 0.0, "widening": 2.0}, {"usual": 1.0, "widening": 0.5}])
def test_malformed_rare_states_are_refused(rare: dict[str, float]) -> None:
    with pytest.raises(BadArtefact, match="rare states beyond"):
        RareStates.read(rare)


@pytest.mark.parametrize(
    ("distance", "factor"),
    [(0, 1), (2, 1), (3, 2), (4, 3), (9, 3)],
    ids=["usual", "edge", "half", "rare", "far"],
)
def test_limits_widen_beyond_the_usual_states(distance: float, factor: float) -> None:
    assert RareStates(usual=2.0, widening=3.0).factor(np.array([distance], float)).tolist() == [factor]


@pytest.mark.parametrize(
    ("visits", "ratio", "widening"),
    [(3, 4.0, None), (4, 4.0, 2.0), (6, 4.0, 4.0), (9, 4.0, 4.0), (9, 1.0, None)],
    ids=["too few", "in part", "enough", "more", "limits are wide enough"],
)
def test_limits_of_rare_states_need_visits(visits: int, ratio: float, widening: float | None) -> None:
    distance, ratios = np.ones(1000), np.full(1000, 0.5)
    for visit in range(visits):
        distance[100 * visit : 100 * visit + 5], ratios[100 * visit : 100 * visit + 5] = 3, ratio
    found = rare_limits(distance, ratios, quantile=0.99, apart=50)
    assert (found and found.widening) == widening


@pytest.mark.parametrize(
    ("values", "residuals", "distance"),
    [
        ((3, 0), (0, 0), 3),
        ((-3, 0), (0, 0), 3),
        ((3, 0), (3, 0), 0),
        ((3, 0), (1, 0), 2),
        ((3, 0), (5, 0), 0),
        ((3, 0), (-2, 0), 3),
        ((1, -4), (0, 1.5), 4),
        ((1, -4), (0, -1.5), 2.5),
    ],
    ids=["confirmed", "below", "alone", "in part", "contradicted", "more than it is", "farther", "largest"],
)
def test_a_distance_counts_as_far_as_the_other_sensors_confirm_it(
    values: tuple[float, float], residuals: tuple[float, float], distance: float
) -> None:
    one = [np.array([each], np.float32) for each in (values, residuals)]
    assert state_distance(*one).tolist() == [distance]
