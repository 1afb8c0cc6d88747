"""Training again must not change its mind about which sensors drift."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from engine import Adaptation, Detector, UnconfirmedChange, fit
from engine.detect.slow_drift import SlowDrift
from engine.train.known_drift import with_known_drift
from tests.engine.plant import pump

Mask = NDArray[np.bool_]
HEALTHY = np.ones(100, bool)
NOTHING = np.zeros(100, bool)
SECOND_HALF = np.arange(100) >= 50


@cache
def pump_of_days() -> Detector:
    return fit(pump(6000, seed=8))


@pytest.fixture
def pumps() -> Detector:
    return pump_of_days()


def known(pumps: Detector, *steady: float, trust: float = 1.0) -> Detector:
    """Return a detector whose training vouches that far for each sensor."""
    assert pumps.slow is not None
    return replace(pumps, slow=replace(pumps.slow, steady=np.array(steady), trust=trust, held=trust))


def fits(pumps: Detector, *steady: float) -> Callable[[Mask], SlowDrift | None]:
    return lambda _: known(pumps, *steady).slow


def test_a_sensor_that_drifted_is_not_steady_because_its_drift_was_left_out(pumps: Detector) -> None:
    prior = known(pumps, 1, 0.3, 1, 1, 0.9)
    found = with_known_drift(fits(pumps, 1, 1, 0.8, 1, 1), HEALTHY, NOTHING, prior)
    assert found is not None
    assert found.steady.tolist() == [1, 0.3, 0.8, 1, 0.9]


def test_a_sensor_that_held_and_now_drifts_needs_a_word(pumps: Detector) -> None:
    prior = known(pumps, 1, 0.3, 1, 1, 1)
    with pytest.raises(UnconfirmedChange, match=r"holds 'pump.Pressure' to its training, and the rows drift"):
        with_known_drift(fits(pumps, 1, 0.1, 0.4, 1, 1), HEALTHY, NOTHING, prior)


def test_drift_of_rows_that_people_called_normal_is_learned(pumps: Detector) -> None:
    def only_there(rows: Mask) -> SlowDrift | None:
        return known(pumps, 1, 1, 0.4 if rows[SECOND_HALF].any() else 1, 1, 1).slow

    prior = known(pumps, 1, 1, 1, 1, 1)
    found = with_known_drift(only_there, HEALTHY, SECOND_HALF, prior)
    assert found is not None
    assert found.steady[2] == 0.4
    assert with_known_drift(lambda rows: only_there(rows) if rows.all() else None, HEALTHY, HEALTHY, prior)
    with pytest.raises(UnconfirmedChange):
        with_known_drift(only_there, HEALTHY, ~SECOND_HALF, prior)


@pytest.mark.parametrize(("adaptation", "trust"), [("follow", 1.0), ("auto", 0.4)])
def test_a_plant_that_is_not_held_is_taken_as_it_is(
    pumps: Detector, adaptation: Adaptation, trust: float
) -> None:
    prior = replace(known(pumps, 1, 0.3, 1, 1, 1, trust=trust), adaptation=adaptation)
    found = with_known_drift(fits(pumps, 1, 1, 0.2, 1, 1), HEALTHY, NOTHING, prior)
    assert found is not None
    assert found.steady.tolist() == [1, 1, 0.2, 1, 1]


def test_without_a_slow_channel_nothing_is_known(pumps: Detector) -> None:
    fitted = fits(pumps, 1, 1, 0.2, 1, 1)
    assert with_known_drift(fitted, HEALTHY, NOTHING, replace(pumps, slow=None)) is not None
    assert with_known_drift(lambda _: None, HEALTHY, NOTHING, known(pumps, 1, 1, 1, 1, 1)) is None
