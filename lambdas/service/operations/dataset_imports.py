"""Imports of datasets: copies of those that this or another account shares."""

from typing import Any

from service.context import Context
from service.customer.kms_keys import key_arn
from service.errors import ConflictError, ValidationError, counted, require_room
from service.members.tagging import merged_tags
from service.reconciliation.job_starts import start_ingestion
from service.reconciliation.reconcile import reconciled_dataset
from service.requests.idempotency import Plan, create_once
from service.sharing.import_source import importing_principal, requested_source
from service.sharing.resource_policy import Principal
from service.storage.names import (
    DATASET,
    INGESTION_JOB,
    new_job_id,
    new_uuid,
)
from service.storage.records import DatasetRecord, IngestionJobRecord
from service.storage.store import Create, Delete, Update, Write


def import_dataset(context: Context, request: dict[str, Any]) -> IngestionJobRecord:
    """Start an import of a dataset, into a new one or over the data and the schema of one that exists."""
    arn = request["SourceDatasetArn"]
    name = request.get("DatasetName", arn.split("/")[1])
    importer = importing_principal(context)
    key = key_arn(context, request)

    def plan() -> Plan[IngestionJobRecord]:
        requested_source(context, arn).share_dataset(  # or it refuses
            arn, Principal.of(importer), with_objects=False
        )  # refuses what it must refuse
        present = context.records.dataset(name)
        target = None if present is None else reconciled_dataset(context, present)
        _require_room(context)
        if target is None:
            limit = context.settings.datasets
            used = counted(context.records.datasets(), limit=limit)
            require_room("datasets", limit=limit, used=used, setting="datasets")
            return _into_new(context, request, name=name, key=key, importer=importer)
        _require_target(target, arn, key)
        return _over(context, request, target, importer=importer)

    def start(job: IngestionJobRecord) -> None:
        if job["Status"] == "IMPORT_IN_PROGRESS":
            start_ingestion(context, job)

    return create_once(context, "ImportDataset", request, identity="JobId", plan=plan, start=start)


def _require_target(target: DatasetRecord, source: str, key: str | None) -> None:
    """Require an existing dataset that can be overwritten."""
    name = target["DatasetName"]
    if target["DatasetArn"] == source:
        raise ValidationError(
            f"the dataset '{name}' cannot be imported over itself: give the new dataset another DatasetName"
        )
    if target["Status"] not in {"CREATED", "ACTIVE"}:
        raise ConflictError(f"the dataset '{name}' is {target['Status']}: wait until the running job is done")
    if key is not None and key != target.get("ServerSideKmsKeyId"):
        raise ValidationError(
            f"ServerSideKmsKeyId '{key}' is not the key of the dataset '{name}', which exists and keeps "
            "its key: leave it out, or import under another DatasetName"
        )


def _require_room(context: Context) -> None:
    limit = context.settings.pending_dataset_imports
    if limit is None:
        return
    found = context.records.datasets_under_way()
    running = [one for one in found if one["Status"] == "IMPORT_IN_PROGRESS"]
    if len(running) >= limit:  # perhaps some only seem to run
        running = [one for one in running if reconciled_dataset(context, one)["Status"] == one["Status"]]
    require_room(
        "pending imports of datasets", limit=limit, used=len(running), setting="pending_dataset_imports"
    )


def _into_new(
    context: Context, request: dict[str, Any], *, name: str, key: str | None, importer: str
) -> Plan[IngestionJobRecord]:
    uuid, now = new_uuid(), context.timestamp()
    dataset: DatasetRecord = {
        "pk": DATASET,
        "sk": name,
        "uuid": uuid,
        "DatasetName": name,
        "DatasetArn": context.arns.dataset_arn(name, uuid),
        "Status": "IMPORT_IN_PROGRESS",
        "CreatedAt": now,
        "LastUpdatedAt": now,
        "ServerSideKmsKeyId": key,
        "tags": merged_tags(context, request.get("Tags", [])),
    }
    return _plan(
        context,
        request,
        dataset,
        importer=importer,
        write=Create(dataset),
        undo=Delete(DATASET, name, {"uuid": uuid}),
    )


def _over(
    context: Context, request: dict[str, Any], target: DatasetRecord, *, importer: str
) -> Plan[IngestionJobRecord]:
    name, status = target["DatasetName"], target["Status"]
    tags = target.get("tags")
    changes = {
        "Status": "IMPORT_IN_PROGRESS",
        "LastUpdatedAt": context.timestamp(),
        "tags": merged_tags(context, request.get("Tags", []), tags),
    }
    expected = {"uuid": target["uuid"], "Status": status, "tags": tags}
    undo = Update(
        DATASET,
        name,
        {"Status": status},
        expect={"uuid": target["uuid"], "Status": "IMPORT_IN_PROGRESS"},
    )
    write = Update(DATASET, name, changes, expect=expected)
    return _plan(context, request, target, importer=importer, write=write, undo=undo)


def _plan(
    context: Context,
    request: dict[str, Any],
    dataset: DatasetRecord,
    *,
    importer: str,
    write: Write,
    undo: Write,
) -> Plan[IngestionJobRecord]:
    job_id = new_job_id(context.now())
    return Plan(
        record={
            "pk": INGESTION_JOB,
            "sk": job_id,
            "JobId": job_id,
            "DatasetName": dataset["DatasetName"],
            "DatasetArn": dataset["DatasetArn"],
            "datasetUuid": dataset["uuid"],
            "SourceDatasetArn": request["SourceDatasetArn"],
            "importedBy": importer,
            "CreatedAt": context.timestamp(),
            "Status": "IMPORT_IN_PROGRESS",
        },
        writes=[write],
        undo=[undo],
    )


OPERATIONS = {"ImportDataset": import_dataset}
