"""Custom::LookoutEquipmentModel."""

from typing import Any, ClassVar

from custom_resources.errors import ConflictError, FailedError, NotFoundError, QuotaError
from custom_resources.properties import Properties
from custom_resources.request import REQUEST_TAG, PhysicalId
from custom_resources.resource import (
    STUCK,
    Again,
    Context,
    Done,
    Found,
    Outcome,
    TaggedResource,
    Wait,
    failed_reason,
    read_schema,
)

_LABELS = "LabelsInputConfiguration"
_UPDATABLE = (_LABELS, "RoleArn", "ModelDiagnosticsOutputConfiguration")
_BUSY = frozenset({"IN_PROGRESS", "IMPORT_IN_PROGRESS"})


class Model(TaggedResource):
    """A model and the training of its first version."""

    kind = "model"
    resource_type = "Custom::LookoutEquipmentModel"
    operation = "CreateModel"
    name_member = "ModelName"
    options: ClassVar[tuple[str, ...]] = ("Schema", "Wait", "ActiveVersion")
    describe = "DescribeModel"
    arn_member = "ModelArn"
    mutable = frozenset({"Tags", *_UPDATABLE})

    def create(self, context: Context, properties: Properties) -> Outcome:
        """Create the model, which starts its training."""
        parameters = {**properties.members, **read_schema(context, properties, self.subject(properties))}
        parameters["Tags"] = self.tags(context.request, properties)
        try:
            context.create("CreateModel", **parameters)
        except NotFoundError as missing:
            return Wait(reason=f"{missing}. Create what is missing first, then deploy again", patience=STUCK)
        except QuotaError as quota:
            if "pending" not in quota.text.lower():
                raise
            return Wait(reason=f"{quota}. {quota.next_step}")
        return Again()

    def settle(self, context: Context, properties: Properties, found: Found) -> Outcome:
        """Update labels, role and diagnostics, have the model learn, then activate the version asked for."""
        status = found.record["Status"]
        wanted = _updatable(context, properties)
        change = {
            member: wanted[member] for member in wanted if wanted[member] != found.record.get(member, {})
        }
        mine = found.tags.get(REQUEST_TAG) == context.request.request_id
        identity = PhysicalId(kind=self.kind, name=properties.members["ModelName"])
        fresh = mine and context.request.incoming_id != str(identity)
        if change and not fresh and "UpdateModel" not in context.done:
            if status in _BUSY:
                return Wait(reason="the model is still in training. Deploy again when it has finished")
            try:
                context.act("UpdateModel", ModelName=properties.members["ModelName"], **change)
            except ConflictError as conflict:
                return Wait(reason=f"{conflict}. {conflict.next_step}")
        unfinished = self.learn(context, properties, found)
        if unfinished is not None:
            return unfinished
        if properties.active_version not in {None, found.record.get("ActiveModelVersion")}:
            return self._activate(context, properties, found)
        return Done(
            data={
                "ModelName": properties.members["ModelName"],
                "ModelArn": found.arn,
                "Status": status,
                "ModelQuality": found.record.get("ModelQuality", "CANNOT_DETERMINE_QUALITY"),
            }
        )

    def learn(self, context: Context, properties: Properties, found: Found) -> Outcome | None:
        """Follow the training of this request; None when it is done, or need not be waited for."""
        status = found.record["Status"]
        mine = found.tags.get(REQUEST_TAG) == context.request.request_id
        if properties.wait and status in _BUSY:
            return Wait(
                reason="the training is still in progress. Set Wait to false to deploy without waiting for it"
            )
        if properties.wait and mine and _failed_in_an_earlier_attempt(context, found):
            outcome = self.dismantle(context, properties.members["ModelName"], found)
            return Again() if isinstance(outcome, Done) else outcome
        if properties.wait and status == "FAILED" and (mine or context.request.type == "Create"):
            raise FailedError(
                f"model {properties.members['ModelName']!r}: the training failed: "
                f"{failed_reason(found.record)}. Correct the data or the properties"
                f"{'' if mine else ', delete this model'}, then deploy again."
            )
        return None

    def _activate(self, context: Context, properties: Properties, found: Found) -> Outcome:
        """Make the requested version the active one, as soon as it is trained."""
        name, number = properties.members["ModelName"], properties.active_version
        try:
            version = context.call("DescribeModelVersion", ModelName=name, ModelVersion=number)
        except NotFoundError:
            raise FailedError(
                f"model {name!r} has no version {number} to activate (active: "
                f"{found.record.get('ActiveModelVersion', 'none')}). Leave ActiveVersion out, or give a "
                "version that ListModelVersions shows, then deploy again."
            ) from None
        if version["Status"] in _BUSY:
            return Wait(reason=f"version {number} is still in training. Deploy again when it has finished")
        if version["Status"] != "SUCCESS":
            raise FailedError(
                f"version {number} of model {name!r} is {version['Status']} and cannot be activated: "
                f"{failed_reason(version)}. Give another ActiveVersion, or leave it out, then deploy again."
            )
        context.act("UpdateActiveModelVersion", ModelName=name, ModelVersion=number)
        return Again()

    def dismantle(self, context: Context, name: str, found: Found) -> Outcome:
        """Delete the model when its training has ended."""
        if found.record["Status"] in _BUSY:
            since = found.record.get("TrainingExecutionStartTime", found.record.get("CreatedAt"))
            return Wait(
                reason=f"its training, begun {since}, is still in progress. Delete again when it has finished"
            )
        try:
            context.act("DeleteModel", ModelName=name)
        except ConflictError as conflict:
            answer = context.call("ListInferenceSchedulers", ModelName=name)
            schedulers = answer["InferenceSchedulerSummaries"]
            names = ", ".join(repr(scheduler["InferenceSchedulerName"]) for scheduler in schedulers)
            using = f" (inference scheduler {names} uses it)" if names else ""
            return Wait(reason=f"{conflict}{using}. {conflict.next_step}", patience=STUCK)
        return Done(data={})


def _updatable(context: Context, properties: Properties) -> dict[str, Any]:
    """Return what the model is to have of what UpdateModel changes.

    Labels that the template names no more are taken away. Of the other members, the API has no way to say so:
    they stay.
    """
    wanted = {member: properties.members[member] for member in _UPDATABLE if member in properties.members}
    return {_LABELS: {}, **wanted} if _LABELS in context.request.old_properties else wanted


def _failed_in_an_earlier_attempt(context: Context, found: Found) -> bool:
    """Return whether the training had failed, and was reported, when this attempt of the request began."""
    ended = found.record.get("TrainingExecutionEndTime")
    return (
        found.record["Status"] == "FAILED"
        and ended is not None
        and context.request.began_after(ended.timestamp())
    )
