"""Which detector is better, on pumps whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Detector, FitSettings, Frame, Interval, compare, fit
from tests.engine.plant import cut, pump

TRAIN = 4000


def scaled(detector: Detector, factor: float) -> Detector:
    """The detector with other limits: above 1 it is blinder."""
    views = tuple(replace(view, limit=view.limit * factor) for view in detector.views)
    slow = detector.slow and replace(detector.slow, limits=detector.slow.limits * factor)
    return replace(detector, views=views, slow=slow)


@pytest.fixture(scope="module")
def whole() -> Frame:
    return pump(TRAIN + 3000, seed=3)


@pytest.fixture(scope="module")
def detector(whole: Frame) -> Detector:
    return fit(cut(whole, 0, TRAIN), settings=FitSettings(false_alarm_hours=0.1))


@pytest.fixture(scope="module")
def faulty(whole: Frame) -> Frame:
    """Two faults: a strong one and one that is weak at first."""
    frame = cut(whole, TRAIN, TRAIN + 3000)
    values = frame.values.copy()
    values[1000:1200, 1] *= 0.6
    values[2000:2200, 1] *= np.linspace(0.98, 0.8, 200)
    return replace(frame, values=values)


@pytest.fixture(scope="module")
def labels(faulty: Frame) -> list[Interval]:
    return [(faulty.times[1000], faulty.times[1199]), (faulty.times[2000], faulty.times[2199])]


def test_a_tie_keeps_the_prior(detector: Detector, faulty: Frame, labels: list[Interval]) -> None:
    result = compare(detector, detector, faulty, labels)
    assert result.better == "prior"
    assert result.reason == "both versions do equally well: the prior one stays"
    assert result.prior.identified == result.candidate.identified == 2


def test_more_labelled_events_come_first(detector: Detector, faulty: Frame, labels: list[Interval]) -> None:
    blind = scaled(detector, 400)
    result = compare(blind, detector, faulty, labels)
    assert result.better == "candidate"
    assert result.reason == "the new version finds 2 of 2 labelled events, the prior version 0"
    assert compare(detector, blind, faulty, labels).better == "prior"


def test_then_fewer_false_alarms(detector: Detector, faulty: Frame, labels: list[Interval]) -> None:
    nervous = scaled(detector, 0.5)
    result = compare(nervous, detector, faulty, labels)
    assert result.better == "candidate"
    assert result.reason.startswith("both find 2 of 2 labelled events; away from them the new version alarms")
    assert compare(detector, nervous, faulty, labels).better == "prior"


def test_then_the_earlier_warning(detector: Detector, faulty: Frame, labels: list[Interval]) -> None:
    quiet = scaled(detector, 2)
    slower = scaled(detector, 4)
    result = compare(slower, quiet, faulty, labels)
    assert result.better == "candidate"
    assert "with as many false alarms; the new version warns for" in result.reason
    assert compare(quiet, slower, faulty, labels).better == "prior"


def test_without_labels_fewer_alarms_count_if_the_same_is_seen(detector: Detector, faulty: Frame) -> None:
    nervous = scaled(detector, 0.4)  # with .5, its alarms are those of the fault that begins at the end
    healthy = cut(faulty, 0, 1030)
    result = compare(nervous, detector, healthy, [])
    assert result.better == "candidate"
    assert result.reason.startswith("no labels; the new version alarms")
    assert compare(detector, nervous, healthy, []).better == "prior"
    assert compare(detector, detector, healthy, []).better == "prior"


def test_without_labels_a_model_that_learned_the_fault_is_not_simply_better(
    detector: Detector, whole: Frame
) -> None:
    """The candidate takes a low flow for usual, and finds healthy rows odd instead."""
    values = whole.values.copy()
    values[:, 1] *= 0.7
    spoiled = fit(cut(replace(whole, values=values), 0, TRAIN))
    mixed = cut(whole, TRAIN, TRAIN + 900)  # later it takes the other level over
    values = mixed.values.copy()
    values[500:530, 1] *= 0.7
    result = compare(detector, scaled(spoiled, 1e5), replace(mixed, values=values), [])
    assert result.better is None
    assert result.reason.endswith("does not see what the prior one does: labels would tell")


def test_a_prior_that_has_lost_touch_is_no_judge(detector: Detector, whole: Frame) -> None:
    """The level of the pressure has moved for good: the prior alarms all the time."""
    values = whole.values.copy()
    values[:, 2] += 1.0
    moved = replace(whole, values=values)
    candidate = fit(cut(moved, 0, TRAIN))
    result = compare(detector, candidate, cut(moved, TRAIN, TRAIN + 1500), [])
    assert result.better == "candidate"
    assert result.reason.endswith("it no longer knows what is usual")


def test_without_rows_nothing_is_said(detector: Detector, whole: Frame) -> None:
    off = replace(cut(whole, 0, 100), off=np.ones(100, bool))
    for frame in (off, cut(whole, 0, 0)):
        result = compare(detector, detector, frame, [])
        assert (result.better, result.reason) == (
            None,
            "no rows with the machine on to compare the versions by",
        )


def test_other_sensors_are_refused(detector: Detector, whole: Frame) -> None:
    other = replace(whole, sensors=tuple(reversed(whole.sensors)))
    with pytest.raises(ValueError, match="the detector was trained on"):
        compare(detector, detector, other, [])
