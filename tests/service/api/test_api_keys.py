"""KMS keys are looked at, and tried, when they are given."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.storage.service_bucket import ServiceBucket
from tests.embedded import ACCOUNT, REGION
from tests.service.api.conftest import ROLE, Service

UNKNOWN = "01234567-89ab-cdef-0123-456789abcdef"


def made(service: Service, **kind: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = service.context.client("kms").create_key(**kind)["KeyMetadata"]
    return metadata


def create(service: Service, key: str) -> tuple[int, str, str]:
    """Status, error code and message of a CreateDataset with a key."""
    status, reply = service.call(
        "CreateDataset", {"DatasetName": "pump", "ServerSideKmsKeyId": key, "ClientToken": "t"}
    )
    return status, reply.get("__type", "").partition("#")[2], reply.get("Message", "")


def disabled(service: Service) -> str:
    key: str = made(service)["KeyId"]
    service.context.client("kms").disable_key(KeyId=key)
    return key


def to_be_deleted(service: Service) -> str:
    key: str = made(service)["Arn"]
    service.context.client("kms").schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    return key


@pytest.mark.parametrize("form", ["KeyId", "Arn", "alias", "ARN of the alias"])
def test_a_key_in_any_form_is_described_by_its_arn(service: Service, form: str) -> None:
    key = made(service)
    name = f"alias/plant-{form[:1]}{service.context.environment.bucket}"
    service.context.client("kms").create_alias(AliasName=name, TargetKeyId=key["KeyId"])
    forms = {**key, "alias": name, "ARN of the alias": f"arn:aws:kms:{REGION}:{ACCOUNT}:{name}"}
    assert create(service, forms[form])[0] == 200
    assert service.api.describe_dataset(DatasetName="pump")["ServerSideKmsKeyId"] == key["Arn"]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (UNKNOWN, "cannot be found"),
        ("alias/none", "cannot be found"),
        (f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{UNKNOWN}", "cannot be found"),
        ("arn:aws", "cannot be found"),
        (
            f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{UNKNOWN}",
            f"may use keys of account {ACCOUNT} and Region {REGION} only: create the key there",
        ),
        (
            f"arn:aws-cn:kms:{REGION}:{ACCOUNT}:key/{UNKNOWN}",
            "is of the partition 'aws-cn', but the service runs in 'aws', out of reach",
        ),
        (f"arn:aws:kms:{REGION}:111122223333:key/{UNKNOWN}", "is of account 111122223333 and Region"),
        (disabled, "it is Disabled, not Enabled: enable it"),
        (to_be_deleted, "it is PendingDeletion, not Enabled"),
        (
            lambda service: made(service, Origin="EXTERNAL")["Arn"],
            "it is PendingImport, not Enabled",
        ),
        (
            lambda service: made(service, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["Arn"],
            "it is a key of the kind RSA_2048 for ENCRYPT_DECRYPT, but data is encrypted with symmetric keys",
        ),
        (
            lambda service: made(service, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["Arn"],
            "it is a key of the kind ECC_NIST_P256 for SIGN_VERIFY",
        ),
        (
            lambda service: made(service, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["Arn"],
            "choose a key of the kind SYMMETRIC_DEFAULT for ENCRYPT_DECRYPT",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", str(value))[:60],
)
def test_a_key_that_cannot_be_used(service: Service, key: str | Callable[[Service], str], words: str) -> None:
    given = key if isinstance(key, str) else key(service)
    status, code, message = create(service, given)
    assert (status, code) == (400, "ValidationException")
    assert message.startswith(f"ServerSideKmsKeyId '{given}' ")
    assert words in message
    assert service.api.list_datasets()["DatasetSummaries"] == []


def test_a_key_that_aws_manages(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    described = {**made(service), "KeyManager": "AWS"}
    answer(service, monkeypatch, lambda KeyId: {"KeyMetadata": described})  # noqa: N803  as boto3 is called
    status, code, message = create(service, described["Arn"])
    assert (status, code) == (400, "ValidationException")
    assert "AWS manages it for one of its services: choose a customer managed key" in message


def answer(service: Service, monkeypatch: pytest.MonkeyPatch, describe_key: Callable[..., Any]) -> None:
    """Have KMS answer DescribeKey in another way."""
    client = service.context.client("kms")
    monkeypatch.setattr(client, "describe_key", describe_key)


def refused(operation: str, code: str) -> Callable[..., Any]:
    def call(*_: object, **__: object) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": "not you"}}, operation)

    return call


def test_a_key_that_may_not_be_looked_at(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    key = made(service)["Arn"]
    answer(service, monkeypatch, refused("DescribeKey", "AccessDeniedException"))
    status, code, message = create(service, key)
    assert (status, code) == (400, "AccessDeniedException")
    assert message.startswith(
        f"ServerSideKmsKeyId '{key}' cannot be looked at by the service (not you): allow"
    )
    assert "kms:DescribeKey to the roles of the service in the key policy" in message


@pytest.mark.parametrize(
    ("code", "told"),
    [("ThrottlingException", "ThrottlingException"), ("KMSInternalException", "InternalServerException")],
)
def test_a_fault_of_kms_is_not_the_callers(
    service: Service, monkeypatch: pytest.MonkeyPatch, code: str, told: str
) -> None:
    key = made(service)["Arn"]
    answer(service, monkeypatch, refused("DescribeKey", code))
    assert create(service, key)[1] == told


@pytest.mark.parametrize("method", ["put_text", "get_text"])
@pytest.mark.parametrize("code", ["AccessDenied", "KMS.DisabledException", "KMS.NotFoundException"])
def test_a_key_that_may_not_be_used(
    service: Service, monkeypatch: pytest.MonkeyPatch, method: str, code: str
) -> None:
    key = made(service)["Arn"]
    monkeypatch.setattr(ServiceBucket, method, refused("PutObject", code))
    status, told, message = create(service, key)
    assert (status, told) == (400, "AccessDeniedException")
    assert message.startswith(f"ServerSideKmsKeyId '{key}' cannot be used by the service (not you): allow ")
    assert "kms:GenerateDataKey and kms:Decrypt" in message


def test_the_trial_is_encrypted_with_the_key_and_leaves_one_object(service: Service) -> None:
    key = made(service)["Arn"]
    assert create(service, key)[0] == 200
    s3, bucket = service.context.client("s3"), service.context.environment.bucket
    trial = f"documents/key-trials/{key.rpartition('/')[2]}"
    assert s3.head_object(Bucket=bucket, Key=trial)["SSEKMSKeyId"] == key
    listed = s3.list_objects_v2(Bucket=bucket, Prefix="documents/key-trials/")["Contents"]
    assert [one["Key"] for one in listed] == [trial]


def test_models_and_schedulers_look_too(service: Service) -> None:
    service.trained_model()
    invalid = service.api.exceptions.ValidationException
    with pytest.raises(invalid, match=f"'{UNKNOWN}' cannot be found"):
        service.create_model("leak", ServerSideKmsKeyId=UNKNOWN)
    with pytest.raises(invalid, match=f"'{UNKNOWN}' cannot be found"):
        service.create_scheduler(ServerSideKmsKeyId=UNKNOWN)
    key = made(service)["Arn"]
    service.create_model("leak", ServerSideKmsKeyId=key)
    service.create_scheduler(ServerSideKmsKeyId=key, RoleArn=ROLE)
    described = service.api.describe_inference_scheduler(InferenceSchedulerName="watch")
    assert described["ServerSideKmsKeyId"] == key


def test_without_a_key_kms_is_not_asked(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(service, monkeypatch, refused("DescribeKey", "KMSInternalException"))
    service.create_dataset()
    assert "ServerSideKmsKeyId" not in service.api.describe_dataset(DatasetName="pump")
