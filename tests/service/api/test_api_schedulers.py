"""Inference schedulers, their schedules, executions and events, seen through the real client."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from service.clock import iso_seconds, timestamp
from service.schedulers.schedules import Schedules, cron
from service.storage.names import SCHEDULER, events_of, executions_of
from service.storage.store import Item
from tests.service.api.conftest import INPUT, OUTPUT, ROLE, Deploy, Service

MINUTE = timedelta(minutes=1)


def at(time: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-20T{time}+00:00")


@pytest.mark.parametrize(
    ("frequency", "delay", "minutes"),
    [
        ("PT5M", 0, "0,5,10,15,20,25,30,35,40,45,50,55"),
        ("PT10M", 5, "5,15,25,35,45,55"),
        ("PT15M", 0, "0,15,30,45"),
        ("PT15M", 17, "2,17,32,47"),
        ("PT30M", 1, "1,31"),
        ("PT1H", 60, "0"),
        ("PT1H", 59, "59"),
    ],
)
def test_wakes_are_aligned_to_the_hour(frequency: str, delay: int, minutes: str) -> None:
    assert cron(frequency, delay) == f"cron({minutes} * * * ? *)"


def test_a_scheduler_starts_when_it_is_created(deploy: Deploy) -> None:
    service = deploy(clock=lambda: at("09:08"))
    service.trained_model()
    created = service.create_scheduler("watch", DataUploadFrequency="PT10M", DataDelayOffsetInMinutes=5)
    assert created["Status"] == "PENDING"
    assert created["ModelQuality"] == "CANNOT_DETERMINE_QUALITY"

    described = service.api.describe_inference_scheduler(InferenceSchedulerName="watch")
    assert described["Status"] == "RUNNING"
    assert described["DataInputConfiguration"] == INPUT
    assert described["DataOutputConfiguration"] == OUTPUT
    assert "LatestInferenceResult" not in described

    schedule = service.schedule(created["InferenceSchedulerArn"])
    assert schedule is not None
    assert schedule["ScheduleExpression"] == "cron(5,15,25,35,45,55 * * * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["State"] == "ENABLED"
    assert schedule["Target"]["Arn"] == service.context.environment.infer_function
    assert schedule["Target"]["RoleArn"] == service.context.environment.schedule_role
    uuid = created["InferenceSchedulerArn"].rpartition("/")[2]
    assert json.loads(schedule["Target"]["Input"]) == {"InferenceSchedulerName": "watch", "Uuid": uuid}
    record = service.context.store.get(SCHEDULER, "watch")
    assert record is not None
    assert record["inferredUntil"] == at("09:00").timestamp()


def test_the_delay_is_0_when_not_given(service: Service) -> None:
    service.trained_model()
    service.create_scheduler()
    described = service.api.describe_inference_scheduler(InferenceSchedulerName="watch")
    assert described["DataDelayOffsetInMinutes"] == 0


def test_a_scheduler_goes_through_its_states(deploy: Deploy) -> None:
    now = at("09:01")
    service = deploy(clock=lambda: now)
    service.trained_model()
    arn = service.create_scheduler()["InferenceSchedulerArn"]
    name = {"InferenceSchedulerName": "watch"}

    with pytest.raises(service.api.exceptions.ConflictException, match="'watch' is RUNNING: stop it first"):
        service.api.delete_inference_scheduler(**name)
    assert service.api.start_inference_scheduler(**name)["Status"] == "RUNNING"

    assert service.api.stop_inference_scheduler(**name)["Status"] == "STOPPING"
    assert service.api.describe_inference_scheduler(**name)["Status"] == "STOPPED"
    assert service.api.stop_inference_scheduler(**name)["Status"] == "STOPPED"
    assert service.schedule(arn)["State"] == "DISABLED"  # type: ignore[index]

    now = at("10:03")
    assert service.api.start_inference_scheduler(**name)["Status"] == "PENDING"
    assert service.api.describe_inference_scheduler(**name)["Status"] == "RUNNING"
    assert service.schedule(arn)["State"] == "ENABLED"  # type: ignore[index]
    record = service.context.store.get(SCHEDULER, "watch")
    assert record is not None
    assert record["inferredUntil"] == at("09:00").timestamp()
    left_out = [{"start": at("09:00").timestamp(), "end": at("10:00").timestamp()}]
    assert record["pauses"] == left_out, "the time it was stopped is never processed"

    service.api.stop_inference_scheduler(**name)
    service.api.delete_inference_scheduler(**name)
    assert service.schedule(arn) is None
    for attempt in (
        service.api.describe_inference_scheduler,
        service.api.start_inference_scheduler,
        service.api.stop_inference_scheduler,
        service.api.update_inference_scheduler,
        service.api.delete_inference_scheduler,
    ):
        with pytest.raises(service.api.exceptions.ResourceNotFoundException, match="'watch' does not exist"):
            attempt(**name)


@pytest.mark.parametrize("state", ["RUNNING", "STOPPED"])
def test_an_update_changes_what_is_given_and_keeps_the_state(service: Service, state: str) -> None:
    service.trained_model()
    arn = service.create_scheduler()["InferenceSchedulerArn"]
    if state == "STOPPED":
        service.api.stop_inference_scheduler(InferenceSchedulerName="watch")
    elsewhere = {"S3OutputConfiguration": {"Bucket": "elsewhere", "Prefix": ""}}
    service.api.update_inference_scheduler(
        InferenceSchedulerName="watch",
        DataUploadFrequency="PT30M",
        DataDelayOffsetInMinutes=3,
        DataOutputConfiguration=elsewhere,
    )
    described = service.api.describe_inference_scheduler(InferenceSchedulerName="watch")
    assert described["Status"] == state
    assert described["DataOutputConfiguration"] == elsewhere
    assert described["DataInputConfiguration"] == INPUT
    schedule = service.schedule(arn)
    assert schedule is not None
    assert schedule["ScheduleExpression"] == "cron(3,33 * * * ? *)"
    assert schedule["State"] == ("ENABLED" if state == "RUNNING" else "DISABLED")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"DataUploadFrequency": "PT10M"}, "'PT10M' is shorter than the sampling rate 'PT15M'"),
        ({"DataInputConfiguration": {}}, "has no S3InputConfiguration"),
        ({"DataInputConfiguration": {**INPUT, "InputTimeZoneOffset": "+14:15"}}, "is no time zone"),
        ({"DataInputConfiguration": {**INPUT, "InputTimeZoneOffset": "+05:10"}}, "is no time zone"),
        ({"DataInputConfiguration": {**INPUT, "InputTimeZoneOffset": "-12:30"}}, "is no time zone"),
        ({"RoleArn": "arn:aws:iam::000000000000:role/access"}, "does not lie under the path"),
    ],
)
def test_what_a_scheduler_cannot_be_created_or_updated_with(
    service: Service, given: dict[str, Any], words: str
) -> None:
    service.trained_model(DataPreProcessingConfiguration={"TargetSamplingRate": "PT15M"})
    invalid = service.api.exceptions.ValidationException
    with pytest.raises(invalid, match=words):
        service.create_scheduler(**{"DataUploadFrequency": "PT15M", **given})
    service.create_scheduler(DataUploadFrequency="PT15M")
    with pytest.raises(invalid, match=words):
        service.api.update_inference_scheduler(InferenceSchedulerName="watch", **given)


@pytest.mark.parametrize("zone", ["+00:00", "-12:00", "+14:00", "+05:30", "+12:45"])
def test_time_zones_are_echoed(service: Service, zone: str) -> None:
    service.trained_model()
    given = {
        **INPUT,
        "InputTimeZoneOffset": zone,
        "InferenceInputNameConfiguration": {"TimestampFormat": "EPOCH", "ComponentTimestampDelimiter": ""},
    }
    service.create_scheduler(DataInputConfiguration=given)
    described = service.api.describe_inference_scheduler(InferenceSchedulerName="watch")
    assert described["DataInputConfiguration"] == given


def test_a_scheduler_needs_a_trained_model(service: Service) -> None:
    with pytest.raises(service.api.exceptions.ResourceNotFoundException, match="model 'wear'"):
        service.create_scheduler()
    service.ingested_dataset()
    service.create_model()
    with pytest.raises(service.api.exceptions.ConflictException, match="'wear' is IN_PROGRESS, not SUCCESS"):
        service.create_scheduler()


def test_a_model_has_one_scheduler(service: Service) -> None:
    service.trained_model()
    service.create_scheduler("watch")
    with pytest.raises(service.api.exceptions.ServiceQuotaExceededException, match=r"has 1 .*'watch'"):
        service.create_scheduler("second")
    with pytest.raises(service.api.exceptions.ConflictException, match="'watch' already exists"):
        service.create_scheduler("watch")


def test_a_deleted_model_breaks_its_scheduler(service: Service) -> None:
    service.trained_model()
    service.create_scheduler()
    with pytest.raises(service.api.exceptions.ConflictException, match="'watch', which is RUNNING"):
        service.api.delete_model(ModelName="wear")
    service.api.stop_inference_scheduler(InferenceSchedulerName="watch")
    service.api.delete_model(ModelName="wear")
    with pytest.raises(service.api.exceptions.ConflictException, match=r"'wear' .* was deleted"):
        service.api.start_inference_scheduler(InferenceSchedulerName="watch")
    service.api.delete_inference_scheduler(InferenceSchedulerName="watch")


def test_a_start_that_was_cut_short_is_completed_by_repeating_it(service: Service) -> None:
    service.trained_model()
    arn = service.create_scheduler()["InferenceSchedulerArn"]
    service.context.store.update(SCHEDULER, "watch", {"Status": "PENDING"})
    group = service.context.environment.schedule_group
    service.context.client("scheduler").delete_schedule(
        Name=f"{group}-{arn.rpartition('/')[2]}", GroupName=group
    )
    service.api.start_inference_scheduler(InferenceSchedulerName="watch")
    described = service.api.describe_inference_scheduler(InferenceSchedulerName="watch")
    assert described["Status"] == "RUNNING"
    assert service.schedule(arn) is not None


def test_a_scheduler_without_a_schedule_is_not_created(deploy: Deploy, variables: dict[str, str]) -> None:
    variables["L4E_SCHEDULE_GROUP"] = "missing"
    service = deploy()
    service.trained_model()
    request = {
        "InferenceSchedulerName": "watch",
        "ModelName": "wear",
        "DataUploadFrequency": "PT5M",
        "DataInputConfiguration": INPUT,
        "DataOutputConfiguration": OUTPUT,
        "RoleArn": ROLE,
        "ClientToken": "t",
    }
    assert service.call("CreateInferenceScheduler", request)[0] == 500
    assert service.api.list_inference_schedulers()["InferenceSchedulerSummaries"] == []
    variables["L4E_SCHEDULE_GROUP"] = "inference"
    status, reply = deploy().call("CreateInferenceScheduler", request)
    assert (status, reply["Status"]) == (200, "PENDING")


def test_a_schedule_follows_a_scheduler_that_is_stopped_during_an_update(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.trained_model()
    arn = service.create_scheduler()["InferenceSchedulerArn"]
    put = Schedules.put

    def put_late(schedules: Schedules, record: Item) -> None:
        if record["Status"] == "RUNNING":
            service.context.store.update(SCHEDULER, "watch", {"Status": "STOPPED"})
        put(schedules, record)

    monkeypatch.setattr(Schedules, "put", put_late)
    service.api.update_inference_scheduler(InferenceSchedulerName="watch", DataDelayOffsetInMinutes=1)
    assert service.schedule(arn)["State"] == "DISABLED"  # type: ignore[index]


def test_schedulers_are_listed_and_filtered(service: Service) -> None:
    for model, scheduler in (("wear", "a1"), ("leak", "a2"), ("heat", "b1")):
        service.trained_model(model)
        service.create_scheduler(scheduler, ModelName=model)
    service.api.stop_inference_scheduler(InferenceSchedulerName="a2")

    def listed(**filters: str) -> list[str]:
        found = service.api.list_inference_schedulers(**filters)["InferenceSchedulerSummaries"]
        return [scheduler["InferenceSchedulerName"] for scheduler in found]

    assert listed() == ["a1", "a2", "b1"]
    assert listed(InferenceSchedulerNameBeginsWith="a") == ["a1", "a2"]
    assert listed(ModelName="heat") == ["b1"]
    assert listed(ModelName="hea") == []
    assert listed(Status="STOPPED") == ["a2"]


def _executed(service: Service, *starts: str, status: str = "SUCCESS", **members: Any) -> None:
    """Record executions as the inference job does."""
    scheduler = service.context.store.get(SCHEDULER, "watch")
    assert scheduler is not None
    for start in starts:
        end = at(start) + 5 * MINUTE
        service.context.store.create(
            {
                "pk": executions_of(scheduler["uuid"]),
                "sk": iso_seconds(timestamp(at(start))),
                "ScheduledStartTime": end,
                "DataStartTime": at(start),
                "DataEndTime": end,
                "Status": status,
                "ModelVersion": 1,
                **members,
            }
        )


def test_executions_are_listed_newest_first_and_filtered(service: Service) -> None:
    service.trained_model()
    service.create_scheduler()
    _executed(service, "09:00", "09:05", "09:10")
    _executed(service, "09:15", status="FAILED")

    def listed(**filters: Any) -> list[str]:
        found = service.api.list_inference_executions(InferenceSchedulerName="watch", **filters)
        return [f"{one['DataStartTime']:%H:%M}" for one in found["InferenceExecutionSummaries"]]

    assert listed() == ["09:15", "09:10", "09:05", "09:00"]
    assert listed(Status="FAILED") == ["09:15"]
    assert listed(DataStartTimeAfter=at("09:05")) == ["09:15", "09:10", "09:05"]
    assert listed(DataStartTimeAfter=at("09:05:00.500000")) == ["09:15", "09:10"]
    assert listed(DataEndTimeBefore=at("09:10")) == ["09:05", "09:00"]
    assert listed(DataStartTimeAfter=at("09:05"), DataEndTimeBefore=at("09:10")) == ["09:05"]
    unknown = service.api.list_inference_executions(InferenceSchedulerName="other")
    assert unknown["InferenceExecutionSummaries"] == []


def test_executions_have_the_names_of_scheduler_and_model(service: Service) -> None:
    """Whether their records have them, as those of earlier releases, or not."""
    service.trained_model()
    service.create_scheduler()
    scheduler = service.context.store.get(SCHEDULER, "watch")
    assert scheduler is not None
    members = ("InferenceSchedulerName", "InferenceSchedulerArn", "ModelName", "ModelArn")
    expected: dict[str, Any] = {member: scheduler[member] for member in members}
    expected["ModelVersionArn"] = f"{scheduler['ModelArn']}/model-version/1"
    _executed(service, "09:00")
    _executed(service, "09:05", **expected)
    found = service.api.list_inference_executions(InferenceSchedulerName="watch")
    executions = found["InferenceExecutionSummaries"]
    assert len(executions) == 2
    assert all(expected.items() <= execution.items() for execution in executions)


def test_events_that_overlap_an_interval_are_listed_oldest_first(service: Service) -> None:
    service.trained_model()
    service.create_scheduler()
    scheduler = service.context.store.get(SCHEDULER, "watch")
    assert scheduler is not None
    for start, end in (("09:00", "09:10"), ("10:00", "10:30"), ("11:00", "11:30")):
        service.context.store.create(
            {
                "pk": events_of(scheduler["uuid"]),
                "sk": iso_seconds(timestamp(at(start))),
                "InferenceSchedulerName": "watch",
                "EventStartTime": at(start),
                "EventEndTime": at(end),
                "EventDurationInSeconds": 600,
                "Diagnostics": '[{"name": "pump\\\\flow", "value": 1.0}]',
            }
        )

    def listed(start: str, end: str, name: str = "watch") -> list[str]:
        found = service.api.list_inference_events(
            InferenceSchedulerName=name, IntervalStartTime=at(start), IntervalEndTime=at(end)
        )
        return [f"{one['EventStartTime']:%H:%M}" for one in found["InferenceEventSummaries"]]

    assert listed("08:00", "12:00") == ["09:00", "10:00", "11:00"]
    assert listed("09:10", "10:00") == ["09:00"], "an end counts as inside, the interval's own end does not"
    assert listed("10:10", "10:20") == ["10:00"]
    assert listed("10:31", "10:59") == []
    with pytest.raises(service.api.exceptions.ResourceNotFoundException, match="'other'"):
        listed("08:00", "12:00", "other")
    assert listed("10:10", "10:10") == ["10:00"], "what goes on at an instant"
    with pytest.raises(service.api.exceptions.ValidationException, match="must not be after IntervalEndTime"):
        listed("12:00", "08:00")


def test_the_role_of_an_update_is_the_one_used_from_then_on(service: Service) -> None:
    service.trained_model()
    service.create_scheduler()
    service.api.update_inference_scheduler(InferenceSchedulerName="watch", RoleArn=f"{ROLE}2")
    described = service.api.describe_inference_scheduler(InferenceSchedulerName="watch")
    assert described["RoleArn"] == f"{ROLE}2"
