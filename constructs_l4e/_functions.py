"""Lambda functions of the service, each with a role and a log group that expires."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_l4e._access import Access, role
from constructs_l4e._function_controls import control_function, function_access
from constructs_l4e._memory import id_of_this_stack
from constructs_l4e._network import FunctionNetwork
from constructs_l4e._packages import architecture, runtime
from constructs_l4e._rule_packs import STAR, accept
from constructs_l4e.service_controls import ServiceControls

_NAME_LENGTH = 120
"""Of the path of a construct in a name."""


def lambda_principal() -> iam.ServicePrincipal:
    """Return Lambda, as who may assume a role."""
    return iam.ServicePrincipal("lambda.amazonaws.com")


def log_group(
    scope: Construct, id: str, controls: ServiceControls, *, name: str | None = None
) -> logs.LogGroup:
    """Return a log group that is deleted with the service; CloudFormation names it if no one else does."""
    return logs.LogGroup(
        scope,
        id,
        log_group_name=name,
        retention=controls.log_retention,
        encryption_key=controls.log_encryption_key,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )


def state_machine_log_group(scope: Construct, id: str, controls: ServiceControls) -> logs.LogGroup:
    """Return a log group for a state machine, likewise.

    Its name has the prefix that AWS allows to all vended logs by one rule; any other takes room in a resource
    policy of the account, which soon is full (Step Functions, "Logging using CloudWatch Logs"). It also holds
    the id of the stack, so that a deployment never meets a log group of an earlier one.
    """
    name = cdk.Names.unique_resource_name(scope, separator="-", max_length=_NAME_LENGTH)
    return log_group(scope, id, controls, name=f"/aws/vendedlogs/states/{name}-{id}-{id_of_this_stack()}")


def write_logs(*groups: logs.ILogGroup) -> Access:
    """Return the rights to write to log groups."""
    return Access(
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        resources=[group.log_group_arn for group in groups],
    )


def function_role(
    scope: Construct,
    id: str,
    *,
    description: str,
    access: Sequence[Access],
    network: FunctionNetwork,
    controls: ServiceControls,
    assumed_by: iam.IPrincipal | None = None,
) -> iam.Role:
    """Return a role of functions, with what their network and the controls need besides `access`.

    Lambda may assume it if nothing else is given.
    """
    trusted = assumed_by or lambda_principal()
    every = [*access, *network.access, *function_access(scope, controls)]
    made = role(scope, id, description=description, assumed_by=trusted, access=every)
    if any("*" in each.resources for each in every):
        accept(made, STAR)
    return made


def function(
    scope: Construct,
    id: str,
    *,
    description: str,
    code: lambda_.Code,
    handler: str,
    role: iam.IRole,
    log_group: logs.ILogGroup,
    environment: Mapping[str, str],
    memory_mb: int,
    timeout: cdk.Duration,
    network: FunctionNetwork,
    controls: ServiceControls,
    reserved: int | None,
    scratch: cdk.Size | None = None,
    layers: Sequence[lambda_.ILayerVersion] = (),
) -> lambda_.Function:
    """Return a function of this library.

    Args:
        scope: parent of the construct.
        id: construct id.
        description: what the function does.
        code: its code.
        handler: its entry point.
        role: `function_role` with all its rights.
        log_group: where it logs.
        environment: its environment variables.
        memory_mb: its memory in MiB.
        timeout: how long an invocation may run.
        network: where it runs.
        controls: what is asked of it.
        reserved: runs that are kept for it, None for none.
        scratch: size of its disk. Default: 512 MiB.
        layers: its layers. Default: none.
    """
    made = lambda_.Function(
        scope,
        id,
        description=description,
        runtime=runtime(),
        architecture=architecture(),
        code=code,
        handler=handler,
        role=role,
        log_group=log_group,
        logging_format=lambda_.LoggingFormat.JSON,
        environment=dict(environment),
        memory_size=memory_mb,
        timeout=timeout,
        ephemeral_storage_size=scratch,
        layers=list(layers),
        vpc=network.vpc,
        vpc_subnets=network.subnets,
        security_groups=list(network.security_groups) or None,
    )
    made.node.add_dependency(*network.ready)
    control_function(made, controls, reserved=reserved)
    return made
