"""Datasets and their ingestion jobs, seen through the real client."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.storage.names import MODEL, manifest_key, part_report_key
from tests.service.api.conftest import FIRST, LAST, ROLE, SCHEMA, Deploy, Service


def test_a_dataset_is_created_described_listed_and_deleted(service: Service) -> None:
    created = service.create_dataset("pump")
    assert created["Status"] == "CREATED"
    assert created["DatasetArn"].startswith("arn:aws:lookoutequipment:eu-west-1:000000000000:dataset/pump/")

    described = service.api.describe_dataset(DatasetName="pump")
    assert described["DatasetArn"] == created["DatasetArn"]
    assert json.loads(described["Schema"]) == SCHEMA
    assert isinstance(described["CreatedAt"], datetime)
    assert "IngestionInputConfiguration" not in described

    (summary,) = service.api.list_datasets()["DatasetSummaries"]
    assert summary.keys() == {"DatasetName", "DatasetArn", "Status", "CreatedAt"}

    service.api.delete_dataset(DatasetName="pump")
    assert service.api.list_datasets()["DatasetSummaries"] == []
    with pytest.raises(service.api.exceptions.ResourceNotFoundException, match="'pump' does not exist"):
        service.api.describe_dataset(DatasetName="pump")


def test_a_schema_is_returned_without_what_python_cannot_evaluate(service: Service) -> None:
    service.create_dataset("pump", {**SCHEMA, "Comment": None, "Final": True})
    text = service.api.describe_dataset(DatasetName="pump")["Schema"]
    assert eval(text, {"__builtins__": {}}) == SCHEMA  # noqa: S307  what AWS's SDK does with it


def test_a_dataset_name_is_taken_once(service: Service) -> None:
    service.create_dataset("pump")
    with pytest.raises(service.api.exceptions.ConflictException, match="'pump' already exists"):
        service.create_dataset("pump", None)


def test_a_recreated_dataset_is_another_resource(service: Service) -> None:
    first = service.create_dataset("pump")
    service.api.delete_dataset(DatasetName="pump")
    assert service.create_dataset("pump")["DatasetArn"] != first["DatasetArn"]


def test_the_limit_of_datasets_names_limit_count_and_setting(deploy: Deploy) -> None:
    service = deploy(datasets=2)
    for name in ("one", "two"):
        service.create_dataset(name)
    with pytest.raises(service.api.exceptions.ServiceQuotaExceededException) as refused:
        service.create_dataset("three")
    assert "limit of 2 datasets" in str(refused.value)
    assert "there are 2" in str(refused.value)
    assert "'datasets'" in str(refused.value)


def test_a_limit_of_null_is_no_limit(deploy: Deploy) -> None:
    service = deploy(datasets=None)
    for number in range(16):
        service.create_dataset(f"n{number}")


def test_an_ingestion_runs_and_its_facts_reach_job_and_dataset(service: Service) -> None:
    service.create_dataset("pump")
    job_id = service.start_ingestion("pump")
    assert len(job_id) == 32

    job = service.api.describe_data_ingestion_job(JobId=job_id)
    assert job["Status"] == "IN_PROGRESS"
    assert job["RoleArn"] == ROLE
    assert job["IngestionInputConfiguration"] == {
        "S3InputConfiguration": {"Bucket": "customer", "Prefix": "history/"}
    }
    assert service.api.describe_dataset(DatasetName="pump")["Status"] == "INGESTION_IN_PROGRESS"
    machines = service.context.client("stepfunctions")
    arn = service.context.environment.ingest_state_machine.replace(":stateMachine:", ":execution:")
    assert json.loads(machines.describe_execution(executionArn=f"{arn}:{job_id}")["input"]) == {
        "JobId": job_id
    }

    service.finish_ingestion(job_id)
    described = service.api.describe_dataset(DatasetName="pump")
    assert described["Status"] == "ACTIVE"
    assert (described["DataStartTime"], described["DataEndTime"]) == (FIRST, LAST)


def test_one_ingestion_at_a_time_per_dataset(service: Service) -> None:
    service.create_dataset("pump")
    service.start_ingestion("pump")
    with pytest.raises(service.api.exceptions.ConflictException, match="INGESTION_IN_PROGRESS"):
        service.start_ingestion("pump")
    with pytest.raises(service.api.exceptions.ConflictException, match="INGESTION_IN_PROGRESS"):
        service.api.delete_dataset(DatasetName="pump")


def test_the_limit_of_pending_ingestions(deploy: Deploy) -> None:
    service = deploy(pending_ingestion_jobs=1)
    for name in ("one", "two"):
        service.create_dataset(name)
    service.start_ingestion("one")
    with pytest.raises(service.api.exceptions.ServiceQuotaExceededException, match="1 pending ingestion"):
        service.start_ingestion("two")


def test_an_ingestion_that_cannot_be_started_leaves_nothing_behind(
    deploy: Deploy, variables: dict[str, str]
) -> None:
    machine = variables["L4E_INGEST_STATE_MACHINE"]
    variables["L4E_INGEST_STATE_MACHINE"] = f"{machine}-missing"
    broken = deploy()
    broken.create_dataset("pump")
    status, reply = broken.call("StartDataIngestionJob", _ingestion())
    assert (status, reply["__type"]) == (500, "com.amazonaws.thorbrain#InternalServerException")

    variables["L4E_INGEST_STATE_MACHINE"] = machine
    mended = deploy()
    assert mended.api.describe_dataset(DatasetName="pump")["Status"] == "CREATED"
    assert mended.api.list_data_ingestion_jobs()["DataIngestionJobSummaries"] == []
    status, reply = mended.call("StartDataIngestionJob", _ingestion())
    assert (status, reply["Status"]) == (200, "IN_PROGRESS")


def _ingestion(**more: Any) -> dict[str, Any]:
    return {
        "DatasetName": "pump",
        "IngestionInputConfiguration": {"S3InputConfiguration": {"Bucket": "customer"}},
        "RoleArn": ROLE,
        "ClientToken": "t",
        **more,
    }


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("arn:aws:iam::000000000000:role/access", "does not lie under the path '/lookoutequipment/'"),
        ("arn:aws:iam::000000000000:role/x/lookoutequipment/access", "does not lie under the path"),
        ("arn:aws:iam::000000000000:role/lookoutequipment/../outside", "does not lie under the path"),
        ("arn:aws:iam::000000000000:role/lookoutequipment/./access", "does not lie under the path"),
        ("arn:aws:iam::000000000000:role/lookoutequipment//access", "does not lie under the path"),
        ("arn:aws:iam::000000000000:role/lookoutequipment/", "does not lie under the path"),
        ("arn:aws:iam::111122223333:role/lookoutequipment/access", "role of account 111122223333"),
        (
            "arn:aws-cn:iam::000000000000:role/lookoutequipment/access",
            "is of the partition 'aws-cn', but the service runs in 'aws'",
        ),
    ],
)
def test_only_roles_the_service_was_told_to_trust(service: Service, role: str, words: str) -> None:
    service.create_dataset("pump")
    with pytest.raises(service.api.exceptions.ValidationException, match=words) as refused:
        service.start_ingestion("pump", RoleArn=role)
    assert role in str(refused.value)


def test_the_role_path_is_a_setting(deploy: Deploy) -> None:
    service = deploy(access_role_path="/plants/")
    service.create_dataset("pump")
    with pytest.raises(ClientError, match="'/plants/'"):
        service.start_ingestion("pump")
    service.start_ingestion("pump", RoleArn="arn:aws:iam::000000000000:role/plants/north/access")


@pytest.mark.parametrize(
    ("pattern", "outcome"),
    [
        ("{prefix}/{component_name}/*", "accepted"),
        ("{prefix}/{component_name}_*", "accepted"),
        ("{prefix}/{component_name}-*", "accepted"),
        ("{prefix}/{component_name}.*", "accepted"),
        ("{prefix}/{component_name} *", "accepted"),
        ("{prefix}/{component_name}*", "refused"),
        ("{component_name}/*", "refused"),
        ("*", "refused"),
    ],
)
def test_key_patterns(service: Service, pattern: str, outcome: str) -> None:
    service.create_dataset("pump", None)
    source = {"S3InputConfiguration": {"Bucket": "customer", "KeyPattern": pattern}}
    if outcome == "accepted":
        service.start_ingestion("pump", IngestionInputConfiguration=source)
    else:
        with pytest.raises(service.api.exceptions.ValidationException, match="is not supported: use"):
            service.start_ingestion("pump", IngestionInputConfiguration=source)


def test_a_dataset_without_schema_needs_a_key_pattern(service: Service) -> None:
    service.create_dataset("pump", None)
    with pytest.raises(service.api.exceptions.ValidationException, match="KeyPattern is missing"):
        service.start_ingestion("pump")


def test_jobs_are_listed_newest_first_by_dataset_and_status(service: Service) -> None:
    first = service.ingested_dataset("pump")
    second = service.start_ingestion("pump")
    other = service.ingested_dataset("motor")

    def listed(**filters: Any) -> list[str]:
        found = service.api.list_data_ingestion_jobs(**filters)["DataIngestionJobSummaries"]
        return [job["JobId"] for job in found]

    assert listed() == [other, second, first]
    assert listed(DatasetName="pump") == [second, first]
    assert listed(DatasetName="pump", Status="SUCCESS") == [first]
    assert listed(DatasetName="pum") == []


def test_a_dataset_in_use_is_not_deleted(service: Service) -> None:
    service.ingested_dataset("pump")
    service.create_model("wear")
    with pytest.raises(service.api.exceptions.ConflictException, match="'wear' is training on it"):
        service.api.delete_dataset(DatasetName="pump")
    service.finish_training("wear")
    retraining = {
        "LatestScheduledRetrainingStatus": "IN_PROGRESS",
        "LatestScheduledRetrainingModelVersion": 1,
    }
    service.context.store.update(MODEL, "wear", retraining)
    with pytest.raises(service.api.exceptions.ConflictException, match="'wear' is training on it"):
        service.api.delete_dataset(DatasetName="pump")
    service.context.store.update(MODEL, "wear", {}, remove=list(retraining))
    service.create_scheduler("watch")
    with pytest.raises(service.api.exceptions.ConflictException, match="inference scheduler 'watch'"):
        service.api.delete_dataset(DatasetName="pump")
    service.api.stop_inference_scheduler(InferenceSchedulerName="watch")
    service.api.delete_inference_scheduler(InferenceSchedulerName="watch")
    service.api.delete_dataset(DatasetName="pump")
    assert json.loads(service.api.describe_model(ModelName="wear")["Schema"]) == SCHEMA


def test_deleting_a_dataset_deletes_its_objects_and_no_others(service: Service) -> None:
    service.ingested_dataset("pump", statistics=[])
    service.ingested_dataset("motor", statistics=[])
    bucket = service.context.environment.bucket
    listing = service.context.client("s3").list_objects_v2
    assert listing(Bucket=bucket)["KeyCount"] == 4
    service.api.delete_dataset(DatasetName="pump")
    motor = service.api.describe_dataset(DatasetName="motor")["DatasetArn"].rpartition("/")[2]
    keys = [found["Key"] for found in listing(Bucket=bucket)["Contents"]]
    assert len(keys) == 2
    assert all(motor in key for key in keys)


def test_sensor_statistics_are_those_of_the_latest_successful_job(service: Service) -> None:
    first = service.ingested_dataset("pump", statistics=_statistics("flow"))
    assert _sensors(service) == ["flow"]
    second = service.start_ingestion("pump")
    assert _sensors(service) == ["flow"]
    service.finish_ingestion(second, statistics=_statistics("flow", "speed"))
    assert _sensors(service) == ["flow", "speed"]
    assert _sensors(service, IngestionJobId=first) == ["flow"]
    (summary,) = service.api.list_sensor_statistics(DatasetName="pump", IngestionJobId=first)[
        "SensorStatisticsSummaries"
    ]
    assert summary["MissingValues"] == {"Count": 1, "Percentage": 0.5}
    assert summary["DataStartTime"] == datetime(2026, 1, 1, tzinfo=UTC)


def test_sensor_statistics_need_a_successful_job_of_that_dataset(service: Service) -> None:
    missing = service.api.exceptions.ResourceNotFoundException
    with pytest.raises(missing, match="dataset 'pump' does not exist"):
        _sensors(service)
    service.create_dataset("pump")
    with pytest.raises(missing, match="no successful ingestion job"):
        _sensors(service)
    with pytest.raises(missing, match="is IN_PROGRESS"):
        _sensors(service, IngestionJobId=service.start_ingestion("pump"))
    other = service.ingested_dataset("motor", statistics=[])
    with pytest.raises(missing, match=other):
        _sensors(service, IngestionJobId=other)


def _sensors(service: Service, **more: Any) -> list[str]:
    found = service.api.list_sensor_statistics(DatasetName="pump", **more)["SensorStatisticsSummaries"]
    return [summary["SensorName"] for summary in found]


def _statistics(*sensors: str) -> list[dict[str, Any]]:
    return [
        {
            "ComponentName": "pump",
            "SensorName": sensor,
            "DataExists": True,
            "MissingValues": {"Count": 1, "Percentage": 0.5},
            "DataStartTime": FIRST.timestamp(),
            "DataEndTime": LAST.timestamp(),
        }
        for sensor in sensors
    ]


def test_a_job_in_progress_says_how_far_it_has_come(service: Service) -> None:
    def detail() -> str | None:
        return service.api.describe_data_ingestion_job(JobId=job_id).get("StatusDetail")

    service.create_dataset("pump")
    job_id = service.start_ingestion("pump")
    job = service.context.records.ingestion_job(job_id)
    assert job is not None
    bucket, uuid = service.context.service_bucket, job["datasetUuid"]
    assert detail() == "listing the files below the prefix"
    files = [{"Index": index, "Key": f"history/{index}.csv", "Size": 10} for index in range(3)]
    bucket.put_json(manifest_key(uuid, job_id), files)
    bucket.put_text(part_report_key(uuid, job_id, 1), "{}")
    assert detail() == "reading files: 1 of 3 are done"
    for index in (0, 2):
        bucket.put_text(part_report_key(uuid, job_id, index), "{}")
    assert detail() == "merging what was read from 3 files"
    service.finish_ingestion(job_id)
    assert detail() is None
