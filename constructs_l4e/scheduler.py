"""An inference scheduler: it scores new sensor files at a fixed frequency."""

import functools
from collections.abc import Mapping
from typing import TypedDict, TypeVar, Unpack

import aws_cdk as cdk
import jsii
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.aws_events import Rule
from constructs import Construct

from constructs_l4e import _arns, _custom_resource, _names, _props, _validate, alarms, events
from constructs_l4e._environments import require_environment_of_arn
from constructs_l4e._provider import ProviderAccess
from constructs_l4e._quotas import count_output, count_scheduler
from constructs_l4e.frequencies import DataUploadFrequency, TargetSamplingRate
from constructs_l4e.input_naming import InputNaming
from constructs_l4e.interfaces import IEquipmentService, IInferenceScheduler, IModel
from constructs_l4e.metrics import MetricOptions, period
from constructs_l4e.role import ServiceRole, UsesRole, arn_of, let_use
from constructs_l4e.service_resource import ServiceResourceBase
from constructs_l4e.storage import S3Location

_Value = TypeVar("_Value")
_LONGEST_RESULT = "2026-01-31T00:00:00Z/results.jsonl"
"""The key of results below their prefix; all are as long."""


class _InferenceSchedulerProps(TypedDict, total=False):
    inference_scheduler_name: str | None
    data_delay_offset: cdk.Duration | None
    input_naming: InputNaming | None
    output_encryption_key: kms.IKey | None
    role: iam.IRole | None
    encryption_key: kms.IKey | None
    running: bool
    tags: Mapping[str, str] | None
    removal_policy: cdk.RemovalPolicy


class InferenceSchedulerProps(_InferenceSchedulerProps):
    """Props of `InferenceScheduler` besides the model."""

    data_upload_frequency: DataUploadFrequency | str | cdk.Duration
    data_input: S3Location
    data_output: S3Location


class InferenceSchedulerOptions(_InferenceSchedulerProps, total=False):
    """Props of the scheduler of a `MonitoredAsset`, which knows what is left out."""

    data_upload_frequency: DataUploadFrequency | str | cdk.Duration
    data_input: S3Location
    data_output: S3Location


