"""The `fail` step of an ingestion: record why it ended badly."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from service.jobs.capacity import readable
from service.jobs.failure import WaysOut, exhaustion_reason, reason_of
from service.jobs.runtime import Runtime, log
from service.jobs.storage.keys import IngestionKeys
from service.names import DATASET, INGESTION_JOB
from service.store import NotFound, StateChanged, Update

_SHOWN = 3
_FEWER = "Choose a Prefix with fewer objects below it"
_LISTING = WaysOut(time=_FEWER, memory=_FEWER)
_SPLIT = "Split large files into smaller ones, of the same columns and other times, or leave out columns"
_READING = WaysOut(time=_SPLIT, memory=_SPLIT)
_MERGING = WaysOut(
    time="Ingest a shorter history or fewer columns, or sort the rows of each file by time",
    memory="Split the components into several of fewer columns, or ingest a shorter history",
)


def fail(runtime: Runtime, job_id: str, error: Mapping[str, str]) -> dict[str, Any]:
    """End a job with its reason and give the dataset its state back. A job that has ended stays so.

    `error` is what the state machine caught: `Error` and `Cause` of the failed step.
    """
    record = runtime.store.get(INGESTION_JOB, job_id)
    if record is None or record["Status"] != "IN_PROGRESS":
        return {"JobId": job_id, "Status": record and record["Status"]}
    work = f"ingestion job '{job_id}'"
    reason = _exhaustion_reason(runtime, record, error, work=work) or reason_of(error, work=work)
    log("ingestion failed", JobId=job_id, Reason=reason)
    now = runtime.clock()
    ended = Update(
        INGESTION_JOB,
        job_id,
        {"Status": "FAILED", "FailedReason": reason},
        expect={"Status": "IN_PROGRESS"},
    )
    dataset = runtime.store.get(DATASET, record["DatasetName"])
    restored = "CREATED" if dataset is None or "ingestionJobId" not in dataset else "ACTIVE"
    try:
        runtime.store.transact(
            ended,
            Update(
                DATASET,
                record["DatasetName"],
                {"Status": restored, "LastUpdatedAt": now},
                expect={"uuid": record["datasetUuid"], "Status": "INGESTION_IN_PROGRESS"},
            ),
        )
    except (NotFound, StateChanged) as changed:
        if changed.pk == INGESTION_JOB:
            return {"JobId": job_id, "Status": changed.item and changed.item["Status"]}
        runtime.store.transact(ended)  # the dataset is gone or no longer waits for this job
    return {"JobId": job_id, "Status": "FAILED"}


def _exhaustion_reason(
    runtime: Runtime, record: Mapping[str, Any], error: Mapping[str, str], *, work: str
) -> str | None:
    """Return the reason when a step took too much time or memory: what it was doing, and the way out."""
    if exhaustion_reason(error, work=work, ways_out=_MERGING) is None:
        return None
    try:
        unread = _unread_files(runtime, record)
    except (BotoCoreError, ClientError) as failure:  # what matters more is that the job ends
        log("progress of the ingestion is unknown", JobId=record["JobId"], Error=str(failure))
        return exhaustion_reason(error, work=work, ways_out=_READING)
    if unread is None:
        return exhaustion_reason(error, work=f"{work}, listing its files,", ways_out=_LISTING)
    if not unread:
        return exhaustion_reason(error, work=f"{work}, merging what it read,", ways_out=_MERGING)
    largest = [f"'{key}' ({readable(size)})" for key, size in unread[:_SHOWN]]
    more = f" and {len(unread) - _SHOWN:,} more" if len(unread) > _SHOWN else ""
    what = f"{work}, reading files of which {', '.join(largest)}{more} were not done,"
    return exhaustion_reason(error, work=what, ways_out=_READING)


def _unread_files(runtime: Runtime, record: Mapping[str, Any]) -> list[tuple[str, int]] | None:
    """Return keys and sizes of the files that were not read, largest first; None before they were listed."""
    bucket = runtime.service_bucket
    keys = IngestionKeys(dataset=record["datasetUuid"], job=record["JobId"])
    manifest = bucket.find(keys.manifest)
    if manifest is None:
        return None
    read = set(bucket.keys(keys.parts))
    unread = [
        (file["Key"], file["Size"])
        for file in json.loads(manifest)
        if keys.part_report(file["Index"]) not in read
    ]
    return sorted(unread, key=lambda file: -file[1])
