"""An imported model: copies of model versions that this or another account shares."""

import enum
from collections.abc import Mapping
from typing import Any, Required, TypedDict

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_l4e import _arns, _custom_resource, _names, _props, _validate
from constructs_l4e._environments import require_partition_of_source, require_same_service
from constructs_l4e._model_props import labels_property, sampling_rate, version_property, with_adaptation
from constructs_l4e._provider import ProviderAccess
from constructs_l4e._quotas import count_at_service
from constructs_l4e.frequencies import TargetSamplingRate
from constructs_l4e.interfaces import IDataset, ILabelGroup
from constructs_l4e.model import ModelBase
from constructs_l4e.role import ServiceRole, UsesRole, arn_of, let_use
from constructs_l4e.settings import Adaptation
from constructs_l4e.storage import S3Location


class InferenceDataImportStrategy(enum.StrEnum):
    """What becomes of the rows that inference has kept for the retrainings of the source."""

    NO_IMPORT = "NO_IMPORT"
    """They stay with the owner."""
    ADD_WHEN_EMPTY = "ADD_WHEN_EMPTY"
    """They come along if the model has none of its own."""
    OVERWRITE = "OVERWRITE"
    """They take the place of those that the model has."""


class ImportedModelProps(TypedDict, total=False):
    """Props of `ImportedModel` besides the dataset."""

    source_model_version_arn: Required[str]
    model_name: str | None
    inference_data: InferenceDataImportStrategy | str
    labels: S3Location | None
    label_group: ILabelGroup | None
    target_sampling_rate: TargetSamplingRate | str | cdk.Duration | None
    role: iam.IRole | None
    encryption_key: kms.IKey | None
    adaptation: Adaptation | str | None
    active_version: int | None
    tags: Mapping[str, str] | None
    removal_policy: cdk.RemovalPolicy


@jsii.implements(iam.IGrantable, cdk.ITaggableV2)
class ImportedModel(ModelBase, UsesRole):
    """A model that is a copy of a trained version, of this or another account, made when it is deployed.

    Another source becomes the next version of the model, and the active one: schedulers go on with it. Going
    back to a source makes its copy active again, and copies nothing. Labels, role, adaptation, active version
    and tags change in place too. Another dataset or key makes a new model, to which schedulers move.

    Args:
        scope: parent of the construct.
        id: construct id.
        dataset: what retrainings learn from; it has every sensor of the source.
        source_model_version_arn: ARN of the model version to copy. One of another account needs an `Allow` in
            the resource policy of the version or its model, for the account of the service or its
            `provider_role`.
        model_name: name of the model, 1 to 200 letters, digits, `_` and `-`. Default: one made of the
            construct path and a hash of the props that replace the model.
        inference_data: what becomes of the rows that inference has kept for the retrainings of the source; it
            counts for the next copy. Default: they stay with the owner.
        labels: files with known faults, for retrainings. Default: none.
        label_group: labels of these and other ratings, for retrainings. Default: none.
        target_sampling_rate: step of the source, which schedulers are checked against. Default: not known,
            nothing is checked.
        role: role that may read `labels`. Default: a new one if these are given.
        encryption_key: key of the copy. Default: the service's own.
        adaptation: what becomes of faults that grow over days and weeks: see `Model`. Default:
            `ServiceSettings.adaptation`.
        active_version: the version that inference uses, of imports and retrainings. Default: the copy of the
            source when that changes, else the service decides.
        tags: up to 44 tags, together with those of `cdk.Tags.of(...)`. Default: none.
        removal_policy: what happens to the model when the stack is deleted, or has it no more. One that is
            replaced goes in any case. Default: RETAIN_ON_UPDATE_OR_DELETE, it stays, but for a creation that
            is rolled back.

    Raises:
        ValueError: when the ARN is not that of a model version, a name, a rate, a strategy, an adaptation or
            a tag is not legal, `label_group` is of another service, the service cannot assume `role`, or
            `adaptation` is given for the AWS-managed service.
    """

    @_props.checked
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        dataset: IDataset,
        source_model_version_arn: str,
        model_name: str | None = None,
        inference_data: InferenceDataImportStrategy | str = InferenceDataImportStrategy.NO_IMPORT,
        labels: S3Location | None = None,
        label_group: ILabelGroup | None = None,
        target_sampling_rate: TargetSamplingRate | str | cdk.Duration | None = None,
        role: iam.IRole | None = None,
        encryption_key: kms.IKey | None = None,
        adaptation: Adaptation | str | None = None,
        active_version: int | None = None,
        tags: Mapping[str, str] | None = None,
        removal_policy: cdk.RemovalPolicy = _custom_resource.KEPT,
    ) -> None:
        super().__init__(scope, id)
        self.service = dataset.service
        if label_group is not None:
            part = f'label group "{label_group.label_group_name}"'
            require_same_service(part, label_group.service, self.service)
        self.target_sampling_rate = sampling_rate(target_sampling_rate)
        strategy = _validate.choice(InferenceDataImportStrategy, inference_data, what="inference data")
        _arns.source(source_model_version_arn, shape="ModelVersionArn", what="source model version ARN")
        require_partition_of_source(source_model_version_arn, "source model version ARN", self.service)
        count_at_service(self, self.service, "models")
        self._tags = _custom_resource.ResourceTags(
            self, "ImportedModel", with_adaptation(tags, adaptation, self.service)
        )
        reads = [labels] if labels else []
        self.role = role or (ServiceRole(self, "Role", service=self.service, reads=reads) if reads else None)
        fixed: dict[str, Any] = {
            "DatasetName": dataset.dataset_name,
            "ServerSideKmsKeyId": _custom_resource.key_property(self, self.service, encryption_key),
        }
        self.model_name, names = _names.chosen(
            self,
            model_name,
            shape="ModelName",
            what="model name",
            fixed=fixed,
            meaning=_custom_resource.meaning(None, encryption_key),
            of=("dataset", dataset.dataset_name),
        )
        access = ProviderAccess.of(self, self.service)
        if self.role is not None:
            trusted = _arns.service_arn(self, "model", names)
            let_use(self, self.service, self.role, resource_arn=trusted, reads=reads, writes=[])
            access.allow_pass_role(self.role)
        access.allow_import("ImportModelVersion", source_model_version_arn)
        self._resource = _custom_resource.service_resource(
            self,
            service=self.service,
            kind="ImportedModel",
            properties={
                "ModelName": self.model_name,
                **fixed,
                "SourceModelVersionArn": source_model_version_arn,
                "InferenceDataImportStrategy": strategy.value,
                "LabelsInputConfiguration": labels_property(labels, label_group),
                "RoleArn": self.role and arn_of(self.role),
                "ActiveVersion": version_property(active_version),
            },
            tags=self._tags,
            depends_on=[
                dataset.data_ready,
                *([label_group.ready] if label_group else []),
                *([self.role] if self.role else []),
            ],
            removal_policy=removal_policy,
        )
        self.ready = self._resource

    @property
    def cdk_tag_manager(self) -> cdk.TagManager:
        """Tags of the model, which `cdk.Tags.of(...)` adds to."""
        return self._tags.manager

    @property
    def grant_principal(self) -> iam.IPrincipal:
        """Role of the model, for grants such as `bucket.grant_read(model)`.

        Raises:
            ValueError: when the model has no role, because it has no label files.
        """
        if self.role is None:
            raise ValueError(
                f'model "{self.node.path}" has no role, as it reads no label files: there is nobody to grant '
                "rights to"
            )
        return self.role.grant_principal
