"""The service bucket: documents, columns, models and states of the service, and how they are encrypted."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import ClientError

if TYPE_CHECKING:  # the stubs exist where types are checked, not in the function
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceBucket:
    """The bucket of the service. What is not caught here are botocore's errors.

    `kms_key` encrypts what is written; with None the default encryption of the bucket applies.
    """

    s3: "S3Client"
    name: str
    kms_key: str | None = None

    def with_key(self, kms_key: str | None) -> "ServiceBucket":
        """Return the bucket for the objects of a resource that has this KMS key."""
        return replace(self, kms_key=kms_key)

    def uri(self, key: str) -> str:
        """Return the URI of an object."""
        return f"s3://{self.name}/{key}"

    def put(self, key: str, body: bytes) -> None:
        """Write an object."""
        self.s3.put_object(Bucket=self.name, Key=key, Body=body, **encryption(self.kms_key))

    def put_text(self, key: str, text: str) -> None:
        """Write a text that is too long for an item of the table: a schema may have 1,000,000 characters."""
        self.put(key, text.encode())

    def put_json(self, key: str, document: Any) -> None:
        """Write a JSON document."""
        self.put_text(key, json.dumps(document))

    def find(self, key: str) -> bytes | None:
        """Return an object, or None when there is none."""
        try:
            return self._get(key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise

    def get_text(self, key: str) -> str:
        """Return a text.

        Raises:
            ClientError: when there is none (code `NoSuchKey`).
        """
        return self._get(key).decode()

    def get_json(self, key: str) -> Any:
        """Return a JSON document.

        Raises:
            ClientError: when there is none (code `NoSuchKey`).
        """
        return json.loads(self.get_text(key))

    def size(self, key: str) -> int | None:
        """Return the bytes of an object, or None when there is none."""
        try:
            return self.s3.head_object(Bucket=self.name, Key=key)["ContentLength"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "404":
                return None
            raise

    @contextmanager
    def downloaded(self, key: str) -> Iterator[BinaryIO]:
        """Copy an object into a temporary file that lasts as long as the block."""
        with tempfile.TemporaryFile() as file:
            self.s3.download_fileobj(self.name, key, file)
            file.seek(0)
            yield file

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with `prefix`."""
        yield from self.sizes(prefix)

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return the bytes of every object whose key begins with `prefix`, by key in order."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return {found["Key"]: found["Size"] for page in pages for found in page.get("Contents", [])}

    def delete_prefix(self, prefix: str, *, before: str | None = None) -> None:
        """Delete every object whose key begins with `prefix`, and sorts before the key `before` if given.

        Raises:
            OSError: when S3 refused to delete some of them; names the first.
        """
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix):
            keys = [found["Key"] for found in page.get("Contents", [])]
            keys = [key for key in keys if before is None or key < before]
            if not keys:
                continue
            answer = self.s3.delete_objects(
                Bucket=self.name, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
            )
            for error in answer.get("Errors", [])[:1]:
                raise OSError(f"could not delete s3://{self.name}/{error['Key']}: {error['Message']}")

    def _get(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()


def encryption(kms_key: str | None) -> dict[str, Any]:
    """Return the members of an S3 write that encrypt with a key; without one the bucket's default applies."""
    return {} if kms_key is None else {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key}
