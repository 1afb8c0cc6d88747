"""A model of the normal behaviour of an asset."""

import functools
from collections.abc import Mapping
from typing import Any, TypedDict, Unpack

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.aws_events import Rule
from constructs import Construct, DependencyGroup, IDependable

from constructs_l4e import _arns, _custom_resource, _names, _props, _validate, events
from constructs_l4e._environments import require_environment_of_arn, require_same_service
from constructs_l4e._limits import warn_of_limits
from constructs_l4e._model_props import (
    labels_property,
    sampling_rate,
    version_property,
    with_adaptation,
)
from constructs_l4e._provider import ProviderAccess
from constructs_l4e._quotas import count_at_service
from constructs_l4e.frequencies import TargetSamplingRate
from constructs_l4e.interfaces import IDataset, IEquipmentService, ILabelGroup, IModel
from constructs_l4e.off_condition import OffCondition
from constructs_l4e.resource_policy import ResourcePolicy, policy_of
from constructs_l4e.retraining_scheduler import RetrainingScheduler, RetrainingSchedulerProps
from constructs_l4e.role import ServiceRole, UsesRole, arn_of, let_use
from constructs_l4e.scheduler import InferenceScheduler, InferenceSchedulerProps
from constructs_l4e.schema import DatasetSchema
from constructs_l4e.service_resource import ServiceResourceBase
from constructs_l4e.settings import Adaptation
from constructs_l4e.storage import S3Location
from constructs_l4e.time_range import TimeRange

_LATEST_DIAGNOSTICS = "9999/model_diagnostics_results.json.gz"
"""The key of the diagnostics of a late version below their prefix and the name of the model."""


class ModelProps(TypedDict, total=False):
    """Props of `Model` besides the dataset."""

    model_name: str | None
    training: TimeRange | None
    evaluation: TimeRange | None
    labels: S3Location | None
    label_group: ILabelGroup | None
    target_sampling_rate: TargetSamplingRate | str | cdk.Duration | None
    off_condition: OffCondition | str | None
    schema: DatasetSchema | None
    diagnostics: S3Location | None
    diagnostics_encryption_key: kms.IKey | None
    role: iam.IRole | None
    encryption_key: kms.IKey | None
    adaptation: Adaptation | str | None
    active_version: int | None
    tags: Mapping[str, str] | None
    wait: bool
    removal_policy: cdk.RemovalPolicy


class ModelBase(ServiceResourceBase):
    """Base of models trained here and of imported ones.

    Args:
        scope: parent of the construct.
        id: construct id.
        home: account and Region of the model. Default: those of the stack.
    """

    _member = "ModelName"
    model_name: str
    target_sampling_rate: TargetSamplingRate | None
    ready: IDependable

    @functools.cached_property
    def model_arn(self) -> str:
        """ARN of the model: a token if it is made here, and a pattern if only its name is known."""
        return self._resource.get_att("ModelArn").to_string()

    @property
    def _named(self) -> tuple[str, str]:
        return self.model_name, self.model_arn

    def grant_import(self, grantee: iam.IGrantable | str, *, inference_data: bool = True) -> ResourcePolicy:
        """Allow an account, or a role or user of one, to import the versions of the model: see `IModel`."""
        policy = policy_of(self)
        policy.grant_import(grantee, inference_data=inference_data)
        return policy

    def on_state_change(self, id: str, **options: Unpack[events.EventOptions]) -> Rule:
        """Return a rule for the event that the training, retraining or import of a version has ended."""
        return self._on(id, events.MODEL_VERSION_STATE_CHANGE, options=options)

    def add_scheduler(self, id: str, **props: Unpack[InferenceSchedulerProps]) -> InferenceScheduler:
        """Run inference with the model; the props are those of `InferenceScheduler`."""
        return InferenceScheduler(self, id, model=self, **props)

    def add_retraining_scheduler(
        self, id: str, **props: Unpack[RetrainingSchedulerProps]
    ) -> RetrainingScheduler:
        """Retrain the model at fixed dates; the props are those of `RetrainingScheduler`."""
        return RetrainingScheduler(self, id, model=self, **props)


