"""Versions of models."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from service.context import Context
from service.errors import ConflictError, no_such
from service.members.active_version import activated
from service.operations.models import require_model, with_documents
from service.reconciliation.reconcile import reconciled_version
from service.requests.paging import paged
from service.storage.names import MODEL, version_key
from service.storage.records import ModelRecord, ModelVersionRecord
from service.storage.retry_on_change import retry_on_change


def describe_model_version(context: Context, request: dict[str, Any]) -> Mapping[str, Any]:
    """Return a version of a model."""

    def attempt() -> Mapping[str, Any]:
        model = require_model(context, request["ModelName"])
        version = context.records.version(model["uuid"], request["ModelVersion"])
        if version is None:
            raise no_such("model version", f"{model['ModelName']}/{request['ModelVersion']}")
        return with_documents(context, reconciled_version(context, model, version))

    return retry_on_change(attempt)


def list_model_versions(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return the versions of a model in order; of a model that does not exist, none."""
    model = context.records.model(request["ModelName"])
    between = (
        version_key(request.get("MinModelVersion", 1)),
        version_key(request.get("MaxModelVersion", 10**10 - 1)),
    )

    def records(start: str | None) -> Iterator[tuple[str, ModelVersionRecord]]:
        if model is None or between[0] > between[1]:
            return
        for found in context.records.versions(model["uuid"], between=between, start=start):
            version = reconciled_version(context, model, found)
            if _fits(version, request):
                yield version["sk"], version

    return paged(context, "ListModelVersions", request, "ModelVersionSummaries", records)


def update_active_model_version(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Make a version the active one, from the next execution of the model's inference schedulers on.

    A retraining that is under way still ends, but is not promoted: it was compared with the version before.
    """
    number = request["ModelVersion"]

    def attempt() -> ModelRecord:
        model = require_model(context, request["ModelName"])
        version = context.records.version(model["uuid"], number)
        if version is None:
            raise no_such("model version", f"{model['ModelName']}/{number}")
        _require_success(version)
        active = model.get("ActiveModelVersion")
        if active == number:
            return model
        members, outdated = activated(model, version, now=context.timestamp())
        found = context.store.update(
            MODEL,
            model["ModelName"],
            members,
            remove=outdated,
            expect={"uuid": model["uuid"], "ActiveModelVersion": active},
        )
        return cast("ModelRecord", found)

    model = retry_on_change(attempt)
    shown = {
        "CurrentActiveVersion": "ActiveModelVersion",
        "CurrentActiveVersionArn": "ActiveModelVersionArn",
        "PreviousActiveVersion": "PreviousActiveModelVersion",
        "PreviousActiveVersionArn": "PreviousActiveModelVersionArn",
    }
    members: Mapping[str, Any] = model
    return {
        "ModelName": model["ModelName"],
        "ModelArn": model["ModelArn"],
        **{member: members[attribute] for member, attribute in shown.items() if attribute in members},
    }


def _require_success(version: ModelVersionRecord) -> None:
    if version["Status"] != "SUCCESS":
        raise ConflictError(
            f"version {version['ModelVersion']} of the model '{version['ModelName']}' is "
            f"{version['Status']}, not SUCCESS: choose a version whose training has succeeded"
        )


def _fits(version: ModelVersionRecord, request: dict[str, Any]) -> bool:
    created = version["CreatedAt"]
    return (
        request.get("Status") in {None, version["Status"]}
        and request.get("SourceType") in {None, version["SourceType"]}
        and request.get("CreatedAtStartTime", created) <= created <= request.get("CreatedAtEndTime", created)
    )


OPERATIONS = {
    "DescribeModelVersion": describe_model_version,
    "ListModelVersions": list_model_versions,
    "UpdateActiveModelVersion": update_active_model_version,
}
