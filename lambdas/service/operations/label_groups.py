"""Label groups: containers of labels, with the fault codes that these may have."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from service.context import Context
from service.errors import ConflictError, ValidationError, counted, name_taken, no_such, quoted, require_room
from service.members.tagging import merged_tags
from service.reconciliation.pending_deletions import delete_pending, pending_deletion
from service.reconciliation.reconcile import is_in_training
from service.requests.idempotency import Plan, create_once
from service.requests.paging import paged
from service.storage.names import LABEL_GROUP, labels_of, new_uuid
from service.storage.records import LabelGroupRecord
from service.storage.retry_on_change import retry_on_change
from service.storage.store import Delete


def create_label_group(context: Context, request: dict[str, Any]) -> LabelGroupRecord:
    """Create a label group without labels."""
    name = request["LabelGroupName"]
    codes = _fault_codes(request.get("FaultCodes", ()))
    tags = merged_tags(context, request.get("Tags", []))

    def plan() -> Plan[LabelGroupRecord]:
        if context.records.label_group(name) is not None:
            raise name_taken("label group", name)
        limit = context.settings.label_groups
        used = counted(context.records.label_groups(), limit=limit)
        require_room("label groups", limit=limit, used=used, setting="label_groups")

        uuid, now = new_uuid(), context.timestamp()
        group: LabelGroupRecord = {
            "pk": LABEL_GROUP,
            "sk": name,
            "uuid": uuid,
            "LabelGroupName": name,
            "LabelGroupArn": context.arns.label_group_arn(name, uuid),
            "FaultCodes": codes,
            "CreatedAt": now,
            "UpdatedAt": now,
            "tags": tags,
            "labels": 0,
            "longest": Decimal(0),
        }
        return Plan(record=group)

    return create_once(context, "CreateLabelGroup", request, identity="uuid", plan=plan)


def describe_label_group(context: Context, request: dict[str, Any]) -> LabelGroupRecord:
    """Return a label group."""
    return require_label_group(context, request["LabelGroupName"])


def list_label_groups(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return label groups by name."""
    prefix = request.get("LabelGroupNameBeginsWith", "")

    def records(start: str | None) -> Iterator[tuple[str, LabelGroupRecord]]:
        for group in context.records.label_groups(prefix=prefix, start=start):
            yield group["sk"], group

    return paged(context, "ListLabelGroups", request, "LabelGroupSummaries", records)


def update_label_group(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Replace the fault codes of a label group. Labels keep those that they have."""
    changes: dict[str, Any] = {"UpdatedAt": context.timestamp()}
    if "FaultCodes" in request:
        changes["FaultCodes"] = _fault_codes(request["FaultCodes"])

    def attempt() -> None:
        group = require_label_group(context, request["LabelGroupName"])
        context.store.update(LABEL_GROUP, group["sk"], changes, expect={"uuid": group["uuid"]})

    retry_on_change(attempt)
    return {}


def delete_label_group(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a label group with all its labels. Models that were trained with them stay."""

    def attempt() -> None:
        group = require_label_group(context, request["LabelGroupName"])
        _require_unused(context, group)
        context.store.transact(
            Delete(LABEL_GROUP, group["sk"], {"uuid": group["uuid"], "fence": group.get("fence")}),
            pending_deletion(context, partitions=[labels_of(group["uuid"])]),
        )

    retry_on_change(attempt)
    delete_pending(context)
    return {}


def require_label_group(context: Context, name: str) -> LabelGroupRecord:
    """Return the label group called `name`.

    Raises:
        NotFoundError: when there is none.
    """
    group = context.records.label_group(name)
    if group is None:
        raise no_such("label group", name)
    return group


def _fault_codes(codes: Sequence[str]) -> list[str]:
    """Return fault codes, each of which must be given once."""
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise ValidationError(f"FaultCodes has {quoted(twice)} more than once: give each code once")
    return list(codes)


def _require_unused(context: Context, group: LabelGroupRecord) -> None:
    """Require that no training is to read the labels of the group, or has just read them."""
    name = group["LabelGroupName"]
    for model in context.records.models_under_way():
        labels = model.get("LabelsInputConfiguration", {})
        if labels.get("LabelGroupName") == name and is_in_training(context, model):
            raise ConflictError(
                f"the label group '{name}' is in use: the model '{model['ModelName']}' is training with its "
                "labels; wait until the training is done"
            )


OPERATIONS = {
    "CreateLabelGroup": create_label_group,
    "DescribeLabelGroup": describe_label_group,
    "ListLabelGroups": list_label_groups,
    "UpdateLabelGroup": update_label_group,
    "DeleteLabelGroup": delete_label_group,
}