class _ImportedModel(ModelBase):
    @_props.checked
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        model_name: str,
        model_arn: str | None,
        target_sampling_rate: TargetSamplingRate | str | cdk.Duration | None,
    ) -> None:
        super().__init__(scope, id, home=service.env)
        self.service = service
        if model_arn is not None:
            require_environment_of_arn(model_arn, "model ARN", service)
        self.model_name = _validate.name(model_name, shape="ModelName", what="model name")
        self.model_arn = model_arn or _arns.service_arn(self, "model", model_name, home=self.env)
        self.target_sampling_rate = sampling_rate(target_sampling_rate)
        self.ready = DependencyGroup()


@jsii.implements(iam.IGrantable, cdk.ITaggableV2)
class Model(ModelBase, UsesRole):
    r"""A model, trained on `dataset`.

    Labels, diagnostics, role, adaptation, active version, tags and `wait` change in place. Any other change
    trains a new model, to which schedulers move, and then deletes the old one. The new one has a new name
    unless `model_name` fixes it.

    Args:
        scope: parent of the construct.
        id: construct id.
        dataset: the data to train on.
        model_name: name of the model, 1 to 200 letters, digits, `_` and `-`. Default: one made of the
            construct path and a hash of the props that replace the model.
        training: period to learn from. Default: all data of its sensors.
        evaluation: period to evaluate the model on, after `training`. Default: none.
        labels: files with known faults, which training leaves out and evaluation is measured against.
            Default: none.
        label_group: labels of these and other ratings, alone or besides `labels`. They are read when the
            training starts; later ones count for the next. Default: none.
        target_sampling_rate: step to resample the data to, as `TargetSamplingRate`, text or `cdk.Duration`.
            Default: the rate of the data.
        off_condition: when the machine is off, as `OffCondition` or as text such as `pump\speed < 10`.
            Default: never.
        schema: the sensors to use. Default: all of the dataset.
        diagnostics: where training writes its point-by-point results. The API cannot take that away from a
            model that has it. Default: nowhere.
        diagnostics_encryption_key: key of these results. Default: that of the bucket.
        role: role that may read `labels` and write `diagnostics`. Default: a new one if either is given.
        encryption_key: key of the model. Default: the service's own.
        adaptation: what becomes of faults that grow over days and weeks. It takes effect with the next
            execution, without training, and overrides the setting of the service. It is a tag of the
            model, `lookoutequipment:adaptation`. Default: `ServiceSettings.adaptation`.
        active_version: the version that inference uses, of those that retrainings have made, such as 1 to go
            back to the first. A deployment that changes the model sets it. Default: the service decides, and
            a version that was active stays when the prop is left out again.
        tags: up to 44 tags, together with those of `cdk.Tags.of(...)`. Default: none.
        wait: whether the deployment waits for the training, at most 45 minutes, and fails if it fails. With
            False it continues once the service has accepted the model, and `status` is IN_PROGRESS; a
            scheduler of the same stack waits for the model in either case. Default: True.
        removal_policy: what happens to the model when the stack is deleted, or has it no more. One that is
            replaced goes in any case. Default: RETAIN_ON_UPDATE_OR_DELETE, it stays, but for a creation that
            is rolled back.

    Raises:
        ValueError: when evaluation starts before training ends, a sensor is not one of the dataset, a name, a
            rate, an adaptation or a tag is not legal, `label_group` is of another service, the service cannot
            assume `role`, or `adaptation` is given for the AWS-managed service.
    """

    @_props.checked
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
        label_group: ILabelGroup | None = None,
        target_sampling_rate: TargetSamplingRate | str | cdk.Duration | None = None,
        off_condition: OffCondition | str | None = None,
        schema: DatasetSchema | None = None,
        diagnostics: S3Location | None = None,
        diagnostics_encryption_key: kms.IKey | None = None,
        role: iam.IRole | None = None,
        encryption_key: kms.IKey | None = None,
        adaptation: Adaptation | str | None = None,
        active_version: int | None = None,
        tags: Mapping[str, str] | None = None,
        wait: bool = True,
        removal_policy: cdk.RemovalPolicy = _custom_resource.KEPT,
    ) -> None:
        super().__init__(scope, id)
        self.service = dataset.service
        if label_group is not None:
            part = f'label group "{label_group.label_group_name}"'
            require_same_service(part, label_group.service, self.service)
        self.target_sampling_rate = sampling_rate(target_sampling_rate)
        condition = OffCondition.parse(off_condition) if isinstance(off_condition, str) else off_condition
        _check_windows(training, evaluation)
        _check_sensors(dataset.schema, schema, condition)
        self.role = role or self._own_role(labels, diagnostics, diagnostics_encryption_key)
        self._tags = _custom_resource.ResourceTags(
            self, "Model", with_adaptation(tags, adaptation, self.service)
        )

        fixed: dict[str, Any] = {
            "DatasetName": dataset.dataset_name,
            "Schema": _custom_resource.schema_property(self, self.service, schema),
            **(training.to_api("Training") if training else {}),
            **(evaluation.to_api("Evaluation") if evaluation else {}),
            "DataPreProcessingConfiguration": {"TargetSamplingRate": self.target_sampling_rate.value}
            if self.target_sampling_rate
            else None,
            "OffCondition": str(condition) if condition else None,
            "ServerSideKmsKeyId": _custom_resource.key_property(self, self.service, encryption_key),
        }
        self.model_name, names = _names.chosen(
            self,
            model_name,
            shape="ModelName",
            what="model name",
            fixed=fixed,
            meaning=_custom_resource.meaning(schema, encryption_key),
            of=("dataset", dataset.dataset_name),
        )
        if self.role is not None:
            trusted = _arns.service_arn(self, "model", names)
            let_use(
                self,
                self.service,
                self.role,
                resource_arn=trusted,
                reads=[labels] if labels else [],
                writes=[diagnostics] if diagnostics else [],
            )
            ProviderAccess.of(self, self.service).allow_pass_role(self.role)
        count_at_service(self, self.service, "models")
        warn_of_limits(
            self,
            self.service.settings,
            schema=schema or dataset.schema,
            training=training,
            evaluation=evaluation,
            rate=self.target_sampling_rate,
        )
        self._resource = _custom_resource.service_resource(
            self,
            service=self.service,
            kind="Model",
            properties={
                "ModelName": self.model_name,
                **fixed,
                "LabelsInputConfiguration": labels_property(labels, label_group),
                "RoleArn": self.role and arn_of(self.role),
                "ModelDiagnosticsOutputConfiguration": _custom_resource.output_configuration(
                    self,
                    diagnostics,
                    diagnostics_encryption_key,
                    longest=f"{self.model_name}/{_LATEST_DIAGNOSTICS}",
                    what="diagnostics",
                ),
                "Wait": "true" if wait else "false",
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

    @classmethod
    def from_model_name(
        cls,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        model_name: str,
    ) -> IModel:
        """Return an existing model by its name.

        Raises:
            ValueError: when the name is not legal.
        """
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
        """Return an existing model by its ARN.

        Raises:
            ValueError: when it is not the ARN of a model, or of another account or Region than the service.
        """
        name = _arns.name_in_arn(model_arn, shape="ModelArn", what="model ARN")
        if "/model-version/" in model_arn:  # which the pattern of the API takes too
            raise ValueError(
                f'model ARN "{model_arn}" is that of a version: give that of its model, which ends before '
                '"/model-version/"'
            )
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
        target_sampling_rate: TargetSamplingRate | str | cdk.Duration | None = None,
    ) -> IModel:
        """Return an existing model by its name and what else is known of it.

        Args:
            scope: parent of the construct.
            id: construct id.
            service: the service that has the model.
            model_name: name of the model.
            target_sampling_rate: its step, which schedulers are checked against. Default: not known, nothing
                is checked.

        Raises:
            ValueError: when the name is not legal.
        """
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
        """Tags of the model, which `cdk.Tags.of(...)` adds to."""
        return self._tags.manager

    @property
    def grant_principal(self) -> iam.IPrincipal:
        """Role of the model, for grants such as `bucket.grant_read(model)`.

        Raises:
            ValueError: when the model has no role, because it has neither labels nor diagnostics.
        """
        if self.role is None:
            raise ValueError(
                f'model "{self.node.path}" has no role, as it reads no labels and writes no diagnostics: '
                "there is nobody to grant rights to"
            )
        return self.role.grant_principal

    @property
    def status(self) -> str:
        """Status of the model after the deployment, as a token."""
        return self._resource.get_att("Status").to_string()

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
