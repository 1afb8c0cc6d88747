"""What the inference function answers when it is asked whether a role gives access."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.jobs import infer
from tests.service.jobs.world import World


def trial(world: World, **changes: Any) -> str | None:
    event = {
        "Step": "try-access",
        "InferenceSchedulerArn": "arn:aws:lookoutequipment:eu-west-1:000000000000:inference-scheduler/w/1",
        "RoleArn": world.role,
        "DataInputConfiguration": {"S3InputConfiguration": {"Bucket": world.bucket, "Prefix": "in/"}},
        "DataOutputConfiguration": {"S3OutputConfiguration": {"Bucket": world.bucket, "Prefix": "out/"}},
        **changes,
    }
    found: str | None = infer.run(world.runtime, event, seconds_left=lambda: 900)["Refusal"]
    return found


def test_access_leaves_nothing(world: World) -> None:
    assert trial(world) is None
    assert world.customer.list_objects_v2(Bucket=world.bucket)["KeyCount"] == 0
    assert "Uploads" not in world.customer.list_multipart_uploads(Bucket=world.bucket)


@pytest.mark.parametrize(
    ("member", "verb"), [("DataInputConfiguration", "list"), ("DataOutputConfiguration", "write")]
)
def test_a_bucket_that_does_not_exist(world: World, member: str, verb: str) -> None:
    place = {"DataInputConfiguration": "S3InputConfiguration"}.get(member, "S3OutputConfiguration")
    text = trial(world, **{member: {place: {"Bucket": "nobody-has-this", "Prefix": "a/"}}})
    assert text is not None
    assert text.startswith(f"cannot {verb} 's3://nobody-has-this/a/")
    assert text.endswith("create the bucket or correct its name")


@pytest.mark.parametrize(
    ("operation", "words"),
    [("list_objects_v2", "allow s3:ListBucket"), ("create_multipart_upload", "allow s3:PutObject")],
)
def test_a_role_without_a_right(
    world: World, monkeypatch: pytest.MonkeyPatch, operation: str, words: str
) -> None:
    denied = ClientError(
        {"Error": {"Code": "AccessDenied", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 403}},
        operation,
    )
    refuse(monkeypatch, operation, denied)
    text = trial(world)
    assert text is not None
    assert words in text


def test_a_role_that_may_not_decrypt_can_still_write(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    message = "User is not authorized to perform: kms:Decrypt"
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, "CreateMultipartUpload")
    refuse(monkeypatch, "create_multipart_upload", denied)
    assert trial(world) is None


def test_a_role_that_does_not_exist(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    denied = ClientError(
        {"Error": {"Code": "AccessDenied", "Message": "not authorized to perform: sts:AssumeRole"}},
        "AssumeRole",
    )

    def assume_role(**_: Any) -> Any:
        raise denied

    monkeypatch.setattr(world.runtime.sts, "assume_role", assume_role)
    text = trial(world)
    assert text is not None
    assert text.startswith(f"cannot assume role '{world.role}'")
    assert "inference-scheduler/w/1'" in text, "the external id is the ARN of the scheduler"


def refuse(monkeypatch: pytest.MonkeyPatch, operation: str, error: ClientError) -> None:
    """Let the customer's S3 client refuse one operation."""
    from service.jobs.storage import customer_bucket  # noqa: PLC0415

    client_of = customer_bucket.s3_client_of_role

    def refusing(*args: Any, **options: Any) -> Any:
        client = client_of(*args, **options)

        def raised(**_: Any) -> Any:
            raise error

        monkeypatch.setattr(client, operation, raised)
        return client

    monkeypatch.setattr(customer_bucket, "s3_client_of_role", refusing)
