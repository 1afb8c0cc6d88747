"""Rare states of a plant are learned; what happened once, or to one sensor alone, is not."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from engine import Frame, fit
from engine.train.cleaning import without_suspicious
from engine.train.rare_states import state_distance
from tests.engine.plant import frame

Floats = NDArray[np.float64]
ROWS = 12_000
HOT = 200
"""Rows of a hot spell, in which a cooler's valve opens."""
SPELLS = (1000, 4000, 6500, 9000, 11_000)
VALVE, OIL = 4, 3


def cooled(spells: tuple[int, ...], *, seed: int = 3) -> Frame:
    """Return a cooled machine: in hot spells its valve opens, and the oil no longer follows the motor."""
    rng = np.random.default_rng(seed)
    load = np.repeat(rng.uniform(0.6, 1.0, ROWS // 300), 300)
    warm = np.zeros(ROWS)
    for start in spells:
        warm[start : start + HOT] = 25 * np.minimum(2 * np.hanning(HOT), 1)
    air = 10 + 3 * np.sin(np.arange(ROWS) / 230) + warm
    motor = air + 30 * load
    valve = np.clip((motor - 42) / 20, 0, 1)
    oil = motor - 15 * valve
    noise = rng.normal(0, 1, (ROWS, 5)) * (0.2, 0.01, 0.2, 0.2, 0.01)
    return frame(
        np.stack([air, load, motor, oil, valve], axis=1) + noise,
        sensors=("air", "load", "motor", "oil", "valve"),
    )


def learned(whole: Frame) -> NDArray[np.bool_]:
    return without_suspicious(whole, np.ones(len(whole.times), bool), len(whole.times))


def middle(start: int) -> slice:
    return slice(start + HOT // 4, start + 3 * HOT // 4)


def test_a_rare_state_that_comes_back_is_learned() -> None:
    kept = learned(cooled(SPELLS))
    assert [kept[middle(start)].all() for start in SPELLS] == [True] * len(SPELLS)


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
