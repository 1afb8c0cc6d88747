"""What constructs know of each other's resources, whether made in this app or imported.

Each is a resource of the CDK: it has a node, a stack and an environment. That of an imported one is where it
is, as far as its ARNs or its service tell.
"""

from collections.abc import Sequence
from typing import Unpack

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk.aws_events import Rule
from constructs import IConstruct, IDependable
from typing_extensions import Protocol, runtime_checkable  # those of the interfaces of the CDK

from constructs_l4e.access_level import AccessLevel
from constructs_l4e.frequencies import DataUploadFrequency, TargetSamplingRate
from constructs_l4e.schema import DatasetSchema
from constructs_l4e.settings import ServiceSettings


@runtime_checkable
class IEquipmentService(cdk.IResource, Protocol):
    """The service that a construct works with: deployed, imported, or AWS's own."""

    @property
    def api_id(self) -> str | None:
        """Id of the REST API; None for the AWS-managed service."""

    @property
    def api_stage(self) -> str | None:
        """Stage of the REST API; None for the AWS-managed service."""

    @property
    def api_vpc_endpoint_ids(self) -> Sequence[str]:
        """Ids of the interface endpoints that lead to the API when it is private; none of a regional one."""

    @property
    def endpoint_url(self) -> str | None:
        """Address of the API, for `AWS_ENDPOINT_URL_LOOKOUTEQUIPMENT`; None for the AWS-managed service.

        That of a private API leads through the first of `api_vpc_endpoint_ids`, with or without private DNS.
        """

    @property
    def identity(self) -> tuple[str, str] | None:
        """What tells the service from others of its kind, after the kind; None when it is not known."""

    @property
    def settings(self) -> ServiceSettings | None:
        """Limits and choices that constructs are checked against; None when they are not known."""

    @property
    def has_adaptation(self) -> bool:
        """Whether models may have an `adaptation`."""

    @property
    def has_events(self) -> bool:
        """Whether the service sends events to the default event bus of its account and Region."""

    @property
    def trusted_by_resource(self) -> bool:
        """Whether a role can trust the service for some resources only, by external id."""

    @property
    def has_iam_actions(self) -> bool:
        """Whether IAM knows the operations as actions, as those of AWS's own service.

        Callers then need a right to each, such as `lookoutequipment:ImportDataset`, and `iam:PassRole` for
        the roles in their requests.
        """

    @property
    def data_access_principal(self) -> iam.IPrincipal:
        """Principal that accesses customer data, without conditions; trust policies use `role_trust`."""

    @property
    def access_role_path(self) -> str | None:
        """IAM path of the roles that the service can assume; None when it can assume roles of any path."""

    @property
    def provider_service_token(self) -> str:
        """Value of `ServiceToken` in the custom resources."""

    @property
    def provider_role(self) -> iam.IRole:
        """Role of the custom-resource functions."""

    @property
    def staging_bucket_name(self) -> str | None:
        """Name of the bucket whose JSON files the custom-resource functions may read.

        It is the staging bucket of the CDK in the stack of the service; a schema that is staged elsewhere
        needs a right of its own. None when the bucket is not known: each stack then assumes that it is its
        own staging bucket.
        """

    @property
    def metric_namespace(self) -> str:
        """CloudWatch namespace of the inference metrics."""

    def endpoint_url_for(
        self, level: AccessLevel | str, *, name: str | None = None, tag: tuple[str, str] | None = None
    ) -> str | None:
        """Return the address of a way in, which says what a caller may do; None for the AWS-managed service.

        Args:
            level: what may be done.
            name: only to resources that are called so, or whose names begin so and go on after `-` or `_`.
                Default: resources of any name.
            tag: only to resources with that tag, as key and value. Default: resources of any tags.

        Raises:
            ValueError: when level, name or tag has other characters than letters, digits, `_` and `-`.
        """

    def publishes(self, metric_name: str) -> bool:
        """Return whether the service publishes a metric of inference schedulers."""

    def metric(self, metric_name: str, **options: "Unpack[FleetMetricOptions]") -> cloudwatch.MathExpression:
        """Return the sum of a metric, such as `InferenceFailed`, over all schedulers or models that have it.

        It is a query of CloudWatch Metrics Insights about the whole `metric_namespace`, for dashboards of
        a fleet and alarms on it. Schedulers that are made later are in it.
        """

    def trust_with_key(self, key: kms.Key, users: Sequence[iam.IPrincipal]) -> None:
        """Let the service use a key for `users`, as far as that takes more than IAM rights."""

    def grant_operations(
        self, grantee: iam.IGrantable, operations: Sequence[str], *, name: str, arn: str
    ) -> iam.Grant:
        """Allow `grantee` to call operations of the API on the resource of a name and an ARN."""

    def grant_level(
        self, grantee: iam.IGrantable, level: AccessLevel, *, member: str, name: str, arn: str
    ) -> iam.Grant:
        """Allow `grantee` what a level has on the resource that requests name in `member`."""

    def role_trust(self, resource_arns: Sequence[str] | None = None) -> iam.IPrincipal:
        """Return principal and conditions for the trust policy of a role that the service assumes.

        Args:
            resource_arns: ARN patterns of the datasets (for ingestion), models (for labels and diagnostics)
                and inference schedulers that the service may use the role for; the service says for which it
                works as external id. Default: every resource of this account and Region. AWS's own service
                has that default always.
        """

    def grant_read(
        self, grantee: iam.IGrantable, *, name: str | None = None, tag: tuple[str, str] | None = None
    ) -> iam.Grant:
        """Allow `grantee` to describe and list, by the way in `endpoint_url_for("read", ...)`.

        `name` and `tag` are those of `endpoint_url_for`. The value of the tag may be that of the caller, as
        `("Team", "${aws:PrincipalTag/Team}")`.

        Raises:
            ValueError: when they cannot stand in a path, or the service is the AWS-managed one.
        """

    def grant_operate(
        self, grantee: iam.IGrantable, *, name: str | None = None, tag: tuple[str, str] | None = None
    ) -> iam.Grant:
        """Allow `grantee` to read, to start, stop and update schedulers, and to label: see `grant_read`."""

    def grant_full_access(
        self, grantee: iam.IGrantable, *, name: str | None = None, tag: tuple[str, str] | None = None
    ) -> iam.Grant:
        """Allow `grantee` every operation: see `grant_read`."""


