"""The AWS CLI through all of the service, as a person at a terminal uses it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cloud import Cloud
from tests.e2e.windows import due, inferred, wake
from tests.waiting import awaited

ASSET = "bycli"
SCHEMA = {
    "Components": [
        {
            "ComponentName": "pump",
            "Columns": [
                {"Name": "Timestamp", "Type": "DATETIME"},
                *({"Name": name, "Type": "DOUBLE"} for name in ("Speed", "Flow", "Vibration")),
            ],
        }
    ]
}
Aws = Callable[..., Any]


PROGRAM = """
import contextlib, io, json, sys
from awscli.clidriver import create_clidriver
for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = create_clidriver().main(json.loads(line))
    print(json.dumps([status, out.getvalue(), err.getvalue()]), flush=True)
"""
"""The command, once for each line with its arguments: fifty programs would take most of the time to start."""


@pytest.fixture
def aws(cloud: Cloud, tmp_path: Path) -> Iterator[Aws]:
    """Runs `aws lookoutequipment` with options by name, and returns what it prints.

    What is no text is handed over as a JSON file.
    """
    environment = cloud.environment() | {"HOME": str(tmp_path), "AWS_CONFIG_FILE": os.devnull}

    def document(operation: str, option: str, value: Any) -> str:
        file = tmp_path / f"{operation}{option}.json"
        file.write_text(json.dumps(value))
        return f"file://{file}"

    def run(operation: str, **options: Any) -> Any:
        arguments = ["lookoutequipment", operation, "--output", "json"]
        for name, value in options.items():
            option = f"--{name.replace('_', '-')}"
            arguments += [option, value if isinstance(value, str) else document(operation, option, value)]
        commands.write(json.dumps(arguments) + "\n")
        commands.flush()
        status, printed, error = json.loads(answers.readline())
        assert status == 0, f"{operation}: {error}"
        return json.loads(printed) if printed else None

    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        commands, answers = process.stdin, process.stdout
        assert commands is not None
        assert answers is not None
        yield run
        commands.close()


def wait(aws: Aws, operation: str, while_: set[str], **options: str) -> Any:
    """Repeat a description until its status is another one."""
    return awaited(lambda: aws(operation, **options), lambda found: found["Status"] not in while_)


def learns(aws: Aws, bucket: str, role: str) -> str:
    """Dataset, ingestion, labels, model; returns the ARN of the dataset."""
    dataset: str = aws(
        "create-dataset",
        dataset_name=ASSET,
        dataset_schema={"InlineDataSchema": json.dumps(SCHEMA)},
        tags=[{"Key": "line", "Value": "4"}],
    )["DatasetArn"]
    job = aws(
        "start-data-ingestion-job",
        dataset_name=ASSET,
        role_arn=role,
        ingestion_input_configuration={
            "S3InputConfiguration": {"Bucket": bucket, "Prefix": f"{ASSET}/history/"}
        },
    )["JobId"]
    done = wait(aws, "describe-data-ingestion-job", {"IN_PROGRESS"}, job_id=job)
    assert done["Status"] == "SUCCESS", done
    statistics = aws("list-sensor-statistics", dataset_name=ASSET)["SensorStatisticsSummaries"]
    assert {each["SensorName"] for each in statistics} == {"Speed", "Flow", "Vibration"}

    aws("create-label-group", label_group_name=ASSET, fault_codes=["impeller"])
    label = aws(
        "create-label",
        label_group_name=ASSET,
        start_time="2026-01-03T10:00:00Z",
        end_time="2026-01-03T12:00:00Z",
        rating="ANOMALY",
        fault_code="impeller",
        notes="worn",
    )["LabelId"]
    assert aws("describe-label", label_group_name=ASSET, label_id=label)["Notes"] == "worn"
    aws(
        "create-model",
        model_name=ASSET,
        dataset_name=ASSET,
        labels_input_configuration={"LabelGroupName": ASSET},
        training_data_start_time="2026-01-01T00:00:00Z",
        training_data_end_time="2026-01-03T00:00:00Z",
        evaluation_data_start_time="2026-01-03T00:00:00Z",
        evaluation_data_end_time="2026-01-04T00:00:00Z",
        data_pre_processing_configuration={"TargetSamplingRate": "PT1M"},
        off_condition=r"pump\Speed < 100",
    )
    model = wait(aws, "describe-model", {"IN_PROGRESS"}, model_name=ASSET)
    assert model["Status"] == "SUCCESS", model
    assert json.loads(model["ModelMetrics"])["fault_codes"][0]["num_identified"] == 1
    return dataset


def infers(aws: Aws, cloud: Cloud, role: str) -> None:
    """A scheduler, and the results of windows that are due at once."""
    place = {"Bucket": cloud.bucket, "Prefix": f"{ASSET}/input/"}
    aws(
        "create-inference-scheduler",
        model_name=ASSET,
        inference_scheduler_name=ASSET,
        data_upload_frequency="PT5M",
        role_arn=role,
        data_input_configuration={"S3InputConfiguration": place},
        data_output_configuration={"S3OutputConfiguration": {**place, "Prefix": f"{ASSET}/output/"}},
    )
    which = {"inference_scheduler_name": ASSET}
    scheduler = wait(aws, "describe-inference-scheduler", {"PENDING"}, **which)
    assert scheduler["Status"] == "RUNNING"
    starts = due(cloud, scheduler, 10)
    wake(cloud, scheduler, "RequestResponse")
    inferred(cloud, scheduler, starts)
    runs = aws("list-inference-executions", **which, status="SUCCESS")["InferenceExecutionSummaries"]
    by_start = {datetime.fromtimestamp(run["DataStartTime"], UTC): run for run in runs}
    assert set(starts) <= by_start.keys()
    result = by_start[starts[0]]["CustomerResultObject"]
    lines = cloud.aws.s3.get_object(**result)["Body"].read().splitlines()
    assert {"timestamp", "prediction", "anomaly_score"} <= json.loads(lines[0]).keys()
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    span = {"interval_start_time": "2026-01-01T00:00:00Z", "interval_end_time": now}
    assert "InferenceEventSummaries" in aws("list-inference-events", **which, **span)
    aws("stop-inference-scheduler", **which)
    stopped = wait(aws, "describe-inference-scheduler", {"STOPPING"}, **which)
    assert stopped["Status"] == "STOPPED"


def is_retrained(aws: Aws) -> None:
    """A retraining scheduler, another version and back."""
    which = {"model_name": ASSET}
    aws("create-retraining-scheduler", **which, retraining_frequency="P1M", lookback_window="P180D")
    found = wait(aws, "describe-retraining-scheduler", {"PENDING"}, **which)
    assert (found["Status"], found["PromoteMode"]) == ("RUNNING", "MANAGED")
    aws("update-retraining-scheduler", **which, promote_mode="MANUAL")
    listed = aws("list-retraining-schedulers", model_name_begins_with=ASSET)["RetrainingSchedulerSummaries"]
    assert [each["Status"] for each in listed] == ["RUNNING"]
    aws("stop-retraining-scheduler", **which)
    assert wait(aws, "describe-retraining-scheduler", {"STOPPING"}, **which)["Status"] == "STOPPED"
    aws("delete-retraining-scheduler", **which)

    first = aws("describe-model-version", **which, model_version="1")["ModelVersionArn"]
    aws("import-model-version", source_model_version_arn=first, dataset_name=ASSET, **which)
    second = wait(aws, "describe-model-version", {"IMPORT_IN_PROGRESS"}, **which, model_version="2")
    assert (second["Status"], second["SourceType"]) == ("SUCCESS", "IMPORT")
    for version in ("2", "1"):
        changed = aws("update-active-model-version", **which, model_version=version)
        assert changed["CurrentActiveVersion"] == int(version)
    versions = aws("list-model-versions", **which)["ModelVersionSummaries"]
    assert [each["ModelVersion"] for each in versions] == [1, 2]


def is_tagged_and_shared(aws: Aws, dataset: str) -> None:
    """Tags and the resource policy of the dataset."""
    which = {"resource_arn": dataset}
    aws("tag-resource", **which, tags=[{"Key": "site", "Value": "north"}])
    aws("untag-resource", **which, tag_keys="line")
    assert aws("list-tags-for-resource", **which)["Tags"] == [{"Key": "site", "Value": "north"}]
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "222222222222"},
        "Action": "lookoutequipment:ImportDataset",
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    put = aws("put-resource-policy", **which, resource_policy=text)
    shown = aws("describe-resource-policy", **which)
    assert (shown["ResourcePolicy"], shown["PolicyRevisionId"]) == (text, put["PolicyRevisionId"])
    aws("delete-resource-policy", **which)


def test_the_command_line_from_the_dataset_to_the_end(cloud: Cloud, aws: Aws) -> None:
    cloud.upload_history(ASSET)
    role = cloud.access_role()
    dataset = learns(aws, cloud.bucket, role)
    infers(aws, cloud, role)
    is_retrained(aws)
    is_tagged_and_shared(aws, dataset)

    aws("delete-inference-scheduler", inference_scheduler_name=ASSET)
    aws("delete-model", model_name=ASSET)
    aws("delete-label-group", label_group_name=ASSET)
    aws("delete-dataset", dataset_name=ASSET)
    left = aws("list-datasets", dataset_name_begins_with=ASSET)["DatasetSummaries"]
    assert left == []
