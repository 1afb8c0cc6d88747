"""The LookoutEquipment service of an app: deployed in the account, imported, or AWS's own."""

import dataclasses
from collections.abc import Sequence
from typing import Unpack

import aws_cdk as cdk
import jsii
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from constructs_l4e import _api_endpoints, _props, _validate, _ways_in, import_source
from constructs_l4e._access import Access
from constructs_l4e._handle import Handle, parameter_name_in, parameter_of_stack
from constructs_l4e._imported_service import ImportedService
from constructs_l4e._jobs import Jobs, training_mebibytes
from constructs_l4e._key_policies import let_logs_use
from constructs_l4e._large_training import check_quota
from constructs_l4e._managed_service import ManagedService
from constructs_l4e._network import function_network
from constructs_l4e._packages import service_code
from constructs_l4e._provider import ResourceProvider
from constructs_l4e._reconciler import Reconciler
from constructs_l4e._rest_api import ServiceApi
from constructs_l4e._state import ServiceState
from constructs_l4e.access_level import AccessLevel
from constructs_l4e.import_source import ImportSource
from constructs_l4e.interfaces import IEquipmentService
from constructs_l4e.large_jobs import LargeJobs
from constructs_l4e.metrics import MetricOptions
from constructs_l4e.numeric_layer import NumericLayer
from constructs_l4e.service_base import ACCESS_ROLE_PATH, EquipmentServiceBase
from constructs_l4e.service_controls import ServiceControls
from constructs_l4e.settings import ServiceSettings

METRIC_NAMESPACE = "LookoutEquipment"
"""Default CloudWatch namespace: accounts cannot publish into `AWS/LookoutEquipment`."""

PARALLEL_READS = 5
"""Default of the files that an ingestion reads at once: half of the concurrent functions of a new account."""


def _with_log_key(controls: ServiceControls, encryption_key: kms.IKey | None) -> ServiceControls:
    """Return the controls with the key of the logs: that of the state, unless they name another."""
    return dataclasses.replace(controls, log_encryption_key=controls.log_encryption_key or encryption_key)


