"""Training again, with what the detector in use knows of the rows."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engine import Adaptation, BadArtefact, Detector, Frame, LearnedChange, UnconfirmedChange, fit
from engine.train.known_faults import HELD
from tests.engine.plant import cut, pump
from tests.engine.test_slow_drift import plant

TRAIN = 6000
LATER = 12000


@cache
def rows() -> Frame:
    return pump(LATER + 2000, seed=8)


@cache
def first_model() -> Detector:
    return fit(cut(rows(), 0, TRAIN))


@pytest.fixture(scope="module")
def whole() -> Frame:
    return rows()


@pytest.fixture(scope="module")
def prior() -> Detector:
    return first_model()


def shifted(whole: Frame, sensor: int, start: int, stop: int) -> Frame:
    values = whole.values.copy()
    values[start:stop, sensor] += values[:TRAIN, sensor].std()
    return replace(whole, values=values)


def test_faults_that_the_prior_alarmed_on_are_not_learned(prior: Detector, whole: Frame) -> None:
    dirty = whole
    for start in (7000, 8000, 9000, 10000):
        dirty = shifted(dirty, 1, start, start + 60)  # too short to be found without the prior
    again = fit(cut(dirty, 0, LATER), prior=prior)
    assert 4 * 120 / LATER < again.trimmed < 0.1
    faulty = shifted(cut(whole, LATER, LATER + 2000), 1, 1000, 1060)
    scores = again.score(faulty)
    assert scores.prediction[1005:1060].mean() > 0.9
    assert scores.prediction[:1000].mean() < 0.03


def test_a_fault_that_still_goes_on_is_not_learned_either(prior: Detector, whole: Frame) -> None:
    again = fit(cut(shifted(whole, 1, LATER - 200, LATER), 0, LATER), prior=prior)
    learned = fit(cut(whole, 0, LATER), prior=prior)
    assert again.trimmed - learned.trimmed > 200 / LATER


def test_a_lasting_change_of_level_is_learned_once_confirmed(prior: Detector, whole: Frame) -> None:
    changed = shifted(whole, 2, 8000, len(whole.times))
    again = fit(cut(changed, 0, LATER), prior=replace(prior, adaptation="follow"))
    assert again.trimmed < 0.03
    scores = again.score(cut(changed, LATER, LATER + 2000))
    assert scores.prediction.mean() < 0.03


@pytest.mark.parametrize("adaptation", ["auto", "hold"])
def test_a_lasting_change_of_level_is_not_learned_unconfirmed(
    prior: Detector, whole: Frame, adaptation: Adaptation
) -> None:
    changed = shifted(whole, 2, 8200, len(whole.times))
    again = fit(cut(changed, 0, LATER), prior=replace(prior, adaptation=adaptation))
    assert again.trimmed == pytest.approx((LATER - 8200) / LATER, abs=0.02)
    assert again.score(cut(changed, LATER, LATER + 300)).prediction.mean() > 0.9


def test_a_plant_that_is_held_and_has_changed_for_long_needs_a_word(prior: Detector, whole: Frame) -> None:
    changed = cut(shifted(whole, 2, 6000, LATER), 0, LATER)
    with pytest.raises(
        UnconfirmedChange, match=r"levels have moved, on (49|50|51)% of the rows: what nobody"
    ):
        fit(changed, prior=replace(prior, adaptation="hold"))
    assert fit(changed, prior=replace(prior, adaptation="follow")).trimmed < 0.03


def test_what_people_have_called_normal_is_learned_also_by_a_plant_that_is_held(
    prior: Detector, whole: Frame
) -> None:
    changed = cut(shifted(whole, 2, 6000, LATER), 0, LATER)
    again = fit(
        changed,
        confirmed=[(changed.times[6000], changed.times[-1])],
        prior=replace(prior, adaptation="hold"),
    )
    assert again.trimmed < 0.03


def test_running_hours_go_on_where_the_other_sensors_are_held_and_that_is_told() -> None:
    """Their level moves all the time, and nobody ever confirms that."""
    frame = plant()
    hours = np.arange(len(frame.times)) / 6
    frame = replace(frame, values=np.column_stack([frame.values, hours]), sensors=(*frame.sensors, "hours"))
    prior = fit(frame.part(0, len(hours) // 2))
    assert prior.slow is not None
    assert prior.slow.trust > HELD
    later = prior.score(frame.part(len(hours) // 2, len(hours)))
    assert later.moved is not None
    assert later.moved[-1] > 0.5
    again = fit(frame, prior=prior)
    assert again.trimmed < 0.01
    change = again.learned_change
    assert change is not None
    assert change.sensor == "hours"
    assert 0.4 < change.share < 0.6
    assert frame.times[len(hours) // 2] < change.first < change.last == frame.times[-1]


def test_what_was_left_out_confirmed_or_never_moved_is_no_learned_change() -> None:
    prior, whole = first_model(), rows()
    assert prior.learned_change is None
    changed = cut(shifted(whole, 2, 6000, LATER), 0, LATER)
    period = [(changed.times[6000], changed.times[-1])]
    left_out = fit(cut(shifted(whole, 2, 8200, LATER), 0, LATER), prior=prior)
    follows = fit(changed, prior=replace(prior, adaptation="follow"))
    called_normal = fit(changed, prior=replace(prior, adaptation="hold"), confirmed=period)
    assert [each.learned_change for each in (left_out, follows, called_normal)] == [None] * 3


def test_a_fault_is_learned_change_too_if_nearly_all_rows_are_faults() -> None:
    """It is no level that moved, and `follow` does not confirm it."""
    prior, whole = first_model(), rows()
    values = whole.values.copy()
    for start in range(100, LATER, 200):
        values[start : start + 100, 1] += values[:TRAIN, 1].std()
    frame = cut(replace(whole, values=values), 0, LATER)
    change = fit(frame, prior=replace(prior, adaptation="follow")).learned_change
    assert change is not None
    assert change.sensor == frame.sensors[1]
    assert change.share > 0.35


def test_learned_change_is_kept(prior: Detector) -> None:
    first, last = np.datetime64("2026-03-01T00:00", "us"), np.datetime64("2026-03-02T12:30", "us")
    change = LearnedChange(share=0.25, sensor="load", first=first, last=last)
    again = Detector.from_bytes(replace(prior, learned_change=change).to_bytes())
    assert again.learned_change == change


@pytest.mark.parametrize("wrong", [{"share": 0.0}, {"share": 1.5}, {"first": 3, "last": 2}])
def test_malformed_learned_change_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadArtefact, match="learned change on"):
        LearnedChange.read({"share": 0.5, "sensor": "load", "first": 1, "last": 2} | wrong)


def test_equal_data_and_prior_give_equal_bytes(prior: Detector, whole: Frame) -> None:
    one, other = (fit(cut(whole, 0, 7000), prior=prior).to_bytes() for _ in range(2))
    assert one == other


def test_a_prior_that_knows_no_more_what_is_usual_leaves_nothing_out(prior: Detector, whole: Frame) -> None:
    values = np.random.default_rng(0).normal(size=(3000, 5)) * 100
    assert fit(replace(cut(whole, 0, 3000), values=values), prior=prior).trimmed == 0


def test_a_prior_of_other_sensors_is_refused(prior: Detector, whole: Frame) -> None:
    with pytest.raises(ValueError, match="trained on"):
        fit(replace(cut(whole, 0, 3000), sensors=tuple("abcde")), prior=prior)
