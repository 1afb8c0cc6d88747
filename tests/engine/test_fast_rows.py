"""Rows faster than one a minute: levels are remembered for as long as at a row a minute."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Detector, Frame, fit
from engine.train.level_spans import memory_span
from tests.engine.plant import cut, pump

TRAIN, LATER = 12_000, 12_000
JUMP = 1000
"""Minutes after training at which a sensor jumps for good."""


@pytest.mark.parametrize(
    ("rows", "step", "span"),
    [
        (50_000, 3600, 2000),
        (50_000, 60, 2000),
        (430, 1, 1200),
        (697, 1, 2000),
        (10_000, 1, 2000),
        (20_000, 1, 3333),
        (604_800, 1, 100_800),
        (5_000_000, 1, 120_000),
        (100_000, 10, 12_000),
        (100_000, 30, 4000),
        (100_000, 45, 2666),
    ],
)
def test_levels_are_remembered_for_33_hours_or_2000_rows_if_training_is_long_enough(
    rows: int, step: int, span: int
) -> None:
    assert memory_span(rows, np.timedelta64(step, "s")) == span


def every(whole: Frame, width: int, seconds: int) -> Frame:
    """Return the means of so many rows, which are then so many seconds apart."""
    step = np.timedelta64(seconds, "s")
    values = whole.values.reshape(-1, width, len(whole.sensors)).mean(axis=1)
    times = whole.times[0] + np.arange(len(values)) * step
    return replace(whole, times=times, values=values, off=np.zeros(len(values), bool), step=step)


@pytest.fixture(scope="module")
def rows_of() -> dict[int, Frame]:
    """The same plant with a row in 20 and in 60 seconds; a sensor jumps after training."""
    whole = pump(3 * (TRAIN + LATER), seed=4)
    spread = whole.values[:, 2].std()
    whole.values[3 * (TRAIN + JUMP) :, 2] += 0.5 * spread
    return {20: every(whole, 1, 20), 60: every(whole, 3, 60)}


@pytest.fixture(scope="module")
def detectors(rows_of: dict[int, Frame]) -> dict[int, Detector]:
    return {step: fit(cut(rows, 0, TRAIN * 60 // step)) for step, rows in rows_of.items()}


def test_a_level_is_taken_over_as_late_as_at_a_row_a_minute(
    rows_of: dict[int, Frame], detectors: dict[int, Detector]
) -> None:
    minutes = {}
    for step, detector in detectors.items():
        later = cut(rows_of[step], TRAIN * 60 // step, len(rows_of[step].times))
        scores = replace(detector, adaptation="follow").score(later)
        (told,) = (each for each in scores.level_events if each.sensor == later.sensors[2])
        minutes[step] = (told.since - later.times[0]) / np.timedelta64(60, "s") - JUMP
    assert minutes[60] == pytest.approx(700, abs=50)
    assert minutes[20] == pytest.approx(minutes[60], abs=50)


def test_the_baseline_is_as_slow_as_at_a_row_a_minute(detectors: dict[int, Detector]) -> None:
    assert {step: each.pipeline.baseline.span for step, each in detectors.items()} == {20: 3000, 60: 1000}


def test_the_memory_of_levels_outlives_the_artefact(detectors: dict[int, Detector]) -> None:
    again = Detector.from_bytes(detectors[20].to_bytes())
    assert {view.average_span for view in again.views} == {6000}
