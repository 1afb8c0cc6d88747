"""Custom::LookoutEquipmentInferenceScheduler."""

from collections.abc import Mapping
from typing import Any

from custom_resources.errors import ConflictError, FailedError, NotFoundError, QuotaError
from custom_resources.properties import Properties
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
)

_UPDATABLE = (
    "DataDelayOffsetInMinutes",
    "DataUploadFrequency",
    "DataInputConfiguration",
    "DataOutputConfiguration",
    "RoleArn",
)
# What completes a state in which a scheduler only is while its schedule is being changed.
_VERBS = {"PENDING": "Start", "STOPPING": "Stop"}


class InferenceScheduler(TaggedResource):
    """An inference scheduler that is running or stopped, as requested."""

    kind = "inference-scheduler"
    resource_type = "Custom::LookoutEquipmentInferenceScheduler"
    operation = "CreateInferenceScheduler"
    name_member = "InferenceSchedulerName"
    options = ("DesiredState",)
    describe = "DescribeInferenceScheduler"
    arn_member = "InferenceSchedulerArn"
    mutable = frozenset({"Tags", *_UPDATABLE})

    def create(self, context: Context, properties: Properties) -> Outcome:
        """Create the scheduler, which starts it."""
        parameters = {**properties.members, "Tags": self.tags(context.request, properties)}
        try:
            context.create("CreateInferenceScheduler", **parameters)
        except NotFoundError as missing:
            return Wait(reason=f"{missing}. Create the model first, then deploy again", patience=STUCK)
        except QuotaError as quota:
            raise self._refusal(context, properties, quota) from None
        return Again()

    def blocked(self, context: Context, properties: Properties, conflict: ConflictError) -> Outcome:
        """Wait while the model is in training, and fail when its training failed."""
        try:
            model = context.call("DescribeModel", ModelName=properties.members["ModelName"])
        except NotFoundError:
            model = {}
        if model.get("Status") == "FAILED":
            raise FailedError(
                f"{self.subject(properties)} needs a trained model, and the training of model "
                f"{model['ModelName']!r} failed: {failed_reason(model)}. "
                "Replace the model, then deploy again."
            )
        return Wait(reason=f"{conflict}. {conflict.next_step}")

    def settle(self, context: Context, properties: Properties, found: Found) -> Outcome:
        """Update what differs, then start or stop the scheduler."""
        name, status = properties.members["InferenceSchedulerName"], found.record["Status"]
        if status in _VERBS:
            return self._complete(context, name, _VERBS[status], status)
        change = _difference(properties.members, found.record)
        if change and "UpdateInferenceScheduler" not in context.done:
            try:
                context.act("UpdateInferenceScheduler", InferenceSchedulerName=name, **change)
            except ConflictError:
                if status != "RUNNING":
                    raise
                # A service that updates only stopped schedulers: stop it; later steps update and start it.
                context.act("StopInferenceScheduler", InferenceSchedulerName=name)
            return Again()
        if (status == "RUNNING") == properties.running:
            return Done(data={"InferenceSchedulerName": name, "InferenceSchedulerArn": found.arn})
        verb = "Start" if properties.running else "Stop"
        context.act(f"{verb}InferenceScheduler", InferenceSchedulerName=name)
        return Again()

    def dismantle(self, context: Context, name: str, found: Found) -> Outcome:
        """Stop the scheduler, then delete it. Its results stay in S3."""
        status = found.record["Status"]
        if status in _VERBS:
            return self._complete(context, name, "Stop", status)
        if status == "RUNNING":
            context.act("StopInferenceScheduler", InferenceSchedulerName=name)
            return Again()
        context.act("DeleteInferenceScheduler", InferenceSchedulerName=name)
        return Done(data={})

    @staticmethod
    def _complete(context: Context, name: str, verb: str, status: str) -> Outcome:
        # A start or a stop that was cut short is completed by repeating it. A service that completes them by
        # itself refuses.
        try:
            context.act(f"{verb}InferenceScheduler", InferenceSchedulerName=name)
        except ConflictError:
            return Wait(reason=f"the scheduler is still {status}. Try again when it has settled")
        return Again()

    def _refusal(self, context: Context, properties: Properties, quota: QuotaError) -> Exception:
        model = properties.members["ModelName"]
        answer = context.call("ListInferenceSchedulers", ModelName=model)
        names = [scheduler["InferenceSchedulerName"] for scheduler in answer["InferenceSchedulerSummaries"]]
        if not names:
            return quota
        return FailedError(
            f"{self.subject(properties)} cannot be created: model {model!r} already has the scheduler "
            f"{names[0]!r} ({quota.code}: {quota.text.rstrip('.')}). CloudFormation creates a replacement "
            "before it deletes the old one. Keep InferenceSchedulerName and ServerSideKmsKeyId, or change "
            "ModelName as well, or remove the scheduler in one deployment and add the new one in the next."
        )


def _difference(wanted: Mapping[str, Any], actual: Mapping[str, Any]) -> dict[str, Any]:
    target = {"DataDelayOffsetInMinutes": 0, **wanted}
    current = {"DataDelayOffsetInMinutes": 0, **actual}
    return {key: target[key] for key in _UPDATABLE if target[key] != current.get(key)}
