"""Private access to the service from a VPC."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_l4e._service_model import SERVICE, operations
from constructs_l4e.interfaces import IEquipmentService


class ServiceVpcEndpoint(ec2.InterfaceVpcEndpoint):
    """Interface endpoint through which a VPC reaches the service without the internet.

    A deployed service is reached through `execute-api`, AWS's own through `lookoutequipment`. The endpoint
    policy admits calls of the service's operations by principals of this account, and nothing else.

    Args:
        scope: parent of the construct.
        id: construct id.
        service: the service to reach.
        vpc: the VPC that the endpoint is in.
        subnets: subnets of the endpoint. Default: the private subnets, one per Availability Zone.
        security_groups: security groups of the endpoint. Default: a new one.
        open: whether every address of the VPC may use the endpoint. That needs the address range of the VPC:
            pass False for a VPC that does not know it, and allow callers with `connections`. Default: True.
        private_dns_enabled: whether the usual host names lead to the endpoint. For a deployed service that
            sends every `execute-api` call of the VPC through this endpoint and its policy. Default: True.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        service: IEquipmentService,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        open: bool = True,  # noqa: A002 - CDK's name for it
        private_dns_enabled: bool = True,
    ) -> None:
        deployed = service.api_id is not None
        super().__init__(
            scope,
            id,
            vpc=vpc,
            service=ec2.InterfaceVpcEndpointAwsService.APIGATEWAY
            if deployed
            else ec2.InterfaceVpcEndpointAwsService(SERVICE),
            subnets=subnets,
            security_groups=list(security_groups) if security_groups else None,
            open=open,
            private_dns_enabled=private_dns_enabled,
        )
        stack = cdk.Stack.of(self)
        self.add_to_policy(
            iam.PolicyStatement(
                sid="CallersOfThisAccount",
                actions=["execute-api:Invoke"]
                if deployed
                else [f"{SERVICE}:{operation}" for operation in operations()],
                principals=[iam.AnyPrincipal()],
                resources=[
                    stack.format_arn(
                        service="execute-api",
                        resource=str(service.api_id),
                        resource_name=f"{service.api_stage}/POST/*",
                    )
                    if deployed
                    else stack.format_arn(
                        service=SERVICE,
                        resource="*",
                        arn_format=cdk.ArnFormat.NO_RESOURCE_NAME,
                    )
                ],
                conditions={"StringEquals": {"aws:PrincipalAccount": stack.account}},
            )
        )
