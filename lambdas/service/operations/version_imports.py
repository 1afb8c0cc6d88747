"""Imports of model versions: copies of those that this or another account shares."""

from typing import Any, cast

from service.context import Context
from service.customer.kms_keys import key_arn
from service.customer.roles import require_role
from service.errors import ConflictError, ValidationError, counted, require_room
from service.members.tagging import OWNER_TAG, merged_tags
from service.operations.datasets import require_dataset
from service.operations.models import requested_label_group, require_active, require_labels
from service.reconciliation.job_starts import start_version_import
from service.reconciliation.pending_deletions import pending_deletion
from service.reconciliation.reconcile import reconciled_model
from service.requests.idempotency import Plan, create_once
from service.sharing.import_source import importing_principal, requested_source
from service.sharing.resource_policy import Principal
from service.sharing.shared import ACCUMULATED_FACTS, NO_IMPORT
from service.storage.indexes import creation, deletion
from service.storage.names import (
    DATASET,
    MODEL,
    documents_prefix,
    model_prefix,
    new_uuid,
    version_arn,
    version_key,
    versions_of,
)
from service.storage.records import DatasetRecord, ModelRecord, ModelVersionRecord
from service.storage.store import Update, Write

_FROM_MODEL = (
    "uuid",
    "ModelName",
    "ModelArn",
    "DatasetName",
    "DatasetArn",
    "datasetUuid",
    "ingestionJobId",
    "LabelsInputConfiguration",
    "RoleArn",
    "ServerSideKmsKeyId",
)
"""What the next version has from its model; the rest is from its source."""

_SHOWN_BY_MODEL = (
    "SourceModelVersionArn",
    "ImportJobStartTime",
    "Status",
    "CreatedAt",
    "LastUpdatedTime",
)


def import_model_version(context: Context, request: dict[str, Any]) -> ModelVersionRecord:
    """Start an import of a model version, as the first of a new model or the next of one that exists."""
    require_role(context, request)
    require_labels(request, request.get("RoleArn"))
    arn = request["SourceModelVersionArn"]
    name = request.get("ModelName", arn.split("/")[1])
    importer = importing_principal(context)
    key = key_arn(context, request)
    with_data = request.get("InferenceDataImportStrategy", NO_IMPORT) != NO_IMPORT

    def plan() -> Plan[ModelVersionRecord]:
        source = requested_source(context, arn)
        shared = source.share_version(arn, Principal.of(importer), with_data=with_data, with_objects=False)
        dataset = require_dataset(context, request["DatasetName"])
        require_active(dataset)
        present = context.records.model(name)
        target = None if present is None else reconciled_model(context, present)
        requested_label_group(context, request)  # must exist
        _require_room_for_versions(context)
        facts = {each: value for each, value in shared.facts.items() if each not in ACCUMULATED_FACTS}
        if target is None:
            limit = context.settings.models
            used = counted(context.records.models(), limit=limit)
            require_room("models", limit=limit, used=used, setting="models")
            return _new_model(context, request, dataset, facts, name=name, key=key, importer=importer)
        _require_target_model(target, dataset, key)
        _require_owner(target, request)
        return _next_version(context, request, target, facts, importer=importer)

    def start(version: ModelVersionRecord) -> None:
        if version["Status"] == "IMPORT_IN_PROGRESS":
            start_version_import(context, version)

    return create_once(
        context, "ImportModelVersion", request, identity="ModelVersionArn", plan=plan, start=start
    )


def _require_room_for_versions(context: Context) -> None:
    limit = context.settings.pending_model_imports
    if limit is None:
        return
    running = [one for one in context.records.models_under_way() if "importing" in one]
    if len(running) >= limit:  # perhaps some only seem to run
        running = [one for one in running if "importing" in reconciled_model(context, one)]
    require_room(
        "pending imports of model versions", limit=limit, used=len(running), setting="pending_model_imports"
    )


def _require_target_model(target: ModelRecord, dataset: DatasetRecord, key: str | None) -> None:
    """Require an existing model that can get another version."""
    name = target["ModelName"]
    if target["Status"] == "IN_PROGRESS" or "importing" in target:
        raise ConflictError(
            f"the model '{name}' is in training, or another version of it is being imported: wait until that "
            "is done"
        )
    if target["datasetUuid"] != dataset["uuid"]:
        raise ValidationError(
            f"DatasetName '{dataset['DatasetName']}' is not the dataset of the model '{name}', which is "
            f"'{target['DatasetName']}': give that, or import under another ModelName"
        )
    if key is not None and key != target.get("ServerSideKmsKeyId"):
        raise ValidationError(
            f"ServerSideKmsKeyId '{key}' is not the key of the model '{name}', which exists and keeps its "
            "key: leave it out, or import under another ModelName"
        )


