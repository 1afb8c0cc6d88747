"""Where the data of assets lies: one bucket, and a few prefixes per asset."""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_l4e import _props, _validate
from constructs_l4e._access_logs import send_access_logs
from constructs_l4e._memory import once
from constructs_l4e._rule_packs import ACCESS_LOGS_BUCKET, NO_REPLICA, accept
from constructs_l4e.interfaces import IAssetStorage

_NONCURRENT_DAYS = 30
_LOG_DAYS = 90
_LOG_PREFIX = "asset-storage/"
_UPLOAD_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Location:
    """The objects of a bucket whose keys start with a prefix.

    Args:
        bucket: the bucket.
        prefix: start of the keys: empty for all objects, or ending in a slash.

    Raises:
        ValueError: when the prefix starts with a slash or does not end in one.
    """

    bucket: s3.IBucket
    prefix: str

    def __post_init__(self) -> None:
        _props.check_fields(self)
        _validate.prefix(self.prefix, what="S3 prefix")

    def to_api(self) -> dict[str, str]:
        """Return bucket and prefix as the members of a request."""
        return {"Bucket": self._bucket_name, "Prefix": self.prefix}

    @property
    def uri(self) -> str:
        """`s3://bucket/prefix`."""
        return f"s3://{self._bucket_name}/{self.prefix}"

    @property
    def objects_arn(self) -> str:
        """ARN pattern of the objects."""
        return f"{self.bucket_arn}/{self.prefix}*"

    @property
    def bucket_arn(self) -> str:
        """ARN of the bucket."""
        return once(self.bucket, "bucket_arn", lambda: self.bucket.bucket_arn)

    @property
    def encryption_key(self) -> kms.IKey | None:
        """Key of the bucket; None when it has none, or an imported bucket does not tell."""
        return once(self.bucket, "encryption_key", lambda: self.bucket.encryption_key)

    @property
    def _bucket_name(self) -> str:
        return once(self.bucket, "bucket_name", lambda: self.bucket.bucket_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetLocations:
    """Where the data of one asset lies. To move a part, use `dataclasses.replace`.

    Args:
        history: sensor files to train on, `<component>/*.csv`.
        labels: label files, CSV with start and end of known faults.
        inference_input: new sensor files, `<component>_<timestamp>.csv`.
        inference_output: results of the inference scheduler.
        diagnostics: point-by-point results of training.
    """

    history: S3Location
    labels: S3Location
    inference_input: S3Location
    inference_output: S3Location
    diagnostics: S3Location

    def __post_init__(self) -> None:
        _props.check_fields(self)


class AssetStorageBase(Construct):
    """Base of storage made here and of imported storage."""

    bucket: s3.IBucket
    results_bucket: s3.IBucket

    def for_asset(self, asset_name: str) -> AssetLocations:
        """Return the prefixes of one asset: `<asset>/history/`, `<asset>/labels/` and so on.

        Args:
            asset_name: name of the asset: 1 to 200 letters, digits, `.`, `_` and `-`.

        Raises:
            ValueError: when the name holds anything else.
        """
        _validate.text(
            asset_name,
            shape="ComponentName",
            what="asset name",
            fix='use letters, digits, ".", "_" and "-": it becomes the start of the object keys',
        )
        return AssetLocations(
            history=S3Location(bucket=self.bucket, prefix=f"{asset_name}/history/"),
            labels=S3Location(bucket=self.bucket, prefix=f"{asset_name}/labels/"),
            inference_input=S3Location(bucket=self.bucket, prefix=f"{asset_name}/inference-input/"),
            inference_output=S3Location(bucket=self.results_bucket, prefix=f"{asset_name}/inference-output/"),
            diagnostics=S3Location(bucket=self.results_bucket, prefix=f"{asset_name}/diagnostics/"),
        )


class AssetStorage(AssetStorageBase):
    """One bucket for the data of many assets.

    Deploy it before the assets, in a stack of its own or with the service: training data must be in the
    bucket when an asset is deployed. The bucket is private and versioned, and takes TLS requests only. What
    is overwritten or deleted can be restored for 30 days.

    Args:
        scope: parent of the construct.
        id: construct id.
        bucket_name: name of the bucket. Default: one that CloudFormation generates.
        encryption_key: key that encrypts new objects. Default: S3's own key.
        access_logs_bucket: bucket for the server access logs; an imported one needs a policy that lets them
            in. Default: a new bucket, which keeps each log for 90 days.
        removal_policy: what happens to the data when the stack is deleted. Default:
            RETAIN_ON_UPDATE_OR_DELETE, it stays, but for a first deployment that fails. With DESTROY the
            buckets are emptied and deleted.

    Raises:
        ValueError: when `bucket_name` is not a legal name.

    Example:
        >>> storage = AssetStorage(cdk.Stack(cdk.App(), "Data"), "Storage")
        >>> storage.for_asset("Pump1").history.prefix
        'Pump1/history/'
    """

    @_props.checked
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        bucket_name: str | None = None,
        encryption_key: kms.IKey | None = None,
        access_logs_bucket: s3.IBucket | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    ) -> None:
        super().__init__(scope, id)
        if bucket_name is not None:
            _validate.bucket(bucket_name, what="bucket name")
        self.bucket = self.results_bucket = bucket = s3.Bucket(
            self,
            "Bucket",
            auto_delete_objects=removal_policy == cdk.RemovalPolicy.DESTROY,
            bucket_name=bucket_name,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            bucket_key_enabled=True if encryption_key else None,
            encryption=s3.BucketEncryption.KMS if encryption_key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=encryption_key,
            enforce_ssl=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(_UPLOAD_DAYS),
                    noncurrent_version_expiration=cdk.Duration.days(_NONCURRENT_DAYS),
                )
            ],
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=removal_policy,
            versioned=True,
        )
        accept(bucket, NO_REPLICA)
        send_access_logs(bucket, access_logs_bucket or _access_logs(self, removal_policy), prefix=_LOG_PREFIX)

    @classmethod
    def from_bucket(
        cls, scope: Construct, id: str, bucket: s3.IBucket, *, results_bucket: s3.IBucket | None = None
    ) -> IAssetStorage:
        """Return storage in buckets that exist already or are configured elsewhere.

        Args:
            scope: parent of the construct.
            id: construct id.
            bucket: bucket of history, labels and inference input.
            results_bucket: bucket of inference output and diagnostics. Default: `bucket`.
        """
        return _ImportedStorage(scope, id, bucket=bucket, results_bucket=results_bucket)


