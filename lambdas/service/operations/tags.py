"""Tags of datasets, models, model versions, inference schedulers and label groups."""

from collections.abc import Callable
from typing import Any

from service.context import Context
from service.errors import no_such
from service.members.tagging import merged_tags
from service.storage.names import (
    DATASET,
    LABEL_GROUP,
    MODEL,
    RESOURCE,
    SCHEDULER,
    version_key,
    versions_of,
)
from service.storage.retry_on_change import retry_on_change
from service.storage.store import Item

Tags = dict[str, str]

_ARN_MEMBERS = {
    DATASET: "DatasetArn",
    MODEL: "ModelArn",
    SCHEDULER: "InferenceSchedulerArn",
    LABEL_GROUP: "LabelGroupArn",
}
"""The member of the record of a resource that holds its ARN, by kind."""


def tag_resource(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Add tags to a resource; a key that it already has gets the new value."""

    def added(resource: Item) -> Tags:
        return merged_tags(context, request["Tags"], resource.get("tags"), of_model=resource["pk"] == MODEL)

    _change(context, request["ResourceArn"], added)
    return {}


def untag_resource(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Remove tags from a resource; keys that it does not have are ignored."""
    gone = set(request["TagKeys"])

    def rest(resource: Item) -> Tags:
        return {key: value for key, value in resource.get("tags", {}).items() if key not in gone}

    _change(context, request["ResourceArn"], rest)
    return {}


def list_tags_for_resource(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return the tags of a resource, by key."""
    tags: Tags = require_resource(context, request["ResourceArn"]).get("tags", {})
    return {"Tags": [{"Key": key, "Value": tags[key]} for key in sorted(tags)]}


def _change(context: Context, arn: str, change: Callable[[Item], Tags]) -> None:
    def attempt() -> None:
        resource = require_resource(context, arn)
        context.store.update(
            resource["pk"],
            resource["sk"],
            {"tags": change(resource)},
            expect={"uuid": resource["uuid"], "tags": resource.get("tags")},
        )

    retry_on_change(attempt)


def require_resource(context: Context, arn: str) -> Item:
    """Return the record of the resource with the `arn`.

    Raises:
        NotFoundError: when there is none.
    """
    resource = _find(context, arn)
    if resource is None:
        raise no_such("resource", arn)
    return resource


def _find(context: Context, arn: str) -> Item | None:
    match = RESOURCE.fullmatch(arn.split(":", 5)[-1])
    if match is None:
        return None
    kind, name, uuid, version = match.groups()
    if version is None:
        found = context.store.get(kind, name)
        arn_member = _ARN_MEMBERS[kind]
    else:
        found = context.store.get(versions_of(uuid), version_key(int(version)))
        arn_member = "ModelVersionArn"
    return found if found is not None and found[arn_member] == arn else None


OPERATIONS = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}
