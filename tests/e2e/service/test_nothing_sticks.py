"""Executions stopped and functions killed on the deployed service: jobs end, and say why."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from l4e_cli.demo.pump import SENSORS, Pump
from l4e_cli.demo.recording import Interval
from tests.e2e.cloud import SERVICE, Cloud
from tests.e2e.function_processes import kill, needs_processes
from tests.waiting import awaited

PREFIX = "Sticky/history/"
SPAN = Interval(start=np.datetime64("2025-11-01", "s"), end=np.datetime64("2026-01-01", "s"))
ATTEMPTS = 5
"""How often work is started that is done too soon to be stopped."""


pytestmark = needs_processes


@pytest.fixture(scope="module")
def equipment(cloud: Cloud) -> Any:
    """The service with two months of history for a dataset, long enough to be at work for some time."""
    cloud.upload(f"{PREFIX}pump/history.csv", Pump().record(SPAN, []).to_csv())
    return cloud.aws.equipment


@pytest.fixture
def dataset(equipment: Any) -> Iterator[str]:
    columns = [{"Name": "Timestamp", "Type": "DATETIME"}]
    columns += [{"Name": sensor, "Type": "DOUBLE"} for sensor in SENSORS]
    schema = {"Components": [{"ComponentName": "pump", "Columns": columns}]}
    name = f"sticky-{time.time_ns()}"
    equipment.create_dataset(DatasetName=name, DatasetSchema={"InlineDataSchema": json.dumps(schema)})
    yield name
    equipment.delete_dataset(DatasetName=name)


def access_role(cloud: Cloud) -> str:
    """A role that lets the service read the data bucket."""
    iam = cloud.aws.session.client("iam", endpoint_url=cloud.instance.endpoint)
    trusted = cloud.outputs(SERVICE)["DataAccessRoleArn"]
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole"}],
    }
    name = f"sticky-{time.time_ns()}"
    role: str = iam.create_role(
        RoleName=name, Path="/lookoutequipment/", AssumeRolePolicyDocument=json.dumps(trust)
    )["Role"]["Arn"]
    allowed = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}],
    }
    iam.put_role_policy(RoleName=name, PolicyName="data", PolicyDocument=json.dumps(allowed))
    return role


def start_ingestion(cloud: Cloud, equipment: Any, dataset: str) -> str:
    source = {"S3InputConfiguration": {"Bucket": cloud.bucket, "Prefix": PREFIX}}
    job: str = equipment.start_data_ingestion_job(
        DatasetName=dataset, IngestionInputConfiguration=source, RoleArn=access_role(cloud)
    )["JobId"]
    return job


def ended(describe: Callable[[], dict[str, Any]], meanwhile: Callable[[], object] = lambda: None) -> Any:
    """The description once it is no longer in progress."""

    def look() -> dict[str, Any]:
        meanwhile()
        return describe()

    return awaited(look, lambda found: found["Status"] != "IN_PROGRESS", pause=0.1)


def machine(cloud: Cloud, part: str) -> str:
    """The ARN of the state machine with `part` in its name."""
    machines = step_functions(cloud).list_state_machines()["stateMachines"]
    (arn,) = (one["stateMachineArn"] for one in machines if part in one["name"])
    return str(arn)


def step_functions(cloud: Cloud) -> Any:
    return cloud.aws.session.client("stepfunctions", endpoint_url=cloud.instance.endpoint)


def stopped(
    cloud: Cloud, part: str, start: Callable[[], str], describe: Callable[[str], dict[str, Any]]
) -> dict[str, Any]:
    """Have the executions of work stopped as an operator does, and return what became of the work.

    The function that works for it goes on, as on AWS. On a busy machine the work may be done before the
    operator comes, and then it is started once more.

    Args:
        cloud: The cloud.
        part: Part of the name of the state machine.
        start: Starts the work and returns the name of its execution.
        describe: Describes the work of an execution.
    """
    client = step_functions(cloud)
    executions = machine(cloud, part).replace(":stateMachine:", ":execution:")
    for _ in range(ATTEMPTS):
        name = start()
        try:
            client.stop_execution(executionArn=f"{executions}:{name}", cause="maintenance")
        except ClientError as error:
            if "Execution is not running" not in str(error):
                raise
        if (found := ended(partial(describe, name)))["Status"] != "SUCCESS":
            return found
    pytest.fail(f"{ATTEMPTS} times in a row the work was done before it could be stopped")


def ingested(cloud: Cloud, equipment: Any, dataset: str) -> None:
    job = start_ingestion(cloud, equipment, dataset)
    assert ended(lambda: equipment.describe_data_ingestion_job(JobId=job))["Status"] == "SUCCESS"
    assert equipment.describe_dataset(DatasetName=dataset)["Status"] == "ACTIVE"


def test_an_ingestion_that_is_stopped(cloud: Cloud, equipment: Any, dataset: str) -> None:
    found = stopped(
        cloud,
        "Ingest",
        start=lambda: start_ingestion(cloud, equipment, dataset),
        describe=lambda job: dict(equipment.describe_data_ingestion_job(JobId=job)),
    )
    assert found["Status"] == "FAILED"
    assert (
        "its execution was aborted (maintenance). To go on, start a new ingestion job"
        in found["FailedReason"]
    )
    jobs = equipment.list_data_ingestion_jobs(DatasetName=dataset)["DataIngestionJobSummaries"]
    before = "ACTIVE" if any(job["Status"] == "SUCCESS" for job in jobs) else "CREATED"
    assert equipment.describe_dataset(DatasetName=dataset)["Status"] == before
    ingested(cloud, equipment, dataset)


def test_an_ingestion_whose_function_is_killed(cloud: Cloud, equipment: Any, dataset: str) -> None:
    job = start_ingestion(cloud, equipment, dataset)
    found = ended(lambda: equipment.describe_data_ingestion_job(JobId=job), lambda: kill(cloud, "Ingest"))
    assert found["Status"] == "FAILED"
    assert job in found["FailedReason"]
    ingested(cloud, equipment, dataset)


def start_training(equipment: Any, name: str) -> str:
    """Start a training, in place of one that was done too soon, and return the name of its execution."""
    with contextlib.suppress(equipment.exceptions.ResourceNotFoundException):
        equipment.delete_model(ModelName=name)
    arn = equipment.create_model(ModelName=name, DatasetName=name)["ModelArn"]
    return f"{arn.rpartition('/')[2]}-1"


@pytest.mark.parametrize("by_operator", [True, False], ids=["stopped", "killed"])
def test_a_training_that_ends_badly(cloud: Cloud, equipment: Any, dataset: str, *, by_operator: bool) -> None:
    ingested(cloud, equipment, dataset)

    def described(_: str = "") -> dict[str, Any]:
        return dict(equipment.describe_model(ModelName=dataset))

    if by_operator:
        found = stopped(cloud, "Train", start=lambda: start_training(equipment, dataset), describe=described)
        assert "was aborted (maintenance)" in found["FailedReason"]
    else:
        start_training(equipment, dataset)
        found = ended(described, meanwhile=lambda: kill(cloud, "Train"))
        assert dataset in found["FailedReason"]
    assert found["Status"] == "FAILED"
    start_training(equipment, dataset)
    assert ended(described)["Status"] == "SUCCESS"
    equipment.delete_model(ModelName=dataset)
