"""Records against executions: whatever a record says is in progress has an execution that runs.

A record is looked at when it is read, when an event says that its execution ended badly, and once an hour.
Whoever looks asks Step Functions; an event is only the reason to ask.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from botocore.exceptions import BotoCoreError, ClientError

from service.context import Context
from service.reconciliation.failed_reason import Error, is_customer_fault
from service.reconciliation.import_end import import_reason, record_failed_version_import
from service.reconciliation.ingestion_end import DATASET_STATUS, ingestion_reason, record_failed_ingestion
from service.reconciliation.job_starts import (
    find_ingestion,
    find_training,
    find_version_import,
    start_ingestion,
    start_training,
    start_version_import,
)
from service.reconciliation.state_machines import MachineExecution
from service.reconciliation.training_end import record_failed_training, training_reason
from service.storage.names import training_name
from service.storage.records import DatasetRecord, IngestionJobRecord, ModelRecord, ModelVersionRecord

GRACE = Decimal(60)
"""Seconds in which an execution may still be about to start: more than a request may take."""

LATE = Decimal(24 * 3600)
"""Seconds after which an execution that was never started is not started any more."""

_UNDER_WAY = frozenset({"RUNNING", "PENDING_REDRIVE"})
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What a record says is in progress, and what can be done about it."""

    name: str
    again: str
    since: Decimal
    find: Callable[[], MachineExecution | None]
    start: Callable[[], None]
    reason: Callable[[Error], str]
    fail: Callable[[str, bool], object]


def reconcile_ingestion(context: Context, job: IngestionJobRecord, *, grace: Decimal = GRACE) -> bool:
    """Bring an ingestion or an import in progress to an end if its execution has ended.

    An execution that is not there is started.

    Args:
        context: the context of the service.
        job: the record.
        grace: seconds since the start of the job in which nothing is done.

    Returns:
        Whether the record was ended.
    """
    if job["Status"] == "IMPORT_IN_PROGRESS":
        return _reconcile(context, _dataset_import(context, job), grace=grace)
    return _reconcile(
        context,
        _Work(
            name=f"ingestion job '{job['JobId']}'",
            again="start a new ingestion job",
            since=job["CreatedAt"],
            find=lambda: find_ingestion(context, job),
            start=lambda: start_ingestion(context, job),
            reason=lambda error: ingestion_reason(
                context.service_bucket, job, error, memory_mib=context.environment.ingest_memory_mib
            ),
            fail=lambda reason, _: record_failed_ingestion(context.store, job, reason),
        ),
        grace=grace,
    )


def reconcile_training(
    context: Context, model: ModelRecord, version: ModelVersionRecord, *, grace: Decimal = GRACE
) -> bool:
    """Do for a version in training what `reconcile_ingestion` does for a job."""
    return _reconcile(
        context,
        _Work(
            name=f"the training of model '{model['ModelName']}'",
            again=(
                "wait for the next retraining"
                if "priorModelVersion" in version
                else "delete the model and create it again"
            ),
            since=version["CreatedAt"],
            find=lambda: find_training(context, version),
            start=lambda: start_training(context, version),
            reason=lambda error: training_reason(
                version, error, memory_mib=context.environment.train_memory_mib
            ),
            fail=lambda reason, customer: record_failed_training(
                context.store, model, version, reason, customer=customer
            ),
        ),
        grace=grace,
    )


def reconcile_version_import(
    context: Context, _: ModelRecord, version: ModelVersionRecord, *, grace: Decimal = GRACE
) -> bool:
    """Do for a version that is being imported what `reconcile_ingestion` does for a job."""
    name = f"the import of version {version['ModelVersion']} of model '{version['ModelName']}'"
    return _reconcile(
        context,
        _Work(
            name=name,
            again="import the model version again",
            since=version["CreatedAt"],
            find=lambda: find_version_import(context, version),
            start=lambda: start_version_import(context, version),
            reason=lambda error: import_reason(
                name,
                error,
                execution=training_name(version["uuid"], int(version["ModelVersion"])),
                memory_mib=context.environment.ingest_memory_mib,
            ),
            fail=lambda reason, _: record_failed_version_import(context.store, version, reason),
        ),
        grace=grace,
    )


_RECONCILE: Mapping[str, Callable[..., bool]] = {
    "IN_PROGRESS": reconcile_training,
    "IMPORT_IN_PROGRESS": reconcile_version_import,
}
"""What looks at the execution of a version, by its status."""


def reconcile_version(
    context: Context, model: ModelRecord, version: ModelVersionRecord, *, grace: Decimal = GRACE
) -> bool:
    """Do for a version in training or being imported what `reconcile_ingestion` does for a job."""
    reconcile = _RECONCILE.get(version["Status"])
    return reconcile is not None and reconcile(context, model, version, grace=grace)


