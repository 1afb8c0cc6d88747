"""What datasets, label groups, models and schedulers have in common, made here or imported."""

import abc
from typing import ClassVar

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk.aws_events import Rule
from aws_cdk.interfaces import ResourceEnvironment
from constructs import Construct

from constructs_l4e import _arns, events
from constructs_l4e._environments import is_known_to_differ
from constructs_l4e._memory import placed
from constructs_l4e.access_level import AccessLevel
from constructs_l4e.interfaces import IEquipmentService
from constructs_l4e.metrics import SUM, MetricOptions


class ServiceResourceBase(cdk.Resource):
    """Base of the resources that a service has: their place, and who may do what with them.

    Args:
        scope: parent of the construct.
        id: construct id.
        home: account and Region of the resource, if it is imported. Default: those of the stack.
    """

    service: IEquipmentService
    _resource: cdk.CfnResource
    _member: ClassVar[str]
    """Member of the API's requests that names the resource."""

    def __init__(self, scope: Construct, id: str, *, home: ResourceEnvironment | None = None) -> None:
        super().__init__(
            scope, id, account=home.account if home else None, region=home.region if home else None
        )
        placed(self, scope, id)
        self._imported = home is not None

    @property
    @abc.abstractmethod
    def _named(self) -> tuple[str, str]:
        """Name and ARN by which rights are granted."""

    def grant(self, grantee: iam.IGrantable, *operations: str) -> iam.Grant:
        """Allow `grantee` to call `operations` on the resource: see `IServiceResource`."""
        name, arn = self._named
        return _arns.grant(self.service, grantee, *operations, name=name, arn=arn)

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to describe the resource and what belongs to it, and to read its tags."""
        return self._grant_level(grantee, AccessLevel.READ)

    def grant_operate(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` to read the resource, and to do with it what daily work needs."""
        return self._grant_level(grantee, AccessLevel.OPERATE)

    def grant_full_access(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `grantee` every operation on the resource."""
        return self._grant_level(grantee, AccessLevel.FULL)

    def _grant_level(self, grantee: iam.IGrantable, level: AccessLevel) -> iam.Grant:
        name, arn = self._named
        return self.service.grant_level(grantee, level, member=self._member, name=name, arn=arn)

    def _metric(
        self,
        metric_name: str,
        *,
        period: cdk.Duration,
        dimensions: dict[str, str],
        options: MetricOptions,
    ) -> cloudwatch.Metric:
        """Return a metric that the service publishes about the resource: by default its sum."""
        merged: MetricOptions = {"statistic": SUM, "period": period, **self._metric_home(), **options}
        return cloudwatch.Metric(
            namespace=self.service.metric_namespace,
            metric_name=metric_name,
            dimensions_map=dimensions,
            **merged,
        )

    def _on(self, id: str, *detail_types: str, options: events.EventOptions) -> Rule:
        """Return a rule for events of some kinds about the resource."""
        return events.rule(
            self,
            id,
            service=self.service,
            arn=self._named[1],
            detail_types=detail_types,
            options=options,
        )

    def _metric_home(self) -> MetricOptions:
        """Return account and Region of the metrics, where these are not those of the stack that uses them."""
        elsewhere: MetricOptions = {}
        if not self._imported:
            return elsewhere
        home, here = self.env, self.stack
        if is_known_to_differ(home.account, here.account):
            elsewhere["account"] = home.account
        if is_known_to_differ(home.region, here.region):
            elsewhere["region"] = home.region
        return elsewhere
