"""One training as recorded: which columns, which windows, which labels, which key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.jobs.columns import Columns, columns_of, sensors_of
from service.jobs.failure import JobFailed
from service.jobs.runtime import Runtime
from service.jobs.storage.accumulated import AccumulatedRows, accumulated_span
from service.jobs.storage.customer_bucket import CustomerBuckets
from service.jobs.storage.keys import IngestionKeys
from service.jobs.storage.session_policy import Place
from service.jobs.times import step_seconds
from service.members.sensor_span import ingested_span
from service.members.training_windows import (
    TimeSpan,
    TrainingWindows,
    WindowTooShortError,
    WindowWithoutDataError,
    covered_days,
)
from service.storage.names import INGESTION_JOB
from service.storage.service_bucket import ServiceBucket


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """A model version to train; `record` is its item in the store.

    `ingested` is when its sensors have data in the dataset, and `data` the same or, of a retraining, also
    when rows were kept. `data_rows` is what `Size.of` takes.
    """

    record: Mapping[str, Any]
    number: int
    columns: Columns
    data: TimeSpan
    ingested: TimeSpan
    data_rows: int | None
    keys: IngestionKeys
    service_bucket: ServiceBucket

    @classmethod
    def load(cls, runtime: Runtime, record: Mapping[str, Any], number: int) -> "Training":
        """Read what the version trains on.

        Raises:
            JobFailed: when its data is no longer there.
        """
        job = runtime.store.get(INGESTION_JOB, record["ingestionJobId"])
        if job is None or "DataStartTime" not in job:
            raise JobFailed(
                f"the data of ingestion job '{record['ingestionJobId']}' of dataset "
                f"'{record['DatasetName']}' is no longer there: ingest the dataset again and create the "
                "model again"
            )
        bucket = runtime.service_bucket.with_key(record.get("ServerSideKmsKeyId"))
        columns = columns_of(bucket.get_text(record["schemaKey"]))
        keys = IngestionKeys(dataset=record["datasetUuid"], job=record["ingestionJobId"])
        rows, whole = job.get("rows"), TimeSpan.of_data(job)
        data = ingested = ingested_span(bucket, keys.report, sensors_of(columns), whole=whole)
        if "accumulatedStart" in record:
            data = data.joined(TimeSpan(start=record["accumulatedStart"], end=record["accumulatedEnd"]))
        return cls(
            record=record,
            number=number,
            columns=columns,
            data=data,
            ingested=ingested,
            data_rows=None if rows is None else int(float(rows) * data.days / whole.days),
            keys=keys,
            service_bucket=bucket,
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

    @property
    def accumulated(self) -> AccumulatedRows:
        """The rows that inference keeps for the model."""
        return AccumulatedRows(service_bucket=self.service_bucket, model=self.model_uuid)

    @property
    def asked(self) -> TimeSpan:
        """The time of both windows, as the record has them."""
        end = self.record.get("EvaluationDataEndTime", self.record["TrainingDataEndTime"])
        return TimeSpan(start=self.record["TrainingDataStartTime"], end=end)

    def kept_rows(self) -> Mapping[str, int]:
        """Return the objects with rows of inference that a retraining reads, and their bytes; others none."""
        if "accumulatedStart" not in self.record:
            return {}
        return self.accumulated.sizes(float(self.asked.start), float(self.asked.end))

    def windows(self, *, minimum_days: float | None) -> TrainingWindows:
        """Return the effective windows of the training.

        Raises:
            JobFailed: when a window has no data, or the training has less than `minimum_days`.
        """
        windows = effective_windows(self.record, data=self.data, minimum_days=minimum_days)
        days = self.data_days(windows.training)
        if minimum_days is not None and days < minimum_days:
            raise JobFailed(
                f"the training window {windows.training} has {days:.2f} days of data, but a model needs at "
                f"least {minimum_days:g} days: the sensors of the model have data in dataset "
                f"'{self.record['DatasetName']}' from {self.ingested}, and the rest is what inference has "
                "kept since the model has a retraining scheduler. Ingest the missing history into the "
                "dataset, or wait for a later retraining"
            )
        return windows

    def data_days(self, window: TimeSpan) -> float:
        """Return how many days of a window have data: in the dataset, or because rows of them were kept."""
        kept = (accumulated_span(key) for key in self.kept_rows())
        return covered_days(window, [self.ingested, *kept])

    @property
    def step_seconds(self) -> int | None:
        """`TargetSamplingRate` in seconds, None to keep the rate of the data."""
        return step_seconds(self.record)

    def customer_buckets(self, runtime: Runtime) -> CustomerBuckets:
        """Return the customer's buckets through the role of the model.

        Raises:
            JobFailed: when the model has no role, or the role does not let the service in.
        """
        role = self.record.get("RoleArn")
        if role is None:
            raise JobFailed(
                f"model '{self.model_name}' has no RoleArn, but its labels or diagnostics lie in a bucket: "
                "create the model with a role that can reach it"
            )
        labels = self.record.get("LabelsInputConfiguration", {}).get("S3InputConfiguration")
        diagnostics = self.record.get("ModelDiagnosticsOutputConfiguration", {}).get("S3OutputConfiguration")
        return runtime.customer_buckets(
            role,
            external_id=self.model_arn,
            reads=[Place.of(labels)] if labels else [],
            writes=[Place.of(diagnostics)] if diagnostics else [],
        )


def effective_windows(
    record: Mapping[str, Any], *, data: TimeSpan, minimum_days: float | None
) -> TrainingWindows:
    """Return the windows of a model version, cut to the time in which its sensors have `data`.

    Raises:
        JobFailed: when a window has no data, or the training has less than `minimum_days`.
    """
    dataset = record["DatasetName"]
    try:
        return TrainingWindows.of(record, data=data, minimum_days=minimum_days)
    except WindowWithoutDataError as error:
        kind = error.kind.lower()
        raise JobFailed(
            f"the {kind} window {error.window} has no data: the sensors of the model have data in dataset "
            f"'{dataset}' from {data}; choose a {kind} window inside that range, or ingest the missing "
            "history"
        ) from error
    except WindowTooShortError as error:
        raise JobFailed(
            f"the training window has {error.window.days:.2f} days of data ({error.window}), but a model "
            f"needs at least {minimum_days:g} days: its sensors have data in dataset '{dataset}' from "
            f"{data}; choose a longer training window, ingest more history, or lower the setting "
            "'minimum_training_days' of the service"
        ) from error
