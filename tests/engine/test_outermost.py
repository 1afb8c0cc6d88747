"""Errors beyond training grow as fast as its own outermost states say."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engine import BadArtefact, Detector, Frame, Scores, fit
from engine.detect.artefact import pack, unpack
from engine.detect.slow_drift import SlowDrift
from engine.detect.smoothing import ewma
from engine.train.outermost import OUTERMOST, error_growth

DAY = 48
TRAIN, ROWS = 90 * DAY, 150 * DAY
SEASON = {"slow.reach", "slow.growth"}
"""Arrays of an artefact that releases before did not write."""


def plant(mixed: float) -> Frame:
    """Return seven sensors from winter to summer, a row in half an hour; training ends in spring.

    The third mixes two streams, by a share that varies: its relation to the weather is a product, as far as
    `mixed` says.
    """
    rng = np.random.default_rng(1)

    def slow(span: int) -> np.ndarray:
        return span**0.5 * ewma(rng.normal(size=(ROWS, 1)), np.zeros(1), span)[:, 0]

    weather = -9 * np.cos(2 * np.pi * np.arange(ROWS) / DAY / 365) + 2 * slow(3 * DAY)
    share = 1 / (1 + np.exp(-4 * slow(6)))
    load = share + 0.2 * slow(12)
    mixture = 40 * share + (1 - mixed * share) * weather
    causes = np.stack([share, weather, mixture, load], axis=1)
    follows = [
        [1, 0, 0, 0],
        [0, 0.4, 0, 0],
        [0, 0, 1, 0],
        [5, 0, 0, 1],
        [0, 0, 0, 1],
        [0, 0.2, 0, 0.3],
        [1, 0, 0, 3],
    ]
    values = causes @ np.array(follows).T
    values += 0.03 * values.std(axis=0) * rng.normal(size=values.shape)
    times = np.datetime64("2026-01-05", "us") + (np.arange(ROWS) + 1) * np.timedelta64(1800, "s")
    return Frame(
        times=times,
        values=values,
        sensors=tuple("abcdefg"),
        off=np.zeros(ROWS, bool),
        step=np.timedelta64(1800, "s"),
    )


@cache
def trained(mixed: float) -> Detector:
    return fit(plant(mixed).part(0, TRAIN))


def channel(detector: Detector) -> SlowDrift:
    assert detector.slow is not None
    return detector.slow


def without_growth(detector: Detector) -> Detector:
    """Return the detector as a release without these arrays wrote it."""
    meta, arrays = unpack(detector.to_bytes(), "detector")
    kept = {name: each for name, each in arrays.items() if name not in SEASON}
    return Detector.from_bytes(pack("detector", meta, kept))


def alarmed(scores: Scores) -> float:
    return float(scores.prediction.mean())


def test_where_relations_may_end_a_season_is_few_states_to_the_fast_views() -> None:
    """The second sensor follows the weather, the fourth the share, which comes and goes."""
    far = np.zeros((2, 7))
    far[0, 1], far[1, 3] = 3, 3
    doubted, known = (fit(plant(mixed).part(0, TRAIN)).trained for mixed in (1.0, 0.0))
    assert doubted is not None
    assert known is not None
    weather, share = (doubted.variance(far) - 1) / (known.variance(far) - 1)
    assert weather > 5
    assert share == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("growth", "doubt"), [([0, 0, 0], 0), ([0.2, 0.4, 0], 0.4), ([3, 0, 0.1], 1), ([], 0)]
)
def test_doubt_is_full_where_squared_errors_double_within_a_spread(growth: list[float], doubt: float) -> None:
    assert replace(channel(trained(0.0)), growth=np.array(growth, float)).doubt == doubt


def test_a_season_into_which_relations_do_not_go_on_is_quiet() -> None:
    later = plant(1.0).part(TRAIN, ROWS)
    assert alarmed(trained(1.0).score(later)) < 0.05
    assert alarmed(without_growth(trained(1.0)).score(later)) > 0.3


@pytest.mark.parametrize("sensor", range(7))
def test_wear_in_such_a_season_alarms(sensor: int) -> None:
    frame = plant(1.0)
    wear = slice(TRAIN + 30 * DAY, TRAIN + 45 * DAY)
    values = frame.values.copy()
    values[wear, sensor] += np.linspace(0, 4, 15 * DAY) * frame.values[:TRAIN, sensor].std()
    later = replace(frame, values=values).part(TRAIN, ROWS)
    assert trained(1.0).score(later).prediction[40 * DAY : 45 * DAY].mean() > 0.9


def test_errors_grow_where_relations_do_not_go_on_and_nowhere_else() -> None:
    straight, product = (channel(fit(plant(mixed).part(0, TRAIN))).growth for mixed in (0.0, 1.0))
    assert not straight.any()
    assert product.max() > 0.3


def test_windows_carry_where_the_plant_is() -> None:
    later, detector = plant(1.0).part(TRAIN, ROWS), trained(1.0)
    parts, state = [], None
    for start in range(0, len(later.times), 500):
        scores = detector.score(later.part(start, min(start + 500, len(later.times))), state=state)
        parts.append(scores.score)
        state = scores.state
    np.testing.assert_allclose(np.concatenate(parts), detector.score(later).score, atol=2e-5)


def test_a_state_of_an_older_release_goes_on() -> None:
    """It knows no place, and is back at it after some days."""
    later, detector = plant(1.0).part(TRAIN, ROWS), trained(1.0)
    meta, arrays = unpack(detector.score(later.part(0, 20 * DAY)).state, "scoring-state")
    kept = {name: each for name, each in arrays.items() if name != "slow place"}
    rest = later.part(20 * DAY, 40 * DAY)
    now, then = (
        detector.score(rest, state=pack("scoring-state", meta, each)).score for each in (arrays, kept)
    )
    np.testing.assert_allclose(now[10 * DAY :], then[10 * DAY :], atol=2e-5)


def test_errors_that_shrink_beyond_training_are_refused() -> None:
    meta, arrays = unpack(trained(1.0).to_bytes(), "detector")
    with pytest.raises(BadArtefact, match="malformed"):
        Detector.from_bytes(pack("detector", meta, arrays | {"slow.growth": arrays["slow.growth"] - 100}))


EVEN = np.linspace(-1, 1, 100_001)[:, None]
"""Places from end to end, the outermost of which are beyond the others by at most `OUTERMOST`."""


@pytest.mark.parametrize(
    ("times", "days", "excess"),
    [(1.0, 90, 0.0), (0.2, 90, 0.0), (1.2, 90, 0.0), (5.0, 90, 4 * (1 - 2 / 16 / (OUTERMOST * 90)))],
    ids=["as usual", "smaller", "by chance", "larger"],
)
def test_errors_grow_by_what_is_beyond_chance(times: float, days: float, excess: float) -> None:
    growth = error_growth(EVEN, lambda bins: times, days)
    assert growth == pytest.approx([excess / (OUTERMOST**2 / 3)], rel=1e-3)


def test_the_outermost_states_of_both_ends_are_predicted_by_the_rest() -> None:
    seen: list[np.ndarray] = []

    def squares(bins: np.ndarray) -> float:
        seen.append(bins)
        return 1.0

    error_growth(EVEN, squares, 90)
    (bins,) = seen
    assert bins.mean() == pytest.approx(OUTERMOST, abs=1e-3)
    assert np.abs(EVEN[bins, 0]).min() > np.abs(EVEN[~bins, 0]).max()


def test_an_axis_on_which_nothing_moves_says_nothing() -> None:
    assert error_growth(np.zeros((100, 1)), lambda bins: 9.0, 90).tolist() == [0.0]
