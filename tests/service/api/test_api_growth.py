"""What operations cost does not grow with what is stored: calls of DynamoDB and the units that it bills."""

from functools import cache

import pytest

from benchmarks.api import REQUESTS, Cost, counted, operation
from service.requests.service_model import service_model

FEW, MANY = 100, 1_000


@cache
def costs(stored: int) -> dict[str, Cost]:
    """What each request costs with so many resources of each kind."""
    return counted(stored)


def test_every_operation_is_looked_at() -> None:
    assert {operation(name) for name, _ in REQUESTS} == set(service_model().operation_names)


@pytest.mark.parametrize("name", dict(REQUESTS))
def test_ten_times_as_many_resources_cost_the_same(name: str) -> None:
    few, many = costs(FEW)[name], costs(MANY)[name]
    assert (many.calls, many.read_units, many.write_units) == (few.calls, few.read_units, few.write_units)
