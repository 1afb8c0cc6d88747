"""The `fail` step of an ingestion: record why it ended badly."""

from collections.abc import Mapping
from typing import Any

from service.jobs.failure import reason_of
from service.jobs.runtime import Runtime, log
from service.names import DATASET, INGESTION_JOB
from service.store import NotFound, StateChanged, Update


def fail(runtime: Runtime, job_id: str, error: Mapping[str, str]) -> dict[str, Any]:
    """End a job with its reason and give the dataset its state back. A job that has ended stays so.

    `error` is what the state machine caught: `Error` and `Cause` of the failed step.
    """
    record = runtime.store.get(INGESTION_JOB, job_id)
    if record is None or record["Status"] != "IN_PROGRESS":
        return {"JobId": job_id, "Status": record and record["Status"]}
    reason = reason_of(error, work=f"ingestion job '{job_id}'")
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
