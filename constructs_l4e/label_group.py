"""A label group: labels of what equipment did, and the fault codes that they may have."""

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from constructs import Construct, DependencyGroup, IDependable

from constructs_l4e import _arns, _custom_resource, _names, _props, _validate
from constructs_l4e._environments import require_environment_of_arn
from constructs_l4e._quotas import count_at_service, count_labels
from constructs_l4e._service_model import bounds
from constructs_l4e.interfaces import IEquipmentService, ILabelGroup
from constructs_l4e.label import Label, LabelProps
from constructs_l4e.service_resource import ServiceResourceBase
from l4e_files.rated_labels import MOST_DESCRIBED

_MOST_ADDED_BYTES = 50_000
"""A template, and each event about the resource, hold few of the labels that are added one by one."""


class LabelGroupProps(TypedDict, total=False):
    """Props of `LabelGroup` besides the service."""

    label_group_name: str | None
    fault_codes: Sequence[str] | None
    labels: Sequence[Label] | None
    tags: Mapping[str, str] | None
    removal_policy: cdk.RemovalPolicy


class LabelGroupBase(ServiceResourceBase):
    """Base of label groups made here and of imported ones.

    Args:
        scope: parent of the construct.
        id: construct id.
        home: account and Region of the label group. Default: those of the stack.
    """

    _member = "LabelGroupName"
    label_group_name: str
    ready: IDependable

    @functools.cached_property
    def label_group_arn(self) -> str:
        """ARN of the label group: a token if it is made here, and a pattern if only its name is known."""
        return self._resource.get_att("LabelGroupArn").to_string()

    @property
    def _named(self) -> tuple[str, str]:
        return self.label_group_name, self.label_group_arn

    def grant_label(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to create and delete labels: at a deployed service, `grant_operate`."""
        return self.grant(grantee, "CreateLabel", "DeleteLabel", "DescribeLabel", "ListLabels")


class _ImportedLabelGroup(LabelGroupBase):
    @_props.checked
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        label_group_name: str,
        label_group_arn: str | None,
    ) -> None:
        super().__init__(scope, id, home=service.env)
        self.service = service
        if label_group_arn is not None:
            require_environment_of_arn(label_group_arn, "label group ARN", service)
        self.label_group_name = _validate.name(
            label_group_name, shape="LabelGroupName", what="label group name"
        )
        self.label_group_arn = label_group_arn or _arns.service_arn(
            self, "label-group", label_group_name, home=self.env
        )
        self.ready = DependencyGroup()


@jsii.implements(cdk.ITaggableV2)
class LabelGroup(LabelGroupBase):
    """A label group, with labels that the app describes beside those that people add.

    Fault codes, labels and tags change in place. A label of the app that changes is made again, the others
    stay; labels that people have added by the API are never touched. Models read the labels when their
    training starts.

    Args:
        scope: parent of the construct.
        id: construct id.
        service: the service that has the label group.
        label_group_name: name of the label group, 1 to 200 letters, digits, `_` and `-`. Default: one made of
            the construct path.
        fault_codes: up to 50 codes that labels may have. Default: those of `labels` and of the labels that
            are added, by name.
        labels: labels that the app describes, such as `Label.from_csv("labels.csv")`, 5,000 at most. Default:
            none.
        tags: up to 44 tags, together with those of `cdk.Tags.of(...)`. Default: none.
        removal_policy: what happens to the label group, with the labels that people have added, when the
            stack is deleted. Default: it stays, since nothing brings these back, unless its creation failed.

    Raises:
        ValueError: when a name, a tag or a fault code is not legal, a label has a fault code that is not one
            of `fault_codes`, or is described twice, or there are too many.
    """

    @_props.checked
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        label_group_name: str | None = None,
        fault_codes: Sequence[str] | None = None,
        labels: Sequence[Label] | None = None,
        tags: Mapping[str, str] | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    ) -> None:
        super().__init__(scope, id)
        self.service = service
        self._declared = None if fault_codes is None else _checked_codes(fault_codes)
        self._tags = _custom_resource.ResourceTags(self, "LabelGroup", tags)
        self._labels: list[Label] = []
        count_at_service(self, service, "label_groups")
        self._take(labels or ())
        self._given = len(self._labels)
        self.label_group_name, _ = _names.chosen(
            self, label_group_name, shape="LabelGroupName", what="label group name", fixed={}, meaning={}
        )
        self._documents: list[Any] = [
            _custom_resource.document_property(
                self, service, _document(self._labels), id="Labels", inline="InlineLabels"
            )
        ]
        self._resource = _custom_resource.service_resource(
            self,
            service=service,
            kind="LabelGroup",
            properties={
                "LabelGroupName": self.label_group_name,
                "FaultCodes": self._fault_codes(),
                "Labels": self._documents if self._labels else None,
            },
            tags=self._tags,
            removal_policy=removal_policy,
        )
        # One that is replaced stays too: its successor has the labels of the app only.
        self._resource.apply_removal_policy(removal_policy)
        self.ready = self._resource

    @classmethod
    def from_label_group_name(
        cls, scope: Construct, id: str, *, service: IEquipmentService, label_group_name: str
    ) -> ILabelGroup:
        """Return an existing label group by its name.

        Raises:
            ValueError: when the name is not legal.
        """
        return cls.from_label_group_attributes(scope, id, service=service, label_group_name=label_group_name)

    @classmethod
    def from_label_group_arn(
        cls, scope: Construct, id: str, *, service: IEquipmentService, label_group_arn: str
    ) -> ILabelGroup:
        """Return an existing label group by its ARN.

        Raises:
            ValueError: when it is not the ARN of a label group, or of another account or Region than the
                service.
        """
        return _ImportedLabelGroup(
            scope,
            id,
            service=service,
            label_group_name=_arns.name_in_arn(
                label_group_arn, shape="LabelGroupArn", what="label group ARN"
            ),
            label_group_arn=label_group_arn,
        )

    @classmethod
    def from_label_group_attributes(
        cls, scope: Construct, id: str, *, service: IEquipmentService, label_group_name: str
    ) -> ILabelGroup:
        """Return an existing label group by its name and what else is known of it, which is nothing so far.

        Raises:
            ValueError: when the name is not legal.
        """
        return _ImportedLabelGroup(
            scope, id, service=service, label_group_name=label_group_name, label_group_arn=None
        )

    def add_label(self, start: str, end: str, **props: Unpack[LabelProps]) -> Label:
        """Add a label from `start` to `end`, as `Label.between` takes them, and return it.

        Raises:
            ValueError: as the constructors of `Label` and `LabelGroup`, and when many labels are added.
        """
        label = Label.between(start, end, **props)
        self._take([label])
        added = _document(self._labels[self._given :])
        if len(added.encode()) > _MOST_ADDED_BYTES:
            raise ValueError(
                f'label group "{self.node.path}" has "{len(self._labels) - self._given}" labels that were '
                "added one by one: pass so many as `labels`, which travel in a file"
            )
        documents = [*(self._documents if self._given else []), {"InlineLabels": added}]
        self._resource.add_property_override("Labels", documents)
        self._resource.add_property_override("FaultCodes", self._fault_codes())
        return label

    @property
    def cdk_tag_manager(self) -> cdk.TagManager:
        """Tags of the label group, which `cdk.Tags.of(...)` adds to."""
        return self._tags.manager

    def _take(self, labels: Sequence[Label]) -> None:
        """Take labels among those that are described, if they may be there."""
        known = set(self._labels)
        for label in labels:
            if label in known:
                raise ValueError(f'label "{_shown(label)}" is described twice: leave one out')
            if self._declared is not None and label.fault_code not in {None, *self._declared}:
                raise ValueError(
                    f'label "{_shown(label)}" has the fault code "{label.fault_code}", which is not one of '
                    f"{_validate.few(self._declared) or 'none'}: add it to `fault_codes`, or leave these out"
                )
            known.add(label)
            self._labels.append(label)
        if len(self._labels) > MOST_DESCRIBED:
            raise ValueError(
                f'"{len(self._labels)}" labels are too many for an app to describe: use at most '
                f"{MOST_DESCRIBED:,}, and create others by the API"
            )
        _checked_codes(self._fault_codes())
        count_labels(
            self, self.service.settings, before=len(self._labels) - len(labels), now=len(self._labels)
        )

    def _fault_codes(self) -> list[str]:
        if self._declared is not None:
            return list(self._declared)
        return sorted({label.fault_code for label in self._labels if label.fault_code is not None})


def _checked_codes(codes: Sequence[str]) -> Sequence[str]:
    """Return fault codes if a label group can have them."""
    _, most = bounds("FaultCodes")
    if len(codes) > most:
        raise ValueError(f'"{len(codes)}" fault codes are too many: use at most {most}')
    for code in codes:
        _validate.text(code, shape="FaultCode", what="fault code", fix="use 1 to 100 characters")
        if codes.count(code) > 1:
            raise ValueError(f'fault code "{code}" is given twice: leave one out')
    return codes


def _document(labels: Sequence[Label]) -> str:
    return json.dumps([label.to_api() for label in labels], separators=(",", ":"))


def _shown(label: Label) -> str:
    members = label.to_api()
    return f"{members['StartTime']} to {members['EndTime']}"
