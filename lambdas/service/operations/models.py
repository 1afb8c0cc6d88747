"""Models: trained on the data of a dataset."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from service.context import Context
from service.customer.kms_keys import key_arn
from service.customer.roles import require_role
from service.errors import ConflictError, ValidationError, counted, name_taken, no_such, require_room
from service.members.diagnostics_place import require_short_diagnostics_key
from service.members.off_rule import OffRule
from service.members.requested_windows import requested_training_window
from service.members.schema import Schema, parse_schema
from service.members.sensor_span import ingested_span
from service.members.shortening import shortened_metrics
from service.members.tagging import merged_tags
from service.members.training_windows import TimeSpan
from service.operations.datasets import require_dataset, schema_text
from service.operations.label_groups import require_label_group
from service.reconciliation.job_starts import start_training
from service.reconciliation.pending_deletions import delete_pending, pending_deletion
from service.reconciliation.reconcile import reconciled_model
from service.requests.idempotency import Documents, Plan, create_once
from service.requests.paging import paged
from service.storage.documents import read_document
from service.storage.indexes import creation, deletion
from service.storage.names import (
    DATASET,
    LABEL_GROUP,
    MODEL,
    RETRAINING_SCHEDULER,
    document_key,
    documents_prefix,
    model_prefix,
    new_uuid,
    policies_of,
    report_key,
    version_arn,
    version_key,
    versions_of,
)
from service.storage.records import (
    DatasetRecord,
    LabelGroupRecord,
    ModelRecord,
    TrainingFacts,
    TrainingRequest,
)
from service.storage.retry_on_change import retry_on_change
from service.storage.store import Delete, Update

_SCHEMA = "schema.json"
_METRICS = {"ModelMetrics", "PriorModelMetrics"}


def create_model(context: Context, request: dict[str, Any]) -> ModelRecord:
    """Start the training of version 1 of a new model."""
    require_role(context, request)
    require_labels(request, request.get("RoleArn"))
    require_short_diagnostics_key(request)
    text = request.get("DatasetSchema", {}).get("InlineDataSchema")
    part = parse_schema(text) if text is not None else None
    tags = merged_tags(context, request.get("Tags", []), of_model=True)
    key = key_arn(context, request)

    def plan() -> Plan[ModelRecord]:
        dataset = require_dataset(context, request["DatasetName"])
        group = requested_label_group(context, request)
        if context.records.model(request["ModelName"]) is not None:
            raise name_taken("model", request["ModelName"])
        require_active(dataset)

        schema = _schema(context, part, dataset)
        if "OffCondition" in request:
            OffRule.parse(request["OffCondition"]).resolved(schema.sensors)
        window = requested_training_window(
            request,
            data=_span(context, dataset, schema),
            minimum_days=context.settings.minimum_training_days,
        )
        _require_room(context)

        training = _training(context, request, dataset, window=window, kms_key=key)
        documents = Documents(owner_uuid=training["uuid"], kms_key=key, texts={_SCHEMA: schema.to_json()})
        return _creation(context, training, dataset, group, tags=tags, documents=documents)

    def start(model: ModelRecord) -> None:
        if model["Status"] == "IN_PROGRESS":
            start_training(context, model)

    return create_once(context, "CreateModel", request, identity="uuid", plan=plan, start=start)


def describe_model(context: Context, request: dict[str, Any]) -> Mapping[str, Any]:
    """Return a model with the facts of its active version."""
    return retry_on_change(lambda: with_documents(context, require_model(context, request["ModelName"])))


def list_models(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return models by name."""
    prefix = request.get("ModelNameBeginsWith", "")
    dataset = request.get("DatasetNameBeginsWith", "")
    status = request.get("Status")

    def records(start: str | None) -> Iterator[tuple[str, ModelRecord]]:
        for found in context.records.models(prefix=prefix, start=start):
            if found["DatasetName"].startswith(dataset):
                model = reconciled_model(context, found)
                if status in {None, model["Status"]}:
                    yield model["sk"], model

    return paged(context, "ListModels", request, "ModelSummaries", records)


