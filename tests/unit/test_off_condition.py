"""Off conditions, their grammar, and what a person reads when one is wrong."""

from collections import defaultdict

import pytest

from constructs_l4e import DatasetSchema, OffCondition
from off_conditions import ACCEPTED, REFUSED, SENSORS, Accepted, Refused

PUMP = DatasetSchema.from_sensors({"pump": ["speed", "flow"], "motor": ["current", "speed"]})


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


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (r"pump\speed < 10", r"pump\speed < 10.0"),
        (r"pump\speed<-1e3", r"pump\speed < -1000.0"),
        ("flow > .5", "flow > 0.5"),
    ],
)
def test_off_condition_text(text: str, canonical: str) -> None:
    condition = OffCondition.parse(text)

    assert str(condition) == canonical
    assert OffCondition.parse(str(condition)) == condition
    condition.require_sensor_in(PUMP)


def test_off_condition_values() -> None:
    assert OffCondition.below(r"pump\flow", 2.5) == OffCondition.parse(r"pump\flow < 2.5")
    assert OffCondition.above(r"pump\flow", 2.5) == OffCondition.parse(r"pump\flow > 2.5")


@pytest.mark.parametrize(
    "text", ["", "pump", r"pump\speed <= 10", r"pump\speed = 1", r"a<1 b<2", "a < nan", "a < x"]
)
def test_off_condition_that_is_not_understood(text: str) -> None:
    with pytest.raises(
        ValueError, match=r'off condition ".*" is not understood: write component\\sensor, "<" or ">"'
    ):
        OffCondition.parse(text)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: OffCondition(sensor="a", operator="=", threshold=1), 'operator "=" of the off condition'),
        (lambda: OffCondition.below("a", float("nan")), 'threshold "nan" of the off condition is not finite'),
        (lambda: OffCondition.below("a", float("inf")), 'threshold "inf" of the off condition is not finite'),
        (lambda: OffCondition.below("a" * 2050, 1), "may have at most 2048: shorten it"),
        (
            lambda: OffCondition.parse(r"pump\torque < 1").require_sensor_in(PUMP),
            r'"pump\\torque < 1.0" names no sensor of the schema: use one of "pump\\speed", "pump\\flow"',
        ),
        (
            lambda: OffCondition.parse("speed < 1").require_sensor_in(PUMP),
            r'"speed < 1.0" names more than one sensor: use one of "pump\\speed", "motor\\speed"$',
        ),
    ],
)
def test_wrong_off_condition(build, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_long_lists_are_cut() -> None:
    wide = DatasetSchema.from_sensors({"p": [f"s{i}" for i in range(30)]})

    with pytest.raises(ValueError, match=r'"p\\s9" or 20 others'):
        OffCondition.parse("x < 1").require_sensor_in(wide)
