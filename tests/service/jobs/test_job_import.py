"""Imports within an account: what is copied, what is overwritten, and what fails and says why."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.api import respond
from service.context import Context
from service.jobs import ingest
from service.names import DATASET, INGESTION_JOB, job_prefix
from service.reconciler import reconcile
from service.settings import Environment
from service.sharing import Owner, Shared
from service.store import Item
from tests.embedded import ACCOUNT, EmbeddedAws
from tests.service.jobs.world import World, rows, schema, step

CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/Importer/session"
OTHER = "arn:aws:sts::222222222222:assumed-role/Importer/session"


@dataclass
class Plant:
    """A service with one customer, and its API."""

    world: World
    context: Context

    def call(self, operation: str, caller: str = CALLER, **request: Any) -> dict[str, Any]:
        """Return the answer of an operation, which must succeed."""
        status, body = self.answer(operation, caller, **request)
        assert status == 200, body
        return body

    def refusal(self, operation: str, caller: str = CALLER, **request: Any) -> str:
        """Return code and text of the error of an operation, which must fail."""
        status, body = self.answer(operation, caller, **request)
        assert status == 400, body
        return f"{body['__type'].partition('#')[2]}: {body['Message']}"

    def answer(self, operation: str, caller: str, **request: Any) -> tuple[int, dict[str, Any]]:
        event = {
            "headers": {"X-Amz-Target": f"AWSLookoutEquipmentFrontendService.{operation}"},
            "body": json.dumps(request),
            "requestContext": {"identity": {"userArn": caller}},
        }
        reply = respond(event, self.context)
        return reply["statusCode"], json.loads(reply["body"])

    def filled(self, *, days: int = 2, **dataset: Any) -> Item:
        """Return a dataset with data."""
        made = self.world.dataset(schema(pump=("speed", "flow")), **dataset)
        lines = [(f"2026-01-01T{hour:02}:00:00", hour, 10 * hour) for hour in range(days)]
        self.world.upload("in/pump/1.csv", rows(("Timestamp", "speed", "flow"), lines))
        self.world.ingest(made, prefix="in/")
        return self.world.get(DATASET, made["DatasetName"])

    def start(self, source: Item, name: str = "copy", **more: Any) -> dict[str, Any]:
        """Ask for an import of a dataset."""
        return self.call("ImportDataset", **asked(source, name, **more))

    def play(self, started: Mapping[str, Any]) -> Item:
        """Do what the state machine of an import does, and return the job after that."""
        job = started["JobId"]

        def work() -> None:
            input_ = {"JobId": job, "Import": True}
            step(self.world.runtime, ingest.run, {"Step": "import", "Work": input_})

        self.world._caught(work, lambda error: self.fail(job, error))
        return self.world.get(INGESTION_JOB, job)

    def fail(self, job: str, error: Mapping[str, str]) -> None:
        """Let the execution of an import have failed, and the reconciler hear of it."""
        context = self.whose_executions(
            {"status": "FAILED", "error": error["Error"], "cause": error["Cause"]}
        )
        input_ = json.dumps({"JobId": job, "Import": True})
        reconcile({"source": "aws.states", "detail": {"input": input_}}, context)

    def whose_executions(self, are: dict[str, str]) -> Context:
        """Return the context in which Step Functions says this of every execution."""
        machines, client = _Ended(are), self.context.client
        return Context.create(
            self.context.environment,
            lambda name: machines if name == "stepfunctions" else client(name),
            self.world.runtime.clock,
        )


def asked(source: Item, name: str = "copy", **more: Any) -> dict[str, Any]:
    """The request of an import."""
    return {"SourceDatasetArn": source["DatasetArn"], "DatasetName": name, "ClientToken": "t", **more}


class _Ended:
    """Step Functions, when every execution has ended so."""

    class exceptions:  # noqa: N801  boto3's name
        ExecutionDoesNotExist = ClientError

    def __init__(self, execution: dict[str, str]) -> None:
        self._execution = execution

    def describe_execution(self, **_: str) -> dict[str, str]:
        return self._execution


@pytest.fixture
def plant(jobs_aws: EmbeddedAws, world: World) -> Plant:
    """The world with a table of its own, as quotas are of a whole table, and an API that starts nothing."""
    jobs_aws.create_table(world.bucket)
    world.runtime = replace(world.runtime, store=replace(world.runtime.store, table=world.bucket))
    machine = jobs_aws.client("stepfunctions").create_state_machine(
        name=f"import-{world.bucket}",
        definition=json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Pass", "End": True}}}),
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/machine",
    )["stateMachineArn"]
    variables = {
        "L4E_ACCOUNT": ACCOUNT,
        "L4E_TABLE": world.runtime.store.table,
        "L4E_BUCKET": world.runtime.bucket,
        "L4E_METRIC_NAMESPACE": "LookoutEquipment",
        "L4E_INGEST_STATE_MACHINE": machine,
    }
    return Plant(
        world=world,
        context=Context.create(Environment.read(variables), cache(jobs_aws.client), world.runtime.clock),
    )


SHARED = (
    "DataQualitySummary",
    "DataStartTime",
    "DataEndTime",
    "Schema",
)


def test_a_new_dataset_gets_data_schema_and_facts_of_its_source(plant: Plant) -> None:
    source = plant.filled()
    started = plant.start(source, Tags=[{"Key": "line", "Value": "4"}])
    assert started["Status"] == "IMPORT_IN_PROGRESS"
    assert plant.call("DescribeDataset", DatasetName="copy")["Status"] == "IMPORT_IN_PROGRESS"
    assert plant.call("DescribeDataIngestionJob", JobId=started["JobId"])["Status"] == "IMPORT_IN_PROGRESS"

    assert plant.play(started)["Status"] == "SUCCESS"
    original = plant.call("DescribeDataset", DatasetName=source["DatasetName"])
    copy = plant.call("DescribeDataset", DatasetName="copy")
    assert copy["Status"] == "ACTIVE"
    assert copy["SourceDatasetArn"] == source["DatasetArn"]
    assert copy["DatasetArn"] == started["DatasetArn"] != source["DatasetArn"]
    assert {name: copy[name] for name in SHARED} == {name: original[name] for name in SHARED}
    assert copy["IngestedFilesSummary"]["IngestedNumberOfFiles"] == 1
    assert "RoleArn" not in copy
    assert "IngestionInputConfiguration" not in copy

    job = plant.call("DescribeDataIngestionJob", JobId=started["JobId"])
    assert (job["Status"], job["SourceDatasetArn"]) == ("SUCCESS", source["DatasetArn"])
    assert job["IngestedDataSize"] > 0
    tags = plant.call("ListTagsForResource", ResourceArn=copy["DatasetArn"])["Tags"]
    assert tags == [{"Key": "line", "Value": "4"}]
    statistics = [
        plant.call("ListSensorStatistics", DatasetName=name)["SensorStatisticsSummaries"]
        for name in ("copy", source["DatasetName"])
    ]
    assert statistics[0] == statistics[1]
    assert _columns(plant, "copy") == _columns(plant, source["DatasetName"])


def _columns(plant: Plant, name: str) -> bytes:
    dataset = plant.world.get(DATASET, name)
    prefix = job_prefix(dataset["uuid"], dataset["ingestionJobId"])
    found = plant.world.runtime.service_bucket.find(f"{prefix}components/pump.parquet")
    assert found is not None
    return found


def test_a_model_is_trained_on_what_was_imported(plant: Plant) -> None:
    source = plant.filled()
    plant.play(plant.start(source))
    plant.call("DeleteDataset", DatasetName=source["DatasetName"])
    model = plant.world.model(plant.world.get(DATASET, "copy"), schema(pump=("speed",)), train=False)
    assert model["ingestionJobId"] == plant.world.get(DATASET, "copy")["ingestionJobId"]
    assert _columns(plant, "copy")


def test_an_existing_dataset_is_overwritten_and_stays_itself(plant: Plant) -> None:
    source, target = plant.filled(days=3), plant.filled()
    name = target["DatasetName"]
    before = plant.call("DescribeDataset", DatasetName=name)
    started = plant.start(source, name)
    assert started["DatasetArn"] == target["DatasetArn"]
    assert plant.call("DescribeDataset", DatasetName=name)["DataEndTime"] == before["DataEndTime"]
    plant.play(started)
    after = plant.call("DescribeDataset", DatasetName=name)
    assert after["CreatedAt"] == before["CreatedAt"]
    assert after["DataEndTime"] == before["DataEndTime"] + 3600
    assert "RoleArn" in before
    assert "RoleArn" not in after

    plant.world.ingest(plant.world.get(DATASET, name), prefix="in/")
    again = plant.call("DescribeDataset", DatasetName=name)
    assert "SourceDatasetArn" not in again, "the files that were ingested are the source now"
    assert "RoleArn" in again


def _put_policy(plant: Plant, source: Item, effect: str, principal: Any) -> None:
    statement = {"Effect": effect, "Principal": principal, "Action": "lookoutequipment:ImportDataset"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    plant.call("PutResourcePolicy", ResourceArn=source["DatasetArn"], ResourcePolicy=text, ClientToken=effect)


def test_a_policy_decides_when_an_import_is_asked_for(plant: Plant) -> None:
    source = plant.filled()
    others = plant.refusal("ImportDataset", OTHER, **asked(source))
    assert others.startswith("AccessDeniedException: the role 'Importer' of account 222222222222 is not auth")
    assert source["DatasetArn"] in others

    _put_policy(plant, source, "Deny", {"AWS": f"arn:aws:iam::{ACCOUNT}:role/Importer"})
    assert "AccessDeniedException" in plant.refusal("ImportDataset", **asked(source))
    assert plant.world.runtime.store.get(DATASET, "copy") is None

    _put_policy(plant, source, "Allow", {"AWS": "222222222222"})
    plant.call("ImportDataset", OTHER, **asked(source))


def test_others_do_not_learn_what_there_is(plant: Plant) -> None:
    source = plant.filled()
    missing = {**source, "DatasetArn": source["DatasetArn"].replace("pump-", "fan-")}
    texts = [
        plant.refusal("ImportDataset", OTHER, **asked(one)).replace(one["DatasetArn"], "it")
        for one in (source, missing)
    ]
    assert texts[0] == texts[1]
    assert "ResourceNotFoundException" in plant.refusal("ImportDataset", **asked(missing))


def test_a_policy_decides_again_when_the_import_begins(plant: Plant) -> None:
    source = plant.filled()
    started = plant.start(source)
    _put_policy(plant, source, "Deny", "*")
    job = plant.play(started)
    assert job["Status"] == "FAILED"
    assert "is not authorized to perform lookoutequipment:ImportDataset" in job["FailedReason"]
    assert plant.call("DescribeDataset", DatasetName="copy")["Status"] == "CREATED"
    assert "Schema" not in plant.call("DescribeDataset", DatasetName="copy")


def test_a_failed_import_leaves_an_existing_dataset_as_it_was(plant: Plant) -> None:
    source, target = plant.filled(days=3), plant.filled()
    name = target["DatasetName"]
    before = plant.call("DescribeDataset", DatasetName=name)
    started = plant.start(source, name)
    plant.call("DeleteDataset", DatasetName=source["DatasetName"])
    job = plant.play(started)
    assert job["Status"] == "FAILED"
    assert "does not exist" in job["FailedReason"]
    after = plant.call("DescribeDataset", DatasetName=name)
    assert after == {**before, "LastUpdatedAt": after["LastUpdatedAt"]}


def test_a_source_that_loses_its_objects_meanwhile_fails_the_import(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = plant.filled()
    started = plant.start(source)
    original = Owner.share_dataset

    def share(owner: Owner, arn: str, principal: Any) -> Shared:
        shared = original(owner, arn, principal)
        plant.world.runtime.service_bucket.delete_prefix(f"datasets/{source['uuid']}/")
        return shared

    monkeypatch.setattr(Owner, "share_dataset", share)
    job = plant.play(started)
    assert "was deleted, or got other data, while it was imported: import it again" in job["FailedReason"]


def test_an_import_is_repeated_by_its_token_until_it_has_ended(plant: Plant) -> None:
    """AWS's script for bulk imports asks again with the same token until SUCCESS or FAILED."""
    source = plant.filled()
    started = plant.start(source)
    assert plant.start(source) == started
    plant.play(started)
    assert plant.start(source) == {**started, "Status": "SUCCESS"}

    second = plant.start(source, "other", ClientToken="u")
    _put_policy(plant, source, "Deny", "*")
    plant.play(second)
    assert plant.start(source, "other", ClientToken="u") == {**second, "Status": "FAILED"}


