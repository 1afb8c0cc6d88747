"""Operations on schedulers that are cut short at any of their writes: the next request goes on from there.

`pytest -rP` lists the boundaries.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError

from service.context import Context
from service.errors import ConflictError, NotFoundError
from service.operations.schedulers import OPERATIONS
from service.reconciler import reconcile
from service.schedulers.schedules import cron
from service.storage.names import SCHEDULER, TOKEN, events_of, executions_of, scheduler_prefix
from tests.service.api.conftest import INPUT, OUTPUT, ROLE, Deploy, Service
from tests.service.mortal import Fate, Killed, Mortal

NAME = {"InferenceSchedulerName": "watch"}
CREATION = {
    **NAME,
    "ModelName": "wear",
    "DataUploadFrequency": "PT5M",
    "DataInputConfiguration": INPUT,
    "DataOutputConfiguration": OUTPUT,
    "RoleArn": ROLE,
    "ClientToken": "t",
}
REQUESTS: dict[str, dict[str, Any]] = {
    "Create": CREATION,
    "Update": {**NAME, "DataUploadFrequency": "PT15M", "DataDelayOffsetInMinutes": 2},
    "Stop": NAME,
    "Start": NAME,
    "Delete": NAME,
}
BEFORE = {"Create": (), "Update": ("Create",), "Stop": ("Create",), "Start": ("Create", "Stop")}
BEFORE["Delete"] = ("Create", "Stop")
MOST = 8


def call(context: Context, verb: str) -> Any:
    return OPERATIONS[f"{verb}InferenceScheduler"](context, dict(REQUESTS.get(verb, NAME)))


def cut_short(service: Service, verb: str, fate: Fate) -> bool:
    """Call an operation with a fate; return whether it met it."""
    context = replace(service.context, client=lambda name: Mortal(service.context.client(name), fate))
    with suppress(Killed, BotoCoreError):
        call(context, verb)
    return fate.met is not None


@pytest.fixture
def variables(variables: dict[str, str], clients: Callable[[str], Any]) -> dict[str, str]:
    """Give the service a group of schedules of its own: of all, the embedded AWS lists the first hundred."""
    group = f"group-of-{variables['L4E_TABLE']}"
    clients("scheduler").create_schedule_group(Name=group)
    return {**variables, "L4E_SCHEDULE_GROUP": group}


def schedule_of(service: Service, uuid: str) -> dict[str, str]:
    """Return what names the schedule of a scheduler."""
    group = service.context.environment.schedule_group
    return {"Name": f"{group}-{uuid}", "GroupName": group}


def schedules(service: Service) -> list[str]:
    """Return the uuids of the schedulers that have a schedule."""
    group = service.context.environment.schedule_group
    found = service.context.client("scheduler").list_schedules(GroupName=group)["Schedules"]
    return [one["Name"].removeprefix(f"{group}-") for one in found]


def agrees(service: Service) -> None:
    """What the record says and what EventBridge Scheduler has is the same, and nothing is between states."""
    described = service.api.describe_inference_scheduler(**NAME)
    schedule = service.schedule(described["InferenceSchedulerArn"])
    assert schedule is not None
    expected = cron(described["DataUploadFrequency"], described["DataDelayOffsetInMinutes"])
    assert schedule["ScheduleExpression"] == expected
    state = {"RUNNING": "ENABLED", "STOPPED": "DISABLED"}[described["Status"]]
    assert schedule["State"] == state


def remember(service: Service) -> None:
    """Give the scheduler, if there is one, what inference leaves beside executions: an event and a state."""
    for scheduler in service.context.store.all(SCHEDULER):
        service.context.store.create({"pk": events_of(scheduler["uuid"]), "sk": "2026-01-01T00:00:00Z"})
        service.context.service_bucket.put(f"{scheduler_prefix(scheduler['uuid'])}state.bin", b"state")


def leaves_nothing(service: Service, uuids: set[str]) -> None:
    store = service.context.store
    for uuid in uuids:
        assert uuid not in schedules(service)
        assert list(store.all(events_of(uuid))) == []
        assert list(service.context.service_bucket.keys(scheduler_prefix(uuid))) == []
    assert list(store.all(SCHEDULER)) == []


@pytest.mark.parametrize("deaf", [False, True], ids=["killed", "reply lost"])
@pytest.mark.parametrize("verb", REQUESTS)
def test_an_operation_may_end_at_any_write(service: Service, verb: str, *, deaf: bool) -> None:
    service.trained_model()
    for at in range(MOST):
        before = set(schedules(service))
        for earlier in BEFORE[verb]:
            call(service.context, earlier)
        remember(service)
        uuids = {record["uuid"] for record in service.context.store.all(SCHEDULER)}
        fate = Fate(at=at, deaf=deaf)
        cut_short(service, verb, fate)
        uuids |= {record["uuid"] for record in service.context.store.all(SCHEDULER)}
        uuids |= set(schedules(service)) - before
        with suppress(NotFoundError):
            call(service.context, "Describe")
            agrees(service)
            call(service.context, "Stop")
            agrees(service)
        with suppress(NotFoundError):
            call(service.context, "Delete")
        leaves_nothing(service, uuids)
        for token in service.context.store.all(TOKEN):
            service.context.store.delete(TOKEN, token["sk"])
        print(f"{verb}, {'reply lost' if deaf else 'killed'} at write {at} ({fate.met or 'none'}): goes on")
        if fate.met is None:
            break
    else:
        pytest.fail(f"{verb} writes more than {MOST} times")
    assert at > 1


def test_the_same_creation_goes_on_where_it_was_killed(service: Service) -> None:
    service.trained_model()
    assert cut_short(service, "Create", Fate(at=1))
    (pending,) = service.context.store.all(SCHEDULER)
    assert pending["Status"] == "PENDING"
    assert call(service.context, "Create")["uuid"] == pending["uuid"]
    agrees(service)


def test_a_list_completes_what_was_cut_short(service: Service) -> None:
    service.trained_model()
    call(service.context, "Create")
    assert cut_short(service, "Stop", Fate(at=1))
    (listed,) = service.api.list_inference_schedulers()["InferenceSchedulerSummaries"]
    assert listed["Status"] == "STOPPED"
    agrees(service)


@pytest.mark.parametrize("change", ["deleted", "disabled", "moved"])
def test_a_schedule_that_somebody_changed_is_made_anew(
    service: Service, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    service.trained_model()
    uuid = call(service.context, "Create")["uuid"]
    client, schedule = service.context.client("scheduler"), schedule_of(service, uuid)
    if change == "deleted":
        client.delete_schedule(**schedule)
    else:
        found = client.get_schedule(**schedule)
        kept = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target", "State")
        other = {"State": "DISABLED"} if change == "disabled" else {"ScheduleExpression": "rate(1 day)"}
        client.update_schedule(**{**{member: found[member] for member in kept}, **other})
    agrees(service)
    assert "the schedule of the inference scheduler 'watch' was made anew" in caplog.text


def test_the_hourly_look_makes_a_lost_schedule_anew(service: Service) -> None:
    service.trained_model()
    uuid = call(service.context, "Create")["uuid"]
    client, schedule = service.context.client("scheduler"), schedule_of(service, uuid)
    client.delete_schedule(**schedule)
    reconcile({"source": "aws.events"}, service.context)
    assert client.get_schedule(**schedule)["State"] == "ENABLED"


def test_a_read_does_not_fail_with_its_repair(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    service.trained_model()
    call(service.context, "Create")
    service.context.store.update(SCHEDULER, "watch", {"Status": "STOPPING"})

    def throttled(**_: Any) -> Any:
        raise BotoCoreError

    monkeypatch.setattr(service.context.client("scheduler"), "update_schedule", throttled)
    assert service.api.describe_inference_scheduler(**NAME)["Status"] == "STOPPING"
    monkeypatch.undo()
    agrees(service)


@contextmanager
def being_changed(service: Service, operation: str, times: int) -> Iterator[None]:
    """Let another request change the schedule meanwhile, so often."""
    client = service.context.client("scheduler")
    original: Callable[..., Any] = getattr(client, operation)
    left = [times]

    def changing(**request: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise client.exceptions.ConflictException({"Error": {"Code": "ConflictException"}}, operation)
        return original(**request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.schedulers.schedules._PAUSES", (0.0, 0.0, 0.0))
        patch.setattr(client, operation, changing)
        yield


@pytest.mark.parametrize("busy", [1, 3, 4])
@pytest.mark.parametrize(
    ("verb", "operation"),
    [("Stop", "update_schedule"), ("Update", "update_schedule"), ("Create", "create_schedule")],
)
def test_a_schedule_that_is_being_changed_is_tried_again(
    service: Service, verb: str, operation: str, busy: int
) -> None:
    service.trained_model()
    for earlier in BEFORE[verb]:
        call(service.context, earlier)
    with being_changed(service, operation, busy):
        if busy > 3:
            with pytest.raises(ConflictError, match="'watch' is being changed by another request: try again"):
                call(service.context, verb)
        else:
            call(service.context, verb)
    if (verb, busy) == ("Create", 4):
        assert list(service.context.store.all(SCHEDULER)) == []
    else:
        agrees(service)


@pytest.mark.parametrize("busy", [1, 3, 4])
def test_a_schedule_that_is_being_changed_is_deleted_in_the_end(service: Service, busy: int) -> None:
    service.trained_model()
    uuid = call(service.context, "Create")["uuid"]
    call(service.context, "Stop")
    with being_changed(service, "delete_schedule", busy):
        call(service.context, "Delete")
    assert (uuid in schedules(service)) == (busy > 3)
    with suppress(NotFoundError):
        call(service.context, "Delete")
    leaves_nothing(service, {uuid})


def test_a_schedule_that_is_being_changed_is_no_internal_error(service: Service) -> None:
    service.trained_model()
    call(service.context, "Create")
    with (
        being_changed(service, "update_schedule", 4),
        pytest.raises(service.api.exceptions.ConflictException, match="try again"),
    ):
        service.api.update_inference_scheduler(**REQUESTS["Update"])
    agrees(service)


def test_a_deleted_scheduler_leaves_nothing(service: Service) -> None:
    service.trained_model()
    uuid = call(service.context, "Create")["uuid"]
    remember(service)
    call(service.context, "Stop")
    call(service.context, "Delete")
    leaves_nothing(service, {uuid})


@pytest.mark.parametrize(
    ("status", "minutes", "ended"),
    [("STOPPED", 17, "FAILED"), ("STOPPED", 15, "IN_PROGRESS"), ("RUNNING", 17, "IN_PROGRESS")],
)
def test_an_execution_that_nobody_will_take_over_has_failed(
    deploy: Deploy, status: str, minutes: int, ended: str
) -> None:
    now = datetime(2026, 11, 20, 9, tzinfo=UTC)
    service = deploy(clock=lambda: now)
    service.trained_model()
    uuid = call(service.context, "Create")["uuid"]
    window = {"DataStartTime": int(now.timestamp()) - 300, "DataEndTime": int(now.timestamp())}
    claimed = {"Status": "IN_PROGRESS", "claimedAt": now - timedelta(minutes=minutes), "attempts": 1}
    service.context.store.create(
        {"pk": executions_of(uuid), "sk": "2026-11-20T08:55:00Z", **window, **claimed}
    )
    if status == "STOPPED":
        call(service.context, "Stop")
    listed = service.api.list_inference_executions(**NAME)["InferenceExecutionSummaries"]
    assert [one["Status"] for one in listed] == [ended]
    if ended == "FAILED":
        assert "ended before it was done" in listed[0]["FailedReason"]
        failed = service.api.list_inference_executions(**NAME, Status="FAILED")
        assert len(failed["InferenceExecutionSummaries"]) == 1