class InferenceSchedulerBase(ServiceResourceBase):
    """Base of schedulers made here and of imported ones.

    Args:
        scope: parent of the construct.
        id: construct id.
        home: account and Region of the scheduler. Default: those of the stack.
    """

    _member = "InferenceSchedulerName"
    inference_scheduler_name: str
    _model_name: str | None
    _data_upload_frequency: DataUploadFrequency | None
    running: bool

    @property
    def model_name(self) -> str:
        """Name of the model: see `IInferenceScheduler`."""
        return self._known("model_name", self._model_name)

    @property
    def data_upload_frequency(self) -> DataUploadFrequency:
        """How often inference runs: see `IInferenceScheduler`."""
        return self._known("data_upload_frequency", self._data_upload_frequency)

    @functools.cached_property
    def inference_scheduler_arn(self) -> str:
        """ARN of the scheduler: a token if it is made here, and a pattern if only its name is known."""
        return self._resource.get_att("InferenceSchedulerArn").to_string()

    @property
    def _named(self) -> tuple[str, str]:
        return self.inference_scheduler_name, self.inference_scheduler_arn

    def grant_start_stop(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to start and stop the scheduler: at a deployed service, `grant_operate`."""
        return self.grant(grantee, "StartInferenceScheduler", "StopInferenceScheduler")

    def metric(self, metric_name: str, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return a metric of the scheduler; by default its sum over each `data_upload_frequency`."""
        return self._metric(
            metric_name,
            period=period(self.data_upload_frequency),
            dimensions={
                "ModelName": self.model_name,
                "InferenceSchedulerName": self.inference_scheduler_name,
            },
            options=options,
        )

    def metric_inference_succeeded(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of executions that wrote a result."""
        return self.metric("InferenceSucceeded", **options)

    def metric_inference_failed(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of executions that failed."""
        return self.metric("InferenceFailed", **options)

    def metric_inference_invalid_input(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of executions that could not use their input: bad data, role, bucket or key."""
        return self.metric("InferenceInvalidInput", **options)

    def metric_inference_missed(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of windows that were missed. Only a deployed service publishes it."""
        return self.metric("InferenceMissed", **options)

    def metric_anomaly_detected(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of executions that found an anomaly or a level that moved.

        Nothing is sent where there is none. Only a deployed service publishes it.
        """
        return self.metric("AnomalyDetected", **options)

    def metric_inference_warning(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of notices about input data. Only a deployed service publishes it."""
        return self.metric("InferenceWarning", **options)

    def metric_fault_began(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of faults that began, nothing where none did.

        A fault counts once, after half an hour of alarm, however often it comes and goes. Only a deployed
        service publishes it.
        """
        return self.metric("FaultBegan", **options)

    def metric_level_moved(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of levels that stopped counting as an anomaly, nothing where none did.

        Only a deployed service publishes it.
        """
        return self.metric("LevelMoved", **options)

    def on_anomaly_began(self, id: str, **options: Unpack[events.EventOptions]) -> Rule:
        """Return a rule for the event that a fault has begun: once for each, after half an hour of alarm."""
        return self._on(id, events.ANOMALY_BEGAN, options=options)

    def on_anomaly_ended(self, id: str, **options: Unpack[events.EventOptions]) -> Rule:
        """Return a rule for the event that a fault has ended: it was not seen for two and a half days."""
        return self._on(id, events.ANOMALY_ENDED, options=options)

    def on_level_moved(self, id: str, **options: Unpack[events.EventOptions]) -> Rule:
        """Return a rule for the event that the level of a sensor has stopped counting as an anomaly."""
        return self._on(id, events.LEVEL_MOVED, options=options)

    def on_execution_failed(self, id: str, **options: Unpack[events.EventOptions]) -> Rule:
        """Return a rule for the event that an execution has failed, or windows were missed."""
        return self._on(id, events.EXECUTION_FAILED, events.WINDOWS_MISSED, options=options)

    def add_alarms(self, id: str, **props: "Unpack[alarms.SchedulerAlarmsProps]") -> "alarms.SchedulerAlarms":
        """Add alarms; the props are those of `SchedulerAlarms` besides the scheduler."""
        return alarms.SchedulerAlarms(self, id, scheduler=self, **props)

    def _known(self, what: str, value: _Value | None) -> _Value:
        if value is None:
            raise ValueError(
                f'{what} of inference scheduler "{self.inference_scheduler_name}" is not known, and what is '
                "asked for needs it: import the scheduler with from_inference_scheduler_attributes"
            )
        return value


class _ImportedInferenceScheduler(InferenceSchedulerBase):
    @_props.checked
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        inference_scheduler_name: str,
        inference_scheduler_arn: str | None,
        model_name: str | None,
        data_upload_frequency: DataUploadFrequency | str | cdk.Duration | None,
        running: bool,
    ) -> None:
        home = service.env
        super().__init__(scope, id, home=home)
        self.service = service
        if inference_scheduler_arn is not None:
            require_environment_of_arn(inference_scheduler_arn, "inference scheduler ARN", service)
        self.inference_scheduler_name = _validate.name(
            inference_scheduler_name, shape="InferenceSchedulerName", what="inference scheduler name"
        )
        self.inference_scheduler_arn = inference_scheduler_arn or _arns.service_arn(
            self, "inference-scheduler", inference_scheduler_name, home=home
        )
        self._model_name = self._data_upload_frequency = None
        if model_name is not None:
            self._model_name = _validate.name(model_name, shape="ModelName", what="model name")
        if data_upload_frequency is not None:
            self._data_upload_frequency = _frequency(data_upload_frequency)
        self.running = running


@jsii.implements(iam.IGrantable, cdk.ITaggableV2)
class InferenceScheduler(InferenceSchedulerBase, UsesRole):
    """A scheduler that runs inference with `model` on new sensor files.

    Another model creates a new scheduler and then deletes the old one; the new one has a new name unless
    `inference_scheduler_name` fixes it. Another `encryption_key` does too, and is refused while the model
    stays the same: a model takes one scheduler. Anything else changes in place. Results stay in S3 when the
    scheduler is deleted.

    Args:
        scope: parent of the construct.
        id: construct id.
        model: the model to run.
        data_upload_frequency: how often files arrive and inference runs, as `DataUploadFrequency`, text or
            `cdk.Duration`; not shorter than the step of the model.
        data_input: where the files arrive.
        data_output: where results are written.
        inference_scheduler_name: name of the scheduler, 1 to 200 letters, digits, `_` and `-`. Default: one
            made of the construct path and a hash of the props that replace the scheduler.
        data_delay_offset: how long inference waits for late files, 0 to 60 whole minutes. Default: 0.
        input_naming: names of the input files. Default: any that the service knows.
        output_encryption_key: key of the results. Default: that of the bucket.
        role: role that may read `data_input` and write `data_output`. Default: a new one.
        encryption_key: key of the state of the scheduler. Default: the service's own.
        running: whether the scheduler runs; False stops it and keeps it. Default: True.
        tags: up to 44 tags, together with those of `cdk.Tags.of(...)`. Default: none.
        removal_policy: what happens to the scheduler when the stack is deleted, or has it no more. With
            RETAIN it runs on. One that is replaced goes in any case. Default: DESTROY.

    Raises:
        ValueError: when the frequency is shorter than the step of the model, a name, a frequency, a delay or
            a tag is not legal, or the service cannot assume `role`.
    """

    @_props.checked
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        model: IModel,
        data_upload_frequency: DataUploadFrequency | str | cdk.Duration,
        data_input: S3Location,
        data_output: S3Location,
        inference_scheduler_name: str | None = None,
        data_delay_offset: cdk.Duration | None = None,
        input_naming: InputNaming | None = None,
        output_encryption_key: kms.IKey | None = None,
        role: iam.IRole | None = None,
        encryption_key: kms.IKey | None = None,
        running: bool = True,
        tags: Mapping[str, str] | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.DESTROY,
    ) -> None:
        super().__init__(scope, id)
        self.service = model.service
        self._model_name = model.model_name
        self.running = running
        self._data_upload_frequency = frequency = _frequency(data_upload_frequency)
        _check_rate(frequency, model.target_sampling_rate)
        count_scheduler(self, model)
        count_output(self, data_output)
        self.role: iam.IRole = role or ServiceRole(
            self,
            "Role",
            service=self.service,
            reads=[data_input],
            writes=[data_output],
            output_keys=[output_encryption_key] if output_encryption_key else [],
        )
        self._tags = _custom_resource.ResourceTags(self, "InferenceScheduler", tags)
        fixed = {
            "ModelName": model.model_name,
            "ServerSideKmsKeyId": _custom_resource.key_property(self, self.service, encryption_key),
        }
        self.inference_scheduler_name, names = _names.chosen(
            self,
            inference_scheduler_name,
            shape="InferenceSchedulerName",
            what="inference scheduler name",
            fixed=fixed,
            meaning=_custom_resource.meaning(None, encryption_key),
            of=("model", model.model_name),
        )
        trusted = _arns.service_arn(self, "inference-scheduler", names)
        let_use(
            self,
            self.service,
            self.role,
            resource_arn=trusted,
            reads=[data_input],
            writes=[data_output],
        )
        ProviderAccess.of(self, self.service).allow_pass_role(self.role)
        self._resource = _custom_resource.service_resource(
            self,
            service=self.service,
            kind="InferenceScheduler",
            properties={
                "InferenceSchedulerName": self.inference_scheduler_name,
                **fixed,
                "DataUploadFrequency": frequency.value,
                "DataDelayOffsetInMinutes": _validate.whole_minutes(
                    data_delay_offset, shape="DataDelayOffsetInMinutes", what="data delay offset"
                )
                if data_delay_offset
                else None,
                "DataInputConfiguration": {
                    "S3InputConfiguration": data_input.to_api(),
                    **(input_naming or InputNaming()).to_api(),
                },
                "DataOutputConfiguration": _custom_resource.output_configuration(
                    self, data_output, output_encryption_key, longest=_LONGEST_RESULT, what="data_output"
                ),
                "RoleArn": arn_of(self.role),
                "DesiredState": "RUNNING" if running else "STOPPED",
            },
            tags=self._tags,
            depends_on=[model.ready, self.role],
            removal_policy=removal_policy,
        )

    @classmethod
    def from_inference_scheduler_name(
        cls,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        inference_scheduler_name: str,
    ) -> IInferenceScheduler:
        """Return an existing scheduler by its name, for grants; it has no metrics.

        Raises:
            ValueError: when the name is not legal.
        """
        return _ImportedInferenceScheduler(
            scope,
            id,
            service=service,
            inference_scheduler_name=inference_scheduler_name,
            inference_scheduler_arn=None,
            model_name=None,
            data_upload_frequency=None,
            running=True,
        )

    @classmethod
    def from_inference_scheduler_arn(
        cls,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        inference_scheduler_arn: str,
    ) -> IInferenceScheduler:
        """Return an existing scheduler by its ARN, for grants; it has no metrics.

        Raises:
            ValueError: when it is not the ARN of an inference scheduler, or of another account or Region than
                the service.
        """
        name = _arns.name_in_arn(
            inference_scheduler_arn, shape="InferenceSchedulerArn", what="inference scheduler ARN"
        )
        return _ImportedInferenceScheduler(
            scope,
            id,
            service=service,
            inference_scheduler_name=name,
            inference_scheduler_arn=inference_scheduler_arn,
            model_name=None,
            data_upload_frequency=None,
            running=True,
        )

    @classmethod
    def from_inference_scheduler_attributes(
        cls,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        inference_scheduler_name: str,
        model_name: str,
        data_upload_frequency: DataUploadFrequency | str | cdk.Duration,
        running: bool = True,
    ) -> IInferenceScheduler:
        """Return an existing scheduler by what its metrics and alarms need.

        Args:
            scope: parent of the construct.
            id: construct id.
            service: the service that has the scheduler.
            inference_scheduler_name: name of the scheduler.
            model_name: name of its model, a dimension of the metrics.
            data_upload_frequency: how often inference runs, the period of metrics and alarms.
            running: whether the scheduler runs, and is watched for missing results. Default: True.

        Raises:
            ValueError: when a name or the frequency is not legal.
        """
        return _ImportedInferenceScheduler(
            scope,
            id,
            service=service,
            inference_scheduler_name=inference_scheduler_name,
            inference_scheduler_arn=None,
            model_name=model_name,
            data_upload_frequency=data_upload_frequency,
            running=running,
        )

    @property
    def cdk_tag_manager(self) -> cdk.TagManager:
        """Tags of the scheduler, which `cdk.Tags.of(...)` adds to."""
        return self._tags.manager

    @property
    def grant_principal(self) -> iam.IPrincipal:
        """Role of the scheduler, for grants such as `bucket.grant_read(scheduler)`."""
        return self.role.grant_principal


def _frequency(value: DataUploadFrequency | str | cdk.Duration) -> DataUploadFrequency:
    return _validate.step(DataUploadFrequency, value, what="data upload frequency")


def _check_rate(frequency: DataUploadFrequency, rate: TargetSamplingRate | None) -> None:
    if rate is not None and frequency.seconds < rate.seconds:
        raise ValueError(
            f'data upload frequency "{frequency}" is shorter than the sampling rate "{rate}" of the model: '
            f"use {DataUploadFrequency.shortest_for(rate)} or longer, or train with a shorter sampling rate"
        )
