"""The way to the customer's data: what a person reads when the role or the bucket refuses."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from service.customer.bucket_owners import BucketOwners
from service.jobs.failure import JobFailed
from service.jobs.storage.customer_bucket import CustomerBuckets
from service.jobs.storage.refusals import retry_while_denied
from tests.embedded import SESSION, EmbeddedAws
from tests.service.jobs import pump
from tests.service.jobs.inference import started
from tests.service.jobs.world import MOTOR_ARN, World, schema

ROLE = "arn:aws:iam::111122223333:role/lookoutequipment/data"
OWNERS = BucketOwners(account="111122223333")
KEYS = {"region_name": "eu-west-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}


def refusing(service: str, operation: str, code: str, *, status: int, times: int = 1) -> Any:
    """A client whose service refuses, as an enforced policy would."""
    client: Any = SESSION.client(service, **KEYS)  # type: ignore[call-overload] # any service
    stub = Stubber(client)
    for _ in range(times):
        stub.add_client_error(operation, code, "not authorized", status)
    stub.activate()
    return client


def test_a_role_that_does_not_trust_the_service() -> None:
    sts = refusing("sts", "assume_role", "AccessDenied", status=403, times=3)
    with pytest.raises(JobFailed) as failed:
        CustomerBuckets.through(
            ROLE, external_id=MOTOR_ARN, policy="{}", owners=OWNERS, sts=sts, pauses=(0.0, 0.0)
        )
    assert failed.value.reason == (
        f"cannot assume role '{ROLE}': AccessDenied: not authorized: the role must exist and its trust "
        f"policy must allow sts:AssumeRole to the job role of the service for the external id '{MOTOR_ARN}' "
        "(condition StringLike sts:ExternalId)"
    )


def test_the_external_id_is_the_arn_of_the_resource_worked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trust policy of a role can so be narrowed to one dataset, one model, one scheduler."""
    assume, ids = world.runtime.sts.assume_role, list[str]()

    def noted(**request: Any) -> Any:
        ids.append(request["ExternalId"])
        return assume(**request)

    monkeypatch.setattr(world.runtime.sts, "assume_role", noted)
    data = list(pump.history("2020-01-01", count=16 * 96, step=timedelta(minutes=15)))
    world.upload("train/drive/1.csv", pump.drive(data))
    world.upload("train/hydraulics/1.csv", pump.hydraulics(data))
    dataset = world.dataset(pump.SCHEMA)
    world.ingest(dataset, prefix="train/")
    assert set(ids) == {dataset["DatasetArn"]}

    ids.clear()
    world.upload("labels/faults.csv", "2020-01-10T00:00:00,2020-01-10T02:00:00\n")
    labels = {"S3InputConfiguration": {"Bucket": world.bucket, "Prefix": "labels/"}}
    model = world.model(dataset, pump.SCHEMA, RoleArn=world.role, LabelsInputConfiguration=labels)
    assert set(ids) == {model["ModelArn"]}

    ids.clear()
    scheduler = started(world, model, "10:15", DataUploadFrequency="PT15M")
    world.tick(scheduler)
    assert set(ids) == {scheduler["InferenceSchedulerArn"]}


@pytest.mark.parametrize(
    ("operation", "call", "message"),
    [
        (
            "list_objects_v2",
            lambda data: list(data.objects("b", "p/")),
            (
                f"cannot list 's3://b/p/' with role '{ROLE}': AccessDenied: not authorized: allow "
                "s3:ListBucket on 'arn:aws:s3:::b' in the policy of the role and in the bucket policy"
            ),
        ),
        (
            "get_object",
            lambda data: data.read("b", "p/k"),
            (
                f"cannot read 's3://b/p/k' with role '{ROLE}': AccessDenied: not authorized: allow "
                "s3:GetObject on 'arn:aws:s3:::b/p/k', and kms:Decrypt on its key when one encrypts it"
            ),
        ),
        (
            "put_object",
            lambda data: data.put("b", "p/k", b"", content_type="x/y", kms_key="key"),
            (
                f"cannot write 's3://b/p/k' with role '{ROLE}': AccessDenied: not authorized: allow "
                "s3:PutObject on 'arn:aws:s3:::b/p/k', and kms:GenerateDataKey on its key when one encrypts "
                "it"
            ),
        ),
    ],
)
def test_a_bucket_that_refuses_the_role(operation: str, call: Any, message: str) -> None:
    s3 = refusing("s3", operation, "AccessDenied", status=403)
    with pytest.raises(JobFailed) as failed:
        call(CustomerBuckets(s3=s3, role_arn=ROLE, owners=OWNERS, pauses=()))
    assert failed.value.reason == (
        f"{message}; the bucket must belong to account '111122223333' (the setting 'bucket_owners' of the "
        "service names others)"
    )


