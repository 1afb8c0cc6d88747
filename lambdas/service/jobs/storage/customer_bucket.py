"""Customer data, reached through the customer's role and never by the service's own rights."""

import io
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, RefreshableCredentials
from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

from service.jobs.failure import JobFailed
from service.jobs.ingestion.selection import ListedObject
from service.jobs.storage.s3_streams import PART_BYTES, Version, streamed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient

T = TypeVar("T")

SESSION_NAME = "LookoutEquipment"
PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts while a new role or its policy reaches every corner of IAM."""

_THROTTLED = {
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "403", "InvalidClientTokenId"}
_ATTEMPTS = 5
_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fix:
    verb: str
    cure: str


_LIST = _Fix(
    verb="list",
    cure="allow s3:ListBucket on '{bucket_arn}' in the policy of the role and in the bucket policy",
)
_GET = _Fix(
    verb="read",
    cure="allow s3:GetObject on '{object_arn}', and kms:Decrypt on its key when one encrypts it",
)
_PUT = _Fix(
    verb="write",
    cure="allow s3:PutObject on '{object_arn}', and kms:GenerateDataKey on its key when one encrypts it",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerData:
    """The customer's buckets as the role in the request sees them.

    Every refusal of S3 is a JobFailed that names role, object, the error of S3 and what to change.
    """

    s3: "S3Client"
    role_arn: str
    pauses: Sequence[float] = PAUSES

    def objects(self, bucket: str, prefix: str, *, limit: int | None = None) -> Iterator[ListedObject]:
        """The objects whose key begins with ``prefix``, in key order; at most ``limit`` of them."""
        request: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix}
        if limit is not None:
            request["MaxKeys"] = limit
        while True:
            with self._explained(_LIST, bucket, prefix):
                page = patiently(lambda: self.s3.list_objects_v2(**request), self.pauses)
            for item in page.get("Contents", []):
                yield ListedObject(key=item["Key"], size=item["Size"])
            if limit is not None or not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    @contextmanager
    def open(self, bucket: str, key: str) -> Iterator["io.BufferedReader[Any]"]:
        """Stream an object, a large one in parts; a broken connection resumes where it broke."""
        with (
            self._explained(_GET, bucket, key),
            io.BufferedReader(_stream(self.s3, bucket, key), _BUFFER_BYTES) as stream,
        ):
            yield stream

    def read(self, bucket: str, key: str) -> bytes:
        """The whole of a small object."""
        with self.open(bucket, key) as stream:
            return stream.read()

    def put(
        self, bucket: str, key: str, body: bytes | BinaryIO, *, content_type: str, kms_key: str | None
    ) -> None:
        """Write an object in one request, so that one S3 event tells of it."""

        def write() -> None:
            if not isinstance(body, bytes):
                body.seek(0)
            self.s3.put_object(
                Bucket=bucket, Key=key, Body=body, ContentType=content_type, **encryption(kms_key)
            )

        with self._explained(_PUT, bucket, key):
            patiently(write, self.pauses)

    @contextmanager
    def _explained(self, fix: _Fix, bucket: str, key: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if not _refused(error):
                raise
            raise JobFailed(self._explain(fix, bucket, key, error)) from error

    def _explain(self, fix: _Fix, bucket: str, key: str, error: ClientError) -> str:
        code = error.response["Error"]["Code"]
        problem = f"cannot {fix.verb} 's3://{bucket}/{key}' with role '{self.role_arn}': {_said(error)}: "
        if code == "NoSuchBucket":
            return problem + "create the bucket or correct its name"
        if code in {"NoSuchKey", "404"}:
            return problem + "the object is gone: upload it again"
        if code == "PreconditionFailed":
            return problem + "the object changed while it was read: start again when its upload is complete"
        partition = self.role_arn.split(":")[1]
        bucket_arn = f"arn:{partition}:s3:::{bucket}"
        return problem + fix.cure.format(bucket_arn=bucket_arn, object_arn=f"{bucket_arn}/{key}")


def assume(
    role_arn: str, *, external_id: str, sts: "STSClient", pauses: Sequence[float] = PAUSES
) -> CustomerData:
    """Take on the customer's role for the resource with the ARN ``external_id``; credentials are renewed.

    Raises JobFailed when the role does not let the service in.
    """

    def refresh() -> dict[str, Any]:
        try:
            reply = patiently(
                lambda: sts.assume_role(
                    RoleArn=role_arn, RoleSessionName=SESSION_NAME, ExternalId=external_id
                ),
                pauses,
            )
        except ClientError as error:
            if not _refused(error):
                raise
            raise JobFailed(
                f"cannot assume role '{role_arn}': {_said(error)}: the role must exist and its trust policy "
                "must allow sts:AssumeRole to the job role of the service for the external id "
                f"'{external_id}' (condition StringLike sts:ExternalId)"
            ) from error
        granted = reply["Credentials"]
        return {
            "access_key": granted["AccessKeyId"],
            "secret_key": granted["SecretAccessKey"],
            "token": granted["SessionToken"],
            "expiry_time": granted["Expiration"].isoformat(),
        }

    session = botocore.session.Session()
    session.register_component("data_loader", _loader())
    session.register_component("credential_provider", CredentialResolver([_RoleProvider(refresh)]))
    region = sts.meta.region_name
    client = boto3.Session(botocore_session=session, region_name=region).client(
        "s3", config=Config(retries={"mode": "standard", "max_attempts": _ATTEMPTS}, max_pool_connections=16)
    )
    return CustomerData(s3=client, role_arn=role_arn, pauses=pauses)


@cache
def _loader() -> Any:
    """The loader of service models, shared by all sessions: reading them takes longer than all else here."""
    return botocore.session.Session().get_component("data_loader")


def encryption(kms_key: str | None) -> dict[str, Any]:
    """The members of an S3 write that encrypt with a key; without one the bucket's default applies."""
    return {} if kms_key is None else {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key}


