"""Datasets: containers of ingested sensor data."""

from collections.abc import Iterator
from typing import Any

from service import pending_deletions
from service.context import Context
from service.errors import ConflictError, name_taken, no_such, require_room
from service.idempotency import Plan, create_once
from service.names import (
    DATASET,
    MODEL,
    SCHEDULER,
    dataset_prefix,
    document_key,
    documents_prefix,
    new_uuid,
)
from service.paging import paged
from service.request_checks import key_arn, put_document, tag_map
from service.retry_on_change import retry_on_change
from service.schema import parse_schema
from service.store import Delete, Item


def create_dataset(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Create an empty dataset, with a schema or with one to be detected at the first ingestion."""
    name = request["DatasetName"]
    text = request.get("DatasetSchema", {}).get("InlineDataSchema")
    schema = parse_schema(text) if text is not None else None
    if schema is not None:
        schema.require_size(
            components=context.settings.components_per_dataset,
            columns=context.settings.columns_per_dataset,
            settings="per_dataset",
        )
    tags = tag_map(context, request.get("Tags", []), {})
    key = key_arn(context, request)

    def plan() -> Plan:
        if context.store.get(DATASET, name) is not None:
            raise name_taken("dataset", name)
        used = sum(1 for _ in context.store.all(DATASET))
        require_room("datasets", limit=context.settings.datasets, used=used, setting="datasets")
        uuid = new_uuid()
        now = context.timestamp()
        item = {
            "pk": DATASET,
            "sk": name,
            "uuid": uuid,
            "DatasetName": name,
            "DatasetArn": context.place.dataset_arn(name, uuid),
            "Status": "CREATED",
            "CreatedAt": now,
            "LastUpdatedAt": now,
            "ServerSideKmsKeyId": key,
            "tags": tags,
        }
        if schema is not None:
            item["schemaKey"] = put_document(
                context, document_key(uuid, "schema.json"), schema.to_json(), key
            )
        return Plan(item=item)

    return create_once(context, "CreateDataset", request, identity="uuid", plan=plan)


def describe_dataset(context: Context, request: dict[str, Any]) -> Item:
    """Return a dataset with its schema, once known, and the facts of its latest successful ingestion."""
    dataset = require_dataset(context, request["DatasetName"])
    if "schemaKey" in dataset:
        dataset["Schema"] = context.service_bucket.get_text(dataset["schemaKey"])
    return dataset


def list_datasets(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return datasets by name."""
    prefix = request.get("DatasetNameBeginsWith", "")

    def records(start: str | None) -> Iterator[tuple[str, Item]]:
        return ((item["sk"], item) for item in context.store.all(DATASET, prefix=prefix, start=start))

    return paged(context, "ListDatasets", request, "DatasetSummaries", records)


def delete_dataset(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a dataset and its ingested data. Models built on it stay, unless they still need it."""

    def attempt() -> None:
        dataset = require_dataset(context, request["DatasetName"])
        name, uuid, status = dataset["DatasetName"], dataset["uuid"], dataset["Status"]
        if status not in {"CREATED", "ACTIVE"}:
            raise ConflictError(f"the dataset '{name}' is {status}: wait until the ingestion job is done")
        _require_unused(context, dataset)
        context.store.transact(
            Delete(DATASET, name, {"uuid": uuid, "Status": status, "fence": dataset.get("fence")}),
            pending_deletions.note(context, prefixes=[dataset_prefix(uuid), documents_prefix(uuid)]),
        )

    retry_on_change(attempt)
    pending_deletions.collect(context)
    return {}


def require_dataset(context: Context, name: str) -> Item:
    """Return the dataset called `name`.

    Raises:
        NotFoundError: when there is none.
    """
    dataset = context.store.get(DATASET, name)
    if dataset is None:
        raise no_such("dataset", name)
    return dataset


def _require_unused(context: Context, dataset: Item) -> None:
    name = dataset["DatasetName"]
    models = {
        model["uuid"]: model for model in context.store.all(MODEL) if model["datasetUuid"] == dataset["uuid"]
    }
    for model in models.values():
        if model["Status"] == "IN_PROGRESS":
            raise ConflictError(
                f"the dataset '{name}' is in use: the model '{model['ModelName']}' is training on it; wait "
                "until the training is done"
            )
    for scheduler in context.store.all(SCHEDULER):
        if scheduler["modelUuid"] in models:
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
