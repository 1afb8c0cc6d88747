"""One ingestion job with its dataset, as its steps see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.jobs.columns import Columns, columns_of
from service.jobs.failure import JobFailed
from service.jobs.runtime import Runtime
from service.jobs.storage.customer_bucket import CustomerBuckets
from service.jobs.storage.keys import IngestionKeys
from service.jobs.storage.session_policy import Place
from service.storage.names import DATASET, INGESTION_JOB
from service.storage.service_bucket import ServiceBucket


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingestion:
    """A job and its dataset, as the store has them; `columns` is None while still to be detected."""

    record: Mapping[str, Any]
    dataset: Mapping[str, Any]
    columns: Columns | None
    keys: IngestionKeys
    service_bucket: ServiceBucket

    @classmethod
    def load(cls, runtime: Runtime, job_id: str) -> "Ingestion":
        """Read job, dataset and schema.

        Raises:
            JobFailed: when the job or its dataset is no longer there.
        """
        record = runtime.store.get(INGESTION_JOB, job_id)
        if record is None:
            raise JobFailed(f"ingestion job '{job_id}' does not exist: start a new one")
        dataset = runtime.store.get(DATASET, record["DatasetName"])
        if dataset is None or dataset["uuid"] != record["datasetUuid"]:
            raise JobFailed(
                f"dataset '{record['DatasetName']}' was deleted while ingestion job '{job_id}' ran"
            )
        bucket = runtime.service_bucket.with_key(dataset.get("ServerSideKmsKeyId"))
        schema_key = dataset.get("schemaKey")
        return cls(
            record=record,
            dataset=dataset,
            columns=None if schema_key is None else columns_of(bucket.get_text(schema_key)),
            keys=IngestionKeys(dataset=dataset["uuid"], job=job_id),
            service_bucket=bucket,
        )

    @property
    def id(self) -> str:
        """The JobId."""
        return self.keys.job

    @property
    def bucket(self) -> str:
        """The customer's bucket."""
        return str(self._source["Bucket"])

    @property
    def prefix(self) -> str:
        """The prefix of the files: empty or ending in `/`."""
        return str(self._source.get("Prefix", ""))

    @property
    def key_pattern(self) -> str | None:
        """The KeyPattern as sent, else that of the ingestion before, else None."""
        before = self.dataset.get("IngestionInputConfiguration", {}).get("S3InputConfiguration", {})
        pattern: str | None = self._source.get("KeyPattern", before.get("KeyPattern"))
        return pattern

    @property
    def _source(self) -> Mapping[str, Any]:
        source: Mapping[str, Any] = self.record["IngestionInputConfiguration"]["S3InputConfiguration"]
        return source

    def customer_buckets(self, runtime: Runtime) -> CustomerBuckets:
        """Return the customer's buckets through the role of the job.

        Raises:
            JobFailed: when the role does not let the service in.
        """
        return runtime.customer_buckets(
            self.record["RoleArn"], external_id=self.dataset["DatasetArn"], reads=[Place.of(self._source)]
        )
