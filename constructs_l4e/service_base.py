"""What deployed, imported and AWS-managed services have in common."""

from collections.abc import Sequence
from typing import Unpack

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_l4e import _arns, _validate, _ways_in
from constructs_l4e._acknowledge import acknowledge_wildcards
from constructs_l4e._environments import is_known_to_differ
from constructs_l4e.access_level import AccessLevel
from constructs_l4e.metrics import FleetMetricOptions
from constructs_l4e.settings import ServiceSettings

ACCESS_ROLE_PATH = "/lookoutequipment/"
"""IAM path of the roles that a deployed service can assume; it can assume no others."""


class EquipmentServiceBase(cdk.Resource):
    """Base of deployed, imported and AWS-managed services."""

    api_id: str | None
    api_stage: str | None
    api_vpc_endpoint_ids: Sequence[str] = ()
    data_access_principal: iam.IPrincipal
    access_role_path: str | None
    provider_service_token: str
    provider_role: iam.IRole
    staging_bucket_name: str | None
    metric_namespace: str
    identity: tuple[str, str] | None
    settings: ServiceSettings | None
    has_adaptation: bool = True
    has_events: bool = True
    trusted_by_resource: bool = True
    has_iam_actions: bool = False

    def publishes(self, metric_name: str) -> bool:  # noqa: ARG002
        """Return whether the service publishes a metric: a deployed one has them all."""
        return True

    def metric(self, metric_name: str, **options: Unpack[FleetMetricOptions]) -> cloudwatch.MathExpression:
        """Return the sum of a metric over all schedulers or models: see `IEquipmentService`."""
        home, here = self.env, self.stack
        elsewhere: dict[str, str] = {}
        if is_known_to_differ(home.account, here.account):
            elsewhere["search_account"] = home.account
        if is_known_to_differ(home.region, here.region):
            elsewhere["search_region"] = home.region
        merged: FleetMetricOptions = {"label": metric_name, **options}
        return cloudwatch.MathExpression(
            expression=f'SELECT SUM({metric_name}) FROM "{self.metric_namespace}"',  # noqa: S608 - no SQL
            using_metrics={},
            **elsewhere,
            **merged,
        )

    def trust_with_key(self, key: kms.Key, users: Sequence[iam.IPrincipal]) -> None:
        """Leave a deployed service to IAM: it uses keys under its own rights."""

    def grant_operations(
        self,
        grantee: iam.IGrantable,
        operations: Sequence[str],
        *,
        name: str,
        arn: str,  # noqa: ARG002
    ) -> iam.Grant:
        """Allow `grantee` the lowest level of access that has the operations, held to the name."""
        return self._grant(grantee, _ways_in.level_of(operations), name=name, tag=None)

    def grant_level(
        self,
        grantee: iam.IGrantable,
        level: AccessLevel,
        *,
        member: str,  # noqa: ARG002
        name: str,
        arn: str,  # noqa: ARG002
    ) -> iam.Grant:
        """Allow `grantee` a level of access, held to the name."""
        return self._grant(grantee, level, name=name, tag=None)

    @property
    def endpoint_url(self) -> str | None:
        """Address of the API, for `AWS_ENDPOINT_URL_LOOKOUTEQUIPMENT`; None for the AWS-managed service."""
        return None if self.api_id is None else self._address_of(self.api_id)

    def _address_of(self, api_id: str) -> str:
        """Return the address of the API with that id."""
        stack = cdk.Stack.of(self)
        # With the endpoint in its name a host leads to a private API with and without private DNS.
        host = "-".join((api_id, *self.api_vpc_endpoint_ids[:1]))
        return f"https://{host}.execute-api.{self.env.region}.{stack.url_suffix}/{self.api_stage}"

    def endpoint_url_for(
        self, level: AccessLevel | str, *, name: str | None = None, tag: tuple[str, str] | None = None
    ) -> str | None:
        """Return the address of a way in: see `IEquipmentService`."""
        way_in = _ways_in.path(level, name=name, tag=tag)
        return None if self.endpoint_url is None else f"{self.endpoint_url}/{way_in}"

    def way_in_arn(self, path: str) -> str | None:
        """Return the ARN that `execute-api:Invoke` is granted on, "" being the path of everything.

        None for the AWS-managed service.
        """
        if self.api_id is None:
            return None
        home = self.env
        return cdk.Stack.of(self).format_arn(
            service="execute-api",
            account=home.account,
            region=home.region,
            resource=self.api_id,
            resource_name=f"{self.api_stage}/POST/{path}",
        )

    def role_trust(self, resource_arns: Sequence[str] | None = None) -> iam.IPrincipal:
        """Return principal and conditions for the trust policy of a role: see `IEquipmentService`."""
        trusted = (
            _arns.any_resource(self)
            if resource_arns is None
            else _validate.arn_patterns(resource_arns, what="resource_arns")
        )
        return iam.PrincipalWithConditions(
            self.data_access_principal, {"StringLike": {"sts:ExternalId": trusted}}
        )

    def grant_read(
        self, grantee: iam.IGrantable, *, name: str | None = None, tag: tuple[str, str] | None = None
    ) -> iam.Grant:
        """Allow `grantee` to describe and list: see `IEquipmentService`."""
        return self._grant(grantee, AccessLevel.READ, name=name, tag=tag)

    def grant_operate(
        self, grantee: iam.IGrantable, *, name: str | None = None, tag: tuple[str, str] | None = None
    ) -> iam.Grant:
        """Allow `grantee` to read, to start, stop and update schedulers, and to label."""
        return self._grant(grantee, AccessLevel.OPERATE, name=name, tag=tag)

    def grant_full_access(
        self, grantee: iam.IGrantable, *, name: str | None = None, tag: tuple[str, str] | None = None
    ) -> iam.Grant:
        """Allow `grantee` every operation."""
        return self._grant(grantee, AccessLevel.FULL, name=name, tag=tag)

    def _grant(
        self,
        grantee: iam.IGrantable,
        level: AccessLevel,
        *,
        name: str | None,
        tag: tuple[str, str] | None,
    ) -> iam.Grant:
        paths = _ways_in.granted_paths(level, name=name, tag=tag)
        arns = [str(self.way_in_arn(path)) for path in paths]
        principal = grantee.grant_principal
        if isinstance(principal, Construct):
            reason = f"the way in '{level}' includes those that are narrowed to names and tags"
            acknowledge_wildcards(
                principal, arns, reason, of_other_stacks=self.stack is not cdk.Stack.of(principal)
            )
        return iam.Grant.add_to_principal(grantee=grantee, actions=["execute-api:Invoke"], resource_arns=arns)