def patiently(call: Callable[[], T], pauses: Sequence[float]) -> T:
    """Call again after each pause while access is denied."""
    for pause in pauses:
        try:
            return call()
        except ClientError as error:
            if error.response["Error"]["Code"] not in _DENIED:
                raise
            time.sleep(pause)
    return call()


def _refused(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    return 400 <= status < 500 and error.response["Error"]["Code"] not in _THROTTLED


def _said(error: ClientError) -> str:
    said = error.response["Error"]
    return f"{said['Code']}: {said.get('Message', '')}".removesuffix(": ")


class _RoleProvider(CredentialProvider):
    METHOD = CANONICAL_NAME = "lookoutequipment-role"

    def __init__(self, refresh: Callable[[], dict[str, Any]]) -> None:
        super().__init__()
        self._refresh = refresh

    def load(self) -> RefreshableCredentials:
        """Credentials of the role, renewed before they expire."""
        return RefreshableCredentials.create_from_metadata(
            metadata=self._refresh(), refresh_using=self._refresh, method=self.METHOD
        )


def _stream(s3: "S3Client", bucket: str, key: str) -> io.RawIOBase:
    reply = s3.get_object(Bucket=bucket, Key=key)
    size = reply.get("ContentLength", 0)
    if size <= 2 * PART_BYTES:
        return _ObjectStream(s3, bucket, key, body=reply["Body"], etag=reply["ETag"])
    reply["Body"].close()
    return streamed(Version(s3=s3, bucket=bucket, key=key, etag=reply["ETag"], size=size))


class _ObjectStream(io.RawIOBase):
    """An S3 object as a file; after a broken connection it goes on with the same version of the object."""

    def __init__(self, s3: "S3Client", bucket: str, key: str, *, body: Any, etag: str) -> None:
        super().__init__()
        self._s3, self._bucket, self._key = s3, bucket, key
        self._body, self._etag = body, etag
        self._position, self._left = 0, _ATTEMPTS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while True:
            try:
                chunk = self._body.read(len(buffer))
            except (HTTPClientError, IncompleteReadError) as error:
                self._left -= 1
                if self._left <= 0:
                    raise RuntimeError(
                        f"reading 's3://{self._bucket}/{self._key}' broke {_ATTEMPTS} times"
                    ) from error
                self._body.close()
                self._body = self._s3.get_object(
                    Bucket=self._bucket, Key=self._key, Range=f"bytes={self._position}-", IfMatch=self._etag
                )["Body"]
            else:
                buffer[: len(chunk)] = chunk
                self._position += len(chunk)
                return len(chunk)

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()
