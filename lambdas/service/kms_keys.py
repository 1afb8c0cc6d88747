"""KMS keys of resources: which key a request means, and whether the service may use it."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from service.context import Context
from service.errors import ValidationError

_UNRESOLVABLE = {"AccessDeniedException", "InvalidArnException", "NotFoundException", "ValidationException"}
_UNUSABLE = ("AccessDenied", "KMS.", "Kms")
"""Beginnings of the codes of S3 for a key that may not be used."""


def key_arn(context: Context, request: Mapping[str, Any]) -> str | None:
    """Return the ARN of the key in `ServerSideKmsKeyId` of a request, None when it has none.

    Raises:
        ValidationError: when KMS cannot resolve the alias.
    """
    key = request.get("ServerSideKmsKeyId")
    if key is None:
        return None
    arn = context.arns.kms_key_arn(key)
    if arn is not None:
        return arn
    try:
        described = context.client("kms").describe_key(KeyId=key)["KeyMetadata"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in _UNRESOLVABLE:
            raise
        raise ValidationError(
            f"ServerSideKmsKeyId '{key}' cannot be resolved "
            f"({error.response['Error'].get('Message', error)}): give the ARN of a symmetric KMS key in this "
            "account and Region"
        ) from error
    return str(described["Arn"])


def put_document(context: Context, key: str, text: str, kms_key: str | None) -> None:
    """Store a document of a resource, encrypted with the key of the resource.

    Args:
        context: the context of the service.
        key: where the document lies in the service bucket.
        text: the document.
        kms_key: ARN of the KMS key of the resource; None is the default of the bucket.

    Raises:
        ValidationError: when the service may not use the KMS key.
    """
    try:
        context.service_bucket.with_key(kms_key).put_text(key, text)
    except ClientError as error:
        if kms_key is None or not error.response["Error"]["Code"].startswith(_UNUSABLE):
            raise
        raise ValidationError(
            f"ServerSideKmsKeyId '{kms_key}' cannot be used by the service "
            f"({error.response['Error']['Message']}): allow the service's roles kms:GenerateDataKey and "
            "kms:Decrypt in the key policy"
        ) from error
