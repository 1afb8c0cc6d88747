"""Trainings of a few weeks: limits rest on few days, and bends on little evidence."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from engine import Detector, FitSettings, Frame, fit
from engine.detect.smoothing import ewma
from engine.train.chance import beyond_chance
from engine.train.few_days import few_days
from engine.train.slow_fit import _walk

DAY = np.timedelta64(1, "D").astype("timedelta64[us]")


@pytest.mark.parametrize(("days", "student"), [(14, 2.1604), (30, 2.0452), (60, 2.0010), (121, 1.9799)])
def test_limits_of_few_days_are_those_of_students_t(days: int, student: float) -> None:
    """Two-sided 95 % quantiles of Student's t, as tables have them, beside the normal one."""
    assert few_days(0.95, days * DAY) == pytest.approx((student / 1.9600) ** 2, rel=2e-3)


def test_half_a_year_changes_no_limit_by_more_than_a_fortieth() -> None:
    assert 1 < few_days(FitSettings().quantile, 180 * DAY) < 1.025


def test_less_than_a_week_counts_as_one() -> None:
    assert few_days(0.99, DAY // 24) == few_days(0.99, 7 * DAY)


@pytest.mark.parametrize(
    ("gains", "counts"),
    [
        ([0.0] * 6, 0.0),
        ([0.1] * 6, 1.0),
        ([-0.1] * 6, 0.0),
        ([0.3, -0.3, 0.3, -0.3, 0.3, -0.3], 0.0),
        ([3.0, 1.0, 3.0, 1.0, 3.0, 1.0], 0.95),
    ],
    ids=["none", "the same everywhere", "a loss", "chance", "twenty times its variance"],
)
def test_a_gain_counts_as_far_as_it_is_beyond_chance(gains: list[float], counts: float) -> None:
    assert beyond_chance(np.array(gains)) == pytest.approx(counts)


def plant(bent: float) -> Frame:
    """Return four weeks of eight sensors, a row in ten minutes; one of them bends with the weather."""
    rng = np.random.default_rng(2)
    rows = 28 * 144
    load = np.sin(2 * np.pi * np.arange(rows) / 144) + ewma(rng.normal(size=(rows, 1)), np.zeros(1), 30)[:, 0]
    weather = 10 * ewma(rng.normal(size=(rows, 1)), np.zeros(1), 300)[:, 0]
    values = np.stack([load, weather], axis=1) @ rng.normal(size=(2, 8)) + 0.3 * rng.normal(size=(rows, 8))
    values[:, 4] += bent * weather**2
    times = np.datetime64("2026-01-05", "us") + np.arange(rows) * np.timedelta64(600, "s")
    return Frame(
        times=times,
        values=values,
        sensors=tuple("abcdefgh"),
        off=np.zeros(rows, bool),
        step=np.timedelta64(600, "s"),
    )


def bends(detector: Detector) -> float:
    """Return the largest weight of a bend in the slow channel."""
    assert detector.slow is not None
    return float(np.abs(detector.slow.model.weights[2 * 8 :]).max())


@pytest.mark.parametrize(("days", "counts"), [(14, 1 / 3), (21, 0.5), (42, 1), (180, 1)])
def test_drift_goes_on_as_a_walk_as_far_as_blocks_of_training_hold_whole_weeks(
    days: float, counts: float
) -> None:
    """The levels of shorter blocks differ by their weekdays, too."""
    bins = round(days * 48)
    assert _walk(bins, int(timedelta(minutes=30) / timedelta(microseconds=1))) * bins == pytest.approx(
        3 * counts, abs=1e-3
    )


def test_bends_count_where_held_out_days_say_that_they_help() -> None:
    assert bends(fit(plant(0.0))) == 0
    assert bends(fit(plant(1.0))) > 0.1


def limits(detector: Detector) -> np.ndarray:
    assert detector.slow is not None
    return np.array([*(view.limit for view in detector.views), *detector.slow.limits])


def test_all_limits_are_as_much_wider_as_few_days_say(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = plant(1.0)
    found = fit(frame)
    assert found.slow is not None
    assert found.slow.trust == 1
    expected = few_days(FitSettings().quantile, 28 * DAY)
    for module in ("fit", "slow_fit"):
        monkeypatch.setattr(f"engine.train.{module}.few_days", lambda *_: 1.0)
    sure = fit(frame)
    wider = limits(found) / limits(sure)
    fast = few_days(replace(FitSettings(), false_alarm_hours=0.075).quantile, 28 * DAY)
    assert wider[:-2] == pytest.approx(fast, rel=1e-3)
    assert wider[-2:] == pytest.approx(expected, rel=1e-3)
