"""What labelled events may change, and that one wrong label changes little."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Detector, FitSettings, Frame, Interval, fit
from engine.train.label_limits import FACTORS, MIN_EVENTS, label_factor
from tests.engine.plant import cut, pump

TRAIN = 6000
EVENTS = ((800, 900), (2000, 2160), (3100, 3220), (4300, 4400), (5200, 5330))


def labelled(size: float) -> tuple[Frame, list[Interval]]:
    """Training in which flow is too low by `size` in five events, and their labels."""
    whole = pump(TRAIN, seed=21)
    values = whole.values.copy()
    for start, stop in EVENTS:
        values[start:stop, 1] -= size
    return replace(whole, values=values), [label(whole, *event) for event in EVENTS]


def label(whole: Frame, start: int, stop: int) -> Interval:
    return whole.times[start], whole.times[stop - 1]


def factor(
    detector: Detector, rows: Frame, labels: list[Interval], left_out: tuple[int, int] = (0, 0)
) -> float:
    faults = np.zeros(len(rows.times), bool)
    faults[slice(*left_out)] = True
    return label_factor(detector, rows, labels, FitSettings(), faults)


def narrowed(detector: Detector, by: float) -> Detector:
    """The same detector with other limits."""
    return replace(detector, views=tuple(replace(view, limit=view.limit * by) for view in detector.views))


def test_fewer_than_three_events_say_nothing() -> None:
    rows, labels = labelled(2.0)
    detector = fit(rows, labels=labels)
    assert factor(narrowed(detector, 2), rows, labels[: MIN_EVENTS - 1]) == 1
    assert factor(detector, rows, []) == 1


def test_limits_that_miss_the_labelled_rows_fall_within_the_budget() -> None:
    rows, labels = labelled(2.0)
    wide = narrowed(fit(rows, labels=labels), 4.0)
    found = factor(wide, rows, labels)
    assert found < 0.9
    later = narrowed(wide, found).score(rows)
    inside = np.zeros(TRAIN, bool)
    for start, stop in EVENTS:
        inside[start:stop] = True
    assert later.prediction[~inside].mean() <= 1 - FitSettings().quantile
    assert later.prediction[inside].mean() > wide.score(rows).prediction[inside].mean() + 0.02


def test_limits_rise_where_that_loses_no_event() -> None:
    rows, labels = labelled(12.0)
    tight = narrowed(fit(rows, labels=labels), 0.45)
    found = factor(tight, rows, labels)
    assert found > 1.05
    scores = narrowed(tight, found).score(rows)
    assert all(scores.prediction[start:stop].any() for start, stop in EVENTS)


def test_a_fault_that_nobody_labelled_does_not_keep_limits_wide() -> None:
    rows, labels = labelled(1.5)
    rows.values[1200:1500, 1] -= 12
    detector = fit(rows, labels=labels)
    assert detector.trimmed > 0.05, "it was left out of learning"
    wide = narrowed(detector, 1.5)
    assert factor(wide, rows, labels) == 1, "its alarms exceed the budget"
    assert factor(wide, rows, labels, left_out=(1170, 1530)) < 0.8


@pytest.mark.parametrize(
    "wrong",
    [(5200 + 130, 5330 + 130), (4700, 5900), (1400, 1500)],
    ids=["late", "too long", "of nothing"],
)
@pytest.mark.parametrize("width", [0.45, 1.0, 2.2])
def test_one_wrong_label_decides_nothing(wrong: tuple[int, int], width: float) -> None:
    rows, labels = labelled(2.0)
    detector = narrowed(fit(rows, labels=labels), width)
    right = factor(detector, rows, labels)
    misled = factor(detector, rows, [*labels[:-1], label(rows, *wrong)])
    steps = [int(np.argmin(np.abs(np.log(FACTORS) - np.log(each)))) for each in (right, misled)]
    assert abs(steps[0] - steps[1]) <= 3, (right, misled)


def test_labels_keep_events_found_on_later_data() -> None:
    rows, labels = labelled(2.0)
    whole = pump(TRAIN + 1000, seed=21)
    values = whole.values[TRAIN:].copy()
    values[500:600, 1] -= 2.0
    later = replace(cut(whole, TRAIN, TRAIN + 1000), values=values)
    scores = fit(rows, labels=labels).score(later)
    assert scores.prediction[500:600].any()
    assert scores.prediction[:500].mean() < 0.03