def test_what_cannot_be_imported_is_refused(plant: Plant) -> None:
    empty, source = plant.world.dataset(schema(pump=("speed",))), plant.filled()
    assert "has no data to import" in plant.refusal("ImportDataset", **asked(empty))
    itself = asked(source)
    del itself["DatasetName"]
    assert "cannot be imported over itself" in plant.refusal("ImportDataset", **itself)
    foreign = source["DatasetArn"].replace(ACCOUNT, "222222222222")
    refusal = plant.refusal("ImportDataset", **{**asked(source), "SourceDatasetArn": foreign})
    assert "ValidationException" in refusal
    assert "account 222222222222 and Region eu-west-1" in refusal


def test_a_dataset_is_busy_while_it_is_imported(plant: Plant) -> None:
    source = plant.filled()
    started = plant.start(source)
    name = {"DatasetName": "copy"}
    assert "ConflictException" in plant.refusal("DeleteDataset", **name)
    assert "ConflictException" in plant.refusal("ImportDataset", **asked(source, ClientToken="u"))
    assert "ConflictException" in plant.refusal(
        "StartDataIngestionJob",
        RoleArn=plant.world.role,
        IngestionInputConfiguration={
            "S3InputConfiguration": {
                "Bucket": plant.world.bucket,
                "KeyPattern": "{prefix}/{component_name}/*",
            }
        },
        ClientToken="t",
        **name,
    )
    plant.play(started)
    plant.call("DeleteDataset", **name)