@pytest.mark.parametrize(("code", "status"), [("InternalError", 500), ("SlowDown", 503), ("Throttling", 400)])
def test_a_fault_of_s3_is_not_the_customers(code: str, status: int) -> None:
    s3 = refusing("s3", "list_objects_v2", code, status=status, times=6)
    with pytest.raises(ClientError):
        list(CustomerBuckets(s3=s3, role_arn=ROLE, owners=OWNERS, pauses=()).objects("b", "p/"))


def test_the_external_id_is_the_arn_of_the_resource_that_is_worked_for(
    jobs_aws: EmbeddedAws, world: World
) -> None:
    sent: list[str] = []
    world.runtime = replace(world.runtime, sts=jobs_aws.client("sts"))
    world.runtime.sts.meta.events.register(
        "before-parameter-build.sts.AssumeRole", lambda params, **_: sent.append(params["ExternalId"])
    )
    lines = "".join(
        f"2025-12-{day:02d}T{hour:02d}:00,{hour % 5},{hour % 3}\n"
        for day in range(1, 29)
        for hour in range(24)
    )
    world.upload("train/pump/1.csv", f"Timestamp,speed,flow\n{lines}")
    world.upload("labels/1.csv", "2025-12-27T00:00,2025-12-27T02:00\n")
    sensors = schema(pump=("speed", "flow"))
    dataset = world.dataset(sensors)
    assert world.ingest(dataset, prefix="train/")["Status"] == "SUCCESS"
    assert set(sent) == {dataset["DatasetArn"]}

    sent.clear()
    place = {"Bucket": world.bucket, "Prefix": "labels/"}
    model = world.model(
        dataset, sensors, RoleArn=world.role, LabelsInputConfiguration={"S3InputConfiguration": place}
    )
    assert set(sent) == {model["ModelArn"]}

    sent.clear()
    scheduler = world.scheduler(model, first_end="2026-01-01T00:00")
    world.tick(scheduler)
    assert set(sent) == {scheduler["InferenceSchedulerArn"]}


def test_a_new_role_gets_time_to_become_known() -> None:
    calls: list[int] = []

    def call() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "AssumeRole")
        return "in"

    assert retry_while_denied(call, (0.0, 0.0, 0.0)) == "in"
    assert len(calls) == 3


def test_a_broken_connection_resumes_where_it_broke(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    body = bytes(range(256)) * 3000
    world.upload("big", body)
    customer = world.buckets()
    read, calls = StreamingBody.read, list[int | None]()

    def breaking(self: StreamingBody, amt: int | None = None) -> bytes:
        calls.append(amt)
        if len(calls) in {1, 3, 4}:
            raise ReadTimeoutError(endpoint_url="s3")
        found: bytes = read(self, amt)
        return found

    monkeypatch.setattr(StreamingBody, "read", breaking)
    assert customer.read(world.bucket, "big") == body
    assert len(calls) > 6


def test_a_connection_that_keeps_breaking_is_an_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.upload("big", "x")
    customer = world.buckets()

    def broken(self: StreamingBody, amt: int | None = None) -> bytes:
        raise ReadTimeoutError(endpoint_url="s3")

    monkeypatch.setattr(StreamingBody, "read", broken)
    with pytest.raises(RuntimeError, match=f"reading 's3://{world.bucket}/big' broke 5 times"):
        customer.read(world.bucket, "big")


def test_an_object_that_changes_while_it_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.upload("big", "one")
    customer = world.buckets()

    def broken(self: StreamingBody, amt: int | None = None) -> bytes:
        world.upload("big", "two")
        raise ReadTimeoutError(endpoint_url="s3")

    monkeypatch.setattr(StreamingBody, "read", broken)
    with pytest.raises(JobFailed, match="the object changed while it was read: start again"):
        customer.read(world.bucket, "big")
