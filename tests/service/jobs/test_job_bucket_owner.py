"""Jobs name the owner of the bucket in every request to S3, for the service's bucket and the customer's."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from service.customer.bucket_owners import BucketOwners
from service.jobs.runtime import current_runtime
from service.jobs.storage.s3_streams import PART_BYTES, read_anywhere, read_forward, write_in_parts
from tests.embedded import ACCOUNT, EmbeddedAws
from tests.service.expected_owner import S3Call, s3_calls
from tests.service.jobs import pump
from tests.service.jobs.conftest import new_world
from tests.service.jobs.inference import MINUTE, started, upload
from tests.service.jobs.world import World

OTHER = "111122223333"


@pytest.fixture
def deployed(jobs_aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world whose jobs use the clients that the functions make for themselves."""
    variables = {"ACCOUNT": ACCOUNT, "TABLE": "l4e", "BUCKET": "service", "METRIC_NAMESPACE": "Plant"}
    for name, value in variables.items():
        monkeypatch.setenv(f"L4E_{name}", value)
    current_runtime.cache_clear()
    world = new_world(jobs_aws)
    world.runtime = replace(world.runtime, s3=current_runtime().s3)
    yield world
    current_runtime.cache_clear()


def upload_history(world: World) -> None:
    """Upload four days of the pump, with a fault in the labels."""
    data = list(pump.history("2020-01-16", count=4 * 1440, step=MINUTE, faults=(pump.FAULT,)))
    world.upload("train/drive/data.csv", pump.drive(data))
    world.upload("train/hydraulics/data.csv.gz", gzip.compress(pump.hydraulics(data).encode()))
    world.upload("labels/faults.csv", f"start,end\n{pump.FAULT[0]},{pump.FAULT[1]}\n")


def of_bucket(calls: list[S3Call], bucket: str) -> list[S3Call]:
    return [call for call in calls if urlsplit(call.url).path.split("/")[1] == bucket]


def test_ingestion_training_and_inference_name_the_owner(deployed: World) -> None:
    upload_history(deployed)
    upload(deployed, "00:00")
    deployed.settings(minimum_training_days=1)
    source = {"Bucket": deployed.bucket, "Prefix": "labels/"}
    target = {"Bucket": deployed.bucket, "Prefix": "diagnostics/"}
    with s3_calls() as calls:
        dataset = deployed.dataset(pump.SCHEMA)
        job = deployed.ingest(dataset, prefix="train/")
        model = deployed.model(
            dataset,
            pump.SCHEMA,
            RoleArn=deployed.role,
            LabelsInputConfiguration={"S3InputConfiguration": source},
            ModelDiagnosticsOutputConfiguration={"S3OutputConfiguration": target},
        )
        scheduler = started(deployed, model, "00:05")
        executions = deployed.tick(scheduler)
    assert job["Status"] == "SUCCESS", job.get("FailedReason")
    assert model["Status"] == "SUCCESS", model.get("FailedReason")
    assert list(executions.values()) == ["SUCCESS"], deployed.executions(scheduler)
    own, customers = of_bucket(calls, "service"), of_bucket(calls, deployed.bucket)
    assert len(own) + len(customers) == len(calls)
    assert {call.operation for call in own} >= {"GetObject", "PutObject"}
    assert {call.operation for call in customers} == {"GetObject", "ListObjectsV2", "PutObject"}
    assert [call for call in calls if call.owner != ACCOUNT] == []


def test_a_bucket_of_another_account_is_named_in_the_settings(deployed: World) -> None:
    upload_history(deployed)
    deployed.settings(bucket_owners={deployed.bucket: OTHER})
    with s3_calls() as calls:
        deployed.ingest(deployed.dataset(pump.SCHEMA), prefix="train/")
    assert {call.owner for call in of_bucket(calls, deployed.bucket)} == {OTHER}
    assert {call.owner for call in of_bucket(calls, "service")} == {ACCOUNT}


def test_transfers_and_uploads_in_parts_name_the_owner_too(deployed: World) -> None:
    s3, key = deployed.runtime.s3, "schedulers/owner-test"
    with s3_calls() as calls:
        with write_in_parts(s3, "service", key, {}) as file:
            for _ in range(3):
                file.write(bytes(PART_BYTES))
        with pytest.raises(TypeError), write_in_parts(s3, "service", key, {}) as file:
            file.writelines([bytes(PART_BYTES), None])  # type: ignore[list-item]
        assert len(read_forward(s3, "service", key).read()) == 3 * PART_BYTES
        assert len(read_anywhere(s3, "service", key).read()) == 3 * PART_BYTES
        with deployed.runtime.service_bucket.downloaded(key) as copy:
            assert len(copy.read()) == 3 * PART_BYTES
        assert deployed.runtime.service_bucket.size(key) == 3 * PART_BYTES
        deployed.runtime.service_bucket.delete_prefix(key)
    assert {call.operation for call in calls} == {
        "AbortMultipartUpload",
        "CompleteMultipartUpload",
        "CreateMultipartUpload",
        "DeleteObjects",
        "GetObject",
        "HeadObject",
        "ListObjectsV2",
        "UploadPart",
    }
    assert [call for call in calls if call.owner != ACCOUNT] == []


def test_owners() -> None:
    owners = BucketOwners(account=ACCOUNT, others={"shared": OTHER})
    assert (owners.of("shared"), owners.of("data")) == (OTHER, ACCOUNT)
