"""What an off condition means to the jobs is what the constructs and the API accept."""

import pytest

from engine import OffCondition
from service.jobs.failure import JobFailed
from service.jobs.machine_off import off_condition
from tests.off_conditions import ACCEPTED, REFUSED, SENSORS, Accepted, Refused


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: repr(case.text))
def test_is_applied_as_the_grammar_says(case: Accepted) -> None:
    expected = OffCondition(sensor=case.sensor, operator=case.operator, threshold=case.threshold)
    assert off_condition(case.text, SENSORS) == expected


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.why)
def test_fails_the_job_with_the_form_it_must_have(case: Refused) -> None:
    with pytest.raises(JobFailed) as failed:
        off_condition(case.text, case.sensors)
    assert failed.value.reason.startswith(f"OffCondition '{case.text}' cannot be used: ")
    assert "Write '<component>\\<sensor> < <number>' or '>'" in failed.value.reason


def test_a_model_without_one_is_always_on() -> None:
    assert off_condition(None, SENSORS) is None
