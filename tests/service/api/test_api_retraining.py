"""Versions and retraining schedulers, seen through the real client; the test plays clock and training."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.reconciler import reconcile
from service.reconciliation.training_end import record_end, record_failed_training
from service.schedulers.schedules import MIDNIGHT, RETRAINING_EVENT
from service.storage.names import (
    MODEL,
    RETRAINING_SCHEDULER,
    accumulated_prefix,
    version_arn,
    version_key,
    versions_of,
)
from service.storage.service_bucket import ServiceBucket
from service.storage.store import Item
from tests.service.api.conftest import FIRST, LAST, ROLE, Deploy, Service
from tests.service.counted import counted_calls

DAY = timedelta(days=1)
NAME = {"ModelName": "wear"}
GIVEN = {**NAME, "RetrainingFrequency": "P30D", "LookbackWindow": "P180D"}
HOURLY = {"source": "aws.events"}


@dataclass
class Plant:
    """A service with a trained model, and the time."""

    service: Service
    time: list[datetime]

    @property
    def api(self) -> Any:
        return self.service.api

    @property
    def model(self) -> Item:
        found = self.service.context.store.get(MODEL, "wear")
        assert found is not None
        return found

    def record(self) -> Item:
        found = self.service.context.store.get(RETRAINING_SCHEDULER, "wear")
        assert found is not None
        return found

    def version(self, number: int) -> Item:
        found = self.service.context.store.get(versions_of(self.model["uuid"]), version_key(number))
        assert found is not None
        return found

    def versions(self) -> list[tuple[int, str]]:
        listed = self.api.list_model_versions(**NAME)["ModelVersionSummaries"]
        return [(each["ModelVersion"], each["Status"]) for each in listed]

    def until(self, text: str) -> None:
        self.time[0] = datetime.fromisoformat(text).replace(tzinfo=UTC)

    def wake(self) -> None:
        """Do what the schedule does at midnight."""
        event = {"source": RETRAINING_EVENT, "ModelName": "wear", "Uuid": self.record()["uuid"]}
        reconcile(event, self.service.context)

    def succeed(self, number: int, *, promoted: bool = False, **members: Any) -> None:
        version, store = self.version(number), self.service.context.store
        shown = {"AutoPromotionResult": "MODEL_PROMOTED" if promoted else "MODEL_NOT_PROMOTED"}
        record_end(
            store,
            self.model,
            version,
            {"Status": "SUCCESS", "ModelQuality": "QUALITY_THRESHOLD_MET", **members},
            version_only={**shown, "RetrainingAvailableDataInDays": 180},
            promoted=promoted,
        )

    def execution(self, number: int) -> Item:
        machine = self.service.context.environment.train_state_machine
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{self.model['uuid']}-{number}"
        found: Item = self.service.context.client("stepfunctions").describe_execution(executionArn=arn)
        return found


@pytest.fixture
def plant(deploy: Deploy, variables: dict[str, str], lasting: str) -> Plant:
    variables["L4E_TRAIN_STATE_MACHINE"] = lasting
    time = [datetime(2026, 7, 10, 15, tzinfo=UTC)]
    service = deploy(clock=lambda: time[0])
    service.ingested_dataset()
    service.create_model(
        TrainingDataStartTime=FIRST,
        TrainingDataEndTime=datetime(2026, 5, 25, 4, 48, tzinfo=UTC),
        EvaluationDataStartTime=datetime(2026, 5, 25, 4, 48, tzinfo=UTC),
        EvaluationDataEndTime=LAST,
        RoleArn=ROLE,
        ModelDiagnosticsOutputConfiguration={
            "S3OutputConfiguration": {"Bucket": "customer", "Prefix": "diagnostics/"}
        },
    )
    made = Plant(service, time)
    record_end(
        service.context.store,
        made.model,
        made.version(1),
        {
            "Status": "SUCCESS",
            "ModelDiagnosticsOutputConfiguration": {
                "S3OutputConfiguration": {
                    "Bucket": "customer",
                    "Prefix": "diagnostics/wear/1/model_diagnostics_results.json.gz",
                }
            },
        },
        version_only={},
        promoted=True,
    )
    return made


def test_one_is_created_and_started(plant: Plant) -> None:
    created = plant.api.create_retraining_scheduler(**GIVEN)
    assert created["ModelArn"] == plant.model["ModelArn"]
    assert (created["ModelName"], created["Status"]) == ("wear", "PENDING")
    described = plant.api.describe_retraining_scheduler(**NAME)
    assert {name: described[name] for name in GIVEN} == GIVEN
    assert (described["Status"], described["PromoteMode"]) == ("RUNNING", "MANAGED")
    assert described["RetrainingStartDate"] == datetime(2026, 7, 11, tzinfo=UTC)
    assert described["CreatedAt"] == plant.time[0]

    schedule = plant.service.schedule(plant.record()["uuid"])
    assert schedule is not None
    assert (schedule["ScheduleExpression"], schedule["State"]) == (MIDNIGHT, "ENABLED")
    environment = plant.service.context.environment
    assert schedule["Target"]["Arn"] == environment.retraining_function
    assert schedule["Target"]["RoleArn"] == environment.retraining_schedule_role
    assert json.loads(schedule["Target"]["Input"]) == {
        "source": RETRAINING_EVENT,
        "ModelName": "wear",
        "Uuid": plant.record()["uuid"],
    }
    model = plant.api.describe_model(**NAME)
    assert model["RetrainingSchedulerStatus"] == "RUNNING"
    assert model["NextScheduledRetrainingStartDate"] == datetime(2026, 7, 11, tzinfo=UTC)
    (summary,) = plant.api.list_models()["ModelSummaries"]
    assert summary["RetrainingSchedulerStatus"] == "RUNNING"
    assert summary["NextScheduledRetrainingStartDate"] == datetime(2026, 7, 11, tzinfo=UTC)


def test_a_start_date_is_cut_to_its_day(plant: Plant) -> None:
    plant.api.create_retraining_scheduler(
        **GIVEN, RetrainingStartDate=datetime(2026, 8, 1, 23, 59, tzinfo=UTC)
    )
    described = plant.api.describe_retraining_scheduler(**NAME)
    assert described["RetrainingStartDate"] == datetime(2026, 8, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"RetrainingFrequency": "P29D"}, "'P29D' is shorter than 30 days"),
        ({"RetrainingFrequency": "P"}, "'P' is shorter than 30 days"),
        ({"RetrainingFrequency": "P13M"}, "'P13M' is longer than a year"),
        (
            {"RetrainingStartDate": datetime(2040, 1, 1, tzinfo=UTC)},
            "2040-01-01T00:00:00Z is more than ten",
        ),
    ],
)
def test_what_cannot_be(plant: Plant, change: dict[str, Any], problem: str) -> None:
    wrong = plant.api.exceptions.ValidationException
    with pytest.raises(wrong, match=problem):
        plant.api.create_retraining_scheduler(**{**GIVEN, **change})
    plant.api.create_retraining_scheduler(**GIVEN)
    with pytest.raises(wrong, match=problem):
        plant.api.update_retraining_scheduler(**NAME, **change)


def test_a_model_has_one(plant: Plant) -> None:
    plant.api.create_retraining_scheduler(**GIVEN, ClientToken="one")
    assert plant.api.create_retraining_scheduler(**GIVEN, ClientToken="one")["Status"] == "RUNNING"
    with pytest.raises(plant.api.exceptions.ConflictException, match="has a retraining scheduler already"):
        plant.api.create_retraining_scheduler(**GIVEN)


def test_it_needs_a_model_that_was_trained(plant: Plant) -> None:
    with pytest.raises(plant.api.exceptions.ResourceNotFoundException, match="'none' does not exist"):
        plant.api.create_retraining_scheduler(**{**GIVEN, "ModelName": "none"})
    plant.service.create_model("fresh")
    with pytest.raises(plant.api.exceptions.ConflictException, match="'fresh' is IN_PROGRESS, not SUCCESS"):
        plant.api.create_retraining_scheduler(**{**GIVEN, "ModelName": "fresh"})
    for verb in ("describe", "update", "start", "stop", "delete"):
        with pytest.raises(plant.api.exceptions.ResourceNotFoundException, match="'wear' does not exist"):
            getattr(plant.api, f"{verb}_retraining_scheduler")(**NAME)


def test_it_goes_through_its_states(plant: Plant) -> None:
    plant.api.create_retraining_scheduler(**GIVEN)
    conflict = plant.api.exceptions.ConflictException
    with pytest.raises(conflict, match="'wear' is RUNNING: stop it first"):
        plant.api.delete_retraining_scheduler(**NAME)
    with pytest.raises(conflict, match="retraining scheduler of the model 'wear' is RUNNING: stop it first"):
        plant.api.delete_model(**NAME)
    assert plant.api.start_retraining_scheduler(**NAME)["Status"] == "RUNNING"
    assert plant.api.stop_retraining_scheduler(**NAME)["Status"] == "STOPPING"
    assert plant.api.describe_retraining_scheduler(**NAME)["Status"] == "STOPPED"
    assert plant.api.stop_retraining_scheduler(**NAME)["Status"] == "STOPPED"
    schedule = plant.service.schedule(plant.record()["uuid"])
    assert schedule is not None
    assert schedule["State"] == "DISABLED"
    model = plant.api.describe_model(**NAME)
    assert model["RetrainingSchedulerStatus"] == "STOPPED"
    assert "NextScheduledRetrainingStartDate" not in model

    plant.until("2026-09-01T12:00")
    assert plant.api.start_retraining_scheduler(**NAME)["Status"] == "PENDING"
    model = plant.api.describe_model(**NAME)
    assert model["NextScheduledRetrainingStartDate"] == datetime(2026, 9, 9, tzinfo=UTC), "11 July + 60 days"

    plant.api.stop_retraining_scheduler(**NAME)
    uuid = plant.record()["uuid"]
    plant.api.delete_retraining_scheduler(**NAME)
    assert plant.service.schedule(uuid) is None
    assert "RetrainingSchedulerStatus" not in plant.api.describe_model(**NAME)
    plant.api.create_retraining_scheduler(**GIVEN)


def test_a_model_takes_its_stopped_scheduler_along(plant: Plant) -> None:
    plant.api.create_retraining_scheduler(**GIVEN)
    plant.api.stop_retraining_scheduler(**NAME)
    uuid = plant.record()["uuid"]
    plant.api.delete_model(**NAME)
    assert plant.service.schedule(uuid) is None
    with pytest.raises(plant.api.exceptions.ResourceNotFoundException):
        plant.api.describe_retraining_scheduler(**NAME)


def test_an_update_changes_what_is_given(plant: Plant) -> None:
    plant.api.create_retraining_scheduler(**GIVEN)
    plant.api.update_retraining_scheduler(**NAME, LookbackWindow="P360D", PromoteMode="MANUAL")
    plant.api.update_retraining_scheduler(
        **NAME, RetrainingFrequency="P2M", RetrainingStartDate=datetime(2026, 1, 31, 5, tzinfo=UTC)
    )
    described = plant.api.describe_retraining_scheduler(**NAME)
    assert (described["LookbackWindow"], described["PromoteMode"]) == ("P360D", "MANUAL")
    assert (described["RetrainingFrequency"], described["Status"]) == ("P2M", "RUNNING")
    following = plant.api.describe_model(**NAME)["NextScheduledRetrainingStartDate"]
    assert following == datetime(2026, 7, 31, tzinfo=UTC)


def test_they_are_listed(plant: Plant) -> None:
    plant.api.create_retraining_scheduler(**GIVEN)
    (found,) = plant.api.list_retraining_schedulers(ModelNameBeginsWith="we", Status="RUNNING")[
        "RetrainingSchedulerSummaries"
    ]
    assert {name: found[name] for name in GIVEN} == GIVEN
    for none in ({"Status": "STOPPED"}, {"ModelNameBeginsWith": "x"}):
        assert plant.api.list_retraining_schedulers(**none)["RetrainingSchedulerSummaries"] == []


def test_its_schedule_is_made_anew(plant: Plant) -> None:
    plant.api.create_retraining_scheduler(**GIVEN)
    environment = plant.service.context.environment
    name = f"{environment.schedule_group}-{plant.record()['uuid']}"
    plant.service.context.client("scheduler").delete_schedule(Name=name, GroupName=environment.schedule_group)
    reconcile(HOURLY, plant.service.context)
    assert plant.service.schedule(plant.record()["uuid"]) is not None


def test_one_is_begun_at_its_date(plant: Plant) -> None:
    plant.api.create_retraining_scheduler(**GIVEN)
    plant.until("2026-07-10T23:59:59")
    plant.wake()
    assert plant.versions() == [(1, "SUCCESS")]

    plant.until("2026-07-11T00:00:01")
    plant.wake()
    plant.wake()
    reconcile(HOURLY, plant.service.context)
    assert plant.versions() == [(1, "SUCCESS"), (2, "IN_PROGRESS")]
    assert json.loads(plant.execution(2)["input"]) == {"ModelName": "wear", "ModelVersion": 2}

    version = plant.api.describe_model_version(**NAME, ModelVersion=2)
    assert version["SourceType"] == "RETRAINING"
    assert version["ModelVersionArn"] == version_arn(plant.model["ModelArn"], 2)
    start = plant.time[0] - 180 * DAY
    assert version["TrainingDataStartTime"] == start
    split = LAST - (LAST - start) / 181 * 36.8
    assert abs(version["TrainingDataEndTime"] - split) < timedelta(seconds=2), "as in the first training"
    assert version["EvaluationDataStartTime"] == version["TrainingDataEndTime"]
    assert version["EvaluationDataEndTime"] == LAST
    place = version["ModelDiagnosticsOutputConfiguration"]["S3OutputConfiguration"]
    assert place == {"Bucket": "customer", "Prefix": "diagnostics/"}

    model = plant.api.describe_model(**NAME)
    assert (model["Status"], model["ActiveModelVersion"]) == ("SUCCESS", 1)
    assert model["LatestScheduledRetrainingStatus"] == "IN_PROGRESS"
    assert model["LatestScheduledRetrainingModelVersion"] == 2
    assert model["LatestScheduledRetrainingStartTime"] == plant.time[0]
    assert model["NextScheduledRetrainingStartDate"] == datetime(2026, 8, 10, tzinfo=UTC)
    with pytest.raises(plant.api.exceptions.ConflictException, match="is being retrained: wait"):
        plant.api.update_model(**NAME, RoleArn=ROLE)


def test_a_better_version_becomes_active(plant: Plant) -> None:
    plant.api.create_retraining_scheduler(**GIVEN)
    plant.until("2026-07-11T00:00")
    plant.wake()
    plant.succeed(2, promoted=True)
    model = plant.api.describe_model(**NAME)
    assert (model["ActiveModelVersion"], model["PreviousActiveModelVersion"]) == (2, 1)
    assert model["ActiveModelVersionArn"] == version_arn(model["ModelArn"], 2)
    assert model["LatestScheduledRetrainingAvailableDataInDays"] == 180
    assert model["TrainingDataStartTime"] == plant.time[0] - 180 * DAY
    (summary,) = plant.api.list_models()["ModelSummaries"]
    assert summary["LatestScheduledRetrainingStatus"] == "SUCCESS"
    assert summary["ActiveModelVersion"] == 2
    version = plant.api.describe_model_version(**NAME, ModelVersion=2)
    assert version["RetrainingAvailableDataInDays"] == 180
    assert version["AutoPromotionResult"] == "MODEL_PROMOTED"


def test_dates_that_were_missed_are_made_up_for_once(plant: Plant) -> None:
    plant.api.create_retraining_scheduler(**GIVEN)
    plant.until("2026-10-01T09:00")
    reconcile(HOURLY, plant.service.context)
    plant.succeed(2)
    reconcile(HOURLY, plant.service.context)
    assert plant.versions() == [(1, "SUCCESS"), (2, "SUCCESS")]
    following = plant.api.describe_model(**NAME)["NextScheduledRetrainingStartDate"]
    assert following == datetime(2026, 10, 9, tzinfo=UTC)


def test_the_next_one_waits_for_the_one_before(plant: Plant) -> None:
    plant.api.create_retraining_scheduler(**GIVEN)
    plant.until("2026-07-11T00:00")
    plant.wake()
    machine = plant.service.context.environment.train_state_machine
    assert machine in plant.execution(2)["stateMachineArn"]
    store, uuid = plant.service.context.store, plant.model["uuid"]
    plant.until("2026-08-10T00:00")
    fresh = {"CreatedAt": plant.time[0]}  # the execution of the test has succeeded, without a result
    store.update(versions_of(uuid), version_key(2), fresh)
    plant.wake()
    assert plant.versions() == [(1, "SUCCESS"), (2, "IN_PROGRESS")]
    plant.succeed(2)
    plant.until("2026-08-10T01:00")
    reconcile(HOURLY, plant.service.context)
    assert plant.versions() == [(1, "SUCCESS"), (2, "SUCCESS"), (3, "IN_PROGRESS")]


def test_an_execution_that_died_fails_it_and_the_next_date_tries_again(plant: Plant) -> None:
    plant.api.create_retraining_scheduler(**GIVEN)
    plant.until("2026-07-11T00:00")
    plant.wake()
    plant.service.context.client("stepfunctions").stop_execution(
        executionArn=plant.execution(2)["executionArn"], cause="by hand"
    )
    plant.until("2026-07-11T02:00")
    model = plant.api.describe_model(**NAME)
    assert model["LatestScheduledRetrainingStatus"] == "FAILED"
    assert "To go on, wait for the next retraining" in model["LatestScheduledRetrainingFailedReason"]
    assert (model["Status"], model["ActiveModelVersion"]) == ("SUCCESS", 1)
    version = plant.api.describe_model_version(**NAME, ModelVersion=2)
    assert version["AutoPromotionResult"] == "RETRAINING_INTERNAL_ERROR"
    plant.until("2026-08-10T00:00")
    plant.wake()
    assert plant.versions()[2:] == [(3, "IN_PROGRESS")]
    assert "LatestScheduledRetrainingFailedReason" not in plant.api.describe_model(**NAME)


def test_a_retraining_that_failed_is_published(plant: Plant) -> None:
    plant.api.create_retraining_scheduler(**GIVEN)
    plant.until("2026-07-11T00:00")
    plant.wake()
    record_failed_training(
        plant.service.context.store, plant.model, plant.version(2), "no data", customer=True
    )
    with counted_calls() as counted:
        (detail,) = told_of_the_end(plant)
    assert (detail["Status"], detail["FailedReason"]) == ("FAILED", "no data")
    (sent,) = [call.request for call in counted.calls if call.operation == "PutMetricData"]
    (metric,) = sent["MetricData"]
    assert (metric["MetricName"], metric["Value"]) == ("RetrainingFailed", 1.0)
    assert metric["Dimensions"] == [{"Name": "ModelName", "Value": "wear"}]


def told_of_the_end(plant: Plant) -> list[dict[str, Any]]:
    """What others are told when the execution of the second version has ended badly."""
    job = json.dumps({"ModelName": "wear", "ModelVersion": 2})
    with counted_calls() as counted:
        reconcile({"source": "aws.states", "detail": {"input": job}}, plant.service.context)
    sent = [call.request["Entries"] for call in counted.calls if call.operation == "PutEvents"]
    return [json.loads(entry["Detail"]) for entries in sent for entry in entries]


def test_a_stopped_scheduler_cancels_its_retraining(plant: Plant) -> None:
    plant.api.create_retraining_scheduler(**GIVEN)
    plant.until("2026-07-11T00:00")
    plant.wake()
    plant.api.stop_retraining_scheduler(**NAME)
    version = plant.api.describe_model_version(**NAME, ModelVersion=2)
    assert version["Status"] == "CANCELED"
    assert version["AutoPromotionResult"] == "RETRAINING_CANCELLED"
    assert version["AutoPromotionResultReason"] == "the retraining scheduler was stopped"
    assert plant.api.describe_model(**NAME)["LatestScheduledRetrainingStatus"] == "CANCELED"
    (detail,) = told_of_the_end(plant)
    assert (detail["ModelVersion"], detail["Status"]) == (2, "CANCELED")
    plant.succeed(2, promoted=True)
    assert plant.versions() == [(1, "SUCCESS"), (2, "CANCELED")], "what still runs changes nothing"
    assert plant.api.describe_model(**NAME)["ActiveModelVersion"] == 1
    plant.wake()
    plant.until("2026-09-11T00:00")
    plant.wake()
    assert len(plant.versions()) == 2
    plant.api.start_retraining_scheduler(**NAME)
    plant.until("2026-10-11T00:00")
    plant.wake()
    assert plant.versions()[2:] == [(3, "IN_PROGRESS")]


def test_one_of_today_is_not_begun_twice(plant: Plant) -> None:
    plant.api.create_retraining_scheduler(**GIVEN)
    plant.until("2026-07-11T00:00")
    plant.wake()
    plant.succeed(2)
    plant.api.stop_retraining_scheduler(**NAME)
    plant.api.start_retraining_scheduler(**NAME)
    plant.api.update_retraining_scheduler(**NAME, RetrainingFrequency="P31D")
    plant.wake()
    assert len(plant.versions()) == 2


def test_it_takes_what_inference_kept_and_the_latest_ingestion(plant: Plant) -> None:
    plant.api.create_retraining_scheduler(**GIVEN)
    store = plant.service.context.store
    kept = {
        "AccumulatedInferenceDataStartTime": datetime(2026, 6, 1, tzinfo=UTC),
        "AccumulatedInferenceDataEndTime": datetime(2026, 7, 10, 23, 55, tzinfo=UTC),
    }
    store.update(MODEL, "wear", kept)
    job = plant.service.start_ingestion()
    plant.service.finish_ingestion(job)
    plant.until("2026-07-11T00:00")
    plant.wake()
    version = plant.version(2)
    assert version["EvaluationDataEndTime"] == kept["AccumulatedInferenceDataEndTime"].timestamp()
    assert version["ingestionJobId"] == job
    described = plant.api.describe_model(**NAME)
    assert {name: described[name] for name in kept} == kept


def test_it_reaches_as_far_as_the_sensors_of_the_model(plant: Plant) -> None:
    """Its dataset has another sensor too, which goes on."""
    last = datetime(2026, 6, 20, tzinfo=UTC)
    plant.api.create_retraining_scheduler(**GIVEN)
    statistics = [
        {
            "ComponentName": component,
            "SensorName": "speed",
            "DataExists": True,
            "DataStartTime": FIRST.timestamp(),
            "DataEndTime": end.timestamp(),
        }
        for component, end in (("pump", last), ("fan", LAST))
    ]
    plant.service.finish_ingestion(plant.service.start_ingestion(), statistics=statistics)
    plant.until("2026-07-11T00:00")
    plant.wake()
    assert plant.version(2)["EvaluationDataEndTime"] == last.timestamp()


@pytest.mark.parametrize(
    ("code", "begun"), [("AccessDenied", True), ("KMS.DisabledException", True), ("SlowDown", False)]
)
def test_one_whose_documents_cannot_be_read_begins_and_says_so_itself(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, code: str, *, begun: bool
) -> None:
    """It is not begun when a later attempt may read them."""

    def closed(_: ServiceBucket, key: str) -> str:
        raise ClientError({"Error": {"Code": code, "Message": key}}, "GetObject")

    plant.api.create_retraining_scheduler(**GIVEN)
    plant.until("2026-07-11T00:00")
    with monkeypatch.context() as patch:
        patch.setattr(ServiceBucket, "get_text", closed)
        if begun:
            plant.wake()
        else:
            with pytest.raises(ClientError, match="SlowDown"):
                plant.wake()
    assert plant.versions() == [(1, "SUCCESS"), *([(2, "IN_PROGRESS")] if begun else [])]
    if begun:
        assert plant.version(2)["EvaluationDataEndTime"] == LAST.timestamp(), "all data of the dataset"


def test_rows_that_no_retraining_reads_any_more_are_removed(plant: Plant) -> None:
    plant.api.create_retraining_scheduler(**GIVEN)
    bucket, prefix = plant.service.context.service_bucket, accumulated_prefix(plant.model["uuid"])
    for day in ("2023-07-20", "2023-07-21", "2026-07-10"):
        bucket.put(f"{prefix}{day}/one.parquet", b"rows")
    times = {"AccumulatedInferenceDataStartTime": datetime(2023, 7, 20, tzinfo=UTC)}
    times["AccumulatedInferenceDataEndTime"] = datetime(2026, 7, 10, tzinfo=UTC)
    plant.service.context.store.update(MODEL, "wear", times)
    plant.until("2026-07-11T00:00")  # 1,086 days after 20 July 2023
    plant.wake()
    days = [key.removeprefix(prefix)[:10] for key in bucket.keys(prefix)]
    assert days == ["2023-07-21", "2026-07-10"]


@pytest.fixture
def two(plant: Plant) -> Plant:
    plant.api.create_retraining_scheduler(**GIVEN)
    plant.until("2026-07-11T00:00")
    plant.wake()
    plant.succeed(2)
    return plant


def test_a_version_is_activated_and_rolled_back(two: Plant) -> None:
    before = two.api.describe_model(**NAME)
    two.until("2026-07-12T10:00")
    changed = two.api.update_active_model_version(**NAME, ModelVersion=2)
    arn = two.model["ModelArn"]
    assert (changed["ModelName"], changed["ModelArn"]) == ("wear", arn)
    assert (changed["CurrentActiveVersion"], changed["PreviousActiveVersion"]) == (2, 1)
    assert changed["CurrentActiveVersionArn"] == version_arn(arn, 2)
    assert changed["PreviousActiveVersionArn"] == version_arn(arn, 1)
    model = two.api.describe_model(**NAME)
    version = two.api.describe_model_version(**NAME, ModelVersion=2)
    shown = ("TrainingDataStartTime", "EvaluationDataEndTime", "ModelQuality", "TrainingExecutionEndTime")
    assert {name: model.get(name) for name in shown} == {name: version[name] for name in shown}
    assert model["ModelVersionActivatedAt"] == two.time[0]
    assert model["PreviousModelVersionActivatedAt"] == before["ModelVersionActivatedAt"]

    two.until("2026-07-12T11:00")
    back = two.api.update_active_model_version(**NAME, ModelVersion=1)
    assert (back["CurrentActiveVersion"], back["PreviousActiveVersion"]) == (1, 2)
    model = two.api.describe_model(**NAME)
    assert "ModelQuality" not in model, "the first version of this test has none"
    assert model["TrainingDataStartTime"] == before["TrainingDataStartTime"]
    again = two.api.update_active_model_version(**NAME, ModelVersion=1)
    assert (again["CurrentActiveVersion"], again["PreviousActiveVersion"]) == (1, 2)
    del model["ResponseMetadata"]
    assert two.api.describe_model(**NAME).items() >= model.items()


def test_only_versions_that_succeeded_can_be_activated(two: Plant) -> None:
    two.until("2026-08-10T00:00")
    two.wake()
    with pytest.raises(two.api.exceptions.ConflictException, match=r"version 3 .* is IN_PROGRESS, not SUCC"):
        two.api.update_active_model_version(**NAME, ModelVersion=3)
    record_failed_training(two.service.context.store, two.model, two.version(3), "no data", customer=True)
    with pytest.raises(two.api.exceptions.ConflictException, match=r"version 3 .* is FAILED, not SUCCESS"):
        two.api.update_active_model_version(**NAME, ModelVersion=3)
    for missing in ({**NAME, "ModelVersion": 9}, {"ModelName": "none", "ModelVersion": 1}):
        with pytest.raises(two.api.exceptions.ResourceNotFoundException):
            two.api.update_active_model_version(**missing)
