"""Texts too long for a table item (a schema may have 1,000,000 characters), kept in the service bucket."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the stubs exist where types are checked, not in the function
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Documents:
    """The service bucket seen as a shelf of texts. Errors are botocore's, for instance NoSuchKey."""

    s3: "S3Client"
    bucket: str

    def put(self, key: str, text: str, kms_key: str | None = None) -> None:
        """Store `text` under `key`, encrypted with `kms_key` when given, else with the bucket's default."""
        if kms_key is None:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode())
        else:
            self.s3.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=text.encode(),
                ServerSideEncryption="aws:kms",
                SSEKMSKeyId=kms_key,
            )

    def get(self, key: str) -> str:
        """Return the text under `key`."""
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read().decode()

    def get_json(self, key: str) -> Any:
        """Return the JSON document under `key`."""
        return json.loads(self.get(key))

    def delete_prefix(self, prefix: str) -> None:
        """Delete every object whose key begins with `prefix`.

        Raises:
            OSError: when S3 refused to delete some of them; names the first.
        """
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            keys = [found["Key"] for found in page.get("Contents", [])]
            if not keys:
                continue
            answer = self.s3.delete_objects(
                Bucket=self.bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
            )
            for error in answer.get("Errors", [])[:1]:
                raise OSError(f"could not delete s3://{self.bucket}/{error['Key']}: {error['Message']}")