class _ImportedStorage(AssetStorageBase):
    @_props.checked
    def __init__(
        self, scope: Construct, id: str, *, bucket: s3.IBucket, results_bucket: s3.IBucket | None
    ) -> None:
        super().__init__(scope, id)
        self.bucket = bucket
        self.results_bucket = results_bucket or bucket
        for each in dict.fromkeys((self.bucket, self.results_bucket)):
            if each.encryption_key is None and not isinstance(each, s3.Bucket):
                cdk.Annotations.of(self).add_warning_v2(
                    "constructs-l4e:BucketKey",
                    f'whether the imported bucket "{each.node.path}" has a key is not known, and roles would '
                    "need it: import the bucket with Bucket.from_bucket_attributes(encryption_key=...), or "
                    "acknowledge this warning if it has none",
                )


def _access_logs(scope: Construct, removal_policy: cdk.RemovalPolicy) -> s3.Bucket:
    logs = s3.Bucket(
        scope,
        "AccessLogs",
        auto_delete_objects=removal_policy == cdk.RemovalPolicy.DESTROY,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        lifecycle_rules=[s3.LifecycleRule(expiration=cdk.Duration.days(_LOG_DAYS))],
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        removal_policy=removal_policy,
    )
    accept(logs, ACCESS_LOGS_BUCKET)
    return logs
