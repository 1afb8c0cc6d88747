"""Checks of request members that the service model does not express: roles, keys, tags, S3 places."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from service.context import Context
from service.errors import ConflictError, QuotaError, ValidationError, listed

SECONDS = {"S": 1, "M": 60, "H": 3600}
_DURATION = re.compile(r"PT(\d+)([SMH])")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_OFF_CONDITION = re.compile(rf"\s*(?P<sensor>[^<>=]*[^<>=\s])\s*[<>]\s*{_NUMBER}\s*")
_KEY_PATTERNS = re.compile(r"\{prefix\}/\{component_name\}(/|[ ._-])\*")
_ZONE = re.compile(r"([+-])(\d\d):(\d\d)")

_UNRESOLVABLE = {"AccessDeniedException", "InvalidArnException", "NotFoundException", "ValidationException"}


def seconds(duration: str) -> int:
    """Return the length of `PT30S`, `PT5M`, `PT1H` in seconds."""
    number, unit = re.fullmatch(_DURATION, duration).groups()  # type: ignore[union-attr]  # an enum of the model
    return int(number) * SECONDS[unit]


def require_role(context: Context, request: Mapping[str, Any]) -> None:
    """Demand that the request's RoleArn, if any, is a role that the service can be trusted with.

    Raises:
        ValidationError: when it lies in another account or outside the path of the access roles.
    """
    arn = request.get("RoleArn")
    if arn is None:
        return
    account, path = context.place.account, context.settings.access_role_path
    _, partition, _, _, owner, resource = arn.split(":", 5)
    if owner != account or partition != context.place.partition:
        raise ValidationError(
            f"RoleArn '{arn}' is a role of account {owner}, but the service runs in account {account}: use a "
            "role of that account, and grant it access to the other account's bucket in the bucket policy"
        )
    if not f"/{resource.removeprefix('role/')}".startswith(path):
        raise ValidationError(
            f"RoleArn '{arn}' does not lie under the path '{path}', and the service may assume no other "
            f"role: create the role with the path '{path}' (an ARN like "
            f"arn:{partition}:iam::{account}:role{path}name), or change the setting 'access_role_path' of "
            "the service"
        )


def key_arn(context: Context, request: Mapping[str, Any]) -> str | None:
    """Return the ARN of the request's ServerSideKmsKeyId, None when it has none.

    Raises:
        ValidationError: when KMS does not know the alias.
    """
    key = request.get("ServerSideKmsKeyId")
    if key is None:
        return None
    arn = context.place.kms_key_arn(key)
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


def put_document(context: Context, key: str, text: str, kms_key: str | None) -> str:
    """Store a document of a resource and return its `key`.

    Raises:
        ValidationError: when the service may not use the resource's KMS key.
    """
    try:
        context.service_bucket.with_key(kms_key).put_text(key, text)
    except ClientError as error:
        if kms_key is None or not error.response["Error"]["Code"].startswith(("AccessDenied", "KMS.", "Kms")):
            raise
        raise ValidationError(
            f"ServerSideKmsKeyId '{kms_key}' cannot be used by the service "
            f"({error.response['Error']['Message']}): allow the service's roles kms:GenerateDataKey and "
            "kms:Decrypt in the key policy"
        ) from error
    return key


def tag_map(
    context: Context, tags: Sequence[Mapping[str, str]], present: Mapping[str, str]
) -> dict[str, str]:
    """Return the tags of a resource after `tags` are added to those `present`.

    Raises:
        ValidationError: when a key is given twice.
        QuotaError: when there are more than a resource may have.
    """
    given = {tag["Key"]: tag["Value"] for tag in tags}
    if len(given) < len(tags):
        raise ValidationError("Tags has the same key twice: give each key once")
    merged = {**present, **given}
    limit = context.settings.tags_per_resource
    if limit is not None and len(merged) > limit:
        raise QuotaError(
            f"the limit of {limit} tags per resource would be exceeded: there are {len(present)} tags, and "
            f"{len(merged) - len(present)} new ones come with the request; remove some first"
        )
    return merged


def require_key_pattern(request: Mapping[str, Any], *, has_schema: bool) -> None:
    """Demand a KeyPattern that the service understands, and one at all when the schema is to be detected.

    Raises:
        ValidationError: says which patterns there are.
    """
    pattern = request["IngestionInputConfiguration"]["S3InputConfiguration"].get("KeyPattern")
    allowed = (
        "'{prefix}/{component_name}/*' or '{prefix}/{component_name}X*' with '.', '_', '-' or a blank for X"
    )
    if pattern is None and not has_schema:
        raise ValidationError(
            f"KeyPattern is missing and the dataset '{request['DatasetName']}' has no schema, so components "
            f"cannot be told from file names: give KeyPattern {allowed}"
        )
    if pattern is not None and not _KEY_PATTERNS.fullmatch(pattern):
        raise ValidationError(f"KeyPattern '{pattern}' is not supported: use {allowed}")


def require_off_condition(text: str | None, sensors: Sequence[str]) -> None:
    r"""Demand `component\sensor < number` (or `>`) with a sensor of the model; its name may do.

    Raises:
        ValidationError: names the rule, and the sensors that there are.
    """
    if text is None:
        return
    match = _OFF_CONDITION.fullmatch(text)
    if match is None:
        raise ValidationError(
            rf"OffCondition '{text}' is not of the form 'component\sensor < number' or 'component\sensor > "
            r"number': "
            "give one sensor, one of the two signs, and one number"
        )
    name = match["sensor"]
    fits = [sensor for sensor in sensors if name in {sensor, sensor.partition("\\")[2]}]
    if len(fits) > 1:
        raise ValidationError(
            f"OffCondition '{text}': '{name}' could be any of {listed(fits)}: put the component's name in "
            "front"
        )
    if not fits:
        hint = r"; write one backslash, which JSON doubles" if r"\\" in name else ""
        raise ValidationError(
            f"OffCondition '{text}': '{name}' is no sensor of the model, which has {listed(sensors)}: use "
            f"one of these{hint}"
        )


def require_labels(request: Mapping[str, Any], role: str | None) -> None:
    """Demand that labels and diagnostics come with what is needed to read and write them.

    Raises:
        ValidationError: when the RoleArn is missing, or labels come from a label group.
    """
    labels = request.get("LabelsInputConfiguration", {})
    if "LabelGroupName" in labels:
        raise ValidationError(
            f"LabelGroupName '{labels['LabelGroupName']}': label groups are not available in this release of "
            "the service: give the labels as CSV files with S3InputConfiguration"
        )
    for member, needs in (
        ("LabelsInputConfiguration", "S3InputConfiguration" in labels),
        ("ModelDiagnosticsOutputConfiguration", "ModelDiagnosticsOutputConfiguration" in request),
    ):
        if needs and role is None:
            raise ValidationError(
                f"{member} is given without RoleArn: give the role that may read or write that bucket"
            )


def require_time_zone(configuration: Mapping[str, Any]) -> None:
    """Demand an input bucket, and a time zone that exists.

    Raises:
        ValidationError: when S3InputConfiguration is missing, or the offset is not a quarter of an hour from
            -12:00 to +14:00.
    """
    if "S3InputConfiguration" not in configuration:
        raise ValidationError(
            "DataInputConfiguration has no S3InputConfiguration: give the Bucket (and Prefix) of the input "
            "files"
        )
    zone = configuration.get("InputTimeZoneOffset")
    if zone is None:
        return
    sign, hours, minutes = _ZONE.fullmatch(zone).groups()  # type: ignore[union-attr]  # a pattern of the model
    offset = (60 * int(hours) + int(minutes)) * (1 if sign == "+" else -1)
    if int(minutes) % 15 or not -12 * 60 <= offset <= 14 * 60:
        raise ValidationError(
            f"InputTimeZoneOffset '{zone}' is no time zone: use -12:00 to +14:00 in steps of 15 minutes"
        )


def require_frequency(frequency: str, model: Mapping[str, Any]) -> None:
    """Demand that each execution gets at least one row of the `model`.

    Raises:
        ValidationError: when data arrive more often than the model samples them.
    """
    rate = model.get("DataPreProcessingConfiguration", {}).get("TargetSamplingRate")
    if rate is not None and seconds(frequency) < seconds(rate):
        raise ValidationError(
            f"DataUploadFrequency '{frequency}' is shorter than the sampling rate '{rate}' of the model "
            f"'{model['ModelName']}': use {rate} or a longer one"
        )


def require_active(dataset: Mapping[str, Any]) -> None:
    """Demand a dataset that holds data.

    Raises:
        ConflictError: when nothing was ingested, or an ingestion is running.
    """
    name, status = dataset["DatasetName"], dataset["Status"]
    if status != "ACTIVE" or "DataStartTime" not in dataset:
        raise ConflictError(
            f"the dataset '{name}' is {status}, not ACTIVE: ingest data into it and wait until the job has "
            "succeeded"
        )
