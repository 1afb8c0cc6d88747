"""The resources as other constructs see them: owned or imported."""

from typing import TYPE_CHECKING, Protocol, Unpack, runtime_checkable

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import IDependable

from constructs_l4e.frequencies import DataUploadFrequency, TargetSamplingRate
from constructs_l4e.schema import DatasetSchema

if TYPE_CHECKING:  # the factories' results depend on these interfaces
    from constructs_l4e.ingestion import DataIngestion, DataIngestionProps
    from constructs_l4e.metrics import MetricOptions
    from constructs_l4e.model import Model, ModelProps
    from constructs_l4e.scheduler import InferenceScheduler, InferenceSchedulerProps


@runtime_checkable
class IEquipmentService(Protocol):
    """What every other construct needs to know of the service it works with."""

    @property
    def api_id(self) -> str | None:
        """Id of the REST API; None for the AWS-managed service."""

    @property
    def api_stage(self) -> str | None:
        """Stage of the REST API; None for the AWS-managed service."""

    @property
    def endpoint_url(self) -> str | None:
        """Value of `AWS_ENDPOINT_URL_LOOKOUTEQUIPMENT`; None for the AWS-managed service."""

    @property
    def data_access_principal(self) -> iam.IPrincipal:
        """Who reads and writes customer data, without conditions. Trust policies use `role_trust`."""

    @property
    def access_role_path(self) -> str | None:
        """IAM path an access role must have; None when any path will do."""

    @property
    def provider_service_token(self) -> str:
        """`ServiceToken` of the custom resources."""

    @property
    def provider_role(self) -> iam.IRole:
        """Role of the custom-resource functions."""

    @property
    def staging_bucket_name(self) -> str | None:
        """Bucket whose JSON files the custom-resource functions read: the CDK's, in the service's stack.

        A schema that is staged elsewhere needs a right of its own. None when the bucket is not known: then
        every stack takes its own staging bucket for it.
        """

    @property
    def metric_namespace(self) -> str:
        """CloudWatch namespace of the inference metrics."""

    def role_trust(self) -> iam.IPrincipal:
        """Principal and conditions for the trust policy of a role the service uses."""

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` call every operation of the service."""


@runtime_checkable
class IDataset(Protocol):
    """A dataset: the sensor data of an asset at the service."""

    @property
    def service(self) -> IEquipmentService:
        """The service the dataset is at."""

    @property
    def dataset_name(self) -> str:
        """Name; plain text at synth unless it was imported as a token."""

    @property
    def dataset_arn(self) -> str:
        """ARN; a pattern (`.../*`) when only the name is known."""

    @property
    def schema(self) -> DatasetSchema | None:
        """Components and sensors; None when ingestion finds them or they are not known here."""

    @property
    def encryption_key(self) -> kms.IKey | None:
        """Key of the dataset; None when the service's own key is used."""

    @property
    def ready(self) -> IDependable:
        """Depend on this to wait until the dataset exists."""

    @property
    def data_ready(self) -> IDependable:
        """Depend on this to wait until every ingestion of this app has finished."""

    def await_ingestion(self, ingestion: IDependable) -> None:
        """Make `data_ready` wait for one more ingestion."""

    def grant(self, grantee: iam.IGrantable, *operations: str) -> iam.Grant:
        """Let `grantee` call operations on the dataset, such as `DescribeDataset`."""

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` see the dataset and its sensor statistics."""

    def grant_ingest(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` start ingestion jobs."""

    def add_ingestion(self, id: str, **props: "Unpack[DataIngestionProps]") -> "DataIngestion":
        """Ingest data into the dataset."""

    def add_model(self, id: str, **props: "Unpack[ModelProps]") -> "Model":
        """Train a model on the dataset."""


@runtime_checkable
class IModel(Protocol):
    """A trained model."""

    @property
    def service(self) -> IEquipmentService:
        """The service the model is at."""

    @property
    def model_name(self) -> str:
        """Name; plain text at synth unless it was imported as a token."""

    @property
    def model_arn(self) -> str:
        """ARN; a pattern (`.../*`) when only the name is known."""

    @property
    def target_sampling_rate(self) -> TargetSamplingRate | None:
        """Step of the model; None when the data's own rate is kept or it is not known here."""

    @property
    def ready(self) -> IDependable:
        """Depend on this to wait until the model is trained."""

    def grant(self, grantee: iam.IGrantable, *operations: str) -> iam.Grant:
        """Let `grantee` call operations on the model, such as `DescribeModel`."""

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` see the model, its versions and metrics."""

    def add_scheduler(self, id: str, **props: "Unpack[InferenceSchedulerProps]") -> "InferenceScheduler":
        """Run inference with the model."""


@runtime_checkable
class IInferenceScheduler(Protocol):
    """A scheduler that runs inference on fresh data."""

    @property
    def service(self) -> IEquipmentService:
        """The service the scheduler is at."""

    @property
    def inference_scheduler_name(self) -> str:
        """Name; plain text at synth unless it was imported as a token."""

    @property
    def inference_scheduler_arn(self) -> str:
        """ARN; a pattern (`.../*`) when only the name is known."""

    @property
    def model_name(self) -> str:
        """Name of the model, the other dimension of the metrics."""

    @property
    def data_upload_frequency(self) -> DataUploadFrequency:
        """How often inference runs."""

    @property
    def running(self) -> bool:
        """Whether the scheduler is meant to run."""

    def grant(self, grantee: iam.IGrantable, *operations: str) -> iam.Grant:
        """Let `grantee` call operations on the scheduler, such as `DescribeInferenceScheduler`."""

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` see the scheduler, its executions and events."""

    def grant_start_stop(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let `grantee` start and stop the scheduler."""

    def metric(self, metric_name: str, **options: "Unpack[MetricOptions]") -> cloudwatch.Metric:
        """A metric of the scheduler; by default its sum over `data_upload_frequency`."""

    def metric_inference_succeeded(self, **options: "Unpack[MetricOptions]") -> cloudwatch.Metric:
        """Executions that wrote a result."""

    def metric_inference_failed(self, **options: "Unpack[MetricOptions]") -> cloudwatch.Metric:
        """Executions that failed."""

    def metric_inference_invalid_input(self, **options: "Unpack[MetricOptions]") -> cloudwatch.Metric:
        """Executions that could not use their input: bad data, role, bucket or key."""

    def metric_anomaly_detected(self, **options: "Unpack[MetricOptions]") -> cloudwatch.Metric:
        """Executions that found an anomaly. A deployed service sends it, AWS's own does not."""

    def metric_inference_warning(self, **options: "Unpack[MetricOptions]") -> cloudwatch.Metric:
        """What executions noticed about their input, in number. Only a deployed service sends it."""
