"""Tables `[service.network]` and `[service.controls]`: what the service uses that exists already, by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from constructs_l4e import _toml
from constructs_l4e.service_controls import ReservedConcurrency, ServiceControls

_SUBNET, _GROUP, _ENDPOINT = (f"{kind}-[0-9a-f]+" for kind in ("subnet", "sg", "vpce"))
_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_POLICY = r"([\w+=,.@-]+/)*[\w+=,.@-]{1,128}"
_RUNS = ("api", "ingestion", "training", "inference", "reconciler", "custom_resources")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkDeclaration:
    """Table `[service.network]`: where the functions run, and what leads to the API; empty where left out."""

    vpc_id: str | None
    subnet_ids: Sequence[str]
    security_group_ids: Sequence[str]
    api_vpc_endpoint_ids: Sequence[str]

    @classmethod
    def read(cls, table: _toml.Table) -> Self:
        """Read a table.

        Raises:
            ValueError: when a key or a value is wrong, or a VPC is named without subnets or the reverse.
        """
        found = cls(
            vpc_id=table.take("vpc_id", _toml.matching("vpc-[0-9a-f]+", '"vpc-0123456789abcdef0"')),
            subnet_ids=table.take("subnet_ids", _ids(_SUBNET), default=()),
            security_group_ids=table.take("security_group_ids", _ids(_GROUP), default=()),
            api_vpc_endpoint_ids=table.take("api_vpc_endpoint_ids", _ids(_ENDPOINT), default=()),
        )
        table.finish()
        if (found.vpc_id is None) != (not found.subnet_ids):
            table.refuse("vpc_id and subnet_ids go together: give both, or leave both out")
        if found.security_group_ids and found.vpc_id is None:
            table.refuse("security_group_ids has no effect without vpc_id: give both, or leave both out")
        return found

    def props(self, scope: Construct) -> dict[str, Any]:
        """Return the props for `EquipmentService`, with the network imported into `scope`."""
        props: dict[str, Any] = {}
        if self.api_vpc_endpoint_ids:
            props["api_vpc_endpoints"] = [
                ec2.InterfaceVpcEndpoint.from_interface_vpc_endpoint_attributes(
                    scope, each, vpc_endpoint_id=each, port=443
                )
                for each in self.api_vpc_endpoint_ids
            ]
        if self.vpc_id is None:
            return props
        subnets = [ec2.Subnet.from_subnet_id(scope, each, each) for each in self.subnet_ids]
        props["vpc"] = ec2.Vpc.from_vpc_attributes(
            scope, self.vpc_id, vpc_id=self.vpc_id, availability_zones=cdk.Fn.get_azs()
        )
        props["vpc_subnets"] = ec2.SubnetSelection(subnets=subnets)
        if self.security_group_ids:
            props["security_groups"] = [
                ec2.SecurityGroup.from_security_group_id(scope, each, each)
                for each in self.security_group_ids
            ]
        return props


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlsDeclaration:
    """Table `[service.controls]`; the members are those of `ServiceControls`, by name or ARN."""

    reserved_concurrency: ReservedConcurrency | None
    dead_letter_queue_arn: str | None
    tracing_enabled: bool
    log_retention: logs.RetentionDays
    log_encryption_key_arn: str | None
    api_logging: bool
    api_throttle: apigateway.ThrottleSettings | None
    access_logs_bucket: str | None
    permissions_boundary: str | None

    @classmethod
    def read(cls, table: _toml.Table) -> Self:
        """Read a table.

        Raises:
            ValueError: when a key or a value is wrong.
        """
        found = cls(
            reserved_concurrency=table.take("reserved_concurrency", _reserved),
            dead_letter_queue_arn=table.take(
                "dead_letter_queue_arn", _arn("sqs", r"[\w-]+(\.fifo)?", "dead-letters")
            ),
            tracing_enabled=table.take("tracing_enabled", _toml.flag, default=False),
            log_retention=table.take("log_retention", _retention, default=ServiceControls().log_retention),
            log_encryption_key_arn=table.take(
                "log_encryption_key_arn", _arn("kms", r"key/[\w-]+", "key/1234abcd")
            ),
            api_logging=table.take("api_logging", _toml.flag, default=False),
            api_throttle=table.take("api_throttle", _throttle),
            access_logs_bucket=table.take(
                "access_logs_bucket", _toml.matching(_BUCKET, '"access-logs-of-the-account", a name')
            ),
            permissions_boundary=table.take(
                "permissions_boundary", _toml.matching(_POLICY, '"PlantBoundary", a name, no ARN')
            ),
        )
        table.finish()
        return found

    def imported(self, scope: Construct) -> ServiceControls:
        """Return the controls, with what they refer to imported into `scope`."""
        queue, key = self.dead_letter_queue_arn, self.log_encryption_key_arn
        bucket, boundary = self.access_logs_bucket, self.permissions_boundary
        return ServiceControls(
            reserved_concurrency=self.reserved_concurrency,
            dead_letter_queue=sqs.Queue.from_queue_arn(scope, "DeadLetters", queue) if queue else None,
            tracing_enabled=self.tracing_enabled,
            log_retention=self.log_retention,
            log_encryption_key=kms.Key.from_key_arn(scope, "LogKey", key) if key else None,
            api_logging=self.api_logging,
            api_throttle=self.api_throttle,
            access_logs_bucket=s3.Bucket.from_bucket_name(scope, "AccessLogs", bucket) if bucket else None,
            permissions_boundary=iam.ManagedPolicy.from_managed_policy_name(scope, "Boundary", boundary)
            if boundary
            else None,
        )


def _ids(pattern: str) -> Any:
    kind = pattern.partition("-")[0]
    one = _toml.matching(pattern, f'"{kind}-0123456789abcdef0"')
    return lambda value: tuple(one(each) for each in _toml.texts(value))


def _arn(service: str, resource: str, name: str) -> Any:
    example = f'"arn:aws:{service}:eu-west-1:111122223333:{name}"'
    return _toml.matching(rf"arn:[^:]+:{service}:[^:]+:\d{{12}}:{resource}", example)


def _retention(value: object) -> logs.RetentionDays:
    names = [each.name for each in logs.RetentionDays]
    name = _toml.text(value)
    return logs.RetentionDays[name] if name in names else _toml.refuse(value, f"one of {', '.join(names)}")


def _throttle(value: object) -> apigateway.ThrottleSettings:
    given = _toml.mapping(value)
    if given.keys() != {"rate_limit", "burst_limit"}:
        _toml.refuse(value, "a pair such as { rate_limit = 50, burst_limit = 100 }")
    rate, burst = (_toml.whole(1)(given[name]) for name in ("rate_limit", "burst_limit"))
    return apigateway.ThrottleSettings(rate_limit=rate, burst_limit=burst)


def _reserved(value: object) -> ReservedConcurrency:
    given = _toml.mapping(value)
    if not given.keys() <= set(_RUNS):
        _toml.refuse(value, f"a table of runs to keep, with some of {', '.join(_RUNS)}; {{}} for the usual")
    return ReservedConcurrency(**{name: _toml.number(runs) for name, runs in given.items()})
