"""Datasets: containers of ingested sensor data."""

from collections.abc import Iterator, Mapping
from typing import Any

from service.context import Context
from service.customer.kms_keys import key_arn
from service.errors import ConflictError, counted, name_taken, no_such, require_room
from service.members.schema import Schema, parse_schema
from service.members.tagging import merged_tags
from service.reconciliation.pending_deletions import delete_pending, pending_deletion
from service.reconciliation.reconcile import is_in_training, reconciled_dataset
from service.requests.idempotency import Documents, Plan, create_once
from service.requests.paging import paged
from service.storage.documents import read_document
from service.storage.names import (
    DATASET,
    dataset_prefix,
    document_key,
    documents_prefix,
    jobs_of_dataset,
    models_of_dataset,
    new_uuid,
    policies_of,
)
from service.storage.records import DatasetRecord
from service.storage.retry_on_change import retry_on_change
from service.storage.store import Delete


def create_dataset(context: Context, request: dict[str, Any]) -> DatasetRecord:
    """Create an empty dataset, with a schema or with one to be detected at the first ingestion."""
    name = request["DatasetName"]
    schema = _requested_schema(context, request)
    tags = merged_tags(context, request.get("Tags", []))
    key = key_arn(context, request)

    def plan() -> Plan[DatasetRecord]:
        if context.records.dataset(name) is not None:
            raise name_taken("dataset", name)
        limit = context.settings.datasets
        used = counted(context.records.datasets(), limit=limit)
        require_room("datasets", limit=limit, used=used, setting="datasets")

        uuid, now = new_uuid(), context.timestamp()
        dataset: DatasetRecord = {
            "pk": DATASET,
            "sk": name,
            "uuid": uuid,
            "DatasetName": name,
            "DatasetArn": context.arns.dataset_arn(name, uuid),
            "Status": "CREATED",
            "CreatedAt": now,
            "LastUpdatedAt": now,
            "ServerSideKmsKeyId": key,
            "tags": tags,
        }
        if schema is None:
            return Plan(record=dataset)
        dataset["schemaKey"] = document_key(uuid, "schema.json")
        documents = Documents(owner_uuid=uuid, kms_key=key, texts={"schema.json": schema.to_json()})
        return Plan(record=dataset, documents=documents)

    return create_once(context, "CreateDataset", request, identity="uuid", plan=plan)


def describe_dataset(context: Context, request: dict[str, Any]) -> Mapping[str, Any]:
    """Return a dataset with its schema, once known, and the facts of its latest successful ingestion."""

    def attempt() -> Mapping[str, Any]:
        dataset = require_dataset(context, request["DatasetName"])
        return {**dataset, "Schema": schema_text(context, dataset)} if "schemaKey" in dataset else dataset

    return retry_on_change(attempt)


def list_datasets(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return datasets by name."""
    prefix = request.get("DatasetNameBeginsWith", "")

    def records(start: str | None) -> Iterator[tuple[str, DatasetRecord]]:
        for dataset in context.records.datasets(prefix=prefix, start=start):
            yield dataset["sk"], reconciled_dataset(context, dataset)

    return paged(context, "ListDatasets", request, "DatasetSummaries", records)


def delete_dataset(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a dataset and its ingested data. Models built on it stay, unless they still need it."""

    def attempt() -> None:
        dataset = require_dataset(context, request["DatasetName"])
        name, uuid, status = dataset["DatasetName"], dataset["uuid"], dataset["Status"]
        if status not in {"CREATED", "ACTIVE"}:
            raise ConflictError(f"the dataset '{name}' is {status}: wait until the running job is done")
        _require_unused(context, dataset)
        context.store.transact(
            Delete(DATASET, name, {"uuid": uuid, "Status": status, "fence": dataset.get("fence")}),
            pending_deletion(
                context,
                prefixes=[dataset_prefix(uuid), documents_prefix(uuid)],
                partitions=[policies_of(uuid), jobs_of_dataset(uuid), models_of_dataset(uuid)],
            ),
        )

    retry_on_change(attempt)
    delete_pending(context)
    return {}


def require_dataset(context: Context, name: str) -> DatasetRecord:
    """Return the dataset called `name`, which waits for no ingestion that has ended.

    Raises:
        NotFoundError: when there is none.
    """
    dataset = context.records.dataset(name)
    if dataset is None:
        raise no_such("dataset", name)
    return reconciled_dataset(context, dataset)


def schema_text(context: Context, dataset: DatasetRecord) -> str:
    """Return the schema of a dataset that has one.

    Raises:
        NotFound: when the dataset was deleted since its record was read.
    """
    return read_document(
        context, dataset["schemaKey"], kind=DATASET, name=dataset["DatasetName"], uuid=dataset["uuid"]
    )


def _requested_schema(context: Context, request: dict[str, Any]) -> Schema | None:
    text = request.get("DatasetSchema", {}).get("InlineDataSchema")
    if text is None:
        return None
    schema = parse_schema(text)
    schema.require_size(
        components=context.settings.components_per_dataset,
        columns=context.settings.columns_per_dataset,
        settings="per_dataset",
    )
    return schema


def _require_unused(context: Context, dataset: DatasetRecord) -> None:
    name = dataset["DatasetName"]
    models = list(context.records.models_of(dataset["uuid"]))
    for model in models:
        if is_in_training(context, model):
            raise ConflictError(
                f"the dataset '{name}' is in use: the model '{model['ModelName']}' is training on it; wait "
                "until the training is done"
            )
    for model in models:
        for scheduler in context.records.schedulers(model_name=model["ModelName"]):
            if scheduler["modelUuid"] == model["uuid"]:
                raise ConflictError(
                    f"the dataset '{name}' is in use by the inference scheduler "
                    f"'{scheduler['InferenceSchedulerName']}': stop and delete the scheduler first"
                )


OPERATIONS = {
    "CreateDataset": create_dataset,
    "DescribeDataset": describe_dataset,
    "ListDatasets": list_datasets,
    "DeleteDataset": delete_dataset,
}
