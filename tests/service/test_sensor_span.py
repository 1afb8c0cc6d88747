"""When the sensors of a model have data, as the statistics of an ingestion say."""

from decimal import Decimal
from typing import Any

import pytest

from service.members.sensor_span import sensor_span
from service.members.training_windows import TimeSpan


def statistics(
    component: str, sensor: str, start: float, end: float, *, exists: bool = True
) -> dict[str, Any]:
    return {
        "ComponentName": component,
        "SensorName": sensor,
        "DataExists": exists,
        "DataStartTime": start,
        "DataEndTime": end,
    }


FOUND = [
    statistics("motor", "speed", 0, 100),
    statistics("pump", "flow", 40, 60.0005),
    statistics("pump", "head", 50.25, 70),
    statistics("pump", "silent", 0, 100, exists=False),  # carries the extent of all data
    statistics("pu", "mp\\flow", 10, 20),
]


@pytest.mark.parametrize(
    ("sensors", "span"),
    [
        (["motor\\speed", "pump\\flow", "pump\\head"], ("0", "100")),
        (["pump\\flow"], ("40", "60.000")),
        (["pump\\flow", "pump\\head"], ("40", "70")),
        (["pump\\head", "pump\\silent"], ("50.25", "70")),
        (["pump\\silent"], None),
        (["pump\\speed", "motor\\flow"], None),
        ([], None),
    ],
)
def test_from_the_first_to_the_last_value_of_these_sensors(
    sensors: list[str], span: tuple[str, str] | None
) -> None:
    expected = None if span is None else TimeSpan(start=Decimal(span[0]), end=Decimal(span[1]))
    assert sensor_span(FOUND, sensors) == expected
