"""What the API answers about the jobs' work: the whole life of an asset through the API's own operations."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.api import respond
from service.context import Context
from service.settings import Environment
from service.storage.names import MODEL, SCHEDULER
from tests.embedded import ACCOUNT, REGION, EmbeddedAws
from tests.service.jobs import pump
from tests.service.jobs.test_job_retraining import retrained
from tests.service.jobs.world import World, at

Call = Callable[..., dict[str, Any]]


def new_context(jobs_aws: EmbeddedAws, world: World) -> Context:
    """Return the API of a world, with state machines that do nothing.

    The world gets a table of its own: against its quotas the API counts the records of a whole table.
    """
    jobs_aws.create_table(world.bucket)
    world.runtime = replace(world.runtime, store=replace(world.runtime.store, table=world.bucket))
    machines = jobs_aws.shared_client("stepfunctions")
    idle = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}})
    arns = [
        machines.create_state_machine(
            name=f"{name}-{world.bucket}", definition=idle, roleArn=f"arn:aws:iam::{ACCOUNT}:role/machine"
        )["stateMachineArn"]
        for name in ("ingest", "train")
    ]
    jobs_aws.shared_client("scheduler").create_schedule_group(Name=world.bucket)
    variables = {
        "L4E_ACCOUNT": ACCOUNT,
        "L4E_TABLE": world.runtime.store.table,
        "L4E_BUCKET": world.runtime.bucket,
        "L4E_METRIC_NAMESPACE": "LookoutEquipment",
        "L4E_INGEST_STATE_MACHINE": arns[0],
        "L4E_TRAIN_STATE_MACHINE": arns[1],
        "L4E_INFER_FUNCTION": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:infer",
        "L4E_SCHEDULE_GROUP": world.bucket,
        "L4E_SCHEDULE_ROLE": f"arn:aws:iam::{ACCOUNT}:role/schedule",
        "L4E_RETRAINING_FUNCTION": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:reconcile",
        "L4E_RETRAINING_SCHEDULE_ROLE": f"arn:aws:iam::{ACCOUNT}:role/schedule",
    }
    return Context.create(Environment.read(variables), jobs_aws.shared_client, world.runtime.clock)


def caller(context: Context) -> Call:
    """Return what calls an operation of an API, which must succeed."""

    def called(operation: str, **request: Any) -> dict[str, Any]:
        reply = respond(
            {
                "headers": {"X-Amz-Target": f"AWSLookoutEquipmentFrontendService.{operation}"},
                "body": json.dumps(request),
            },
            context,
        )
        body: dict[str, Any] = json.loads(reply["body"])
        assert reply["statusCode"] == 200, body
        return body

    return called


@pytest.fixture
def call(jobs_aws: EmbeddedAws, world: World) -> Call:
    return caller(new_context(jobs_aws, world))


def retrain(world: World, call: Call, version: dict[str, Any]) -> None:
    """Train version 2 on the windows of version 1, and look at what the API says of both."""
    windows = {name: version[name] for name in version if name.endswith(("DataStartTime", "DataEndTime"))}
    retrained(world, world.get(MODEL, "wear"), OffCondition=None, **windows)
    second = call("DescribeModelVersion", ModelName="wear", ModelVersion=2)
    assert (second["SourceType"], second["AutoPromotionResult"]) == ("RETRAINING", "MODEL_PROMOTED")
    prior, first = (json.loads(each) for each in (second["PriorModelMetrics"], version["ModelMetrics"]))
    assert prior["predicted_ranges"] == first["predicted_ranges"]
    model = call("DescribeModel", ModelName="wear")
    assert (model["ActiveModelVersion"], model["PreviousActiveModelVersion"]) == (2, 1)
    assert model["PriorModelMetrics"] == second["PriorModelMetrics"]
    assert model["LatestScheduledRetrainingStatus"] == "SUCCESS"


def test_an_asset_from_its_files_to_its_events(world: World, call: Call) -> None:
    history = list(
        pump.history(
            "2026-01-01",
            count=16 * 288,
            step=timedelta(minutes=5),
            faults=(("2026-01-16T02:00", "2026-01-16T08:00"),),
        )
    )
    world.upload("train/drive/1.csv", pump.drive(history))
    world.upload("train/hydraulics/1.csv", pump.hydraulics(history))
    world.set_clock("2026-01-17T00:00")
    call(
        "CreateDataset", DatasetName="plant", DatasetSchema={"InlineDataSchema": pump.SCHEMA}, ClientToken="t"
    )
    job = call(
        "StartDataIngestionJob",
        DatasetName="plant",
        IngestionInputConfiguration={"S3InputConfiguration": {"Bucket": world.bucket, "Prefix": "train/"}},
        RoleArn=world.role,
        ClientToken="t",
    )["JobId"]
    world.play_ingestion(job)
    described = call("DescribeDataIngestionJob", JobId=job)
    assert described["Status"] == "SUCCESS"
    assert described["IngestedFilesSummary"]["DiscardedFiles"] == []
    dataset = call("DescribeDataset", DatasetName="plant")
    assert dataset["Status"] == "ACTIVE"
    assert dataset["DataEndTime"] == described["DataEndTime"] == at("2026-01-16T23:55")
    assert not {name for name in dataset if name[0].islower()}
    statistics = call("ListSensorStatistics", DatasetName="plant")["SensorStatisticsSummaries"]
    assert [one["SensorName"] for one in statistics] == ["current", "speed", "flow", "pressure"]

    call(
        "CreateModel",
        ModelName="wear",
        DatasetName="plant",
        TrainingDataStartTime=at("2026-01-01"),
        TrainingDataEndTime=at("2026-01-15"),
        EvaluationDataStartTime=at("2026-01-15"),
        EvaluationDataEndTime=at("2026-01-17"),
        DataPreProcessingConfiguration={"TargetSamplingRate": "PT5M"},
        ClientToken="t",
    )
    world.play_training("wear")
    model = call("DescribeModel", ModelName="wear")
    assert model["Status"] == "SUCCESS", model.get("FailedReason")
    assert model["ModelQuality"] == "CANNOT_DETERMINE_QUALITY"
    metrics = json.loads(model["ModelMetrics"])
    assert metrics["labels_present"] is False
    assert metrics["unknown_event_metrics"]["num_identified"] == len(metrics["predicted_ranges"]) > 0
    version = call("DescribeModelVersion", ModelName="wear", ModelVersion=1)
    assert version["ModelMetrics"] == model["ModelMetrics"]
    assert model["ActiveModelVersionArn"] == version["ModelVersionArn"]

    retrain(world, call, version)

    world.set_clock("2026-01-17T09:40")
    call(
        "CreateInferenceScheduler",
        InferenceSchedulerName="watch",
        ModelName="wear",
        DataUploadFrequency="PT30M",
        DataInputConfiguration={"S3InputConfiguration": {"Bucket": world.bucket, "Prefix": "in/"}},
        DataOutputConfiguration={"S3OutputConfiguration": {"Bucket": world.bucket, "Prefix": "out/"}},
        RoleArn=world.role,
        ClientToken="t",
    )
    fresh = list(
        pump.history(
            "2026-01-17T09:30",
            count=19,
            step=timedelta(minutes=5),
            faults=(("2026-01-17T09:50", "2026-01-17T10:40"),),
        )
    )
    world.upload("in/drive_20260117093000.csv", pump.drive(fresh))
    world.upload("in/hydraulics_20260117093000.csv", pump.hydraulics(fresh))
    scheduler = world.get(SCHEDULER, "watch")
    world.set_clock("2026-01-17T10:30:05")
    assert list(world.tick(scheduler)) == ["2026-01-17T09:30:00Z", "2026-01-17T10:00:00Z"]
    executions = call("ListInferenceExecutions", InferenceSchedulerName="watch")[
        "InferenceExecutionSummaries"
    ]
    assert [one["DataStartTime"] for one in executions] == [at("2026-01-17T10:00"), at("2026-01-17T09:30")]
    assert executions[0]["CustomerResultObject"]["Key"] == "out/2026-01-17T10:00:00Z/results.jsonl"
    assert (
        call("DescribeInferenceScheduler", InferenceSchedulerName="watch")["LatestInferenceResult"]
        == "ANOMALOUS"
    )
    (event,) = call(
        "ListInferenceEvents",
        InferenceSchedulerName="watch",
        IntervalStartTime=at("2026-01-17"),
        IntervalEndTime=at("2026-01-18"),
    )["InferenceEventSummaries"]
    assert event["EventEndTime"] == at("2026-01-17T10:30")
    between = event["EventEndTime"] - event["EventStartTime"]
    assert event["EventDurationInSeconds"] == between + 300  # rows of five minutes, each lasts as long
    assert [one["name"] for one in json.loads(event["Diagnostics"])] == list(pump.SENSORS)
