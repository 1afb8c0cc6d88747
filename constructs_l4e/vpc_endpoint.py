"""Private access to the service from a VPC."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_l4e import _arns, _props, _service_model, _validate, _ways_in
from constructs_l4e._acknowledge import acknowledge_range
from constructs_l4e._rest_api import STAGE
from constructs_l4e.access_level import AccessLevel
from constructs_l4e.interfaces import IEquipmentService
from constructs_l4e.service import EquipmentService


class ServiceVpcEndpoint(ec2.InterfaceVpcEndpoint):
    """Interface endpoint through which a VPC reaches the service without the internet.

    A deployed service with a private API is reached through `execute-api`, AWS's own through
    `lookoutequipment`. The endpoint policy admits calls of the service's operations by principals of this
    account, and nothing else. A service that this app deploys takes the endpoint (`api_vpc_endpoints`), so
    the endpoint is made first, without `service`.

    Args:
        scope: parent of the construct.
        id: construct id.
        vpc: the VPC that the endpoint is in.
        service: AWS's own service, or one with a private API that another stack or app deploys. Default: any
            service of this account and Region that is deployed by `EquipmentService`.
        level: what the endpoint lets its callers do. Default: everything that they may.
        operations: the operations that the endpoint admits, such as `DescribeModel`, instead of a level. At a
            deployed service, the lowest level that has them all. Default: those of `level`.
        subnets: subnets of the endpoint. Default: the private subnets, one per Availability Zone.
        security_groups: security groups of the endpoint. Default: a new one.
        open: whether every address of the VPC may use the endpoint. That needs the address range of the VPC:
            pass False for a VPC that does not know it, and allow callers with `connections`. Default: True.
        private_dns_enabled: whether the usual host names lead to the endpoint. For `execute-api` that sends
            every call of the VPC to API Gateway through this endpoint and its policy, and cuts the VPC off
            from regional APIs. Default: True for AWS's own service only; the `endpoint_url` of a deployed
            one does not need it.

    Raises:
        ValueError: when `service` has a regional API, or is deployed by this app; when both `level` and
            `operations` are given, or one is not known.
    """

    @_props.checked
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc: ec2.IVpc,
        service: IEquipmentService | None = None,
        level: AccessLevel | str | None = None,
        operations: Sequence[str] | None = None,
        subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        open: bool = True,  # noqa: A002 - CDK's name for it
        private_dns_enabled: bool | None = None,
    ) -> None:
        managed = service is not None and service.api_id is None
        if service is not None and not managed:
            _require_reachable(service)
        admitted = _admitted(level, operations)
        super().__init__(
            scope,
            id,
            vpc=vpc,
            service=ec2.InterfaceVpcEndpointAwsService(_service_model.SERVICE)
            if managed
            else ec2.InterfaceVpcEndpointAwsService.APIGATEWAY,
            subnets=subnets,
            security_groups=list(security_groups) if security_groups else None,
            open=open,
            private_dns_enabled=managed if private_dns_enabled is None else private_dns_enabled,
        )
        acknowledge_range(self, open=open, security_groups=security_groups)
        if not managed:
            ways_in = _way_in_arns(cdk.Stack.of(self), service, _ways_in.level_of(admitted))
            self._admit("CallersOfThisAccount", ["execute-api:Invoke"], ways_in)
            return
        on_none = _service_model.operations_on_no_resource()
        for sid, actions, resource in (
            (
                "CallersOfThisAccount",
                [each for each in admitted if each not in on_none],
                _arns.any_resource(self),
            ),
            # AWS has no resource for these actions, and would deny them on any ARN.
            ("ListsForCallersOfThisAccount", [each for each in admitted if each in on_none], "*"),
        ):
            if actions:
                self._admit(sid, [f"{_service_model.SERVICE}:{each}" for each in actions], [resource])

    def _admit(self, sid: str, actions: Sequence[str], resources: Sequence[str]) -> None:
        self.add_to_policy(
            iam.PolicyStatement(
                sid=sid,
                actions=list(actions),
                principals=[iam.AnyPrincipal()],
                resources=list(resources),
                conditions={"StringEquals": {"aws:PrincipalAccount": cdk.Stack.of(self).account}},
            )
        )


def _require_reachable(service: IEquipmentService) -> None:
    """Require that the API of a deployed service is one that endpoints lead to, and will let this one in."""
    if not service.api_vpc_endpoint_ids:
        raise ValueError(
            f"the API '{service.api_id}' of service '{_path(service)}' is regional, and execute-api endpoints"
            " lead to private APIs only: make the endpoint without service=, and make the API private with"
            " EquipmentService(api_vpc_endpoints=[endpoint]); for an imported service that has such"
            " endpoints, pass api_vpc_endpoint_ids="
        )
    made_in_this_app = isinstance(service, EquipmentService)
    if made_in_this_app:
        raise ValueError(
            f"service '{_path(service)}' lets in the endpoints that it was made with, and this one would come"
            " after it: make the endpoint without service=, and pass it in api_vpc_endpoints= of the service"
        )


def _path(service: IEquipmentService) -> str:
    return service.node.path if isinstance(service, cdk.Resource) else str(service)


def _admitted(level: AccessLevel | str | None, operations: Sequence[str] | None) -> Sequence[str]:
    """Return the operations of the API that an endpoint admits."""
    if operations is None:
        return _ways_in.operations_at(
            _validate.choice(AccessLevel, AccessLevel.FULL if level is None else level, what="access level")
        )
    if level is not None:
        raise ValueError(
            f"level '{level}' and operations say both what the endpoint admits: leave one of them out"
        )
    if not operations:
        raise ValueError(
            "operations is empty, and the endpoint would admit nothing: name some, or leave it out"
        )
    return _arns.known_operations(operations)


def _way_in_arns(stack: cdk.Stack, service: IEquipmentService | None, level: AccessLevel) -> list[str]:
    """Return what `execute-api:Invoke` is allowed on.

    Without a service the id of the API is a wildcard: the API names its endpoints, so they are made before
    it, and CloudFormation resolves no circle. Which APIs of the account let the endpoint in, they say.
    """
    api, stage = ("*", STAGE) if service is None else (service.api_id, service.api_stage)
    return [
        stack.format_arn(service="execute-api", resource=str(api), resource_name=f"{stage}/POST/{path}")
        for path in _ways_in.granted_paths(level, name=None, tag=None)
    ]
