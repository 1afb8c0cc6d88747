"""Lambda functions of the service, each with a log group that expires."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_l4e._access import Access
from constructs_l4e._packages import ARCHITECTURE, RUNTIME

LAMBDA = iam.ServicePrincipal("lambda.amazonaws.com")


def log_group(scope: Construct, id: str) -> logs.LogGroup:
    """A log group kept for three months, and not longer than the service itself."""
    return logs.LogGroup(
        scope, id, retention=logs.RetentionDays.THREE_MONTHS, removal_policy=cdk.RemovalPolicy.DESTROY
    )


def write_logs(*groups: logs.ILogGroup) -> Access:
    """What a function needs to write its log."""
    return Access(
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        resources=[group.log_group_arn for group in groups],
    )


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
    scratch: cdk.Size | None = None,
    layers: Sequence[lambda_.ILayerVersion] = (),
) -> lambda_.Function:
    """A function of this library. `role` holds all its rights; `scratch` is its disk, 512 MB by default."""
    return lambda_.Function(
        scope,
        id,
        description=description,
        runtime=RUNTIME,
        architecture=ARCHITECTURE,
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
    )