def reconciled_job(context: Context, job: IngestionJobRecord) -> IngestionJobRecord:
    """Return the job as it is once its execution was looked at."""
    if job["Status"] in DATASET_STATUS and _seen(lambda: reconcile_ingestion(context, job)):
        return context.records.ingestion_job(job["JobId"]) or job
    return job


def reconciled_dataset(context: Context, dataset: DatasetRecord) -> DatasetRecord:
    """Return the dataset as it is once the execution of its running job was looked at."""
    job = job_under_way(context, dataset)
    if job is not None and _seen(lambda: reconcile_ingestion(context, job)):
        return context.records.dataset(dataset["DatasetName"]) or dataset
    return dataset


def job_under_way(context: Context, dataset: DatasetRecord) -> IngestionJobRecord | None:
    """Return the ingestion or import that a dataset waits for; it is among the newest."""
    if dataset["Status"] not in DATASET_STATUS.values():
        return None
    jobs = context.records.ingestion_jobs(dataset_uuid=dataset["uuid"])
    return next((job for job in jobs if job["Status"] in DATASET_STATUS), None)


def reconciled_version(
    context: Context, model: ModelRecord, version: ModelVersionRecord
) -> ModelVersionRecord:
    """Return the version as it is once its execution was looked at."""
    if _seen(lambda: reconcile_version(context, model, version)):
        return context.records.version(model["uuid"], int(version["ModelVersion"])) or version
    return version


def reconciled_model(context: Context, model: ModelRecord) -> ModelRecord:
    """Return the model as it is once the execution of its training, retraining or import was looked at."""
    ended = [
        reconciled_version(context, model, version) is not version
        for version in versions_under_way(context, model)
    ]
    return (context.records.model(model["ModelName"]) or model) if any(ended) else model


def is_in_training(context: Context, model: ModelRecord) -> bool:
    """Return whether a version of a model is in training, be it the first or a later one."""
    found = reconciled_model(context, model)
    return "IN_PROGRESS" in {found["Status"], found.get("LatestScheduledRetrainingStatus")}


def versions_under_way(context: Context, model: ModelRecord) -> list[ModelVersionRecord]:
    """Return the versions that are being trained or imported, as the record of their model has it."""
    numbers = {1} if model["Status"] == "IN_PROGRESS" else set()
    if "importing" in model:
        numbers.add(int(model["importing"]))
    if model.get("LatestScheduledRetrainingStatus") == "IN_PROGRESS":
        numbers.add(int(model["LatestScheduledRetrainingModelVersion"]))
    found = (context.records.version(model["uuid"], number) for number in sorted(numbers))
    return [version for version in found if version is not None]


def _dataset_import(context: Context, job: IngestionJobRecord) -> _Work:
    name = f"import job '{job['JobId']}'"
    return _Work(
        name=name,
        again="import the dataset again",
        since=job["CreatedAt"],
        find=lambda: find_ingestion(context, job),
        start=lambda: start_ingestion(context, job),
        reason=lambda error: import_reason(
            name, error, execution=job["JobId"], memory_mib=context.environment.ingest_memory_mib
        ),
        fail=lambda reason, _: record_failed_ingestion(context.store, job, reason),
    )


def _seen(reconcile: Callable[[], bool]) -> bool:
    """Return what `reconcile` returns; a failure is logged, for a record can be read without it."""
    try:
        return reconcile()
    except (BotoCoreError, ClientError):
        _log.warning("the execution of a record in progress was not looked at", exc_info=True)
        return False


def _reconcile(context: Context, work: _Work, *, grace: Decimal) -> bool:
    age = context.timestamp() - work.since
    if age < grace:
        return False
    execution = work.find()
    if execution is None:
        if age < LATE:
            _log.warning("%s was not started: starting its execution", work.name)
            work.start()
            return False
        reason, customer = f"{work.name} was never started, or its execution is gone: {work.again}", False
    elif execution.status in _UNDER_WAY:
        return False
    else:
        reason, customer = _bad_end(work, execution)
    _log.warning("%s ended: %s", work.name, reason)
    work.fail(reason, customer)
    return True


def _bad_end(work: _Work, execution: MachineExecution) -> tuple[str, bool]:
    """Return the reason of an execution that ended, and whether it is the customer's fault."""
    error = execution.error
    match execution.status:
        case "ABORTED":
            words = "; ".join(error.values())
            why = f" ({words})" if words else ""
            return f"{work.name} was stopped: its execution was aborted{why}. To go on, {work.again}", False
        case "TIMED_OUT":
            error = {"Error": "States.Timeout", **error}
        case "SUCCEEDED":
            # The execution ended before this was written, so its result would have to be there.
            error = {"Error": "NoResult", "Cause": "the execution ended without a result"}
    return work.reason(error), is_customer_fault(error)
