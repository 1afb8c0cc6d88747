"""Imports of datasets within an account: what is copied, what is overwritten, what fails and says why."""

import json
from datetime import timedelta
from typing import Any

import pytest

from service.sharing.shared import Owner, Shared
from service.storage.names import DATASET, job_prefix
from service.storage.store import Item
from tests.embedded import ACCOUNT
from tests.service.jobs.plant import OTHER, Plant, asked
from tests.service.jobs.world import schema

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

    def share(owner: Owner, arn: str, principal: Any, *, with_objects: bool) -> Shared:
        shared = original(owner, arn, principal, with_objects=with_objects)
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
    plant.limit(pending_dataset_imports=1, datasets=3)
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
        assert bucket.s3.head_object(Bucket=bucket.name, Key=key).get("SSEKMSKeyId") == mine

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
