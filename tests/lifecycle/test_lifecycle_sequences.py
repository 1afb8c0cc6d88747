"""Every sequence for every kind of resource."""

import pytest

from tests.lifecycle.cases import CASES, Case
from tests.lifecycle.scenarios import EXHAUSTIVE, SCENARIOS, Play, Scenario
from tests.lifecycle.world import Wire

each_kind = pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)


def each(scenarios: tuple[Scenario, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("scenario", scenarios, ids=lambda scenario: scenario.__name__)


@each_kind
@each(SCENARIOS)
def test_sequence(wire: Wire, scenario: Scenario, case: Case) -> None:
    scenario(Play(wire, case))


@each_kind
@each(SCENARIOS)
def test_sequence_with_every_event_delivered_twice(wire: Wire, scenario: Scenario, case: Case) -> None:
    scenario(Play(wire, case, duplicates=True, short=True))


@each_kind
@each(EXHAUSTIVE)
def test_faults_at_every_call(wire: Wire, scenario: Scenario, case: Case) -> None:
    scenario(Play(wire, case, short=True))
