"""Custom::LookoutEquipmentDatasetPolicy and Custom::LookoutEquipmentModelPolicy."""

import json
from abc import ABC
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from custom_resources.errors import ConflictError, FailedError, NotFoundError
from custom_resources.properties import Properties
from custom_resources.resource import STUCK, Again, Context, Done, Outcome, Resource, Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attached:
    """The policy that a resource has. Its `Id` says which custom resource put it, and for which request."""

    document: Mapping[str, Any]
    revision: str

    @property
    def owner(self) -> str:
        return str(self.document.get("Id", "")).partition(" ")[0]

    @property
    def made_by(self) -> str:
        return str(self.document.get("Id", "")).partition(" ")[2]


class ResourcePolicy(Resource, ABC):
    """The resource policy of a dataset or a model. Policies have no tags: its `Id` says whose it is.

    Attributes:
        arn_member: the member of the description of the dataset or model that holds its ARN.
    """

    arn_member: ClassVar[str]
    options = ("ResourcePolicy",)

    def advance(self, context: Context, properties: Properties) -> Outcome:
        """Attach the policy, or replace what this resource has attached before."""
        arn = self._arn(context, properties.members[self.name_member])
        if arn is None:
            return Wait(
                reason=f"the {self._word} does not exist. Create it, then deploy again", patience=STUCK
            )
        present = self._attached(context, arn)
        request = context.request
        if present is not None and present.owner != request.owner:
            raise FailedError(
                f"{self.kind} {properties.members[self.name_member]!r}: the {self._word} has a resource "
                "policy that does not belong to this resource. Add its statements here and delete it with"
                " DeleteResourcePolicy, or remove this resource, then deploy again."
            )
        if present is not None and _said(present.document) == _said(properties.policy):
            return Done(data={"ResourceArn": arn, "PolicyRevisionId": present.revision})
        made_by = request.request_id if present is None else present.made_by
        text = json.dumps({**properties.policy, "Id": f"{request.owner} {made_by}"})
        expected = {} if present is None else {"PolicyRevisionId": present.revision}
        try:
            context.create("PutResourcePolicy", ResourceArn=arn, ResourcePolicy=text, **expected)
        except ConflictError as conflict:
            return Wait(reason=f"{conflict}. {conflict.next_step}", patience=STUCK)
        return Again()

    def remove(self, context: Context, name: str, *, made_by: str | None = None) -> Outcome:
        """Remove the policy, unless somebody else attached it."""
        arn = self._arn(context, name)
        present = None if arn is None else self._attached(context, arn)
        if present is None or present.owner != context.request.owner:
            return Done(data={})
        if made_by is None or present.made_by == made_by:
            with suppress(NotFoundError):  # it went with its resource
                context.act("DeleteResourcePolicy", ResourceArn=arn)
        return Done(data={})

    @property
    def _word(self) -> str:
        return self.kind.removesuffix("-policy")

    def _arn(self, context: Context, name: str) -> str | None:
        try:
            return str(context.call(self.operation, **{self.name_member: name})[self.arn_member])
        except NotFoundError:
            return None

    @staticmethod
    def _attached(context: Context, arn: str) -> _Attached | None:
        try:
            answer = context.call("DescribeResourcePolicy", ResourceArn=arn)
        except NotFoundError:
            return None
        return _Attached(document=json.loads(answer["ResourcePolicy"]), revision=answer["PolicyRevisionId"])


class DatasetPolicy(ResourcePolicy):
    """The resource policy of a dataset."""

    kind = "dataset-policy"
    resource_type = "Custom::LookoutEquipmentDatasetPolicy"
    operation = "DescribeDataset"
    name_member = "DatasetName"
    arn_member = "DatasetArn"


class ModelPolicy(ResourcePolicy):
    """The resource policy of a model."""

    kind = "model-policy"
    resource_type = "Custom::LookoutEquipmentModelPolicy"
    operation = "DescribeModel"
    name_member = "ModelName"
    arn_member = "ModelArn"


def _said(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a policy says, without whose it is."""
    return {name: value for name, value in document.items() if name != "Id"}
