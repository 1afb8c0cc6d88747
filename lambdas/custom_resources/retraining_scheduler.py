"""Custom::LookoutEquipmentRetrainingScheduler."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from custom_resources.errors import CallError, DeniedError, NotFoundError, QuotaError, RefusedError
from custom_resources.properties import Properties
from custom_resources.request import OWNER_TAG, REQUEST_TAG, TAG_PREFIX, Request
from custom_resources.resource import STUCK, Again, Context, Found, Outcome, Wait
from custom_resources.scheduler import Scheduler

# A retraining scheduler has no tags: its model tells whose it is.
_MARKS = {
    OWNER_TAG: f"{TAG_PREFIX}retraining-owner",
    REQUEST_TAG: f"{TAG_PREFIX}retraining-request",
}
_UPDATABLE = ("RetrainingStartDate", "RetrainingFrequency", "LookbackWindow", "PromoteMode")


class RetrainingScheduler(Scheduler):
    """The retraining scheduler of a model, running or stopped, as requested. Versions outlive it."""

    kind = "retraining-scheduler"
    noun = "RetrainingScheduler"
    resource_type = "Custom::LookoutEquipmentRetrainingScheduler"
    operation = "CreateRetrainingScheduler"
    name_member = "ModelName"
    options = ("DesiredState",)
    describe = "DescribeRetrainingScheduler"
    arn_member = "ModelArn"
    mutable = frozenset(_UPDATABLE)

    def create(self, context: Context, properties: Properties) -> Outcome:
        """Create the scheduler, which starts it, as soon as the model is trained."""
        name = properties.members["ModelName"]
        try:
            model = context.call("DescribeModel", ModelName=name)
            self.require_training(properties, model)
            if model["Status"] != "SUCCESS":
                return Wait(reason=f"model {name!r} is {model['Status']}. Deploy again when it is trained")
            self._create_marked(context, properties, model["ModelArn"])
        except NotFoundError as missing:
            return Wait(reason=f"{missing}. Create the model first, then deploy again", patience=STUCK)
        return Again()

    def _create_marked(self, context: Context, properties: Properties, model_arn: str) -> None:
        """Mark the model as having a scheduler of this owner, then create that.

        The other way round a creation that is cut short would leave a scheduler that is nobody's. If the
        service refuses, the marks go.
        """
        if "TagResource" not in context.done:
            context.act("TagResource", ResourceArn=model_arn, Tags=_marks(context.request))
        try:
            context.create("CreateRetrainingScheduler", **properties.members)
        except (DeniedError, QuotaError, RefusedError):
            with suppress(CallError):  # marks that stay do no harm: those of the next scheduler replace them
                context.act("UntagResource", ResourceArn=model_arn, TagKeys=[*_MARKS.values()])
            raise

    def find(self, context: Context, name: str) -> Found | None:
        """Return the scheduler with the tags that it would have."""
        found = super().find(context, name)
        if found is None:
            return None
        marks = {key: found.tags[mark] for key, mark in _MARKS.items() if mark in found.tags}
        return Found(record=found.record, arn=found.arn, tags=marks)

    def difference(self, wanted: Mapping[str, Any], actual: Mapping[str, Any]) -> dict[str, Any]:
        """Return the members to update. A start date that is not requested is that of a new scheduler."""
        next_day = actual["CreatedAt"] + timedelta(days=1)
        target = {"PromoteMode": "MANAGED", "RetrainingStartDate": next_day, **wanted}
        target["RetrainingStartDate"] = _midnight(target["RetrainingStartDate"])
        return {key: target[key] for key in _UPDATABLE if target[key] != actual.get(key)}

    def attributes(self, name: str, found: Found) -> Mapping[str, str]:
        """Return name and ARN of the model: a retraining scheduler has none of its own."""
        return {"ModelName": name, "ModelArn": found.arn}

    def _is_tagged(self, _found: Found, _properties: Properties) -> bool:
        return True  # of one model, everything can be changed in place

    def _tag(self, _context: Context, _properties: Properties, _found: Found) -> bool:
        return False

    def _refuse_to_make_again(self, _context: Context, _properties: Properties) -> None:
        """Nothing: a scheduler follows its model to another name."""


def _marks(request: Request) -> list[dict[str, str]]:
    values = {OWNER_TAG: request.owner, REQUEST_TAG: request.request_id}
    return [{"Key": _MARKS[key], "Value": value} for key, value in values.items()]


def _midnight(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
