"""Where the service keeps its state: one table, one bucket, one key."""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_l4e._access import Access, service_name
from constructs_l4e._access_logs import send_access_logs
from constructs_l4e._acknowledge import SERVICE_BUCKET, acknowledge
from constructs_l4e._rule_packs import NO_REPLICA, accept
from constructs_l4e._tables import table, table_access

_RECOVERABLE_DAYS = 30
"""How long a deleted or overwritten object of the service can be restored."""

LOG_PREFIX = "service/"
"""Of the server access logs."""


class ServiceState(Construct):
    """Table, bucket and key, and the rights on parts of them."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        encryption_key: kms.IKey | None,
        removal_policy: cdk.RemovalPolicy,
        deletion_protection: bool,
        access_logs_bucket: s3.IBucket | None,
    ) -> None:
        super().__init__(scope, id)
        self.key = encryption_key or kms.Key(
            self,
            "Key",
            description="State of the LookoutEquipment service",
            enable_key_rotation=True,
            removal_policy=removal_policy,
        )
        self.table = table(
            self,
            "Table",
            partition_key="pk",
            sort_key="sk",
            encryption_key=self.key,
            removal_policy=removal_policy,
            deletion_protection=deletion_protection,
        )
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption_key=self.key,
            # One data key for many objects; it also makes the bucket's ARN the encryption context.
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            # A model is hours of work: a wrong delete or overwrite can be undone for a month.
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    noncurrent_version_expiration=cdk.Duration.days(_RECOVERABLE_DAYS),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                    expired_object_delete_marker=True,
                )
            ],
            removal_policy=removal_policy,
            # As with AssetStorage: DESTROY means the data, and S3 deletes empty buckets only.
            auto_delete_objects=removal_policy == cdk.RemovalPolicy.DESTROY,
        )
        accept(self.bucket, NO_REPLICA)
        if access_logs_bucket is None:
            acknowledge(self.bucket, SERVICE_BUCKET)
        else:
            send_access_logs(self.bucket, access_logs_bucket, prefix=LOG_PREFIX)

    def records(self, *actions: str) -> list[Access]:
        """Return the right to item operations on the table, such as `GetItem`."""
        return table_access(self.table, *actions)

    def objects(self, *actions: str, under: tuple[str, ...]) -> Access:
        """Return the right to object operations, such as `GetObject`, on keys that match a pattern."""
        return Access(
            actions=tuple(f"s3:{action}" for action in actions),
            resources=tuple(self.bucket.arn_for_objects(pattern) for pattern in under),
            wildcard_reason="the objects of the service's own bucket that this role works on: their names"
            " hold ids that the service makes up",
        )

    def listing(self) -> Access:
        """Return the right to list objects, without which S3 answers "denied" for a missing one."""
        return Access(actions=("s3:ListBucket",), resources=(self.bucket.bucket_arn,))

    def object_keys(self, *actions: str) -> Access:
        """Return the right to key operations, such as `Decrypt`, for objects of the service bucket only."""
        stack = cdk.Stack.of(self)
        any_key = stack.format_arn(service="kms", resource="key", resource_name="*")
        return Access(
            actions=tuple(f"kms:{action}" for action in actions),
            resources=(self.key.key_arn, any_key),
            conditions={
                "StringEquals": {"kms:ViaService": service_name(self, "s3")},
                "ArnLike": {
                    "kms:EncryptionContext:aws:s3:arn": [
                        self.bucket.bucket_arn,
                        self.bucket.arn_for_objects("*"),
                    ]
                },
            },
            wildcard_reason="requests name the key of their results (ServerSideKmsKeyId), which is unknown"
            " here; the conditions confine it to objects of the service bucket",
        )
