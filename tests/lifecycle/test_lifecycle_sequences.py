"""Every sequence for every kind of resource."""

import pytest

from tests.lifecycle.cases import CASES, Case
from tests.lifecycle.play import Play, Scenario
from tests.lifecycle.scenarios import EXHAUSTIVE, SCENARIOS
from tests.lifecycle.world import Wire

each_kind = pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)


def each(scenarios: tuple[Scenario, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("scenario", scenarios, ids=lambda scenario: scenario.__name__)


@each_kind
@each(SCENARIOS)
def test_sequence(wire: Wire, scenario: Scenario, case: Case) -> None:
    scenario(Play(wire, case))


@pytest.mark.parametrize("late_come_first", [True, False], ids=["late first", "late last"])
@each_kind
@each(SCENARIOS)
def test_sequence_with_every_event_delivered_twice(
    wire: Wire, scenario: Scenario, case: Case, *, late_come_first: bool
) -> None:
    scenario(Play(wire, case, duplicates=True, short=True, late_come_first=late_come_first))


@each_kind
@each(EXHAUSTIVE)
def test_faults_at_every_call(wire: Wire, scenario: Scenario, case: Case) -> None:
    scenario(Play(wire, case, short=True))
