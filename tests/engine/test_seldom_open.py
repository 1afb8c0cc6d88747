"""A valve that is nearly always closed: open, it is a hundred of its spreads away."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engine import Detector, Frame, fit
from engine.detect.artefact import pack, unpack
from engine.detect.detector import KIND
from tests.engine.plant import frame

ROWS = 30_000
STEP = np.timedelta64(600, "s")
MOTOR, OIL, VALVE = 2, 3, 4


def cooled(rows: int, *, seed: int, heat: float, hot_days: float) -> Frame:
    """Return a machine whose cooler opens in hot hours, the wider the hotter, and cools the oil."""
    rng = np.random.default_rng(seed)
    load = np.repeat(rng.uniform(0.5, 1.0, rows // 20 + 1), 20)[:rows]
    air = 15 + 6 * np.sin(np.arange(rows) * 2 * np.pi / 144)
    spells = np.flatnonzero(rng.random(rows // 144) < hot_days) * 144 + 40
    for start in spells:
        air[start : start + 30] += heat * rng.uniform(0.4, 1) * np.hanning(30)
    motor = 20 + 30 * load + air
    valve = np.maximum(air - 24, 0) / 20
    oil = 10 + motor - 25 * valve
    noise = rng.normal(size=(rows, 5)) * (0.2, 0.01, 0.3, 0.3, 0.001)
    values = np.stack([air, load, motor, oil, valve], axis=1) + noise
    made = frame(values, sensors=("air", "load", "motor", "oil", "valve"))
    return replace(made, times=made.times[0] + np.arange(rows) * STEP, step=STEP)


@cache
def trained() -> Detector:
    return fit(winter())


def winter() -> Frame:
    return cooled(ROWS, seed=1, heat=14.0, hot_days=0.03)


def later() -> Frame:
    """Return a summer: the valve opens ten times as often, and more than twice as wide."""
    return cooled(8000, seed=2, heat=24.0, hot_days=0.3)


def test_a_valve_that_opens_wider_than_ever_is_no_fault() -> None:
    detector = fit(winter())
    assert detector.score(later()).prediction.mean() < 0.005


def test_a_fault_of_the_open_valve_alarms() -> None:
    whole = later()
    values = whole.values.copy()
    values[2000:, OIL] += 3
    scores = trained().score(replace(whole, values=values))
    assert scores.prediction[2200:].mean() > 0.9


@pytest.mark.parametrize("size", [1, 7, 300])
def test_windows_agree_with_one_batch_while_a_valve_is_open(size: int) -> None:
    whole = later()
    first = int(np.argmax(whole.values[:, VALVE] > 0.1)) - 60
    part = whole.part(first, first + 300)
    state, found = None, []
    for start in range(0, 300, size):
        scores = trained().score(part.part(start, start + size), state=state)
        state = scores.state
        found.append(scores.score)
    np.testing.assert_allclose(np.concatenate(found), trained().score(part).score, atol=2e-5)


def test_models_of_older_releases_cut_readings_at_the_edge() -> None:
    meta, arrays = unpack(trained().to_bytes(), KIND)
    older = {name: value for name, value in meta.items() if name != "follows"}
    again = Detector.from_bytes(pack(KIND, older, arrays))
    assert not again.pipeline.scaling.follows
    state = trained().score(later().part(0, 50)).state
    assert again.score(later().part(50, 100), state=state).score.shape == (50,)


def test_spikes_hide_no_slow_fault() -> None:
    """One row in five hundred of one sensor is nonsense, in training and after; another wears for weeks."""
    rng = np.random.default_rng(5)
    whole = cooled(ROWS + 8000, seed=6, heat=0.0, hot_days=0.0)
    values = whole.values.copy()
    spikes = np.flatnonzero(rng.random(len(values)) < 0.002)
    values[spikes, MOTOR] += 1000 * rng.choice([-1, 1], len(spikes))
    values[ROWS + 1000 :, OIL] += np.linspace(0, 2, 7000)
    spiky = replace(whole, values=values)
    scores = fit(spiky.part(0, ROWS)).score(spiky.part(ROWS, ROWS + 8000))
    assert scores.prediction[:1000].mean() < 0.02
    assert scores.prediction[5000:].mean() > 0.9
