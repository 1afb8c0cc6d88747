"""One training as recorded: which columns, which windows, which labels, which key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.durations import seconds
from service.jobs.columns import Columns, columns_of, sensors_of
from service.jobs.failure import JobFailed
from service.jobs.runtime import Runtime
from service.jobs.storage.customer_bucket import CustomerData
from service.jobs.storage.service_bucket import IngestionKeys, Vault
from service.jobs.training.training_windows import Span, Spans
from service.names import INGESTION_JOB


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """A model version to train; ``record`` is its item in the store."""

    record: Mapping[str, Any]
    number: int
    columns: Columns
    data: Span
    keys: IngestionKeys
    vault: Vault

    @classmethod
    def load(cls, runtime: Runtime, record: Mapping[str, Any], number: int) -> "Training":
        """Read what the version trains on. Raises JobFailed when its data is no longer there."""
        job = runtime.store.get(INGESTION_JOB, record["ingestionJobId"])
        if job is None or "DataStartTime" not in job:
            raise JobFailed(
                f"the data of ingestion job '{record['ingestionJobId']}' of dataset "
                f"'{record['DatasetName']}' is no longer there: ingest the dataset again and create the "
                "model again"
            )
        return cls(
            record=record,
            number=number,
            columns=columns_of(runtime.documents.get(record["schemaKey"])),
            data=Span(start=float(job["DataStartTime"]), end=float(job["DataEndTime"])),
            keys=IngestionKeys(dataset=record["datasetUuid"], job=record["ingestionJobId"]),
            vault=runtime.vault(record.get("ServerSideKmsKeyId")),
        )

    @property
    def prior(self) -> int | None:
        """The version that this one is to replace, if it is a retraining."""
        number = self.record.get("priorModelVersion")
        return None if number is None else int(number)

    @property
    def sensors(self) -> tuple[str, ...]:
        """Every sensor of the model, in the order of its schema."""
        return sensors_of(self.columns)

    @property
    def model_name(self) -> str:
        """The ModelName."""
        return str(self.record["ModelName"])

    @property
    def model_arn(self) -> str:
        """The ARN of the parent model, the external id its role is assumed with."""
        return str(self.record["ModelArn"])

    @property
    def model_uuid(self) -> str:
        """The uuid of the parent model: the last part of its ARN."""
        return self.model_arn.rpartition("/")[2]

    def spans(self, *, minimum_days: float | None) -> Spans:
        """The effective windows of the training."""
        return Spans.of(
            data=self.data,
            training=(self._time("TrainingDataStartTime"), self._time("TrainingDataEndTime")),
            evaluation=(self._time("EvaluationDataStartTime"), self._time("EvaluationDataEndTime")),
            minimum_days=minimum_days,
            dataset=str(self.record["DatasetName"]),
        )

    @property
    def step_seconds(self) -> int | None:
        """``TargetSamplingRate`` in seconds, None to keep the rate of the data."""
        return step_seconds(self.record)

    def customer(self, runtime: Runtime) -> CustomerData:
        """The customer's buckets through the role of the model."""
        role = self.record.get("RoleArn")
        if role is None:
            raise JobFailed(
                f"model '{self.model_name}' has no RoleArn, but its labels or diagnostics lie in a bucket: "
                "create the model with a role that can reach it"
            )
        return runtime.customer(role, external_id=self.model_arn)

    def _time(self, member: str) -> float | None:
        value = self.record.get(member)
        return None if value is None else float(value)


def step_seconds(version: Mapping[str, Any]) -> int | None:
    """``TargetSamplingRate`` of a model version in seconds, None when the rate of the data is kept."""
    rate = version.get("DataPreProcessingConfiguration", {}).get("TargetSamplingRate")
    return None if rate is None else seconds(rate)
