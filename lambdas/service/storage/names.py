"""Names of what the service keeps: keys in the table and in the service bucket, identifiers and ARNs."""

import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Self

from service.clock import moment

DATASET = "dataset"
INGESTION_JOB = "ingestion-job"
MODEL = "model"
SCHEDULER = "inference-scheduler"
LABEL_GROUP = "label-group"
RETRAINING_SCHEDULER = "retraining-scheduler"
TOKEN = "token"  # noqa: S105  a partition name, not a secret
SIGNING_KEY = "signing-key"
PAGE_TOKENS = "page-tokens"
PENDING_DELETION = "garbage"
"""The value is that of earlier releases, so that the deletions which they left pending are still found."""

RESOURCE = re.compile(
    rf"({DATASET}|{MODEL}|{SCHEDULER}|{LABEL_GROUP})/([^/]+)/([^/]+)(?:/model-version/(\d{{1,10}}))?"
)
"""End of the ARN of a resource that has tags: partition of its record, name, uuid and perhaps version."""


INDEX_STATE = "index-state"
"""Partition of the one record, with this sort key too, that says how far the indexes can be trusted."""


def jobs_of_dataset(dataset_uuid: str) -> str:
    """Return the partition of the index of a dataset's ingestion jobs and imports."""
    return f"ingestion-job-of-dataset#{dataset_uuid}"


def models_of_dataset(dataset_uuid: str) -> str:
    """Return the partition of the index of the models that were made for a dataset."""
    return f"model-of-dataset#{dataset_uuid}"


def schedulers_of_model(model_name: str) -> str:
    """Return the partition of the index of the inference schedulers of the models with a name."""
    return f"inference-scheduler-of-model#{model_name}"


def under_way(kind: str) -> str:
    """Return the partition of the index of the datasets or models that a job works on."""
    return f"under-way#{kind}"


def under_way_key(name: str, *job: str) -> str:
    """Return the sort key of a job that works on the dataset or model with this name."""
    return "/".join((name, *job))


def versions_of(model_uuid: str) -> str:
    """Return the partition of a model's versions."""
    return f"model-version#{model_uuid}"


def version_key(version: int) -> str:
    """Return the sort key of a model version."""
    return f"{version:010d}"


def executions_of(scheduler_uuid: str) -> str:
    """Return the partition of a scheduler's executions."""
    return f"execution#{scheduler_uuid}"


def events_of(scheduler_uuid: str) -> str:
    """Return the partition of a scheduler's events."""
    return f"event#{scheduler_uuid}"


def labels_of(group_uuid: str) -> str:
    """Return the partition of the labels of a label group."""
    return f"label#{group_uuid}"


def policies_of(owner_uuid: str) -> str:
    """Return the partition of the resource policies of a dataset, or of a model and its versions."""
    return f"resource-policy#{owner_uuid}"


def policy_key(arn: str) -> str:
    """Return the sort key of the policy of a resource: a model version has its number, others `resource`."""
    _, _, version = arn.partition("/model-version/")
    return version_key(int(version)) if version else "resource"


def document_key(owner_uuid: str, name: str) -> str:
    """Return the bucket key of a document (`schema.json`, `metrics-1.json`) of a dataset or a model."""
    return f"{documents_prefix(owner_uuid)}{name}"


def documents_prefix(owner_uuid: str) -> str:
    """Return the bucket prefix of the documents of a dataset or a model."""
    return f"documents/{owner_uuid}/"


def key_trial_key(kms_key_arn: str) -> str:
    """Return the bucket key of the empty object that a KMS key is tried on."""
    return f"documents/key-trials/{kms_key_arn.rpartition('/')[2]}"


def dataset_prefix(dataset_uuid: str) -> str:
    """Return the bucket prefix of a dataset's ingested data."""
    return f"datasets/{dataset_uuid}/"


def job_prefix(dataset_uuid: str, job_id: str) -> str:
    """Return the bucket prefix of what one ingestion job wrote."""
    return f"{dataset_prefix(dataset_uuid)}{job_id}/"


def report_key(dataset_uuid: str, job_id: str) -> str:
    """Return the bucket key of a job's sensor statistics."""
    return f"{job_prefix(dataset_uuid, job_id)}report.json"


def manifest_key(dataset_uuid: str, job_id: str) -> str:
    """Return the bucket key of the list of files that a job reads."""
    return f"{job_prefix(dataset_uuid, job_id)}manifest.json"


