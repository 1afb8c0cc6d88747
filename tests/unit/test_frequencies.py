"""Steps of time."""

import pytest

from constructs_l4e import DataUploadFrequency, TargetSamplingRate


@pytest.mark.parametrize(
    ("rate", "frequency"),
    [(None, "PT5M"), ("PT1S", "PT5M"), ("PT5M", "PT5M"), ("PT30M", "PT30M"), ("PT1H", "PT1H")],
)
def test_shortest_frequency(rate: str | None, frequency: str) -> None:
    shortest = DataUploadFrequency.shortest_for(TargetSamplingRate(rate) if rate else None)

    assert shortest == frequency


def test_periods_in_seconds() -> None:
    assert [each.seconds for each in DataUploadFrequency] == [300, 600, 900, 1800, 3600]
    assert TargetSamplingRate.PT30S.seconds == 30
