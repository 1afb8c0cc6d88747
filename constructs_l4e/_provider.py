"""The custom-resource provider, and its rights: the one place that knows the CDK's provider framework."""

from collections.abc import Mapping, Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import custom_resources as cr
from constructs import Construct, IConstruct

from constructs_l4e._access import Access
from constructs_l4e._acknowledge import LOG_DELIVERY, STATE_MACHINE, acknowledge, acknowledge_wildcards
from constructs_l4e._environments import require_environment_of
from constructs_l4e._function_controls import NONE, control_function, machine_access, trace_machine
from constructs_l4e._functions import (
    function,
    function_role,
    log_group,
    state_machine_log_group,
    write_logs,
)
from constructs_l4e._memory import address_of, id_of_this_stack, once, stack_of
from constructs_l4e._network import OUTSIDE, FunctionNetwork
from constructs_l4e._packages import custom_resource_code
from constructs_l4e._rule_packs import EXPIRING_RECORDS, FRAMEWORK_FUNCTION, INLINE_POLICY, accept
from constructs_l4e._tables import table, table_access
from constructs_l4e.interfaces import IEquipmentService
from constructs_l4e.service_controls import ServiceControls

_POLL_SECONDS = 10
_WAIT_MINUTES = 50
"""Less than CloudFormation's hour, so that a person reads the reason of the service, not of a timeout."""


