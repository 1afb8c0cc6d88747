"""A model: what normal behaviour of an asset looks like."""

from collections.abc import Mapping
from typing import Any, TypedDict, Unpack

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct, DependencyGroup

from constructs_l4e import _arns, _custom_resource, _names, _validate
from constructs_l4e._provider import ProviderAccess
from constructs_l4e.frequencies import TargetSamplingRate
from constructs_l4e.interfaces import IDataset, IEquipmentService, IModel
from constructs_l4e.off_condition import OffCondition
from constructs_l4e.role import ServiceRole, require_usable
from constructs_l4e.scheduler import InferenceScheduler, InferenceSchedulerProps
from constructs_l4e.schema import DatasetSchema
from constructs_l4e.storage import S3Location
from constructs_l4e.time_range import TimeRange


class ModelProps(TypedDict, total=False):
    """Props of `Model` apart from the dataset."""

    model_name: str | None
    training: TimeRange | None
    evaluation: TimeRange | None
    labels: S3Location | None
    target_sampling_rate: TargetSamplingRate | str | None
    off_condition: OffCondition | str | None
    schema: DatasetSchema | None
    diagnostics: S3Location | None
    diagnostics_encryption_key: kms.IKey | None
    role: iam.IRole | None
    encryption_key: kms.IKey | None
    tags: Mapping[str, str] | None
    wait: bool
    removal_policy: cdk.RemovalPolicy


