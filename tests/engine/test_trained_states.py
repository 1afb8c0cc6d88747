"""States that training did not hold: extrapolation does not alarm, and faults there do."""

from dataclasses import replace

import numpy as np
import pytest

from engine import BadArtefact, Detector, Frame, fit
from engine.detect.alarm import HISTORY_ROWS
from engine.detect.artefact import pack, unpack
from engine.detect.cross_prediction import RIDGE
from engine.detect.smoothing import ewma, newest_largest
from engine.detect.trained_states import INDEPENDENT, TrainedStates, confirmed_states
from tests.engine.plant import frame as plant_frame

STEP = np.timedelta64(600, "s")
DAY = 144
TRAIN = 28 * DAY
STATES = ("states.center", "states.leverage")
"""Arrays of an artefact that tell how far the limits of the fast views widen."""
SLOW = ("slow.center", "slow.leverage")
"""The same of the slow channel."""


def warming(days: int = 56, by: float = 1.5) -> Frame:
    """Eight sensors that follow load and weather; after training it grows warmer than training ever was."""
    rng = np.random.default_rng(0)
    rows = days * DAY

    def slow(count: int, span: int) -> np.ndarray:
        return ewma(rng.normal(size=(rows, count)), np.zeros(count), span)

    load = np.sin(2 * np.pi * np.arange(rows) / DAY) + 3 * slow(1, 30)[:, 0]
    season = by * np.clip((np.arange(rows) - TRAIN) / (10 * DAY), 0, 1)
    weather = 10 * slow(1, 400)[:, 0] + season
    causes = np.stack([load, weather, load], axis=1)
    values = causes @ rng.normal(size=(3, 8)) + 0.2 * rng.normal(size=(rows, 8)) + 2.5 * slow(8, 40)
    times = np.datetime64("2026-01-05", "us") + (np.arange(rows) + 1) * STEP
    return Frame(times=times, values=values, sensors=tuple("abcdefgh"), off=np.zeros(rows, bool), step=STEP)


def without(detector: Detector, *names: str) -> Detector:
    """Return the detector as a release without these arrays wrote it."""
    meta, arrays = unpack(detector.to_bytes(), "detector")
    kept = {name: each for name, each in arrays.items() if name not in names}
    return Detector.from_bytes(pack("detector", meta, kept))


def test_a_season_that_training_did_not_hold_is_quiet_and_a_fault_in_it_alarms() -> None:
    frame = warming(by=5)
    detector, later = fit(frame.part(0, TRAIN)), frame.part(TRAIN, len(frame.times))
    assert detector.score(later).prediction.mean() < 0.05
    values = later.values.copy()
    wear = slice(12 * DAY, 24 * DAY)
    values[wear, 2] += np.linspace(0, 4, 12 * DAY) * frame.values[:TRAIN, 2].std()
    found = detector.score(replace(later, values=values)).prediction == 1
    assert found[20 * DAY : 24 * DAY].mean() > 0.95


def test_a_fast_fault_in_such_a_season_alarms() -> None:
    frame = warming()
    detector, later = fit(frame.part(0, TRAIN)), frame.part(TRAIN, len(frame.times))
    values = later.values.copy()
    fault = slice(20 * DAY, 20 * DAY + 36)
    values[fault, 2:4] += 4 * frame.values[:TRAIN, 2:4].std(axis=0)
    assert detector.score(replace(later, values=values)).prediction[fault].mean() > 0.9


@pytest.mark.parametrize(
    ("names", "adaptation"), [(SLOW, "auto"), (STATES, "follow")], ids=["slow channel", "fast views"]
)
def test_models_of_an_older_release_take_every_state_for_known(
    names: tuple[str, ...], adaptation: str
) -> None:
    """Their artefacts know no states, and residuals count in full everywhere."""
    frame = warming()
    detector = replace(fit(frame.part(0, TRAIN)), adaptation=adaptation)
    old = without(detector, *names)
    later = frame.part(TRAIN, len(frame.times))
    now, then = (each.score(later).score for each in (detector, old))
    assert now[10 * DAY :].mean() < then[10 * DAY :].mean()


@pytest.mark.parametrize(("at", "value"), [(0, np.nan), (1, np.inf)], ids=["centre", "leverage"])
def test_damaged_states_are_refused(at: int, value: float) -> None:
    detector = fit(warming(28))
    meta, arrays = unpack(detector.to_bytes(), "detector")
    damaged = np.full_like(arrays[STATES[at]], value)
    with pytest.raises(BadArtefact):
        Detector.from_bytes(pack("detector", meta, arrays | {STATES[at]: damaged}))


def test_limits_far_from_trained_states_are_kept_and_act_on_every_window() -> None:
    frame = warming(36)
    detector = replace(fit(frame.part(0, TRAIN)), adaptation="follow")
    later = frame.part(TRAIN, len(frame.times))
    again, state, parts = Detector.from_bytes(detector.to_bytes()), None, []
    for start in range(0, len(later.times), 250):
        scores = again.score(later.part(start, min(start + 250, len(later.times))), state=state)
        state = scores.state
        parts.append(scores.score)
    np.testing.assert_allclose(np.concatenate(parts), detector.score(later).score, atol=2e-5)