def update_model(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change the labels, the role or the diagnostics output of a model's future versions.

    Labels that are empty (`{}`) take those of the model away; for the others the API has no such value.
    """
    require_role(context, request)
    require_short_diagnostics_key(request)

    def attempt() -> None:
        model = _require_settled(context, request["ModelName"])
        require_labels(request, request.get("RoleArn", model.get("RoleArn")))
        requested_label_group(context, request)
        context.store.update(
            MODEL,
            model["ModelName"],
            {**_training_request(request), "LastUpdatedTime": context.timestamp()},
            remove=[name for name, value in request.items() if value == {}],
            expect={"uuid": model["uuid"], "Status": model["Status"]},
        )

    retry_on_change(attempt)
    return {}


def delete_model(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a model with all its versions and its stopped retraining scheduler.

    A stopped inference scheduler of the model stays, but cannot start.
    """

    def attempt() -> None:
        model = _require_settled(context, request["ModelName"])
        name, uuid = model["ModelName"], model["uuid"]
        _require_unscheduled(context, model)
        retraining = context.records.retraining_scheduler(name)
        unchanged = {
            "uuid": uuid,
            **{
                member: model.get(member)
                for member in ("Status", "fence", "RetrainingSchedulerStatus", "importing")
            },
        }
        context.store.transact(
            *deletion(model, unchanged),
            pending_deletion(
                context,
                prefixes=[model_prefix(uuid), documents_prefix(uuid)],
                partitions=[versions_of(uuid), policies_of(uuid)],
                schedules=[] if retraining is None else [retraining["uuid"]],
            ),
            *([] if retraining is None else [Delete(RETRAINING_SCHEDULER, name, {"modelUuid": uuid})]),
        )

    retry_on_change(attempt)
    delete_pending(context)
    return {}


def require_model(context: Context, name: str) -> ModelRecord:
    """Return the model called `name`; it is in training only if the execution of its training is.

    Raises:
        NotFoundError: when there is none.
    """
    model = context.records.model(name)
    if model is None:
        raise no_such("model", name)
    return reconciled_model(context, model)


def with_documents(context: Context, record: TrainingFacts) -> Mapping[str, Any]:
    """Return the record of a model or a version together with its schema and its metrics.

    Raises:
        NotFound: when the model was deleted since its record was read.
    """
    documents = {"Schema": "schemaKey", "ModelMetrics": "metricsKey", "PriorModelMetrics": "priorMetricsKey"}
    keys: Mapping[str, Any] = record
    found = {
        member: read_document(context, keys[key], kind=MODEL, name=record["ModelName"], uuid=record["uuid"])
        for member, key in documents.items()
        if key in keys
    }
    for member in _METRICS & found.keys():  # earlier releases kept metrics of any length
        place = context.service_bucket.uri(keys[documents[member]])
        found[member] = shortened_metrics(found[member], complete=place)
    return {**record, **found}


def _training(
    context: Context,
    request: dict[str, Any],
    dataset: DatasetRecord,
    *,
    window: TimeSpan,
    kms_key: str | None,
) -> TrainingFacts:
    """Return what the new model and its first version have in common."""
    uuid, now = new_uuid(), context.timestamp()
    training: TrainingFacts = {
        "ModelName": request["ModelName"],
        "ModelArn": context.arns.model_arn(request["ModelName"], uuid),
        "DatasetName": dataset["DatasetName"],
        "DatasetArn": dataset["DatasetArn"],
        "TrainingDataStartTime": window.start,
        "TrainingDataEndTime": window.end,
        "TrainingExecutionStartTime": now,
        "Status": "IN_PROGRESS",
        "CreatedAt": now,
        "LastUpdatedTime": now,
        "ServerSideKmsKeyId": kms_key,
        "uuid": uuid,
        "schemaKey": document_key(uuid, _SCHEMA),
        "datasetUuid": dataset["uuid"],
        "ingestionJobId": dataset["ingestionJobId"],
    }
    return cast("TrainingFacts", {**training, **_training_request(request)})


def _creation(
    context: Context,
    training: TrainingFacts,
    dataset: DatasetRecord,
    group: LabelGroupRecord | None,
    *,
    tags: dict[str, str],
    documents: Documents,
) -> Plan[ModelRecord]:
    """Return the creation of the model and of its first version."""
    uuid = training["uuid"]
    model = {**training, "pk": MODEL, "sk": training["ModelName"], "tags": tags}
    version = {
        **training,
        "pk": versions_of(uuid),
        "sk": version_key(1),
        "ModelVersion": 1,
        "ModelVersionArn": version_arn(training["ModelArn"], 1),
        "SourceType": "TRAINING",
    }
    fences = [  # a deletion that has just looked for models must look again
        Update(
            DATASET,
            dataset["DatasetName"],
            {"fence": uuid},
            expect={
                "uuid": dataset["uuid"],
                "Status": "ACTIVE",
                "ingestionJobId": dataset["ingestionJobId"],
            },
        )
    ]
    if group is not None:
        fences.append(Update(LABEL_GROUP, group["sk"], {"fence": uuid}, expect={"uuid": group["uuid"]}))
    return Plan(
        record=cast("ModelRecord", model),
        writes=[*creation(version), *fences],
        undo=[
            *deletion(version),
            pending_deletion(context, prefixes=[model_prefix(uuid)]),  # its training may have begun
        ],
        documents=documents,
    )


def _training_request(request: Mapping[str, Any]) -> TrainingRequest:
    """Return what a training takes over from a request; an empty structure says as much as none."""
    members = TrainingRequest.__optional_keys__
    given = {name: value for name, value in request.items() if name in members and value != {}}
    return cast("TrainingRequest", given)


def _schema(context: Context, part: Schema | None, dataset: DatasetRecord) -> Schema:
    """Return the schema to train on: the `part` of that of the dataset or, without one, all of it."""
    whole = parse_schema(schema_text(context, dataset))
    schema = part or whole
    schema.require_within(whole, dataset["DatasetName"])
    schema.require_size(
        components=context.settings.components_per_model,
        columns=context.settings.columns_per_model,
        settings="per_model",
    )
    return schema


def _span(context: Context, dataset: DatasetRecord, schema: Schema) -> TimeSpan:
    """Return the time in which the sensors of a schema have data in the dataset."""
    key = report_key(dataset["uuid"], dataset["ingestionJobId"])
    whole = TimeSpan.of_data(dataset)
    return ingested_span(context.service_bucket, key, schema.sensors, whole=whole)


def require_active(dataset: DatasetRecord) -> None:
    """Require a dataset that holds data."""
    name, status = dataset["DatasetName"], dataset["Status"]
    if status != "ACTIVE" or "DataStartTime" not in dataset:
        fix = "ingest data into it and wait" if status == "CREATED" else "wait"
        raise ConflictError(
            f"the dataset '{name}' is {status}, not ACTIVE: {fix} until the job has succeeded"
        )


def require_labels(request: Mapping[str, Any], role: str | None) -> None:
    """Require that label files and diagnostics come with the `role` that reads and writes them."""
    labels = request.get("LabelsInputConfiguration", {})
    for member, needs in (
        ("LabelsInputConfiguration", "S3InputConfiguration" in labels),
        ("ModelDiagnosticsOutputConfiguration", "ModelDiagnosticsOutputConfiguration" in request),
    ):
        if needs and role is None:
            raise ValidationError(
                f"{member} is given without RoleArn: give the role that may read or write that bucket"
            )


def requested_label_group(context: Context, request: Mapping[str, Any]) -> LabelGroupRecord | None:
    """Return the label group that a request names, which must exist."""
    name = request.get("LabelsInputConfiguration", {}).get("LabelGroupName")
    return None if name is None else require_label_group(context, name)


def _require_room(context: Context) -> None:
    settings = context.settings
    used = counted(context.records.models(), limit=settings.models)
    require_room("models", limit=settings.models, used=used, setting="models")
    limit = settings.pending_models
    if limit is None:
        return
    training = [model for model in context.records.models_under_way() if model["Status"] == "IN_PROGRESS"]
    if len(training) >= limit:  # perhaps some only seem to be in training
        training = [one for one in training if reconciled_model(context, one)["Status"] == one["Status"]]
    require_room("models in training", limit=limit, used=len(training), setting="pending_models")


def _require_unscheduled(context: Context, model: ModelRecord) -> None:
    retraining = model.get("RetrainingSchedulerStatus", "STOPPED")
    if retraining != "STOPPED":
        raise ConflictError(
            f"the retraining scheduler of the model '{model['ModelName']}' is {retraining}: stop it first"
        )
    for scheduler in context.records.schedulers(model_name=model["ModelName"]):
        if scheduler["modelUuid"] == model["uuid"] and scheduler["Status"] != "STOPPED":
            raise ConflictError(
                f"the model '{model['ModelName']}' is in use by the inference scheduler "
                f"'{scheduler['InferenceSchedulerName']}', which is {scheduler['Status']}: stop the "
                "scheduler first"
            )


def _require_settled(context: Context, name: str) -> ModelRecord:
    """Return the model called `name`, which must not be in training."""
    model = require_model(context, name)
    if model["Status"] not in {"SUCCESS", "FAILED"}:
        work = "import" if model["Status"] == "IMPORT_IN_PROGRESS" else "training"
        raise ConflictError(f"the model '{name}' is {model['Status']}: wait until the {work} is done")
    if "importing" in model:
        raise ConflictError(
            f"version {model['importing']} of the model '{name}' is being imported: wait for it"
        )
    if model.get("LatestScheduledRetrainingStatus") == "IN_PROGRESS":
        raise ConflictError(
            f"the model '{name}' is being retrained: wait until the retraining is done, or stop its "
            "retraining scheduler"
        )
    return model


OPERATIONS = {
    "CreateModel": create_model,
    "DescribeModel": describe_model,
    "ListModels": list_models,
    "UpdateModel": update_model,
    "DeleteModel": delete_model,
}