def component_prefix(dataset_uuid: str, job_id: str) -> str:
    """Return the bucket prefix of the columns of the components that a job ingested."""
    return f"{job_prefix(dataset_uuid, job_id)}components/"


def parts_prefix(dataset_uuid: str, job_id: str) -> str:
    """Return the bucket prefix of what became of each file of a job."""
    return f"{job_prefix(dataset_uuid, job_id)}parts/"


def part_report_key(dataset_uuid: str, job_id: str, index: int) -> str:
    """Return the bucket key of what became of the file with a number in the manifest."""
    return f"{parts_prefix(dataset_uuid, job_id)}{index}.json"


def model_prefix(model_uuid: str) -> str:
    """Return the bucket prefix of a model's artefacts."""
    return f"models/{model_uuid}/"


def artefact_key(model_uuid: str, version: int) -> str:
    """Return the bucket key of the artefact of a model version."""
    return f"{model_prefix(model_uuid)}{version}/model.bin"


def accumulated_prefix(model_uuid: str) -> str:
    """Return the bucket prefix of the rows that inference has kept for the retrainings of a model."""
    return f"{model_prefix(model_uuid)}accumulated/"


def accumulated_day(model_uuid: str, time: Decimal | float) -> str:
    """Return the beginning of the keys of the rows of one day (UTC). Keys of later days sort behind it."""
    return f"{accumulated_prefix(model_uuid)}{moment(time):%Y-%m-%d}/"


def scheduler_prefix(scheduler_uuid: str) -> str:
    """Return the bucket prefix of a scheduler's continuation state."""
    return f"schedulers/{scheduler_uuid}/"


def new_uuid() -> str:
    """Return the identifier of a new dataset, model, scheduler or label group."""
    return str(uuid.uuid4())


def training_name(model_uuid: str, version: int) -> str:
    """Return the name of the execution that trains a model version. That of an ingestion is the job's id."""
    return f"{model_uuid}-{version}"


def new_job_id(now: datetime) -> str:
    """Return an id of 32 hexadecimal digits that sorts by time: 48 bits of milliseconds, then random bits."""
    return f"{first_job_id(now)}{secrets.token_hex(10)}"


def first_job_id(now: datetime) -> str:
    """Return what the ids of jobs that begin at `now` or later are not before."""
    return f"{int(now.timestamp() * 1000):012x}"


def new_label_id(start: Decimal) -> str:
    """Return the id of a label that starts at `start`: like that of a job, it sorts by time."""
    return f"{first_label_id(start)}{secrets.token_hex(10)}"


def first_label_id(start: Decimal) -> str:
    """Return what the ids of labels that start at `start` or later are not before."""
    return f"{max(0, int(start * 1000)):012x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArnBuilder:
    """Builds ARNs of the partition, region and account that the service runs in."""

    partition: str
    region: str
    account: str

    @classmethod
    def beside(cls, arn: str) -> Self:
        """Return a builder of ARNs of the partition, region and account of the regional `arn`.

        Raises:
            ValueError: when `arn` does not have the six parts of an ARN.
        """
        parts = arn.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn":
            raise ValueError(
                f"{arn!r} is not an ARN: it must read arn:partition:service:region:account:resource"
            )
        return cls(partition=parts[1], region=parts[3], account=parts[4])

    def _resource(self, resource: str) -> str:
        return f"arn:{self.partition}:lookoutequipment:{self.region}:{self.account}:{resource}"

    def dataset_arn(self, name: str, dataset_uuid: str) -> str:
        """Return the ARN of a dataset."""
        return self._resource(f"dataset/{name}/{dataset_uuid}")

    def model_arn(self, name: str, model_uuid: str) -> str:
        """Return the ARN of a model."""
        return self._resource(f"model/{name}/{model_uuid}")

    def scheduler_arn(self, name: str, scheduler_uuid: str) -> str:
        """Return the ARN of an inference scheduler."""
        return self._resource(f"inference-scheduler/{name}/{scheduler_uuid}")

    def label_group_arn(self, name: str, group_uuid: str) -> str:
        """Return the ARN of a label group."""
        return self._resource(f"label-group/{name}/{group_uuid}")


def version_arn(model_arn: str, version: int) -> str:
    """Return the ARN of a model version."""
    return f"{model_arn}/model-version/{version}"
