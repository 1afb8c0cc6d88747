"""Labels: periods of time, and what people say of the equipment in them.

The id of a label begins with its start, and labels lie in the table in the order of their ids. So a list of
an interval reads the labels that start in it and, since the group knows how long its longest label is, those
before it that may reach into it: not all labels of the group.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from service.clock import iso_seconds
from service.context import Context
from service.errors import ValidationError, no_such, quoted, require_room
from service.operations.label_groups import require_label_group
from service.requests.idempotency import Plan, create_once
from service.requests.paging import paged
from service.storage.names import LABEL_GROUP, first_label_id, labels_of, new_label_id
from service.storage.records import LabelGroupRecord, LabelRecord
from service.storage.retry_on_change import retry_on_change
from service.storage.store import Delete, Update

_MEMBERS = ("LabelGroupName", "StartTime", "EndTime", "Rating", "FaultCode", "Notes", "Equipment")
_ID_LENGTH = 32
_LAST_ID = "f" * _ID_LENGTH


def create_label(context: Context, request: dict[str, Any]) -> LabelRecord:
    """Create a label. One row alone may be labelled: its start is its end then."""
    start, end = request["StartTime"], request["EndTime"]
    if end < start:
        raise ValidationError(
            f"EndTime {iso_seconds(end)} is before StartTime {iso_seconds(start)}: a label ends when it "
            "starts, or later"
        )

    def plan() -> Plan[LabelRecord]:
        group = require_label_group(context, request["LabelGroupName"])
        _require_fault_code(group, request.get("FaultCode"))
        require_room(
            f"labels in the label group '{group['LabelGroupName']}'",
            limit=context.settings.labels_per_group,
            used=int(group["labels"]),
            setting="labels_per_group",
        )
        label_id = new_label_id(start)
        label: Any = {
            "pk": labels_of(group["uuid"]),
            "sk": label_id,
            "LabelId": label_id,
            "LabelGroupArn": group["LabelGroupArn"],
            "CreatedAt": context.timestamp(),
            **{member: request[member] for member in _MEMBERS if member in request},
        }
        return Plan(record=label, writes=[_counted(group, end - start)])

    return create_once(context, "CreateLabel", request, identity="LabelId", plan=plan)


def describe_label(context: Context, request: dict[str, Any]) -> LabelRecord:
    """Return a label with its notes."""
    return _require_label(
        context, require_label_group(context, request["LabelGroupName"]), request["LabelId"]
    )


def list_labels(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return the labels of a group by their start; of a group that does not exist, none."""
    first, last = request.get("IntervalStartTime"), request.get("IntervalEndTime")
    if first is not None and last is not None and first > last:
        raise ValidationError(
            f"IntervalStartTime {iso_seconds(first)} must not be after IntervalEndTime {iso_seconds(last)}"
        )
    group = context.records.label_group(request["LabelGroupName"])
    where: dict[str, str] = {
        member: request[member] for member in ("FaultCode", "Equipment") if member in request
    }

    def records(start: str | None) -> Iterator[tuple[str, LabelRecord]]:
        if group is None:
            return
        between = (
            "0" if first is None else first_label_id(first - group["longest"]),
            _LAST_ID if last is None else first_label_id(last),
        )
        for label in context.records.labels(group["uuid"], between=between, start=start, where=where):
            if first is None or label["EndTime"] >= first:
                yield label["sk"], label

    return paged(context, "ListLabels", request, "LabelSummaries", records)


def delete_label(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a label. A model that was trained with it stays as it is."""

    def attempt() -> None:
        group = require_label_group(context, request["LabelGroupName"])
        label = _require_label(context, group, request["LabelId"])
        context.store.transact(
            Delete(label["pk"], label["sk"]),
            Update(LABEL_GROUP, group["sk"], expect={"uuid": group["uuid"]}, add={"labels": -1}),
        )

    retry_on_change(attempt)
    return {}


def _require_label(context: Context, group: LabelGroupRecord, label_id: str) -> LabelRecord:
    found = context.records.label(group["uuid"], label_id.lower()) if len(label_id) == _ID_LENGTH else None
    if found is None:
        raise no_such("label", f"{group['LabelGroupName']}/{label_id}")
    return found


def _require_fault_code(group: LabelGroupRecord, code: str | None) -> None:
    codes = group["FaultCodes"]
    if code is None or code in codes:
        return
    known = f"it has {quoted(codes)}" if codes else "it has none"
    raise ValidationError(
        f"FaultCode '{code}' is not one of the label group '{group['LabelGroupName']}', {known}: use one of "
        "these, or add the code with UpdateLabelGroup first"
    )


def _counted(group: LabelGroupRecord, length: Decimal) -> Update:
    """Return the write that counts a new label, in a group that must still be there."""
    expect: dict[str, Any] = {"uuid": group["uuid"]}
    longer = {}
    if length > group["longest"]:  # two at once: the second looks at the length of the first
        longer["longest"], expect["longest"] = length, group["longest"]
    return Update(LABEL_GROUP, group["sk"], longer, expect=expect, add={"labels": 1})


OPERATIONS = {
    "CreateLabel": create_label,
    "DescribeLabel": describe_label,
    "ListLabels": list_labels,
    "DeleteLabel": delete_label,
}
