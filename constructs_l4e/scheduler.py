"""An inference scheduler: it scores fresh sensor files at a fixed rate."""

from collections.abc import Mapping
from typing import Required, TypedDict, Unpack

import aws_cdk as cdk
import jsii
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_l4e import _arns, _custom_resource, _names, _validate
from constructs_l4e._provider import ProviderAccess
from constructs_l4e.frequencies import DataUploadFrequency, TargetSamplingRate
from constructs_l4e.input_naming import InputNaming
from constructs_l4e.interfaces import IEquipmentService, IInferenceScheduler, IModel
from constructs_l4e.metrics import MetricOptions
from constructs_l4e.role import ServiceRole, require_usable
from constructs_l4e.storage import S3Location


class InferenceSchedulerProps(TypedDict, total=False):
    """Props of `InferenceScheduler` apart from the model."""

    inference_scheduler_name: str | None
    data_upload_frequency: Required[DataUploadFrequency | str]
    data_input: Required[S3Location]
    data_output: Required[S3Location]
    data_delay_offset: cdk.Duration | None
    input_naming: InputNaming | None
    output_encryption_key: kms.IKey | None
    role: iam.IRole | None
    encryption_key: kms.IKey | None
    running: bool
    tags: Mapping[str, str] | None


class InferenceSchedulerBase(cdk.Resource):
    """What owned and imported schedulers share."""

    service: IEquipmentService
    inference_scheduler_name: str
    inference_scheduler_arn: str
    model_name: str
    data_upload_frequency: DataUploadFrequency
    running: bool

    def grant(self, grantee: iam.IGrantable, *operations: str) -> iam.Grant:
        """Let `grantee` call operations on the scheduler, such as `DescribeInferenceScheduler`."""
        return _arns.grant(self.service, grantee, *operations, resource_arns=[self.inference_scheduler_arn])

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` see the scheduler, its executions and events."""
        return self.grant(
            grantee,
            "DescribeInferenceScheduler",
            "ListInferenceEvents",
            "ListInferenceExecutions",
            "ListTagsForResource",
        )

    def grant_start_stop(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` start and stop the scheduler."""
        return self.grant(grantee, "StartInferenceScheduler", "StopInferenceScheduler")

    def metric(self, metric_name: str, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """A metric of the scheduler; by default its sum over `data_upload_frequency`."""
        merged: MetricOptions = {
            "statistic": cloudwatch.Stats.SUM,
            "period": cdk.Duration.seconds(self.data_upload_frequency.seconds),
            **options,
        }
        return cloudwatch.Metric(
            namespace=self.service.metric_namespace,
            metric_name=metric_name,
            dimensions_map={
                "ModelName": self.model_name,
                "InferenceSchedulerName": self.inference_scheduler_name,
            },
            **merged,
        )

    def metric_inference_succeeded(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Executions that wrote a result."""
        return self.metric("InferenceSucceeded", **options)

    def metric_inference_failed(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Executions that failed."""
        return self.metric("InferenceFailed", **options)

    def metric_inference_invalid_input(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Executions that could not use their input: bad data, role, bucket or key."""
        return self.metric("InferenceInvalidInput", **options)

    def metric_anomaly_detected(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Executions that found an anomaly. A deployed service sends it, AWS's own does not."""
        return self.metric("AnomalyDetected", **options)

    def metric_inference_warning(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """What executions noticed about their input, in number. Only a deployed service sends it."""
        return self.metric("InferenceWarning", **options)


class _ImportedInferenceScheduler(InferenceSchedulerBase):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        inference_scheduler_name: str,
        model_name: str,
        data_upload_frequency: DataUploadFrequency | str,
    ) -> None:
        super().__init__(scope, id)
        self.service = service
        self.inference_scheduler_name = _validate.name(
            inference_scheduler_name, shape="InferenceSchedulerName", what="inference scheduler name"
        )
        self.inference_scheduler_arn = _arns.service_arn(
            self, "inference-scheduler", inference_scheduler_name
        )
        self.model_name = _validate.name(model_name, shape="ModelName", what="model name")
        self.data_upload_frequency = _frequency(data_upload_frequency)
        self.running = True


@jsii.implements(iam.IGrantable, cdk.ITaggableV2)
class InferenceScheduler(InferenceSchedulerBase):
    """Runs inference with `model` on the files that arrive in `data_input`, results go to `data_output`.

    - `data_upload_frequency`: how often files arrive and inference runs; no shorter than the model's step.
    - `data_delay_offset`: how long to wait for late files, 0 to 60 minutes; by default not at all.
    - `input_naming`: names of the input files; by default any that the service understands.
    - `output_encryption_key`: key of the result files; by default that of the bucket.
    - `role`: reads input and writes output; by default a new one.
    - `encryption_key`: key of the scheduler's state; by default the service's own.
    - `running`: False stops the scheduler and keeps it.

    A change of model or key creates a new scheduler, under a new name unless `inference_scheduler_name` fixes
    it, and then removes this one; anything else changes in place. Results stay in S3 when the scheduler goes.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        model: IModel,
        data_upload_frequency: DataUploadFrequency | str,
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
    ) -> None:
        super().__init__(scope, id)
        self.service = model.service
        self.model_name = model.model_name
        self.running = running
        self.data_upload_frequency = _frequency(data_upload_frequency)
        _check_rate(self.data_upload_frequency, model.target_sampling_rate)
        if role is not None:
            require_usable(role, self.service)
        self.role: iam.IRole = role or ServiceRole(
            self,
            "Role",
            service=self.service,
            reads=[data_input],
            writes=[data_output],
            output_keys=[output_encryption_key] if output_encryption_key else [],
        )
        self._tags = _custom_resource.ResourceTags("InferenceScheduler", tags)
        replace_on = {
            "ModelName": model.model_name,
            "ServerSideKmsKeyId": encryption_key and encryption_key.key_arn,
        }
        self.inference_scheduler_name = (
            _validate.name(
                inference_scheduler_name, shape="InferenceSchedulerName", what="inference scheduler name"
            )
            if inference_scheduler_name is not None
            else _names.generated(self, shape="InferenceSchedulerName", replace_on=replace_on)
        )
        ProviderAccess.of(self, self.service).allow_pass_role(self.role)
        self._resource = _custom_resource.service_resource(
            self,
            service=self.service,
            kind="InferenceScheduler",
            properties={
                "InferenceSchedulerName": self.inference_scheduler_name,
                **replace_on,
                "DataUploadFrequency": self.data_upload_frequency.value,
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
                    data_output, output_encryption_key
                ),
                "RoleArn": self.role.role_arn,
                "Tags": self._tags.rendered,
                "DesiredState": "RUNNING" if running else "STOPPED",
            },
            depends_on=[model.ready, self.role],
        )
        self.inference_scheduler_arn = self._resource.get_att_string("InferenceSchedulerArn")

    @classmethod
    def from_inference_scheduler_attributes(
        cls,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        inference_scheduler_name: str,
        model_name: str,
        data_upload_frequency: DataUploadFrequency | str,
    ) -> IInferenceScheduler:
        """A scheduler that exists, by what its metrics and alarms need."""
        return _ImportedInferenceScheduler(
            scope,
            id,
            service=service,
            inference_scheduler_name=inference_scheduler_name,
            model_name=model_name,
            data_upload_frequency=data_upload_frequency,
        )

    @property
    def cdk_tag_manager(self) -> cdk.TagManager:
        """Tags of the scheduler, so that `cdk.Tags.of(...)` reaches it."""
        return self._tags.manager

    @property
    def grant_principal(self) -> iam.IPrincipal:
        """The role, so that `bucket.grant_read(scheduler)` works."""
        return self.role.grant_principal


def _frequency(value: DataUploadFrequency | str) -> DataUploadFrequency:
    return _validate.choice(DataUploadFrequency, value, what="data upload frequency")


def _check_rate(frequency: DataUploadFrequency, rate: TargetSamplingRate | None) -> None:
    if rate is not None and frequency.seconds < rate.seconds:
        raise ValueError(
            f'data upload frequency "{frequency}" is shorter than the sampling rate "{rate}" of the model: '
            f"use {DataUploadFrequency.shortest_for(rate)} or longer, or train with a shorter sampling rate"
        )
