"""The AWS services that the functions call, and whether a VPC without a way out leads to them."""

from collections.abc import Iterator, Sequence

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from constructs import Construct, IConstruct

GATEWAYS = ("dynamodb", "s3")
"""Services with gateway endpoints, which cost nothing."""

INTERFACES = ("events", "kms", "lambda", "monitoring", "scheduler", "states", "sts")
"""Services with interface endpoints. Lambda itself writes the logs and sends what could not be handled."""


def warn_of_missing_endpoints(scope: Construct, vpc: ec2.IVpc, subnets: Sequence[ec2.ISubnet]) -> None:
    """Warn when the subnets lead nowhere and the app has no endpoints for what the functions call.

    Only of a VPC that this app makes: who imports one knows more of it than the app does.
    """
    if not cdk.Resource.is_owned_resource(vpc):
        return
    isolated = {subnet.subnet_id for subnet in vpc.isolated_subnets}
    if isolated.issuperset(subnet.subnet_id for subnet in subnets):
        # Of a leaf, so that it is visited once; at the end, when every endpoint is known.
        cdk.Aspects.of(Construct(scope, "Endpoints")).add(_Check(vpc))


@jsii.implements(cdk.IAspect)
class _Check:
    def __init__(self, vpc: ec2.IVpc) -> None:
        self._vpc = vpc

    def visit(self, node: IConstruct) -> None:
        reached = set(_services(node.node.root, self._vpc))
        missing = [service for service in (*GATEWAYS, *INTERFACES) if service not in reached]
        if missing:
            cdk.Annotations.of(node).add_warning_v2(
                "constructs-l4e:endpointsMissing",
                f"the functions are in subnets of VPC '{self._vpc.node.path}' that lead nowhere, and the app"
                f" makes no VPC endpoints for {', '.join(missing)}: make them with FunctionVpcEndpoints, or"
                " select subnets with a way out",
            )


def _services(root: IConstruct, vpc: ec2.IVpc) -> Iterator[str]:
    """Yield the services that the app's endpoints of a VPC lead to."""
    for each in root.node.find_all():
        if isinstance(each, ec2.CfnVPCEndpoint):
            stack = cdk.Stack.of(each)
            if stack.resolve(each.vpc_id) == stack.resolve(vpc.vpc_id):
                yield service_of(each)


def service_of(endpoint: ec2.CfnVPCEndpoint) -> str:
    """Return the last part of the name of an endpoint's service, such as `execute-api`; "" if not known."""
    name = cdk.Stack.of(endpoint).resolve(endpoint.service_name)
    match name:
        case {"Fn::Join": [_, [*_, str(end)]]} | str(end):
            return end.rpartition(".")[2]
    return ""