class ResourceProvider(Construct):
    """Functions behind the custom resources, and the table of their records.

    They may read the JSON files of `staging_bucket_name`, where the CDK puts the schemas of asset stacks.

    Args:
        scope: parent of the construct.
        id: construct id.
        access: what the functions may do at the service.
        environment: environment variables with the address of the service.
        signing_extras: whether the service is behind API Gateway.
        encryption_key: key of the table. Default: DynamoDB's own.
        network: where the functions run. Default: outside every VPC.
        controls: what is asked of the functions. Default: what every account gets.
        api_function: function of the API, which they invoke where no network leads to the API itself.
            Default: they send requests to the API.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        access: Sequence[Access],
        environment: Mapping[str, str],
        signing_extras: bool,
        encryption_key: kms.IKey | None = None,
        network: FunctionNetwork = OUTSIDE,
        controls: ServiceControls = NONE,
        api_function: lambda_.IFunction | None = None,
    ) -> None:
        super().__init__(scope, id)
        self._network = network
        self._controls = controls
        kept = controls.reserved_concurrency
        self._reserved = None if kept is None else kept.custom_resources
        records = table(
            self,
            "Records",
            partition_key="id",
            encryption_key=encryption_key,
            # Notes on requests in progress; they expire by themselves.
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        accept(records, EXPIRING_RECORDS)
        logs = log_group(self, "Log", controls)
        code = custom_resource_code(signing_extras=signing_extras)
        # Files of a stack all go where its synthesizer puts them, and the functions' own code is one.
        location = cast("s3.Location", code.bind(self).s3_location)
        self.staging_bucket_name = location.bucket_name
        self.role = function_role(
            self,
            "Role",
            description="Custom-resource functions: call the LookoutEquipment API",
            access=[
                *access,
                write_logs(logs),
                *table_access(records, "DeleteItem", "GetItem", "PutItem"),
                *_invoke(api_function),
                Access(
                    actions=("s3:GetObject",),
                    resources=(
                        cdk.Stack.of(self).format_arn(
                            service="s3",
                            region="",
                            account="",
                            resource=self.staging_bucket_name,
                            resource_name="*.json",
                        ),
                    ),
                    wildcard_reason="every asset stack may stage its schema under a hash, beside templates of"
                    " CDK apps; a statement for each would exceed the 10,240 characters of a role",
                ),
            ],
            network=network,
            controls=controls,
        )
        on_event, is_complete = (
            function(
                self,
                name,
                description=description,
                code=code,
                handler=f"custom_resources.handler.{handler}",
                role=self.role,
                log_group=logs,
                environment={
                    **environment,
                    **self._invocation(api_function),
                    "L4E_ACCOUNT": cdk.Stack.of(self).account,
                    "L4E_RECORDS_TABLE": records.table_name,
                },
                memory_mb=256,
                timeout=cdk.Duration.minutes(2),
                network=network,
                controls=controls,
                reserved=self._reserved,
            )
            for name, handler, description in (
                ("OnEvent", "on_event", "Starts creating, updating or deleting a LookoutEquipment resource"),
                ("IsComplete", "is_complete", "Tells whether a LookoutEquipment resource is ready"),
            )
        )
        self._entry = self._framework(on_event, is_complete)
        self.service_token = self._entry.function_arn

    def wait_for(self, *parts: Construct) -> None:
        """Make the provider after `parts` of the service, and delete it before them.

        Custom resources in the stack of the service depend on the provider alone: without this their requests
        would find no API yet, or no more when the stack is deleted or a first deployment taken back.
        """
        self._entry.node.add_dependency(*parts)

    def _invocation(self, api_function: lambda_.IFunction | None) -> dict[str, str]:
        """Return the environment variables with which the functions invoke the API function."""
        if api_function is None:
            return {}
        session = cdk.Stack.of(self).format_arn(
            service="sts", region="", resource="assumed-role", resource_name=self.role.role_name
        )
        return {"L4E_API_FUNCTION": api_function.function_name, "L4E_CALLER": session}

    def _framework(self, on_event: lambda_.IFunction, is_complete: lambda_.IFunction) -> lambda_.IFunction:
        """Make the functions and the state machine that pass events from CloudFormation to ours and back.

        Returns:
            The function that CloudFormation calls.
        """
        framework_log = log_group(self, "FrameworkLog", self._controls)
        waiter_log = state_machine_log_group(self, "WaiterLog", self._controls)
        event_role, waiter_role = (
            function_role(
                self,
                name,
                description=description,
                access=[write_logs(framework_log)],
                network=self._network,
                controls=self._controls,
            )
            for name, description in (
                ("EventRole", "Custom-resource framework: passes an event on and starts the waiter"),
                ("WaiterRole", "Custom-resource framework: asks whether a resource is ready"),
            )
        )
        provider = cr.Provider(
            self,
            "Framework",
            on_event_handler=on_event,
            is_complete_handler=is_complete,
            query_interval=cdk.Duration.seconds(_POLL_SECONDS),
            total_timeout=cdk.Duration.minutes(_WAIT_MINUTES),
            log_group=framework_log,
            framework_on_event_role=event_role,
            framework_complete_and_timeout_role=waiter_role,
            vpc=self._network.vpc,
            vpc_subnets=self._network.subnets,
            security_groups=list(self._network.security_groups) or None,
            disable_waiter_state_machine_logging=False,
            # Without execution data: the events hold CloudFormation's pre-signed response URL.
            waiter_state_machine_log_options=cr.LogOptions(
                destination=waiter_log, level=sfn.LogLevel.ALL, include_execution_data=False
            ),
        )
        provider.node.add_dependency(*self._network.ready)
        waiter = provider.node.find_child("waiter-state-machine")
        steps = [provider.node.find_child(f"framework-{step}") for step in ("isComplete", "onTimeout")]
        for scope, functions in (
            (event_role, (on_event, is_complete)),
            (waiter_role, (on_event, is_complete)),
            (waiter, steps),
        ):
            arns = tuple(f"{cast('lambda_.IFunction', each).function_arn}:*" for each in functions)
            acknowledge_wildcards(scope, arns, "CDK grants a function together with its own versions")
        acknowledge_wildcards(waiter, ("*",), LOG_DELIVERY)
        self._control(provider, waiter)
        return cast("lambda_.IFunction", provider.node.find_child("framework-onEvent"))

    def _control(self, provider: cr.Provider, waiter: IConstruct) -> None:
        """Hold what the framework makes to the same controls, for which it has no props."""
        for step in ("onEvent", "isComplete", "onTimeout"):
            function = cast("lambda_.IFunction", provider.node.find_child(f"framework-{step}"))
            control_function(function, self._controls, reserved=self._reserved)
            accept(function, FRAMEWORK_FUNCTION)
        role = cast("iam.Role", waiter.node.find_child("Role"))
        for each in machine_access(self._controls):
            role.add_to_policy(each.statement())
        accept(role, INLINE_POLICY)
        trace_machine(waiter, self._controls)
        if not self._controls.tracing_enabled:
            acknowledge(waiter, STATE_MACHINE)


def _invoke(function: lambda_.IFunction | None) -> tuple[Access, ...]:
    if function is None:
        return ()
    return (Access(actions=("lambda:InvokeFunction",), resources=(function.function_arn,)),)


class ProviderAccess:
    """Rights that the custom-resource functions need for the resources of one stack.

    There is one policy per stack and service, so the rights are deleted with the stack. There is none where
    no right is needed.
    """

    def __init__(self, stack: cdk.Stack, id: str, *, service: IEquipmentService) -> None:
        self._stack, self._id, self._service = stack, id, service
        self._resources: list[Construct] = []
        self._policy: iam.Policy | None = None

    @classmethod
    def of(cls, scope: IConstruct, service: IEquipmentService) -> "ProviderAccess":
        """Return the access of the stack of `scope` to `service`.

        Raises:
            ValueError: when the stack is in another account or Region than the service.
        """

        def made() -> "ProviderAccess":
            require_environment_of(service, scope)
            return cls(stack, id_, service=service)

        stack = stack_of(scope)
        id_ = f"EquipmentServiceAccess{address_of(service.provider_role)[-8:]}"
        return once(stack, id_, made)

    def allow(self, statement: iam.PolicyStatement) -> None:
        """Give the functions one more right, before they make or change any resource of `precede`."""
        if self._policy is None:
            self._policy = self._policy_of_stack()
            for resource in self._resources:
                resource.node.add_dependency(self._policy)
        self._policy.add_statements(statement)

    def _policy_of_stack(self) -> iam.Policy:
        # Another object may have made it: a stack that a library made in Node has a new one at each look.
        found = self._stack.node.try_find_child(self._id)
        scope = found if isinstance(found, Construct) else Construct(self._stack, self._id)
        made = scope.node.try_find_child("Policy")
        if isinstance(made, iam.Policy):
            return made
        return iam.Policy(
            scope,
            "Policy",
            # The CDK would name it by its place in the stack, which another stack may have as well. A role
            # has one inline policy of a name, and CloudFormation refuses the second stack that has one.
            policy_name=f"{self._id}-{id_of_this_stack()}",
            # Merged statements: a role holds 10,240 characters of inline policies.
            document=iam.PolicyDocument(minimize=True),
            roles=[self._service.provider_role],
        )

    def precede(self, resource: Construct) -> None:
        """Have `resource` wait for the rights, also for those that are given later."""
        self._resources.append(resource)
        if self._policy is not None:
            resource.node.add_dependency(self._policy)

    def allow_pass_role(self, role: iam.IRole) -> None:
        """Allow the functions to name `role` in a request, which only AWS's own service requires."""
        if not self._service.has_iam_actions:
            return
        self.allow(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "lookoutequipment.amazonaws.com"}},
            )
        )

    def allow_import(self, operation: str, source_arn: str) -> None:
        """Allow the functions to import from a source, which only AWS's own service asks IAM for."""
        if self._service.has_iam_actions:
            self.allow(iam.PolicyStatement(actions=[f"lookoutequipment:{operation}"], resources=[source_arn]))
