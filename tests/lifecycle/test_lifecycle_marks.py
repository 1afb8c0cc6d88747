"""Marks on a model say whose its retraining scheduler is; a creation that fails leaves none."""

import pytest

from custom_resources.request import TAG_PREFIX
from tests.lifecycle.cases import case_of
from tests.lifecycle.play import Play
from tests.lifecycle.world import DENIED, LOST_ANSWER, REFUSED, Fault, Wire

CREATION = "CreateRetrainingScheduler"


@pytest.fixture
def play(wire: Wire) -> Play:
    return Play(wire, case_of("RetrainingScheduler"))


def marks(play: Play, model: str) -> set[str]:
    tags = play.world.service.models[model].tags
    return {key for key in tags if key.startswith(f"{TAG_PREFIX}retraining-")}


def calls_before(play: Play, operation: str) -> int:
    counted = play.fresh()
    counted.created()
    return counted.world.calls.index(operation)


@pytest.mark.parametrize("fault", [REFUSED, DENIED], ids=lambda fault: fault.name)
def test_a_refused_creation_leaves_no_marks(play: Play, fault: Fault) -> None:
    play.world.arm(calls_before(play, CREATION), fault)
    created = play.deploy(play.case.base)
    assert play.world.hit == [f"{fault.name} at {CREATION}"]
    assert created == (fault is DENIED), "rights may be late, so that is tried again"
    assert bool(marks(play, "trained")) == created
    play.check()


def test_marks_stay_as_long_as_the_service_may_have_created_it(play: Play) -> None:
    play.world.arm(calls_before(play, CREATION), LOST_ANSWER)
    play.created()
    assert len(marks(play, "trained")) == 2
    assert "UntagResource" not in play.world.calls
    play.check()


def test_a_model_is_not_marked_before_it_is_trained(play: Play) -> None:
    assert not play.deploy(play.case.failing)
    assert "needs a trained model, and the training of model 'untrained' failed" in play.stack.reasons[0]
    assert marks(play, "untrained") == set()
    assert not {"TagResource", CREATION} & set(play.world.calls)


def test_a_refusal_is_told_when_the_marks_cannot_be_removed(play: Play) -> None:
    at = calls_before(play, CREATION)
    play.world.arm(at, REFUSED)
    play.world.arm(at + 1, DENIED)
    assert not play.deploy(play.case.base)
    assert play.world.hit[1] == "denied at UntagResource"
    assert CREATION in play.stack.reasons[0]