def _require_owner(target: ModelRecord, request: dict[str, Any]) -> None:
    """Require that a custom resource imports into no model of others, which its tags would make its own.

    It has looked for the model before, but one may have been made since.
    """
    owner = next((tag["Value"] for tag in request.get("Tags", []) if tag["Key"] == OWNER_TAG), None)
    present = target.get("tags", {}).get(OWNER_TAG)
    if owner is not None and owner != present:
        raise ConflictError(
            f"the model '{target['ModelName']}' exists and belongs to {present or 'nobody'} (tag "
            f"{OWNER_TAG}), not to who asks: choose another ModelName, or delete the existing model first"
        )


def _new_model(
    context: Context,
    request: dict[str, Any],
    dataset: DatasetRecord,
    facts: dict[str, Any],
    *,
    name: str,
    key: str | None,
    importer: str,
) -> Plan[ModelVersionRecord]:
    uuid = new_uuid()
    model: dict[str, Any] = {
        **_labels(request),
        "uuid": uuid,
        "ModelName": name,
        "ModelArn": context.arns.model_arn(name, uuid),
        "DatasetName": dataset["DatasetName"],
        "DatasetArn": dataset["DatasetArn"],
        "datasetUuid": dataset["uuid"],
        "ingestionJobId": dataset["ingestionJobId"],
        "ServerSideKmsKeyId": key,
    }
    version = _version(context, request, model, facts, number=1, importer=importer)
    shown = {name: value for name, value in version.items() if name in _SHOWN_BY_MODEL}
    tags = merged_tags(context, request.get("Tags", []), of_model=True)
    fence = Update(  # a deletion that has just looked for models must look again
        DATASET,
        dataset["DatasetName"],
        {"fence": uuid},
        expect={"uuid": dataset["uuid"], "ingestionJobId": dataset["ingestionJobId"]},
    )
    created = {**facts, **model, **shown, "pk": MODEL, "sk": name, "tags": tags, "importing": 1}
    return Plan(
        record=version,
        writes=[*creation(created), fence],
        undo=[*deletion(created, {"uuid": uuid}), _remains(context, uuid)],
    )


def _next_version(
    context: Context,
    request: dict[str, Any],
    target: ModelRecord,
    facts: dict[str, Any],
    *,
    importer: str,
) -> Plan[ModelVersionRecord]:
    latest = context.records.latest_version(target["uuid"])
    number = 1 if latest is None else int(latest["ModelVersion"]) + 1
    of_model = {each: value for each, value in target.items() if each in _FROM_MODEL}
    version = _version(
        context, request, {**of_model, **_labels(request)}, facts, number=number, importer=importer
    )
    tags = target.get("tags")
    expected = {"uuid": target["uuid"], "Status": target["Status"], "importing": None, "tags": tags}
    changes = {
        **_labels(request),
        "importing": number,
        "LastUpdatedTime": context.timestamp(),
        "tags": merged_tags(context, request.get("Tags", []), tags, of_model=True),
    }
    name = target["ModelName"]
    undo = Update(MODEL, name, {}, ["importing"], {"uuid": target["uuid"], "importing": number})
    return Plan(record=version, writes=[Update(MODEL, name, changes, expect=expected)], undo=[undo])


def _version(
    context: Context,
    request: dict[str, Any],
    model: dict[str, Any],
    facts: dict[str, Any],
    *,
    number: int,
    importer: str,
) -> ModelVersionRecord:
    now = context.timestamp()
    version: Any = {
        **facts,
        **model,
        "pk": versions_of(model["uuid"]),
        "sk": version_key(number),
        "ModelVersion": number,
        "ModelVersionArn": version_arn(model["ModelArn"], number),
        "SourceType": "IMPORT",
        "SourceModelVersionArn": request["SourceModelVersionArn"],
        "importedBy": importer,
        "importStrategy": request.get("InferenceDataImportStrategy", NO_IMPORT),
        "ImportJobStartTime": now,
        "Status": "IMPORT_IN_PROGRESS",
        "CreatedAt": now,
        "LastUpdatedTime": now,
    }
    return cast("ModelVersionRecord", version)


def _labels(request: dict[str, Any]) -> dict[str, Any]:
    """Return what later versions of the model find their labels by."""
    return {each: request[each] for each in ("LabelsInputConfiguration", "RoleArn") if request.get(each)}


def _remains(context: Context, uuid: str) -> Write:
    """Return the write that removes what an import may have copied already."""
    return pending_deletion(context, prefixes=[model_prefix(uuid), documents_prefix(uuid)])


OPERATIONS = {"ImportModelVersion": import_model_version}