@runtime_checkable
class IAssetStorage(IConstruct, Protocol):
    """Where the data of assets lies."""

    @property
    def bucket(self) -> s3.IBucket:
        """Bucket of history, labels and inference input."""

    @property
    def results_bucket(self) -> s3.IBucket:
        """Bucket of inference output and diagnostics, which may be the same."""

    def for_asset(self, asset_name: str) -> "AssetLocations":
        """Return the prefixes of one asset: `<asset>/history/`, `<asset>/labels/` and so on.

        Args:
            asset_name: name of the asset: 1 to 200 letters, digits, `.`, `_` and `-`.

        Raises:
            ValueError: when the name holds anything else.
        """


@runtime_checkable
class IServiceResource(cdk.IResource, Protocol):
    """A resource that a service has: a dataset, a label group, a model, or a scheduler."""

    @property
    def service(self) -> IEquipmentService:
        """Service that has the resource."""

    def grant(self, grantee: iam.IGrantable, *operations: str) -> iam.Grant:
        """Allow `grantee` to call `operations` on the resource, such as `DescribeModel`.

        IAM cannot tell the operations of a deployed service apart. The grantee gets the lowest level that has
        them all, held to the name of the resource: see `AccessLevel`.

        Raises:
            ValueError: when the API has no such operation.
        """

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to describe the resource and what belongs to it, and to read its tags."""

    def grant_operate(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to read the resource, and to do with it what daily work needs."""

    def grant_full_access(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` every operation on the resource."""


@runtime_checkable
class IDataset(IServiceResource, Protocol):
    """A dataset: the sensor data of an asset at the service.

    To read it includes its ingestion jobs and its sensor statistics; to operate it is to label its data.
    """

    @property
    def dataset_name(self) -> str:
        """Name; known at synthesis unless it was imported as a token."""

    @property
    def dataset_arn(self) -> str:
        """ARN; a pattern (`.../*`) when only the name is known."""

    @property
    def trusted_arn(self) -> str:
        """ARN pattern of the dataset and of those that replace it, for which roles trust the service."""

    @property
    def schema(self) -> DatasetSchema | None:
        """Components and sensors; None when ingestion detects them, or they are not known here."""

    @property
    def encryption_key(self) -> kms.IKey | None:
        """Key of the dataset; None when the service's own key is used."""

    @property
    def ready(self) -> IDependable:
        """Dependency that is met when the dataset exists."""

    @property
    def data_ready(self) -> IDependable:
        """Dependency that is met when every ingestion of this app has finished."""

    def await_ingestion(self, ingestion: IDependable) -> None:
        """Make `data_ready` wait for `ingestion` too."""

    def grant_ingest(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to start ingestion jobs: at a deployed service, full access to the dataset."""

    def grant_import(self, grantee: iam.IGrantable | str) -> "ResourcePolicy":
        """Allow an account (twelve digits), or a role or user of one, to import the dataset.

        Returns:
            The resource policy of the dataset, to which a statement was added.

        Raises:
            ValueError: when `grantee` is text and no account.
        """

    def on_ingestion_state_change(self, id: str, **options: "Unpack[EventOptions]") -> Rule:
        """Return a rule for the event that an ingestion, or the import of the dataset, has ended.

        Raises:
            ValueError: when the service is AWS's own, or in another account or Region.
        """

    def add_ingestion(self, id: str, **props: "Unpack[DataIngestionProps]") -> "DataIngestion":
        """Ingest data into the dataset; the props are those of `DataIngestion`."""

    def add_model(self, id: str, **props: "Unpack[ModelProps]") -> "Model":
        """Train a model on the dataset; the props are those of `Model`."""

    def add_imported_model(self, id: str, **props: "Unpack[ImportedModelProps]") -> "ImportedModel":
        """Import a model that may be retrained on the dataset; the props are those of `ImportedModel`."""


@runtime_checkable
class ILabelGroup(IServiceResource, Protocol):
    """Labels of what equipment did.

    To read it includes its labels; to operate it is to change and delete it and its labels.
    """

    @property
    def label_group_name(self) -> str:
        """Name; known at synthesis unless it was imported as a token."""

    @property
    def label_group_arn(self) -> str:
        """ARN; a pattern (`.../*`) when only the name is known."""

    @property
    def ready(self) -> IDependable:
        """Dependency that is met when the label group has the labels that the app describes."""

    def grant_label(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to create and delete labels: at a deployed service, `grant_operate`."""


@runtime_checkable
class IModel(IServiceResource, Protocol):
    """A trained model.

    To read it includes its versions; to operate it is to operate its retraining scheduler.
    """

    @property
    def model_name(self) -> str:
        """Name; known at synthesis unless it was imported as a token."""

    @property
    def model_arn(self) -> str:
        """ARN; a pattern (`.../*`) when only the name is known."""

    @property
    def target_sampling_rate(self) -> TargetSamplingRate | None:
        """Step of the model; None when it is the rate of the data, or not known here."""

    @property
    def ready(self) -> IDependable:
        """Dependency that is met when the model is trained."""

    def grant_import(self, grantee: iam.IGrantable | str, *, inference_data: bool = True) -> "ResourcePolicy":
        """Allow an account (twelve digits), or a role or user of one, to import versions of the model.

        Args:
            grantee: who may import.
            inference_data: whether the accumulated inference data may be imported as well. Default: True.

        Returns:
            The resource policy of the model, to which a statement was added.

        Raises:
            ValueError: when `grantee` is text and no account.
        """

    def on_state_change(self, id: str, **options: "Unpack[EventOptions]") -> Rule:
        """Return a rule for the event that the training, retraining or import of a version has ended.

        Raises:
            ValueError: when the service is AWS's own, or in another account or Region.
        """

    def add_scheduler(self, id: str, **props: "Unpack[InferenceSchedulerProps]") -> "InferenceScheduler":
        """Run inference with the model; the props are those of `InferenceScheduler`."""

    def add_retraining_scheduler(
        self, id: str, **props: "Unpack[RetrainingSchedulerProps]"
    ) -> "RetrainingScheduler":
        """Retrain the model at fixed dates; the props are those of `RetrainingScheduler`."""


@runtime_checkable
class IInferenceScheduler(IServiceResource, Protocol):
    """A scheduler that runs inference on new data.

    To read it includes its executions and events; to operate it is to start, stop and update it.
    """

    @property
    def inference_scheduler_name(self) -> str:
        """Name; known at synthesis unless it was imported as a token."""

    @property
    def inference_scheduler_arn(self) -> str:
        """ARN; a pattern (`.../*`) when only the name is known."""

    @property
    def model_name(self) -> str:
        """Name of the model; metrics have it as a dimension, beside the name of the scheduler.

        Raises:
            ValueError: when the scheduler was imported without it.
        """

    @property
    def data_upload_frequency(self) -> DataUploadFrequency:
        """How often inference runs.

        Raises:
            ValueError: when the scheduler was imported without it.
        """

    @property
    def running(self) -> bool:
        """Whether the scheduler is to run."""

    def grant_start_stop(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to start and stop the scheduler: at a deployed service, `grant_operate`."""

    def metric(self, metric_name: str, **options: "Unpack[MetricOptions]") -> cloudwatch.Metric:
        """Return a metric of the scheduler; by default its sum over each `data_upload_frequency`."""

    def metric_inference_succeeded(self, **options: "Unpack[MetricOptions]") -> cloudwatch.Metric:
        """Return the number of executions that wrote a result."""

    def metric_inference_failed(self, **options: "Unpack[MetricOptions]") -> cloudwatch.Metric:
        """Return the number of executions that failed."""

    def metric_inference_invalid_input(self, **options: "Unpack[MetricOptions]") -> cloudwatch.Metric:
        """Return the number of executions that could not use their input: bad data, role, bucket or key."""

    def metric_inference_missed(self, **options: "Unpack[MetricOptions]") -> cloudwatch.Metric:
        """Return the number of windows that were missed. Only a deployed service publishes it."""

    def metric_anomaly_detected(self, **options: "Unpack[MetricOptions]") -> cloudwatch.Metric:
        """Return the number of executions that found an anomaly. Only a deployed service publishes it."""

    def metric_inference_warning(self, **options: "Unpack[MetricOptions]") -> cloudwatch.Metric:
        """Return the number of notices about input data. Only a deployed service publishes it."""

    def metric_fault_began(self, **options: "Unpack[MetricOptions]") -> cloudwatch.Metric:
        """Return the number of faults that began, nothing where none did.

        Only a deployed service publishes it.
        """

    def metric_level_moved(self, **options: "Unpack[MetricOptions]") -> cloudwatch.Metric:
        """Return the number of levels that stopped counting as an anomaly, nothing where none did.

        Only a deployed service publishes it.
        """

    def on_anomaly_began(self, id: str, **options: "Unpack[EventOptions]") -> Rule:
        """Return a rule for the event that a fault has begun: once for each, after half an hour of alarm.

        Raises:
            ValueError: when the service is AWS's own, or in another account or Region.
        """

    def on_anomaly_ended(self, id: str, **options: "Unpack[EventOptions]") -> Rule:
        """Return a rule for the event that a fault has ended: it was not seen for two and a half days.

        Raises:
            ValueError: when the service is AWS's own, or in another account or Region.
        """

    def on_level_moved(self, id: str, **options: "Unpack[EventOptions]") -> Rule:
        """Return a rule for the event that the level of a sensor has stopped counting as an anomaly.

        Raises:
            ValueError: when the service is AWS's own, or in another account or Region.
        """

    def on_execution_failed(self, id: str, **options: "Unpack[EventOptions]") -> Rule:
        """Return a rule for the event that an execution has failed, or windows were missed.

        Raises:
            ValueError: when the service is AWS's own, or in another account or Region.
        """

    def add_alarms(self, id: str, **props: "Unpack[alarms.SchedulerAlarmsProps]") -> "alarms.SchedulerAlarms":
        """Add alarms; the props are those of `SchedulerAlarms` besides the scheduler."""


@runtime_checkable
class IRetrainingScheduler(IServiceResource, Protocol):
    """A scheduler that retrains a model.

    To read it includes its model; to operate it is to start, stop and update it; full access is to both.
    """

    @property
    def model_name(self) -> str:
        """Name of the model, by which the scheduler is known; metrics have it as their dimension."""

    @property
    def running(self) -> bool:
        """Whether the scheduler is to run."""

    def grant_start_stop(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to start and stop the scheduler: at a deployed service, `grant_operate`."""

    def metric(self, metric_name: str, **options: "Unpack[MetricOptions]") -> cloudwatch.Metric:
        """Return a metric of the model's retrainings; by default its sum over each day."""

    def metric_retraining_failed(self, **options: "Unpack[MetricOptions]") -> cloudwatch.Metric:
        """Return the number of retrainings that failed. Only a deployed service publishes it."""

    def metric_version_promoted(self, **options: "Unpack[MetricOptions]") -> cloudwatch.Metric:
        """Return the number of new versions that became active. Only a deployed service publishes it."""

    def metric_version_not_promoted(self, **options: "Unpack[MetricOptions]") -> cloudwatch.Metric:
        """Return the number of new versions that did not become active by themselves.

        They were no better, or wait for somebody (`PromoteMode.MANUAL`). Only a deployed service publishes
        it.
        """


# What the factories take and return depends on these interfaces.
from constructs_l4e import alarms  # noqa: E402 - see above
from constructs_l4e.events import EventOptions  # noqa: E402
from constructs_l4e.imported_model import ImportedModel, ImportedModelProps  # noqa: E402
from constructs_l4e.ingestion import DataIngestion, DataIngestionProps  # noqa: E402
from constructs_l4e.metrics import FleetMetricOptions, MetricOptions  # noqa: E402
from constructs_l4e.model import Model, ModelProps  # noqa: E402
from constructs_l4e.resource_policy import ResourcePolicy  # noqa: E402
from constructs_l4e.retraining_scheduler import (  # noqa: E402
    RetrainingScheduler,
    RetrainingSchedulerProps,
)
from constructs_l4e.scheduler import InferenceScheduler, InferenceSchedulerProps  # noqa: E402
from constructs_l4e.storage import AssetLocations  # noqa: E402
