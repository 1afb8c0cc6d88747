"""Models: trained on the data of a dataset."""

from collections.abc import Iterator, Mapping
from typing import Any

from service import pending_deletions
from service.context import Context
from service.errors import ConflictError, name_taken, no_such, require_room
from service.idempotency import Plan, create_once
from service.names import (
    DATASET,
    MODEL,
    SCHEDULER,
    document_key,
    documents_prefix,
    model_prefix,
    new_uuid,
    version_arn,
    version_key,
    versions_of,
)
from service.operations.datasets import require_dataset
from service.operations.ingestion_jobs import run
from service.paging import paged
from service.request_checks import (
    key_arn,
    put_document,
    require_active,
    require_labels,
    require_off_condition,
    require_role,
    tag_map,
)
from service.retry_on_change import retry_on_change
from service.schema import Schema, parse_schema
from service.store import Create, Delete, Item, Update
from service.windows import training_window

_FROM_REQUEST = (
    "LabelsInputConfiguration",
    "EvaluationDataStartTime",
    "EvaluationDataEndTime",
    "RoleArn",
    "DataPreProcessingConfiguration",
    "OffCondition",
    "ModelDiagnosticsOutputConfiguration",
)


def create_model(context: Context, request: dict[str, Any]) -> Item:
    """Start the training of version 1 of a new model."""
    require_role(context, request)
    require_labels(request, request.get("RoleArn"))
    text = request.get("DatasetSchema", {}).get("InlineDataSchema")
    wanted = parse_schema(text) if text is not None else None
    tags = tag_map(context, request.get("Tags", []), {})
    key = key_arn(context, request)

    def plan() -> Plan:
        dataset = require_dataset(context, request["DatasetName"])
        name = request["ModelName"]
        if context.store.get(MODEL, name) is not None:
            raise name_taken("model", name)
        require_active(dataset)
        schema = _schema(context, wanted, dataset)
        require_off_condition(request.get("OffCondition"), schema.sensors)
        start, end = training_window(context, request, dataset)
        _require_room(context)
        uuid = new_uuid()
        arn = context.place.model_arn(name, uuid)
        now = context.timestamp()
        shared = {
            **{member: request[member] for member in _FROM_REQUEST if member in request},
            "ModelName": name,
            "ModelArn": arn,
            "DatasetName": dataset["DatasetName"],
            "DatasetArn": dataset["DatasetArn"],
            "TrainingDataStartTime": start,
            "TrainingDataEndTime": end,
            "TrainingExecutionStartTime": now,
            "Status": "IN_PROGRESS",
            "CreatedAt": now,
            "LastUpdatedTime": now,
            "ServerSideKmsKeyId": key,
            "uuid": uuid,
            "schemaKey": put_document(context, document_key(uuid, "schema.json"), schema.to_json(), key),
            "datasetUuid": dataset["uuid"],
            "ingestionJobId": dataset["ingestionJobId"],
        }
        version = {
            **shared,
            "pk": versions_of(uuid),
            "sk": version_key(1),
            "modelName": name,
            "ModelVersion": 1,
            "ModelVersionArn": version_arn(arn, 1),
            "SourceType": "TRAINING",
        }
        return Plan(
            item={**shared, "pk": MODEL, "sk": name, "tags": tags},
            writes=[
                Create(version),
                Update(  # a deletion that has just looked for models must look again
                    DATASET,
                    dataset["DatasetName"],
                    {"fence": uuid},
                    expect={
                        "uuid": dataset["uuid"],
                        "Status": "ACTIVE",
                        "ingestionJobId": dataset["ingestionJobId"],
                    },
                ),
            ],
            undo=[
                Delete(versions_of(uuid), version_key(1)),
                pending_deletions.note(context, prefixes=[documents_prefix(uuid)]),
            ],
        )

    return create_once(
        context,
        "CreateModel",
        request,
        identity="uuid",
        plan=plan,
        start=lambda model: _train(context, model),
    )


def describe_model(context: Context, request: dict[str, Any]) -> Item:
    """Return a model with the facts of its active version."""
    return with_documents(context, require_model(context, request["ModelName"]))


