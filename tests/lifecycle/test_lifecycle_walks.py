"""Random lives: deployments, failures, cancellations, hand-made changes and late events in any order."""

from dataclasses import replace
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.lifecycle import invariants
from tests.lifecycle.cases import CASES, Case
from tests.lifecycle.play import Play
from tests.lifecycle.world import (
    BROKEN,
    DENIED,
    KILLED,
    KILLED_AFTER,
    LOST_ANSWER,
    REFUSED,
    THROTTLED,
    Fault,
    Wire,
)

FAULTS = (BROKEN, DENIED, KILLED, KILLED_AFTER, LOST_ANSWER, REFUSED, THROTTLED)


class Walk(RuleBasedStateMachine):
    """The walks of one kind of resource; `begin` is set per kind."""

    begin: ClassVar[Play]
    play: Play

    @initialize(duplicates=st.booleans(), late_come_first=st.booleans())
    def start(self, *, duplicates: bool, late_come_first: bool) -> None:
        self.play = replace(self.begin, duplicates=duplicates, late_come_first=late_come_first)

    @rule(
        form=st.sampled_from(("base", "in_place", "replaced", "clash", "failing")),
        sibling_fails=st.booleans(),
        sees_new_id=st.booleans(),
        cancel=st.none() | st.integers(1, 4),
        fault=st.none() | st.tuples(st.integers(0, 25), st.sampled_from(FAULTS)),
    )
    def deploy(
        self,
        *,
        form: str,
        sibling_fails: bool,
        sees_new_id: bool,
        cancel: int | None,
        fault: tuple[int, Fault] | None,
    ) -> None:
        properties = getattr(self.play.case, form)
        if self.play.stack.stuck or properties is None:
            return
        self._arm(fault)
        how: dict[str, Any] = {"cancel": ("Thing", cancel)} if cancel else {}
        self.play.deploy(properties, sibling_fails=sibling_fails, rollback_sees_new_id=sees_new_id, **how)

    @rule(fault=st.none() | st.tuples(st.integers(0, 25), st.sampled_from(FAULTS)))
    def destroy(self, *, fault: tuple[int, Fault] | None) -> None:
        self._arm(fault)
        gone = self.play.stack.destroy()
        self.play.world.faults.clear()
        assert gone or self.play.stack.destroy(), self.play.stack.reasons
        self.play.stack.stuck = False

    @rule(number=st.integers(0, 30))
    def replay(self, *, number: int) -> None:
        stack = self.play.stack
        # Nothing delivers an event again after CloudFormation's hour.
        recent = [sent for sent in stack.sent if stack.world.now - sent < 3000]
        if number < len(recent) and not stack.stuck:
            number += len(stack.log) - len(recent)
            self.play.stack.drain()
            before = self.play.world.snapshot()
            self.play.stack.replay(number)
            assert self.play.world.snapshot() == before, "I7: a repeated event changed the service"

    @rule(minutes=st.integers(1, 90))
    def time_passes(self, *, minutes: int) -> None:
        self.play.world.now += 60 * minutes

    @invariant()
    def all_is_well(self) -> None:
        self.play.world.faults.clear()
        self.play.check()

    def _arm(self, fault: tuple[int, Fault] | None) -> None:
        if fault is None:
            return
        # A Create that is killed in on_event (its first two calls) makes the framework swallow the Delete.
        # What a second delivery then creates, nothing in the handlers can find.
        swallowed = fault[1] in {KILLED, KILLED_AFTER} and (self.play.duplicates or fault[0] < 2)
        if not swallowed:
            self.play.world.arm(*fault)

    def teardown(self) -> None:
        self.play.stack.drain()
        assert self.play.stack.destroy(), self.play.stack.reasons
        assert not invariants.owned(self.play.world, self.play.stack) - {
            live.physical_id for live in self.play.stack.abandoned
        }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)
def test_random_lives(wire: Wire, case: Case) -> None:
    run_state_machine_as_test(
        type(f"Walk{case.kind}", (Walk,), {"begin": Play(wire, case, short=True)}),
        settings=settings(
            max_examples=60,
            stateful_step_count=8,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
