"""Custom::LookoutEquipmentInferenceScheduler."""

from collections.abc import Mapping
from typing import Any

from custom_resources.errors import FailedError, NotFoundError, QuotaError
from custom_resources.properties import Properties
from custom_resources.resource import STUCK, Again, Context, Found, Outcome, Wait
from custom_resources.scheduler import Scheduler

_UPDATABLE = (
    "DataDelayOffsetInMinutes",
    "DataUploadFrequency",
    "DataInputConfiguration",
    "DataOutputConfiguration",
    "RoleArn",
)


class InferenceScheduler(Scheduler):
    """An inference scheduler that is running or stopped, as requested. Its results in S3 outlive it."""

    kind = "inference-scheduler"
    noun = "InferenceScheduler"
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

    def difference(self, wanted: Mapping[str, Any], actual: Mapping[str, Any]) -> dict[str, Any]:
        """Return the members to update. A delay that is not requested is 0."""
        target = {"DataDelayOffsetInMinutes": 0, **wanted}
        current = {"DataDelayOffsetInMinutes": 0, **actual}
        return {key: target[key] for key in _UPDATABLE if target[key] != current.get(key)}

    def attributes(self, name: str, found: Found) -> Mapping[str, str]:
        """Return name and ARN."""
        return {"InferenceSchedulerName": name, "InferenceSchedulerArn": found.arn}

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
