"""The service bucket: where the columns, models and states of the service lie, and how they are encrypted."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import ClientError

from service.jobs.storage.customer_bucket import encryption
from service.names import job_prefix, model_prefix, report_key, scheduler_prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """Objects of one resource in the service bucket, encrypted with its key (None: the bucket's default)."""

    s3: "S3Client"
    bucket: str
    kms_key: str | None = None

    def put(self, key: str, body: bytes) -> None:
        """Write an object."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **encryption(self.kms_key))

    def put_json(self, key: str, document: Any) -> None:
        """Write a JSON document."""
        self.put(key, json.dumps(document).encode())

    def get(self, key: str) -> bytes | None:
        """An object, or None when there is none."""
        try:
            return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise

    def get_json(self, key: str) -> Any:
        """A JSON document, or None when there is none."""
        body = self.get(key)
        return None if body is None else json.loads(body)

    def size(self, key: str) -> int | None:
        """The bytes of an object, or None when there is none."""
        try:
            return self.s3.head_object(Bucket=self.bucket, Key=key)["ContentLength"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "404":
                return None
            raise

    @contextmanager
    def writing(self, key: str) -> Iterator[BinaryIO]:
        """A temporary file that becomes the object when the block ends well."""
        with tempfile.TemporaryFile() as sink:
            yield sink
            sink.seek(0)
            self.s3.upload_fileobj(sink, self.bucket, key, ExtraArgs=encryption(self.kms_key))

    @contextmanager
    def reading(self, key: str) -> Iterator[BinaryIO]:
        """The object as a temporary file."""
        with tempfile.TemporaryFile() as source:
            self.s3.download_fileobj(self.bucket, key, source)
            source.seek(0)
            yield source


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestionKeys:
    """Keys of one ingestion job; ``dataset`` is the uuid."""

    dataset: str
    job: str

    @property
    def manifest(self) -> str:
        """The list of files to read: the items of the Distributed Map."""
        return self._key("manifest.json")

    @property
    def plan(self) -> str:
        """What the manifest leaves out: how many files there were and which were discarded."""
        return self._key("plan.json")

    @property
    def report(self) -> str:
        """Sensor statistics in API form."""
        return report_key(self.dataset, self.job)

    def part(self, index: int, kind: str) -> str:
        """What became of one file; ``kind`` is ``parquet`` (its columns) or ``json`` (its report)."""
        return self._key(f"parts/{index}.{kind}")

    def component(self, name: str) -> str:
        """The columns of a component."""
        return self._key(f"components/{name}.parquet")

    def _key(self, name: str) -> str:
        return job_prefix(self.dataset, self.job) + name


def artefact_key(model: str, version: int) -> str:
    """Key of the artefact of a model version; ``model`` is the uuid."""
    return f"{model_prefix(model)}{version}/model.bin"


def state_key(scheduler: str) -> str:
    """Key of what an inference scheduler remembers from window to window; ``scheduler`` is the uuid."""
    return f"{scheduler_prefix(scheduler)}state.bin"
