"""DynamoDB tables of the service, and the rights on them."""

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_l4e._access import Access, service_name


def table(
    scope: Construct,
    id: str,
    *,
    partition_key: str,
    sort_key: str | None = None,
    encryption_key: kms.IKey | None,
    removal_policy: cdk.RemovalPolicy,
    deletion_protection: bool = False,
) -> dynamodb.Table:
    """Return a table that is billed by request, has point-in-time recovery, and deletes expired items."""
    return dynamodb.Table(
        scope,
        id,
        partition_key=_text(partition_key),
        sort_key=None if sort_key is None else _text(sort_key),
        time_to_live_attribute="ExpiresAt",
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        encryption_key=encryption_key,
        deletion_protection=deletion_protection,
        removal_policy=removal_policy,
    )


def table_access(on: dynamodb.ITable, *actions: str) -> list[Access]:
    """Return the right to item operations on a table, such as `GetItem`, and to the use of its key."""
    access = [Access(actions=[f"dynamodb:{action}" for action in actions], resources=[on.table_arn])]
    if on.encryption_key is not None:
        access.append(
            Access(
                actions=(
                    "kms:Decrypt",
                    "kms:DescribeKey",
                    "kms:Encrypt",
                    "kms:GenerateDataKey",
                    "kms:ReEncryptFrom",
                    "kms:ReEncryptTo",
                ),
                resources=(on.encryption_key.key_arn,),
                conditions={"StringEquals": {"kms:ViaService": service_name(on, "dynamodb")}},
            )
        )
    return access


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
