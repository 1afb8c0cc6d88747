"""What the code samples of the user guide do, in their order, written anew for any boto3.

    python guide_program.py NAME BUCKET ROLE

NAME is that of every resource, and the prefix of the data. It prints, as JSON, what the test looks at.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3

POLL = 1
"""Seconds between looks at a status."""

COLUMNS = (
    "Speed",
    "Flow",
    "SuctionPressure",
    "DischargePressure",
    "MotorCurrent",
    "MotorTemperature",
    "BearingTemperature",
    "Vibration",
)
SEEN: dict[str, Any] = {}


def wait(describe: Callable[..., dict[str, Any]], while_: str, **which: str) -> dict[str, Any]:
    """Describe a resource until it has another status."""
    while (found := describe(**which))["Status"] == while_:
        time.sleep(POLL)
    return found


def create_dataset(client: Any, name: str) -> None:
    """Creating a dataset from one CSV file."""
    sensors = [{"Name": each, "Type": "DOUBLE"} for each in COLUMNS]
    columns = [{"Name": "Timestamp", "Type": "DATETIME"}, *sensors]
    schema = {"Components": [{"ComponentName": "pump", "Columns": columns}]}
    made = client.create_dataset(
        DatasetName=name, DatasetSchema={"InlineDataSchema": json.dumps(schema)}, ClientToken=name
    )
    SEEN["created"] = made["Status"]


def ingest(client: Any, name: str, bucket: str, role: str) -> None:
    """Ingesting a dataset."""
    source = {"S3InputConfiguration": {"Bucket": bucket, "Prefix": f"{name}/history/"}}
    job = client.start_data_ingestion_job(
        DatasetName=name, IngestionInputConfiguration=source, RoleArn=role, ClientToken=name
    )["JobId"]
    SEEN["ingested"] = wait(client.describe_data_ingestion_job, "IN_PROGRESS", JobId=job)["Status"]


def manage_datasets(client: Any, name: str) -> None:
    """Managing your datasets."""
    listed = client.list_datasets(DatasetNameBeginsWith=name, MaxResults=20)["DatasetSummaries"]
    SEEN["datasets"] = [each["DatasetName"] for each in listed]
    SEEN["active"] = client.describe_dataset(DatasetName=name)["Status"]


def train(client: Any, name: str, bucket: str, role: str) -> None:
    """Training your model."""
    first, middle, last = (datetime(2026, 1, day, tzinfo=UTC) for day in (1, 3, 4))
    made = client.create_model(
        ModelName=name,
        DatasetName=name,
        DataPreProcessingConfiguration={"TargetSamplingRate": "PT1M"},
        LabelsInputConfiguration={"S3InputConfiguration": {"Bucket": bucket, "Prefix": f"{name}/labels/"}},
        RoleArn=role,
        TrainingDataStartTime=first,
        TrainingDataEndTime=middle,
        EvaluationDataStartTime=middle,
        EvaluationDataEndTime=last,
        OffCondition="pump\\Speed < 100.0",
        ClientToken=name,
    )
    SEEN["training"] = made["Status"]
    SEEN["trained"] = wait(client.describe_model, "IN_PROGRESS", ModelName=name)["Status"]


def view_models(client: Any, name: str) -> None:
    """Viewing your models and evaluating their performance."""
    listed = client.list_models(DatasetNameBeginsWith=name)["ModelSummaries"]
    SEEN["models"] = [each["ModelName"] for each in listed]
    metrics = json.loads(client.describe_model(ModelName=name)["ModelMetrics"])
    SEEN["labels found"] = metrics["labeled_event_metrics"]["num_identified"]
    ranges = metrics["predicted_ranges"]
    SEEN["root cause"] = max(ranges[0]["diagnostics"], key=lambda each: float(each["value"]))["name"]


def schedule(client: Any, name: str, bucket: str, role: str) -> None:
    """Scheduling inference."""
    made = client.create_inference_scheduler(
        ModelName=name,
        InferenceSchedulerName=name,
        DataUploadFrequency="PT5M",
        DataDelayOffsetInMinutes=2,
        RoleArn=role,
        DataInputConfiguration={
            "S3InputConfiguration": {"Bucket": bucket, "Prefix": f"{name}/input/"},
            "InputTimeZoneOffset": "+00:00",
            "InferenceInputNameConfiguration": {
                "TimestampFormat": "yyyyMMddHHmmss",
                "ComponentTimestampDelimiter": "_",
            },
        },
        DataOutputConfiguration={"S3OutputConfiguration": {"Bucket": bucket, "Prefix": f"{name}/output/"}},
        ClientToken=name,
    )
    SEEN["scheduler"] = made["Status"]
    found = wait(client.describe_inference_scheduler, "PENDING", InferenceSchedulerName=name)
    SEEN["scheduled"] = found["Status"]


def manage_schedulers(client: Any, name: str) -> None:
    """Managing inference schedulers."""
    which = {"InferenceSchedulerName": name}
    listed = client.list_inference_schedulers(ModelName=name)["InferenceSchedulerSummaries"]
    SEEN["schedulers"] = [each["InferenceSchedulerName"] for each in listed]
    client.list_inference_executions(**which)
    statuses = []
    for change, while_ in (
        (client.stop_inference_scheduler, "STOPPING"),
        (client.start_inference_scheduler, "PENDING"),
        (client.stop_inference_scheduler, "STOPPING"),
    ):
        change(**which)
        statuses.append(wait(client.describe_inference_scheduler, while_, **which)["Status"])
    SEEN["statuses"] = statuses


def delete(client: Any, name: str) -> None:
    """Deleting all of it, the last first."""
    client.delete_inference_scheduler(InferenceSchedulerName=name)
    client.delete_model(ModelName=name)
    client.delete_dataset(DatasetName=name)
    SEEN["left"] = len(client.list_datasets(DatasetNameBeginsWith=name)["DatasetSummaries"])


if __name__ == "__main__":
    of_all, data_bucket, access_role = sys.argv[1:]
    equipment = boto3.client("lookoutequipment")
    create_dataset(equipment, of_all)
    ingest(equipment, of_all, data_bucket, access_role)
    manage_datasets(equipment, of_all)
    train(equipment, of_all, data_bucket, access_role)
    view_models(equipment, of_all)
    schedule(equipment, of_all, data_bucket, access_role)
    manage_schedulers(equipment, of_all)
    delete(equipment, of_all)
    print(json.dumps({"boto3": boto3.__version__, **SEEN}))
