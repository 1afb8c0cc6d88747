"""Ingestion jobs: each replaces the data of a dataset with the files below an S3 prefix."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from service.context import Context
from service.customer.roles import require_role
from service.errors import ConflictError, no_such, require_room
from service.members.key_pattern import require_key_pattern
from service.operations.datasets import require_dataset
from service.reconciliation.ingestion_progress import IngestionProgress
from service.reconciliation.job_starts import start_ingestion
from service.reconciliation.reconcile import reconciled_dataset, reconciled_job
from service.requests.idempotency import Plan, create_once
from service.requests.paging import paged
from service.storage.names import DATASET, INGESTION_JOB, new_job_id
from service.storage.records import DatasetRecord, IngestionJobRecord
from service.storage.store import Update

_log = logging.getLogger(__name__)


def start_data_ingestion_job(context: Context, request: dict[str, Any]) -> IngestionJobRecord:
    """Start an ingestion."""
    require_role(context, request)

    def plan() -> Plan[IngestionJobRecord]:
        dataset = require_dataset(context, request["DatasetName"])
        source = request["IngestionInputConfiguration"]["S3InputConfiguration"]
        require_key_pattern(
            source.get("KeyPattern"), dataset=dataset["DatasetName"], has_schema="schemaKey" in dataset
        )
        if dataset["Status"] not in {"CREATED", "ACTIVE"}:
            raise ConflictError(
                f"the dataset '{dataset['DatasetName']}' is {dataset['Status']}: wait until the running job "
                "is done"
            )
        _require_room(context)
        return _plan(context, request, dataset)

    def start(job: IngestionJobRecord) -> None:
        if job["Status"] == "IN_PROGRESS":
            start_ingestion(context, job)

    return create_once(context, "StartDataIngestionJob", request, identity="JobId", plan=plan, start=start)


def describe_data_ingestion_job(context: Context, request: dict[str, Any]) -> Mapping[str, Any]:
    """Return a job with what it found in the files or, while it is in progress, how far it has come."""
    job = require_job(context, request["JobId"])
    if job["Status"] != "IN_PROGRESS":
        return job
    try:
        return {**job, "StatusDetail": IngestionProgress.read(context.service_bucket, job).detail}
    except (BotoCoreError, ClientError):  # the rest of the record is worth more
        _log.exception("progress of ingestion job %s is unknown", job["JobId"])
        return job


def list_data_ingestion_jobs(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return jobs, newest first: all there were, or those of the dataset that has a name now."""
    name = request.get("DatasetName")
    dataset = None if name is None else context.records.dataset(name)

    def records(start: str | None) -> Iterator[tuple[str, IngestionJobRecord]]:
        if name is not None and dataset is None:
            return
        uuid = None if dataset is None else dataset["uuid"]
        for found in context.records.ingestion_jobs(dataset_uuid=uuid, start=start):
            job = reconciled_job(context, found)
            if request.get("Status") in {None, job["Status"]}:
                yield job["sk"], job

    return paged(context, "ListDataIngestionJobs", request, "DataIngestionJobSummaries", records)


def require_job(context: Context, job_id: str) -> IngestionJobRecord:
    """Return the job with the id `job_id`; it is in progress only if its execution is.

    Raises:
        NotFoundError: when there is none.
    """
    job = context.records.ingestion_job(job_id.lower()) if job_id else None
    if job is None:
        raise no_such("ingestion job", job_id)
    return reconciled_job(context, job)


def latest_job(context: Context, dataset: DatasetRecord) -> IngestionJobRecord | None:
    """Return the job whose data the dataset holds, None when no job has succeeded."""
    if "ingestionJobId" not in dataset:
        return None
    return context.records.ingestion_job(dataset["ingestionJobId"])


def _require_room(context: Context) -> None:
    limit = context.settings.pending_ingestion_jobs
    if limit is None:
        return
    found = context.records.datasets_under_way()
    running = [one for one in found if one["Status"] == "INGESTION_IN_PROGRESS"]
    if len(running) >= limit:  # perhaps some only seem to run
        running = [one for one in running if reconciled_dataset(context, one)["Status"] == one["Status"]]
    require_room("pending ingestion jobs", limit=limit, used=len(running), setting="pending_ingestion_jobs")


def _plan(context: Context, request: dict[str, Any], dataset: DatasetRecord) -> Plan[IngestionJobRecord]:
    name, uuid, status = dataset["DatasetName"], dataset["uuid"], dataset["Status"]
    job_id = new_job_id(context.now())
    now = context.timestamp()
    return Plan(
        record={
            "pk": INGESTION_JOB,
            "sk": job_id,
            "JobId": job_id,
            "DatasetName": name,
            "DatasetArn": dataset["DatasetArn"],
            "IngestionInputConfiguration": request["IngestionInputConfiguration"],
            "RoleArn": request["RoleArn"],
            "CreatedAt": now,
            "Status": "IN_PROGRESS",
            "datasetUuid": uuid,
        },
        writes=[
            Update(
                DATASET,
                name,
                {"Status": "INGESTION_IN_PROGRESS", "LastUpdatedAt": now},
                expect={"uuid": uuid, "Status": status},
            )
        ],
        undo=[
            Update(
                DATASET,
                name,
                {"Status": status},
                expect={"uuid": uuid, "Status": "INGESTION_IN_PROGRESS"},
            )
        ],
    )


OPERATIONS = {
    "StartDataIngestionJob": start_data_ingestion_job,
    "DescribeDataIngestionJob": describe_data_ingestion_job,
    "ListDataIngestionJobs": list_data_ingestion_jobs,
}
