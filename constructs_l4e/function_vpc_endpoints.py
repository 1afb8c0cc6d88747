"""What leads from a VPC without a way out to the AWS services that the functions call."""

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from constructs_l4e import _props, _validate
from constructs_l4e._acknowledge import acknowledge_range
from constructs_l4e._vpc_needs import GATEWAYS, INTERFACES


class FunctionVpcEndpoints(Construct):
    """VPC endpoints for the functions of a service in subnets without a route to the internet.

    Gateway endpoints for DynamoDB and S3, which cost nothing, and interface endpoints for KMS, Lambda,
    CloudWatch metrics, EventBridge, EventBridge Scheduler, Step Functions and STS, which AWS charges by the
    hour and Availability Zone. One set serves all services in a VPC.

    Args:
        scope: parent of the construct.
        id: construct id.
        vpc: the VPC; the gateway endpoints need the route tables of its subnets.
        subnets: subnets of the interface endpoints, and those whose routes get the gateway endpoints.
            Default: the subnets that CDK selects, as for the functions.
        security_groups: security groups of the interface endpoints. Default: a new one for each.
        open: whether every address of the VPC may use the interface endpoints. That needs the address range
            of the VPC: pass False for a VPC that does not know it, and allow the functions of a service with
            `allow_default_port_from(service)` of `connections` of each. Default: True.
        without: services of which the VPC has an endpoint already, by the end of the endpoint's name, such as
            `s3` or `sts`. Default: none.

    Raises:
        ValueError: when `without` names a service of which no endpoint is made.
    """

    @_props.checked
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        open: bool = True,  # noqa: A002 - CDK's name for it
        without: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, id)
        unknown = set(without) - {*GATEWAYS, *INTERFACES}
        if unknown:
            raise ValueError(
                f"without is {_validate.few(sorted(unknown))}, of"
                f" which no endpoint is made: list some of {', '.join((*GATEWAYS, *INTERFACES))}"
            )
        self.gateways = {
            name: ec2.GatewayVpcEndpoint(
                self,
                name,
                vpc=vpc,
                service=ec2.GatewayVpcEndpointAwsService(name),
                subnets=None if subnets is None else [subnets],
            )
            for name in GATEWAYS
            if name not in without
        }
        """Gateway endpoints by the service."""
        self.interfaces = {
            name: ec2.InterfaceVpcEndpoint(
                self,
                name,
                vpc=vpc,
                service=ec2.InterfaceVpcEndpointAwsService(name),
                subnets=subnets,
                security_groups=list(security_groups) if security_groups else None,
                open=open,
            )
            for name in INTERFACES
            if name not in without
        }
        """Interface endpoints by the service."""
        for endpoint in self.interfaces.values():
            acknowledge_range(endpoint, open=open, security_groups=security_groups)
