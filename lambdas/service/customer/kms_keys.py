"""KMS keys of resources: which key a request means, and whether the service can use it.

A key is looked at when it is given, not when the first job needs it: hours later, nobody would read why.
"""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from service.context import Context
from service.errors import ApiError, DeniedError, ValidationError
from service.storage.names import key_trial_key

_NOT_FOUND = {"InvalidArnException", "NotFoundException", "ValidationException"}
_ARN_PARTS = 6
_DENIED = "AccessDeniedException"
_UNUSABLE = ("AccessDenied", "KMS.", "Kms")
"""Beginnings of the codes of S3 for a key that may not be used."""


def key_arn(context: Context, request: Mapping[str, Any]) -> str | None:
    """Return the ARN of the key in `ServerSideKmsKeyId` of a request, None when it has none.

    The key encrypts and decrypts a small object of the service bucket on trial, because its policy may allow
    less than its description shows.

    Raises:
        ValidationError: when there is no such key, or it is no customer managed, symmetric, enabled one.
        DeniedError: when the service may not look at the key or use it.
    """
    key = request.get("ServerSideKmsKeyId")
    if key is None:
        return None
    metadata = _described(context, key)
    if (mistake := _mistake(metadata)) is not None:
        raise ValidationError(f"ServerSideKmsKeyId '{key}' cannot be used: {mistake}")
    arn = str(metadata["Arn"])
    _try(context, key, arn)
    return arn


def put_document(context: Context, key: str, text: str, kms_key: str | None) -> None:
    """Store a document of a resource, encrypted with the key of the resource.

    Args:
        context: the context of the service.
        key: where the document lies in the service bucket.
        text: the document.
        kms_key: ARN of the KMS key of the resource; None is the default of the bucket.
    """
    context.service_bucket.with_key(kms_key).put_text(key, text)


def _described(context: Context, key: str) -> Mapping[str, Any]:
    _require_home(context, key)
    try:
        metadata: Mapping[str, Any] = context.client("kms").describe_key(KeyId=key)["KeyMetadata"]
    except ClientError as error:
        code, text = error.response["Error"]["Code"], error.response["Error"].get("Message", str(error))
        if code == _DENIED:
            raise _denied(key, "looked at", text, "kms:DescribeKey") from error
        if code not in _NOT_FOUND:
            raise
        raise ValidationError(
            f"ServerSideKmsKeyId '{key}' cannot be found ({text}): give the id, the ARN or the alias "
            "('alias/name') of a symmetric KMS key in this account and Region"
        ) from error
    return metadata


def _require_home(context: Context, key: str) -> None:
    """Require that a key given by its ARN is of the account and Region of the service."""
    arns, parts = context.arns, key.split(":", 5)
    if len(parts) != _ARN_PARTS:
        return
    _, partition, _, region, account, _ = parts
    if partition != arns.partition:
        raise ValidationError(
            f"ServerSideKmsKeyId '{key}' is of the partition '{partition}', but the service runs in "
            f"'{arns.partition}', out of reach of other partitions: use a key of account {arns.account}"
        )
    if (region, account) != (arns.region, arns.account):
        raise ValidationError(
            f"ServerSideKmsKeyId '{key}' is of account {account} and Region {region}, but the service may "
            f"use keys of account {arns.account} and Region {arns.region} only: create the key there"
        )


def _mistake(metadata: Mapping[str, Any]) -> str | None:
    """Return what makes a key unusable, and what to do about it, None when nothing does."""
    spec, usage, state = metadata["KeySpec"], metadata["KeyUsage"], metadata["KeyState"]
    if (spec, usage) != ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"):
        return (
            f"it is a key of the kind {spec} for {usage}, but data is encrypted with symmetric keys only: "
            "choose a key of the kind SYMMETRIC_DEFAULT for ENCRYPT_DECRYPT"
        )
    if metadata["KeyManager"] != "CUSTOMER":
        return "AWS manages it for one of its services: choose a customer managed key, or leave it out"
    if state != "Enabled":
        return f"it is {state}, not Enabled: enable it (cancel its deletion first), or choose another key"
    return None


def _try(context: Context, key: str, arn: str) -> None:
    bucket, trial = context.service_bucket.with_key(arn), key_trial_key(arn)
    try:
        bucket.put_text(trial, "")
        bucket.get_text(trial)
    except ClientError as error:
        code, text = error.response["Error"]["Code"], error.response["Error"].get("Message", str(error))
        if not code.startswith(_UNUSABLE):
            raise
        raise _denied(key, "used", text, "kms:GenerateDataKey and kms:Decrypt") from error


def _denied(key: str, done: str, text: str, actions: str) -> ApiError:
    return DeniedError(
        f"ServerSideKmsKeyId '{key}' cannot be {done} by the service ({text}): allow {actions} to the roles "
        "of the service in the key policy, or let that policy leave it to IAM (the account's root principal)"
    )
