"""The API: one signed POST for all operations, one function behind it, and the schedules that it makes."""

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from constructs_l4e._access import Access, role
from constructs_l4e._acknowledge import API, API_LOGS, acknowledge
from constructs_l4e._functions import function, function_role, log_group, write_logs
from constructs_l4e._gateway_responses import answer_like_the_service
from constructs_l4e._jobs import Jobs
from constructs_l4e._network import FunctionNetwork
from constructs_l4e._rule_packs import INLINE_POLICY, accept
from constructs_l4e._rule_packs import STAGE as STAGE_FINDINGS
from constructs_l4e._state import ServiceState
from constructs_l4e.import_source import let_ask
from constructs_l4e.service_controls import ServiceControls

STAGE = "v1"
_SHARED = ("datasets/*/components/*", "models/*/model.bin", "models/*/accumulated/*")
"""Objects that others import, by addresses which the API function signs: with its own rights."""

SCHEDULER = "scheduler.amazonaws.com"


class ServiceApi(Construct):
    """REST API, API function, and the group of the schedules with the role that they run under."""

    stage = STAGE

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        state: ServiceState,
        jobs: Jobs,
        code: lambda_.Code,
        environment: Mapping[str, str],
        access_role_path: str,
        network: FunctionNetwork,
        vpc_endpoints: Sequence[ec2.IInterfaceVpcEndpoint],
        import_access: Sequence[Access],
        importable_by: Sequence[str],
        controls: ServiceControls,
    ) -> None:
        super().__init__(scope, id)
        stack = cdk.Stack.of(self)
        schedules = scheduler.ScheduleGroup(
            self,
            "Schedules",
            # Names of schedules begin with the group's and end in a UUID; 64 characters are allowed.
            schedule_group_name=cdk.Names.unique_resource_name(self, max_length=27, separator="-"),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        schedule_role = _schedule_role(
            self,
            "ScheduleRole",
            schedules,
            description="LookoutEquipment inference schedules: invoke the inference function",
            access=[Access(actions=("lambda:InvokeFunction",), resources=(jobs.infer.function_arn,))],
        )
        # It may invoke the reconciler, which is made after the API.
        self.retraining_schedule_role = _schedule_role(
            self,
            "RetrainingScheduleRole",
            schedules,
            description="LookoutEquipment retraining schedules: invoke the reconciler",
            access=[],
        )
        self.environment = {
            **environment,
            **jobs.memory,
            "L4E_INGEST_STATE_MACHINE": jobs.ingest_machine.state_machine_arn,
            "L4E_TRAIN_STATE_MACHINE": jobs.train_machine.state_machine_arn,
            "L4E_INFER_FUNCTION": jobs.infer.function_arn,
            "L4E_SCHEDULE_GROUP": schedules.schedule_group_name,
            "L4E_SCHEDULE_ROLE": schedule_role.role_arn,
            "L4E_RETRAINING_SCHEDULE_ROLE": self.retraining_schedule_role.role_arn,
        }
        self.keep_schedules = _keep_schedules(
            stack, schedules, [schedule_role, self.retraining_schedule_role]
        )
        self.log = log = log_group(self, "Log", controls)
        reserved = controls.reserved_concurrency
        self.function = function(
            self,
            "Function",
            description="The LookoutEquipment API",
            code=code,
            handler="service.api.handler",
            role=function_role(
                self,
                "Role",
                description="LookoutEquipment API: keeps the state, starts jobs, keeps schedules",
                access=[
                    write_logs(log),
                    *state.records(
                        "BatchGetItem",
                        "ConditionCheckItem",
                        "DeleteItem",
                        "GetItem",
                        "PutItem",
                        "Query",
                        "UpdateItem",
                    ),
                    state.objects("GetObject", "PutObject", under=("documents/*",)),
                    state.objects("GetObject", under=("datasets/*/manifest.json", "datasets/*/report.json")),
                    # Of resources that are deleted.
                    state.objects(
                        "DeleteObject", under=("datasets/*", "documents/*", "models/*", "schedulers/*")
                    ),
                    *([state.objects("GetObject", under=_SHARED)] if importable_by else []),
                    *import_access,
                    state.listing(),
                    state.object_keys("Decrypt", "GenerateDataKey"),
                    Access(
                        actions=("kms:DescribeKey",),
                        resources=(stack.format_arn(service="kms", resource="key", resource_name="*"),),
                        wildcard_reason="requests name their key (ServerSideKmsKeyId), which is unknown here"
                        " and looked at before it is used; the action shows no key material, and no condition"
                        " of KMS tells the keys that are meant",
                    ),
                    jobs.start_executions(),
                    jobs.look_at_executions(),
                    jobs.stop_trainings(),
                    Access(
                        actions=("iam:ListRoleTags",),
                        resources=(
                            stack.format_arn(
                                service="iam",
                                region="",
                                resource=f"role{access_role_path}*",
                                arn_format=cdk.ArnFormat.NO_RESOURCE_NAME,
                            ),
                        ),
                        wildcard_reason="callers who are held to a tag may name roles of that path only if"
                        " these have it too",
                    ),
                    # The role of a new scheduler is tried by the function that will use it.
                    Access(actions=("lambda:InvokeFunction",), resources=(jobs.infer.function_arn,)),
                    *self.keep_schedules,
                ],
                network=network,
                controls=controls,
            ),
            log_group=log,
            environment=self.environment,
            memory_mb=512,
            # API Gateway gives up after 29 s.
            timeout=cdk.Duration.seconds(28),
            network=network,
            controls=controls,
            reserved=None if reserved is None else reserved.api,
        )
        self.rest_api = apigateway.RestApi(
            self,
            "RestApi",
            rest_api_name=cdk.Names.unique_resource_name(self, max_length=64, separator="-"),
            description="LookoutEquipment API, version 2020-12-15",
            endpoint_configuration=_endpoint_configuration(vpc_endpoints),
            policy=_only_through(vpc_endpoints) or let_ask(importable_by, self.stage),
            cloud_watch_role=False,
            deploy_options=self._stage_options(controls),
        )
        if controls.api_logging:
            self._errors_log(controls)
        # Outputs are the choice of the stack that deploys the service.
        self.rest_api.node.try_remove_child("Endpoint")
        integration = apigateway.LambdaIntegration(self.function, allow_test_invoke=False)
        # The root is everything; the path of any other request says what the caller may do.
        for resource in (self.rest_api.root, self.rest_api.root.add_resource("{proxy+}")):
            resource.add_method("POST", integration, authorization_type=apigateway.AuthorizationType.IAM)
        answer_like_the_service(self.rest_api)
        acknowledge(self.rest_api, API if controls.api_logging else {**API, **API_LOGS})
        accept(self.rest_api.deployment_stage, STAGE_FINDINGS)

    def _stage_options(self, controls: ServiceControls) -> apigateway.StageOptions:
        throttle = controls.api_throttle or apigateway.ThrottleSettings()
        logged: dict[str, Any] = {}
        if controls.api_logging:
            logged = {
                "access_log_destination": apigateway.LogGroupLogDestination(
                    log_group(self, "AccessLog", controls)
                ),
                "access_log_format": apigateway.AccessLogFormat.json_with_standard_fields(
                    caller=True,
                    http_method=True,
                    ip=True,
                    protocol=True,
                    request_time=True,
                    resource_path=True,
                    response_length=True,
                    status=True,
                    user=True,
                ),
                # Errors only: requests are in the access log, and never with their bodies.
                "logging_level": apigateway.MethodLoggingLevel.ERROR,
            }
        return apigateway.StageOptions(
            stage_name=self.stage,
            throttling_rate_limit=throttle.rate_limit,
            throttling_burst_limit=throttle.burst_limit,
            tracing_enabled=True if controls.tracing_enabled else None,
            **logged,
        )

    def _errors_log(self, controls: ServiceControls) -> None:
        """Make the log that API Gateway would else make itself, to keep for ever and without the key.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
        """
        name = f"API-Gateway-Execution-Logs_{self.rest_api.rest_api_id}/{self.stage}"
        log = log_group(self, "ErrorsLog", controls, name=name)
        self.rest_api.deployment_stage.node.add_dependency(log)

    def wake_for_retraining(self, reconciler: lambda_.Function) -> None:
        """Let the schedules that the API makes for retraining invoke this function."""
        self.function.add_environment("L4E_RETRAINING_FUNCTION", reconciler.function_arn)
        access = Access(actions=("lambda:InvokeFunction",), resources=(reconciler.function_arn,))
        # A policy of its own: the rights of the reconciler name the role.
        policy = iam.Policy(
            self,
            "RetrainingSchedules",
            statements=[access.statement()],
            roles=[self.retraining_schedule_role],
        )
        accept(policy, INLINE_POLICY)


def _schedule_role(
    scope: Construct,
    id: str,
    schedules: scheduler.ScheduleGroup,
    *,
    description: str,
    access: Sequence[Access],
) -> iam.Role:
    return role(
        scope,
        id,
        description=description,
        assumed_by=iam.ServicePrincipal(
            SCHEDULER,
            conditions={
                "StringEquals": {
                    "aws:SourceAccount": cdk.Stack.of(scope).account,
                    "aws:SourceArn": schedules.schedule_group_arn,
                }
            },
        ),
        access=access,
    )


def _endpoint_configuration(
    vpc_endpoints: Sequence[ec2.IInterfaceVpcEndpoint],
) -> apigateway.EndpointConfiguration:
    if not vpc_endpoints:
        return apigateway.EndpointConfiguration(types=[apigateway.EndpointType.REGIONAL])
    return apigateway.EndpointConfiguration(
        types=[apigateway.EndpointType.PRIVATE], vpc_endpoints=list(vpc_endpoints)
    )


def _only_through(vpc_endpoints: Sequence[ec2.IInterfaceVpcEndpoint]) -> iam.PolicyDocument | None:
    """Return the resource policy of a private API, None for a regional one, which needs none.

    It denies what comes another way, and allows nothing: within an account an Allow here would be enough
    without one of IAM, so "everybody through the endpoint" would give everybody every way in.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
    """
    if not vpc_endpoints:
        return None
    return iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                sid="OnlyThroughTheseEndpoints",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["execute-api:Invoke"],
                resources=["execute-api:/*"],
                conditions={
                    "StringNotEquals": {"aws:SourceVpce": [each.vpc_endpoint_id for each in vpc_endpoints]}
                },
            )
        ]
    )


def _keep_schedules(
    stack: cdk.Stack, schedules: scheduler.ScheduleGroup, schedule_roles: Sequence[iam.Role]
) -> tuple[Access, Access]:
    # By the prefix of the name, not by the group, which not every policy check knows.
    own_schedules = stack.format_arn(
        service="scheduler", resource="schedule", resource_name=f"*/{schedules.schedule_group_name}-*"
    )
    return (
        Access(
            actions=(
                "scheduler:CreateSchedule",
                "scheduler:DeleteSchedule",
                "scheduler:GetSchedule",
                "scheduler:UpdateSchedule",
            ),
            resources=(own_schedules,),
            wildcard_reason="one schedule per scheduler; its name begins with the service's prefix",
        ),
        Access(
            actions=("iam:PassRole",),
            resources=[each.role_arn for each in schedule_roles],
            conditions={"StringEquals": {"iam:PassedToService": SCHEDULER}},
        ),
    )
