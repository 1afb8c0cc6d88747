import pytest

from engine import OffCondition
from tests.off_conditions import ACCEPTED, REFUSED, SENSORS, Accepted, Refused


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.text)
def test_accepted(case: Accepted) -> None:
    assert OffCondition.parse(case.text, SENSORS) == OffCondition(
        sensor=case.sensor, operator=case.operator, threshold=case.threshold
    )


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case.text}: {case.why}")
def test_refused(case: Refused) -> None:
    with pytest.raises(ValueError, match="off condition"):
        OffCondition.parse(case.text, case.sensors)
