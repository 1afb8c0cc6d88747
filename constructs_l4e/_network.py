"""Where the functions of a service run: outside every VPC, or in subnets of one, with the rights for that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct, IConstruct, IDependable

from constructs_l4e._access import Access
from constructs_l4e._vpc_needs import warn_of_missing_endpoints


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionNetwork:
    """Placement of the functions. The default is outside every VPC.

    Args:
        vpc: the VPC, if there is one.
        subnets: its subnets that the functions are in.
        security_groups: security groups of the functions.
        access: what their roles need for it.
        environment: environment variables of what calls STS there.
        ready: what must exist before they work, and until they have ended.
    """

    vpc: ec2.IVpc | None = None
    subnets: ec2.SubnetSelection | None = None
    security_groups: Sequence[ec2.ISecurityGroup] = ()
    access: Sequence[Access] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Sequence[IDependable] = ()


OUTSIDE = FunctionNetwork()
"""Functions outside every VPC reach AWS services over the internet, as Lambda's own network does."""


def function_network(
    scope: Construct,
    id: str,
    *,
    vpc: ec2.IVpc | None,
    vpc_subnets: ec2.SubnetSelection | None,
    security_groups: Sequence[ec2.ISecurityGroup] | None,
) -> FunctionNetwork:
    """Return where the functions run, with a new security group if none is given.

    Raises:
        ValueError: when subnets or security groups are given without a VPC, no subnet is selected, or one is
            public.
    """
    if vpc is None:
        for name, value in (("vpc_subnets", vpc_subnets), ("security_groups", security_groups)):
            if value is not None:
                raise ValueError(f"{name} is given without a VPC: pass vpc= too, or leave it out")
        return OUTSIDE
    if security_groups is not None and not security_groups:
        raise ValueError(
            "security_groups is empty, and functions in a VPC have one at least: name some, or leave it out"
            " for a new one"
        )
    subnets = _selected(vpc, vpc_subnets)
    own = Construct(scope, id)
    groups = list(security_groups) if security_groups else [_security_group(own, vpc)]
    warn_of_missing_endpoints(own, vpc, subnets)
    return FunctionNetwork(
        vpc=vpc,
        subnets=ec2.SubnetSelection(subnets=subnets),
        security_groups=groups,
        access=_interface_access(scope, subnets, groups),
        # The endpoint of STS in a VPC is that of its Region. Older SDKs call the global one by default.
        environment={"AWS_STS_REGIONAL_ENDPOINTS": "regional"},
        # Routes to the internet, of a VPC of the same app that has them.
        ready=[subnet.internet_connectivity_established for subnet in subnets],
    )


def _selected(vpc: ec2.IVpc, selection: ec2.SubnetSelection | None) -> list[ec2.ISubnet]:
    """Return the subnets of the functions, if functions can work in them."""
    wanted = selection or ec2.SubnetSelection()
    named = wanted.subnets or []
    if named and wanted == ec2.SubnetSelection(subnets=named):
        # CDK would ask an imported subnet for its zone, which need not be known.
        return _private(vpc, named)
    found = vpc.select_subnets(
        availability_zones=wanted.availability_zones,
        one_per_az=wanted.one_per_az,
        subnet_filters=wanted.subnet_filters,
        subnet_group_name=wanted.subnet_group_name,
        subnets=wanted.subnets,
        subnet_type=wanted.subnet_type,
    )
    if found.is_pending_lookup:  # the answer of the lookup is synthesised next
        return found.subnets
    if not found.subnets:
        raise ValueError(
            f"VPC '{vpc.node.path}' has no subnets of the selection for the functions: select others with"
            " vpc_subnets=, or name the private subnets where the VPC is imported"
        )
    return _private(vpc, found.subnets)


def _private(vpc: ec2.IVpc, subnets: list[ec2.ISubnet]) -> list[ec2.ISubnet]:
    """Return `subnets` if none is public."""
    public = {subnet.subnet_id for subnet in vpc.public_subnets}
    for subnet in subnets:
        if subnet.subnet_id in public:
            raise ValueError(
                f"subnet '{subnet.node.path}' is public, and functions get no public address there, so they"
                " reach nothing: select private subnets with vpc_subnets="
            )
    return subnets


def _security_group(scope: Construct, vpc: ec2.IVpc) -> ec2.ISecurityGroup:
    group = ec2.SecurityGroup(
        scope,
        "SecurityGroup",
        vpc=vpc,
        description="LookoutEquipment functions: out to AWS services, nothing in",
        allow_all_outbound=False,
    )
    # Gateway endpoints are reached at the public addresses of their service.
    group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.HTTPS, "AWS services")
    return group


def _interface_access(
    scope: IConstruct, subnets: Sequence[ec2.ISubnet], groups: Sequence[ec2.ISecurityGroup]
) -> tuple[Access, ...]:
    """Return the rights with which Lambda makes and deletes the network interfaces of a function.

    They are those of the managed policy AWSLambdaVPCAccessExecutionRole, on these subnets and groups only,
    and for Lambda only: requests of the function's own code have the key `lambda:SourceFunctionArn`.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
    """
    stack = cdk.Stack.of(scope)

    def arn(kind: str, name: str, account: str | None = None) -> str:
        return stack.format_arn(service="ec2", account=account, resource=kind, resource_name=name)

    by_lambda = {"Null": {"lambda:SourceFunctionArn": "true"}}
    interfaces = arn("network-interface", "*")
    shared = (
        "ids of interfaces are made up by EC2; a subnet or group can be that of an account that shares it"
    )
    return (
        Access(
            actions=("ec2:CreateNetworkInterface",),
            resources=(
                interfaces,
                *(arn("subnet", subnet.subnet_id, account="*") for subnet in subnets),
                *(arn("security-group", group.security_group_id, account="*") for group in groups),
            ),
            conditions=by_lambda,
            wildcard_reason=shared,
        ),
        Access(
            actions=(
                "ec2:AssignPrivateIpAddresses",
                "ec2:DeleteNetworkInterface",
                "ec2:UnassignPrivateIpAddresses",
            ),
            resources=(interfaces,),
            conditions=by_lambda,
            wildcard_reason=shared,
        ),
        Access(
            actions=("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"),
            resources=("*",),
            conditions=by_lambda,
            wildcard_reason="AWS offers no resource-level permissions for these actions",
        ),
    )
