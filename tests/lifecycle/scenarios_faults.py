"""Scenarios: calls that fail, at every point of a life."""

import itertools
import random
import re
from collections.abc import Callable
from typing import Any

from tests.lifecycle import invariants
from tests.lifecycle.cases import AT_ONCE
from tests.lifecycle.cloudformation import Properties
from tests.lifecycle.fake_service import ApiError
from tests.lifecycle.play import Play
from tests.lifecycle.world import (
    BROKEN,
    DENIED,
    FATAL,
    LOST_ANSWER,
    REFUSED,
    TRANSIENT,
    Fault,
)


def update_fails_and_rolls_back(play: Play) -> None:
    """C-U!-U(back), for every call of the update and every fault that is final."""
    for change in (play.case.in_place, play.case.replaced):
        for fault in FATAL:
            _at_every_call(play, change, fault)


def _at_every_call(play: Play, change: Properties, fault: Fault) -> None:
    for index in range(40):
        again = play.fresh()
        again.created()
        before = again.thing()
        again.world.arm(index, fault)
        succeeded = again.deploy(change)
        assert not again.stack.stuck, again.stack.reasons
        again.check()
        if not again.world.hit:
            assert succeeded
            return
        assert succeeded or again.thing() is before, f"{again.world.hit}: the old resource is gone"
    raise AssertionError("the update never ends")


def creation_fails(play: Play) -> None:
    """C!-D at every call: nothing stays."""
    for fault in FATAL:
        for index in range(40):
            again = play.fresh()
            again.world.arm(index, fault)
            succeeded = again.deploy(again.case.base)
            assert not again.stack.stuck, again.stack.reasons
            again.check()
            assert succeeded or not invariants.owned(again.world, again.stack)
            if not again.world.hit:
                break


def deletion_fails_once(play: Play) -> None:
    """C-D!-D at every call."""
    for fault in FATAL:
        for index in range(40):
            again = play.fresh()
            again.created()
            again.world.arm(index, fault)
            if not again.stack.destroy():
                assert again.stack.destroy(), again.stack.reasons
            again.check()
            assert not invariants.owned(again.world, again.stack)
            if not again.world.hit:
                break


def rough_weather(play: Play) -> None:
    """A quarter of the calls of a life goes wrong for the moment: it takes longer, and ends the same."""
    for seed in range(6):
        again = play.fresh()
        again.world.weather = _weather(seed)
        again.created()
        for properties in (again.case.in_place, again.case.replaced):
            assert again.deploy(properties), again.stack.reasons
            again.check()
        assert again.stack.destroy(), again.stack.reasons
        again.check()


def _weather(seed: int) -> Callable[[], Fault | None]:
    dice = random.Random(seed)  # noqa: S311 - no secret
    return lambda: dice.choice(TRANSIENT) if dice.random() < 0.25 else None


def single_faults(play: Play) -> None:
    """One transient fault at every call of a whole life."""
    for fault in (LOST_ANSWER, BROKEN):
        for index in range(400):
            again = play.fresh()
            again.world.arm(index, fault)
            again.created()
            assert again.deploy(again.case.replaced), again.stack.reasons
            assert again.stack.destroy(), again.stack.reasons
            if not again.world.hit:
                break
            again.check()


def long_message(play: Play) -> None:
    """The service answers with a book, in several alphabets."""
    error = REFUSED.error
    texts = itertools.cycle(("漢字" * 5000, "🙂" * 5000, '\n"\\' * 5000, "\x01" * 5000, "word " * 5000))
    book = Fault(name="book", error=lambda: _with_message(error(), next(texts)))
    for index in range(30):
        again = play.fresh()
        again.world.arm(index, book)
        again.deploy(again.case.base)
        again.check()
        if not again.world.hit:
            break


def _with_message(error: Any, message: str) -> Any:
    error.message = message
    return error


def late_rights(play: Play) -> None:
    """The rights of the handlers spread a minute late; or never, which is said after two minutes."""
    start = play.world.now
    play.world.weather = lambda: DENIED if play.world.now < start + 60 else None
    play.created()
    play.check()
    again = play.fresh()
    start = again.world.now
    again.world.weather = lambda: DENIED if again.world.now < start + 600 else None
    assert not again.deploy(again.case.base)
    again.check()
    assert "AccessDeniedException" in again.stack.reasons[0], again.stack.reasons


def broken_for_good(play: Play) -> None:
    """The service has an internal error for every poll: that is said after ten minutes, not at the end."""
    start = play.world.now
    _break(play, lambda age: age < 1000)
    assert not play.deploy(play.case.base)
    assert play.world.now - start < 1800, "it was waited for as if it were busy"
    play.check()
    reason = play.stack.reasons[0]
    assert re.search(r"for 1[0-3] minutes, ", reason), reason
    assert " answered InternalServerException: inside" in reason, reason
    assert "Deploy again when the service answers" in reason, reason


def broken_now_and_then(play: Play) -> None:
    """Internal errors that last less than ten minutes are waited for, however many there are."""
    start = play.world.now
    _break(play, lambda age: age % 600 < 480)
    if play.case.kind not in AT_ONCE:
        play.world.service.frozen = True
    play.created()
    assert play.case.kind in AT_ONCE or play.world.now - start > 1800
    play.check()


def _break(play: Play, broken: Callable[[float], bool]) -> None:
    """Let the service answer with internal errors at such times; what is frozen thaws after half an hour."""
    service, start = play.world.service, play.world.now
    call = service.call

    def answer(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        age = play.world.now - start
        service.frozen = service.frozen and age < 1800
        if broken(age):
            raise ApiError("InternalServerException", "inside", 500)
        return call(operation, parameters)

    service.call = answer