def test_limits_are_wide_as_long_as_a_view_sees_the_state() -> None:
    """And across windows: the state carries the newest factors."""
    factors = np.ones(70)
    factors[10] = 3
    whole, _ = newest_largest(factors, np.ones(HISTORY_ROWS))
    assert np.flatnonzero(whole == 3).tolist() == list(range(10, 10 + HISTORY_ROWS + 1))
    carried, parts = np.ones(HISTORY_ROWS), []
    for start in range(0, 70, 7):
        part, carried = newest_largest(factors[start : start + 7], carried)
        parts.append(part)
    assert np.concatenate(parts).tolist() == whole.tolist()


def test_a_state_of_an_older_release_goes_on() -> None:
    frame = warming(29)
    detector = fit(frame.part(0, TRAIN))
    later = frame.part(TRAIN, len(frame.times))
    state = detector.score(later.part(0, 70)).state
    meta, arrays = unpack(state, "scoring-state")
    old = pack("scoring-state", meta, {name: each for name, each in arrays.items() if name != "factors"})
    rest = later.part(70, len(later.times))
    now, then = (detector.score(rest, state=each).score for each in (state, old))
    np.testing.assert_array_equal(now[HISTORY_ROWS + 3 :] > 0.5, then[HISTORY_ROWS + 3 :] > 0.5)


def test_a_training_that_vouches_for_nothing_takes_all_states_for_alike() -> None:
    """Less than a week says little of a plant, and a plant that drifts leaves its states anyway."""
    rng = np.random.default_rng(5)
    short = plant_frame(rng.normal(size=(3000, 3)), sensors=("a", "b", "c"))
    assert fit(short).trained is None
    days = warming(28)
    walk = np.cumsum(rng.normal(size=days.values.shape), axis=0) / 10
    assert fit(replace(days, values=days.values + walk)).trained is None


def test_a_state_counts_as_far_as_the_other_sensors_confirm_it() -> None:
    values = np.array([[4.0, -4.0, 4.0, 4.0, 0.5, np.nan]])
    predicted = np.array([[3.0, -5.0, 0.0, -3.0, 2.0, 1.0]])
    states = confirmed_states(values, values - predicted)
    np.testing.assert_allclose(states, [[3.0, -4.0, 0.0, 0.0, 0.5, 0.0]])


def of(states: list[list[float]], days: float, trust: float = 1.0) -> TrainedStates:
    return TrainedStates.of(np.array(states), np.timedelta64(int(days * 86_400), "s"), trust)


CROSS = [[1.0, 2.0], [1.0, -2.0], [-1.0, 2.0], [-1.0, -2.0]]
"""Two sensors that know nothing of each other, with spreads of 1 and 2."""
LINE = [[1.0, 1.0], [-1.0, -1.0]]
"""Two sensors that follow each other."""


@pytest.mark.parametrize(
    ("state", "squares"), [((0, 0), 0), ((1, 0), 1), ((0, 2), 1), ((3, 0), 9), ((3, -4), 13)]
)
def test_errors_grow_with_the_distance_in_spreads_of_training(
    state: tuple[float, float], squares: float
) -> None:
    independent = 10
    trained = of(CROSS, independent * float(INDEPENDENT / np.timedelta64(1, "D")))
    expected = 1 + squares / (1 + RIDGE) / independent
    np.testing.assert_allclose(trained.variance(np.array([state], float)), [expected], rtol=1e-6)


def test_a_combination_that_training_did_not_hold_is_far_within_all_ranges() -> None:
    usual, new = of(LINE, 20).variance(np.array([[1.0, 1.0], [1.0, -1.0]]))
    assert new - 1 > 20 * (usual - 1)


def test_the_longer_training_is_the_less_errors_grow_and_without_trust_they_do_not() -> None:
    state = np.array([[3.0, 1.0]])
    month, year, none = (
        float(each.variance(state)[0] - 1) for each in (of(CROSS, 30), of(CROSS, 360), of(CROSS, 30, 0.0))
    )
    assert month == pytest.approx(12 * year, rel=1e-4)
    assert none == 0


@pytest.mark.parametrize(("at", "independent"), [(0, 5), (1, 30)])
def test_where_blocks_of_training_differ_fewer_states_are_independent(at: int, independent: int) -> None:
    """The first sensor stood at two levels for three of six blocks each, the other had both every day."""
    means = np.array([[1.0, 0.0]] * 3 + [[-1.0, 0.0]] * 3)
    trained = TrainedStates.of(np.array(CROSS), 30 * INDEPENDENT, means=means)
    state = np.zeros((1, 2))
    state[0, at] = CROSS[0][at]
    assert trained.variance(state)[0] - 1 == pytest.approx(1 / (1 + RIDGE) / independent, rel=1e-5)


def test_without_doubt_each_day_is_a_state_whatever_blocks_say() -> None:
    means = np.array([[1.0, 0.0]] * 3 + [[-1.0, 0.0]] * 3)
    every, doubted = (
        TrainedStates.of(np.array(CROSS), 30 * INDEPENDENT, means=means, doubt=doubt) for doubt in (0, 0.6)
    )
    known = TrainedStates.of(np.array(CROSS), 30 * INDEPENDENT)
    np.testing.assert_array_equal(every.leverage, known.leverage)
    assert doubted.leverage[0, 0] == pytest.approx(0.6 * 30 / 5 * known.leverage[0, 0], rel=1e-5)


def test_a_sensor_that_stood_still_in_training_makes_no_state() -> None:
    trained = of([[1.0, 0.5], [-1.0, 0.5]], 30)
    assert trained.variance(np.array([[0.0, 9.0]])).tolist() == [1.0]
