"""Ingestion jobs: each replaces the data of a dataset with the files below an S3 prefix."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from service.context import Context
from service.errors import ConflictError, no_such, require_room
from service.idempotency import Plan, create_once
from service.names import DATASET, INGESTION_JOB, new_job_id
from service.operations.datasets import require_dataset
from service.paging import paged
from service.request_checks import require_key_pattern, require_role
from service.store import Item, Update


def start_data_ingestion_job(context: Context, request: dict[str, Any]) -> Item:
    """Start an ingestion."""
    require_role(context, request)

    def plan() -> Plan:
        dataset = require_dataset(context, request["DatasetName"])
        require_key_pattern(request, has_schema="schemaKey" in dataset)
        if dataset["Status"] not in {"CREATED", "ACTIVE"}:
            raise ConflictError(
                f"the dataset '{dataset['DatasetName']}' is {dataset['Status']}: wait until the running job "
                "is done"
            )
        pending = sum(1 for one in context.store.all(DATASET) if one["Status"] == "INGESTION_IN_PROGRESS")
        require_room(
            "pending ingestion jobs",
            limit=context.settings.pending_ingestion_jobs,
            used=pending,
            setting="pending_ingestion_jobs",
        )
        return _plan(context, request, dataset)

    def start(job: Item) -> None:
        if job["Status"] == "IN_PROGRESS":
            run(context, context.environment.ingest_state_machine, job["JobId"], {"JobId": job["JobId"]})

    return create_once(context, "StartDataIngestionJob", request, identity="JobId", plan=plan, start=start)


def describe_data_ingestion_job(context: Context, request: dict[str, Any]) -> Item:
    """Return a job with what it found in the files."""
    return require_job(context, request["JobId"])


def list_data_ingestion_jobs(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return jobs, newest first."""

    def records(start: str | None) -> Iterator[tuple[str, Item]]:
        for job in context.store.all(INGESTION_JOB, reverse=True, start=start):
            if request.get("DatasetName") in {None, job["datasetName"]} and request.get("Status") in {
                None,
                job["Status"],
            }:
                yield job["sk"], job

    return paged(context, "ListDataIngestionJobs", request, "DataIngestionJobSummaries", records)


def require_job(context: Context, job_id: str) -> Item:
    """Return the job with the id `job_id`.

    Raises:
        NotFoundError: when there is none.
    """
    job = context.store.get(INGESTION_JOB, job_id.lower()) if job_id else None
    if job is None:
        raise no_such("ingestion job", job_id)
    return job


def latest_job(context: Context, dataset: Item) -> Item | None:
    """Return the job whose data the dataset holds, None when no job has succeeded."""
    if "ingestionJobId" not in dataset:
        return None
    return context.store.get(INGESTION_JOB, dataset["ingestionJobId"])


def run(context: Context, state_machine: str, name: str, data: dict[str, Any]) -> None:
    """Start the execution called `name`, unless it was started before."""
    machines = context.client("stepfunctions")
    with suppress(machines.exceptions.ExecutionAlreadyExists):
        machines.start_execution(stateMachineArn=state_machine, name=name, input=json.dumps(data))


def _plan(context: Context, request: dict[str, Any], dataset: Item) -> Plan:
    name, uuid, status = dataset["DatasetName"], dataset["uuid"], dataset["Status"]
    job_id = new_job_id(context.now())
    now = context.timestamp()
    return Plan(
        item={
            "pk": INGESTION_JOB,
            "sk": job_id,
            "JobId": job_id,
            "DatasetName": name,
            "DatasetArn": dataset["DatasetArn"],
            "IngestionInputConfiguration": request["IngestionInputConfiguration"],
            "RoleArn": request["RoleArn"],
            "CreatedAt": now,
            "Status": "IN_PROGRESS",
            "datasetName": name,
            "datasetUuid": uuid,
            "accountId": context.place.account,
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
