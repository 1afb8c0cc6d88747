"""States that training did not hold: the slow channel forgives what it must extrapolate, and no fault."""

from dataclasses import replace

import numpy as np

from engine import Detector, Frame, fit
from engine.detect.artefact import pack, unpack
from engine.detect.smoothing import ewma
from engine.detect.trained_states import GROWTH, TrainedStates, confirmed_states

STEP = np.timedelta64(600, "s")
DAY = 144
TRAIN = 28 * DAY


def warming(days: int = 56) -> Frame:
    """Eight sensors that follow load and weather; after training it grows warmer than training ever was."""
    rng = np.random.default_rng(0)
    rows = days * DAY

    def slow(count: int, span: int) -> np.ndarray:
        return ewma(rng.normal(size=(rows, count)), np.zeros(count), span)

    load = np.sin(2 * np.pi * np.arange(rows) / DAY) + 3 * slow(1, 30)[:, 0]
    season = 1.5 * np.clip((np.arange(rows) - TRAIN) / (10 * DAY), 0, 1)
    weather = 10 * slow(1, 400)[:, 0] + season
    causes = np.stack([load, weather, load], axis=1)
    values = causes @ rng.normal(size=(3, 8)) + 0.2 * rng.normal(size=(rows, 8)) + 2.5 * slow(8, 40)
    times = np.datetime64("2026-01-05", "us") + (np.arange(rows) + 1) * STEP
    return Frame(times=times, values=values, sensors=tuple("abcdefgh"), off=np.zeros(rows, bool), step=STEP)


def test_a_season_that_training_did_not_hold_is_quiet_and_a_fault_in_it_alarms() -> None:
    frame = warming()
    detector, later = fit(frame.part(0, TRAIN)), frame.part(TRAIN, len(frame.times))
    assert detector.score(later).prediction.mean() < 0.05
    values = later.values.copy()
    wear = slice(12 * DAY, 24 * DAY)
    values[wear, 2] += np.linspace(0, 4, 12 * DAY) * frame.values[:TRAIN, 2].std()
    found = detector.score(replace(later, values=values)).prediction == 1
    assert found[20 * DAY : 24 * DAY].mean() > 0.95


def test_a_channel_of_an_older_release_holds_every_state_for_known() -> None:
    """Its artefact knows no trained states, and its residuals count in full everywhere."""
    frame = warming()
    detector = fit(frame.part(0, TRAIN))
    meta, arrays = unpack(detector.to_bytes(), "detector")
    kept = {name: each for name, each in arrays.items() if name not in {"slow.low", "slow.high"}}
    old = Detector.from_bytes(pack("detector", meta, kept))
    assert old.slow is not None
    assert (old.slow.trained.error(np.full((1, 8), 30.0)) == 1).all()
    later = frame.part(TRAIN, len(frame.times))
    assert old.score(later).prediction.mean() > detector.score(later).prediction.mean()


def test_a_state_counts_as_far_as_the_other_sensors_confirm_it() -> None:
    values = np.array([[4.0, -4.0, 4.0, 4.0, 0.5, np.nan]])
    predicted = np.array([[3.0, -5.0, 0.0, -3.0, 2.0, 1.0]])
    states = confirmed_states(values, values - predicted)
    np.testing.assert_allclose(states, [[3.0, -4.0, 0.0, 0.0, 0.5, 0.0]])


def test_errors_grow_with_the_farthest_sensor_beyond_training() -> None:
    trained = TrainedStates.of(np.array([[-1.0, 0.0], [2.0, 1.0]]))
    errors = trained.error(np.array([[0.0, 0.5], [3.0, 0.5], [3.0, -2.0]]))
    np.testing.assert_allclose(errors, 1 + GROWTH * np.array([0.0, 1.0, 2.0]))