@jsii.implements(ec2.IConnectable)
class EquipmentService(EquipmentServiceBase):
    """The LookoutEquipment service, deployed into this account and Region.

    Args:
        scope: parent of the construct. Give the service a stack of its own, so that stacks of assets can be
            added and deleted without it.
        id: construct id.
        numeric_layer: Lambda layer with numpy and pyarrow for python3.14 on arm64: a `NumericLayer`, or one
            of your own. Default: `NumericLayer.bundled()`, made of the packages' own wheels.
        settings: limits and choices. Default: those of Amazon Lookout for Equipment.
        metric_namespace: CloudWatch namespace of the inference metrics. Default: `LookoutEquipment`.
        encryption_key: key of all state and all logs. Default: a new one that rotates every year, for the
            state; logs have the key of CloudWatch Logs.
        training_memory: memory of the training function, 2,048 to 10,240 MiB; its processors go with it. A
            new account is held to 3,008 MiB, until AWS raises that on request. Default: 3,008 MiB.
        parallel_reads: files that an ingestion reads at once, each in a run of a function of its own; from 1.
            A new account may have a quota of 10 concurrent runs, which AWS raises on request. Default: 5.
        large_jobs: how trainings run that are too large for the training function. Default: there are none,
            every training runs in the function.
        vpc: VPC that the functions run in. Its subnets must lead to the AWS services that the functions call
            (`FunctionVpcEndpoints`). Default: outside every VPC.
        vpc_subnets: subnets of the functions, none of them public. Default: the private subnets of `vpc`.
        security_groups: security groups of the functions. Default: a new one that lets HTTPS out and nothing
            in.
        api_vpc_endpoints: the `execute-api` interface endpoints (`ServiceVpcEndpoint`) through which alone
            the API is reached, which is then private. They may be in any VPC of this account and Region.
            Default: the API is regional, and reached from the internet.
        removal_policy: what happens to the state (ingested data, models, records) when the stack is deleted.
            Default: RETAIN_ON_UPDATE_OR_DELETE, it stays, but for a first deployment that fails. With DESTROY
            the bucket is emptied and everything deleted.
        deletion_protection: whether DynamoDB refuses to delete the table of records. Turn it on once the
            service is deployed: it would also refuse CloudFormation that takes back a first deployment that
            failed. Default: False; a table that somebody deletes can be restored for 35 days.
        import_sources: services of other accounts or Regions from which datasets and model versions can be
            imported. Default: none, imports are within this service.
        importable_by: accounts whose services may ask this one for what its resource policies let them
            import. Default: none.
        controls: what the rules of the account ask: concurrency, dead letters, tracing, logs, boundary.
            Default: what suits every account.

    Raises:
        ValueError: when the numeric layer cannot be had, the metric namespace is one of AWS's,
            `parallel_reads` is below 1, `training_memory` is out of bounds, functions cannot work in the
            subnets, `api_vpc_endpoints` is empty or has endpoints of another service, `importable_by` has no
            account or is given for a private API, or two `import_sources` are of one account and Region.
    """

    bucket: s3.Bucket
    """Bucket of the state: ingested data, models."""
    table: dynamodb.Table
    """Table of the state: records of datasets, models, schedulers and executions."""
    encryption_key: kms.IKey
    """Key of the state."""
    job_role: iam.Role
    """Role of the jobs, which roles for data access trust."""
    dead_letters: sqs.IQueue
    """Queue of the events that the reconciler could not handle."""
    api: apigateway.RestApi
    """The REST API."""
    api_id: str
    """Id of the REST API."""
    api_log_group: logs.LogGroup
    """Log of the API function, with the audit record of each call."""

    @_props.checked
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        numeric_layer: NumericLayer | lambda_.ILayerVersion | None = None,
        settings: ServiceSettings | None = None,
        metric_namespace: str = METRIC_NAMESPACE,
        encryption_key: kms.IKey | None = None,
        training_memory: cdk.Size | None = None,
        parallel_reads: int = PARALLEL_READS,
        large_jobs: LargeJobs | None = None,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        api_vpc_endpoints: Sequence[ec2.IInterfaceVpcEndpoint] | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        deletion_protection: bool = False,
        import_sources: Sequence[ImportSource] | None = None,
        importable_by: Sequence[str] | None = None,
        controls: ServiceControls | None = None,
    ) -> None:
        super().__init__(scope, id)
        _validate.namespace(metric_namespace)
        if not cdk.Token.is_unresolved(parallel_reads) and parallel_reads < 1:
            raise ValueError(
                f"parallel_reads is {parallel_reads}: give the number of files to read at once, from 1"
            )
        training_mib = training_mebibytes(training_memory)
        vpc_endpoints = _api_endpoints.checked(api_vpc_endpoints)
        if vpc_endpoints and importable_by:
            raise ValueError(
                f"importable_by {_validate.few(importable_by)}: a private API is not reached from other"
                " accounts; leave importable_by or api_vpc_endpoints out"
            )
        network = function_network(
            self, "Network", vpc=vpc, vpc_subnets=vpc_subnets, security_groups=security_groups
        )
        self._security_groups = network.security_groups
        controls = _with_log_key(controls or ServiceControls(), encryption_key)
        if controls.log_encryption_key is not None:
            let_logs_use(self, controls.log_encryption_key)
        if controls.permissions_boundary is not None:
            iam.PermissionsBoundary.of(self).apply(controls.permissions_boundary)
        self.metric_namespace = metric_namespace
        self.access_role_path = ACCESS_ROLE_PATH
        self._state = ServiceState(
            self,
            "State",
            encryption_key=encryption_key,
            removal_policy=removal_policy,
            deletion_protection=deletion_protection,
            access_logs_bucket=controls.access_logs_bucket,
        )
        self.bucket = self._state.bucket
        self.table = self._state.table
        self.encryption_key = self._state.key
        self.identity = ("made here", self.node.path)
        self.settings = limits = settings or ServiceSettings()
        layer = NumericLayer.bundled() if numeric_layer is None else numeric_layer
        code = service_code()
        environment = {
            "L4E_ACCOUNT": cdk.Stack.of(self).account,
            "L4E_TABLE": self.table.table_name,
            "L4E_BUCKET": self.bucket.bucket_name,
            "L4E_METRIC_NAMESPACE": metric_namespace,
            "L4E_SETTINGS": limits.to_json(),
            **network.environment,
            **import_source.to_environment(import_sources or ()),
        }
        jobs = Jobs(
            self,
            "Jobs",
            state=self._state,
            code=code,
            layer=layer.bind(self) if isinstance(layer, NumericLayer) else layer,
            environment=environment,
            access_role_path=ACCESS_ROLE_PATH,
            metric_namespace=metric_namespace,
            training_mib=training_mib,
            parallel_reads=parallel_reads,
            large_jobs=large_jobs,
            import_access=import_source.ask(self, import_sources or ()),
            network=network,
            controls=controls,
        )
        check_quota(
            self,
            limits,
            training_mib=training_mib,
            threshold=None if jobs.large is None else jobs.large.threshold,
        )
        self.job_role = jobs.role
        self.data_access_principal = iam.ArnPrincipal(jobs.role.role_arn)
        api = ServiceApi(
            self,
            "Api",
            state=self._state,
            jobs=jobs,
            code=code,
            environment=environment,
            access_role_path=ACCESS_ROLE_PATH,
            network=network,
            vpc_endpoints=vpc_endpoints,
            import_access=import_source.ask(self, import_sources or ()),
            importable_by=importable_by or (),
            controls=controls,
        )
        self._api_function = api.function
        self._jobs = jobs
        reconciler = Reconciler(
            self,
            "Reconciler",
            state=self._state,
            jobs=jobs,
            code=code,
            environment=api.environment,
            keep_schedules=api.keep_schedules,
            network=network,
            controls=controls,
        )
        api.wake_for_retraining(reconciler.function)
        self.dead_letters = reconciler.dead_letters
        self.api = api.rest_api
        self.api_id = api.rest_api.rest_api_id
        self.api_stage = api.stage
        self.api_vpc_endpoint_ids = tuple(each.vpc_endpoint_id for each in vpc_endpoints)
        self.api_log_group = api.log
        invoked = vpc is not None or bool(vpc_endpoints)  # else the API is regional, and can be called
        provider = ResourceProvider(
            self,
            "Provider",
            access=()
            if invoked
            else [Access(actions=("execute-api:Invoke",), resources=(str(self.way_in_arn("")),))],
            environment={
                "L4E_API_ID": self.api_id,
                "L4E_API_STAGE": self.api_stage,
                "L4E_URL_SUFFIX": cdk.Aws.URL_SUFFIX,
            },
            signing_extras=True,
            encryption_key=self.encryption_key,
            network=network,
            controls=controls,
            api_function=api.function if invoked else None,
        )
        provider.wait_for(self._state, jobs, api, reconciler)
        self.provider_service_token = provider.service_token
        self.provider_role = provider.role
        self.staging_bucket_name = provider.staging_bucket_name

    @property
    def endpoint_url(self) -> str:
        """Address of the API, for `AWS_ENDPOINT_URL_LOOKOUTEQUIPMENT`."""
        return self._address_of(self.api_id)

    def endpoint_url_for(
        self, level: AccessLevel | str, *, name: str | None = None, tag: tuple[str, str] | None = None
    ) -> str:
        """Return the address of a way in: see `IEquipmentService`."""
        return f"{self.endpoint_url}/{_ways_in.path(level, name=name, tag=tag)}"

    def apply_removal_policy(self, policy: cdk.RemovalPolicy) -> None:
        """Say what happens to the state when the stack is deleted; an own key keeps its policy."""
        self.bucket.apply_removal_policy(policy)
        self.table.apply_removal_policy(policy)

    def metric_api_calls(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of calls of the API, refused ones included."""
        return self.api.metric_count(**options)

    def metric_api_client_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of calls that were answered with an error of the caller, or were throttled."""
        return self.api.metric_client_error(**options)

    def metric_api_server_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of calls that were answered with an error of the service."""
        return self.api.metric_server_error(**options)

    def metric_api_latency(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how long calls took, in milliseconds; by default their average."""
        return self.api.metric_latency(**options)

    def metric_api_throttles(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of calls for which Lambda had no free function."""
        return self._api_function.metric_throttles(**options)

    def metric_ingestions_failed(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of ingestions and imports that failed; stopped ones do not count."""
        return self._jobs.ingest_machine.metric_failed(**options)

    def metric_trainings_failed(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the number of trainings and retrainings that failed; stopped ones do not count."""
        return self._jobs.train_machine.metric_failed(**options)

    def metric_dead_letters(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many events `dead_letters` holds; by default the most of each period."""
        merged: MetricOptions = {"statistic": "Maximum", **options}
        return self.dead_letters.metric_approximate_number_of_messages_visible(**merged)

    @property
    def connections(self) -> ec2.Connections:
        """Network connections of the functions, for the security groups of endpoints that they use.

        Raises:
            ValueError: when the functions are outside every VPC.
        """
        if not self._security_groups:
            raise ValueError(
                f"the functions of service '{self.node.path}' are outside every VPC, so they have no security"
                " groups: pass vpc= to run them in one"
            )
        return ec2.Connections(security_groups=list(self._security_groups))

    def add_parameter(self, id: str, *, parameter_name: str | None = None) -> ssm.IStringListParameter:
        """Publish what other apps need to know of the service, for `from_parameter` and `from_stack_name`.

        Args:
            id: construct id.
            parameter_name: name of the parameter of Systems Manager, such as `/plant/lookoutequipment`.
                Default: `/lookoutequipment/` and the name of the stack, where `from_stack_name` looks.

        Raises:
            ValueError: when the name does not begin with a slash, or there is none and the stack is nested,
                so that only its deployment gives it a name.
        """
        name = parameter_name or parameter_of_stack(cdk.Stack.of(self).stack_name)
        return Handle(
            api_id=self.api_id,
            api_stage=str(self.api_stage),
            data_access_role_arn=self.job_role.role_arn,
            provider_service_token=self.provider_service_token,
            provider_role_arn=self.provider_role.role_arn,
            metric_namespace=self.metric_namespace,
        ).write(self, id, parameter_name_in(name))

    @classmethod
    def from_parameter(
        cls,
        scope: Construct,
        id: str,
        *,
        parameter_name: str,
        api_vpc_endpoint_ids: Sequence[str] = (),
        staging_bucket_name: str | None = None,
        settings: ServiceSettings | None = None,
    ) -> IEquipmentService:
        """Return a service of this account and Region by the parameter that `add_parameter` made.

        CloudFormation reads the parameter in each deployment.

        Args:
            scope: parent of the construct.
            id: construct id.
            parameter_name: name of the parameter.
            api_vpc_endpoint_ids: see `from_equipment_service_attributes`.
            staging_bucket_name: see `from_equipment_service_attributes`.
            settings: see `from_equipment_service_attributes`.

        Raises:
            ValueError: when the name does not begin with a slash.
        """
        handle = Handle.read(scope, parameter_name_in(parameter_name))
        return cls.from_equipment_service_attributes(
            scope,
            id,
            **dataclasses.asdict(handle),
            api_vpc_endpoint_ids=api_vpc_endpoint_ids,
            staging_bucket_name=staging_bucket_name,
            settings=settings,
        )

    @classmethod
    def from_stack_name(
        cls,
        scope: Construct,
        id: str,
        *,
        stack_name: str,
        api_vpc_endpoint_ids: Sequence[str] = (),
        staging_bucket_name: str | None = None,
        settings: ServiceSettings | None = None,
    ) -> IEquipmentService:
        """Return a service of this account and Region by the name of its stack.

        The stack must have the parameter that `add_parameter` makes when it is given no name. CloudFormation
        reads it in each deployment.

        Args:
            scope: parent of the construct.
            id: construct id.
            stack_name: name of the stack of the service.
            api_vpc_endpoint_ids: see `from_equipment_service_attributes`.
            staging_bucket_name: see `from_equipment_service_attributes`.
            settings: see `from_equipment_service_attributes`.

        Raises:
            ValueError: when no stack can have that name.
        """
        return cls.from_parameter(
            scope,
            id,
            parameter_name=parameter_of_stack(stack_name),
            api_vpc_endpoint_ids=api_vpc_endpoint_ids,
            staging_bucket_name=staging_bucket_name,
            settings=settings,
        )

    @classmethod
    def aws_managed(cls, scope: Construct, id: str) -> IEquipmentService:
        """Return AWS's own service, with a custom-resource provider in this stack.

        AWS ended that service on 7 October 2026. It is here for stacks that must synthesise as before.
        """
        return ManagedService(scope, id)

    @classmethod
    def from_equipment_service_attributes(
        cls,
        scope: Construct,
        id: str,
        *,
        api_id: str,
        api_stage: str,
        data_access_role_arn: str,
        provider_service_token: str,
        provider_role_arn: str,
        api_vpc_endpoint_ids: Sequence[str] = (),
        staging_bucket_name: str | None = None,
        metric_namespace: str = METRIC_NAMESPACE,
        settings: ServiceSettings | None = None,
    ) -> IEquipmentService:
        """Return a service that another stack or app deploys.

        Its account and Region are those of `provider_service_token`, if that is known at synthesis.

        Args:
            scope: parent of the construct.
            id: construct id.
            api_id: id of the REST API: `api_id` of the service.
            api_stage: stage of the REST API: `api_stage`.
            data_access_role_arn: ARN of the role that accesses customer data: `job_role.role_arn`.
            provider_service_token: `ServiceToken` of the custom resources: `provider_service_token`.
            provider_role_arn: ARN of the role of the custom-resource functions: `provider_role.role_arn`.
            api_vpc_endpoint_ids: ids of the interface endpoints that lead to its API, when that is private:
                `api_vpc_endpoint_ids`. Default: none, the API is regional.
            staging_bucket_name: bucket in which the CDK stages files of the service's stack:
                `staging_bucket_name`. Needed when it differs from that of the stack that uses the service, as
                with another bootstrap qualifier. Default: the same bucket.
            metric_namespace: CloudWatch namespace of the inference metrics. Default: `LookoutEquipment`.
            settings: limits of the service, which models are checked against. Default: not known, nothing is
                checked.

        Raises:
            ValueError: when an id, stage or ARN cannot be one, or the ARNs are of different accounts.
        """
        return ImportedService(
            scope,
            id,
            api_id=api_id,
            api_stage=api_stage,
            api_vpc_endpoint_ids=api_vpc_endpoint_ids,
            data_access_role_arn=data_access_role_arn,
            provider_service_token=provider_service_token,
            provider_role_arn=provider_role_arn,
            staging_bucket_name=staging_bucket_name,
            metric_namespace=metric_namespace,
            settings=settings,
        )