def list_models(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return models by name."""
    prefix = request.get("ModelNameBeginsWith", "")
    dataset = request.get("DatasetNameBeginsWith", "")
    status = request.get("Status")

    def records(start: str | None) -> Iterator[tuple[str, Item]]:
        for model in context.store.all(MODEL, prefix=prefix, start=start):
            if model["DatasetName"].startswith(dataset) and status in {None, model["Status"]}:
                yield model["sk"], model

    return paged(context, "ListModels", request, "ModelSummaries", records)


def update_model(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change the labels, the role or the diagnostics output of a model's future versions."""
    require_role(context, request)

    def attempt() -> None:
        model = _require_settled(context, request["ModelName"])
        require_labels(request, request.get("RoleArn", model.get("RoleArn")))
        context.store.update(
            MODEL,
            model["ModelName"],
            {
                **{member: request[member] for member in _FROM_REQUEST if member in request},
                "LastUpdatedTime": context.timestamp(),
            },
            expect={"uuid": model["uuid"], "Status": model["Status"]},
        )

    retry_on_change(attempt)
    return {}


def delete_model(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a model with all its versions. A stopped scheduler of the model stays, but cannot start."""

    def attempt() -> None:
        model = _require_settled(context, request["ModelName"])
        name, uuid = model["ModelName"], model["uuid"]
        _require_unscheduled(context, model)
        context.store.transact(
            Delete(MODEL, name, {"uuid": uuid, "Status": model["Status"], "fence": model.get("fence")}),
            pending_deletions.note(
                context,
                prefixes=[model_prefix(uuid), documents_prefix(uuid)],
                partitions=[versions_of(uuid)],
            ),
        )

    retry_on_change(attempt)
    pending_deletions.collect(context)
    return {}


def require_model(context: Context, name: str) -> Item:
    """Return the model called `name`.

    Raises:
        NotFoundError: when there is none.
    """
    model = context.store.get(MODEL, name)
    if model is None:
        raise no_such("model", name)
    return model


def with_documents(context: Context, record: Item) -> Item:
    """Return the record of a model or a version with its schema and its metrics put in."""
    documents = {"Schema": "schemaKey", "ModelMetrics": "metricsKey", "PriorModelMetrics": "priorMetricsKey"}
    for member, key in documents.items():
        if key in record:
            record[member] = context.service_bucket.get_text(record[key])
    return record


def _schema(context: Context, wanted: Schema | None, dataset: Item) -> Schema:
    """Return the schema to train on: the one wanted, which must be part of the dataset's, or all of it."""
    whole = parse_schema(context.service_bucket.get_text(dataset["schemaKey"]))
    schema = wanted or whole
    schema.require_within(whole, dataset["DatasetName"])
    schema.require_size(
        components=context.settings.components_per_model,
        columns=context.settings.columns_per_model,
        settings="per_model",
    )
    return schema


def _require_room(context: Context) -> None:
    statuses = [model["Status"] for model in context.store.all(MODEL)]
    settings = context.settings
    require_room("models", limit=settings.models, used=len(statuses), setting="models")
    require_room(
        "models in training",
        limit=settings.pending_models,
        used=statuses.count("IN_PROGRESS"),
        setting="pending_models",
    )


def _train(context: Context, model: Mapping[str, Any]) -> None:
    if model["Status"] == "IN_PROGRESS":
        run(
            context,
            context.environment.train_state_machine,
            f"{model['uuid']}-1",
            {"ModelName": model["ModelName"], "ModelVersion": 1},
        )


def _require_unscheduled(context: Context, model: Item) -> None:
    for scheduler in context.store.all(SCHEDULER):
        if scheduler["modelUuid"] == model["uuid"] and scheduler["Status"] != "STOPPED":
            raise ConflictError(
                f"the model '{model['ModelName']}' is in use by the inference scheduler "
                f"'{scheduler['InferenceSchedulerName']}', which is {scheduler['Status']}: stop the "
                "scheduler first"
            )


def _require_settled(context: Context, name: str) -> Item:
    """Return the model called `name`, which must not be in training."""
    model = require_model(context, name)
    if model["Status"] not in {"SUCCESS", "FAILED"}:
        raise ConflictError(f"the model '{name}' is {model['Status']}: wait until the training is done")
    return model


OPERATIONS = {
    "CreateModel": create_model,
    "DescribeModel": describe_model,
    "ListModels": list_models,
    "UpdateModel": update_model,
    "DeleteModel": delete_model,
}