class ModelBase(cdk.Resource):
    """What owned and imported models share."""

    service: IEquipmentService
    model_name: str
    model_arn: str
    target_sampling_rate: TargetSamplingRate | None

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.ready = DependencyGroup()

    def grant(self, grantee: iam.IGrantable, *operations: str) -> iam.Grant:
        """Let `grantee` call operations on the model, such as `DescribeModel`."""
        return _arns.grant(self.service, grantee, *operations, resource_arns=[self.model_arn])

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` see the model, its versions and metrics."""
        return self.grant(grantee, "DescribeModel", "ListModelVersions", "ListTagsForResource")

    def add_scheduler(self, id: str, **props: Unpack[InferenceSchedulerProps]) -> InferenceScheduler:
        """Run inference with the model."""
        return InferenceScheduler(self, id, model=self, **props)


class _ImportedModel(ModelBase):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        model_name: str,
        model_arn: str | None,
        target_sampling_rate: TargetSamplingRate | None,
    ) -> None:
        super().__init__(scope, id)
        self.service = service
        self.model_name = _validate.name(model_name, shape="ModelName", what="model name")
        self.model_arn = model_arn or _arns.service_arn(self, "model", model_name)
        self.target_sampling_rate = target_sampling_rate


@jsii.implements(iam.IGrantable, cdk.ITaggableV2)
class Model(ModelBase):
    """Trains a model on `dataset`; the deployment waits for it, unless told not to.

    - `training`, `evaluation`: periods to learn from and to test on; by default all data trains and nothing
      is tested. Evaluation comes after training.
    - `labels`: files with the known faults, to leave out of training and to test against.
    - `target_sampling_rate`: step the data is resampled to; by default its own.
    - `off_condition`: when the machine is off, as `OffCondition` or text such as `pump\\speed < 10`.
    - `schema`: the sensors to use; by default all of the dataset.
    - `diagnostics`: where training writes its point-by-point results; by default nowhere.
    - `role`: reads labels and writes diagnostics; by default a new one, if there is need.
    - `encryption_key`: key of the model; by default the service's own.
    - `wait`: whether the deployment waits until the model is trained, at most 45 minutes, and fails if the
      training fails; by default it does. With False it goes on as soon as the service has accepted the model,
      and `status` is IN_PROGRESS. A scheduler of the same stack waits for the model in any case.
    - `removal_policy`: by default the model goes with the stack: it can be trained again from the data in S3.

    Labels, diagnostics, role, tags and `wait` change in place. Any other change trains a new model, under a
    new name unless `model_name` fixes it, and then removes this one; schedulers follow.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        dataset: IDataset,
        model_name: str | None = None,
        training: TimeRange | None = None,
        evaluation: TimeRange | None = None,
        labels: S3Location | None = None,
        target_sampling_rate: TargetSamplingRate | str | None = None,
        off_condition: OffCondition | str | None = None,
        schema: DatasetSchema | None = None,
        diagnostics: S3Location | None = None,
        diagnostics_encryption_key: kms.IKey | None = None,
        role: iam.IRole | None = None,
        encryption_key: kms.IKey | None = None,
        tags: Mapping[str, str] | None = None,
        wait: bool = True,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.DESTROY,
    ) -> None:
        super().__init__(scope, id)
        self.service = dataset.service
        self.target_sampling_rate = (
            _validate.choice(TargetSamplingRate, target_sampling_rate, what="target sampling rate")
            if target_sampling_rate is not None
            else None
        )
        condition = OffCondition.parse(off_condition) if isinstance(off_condition, str) else off_condition
        _check_windows(training, evaluation)
        _check_sensors(dataset.schema, schema, condition)
        if role is not None:
            require_usable(role, self.service)
        self.role = role or self._own_role(labels, diagnostics, diagnostics_encryption_key)
        self._tags = _custom_resource.ResourceTags("Model", tags)

        replace_on: dict[str, Any] = {
            "DatasetName": dataset.dataset_name,
            "Schema": _custom_resource.schema_document(self, self.service, schema),
            **(training.to_api("Training") if training else {}),
            **(evaluation.to_api("Evaluation") if evaluation else {}),
            "DataPreProcessingConfiguration": {"TargetSamplingRate": self.target_sampling_rate.value}
            if self.target_sampling_rate
            else None,
            "OffCondition": str(condition) if condition else None,
            "ServerSideKmsKeyId": encryption_key and encryption_key.key_arn,
        }
        self.model_name = (
            _validate.name(model_name, shape="ModelName", what="model name")
            if model_name is not None
            else _names.generated(self, shape="ModelName", replace_on=replace_on)
        )
        if self.role is not None:
            ProviderAccess.of(self, self.service).allow_pass_role(self.role)
        self._resource = _custom_resource.service_resource(
            self,
            service=self.service,
            kind="Model",
            properties={
                "ModelName": self.model_name,
                **replace_on,
                "LabelsInputConfiguration": {"S3InputConfiguration": labels.to_api()} if labels else None,
                "RoleArn": self.role and self.role.role_arn,
                "ModelDiagnosticsOutputConfiguration": _custom_resource.output_configuration(
                    diagnostics, diagnostics_encryption_key
                ),
                "Tags": self._tags.rendered,
                "Wait": "true" if wait else "false",
            },
            depends_on=[dataset.data_ready, *([self.role] if self.role else [])],
            removal_policy=removal_policy,
        )
        self.ready.add(self._resource)
        self.model_arn = self._resource.get_att_string("ModelArn")

    @classmethod
    def from_model_name(
        cls,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        model_name: str,
    ) -> IModel:
        """A model by its name."""
        return cls.from_model_attributes(scope, id, service=service, model_name=model_name)

    @classmethod
    def from_model_arn(
        cls,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        model_arn: str,
    ) -> IModel:
        """A model by its ARN."""
        name = _arns.name_in_arn(model_arn, shape="ModelArn", what="model ARN")
        return _ImportedModel(
            scope, id, service=service, model_name=name, model_arn=model_arn, target_sampling_rate=None
        )

    @classmethod
    def from_model_attributes(
        cls,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        model_name: str,
        target_sampling_rate: TargetSamplingRate | None = None,
    ) -> IModel:
        """A model by its name and what checks of its schedulers need."""
        return _ImportedModel(
            scope,
            id,
            service=service,
            model_name=model_name,
            model_arn=None,
            target_sampling_rate=target_sampling_rate,
        )

    @property
    def cdk_tag_manager(self) -> cdk.TagManager:
        """Tags of the model, so that `cdk.Tags.of(...)` reaches it."""
        return self._tags.manager

    @property
    def grant_principal(self) -> iam.IPrincipal:
        """The role, so that `bucket.grant_read(model)` works."""
        if self.role is None:
            raise ValueError(
                f'model "{self.node.path}" has no role, as it reads no labels and writes no diagnostics: '
                "there is nobody to grant rights to"
            )
        return self.role.grant_principal

    @property
    def status(self) -> str:
        """Status of the model after the deployment (a token)."""
        return self._resource.get_att_string("Status")

    def _own_role(
        self, labels: S3Location | None, diagnostics: S3Location | None, key: kms.IKey | None
    ) -> iam.IRole | None:
        if labels is None and diagnostics is None:
            return None
        return ServiceRole(
            self,
            "Role",
            service=self.service,
            reads=[labels] if labels else [],
            writes=[diagnostics] if diagnostics else [],
            output_keys=[key] if key else [],
        )


def _check_windows(training: TimeRange | None, evaluation: TimeRange | None) -> None:
    if training is None or evaluation is None or training.end <= evaluation.start:
        return
    raise ValueError(
        f'evaluation starts at "{evaluation.start.isoformat()}", before training ends at '
        f'"{training.end.isoformat()}": a model must be tested on data it has not seen, so move one of them'
    )


def _check_sensors(
    whole: DatasetSchema | None, subset: DatasetSchema | None, condition: OffCondition | None
) -> None:
    if whole is not None and subset is not None:
        subset.require_subset_of(whole)
    used = subset or whole
    if used is not None and condition is not None:
        condition.require_sensor_in(used)
