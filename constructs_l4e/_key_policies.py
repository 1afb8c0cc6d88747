"""Keys that AWS services use for what this library makes: their policies must let the services in."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import IConstruct

from constructs_l4e._access import service_name


def let_logs_use(scope: IConstruct, key: kms.IKey) -> None:
    """Let CloudWatch Logs encrypt the log groups of this account and Region with a key.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    stack = cdk.Stack.of(scope)
    # All log groups: the key comes before them, so its policy cannot name one that CloudFormation names.
    groups = stack.format_arn(
        service="logs", resource="log-group", resource_name="*", arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
    )
    _let_use(
        scope,
        key,
        principal=service_name(scope, "logs"),
        actions=(
            "kms:Decrypt",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ),
        conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        what_fails="as CloudWatch Logs asks, or the deployment of the log groups fails",
    )


def let_events_use(scope: IConstruct, key: kms.IKey) -> None:
    """Let EventBridge send to a queue that is encrypted with a key."""
    _let_use(
        scope,
        key,
        principal="events.amazonaws.com",
        actions=("kms:Decrypt", "kms:GenerateDataKey"),
        conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(scope).account}},
        what_fails="or events that could not be delivered are lost",
    )


def _let_use(
    scope: IConstruct,
    key: kms.IKey,
    *,
    principal: str,
    actions: Sequence[str],
    conditions: Mapping[str, object],
    what_fails: str,
) -> None:
    statement = iam.PolicyStatement(
        actions=list(actions),
        principals=[iam.ServicePrincipal(principal)],
        resources=["*"],  # of a key's policy: this key
        conditions=dict(conditions),
    )
    if not key.add_to_resource_policy(statement).statement_added:
        service = principal.partition(".")[0]
        cdk.Annotations.of(scope).add_warning_v2(
            f"constructs-l4e:keyPolicy:{service}",
            f"the policy of key '{key.node.path}' cannot be changed by this app: see to it that it allows"
            f" {', '.join(actions)} to '{service}', {what_fails}",
        )
