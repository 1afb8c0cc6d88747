"""The grammar of off conditions at synthesis: what the table of all deployables says."""

from collections import defaultdict

import pytest

from constructs_l4e import DatasetSchema, OffCondition
from off_conditions import ACCEPTED, REFUSED, SENSORS, Accepted, Refused


def schema() -> DatasetSchema:
    """The sensors of the table; those that a case adds are legal in no schema."""
    components = defaultdict[str, list[str]](list)
    for sensor_id in SENSORS:
        component, sensor = sensor_id.split("\\")
        components[component].append(sensor)
    return DatasetSchema.from_sensors(components)


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.text)
def test_accepted(case: Accepted) -> None:
    condition = OffCondition.parse(case.text)
    condition.require_sensor_in(schema())

    assert condition.sensor in {case.sensor, case.sensor.split("\\")[1]}
    assert (condition.operator, condition.threshold) == (case.operator, case.threshold)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.why)
def test_refused(case: Refused) -> None:
    with pytest.raises(ValueError, match="off condition"):
        OffCondition.parse(case.text).require_sensor_in(schema())
