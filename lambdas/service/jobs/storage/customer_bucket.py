"""The customer's buckets, reached through the customer's role and never by the service's own rights."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import ClientError

from service.customer.bucket_owners import BucketOwners
from service.jobs.failure import JobFailed
from service.jobs.storage.customer_role import s3_client_of_role
from service.jobs.storage.listed_object import ListedObject
from service.jobs.storage.refusals import PAUSES, error_text, is_refusal, retry_while_denied
from service.jobs.storage.s3_streams import read_forward
from service.storage.service_bucket import encryption

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient

_BUFFER_BYTES = 1 << 20
_TRIAL = "access-trial"
"""Name of the object that is begun, and never completed, to try a role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Action:
    """What is done to a bucket, and what a policy must allow for it."""

    verb: str
    remedy: str


_LIST = _Action(
    verb="list",
    remedy="allow s3:ListBucket on '{bucket_arn}' in the policy of the role and in the bucket policy",
)
_GET = _Action(
    verb="read",
    remedy="allow s3:GetObject on '{object_arn}', and kms:Decrypt on its key when one encrypts it",
)
_PUT = _Action(
    verb="write",
    remedy="allow s3:PutObject on '{object_arn}', and kms:GenerateDataKey on its key when one encrypts it",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerBuckets:
    """The customer's buckets as the role in the request sees them.

    Every refusal of S3 is a JobFailed that names role, object, the error of S3 and what to change.
    `owners` are the accounts that the buckets must belong to.
    `pauses` (seconds) are the waits while access is denied, as it is until a new policy is known everywhere.
    """

    s3: "S3Client"
    role_arn: str
    owners: BucketOwners
    pauses: Sequence[float] = PAUSES

    @classmethod
    def through(
        cls,
        role_arn: str,
        *,
        external_id: str,
        policy: str,
        owners: BucketOwners,
        sts: "STSClient",
        pauses: Sequence[float] = PAUSES,
    ) -> "CustomerBuckets":
        """Return the buckets through a role.

        Args:
            role_arn: the role.
            external_id: the ARN of the resource worked for.
            policy: what may be done, of what the role may do.
            owners: the accounts that the buckets must belong to.
            sts: the client that assumes the role.
            pauses: seconds between attempts while access is denied.

        Raises:
            JobFailed: when the role does not let the service in.
        """
        s3 = s3_client_of_role(
            role_arn, external_id=external_id, policy=policy, owners=owners, sts=sts, pauses=pauses
        )
        return cls(s3=s3, role_arn=role_arn, owners=owners, pauses=pauses)

    def objects(
        self, bucket: str, prefix: str, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[ListedObject]:
        """Yield the objects whose key begins with `prefix`, in key order; at most `limit` of them.

        With `after`, those whose key comes after it. A page is listed when it is needed.
        """
        request: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix}
        if after is not None:
            request["StartAfter"] = after
        if limit is not None:
            request["MaxKeys"] = limit
        while True:
            with self._refusals_explained(_LIST, bucket, prefix):
                page = retry_while_denied(lambda: self.s3.list_objects_v2(**request), self.pauses)
            for item in page.get("Contents", []):
                yield ListedObject(key=item["Key"], size=item["Size"])
            if limit is not None or not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    @contextmanager
    def open(self, bucket: str, key: str) -> Iterator["io.BufferedReader[Any]"]:
        """Stream an object, a large one in parts; a broken connection resumes where it broke."""
        with (
            self._refusals_explained(_GET, bucket, key),
            io.BufferedReader(read_forward(self.s3, bucket, key), _BUFFER_BYTES) as stream,
        ):
            yield stream

    def read(self, bucket: str, key: str) -> bytes:
        """Return the whole of a small object."""
        with self.open(bucket, key) as stream:
            return stream.read()

    def put(
        self, bucket: str, key: str, body: bytes | BinaryIO, *, content_type: str, kms_key: str | None
    ) -> None:
        """Write an object in one request, so that S3 sends one event for it."""

        def write() -> None:
            if not isinstance(body, bytes):
                body.seek(0)
            self.s3.put_object(
                Bucket=bucket, Key=key, Body=body, ContentType=content_type, **encryption(kms_key)
            )

        with self._refusals_explained(_PUT, bucket, key):
            retry_while_denied(write, self.pauses)

    def try_writing(self, bucket: str, prefix: str, *, kms_key: str | None) -> None:
        """Require that objects can be written below `prefix`, without leaving one.

        An upload in parts needs the right to put the object when it is begun, and shows nothing until it is
        completed. It also decrypts, which writing in one request does not: that alone refuses nothing.

        Raises:
            JobFailed: when S3 refuses.
        """
        key = f"{prefix}{_TRIAL}"

        def begin() -> str:
            upload = self.s3.create_multipart_upload(Bucket=bucket, Key=key, **encryption(kms_key))
            return upload["UploadId"]

        with self._refusals_explained(_PUT, bucket, key):
            try:
                upload = retry_while_denied(begin, self.pauses)
            except ClientError as error:
                if "kms:Decrypt" in error_text(error):
                    return
                raise
        with suppress(ClientError):  # without the right to do this, it is left to the rules of the bucket
            self.s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)

    @contextmanager
    def _refusals_explained(self, action: _Action, bucket: str, key: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if not is_refusal(error):
                raise
            raise JobFailed(self._explain(action, bucket, key, error)) from error

    def _explain(self, action: _Action, bucket: str, key: str, error: ClientError) -> str:
        code = error.response["Error"]["Code"]
        role = f"with role '{self.role_arn}'"
        problem = f"cannot {action.verb} 's3://{bucket}/{key}' {role}: {error_text(error)}: "
        if code == "NoSuchBucket":
            return problem + "create the bucket or correct its name"
        if code in {"NoSuchKey", "404"}:
            return problem + "the object is gone: upload it again"
        if code == "PreconditionFailed":
            return problem + "the object changed while it was read: start again when its upload is complete"
        partition = self.role_arn.split(":")[1]
        bucket_arn = f"arn:{partition}:s3:::{bucket}"
        remedy = action.remedy.format(bucket_arn=bucket_arn, object_arn=f"{bucket_arn}/{key}")
        return (
            f"{problem}{remedy}; the bucket must belong to account '{self.owners.of(bucket)}' (the setting "
            "'bucket_owners' of the service names others)"
        )
