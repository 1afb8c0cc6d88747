"""Requests and replies held to the way in that they came by: its level, its name and its tag."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from service.customer.roles import require_role
from service.errors import NotAllowedError
from service.requests.operation_rules import NAMING_MEMBERS, OPERATION_RULES, OperationRule
from service.requests.way_in import Level, Tag
from service.storage.names import DATASET, LABEL_GROUP, MODEL, RESOURCE, SCHEDULER

if TYPE_CHECKING:  # the context holds the store, whose replies are held here
    from service.context import Context

_TAGGED = (DATASET, MODEL, SCHEDULER, LABEL_GROUP)
"""The kinds of resources whose records have their tags."""

_ROLE_PROBLEMS = {
    "NoSuchEntity": "there is no role",
    "AccessDenied": "the service may not read the tags of role",
}
"""What codes of IAM mean, as the beginning of a sentence that ends with the role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resource:
    """A resource that a request or a reply names, perhaps with the uuid that tells it from its namesakes."""

    kind: str
    name: str
    uuid: str | None = None

    def __str__(self) -> str:
        return f"the {self.kind.replace('-', ' ')} '{self.name}'"


def require_allowed(context: "Context", operation: str, request: Mapping[str, Any]) -> None:
    """Require that the way in of the caller allows a request.

    A resource that does not exist is left to the operation, which says so.

    Raises:
        NotAllowedError: when it does not; the text says why.
    """
    rule, way_in = OPERATION_RULES[operation], context.way_in
    if rule.level > way_in.level:
        raise _refused(context, operation, f"it needs '{_words(rule.level)}'")
    if not way_in.narrowed:
        return
    if rule.widens:
        raise _refused(context, operation, "it names resources of others, which only 'full' allows")
    if rule.creates is not None:
        _require_creation(context, operation, rule.creates, request)
    if rule.lists is None:
        for resource in _named(context, operation, rule, request):
            _require_held(context, operation, resource)
    if way_in.tag is not None:
        _require_tag_untouched(context, operation, way_in.tag, request)
        if "RoleArn" in request:
            _require_role(context, operation, way_in.tag, request["RoleArn"])


def shown(
    context: "Context", operation: str, entries: Iterable[tuple[str, Any]]
) -> Iterator[tuple[str, Any]]:
    """Yield those pairs of position and entry of a list that the way in of the caller lets be seen."""
    member = OPERATION_RULES[operation].lists
    if member is None or not context.way_in.narrowed:
        yield from entries
        return
    kind = NAMING_MEMBERS[member]
    known: dict[tuple[str, str], bool] = {}
    for position, entry in entries:
        if not context.way_in.has_name(entry[member]):
            continue
        if entry["pk"] == kind:  # it has the tags itself
            seen = context.way_in.has_tag(entry.get("tags", {}))
        else:
            owner = (entry[member], entry[f"{kind}Uuid"])
            if owner not in known:
                known[owner] = bool(_has_tag(context, _Resource(kind=kind, name=owner[0], uuid=owner[1])))
            seen = known[owner]
        if seen:
            yield position, entry


def _require_creation(context: "Context", operation: str, member: str, request: Mapping[str, Any]) -> None:
    resource, tag = _Resource(kind=NAMING_MEMBERS[member], name=request[member]), context.way_in.tag
    _require_name(context, operation, resource)
    given = {each["Value"] for each in request.get("Tags", ()) if tag is not None and each["Key"] == tag.key}
    if tag is not None and given != {tag.value}:
        raise _refused(context, operation, f"{resource} must be created with the tag {tag} in Tags")


def _named(
    context: "Context", operation: str, rule: OperationRule, request: Mapping[str, Any]
) -> Iterator[_Resource]:
    """Yield the existing resources that a request names."""
    for member, kind in NAMING_MEMBERS.items():
        if member in request and member != rule.creates:
            yield _Resource(kind=kind, name=request[member])
    group = request.get("LabelsInputConfiguration", {}).get("LabelGroupName")
    if group is not None:
        yield _Resource(kind=NAMING_MEMBERS["LabelGroupName"], name=group)
    for member in ("JobId", "IngestionJobId"):
        job = context.records.ingestion_job(request[member].lower()) if request.get(member) else None
        if job is not None:
            yield _Resource(kind=DATASET, name=job["DatasetName"], uuid=job["datasetUuid"])
    if "ResourceArn" in request:
        match = RESOURCE.fullmatch(request["ResourceArn"].split(":", 5)[-1])
        if match is None:
            raise _refused(
                context,
                operation,
                f"'{request['ResourceArn']}' is not a dataset, model, inference scheduler or label group",
            )
        kind, name, uuid, _ = match.groups()  # a version is held by its model
        yield _Resource(kind=kind, name=name, uuid=uuid)


def _require_held(context: "Context", operation: str, resource: _Resource) -> None:
    _require_name(context, operation, resource)
    if _has_tag(context, resource) is False:
        raise _refused(context, operation, f"{resource} does not have the tag {context.way_in.tag}")


def _require_name(context: "Context", operation: str, resource: _Resource) -> None:
    if not context.way_in.has_name(resource.name):
        raise _refused(context, operation, f"{resource} is outside the name '{context.way_in.name}'")


def _has_tag(context: "Context", resource: _Resource) -> bool | None:
    """Return whether a resource has the tag of the way in; None when there is no such resource."""
    if context.way_in.tag is None:
        return True
    if resource.kind not in _TAGGED:
        return False
    record = context.store.get(resource.kind, resource.name)
    if record is None:
        return None
    # Of a namesake, the resource of the request being gone, nobody can say whose that was.
    return resource.uuid in {None, record["uuid"]} and context.way_in.has_tag(record.get("tags", {}))


def _require_tag_untouched(context: "Context", operation: str, tag: Tag, request: Mapping[str, Any]) -> None:
    """Require that no resource leaves the tag of the way in, or another comes to it."""
    if operation == "TagResource":
        touched = any(each["Key"] == tag.key and each["Value"] != tag.value for each in request["Tags"])
    else:
        touched = operation == "UntagResource" and tag.key in request["TagKeys"]
    if touched:
        raise _refused(context, operation, f"the tag '{tag.key}' decides who has access and stays as it is")


def _require_role(context: "Context", operation: str, tag: Tag, role_arn: str) -> None:
    """Require the tag on a role too: else a caller could have the service use the role of another owner."""
    require_role(context, {"RoleArn": role_arn})
    try:
        answer = context.client("iam").list_role_tags(RoleName=role_arn.rpartition("/")[2])
    except ClientError as error:
        problem = _ROLE_PROBLEMS.get(error.response["Error"]["Code"])
        if problem is None:
            raise
        raise _refused(context, operation, f"{problem} '{role_arn}'") from error
    except BotoCoreError as error:
        raise _refused(
            context,
            operation,
            f"the tags of the role '{role_arn}' are not known, because IAM does not answer: the subnets of"
            " the API function need a route to IAM",
        ) from error
    if {"Key": tag.key, "Value": tag.value} not in answer["Tags"]:
        raise _refused(context, operation, f"the role '{role_arn}' does not have the tag {tag}: tag the role")


def _words(level: Level) -> str:
    return level.name.lower()


def _refused(context: "Context", operation: str, reason: str) -> NotAllowedError:
    return NotAllowedError(
        f"not authorized to perform lookoutequipment:{operation} by the way in '{context.way_in.path}': "
        f"{reason}"
    )
