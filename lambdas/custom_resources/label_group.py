"""Custom::LookoutEquipmentLabelGroup."""

from custom_resources.errors import ConflictError
from custom_resources.group_labels import GroupLabels
from custom_resources.properties import Properties, parse_labels
from custom_resources.resource import (
    STUCK,
    Again,
    Context,
    Done,
    Found,
    Outcome,
    TaggedResource,
    Wait,
    document_text,
)


class LabelGroup(TaggedResource):
    """A label group, and those of its labels that the template describes."""

    kind = "label-group"
    resource_type = "Custom::LookoutEquipmentLabelGroup"
    operation = "CreateLabelGroup"
    name_member = "LabelGroupName"
    options = ("Labels", "RemovalPolicy")
    describe = "DescribeLabelGroup"
    arn_member = "LabelGroupArn"
    mutable = frozenset({"Tags", "FaultCodes"})

    def create(self, context: Context, properties: Properties) -> Outcome:
        """Create the group without labels."""
        parameters = {**properties.members, "Tags": self.tags(context.request, properties)}
        context.create("CreateLabelGroup", **parameters)
        return Again()

    def settle(self, context: Context, properties: Properties, found: Found) -> Outcome:
        """Replace fault codes that differ, then create and delete labels until they are as described."""
        name, codes = properties.members["LabelGroupName"], properties.members.get("FaultCodes", [])
        if found.record.get("FaultCodes", []) != codes:
            context.act("UpdateLabelGroup", LabelGroupName=name, FaultCodes=codes)
            return Again()
        model, subject = context.equipment.model, self.subject(properties)
        labels = [
            label
            for document in properties.labels
            for label in parse_labels(document_text(context, document), model=model, subject=subject)
        ]
        left = GroupLabels(context, name=name, arn=found.arn).advance(labels)
        if left:
            return Wait(reason=f"{left:,} labels are still to be written. Deploy again to write the rest")
        return Done(data={"LabelGroupName": name, "LabelGroupArn": found.arn})

    def remove(self, context: Context, name: str, *, made_by: str | None = None) -> Outcome:
        """Take one step towards the removal of the group, and of what is remembered of its labels."""
        outcome = super().remove(context, name, made_by=made_by)
        if isinstance(outcome, Done) and self.find(context, name) is None:
            GroupLabels.forget(context, name)
        return outcome

    def dismantle(self, context: Context, name: str, found: Found) -> Outcome:
        """Delete the group with all its labels, when no training uses it."""
        del found  # in any state
        try:
            context.act("DeleteLabelGroup", LabelGroupName=name)
        except ConflictError as conflict:
            return Wait(reason=f"{conflict}. {conflict.next_step}", patience=STUCK)
        return Done(data={})
