"""No cliffs: a change of training that means nothing changes alarms little, or not at all."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engine import Frame, fit
from engine.frame.scaling import Scaling
from engine.train.fit_settings import FitSettings
from engine.train.slow_fit import fit_slow
from tests.engine.plant import cut, pump
from tests.engine.plant import frame as plain

TRAIN, ROWS = 2500, 3500
FAULT = slice(500, 700)
"""Of the rows after training."""


@cache
def plant() -> Frame:
    whole = pump(ROWS, seed=5)
    values = whole.values.copy()
    values[TRAIN:, 1][FAULT] *= 0.6
    return replace(whole, values=values)


def alarms(whole: Frame, train: int = TRAIN) -> np.ndarray:
    found = fit(cut(whole, 0, train)).score(cut(whole, train, len(whole.times)))
    marked: np.ndarray = found.prediction[train - len(whole.times) :] == 1
    return marked


def in_other_units(whole: Frame) -> Frame:
    values = whole.values.copy()
    values[:, 0] = 1000 * values[:, 0] + 5000
    return replace(whole, values=values)


def reversed_order(whole: Frame) -> Frame:
    return replace(whole, values=whole.values[:, ::-1], sensors=whole.sensors[::-1])


@pytest.mark.parametrize("change", [in_other_units, reversed_order])
def test_units_and_order_of_sensors_change_nothing(change: Callable[[Frame], Frame]) -> None:
    before = alarms(plant())
    assert before[FAULT].mean() > 0.9
    np.testing.assert_array_equal(alarms(change(plant())), before)


def with_a_sensor_twice(whole: Frame) -> Frame:
    return replace(
        whole,
        values=np.concatenate([whole.values, whole.values[:, :1]], axis=1),
        sensors=(*whole.sensors, "again"),
    )


def with_a_little_noise(whole: Frame) -> Frame:
    values = whole.values.copy()
    spread = values[:TRAIN].std(axis=0)
    values[:TRAIN] += 0.01 * spread * np.random.default_rng(1).normal(size=values[:TRAIN].shape)
    return replace(whole, values=values)


@pytest.mark.parametrize("change", [with_a_sensor_twice, with_a_little_noise])
def test_what_adds_nothing_changes_little(change: Callable[[Frame], Frame]) -> None:
    before, after = alarms(plant()), alarms(change(plant()))
    assert after[FAULT].mean() > 0.9
    assert (before != after).mean() < 0.02


@pytest.mark.parametrize("shift", [1, 60, 240])
def test_a_training_that_begins_later_changes_little(shift: int) -> None:
    before, after = alarms(plant()), alarms(cut(plant(), shift, ROWS), TRAIN - shift)
    assert after[FAULT].mean() > 0.9
    assert (before != after).mean() < 0.02


def test_the_slow_channel_begins_to_count_by_time_however_few_rows_that_is() -> None:
    step = np.timedelta64(900, "s")
    values = np.random.default_rng(6).normal(size=(15 * 96, 5)) @ np.random.default_rng(7).normal(size=(5, 5))
    whole = plain(values)
    whole = replace(whole, times=whole.times[0] + np.arange(len(whole.times)) * step, step=step)
    trust = []
    for days in range(7, 16):
        frame = cut(whole, 0, days * 96)
        every = np.ones(len(frame.times), bool)
        slow = fit_slow(frame, every, Scaling.of(frame.values, every), FitSettings().quantile)
        assert slow is not None
        trust.append(slow.trust)
    np.testing.assert_allclose(trust, np.minimum((np.arange(7, 16) - 7) / 7, 1), atol=0.02)
