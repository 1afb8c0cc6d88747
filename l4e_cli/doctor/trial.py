"""What can only be known by doing it, with `--write`: an upload in parts, and a training of a hundred rows.

Whatever is made is tagged, named `l4e-doctor-...`, and removed, also when something fails.
"""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

import l4e_cli.reader  # noqa: F401 - finds the code of the service
from l4e_cli.doctor.finding import Finding, not_checked, ok, problem
from l4e_cli.doctor.reading import is_absent, is_denied
from l4e_cli.errors import CliError
from service.jobs.storage.s3_streams import PART_BYTES, write_in_parts

AREA = "Trial"
PREFIX = "l4e-doctor-"
TAG = {"Key": "l4e-doctor", "Value": "trial"}
_ROWS = 100
"""A training needs 50 normal rows."""
_STEP = timedelta(hours=4)
"""So they last longer than the 14 days of training that the service asks for by default."""
_START = datetime(2026, 1, 1, tzinfo=UTC)
_COLUMNS = [{"Name": "Timestamp", "Type": "DATETIME"}, {"Name": "Flow", "Type": "DOUBLE"}]
_PATIENCE = 900.0
_PAUSE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """What a trial works with."""

    s3: Any
    iam: Any
    equipment: Any
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a trial takes place.

    Args:
        bucket: bucket for the data of the training.
        job_role_arn: role of the job functions, which roles for data access trust.
        access_role_path: path of the roles that the service assumes.
        region: the Region.
    """

    bucket: str
    job_role_arn: str
    access_role_path: str
    region: str

    @property
    def partition(self) -> str:
        """Partition of AWS."""
        return self.job_role_arn.split(":")[1]

    @property
    def account(self) -> str:
        """Account of the service."""
        return self.job_role_arn.split(":")[4]


class _FailedError(Exception):
    """What was tried did not succeed; the message says why."""


@dataclass(slots=True)
class _Traces:
    """What a trial has made, to be removed in reverse order, and what could not be removed."""

    left: list[str] = field(default_factory=list)
    _removals: ExitStack = field(default_factory=ExitStack)

    def make(self, what: str, create: Callable[[], Any], *, remove: Callable[[], object]) -> Any:
        """Make a thing and return the reply; it is removed later, also when its reply was lost."""
        try:
            reply = create()
        except BaseException as error:
            if not _is_refusal(error):
                self._removals.callback(self._remove, what, remove)
            raise
        self._removals.callback(self._remove, what, remove)
        return reply

    def _remove(self, what: str, remove: Callable[[], object]) -> None:
        try:
            remove()
        except (BotoCoreError, ClientError) as error:
            if not (isinstance(error, ClientError) and is_absent(error)):
                self.left.append(f"{what} ({error})")

    def clear(self) -> None:
        self._removals.close()

    @property
    def names(self) -> str:
        return "; ".join(self.left)


def _is_refusal(error: BaseException) -> bool:
    """Return whether AWS answered that it did not do what it was asked."""
    if not isinstance(error, ClientError):
        return False
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400) < 500


def try_upload(s3: Any, bucket: str) -> Finding:
    """Upload an object in two parts as the service does, and read it back."""
    key, body = f"{PREFIX}{uuid.uuid4().hex}", bytes(range(256)) * (PART_BYTES // 256) + b"end"

    def attempt(traces: _Traces) -> str:
        def upload() -> None:
            with write_in_parts(s3, bucket, key, {}) as file:
                file.write(body[:PART_BYTES])
                file.write(body[PART_BYTES:])

        traces.make(f"s3://{bucket}/{key}", upload, remove=lambda: _remove_object(s3, bucket, key))
        if s3.get_object(Bucket=bucket, Key=key)["Body"].read() != body:
            raise _FailedError("what was read back is not what was uploaded")
        return f"{len(body):,} bytes in two parts to {bucket}, and read back"

    return _tried("upload in parts", attempt)


def try_training(clients: Clients, place: Place) -> Finding:
    """Ingest a hundred rows and train a model with them."""
    return _tried("training", lambda traces: _train(clients, place, traces))


def _tried(check: str, attempt: Callable[[_Traces], str]) -> Finding:
    """Return what came of an attempt, when what it made is removed.

    Raises:
        CliError: when it was interrupted, and something could not be removed.
    """
    traces = _Traces()
    try:
        found = _outcome(check, lambda: attempt(traces))
    except BaseException as error:
        traces.clear()
        if traces.left:
            raise CliError(f"interrupted; left behind: {traces.names}") from error
        raise
    traces.clear()
    if traces.left:
        return problem(
            check,
            f"{found.text}; left behind: {traces.names}",
            fix="remove what was left behind" + (f", and: {found.fix}" if found.fix else ""),
        )
    return found


def _outcome(check: str, attempt: Callable[[], str]) -> Finding:
    try:
        return ok(check, attempt())
    except ClientError as error:
        if is_denied(error):
            operation = error.operation_name
            return not_checked(check, f"these credentials may not call {operation}", fix=f"allow {operation}")
        return problem(check, f"{error}", fix="do what the message says")
    except (_FailedError, BotoCoreError) as error:
        return problem(check, f"{error}", fix="do what the message says")


def _train(clients: Clients, place: Place, traces: _Traces) -> str:
    name, equipment = f"{PREFIX}{uuid.uuid4().hex[:12]}", clients.equipment
    _upload_rows(clients.s3, place.bucket, name, traces)
    role = _make_role(clients, place, name, traces)
    schema = {"Components": [{"ComponentName": "pump", "Columns": _COLUMNS}]}
    traces.make(
        f"dataset {name}",
        lambda: equipment.create_dataset(
            DatasetName=name,
            DatasetSchema={"InlineDataSchema": json.dumps(schema)},
            ClientToken=name,
            Tags=[TAG],
        ),
        remove=lambda: equipment.delete_dataset(DatasetName=name),
    )
    source = {"S3InputConfiguration": {"Bucket": place.bucket, "Prefix": f"{name}/"}}
    job = equipment.start_data_ingestion_job(
        DatasetName=name, IngestionInputConfiguration=source, RoleArn=role, ClientToken=name
    )["JobId"]
    _wait(clients, "the ingestion", lambda: equipment.describe_data_ingestion_job(JobId=job))
    traces.make(
        f"model {name}",
        lambda: equipment.create_model(
            ModelName=name,
            DatasetName=name,
            ClientToken=name,
            RoleArn=role,
            TrainingDataStartTime=_START,
            TrainingDataEndTime=_START + (_ROWS - 1) * _STEP,
            Tags=[TAG],
        ),
        remove=lambda: equipment.delete_model(ModelName=name),
    )
    _wait(clients, "the training", lambda: equipment.describe_model(ModelName=name))
    return f"{_ROWS} rows ingested from {place.bucket}, and a model trained"


def _upload_rows(s3: Any, bucket: str, name: str, traces: _Traces) -> None:
    lines = ["Timestamp,Flow"]
    lines += [f"{_START + row * _STEP:%Y-%m-%dT%H:%M:%S},{row % 3}" for row in range(_ROWS)]
    key, body = f"{name}/pump/pump.csv", "\n".join([*lines, ""]).encode()
    traces.make(
        f"s3://{bucket}/{key}",
        lambda: s3.put_object(Bucket=bucket, Key=key, Body=body),
        remove=lambda: _remove_object(s3, bucket, key),
    )


def _remove_object(s3: Any, bucket: str, key: str) -> None:
    """Remove an object with all its versions: a bucket that keeps them would keep it."""
    listed = s3.list_object_versions(Bucket=bucket, Prefix=key)
    for version in listed.get("Versions", []):
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])


def _make_role(clients: Clients, place: Place, name: str, traces: _Traces) -> str:
    """Make a role that the service may use for this trial alone."""
    iam = clients.iam
    resources = f"arn:{place.partition}:lookoutequipment:{place.region}:{place.account}:*/{name}/*"
    trust = _policy(
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"AWS": place.job_role_arn},
            "Condition": {"StringLike": {"sts:ExternalId": resources}},
        }
    )
    made = traces.make(
        f"role {name}",
        lambda: iam.create_role(
            RoleName=name, Path=place.access_role_path, AssumeRolePolicyDocument=trust, Tags=[TAG]
        ),
        remove=lambda: iam.delete_role(RoleName=name),
    )
    bucket = f"arn:{place.partition}:s3:::{place.bucket}"
    access: list[Mapping[str, Any]] = [
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": bucket,
            "Condition": {"StringLike": {"s3:prefix": f"{name}/*"}},
        },
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{bucket}/{name}/*"},
        *_key_access(clients.s3, place.bucket),
    ]
    traces.make(
        f"policy of role {name}",
        lambda: iam.put_role_policy(RoleName=name, PolicyName="data", PolicyDocument=_policy(*access)),
        remove=lambda: iam.delete_role_policy(RoleName=name, PolicyName="data"),
    )
    return str(made["Role"]["Arn"])


def _key_access(s3: Any, bucket: str) -> list[Mapping[str, str]]:
    """Return the right to decrypt what a bucket encrypts with a key of its own."""
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    keys = [rule["ApplyServerSideEncryptionByDefault"].get("KMSMasterKeyID", "") for rule in rules]
    return [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key} for key in keys if ":key/" in key]


def _policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _wait(clients: Clients, what: str, describe: Callable[[], Any]) -> None:
    waited = 0.0
    while (found := describe())["Status"] in {"IN_PROGRESS", "IMPORT_IN_PROGRESS"}:
        if waited >= _PATIENCE:
            raise _FailedError(f"{what} has not ended after {_PATIENCE / 60:.0f} minutes")
        clients.sleep(_PAUSE)
        waited += _PAUSE
    if found["Status"] != "SUCCESS":
        raise _FailedError(f"{what} ended {found['Status']}: {found.get('FailedReason', '')}")
