"""The hourly look at everything, in a service with more schedulers than there is time for."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from service.reconciler import reconcile
from service.storage.names import versions_of
from tests.service.api.conftest import Deploy, Service
from tests.service.counted import CountedCalls, counted_calls

HOURLY = {"source": "aws.events"}
MODELS = ("bearing", "seal", "wear")


@pytest.fixture
def time() -> list[datetime]:
    return [datetime(2026, 7, 10, 15, tzinfo=UTC)]


@pytest.fixture
def busy(deploy: Deploy, time: list[datetime]) -> Service:
    """Three models, each with a scheduler of inference and one of retraining."""
    service = deploy(clock=lambda: time[0])
    for name in MODELS:
        service.trained_model(name)
        service.create_scheduler(f"watch-{name}", ModelName=name)
        service.api.create_retraining_scheduler(
            ModelName=name, RetrainingFrequency="P30D", LookbackWindow="P180D"
        )
    return service


def swept(service: Service, *seconds_left: float) -> CountedCalls:
    """Look at everything with so much time left before each schedule."""
    left: Iterator[float] = iter(seconds_left)
    with counted_calls() as counted:
        reconcile(HOURLY, service.context, seconds_left=lambda: next(left))
    return counted


def test_every_schedule_is_looked_at_with_one_call(busy: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    counted = swept(busy, *[300] * 6)
    calls = [call for call in counted.calls if call.service == "scheduler"]
    assert {call.operation for call in calls} == {"GetSchedule"}
    assert len({call.request["Name"] for call in calls}) == len(calls) == 6
    assert "not looked at" not in caplog.text


def test_without_time_for_all_schedules_the_rest_is_done_and_what_is_missing_told(
    busy: Service, time: list[datetime], caplog: pytest.LogCaptureFixture
) -> None:
    time[0] += timedelta(days=1)
    counted = swept(busy, 300, 299, 19)
    assert counted.by_operation()["GetSchedule"] == 2
    assert "4 of 6 schedules were not looked at in this hour" in caplog.text
    state = busy.context.records.index_state()
    assert state is not None
    assert float(state["latest"]) == time[0].timestamp(), "the sweep of the indexes did not end"
    for name in MODELS:
        model = busy.context.records.model(name)
        assert model is not None
        assert len(list(busy.context.store.all(versions_of(model["uuid"])))) == 2, "it was not retrained"


def test_what_one_look_leaves_out_a_later_one_sees(busy: Service) -> None:
    seen: set[str] = set()
    for _ in range(200):  # with one of six each time, all have come by then, but once in 10^15
        counted = swept(busy, 300, 0)
        seen |= {call.request["Name"] for call in counted.calls if call.operation == "GetSchedule"}
        if len(seen) == 6:
            return
    pytest.fail(f"only {seen} were looked at")
