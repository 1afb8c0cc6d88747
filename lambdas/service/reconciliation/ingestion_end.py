"""The bad end of an ingestion: its reason, and what it changes in the records of the job and its dataset."""

import logging
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from service.members.sizes import readable
from service.reconciliation.failed_reason import (
    MOST_FAILED_READS,
    Error,
    WaysOut,
    exhaustion_reason,
    reason_of,
)
from service.reconciliation.ingestion_progress import IngestionProgress
from service.storage.names import DATASET, INGESTION_JOB
from service.storage.service_bucket import ServiceBucket
from service.storage.store import NotFound, StateChanged, Store, Update

DATASET_STATUS = {"IN_PROGRESS": "INGESTION_IN_PROGRESS", "IMPORT_IN_PROGRESS": "IMPORT_IN_PROGRESS"}
"""The status of a dataset by that of the job that it waits for."""

_SHOWN = 3
_FEWER = "Choose a Prefix with fewer objects below it"
_LISTING = WaysOut(time=_FEWER, memory=_FEWER)
_SPLIT = "Split large files into smaller ones, of the same columns and other times, or leave out columns"
_READING = WaysOut(time=_SPLIT, memory=_SPLIT)
_MERGING = WaysOut(
    time="Ingest a shorter history or fewer columns, or sort the rows of each file by time",
    memory="Split the components into several of fewer columns, or ingest a shorter history",
)
_log = logging.getLogger(__name__)

Job = Mapping[str, Any]
"""The record of an ingestion job."""


def ingestion_reason(bucket: ServiceBucket, job: Job, error: Error, *, memory_mib: int | None) -> str:
    """Return the `FailedReason` of an ingestion whose execution failed.

    Args:
        bucket: the service bucket, which holds how far the job came.
        job: its record.
        error: `Error` and `Cause` of the execution.
        memory_mib: memory of the function; None if it is not known.
    """
    if error.get("Error") == MOST_FAILED_READS:
        error = job.get("readFailure", error)
    work = f"ingestion job '{job['JobId']}'"

    def exhausted(what: str, ways_out: WaysOut) -> str | None:
        return exhaustion_reason(error, work=what, ways_out=ways_out, memory_mib=memory_mib)

    reason = reason_of(error, work=work, execution=job["JobId"])
    if exhausted(work, _READING) is None:
        return reason
    try:
        what, ways_out = _at_work_on(bucket, job)
    except (BotoCoreError, ClientError):  # what matters more is that the job ends
        _log.exception("progress of ingestion job %s is unknown", job["JobId"])
        what, ways_out = "", _READING
    return exhausted(f"{work}{what}", ways_out) or reason


def record_failed_ingestion(store: Store, job: Job, reason: str) -> None:
    """End a job with its reason and give the dataset its state back. A job that has ended stays as it is.

    Args:
        store: the records.
        job: the record of an ingestion or an import.
        reason: the `FailedReason`.
    """
    if job["Status"] not in DATASET_STATUS:
        _log.info("ingestion job %s has ended already", job["JobId"])
        return
    dataset = store.get(DATASET, job["DatasetName"])
    restored = "CREATED" if dataset is None or "ingestionJobId" not in dataset else "ACTIVE"
    ended = Update(
        INGESTION_JOB,
        job["JobId"],
        {"Status": "FAILED", "FailedReason": reason},
        expect={"Status": job["Status"]},
    )
    given_back = Update(
        DATASET,
        job["DatasetName"],
        {"Status": restored, "LastUpdatedAt": store.clock()},
        expect={"uuid": job["datasetUuid"], "Status": DATASET_STATUS[job["Status"]]},
    )
    try:
        store.transact(ended, given_back)
    except (NotFound, StateChanged) as changed:
        if changed.pk == DATASET:  # it is gone, or no longer waits for this job
            _end_alone(store, ended)


def _end_alone(store: Store, ended: Update) -> None:
    try:
        store.transact(ended)
    except StateChanged:
        _log.info("ingestion job %s has ended already", ended.sk)


def _at_work_on(bucket: ServiceBucket, job: Job) -> tuple[str, WaysOut]:
    """Return what the job was doing, as a part of a sentence, and the ways out of a limit there."""
    progress = IngestionProgress.read(bucket, job)
    unread = progress.unread
    if progress.files is None:
        return ", listing its files,", _LISTING
    if not unread:
        return ", merging what it read,", _MERGING
    largest = [f"'{key}' ({readable(size)})" for key, size in unread[:_SHOWN]]
    more = f" and {len(unread) - _SHOWN:,} more" if len(unread) > _SHOWN else ""
    return f", reading files of which {', '.join(largest)}{more} were not done,", _READING