def test_imports_have_a_quota_of_their_own(plant: Plant) -> None:
    source = plant.filled()
    settings = replace(plant.context.settings, pending_dataset_imports=1, datasets=3)
    plant.context = Context.create(
        replace(plant.context.environment, settings=settings), plant.context.client, plant.context.clock
    )
    started = plant.start(source)
    refusal = plant.refusal("ImportDataset", **asked(source, "second", ClientToken="u"))
    assert "the limit of 1 pending imports of datasets is reached" in refusal
    plant.play(started)
    plant.play(plant.start(source, "second", ClientToken="u"))
    assert "the limit of 3 datasets is reached" in plant.refusal(
        "ImportDataset", **asked(source, "third", ClientToken="v")
    )
    plant.start(source, "second", ClientToken="w")


def test_a_copy_is_encrypted_with_the_key_of_its_dataset(plant: Plant) -> None:
    kms = plant.context.client("kms")
    mine, yours = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    source = plant.filled(ServerSideKmsKeyId=yours)
    plant.play(plant.start(source, ServerSideKmsKeyId=mine))
    copy = plant.world.get(DATASET, "copy")
    assert plant.call("DescribeDataset", DatasetName="copy")["ServerSideKmsKeyId"] == mine
    bucket = plant.world.runtime.service_bucket
    keys = [*bucket.keys(job_prefix(copy["uuid"], copy["ingestionJobId"])), copy["schemaKey"]]
    assert len(keys) == 3
    for key in keys:
        assert bucket.s3.head_object(Bucket=bucket.name, Key=key)["SSEKMSKeyId"] == mine

    other = plant.refusal("ImportDataset", **asked(source, ServerSideKmsKeyId=yours, ClientToken="u"))
    assert "is not the key of the dataset 'copy', which exists and keeps its key" in other
    plant.start(source, ServerSideKmsKeyId=mine, ClientToken="v")


def test_an_import_whose_execution_left_no_result_ends_when_it_is_read(plant: Plant) -> None:
    source = plant.filled()
    started = plant.start(source)
    machines = plant.context.client("stepfunctions")
    machine = plant.context.environment.ingest_state_machine
    arn = f"{machine.replace(':stateMachine:', ':execution:')}:{started['JobId']}"
    assert json.loads(machines.describe_execution(executionArn=arn)["input"]) == {
        "JobId": started["JobId"],
        "Import": True,
    }

    plant.world.now[0] += timedelta(minutes=2)
    plant.context = plant.whose_executions({"status": "SUCCEEDED"})
    job = plant.call("DescribeDataIngestionJob", JobId=started["JobId"])
    assert job["Status"] == "FAILED"
    assert "the execution ended without a result" in job["FailedReason"]
    assert plant.call("DescribeDataset", DatasetName="copy")["Status"] == "CREATED"


def test_an_import_that_is_done_again_changes_nothing(plant: Plant) -> None:
    source = plant.filled()
    started = plant.start(source)
    first = plant.play(started)
    assert plant.play(started) == first
