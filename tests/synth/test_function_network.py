"""Functions in a VPC: where they run, with which rights, what they need there, and what is refused."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import aws_cdk as cdk
import boto3
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Annotations, Match
from canonical import (
    listed,
    only,
    resources,
    stack,
    statements,
    synthesised,
)
from services import built, granting, known_endpoint, network, only_role, plant_network

from constructs_l4e import (
    EquipmentService,
    FunctionVpcEndpoints,
)
from constructs_l4e._vpc_needs import GATEWAYS, INTERFACES


@pytest.fixture(scope="module")
def deployed() -> dict[str, Any]:
    return built("service-private")


def functions(content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for each in resources(content, "AWS::Lambda::Function").values():
        yield each["Properties"]


class TestFunctions:
    def test_are_outside_every_vpc_by_default(self) -> None:
        content = built("service")

        assert not [each for each in functions(content) if "VpcConfig" in each]
        assert not granting(content, "ec2:CreateNetworkInterface")

    def test_are_all_in_the_vpc(self, deployed: dict[str, Any]) -> None:
        found = [each["VpcConfig"] for each in functions(deployed)]

        assert len(found) == 10
        assert all(each == found[0] for each in found)
        assert len(found[0]["SubnetIds"]) == 2
        [group] = found[0]["SecurityGroupIds"]
        rules = deployed["Resources"][group["Fn::GetAtt"][0]]["Properties"]
        assert [(each["CidrIp"], each["ToPort"]) for each in rules["SecurityGroupEgress"]] == [
            ("0.0.0.0/0", 443)
        ]
        assert "SecurityGroupIngress" not in rules

    def test_have_the_rights_for_it_and_their_code_has_not(self, deployed: dict[str, Any]) -> None:
        used = {each["Role"]["Fn::GetAtt"][0] for each in functions(deployed)}
        assert len(used) == 6
        for role in used:
            found = [
                each
                for each in statements(only_role(deployed, role))
                if any(action.startswith("ec2:") for action in listed(each["Action"]))
            ]
            assert {action for each in found for action in listed(each["Action"])} == {
                "ec2:AssignPrivateIpAddresses",
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSubnets",
                "ec2:UnassignPrivateIpAddresses",
            }, role
            assert all(
                each["Condition"] == {"Null": {"lambda:SourceFunctionArn": "true"}} for each in found
            ), role

    def test_interfaces_are_made_in_the_subnets_of_the_functions_only(self, deployed: dict[str, Any]) -> None:
        for each in granting(deployed, "ec2:CreateNetworkInterface"):
            interface, *places = [json.dumps(arn) for arn in each["Resource"]]
            assert ":network-interface/*" in interface
            assert len(places) == 3
            assert all(":subnet/" in place or ":security-group/" in place for place in places)
            assert not [place for place in places if "/*" in place]

    def test_call_sts_in_their_region(
        self, deployed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        callers = [each for each in functions(deployed) if each["Handler"].startswith("service.jobs")]
        assert len(callers) == 3
        for each in callers:
            variables = each["Environment"]["Variables"]
            assert variables["AWS_STS_REGIONAL_ENDPOINTS"] == "regional"
        monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "regional")
        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
        assert boto3.Session().client("sts", region_name="us-east-1").meta.endpoint_url == (
            "https://sts.us-east-1.amazonaws.com"
        )

    def test_go_where_they_are_told(self) -> None:
        def build(scope: cdk.Stack) -> None:
            group = ec2.SecurityGroup.from_security_group_id(scope, "Group", "sg-0123456789abcdef0")
            subnet = ec2.Subnet.from_subnet_id(scope, "Subnet", "subnet-0123456789abcdef9")
            EquipmentService(
                scope,
                "Service",
                vpc=plant_network(scope),
                vpc_subnets=ec2.SubnetSelection(subnets=[subnet]),
                security_groups=[group],
            )

        content = synthesised(build)
        for each in functions(content):
            assert each["VpcConfig"] == {
                "SecurityGroupIds": ["sg-0123456789abcdef0"],
                "SubnetIds": ["subnet-0123456789abcdef9"],
            }
        assert not resources(content, "AWS::EC2::SecurityGroup")
        # The API stays regional: the two props are independent.
        api = only(content, "AWS::ApiGateway::RestApi")["Properties"]
        assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}

    def test_wait_for_the_routes_of_their_vpc(self) -> None:
        content = synthesised(
            lambda scope: EquipmentService(
                scope,
                "Service",
                vpc=network(scope, ec2.SubnetType.PUBLIC, ec2.SubnetType.PRIVATE_WITH_EGRESS),
            )
        )
        for name, each in resources(content, "AWS::Lambda::Function").items():
            assert [other for other in each["DependsOn"] if "DefaultRoute" in other], name

    def test_are_let_in_by_endpoints_that_are_not_open(self) -> None:
        def build(scope: cdk.Stack) -> None:
            vpc = plant_network(scope)
            endpoints = FunctionVpcEndpoints(
                scope, "Endpoints", vpc=vpc, open=False, without=["dynamodb", "s3"]
            )
            service = EquipmentService(scope, "Service", vpc=vpc)
            for each in endpoints.interfaces.values():
                each.connections.allow_default_port_from(service)

        found = resources(synthesised(build), "AWS::EC2::SecurityGroupIngress").values()
        assert len(found) == len(INTERFACES)
        assert all(
            "ServiceNetwork" in json.dumps(each["Properties"]["SourceSecurityGroupId"]) for each in found
        )


class TestCustomResourceFunctions:
    @pytest.mark.parametrize("in_vpc", [False, True])
    @pytest.mark.parametrize("private", [False, True])
    def test_invoke_the_api_function_where_nothing_leads_to_the_api(
        self, *, in_vpc: bool, private: bool
    ) -> None:
        content = synthesised(
            lambda scope: EquipmentService(
                scope,
                "Service",
                vpc=plant_network(scope) if in_vpc else None,
                api_vpc_endpoints=[known_endpoint(scope)] if private else None,
            )
        )
        [api_function] = [key for key in resources(content, "AWS::Lambda::Function") if "ApiFunction" in key]
        role = only_role(content, "ServiceProviderRole")
        variables = [
            each["Environment"]["Variables"]
            for each in functions(content)
            if each["Handler"].startswith("custom_resources")
        ]
        if not (in_vpc or private):
            assert granting(role, "execute-api:Invoke")
            assert not granting(role, "lambda:InvokeFunction")
            assert not [each for each in variables if "L4E_API_FUNCTION" in each]
            return
        assert not granting(role, "execute-api:Invoke")
        [invoke] = granting(role, "lambda:InvokeFunction")
        assert invoke["Resource"] == {"Fn::GetAtt": [api_function, "Arn"]}
        for each in variables:
            assert each["L4E_API_FUNCTION"] == {"Ref": api_function}
            assert ":assumed-role/" in json.dumps(each["L4E_CALLER"])
        assert all(("VpcConfig" in each) == in_vpc for each in functions(content))


class TestRefused:
    @pytest.mark.parametrize(
        ("props", "message"),
        [
            (
                lambda scope: {"vpc_subnets": ec2.SubnetSelection(one_per_az=True)},
                "vpc_subnets is given without a VPC: pass vpc= too, or leave it out",
            ),
            (
                lambda scope: {
                    "security_groups": [ec2.SecurityGroup.from_security_group_id(scope, "Group", "sg-1")]
                },
                "security_groups is given without a VPC: pass vpc= too, or leave it out",
            ),
            (
                lambda scope: {"vpc": plant_network(scope), "security_groups": []},
                (
                    "security_groups is empty, and functions in a VPC have one at least: name some, or leave"
                    " it out for a new one"
                ),
            ),
            (
                lambda scope: {
                    "vpc": plant_network(scope),
                    "vpc_subnets": ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
                },
                (
                    "subnet 'Test/Vpc/PublicSubnet1' is public, and functions get no public address there, so"
                    " they reach nothing: select private subnets with vpc_subnets="
                ),
            ),
            (
                lambda scope: {
                    "vpc": plant_network(scope),
                    "vpc_subnets": ec2.SubnetSelection(availability_zones=["eu-west-1z"]),
                },
                (
                    "VPC 'Test/Vpc' has no subnets of the selection for the functions: select others with"
                    " vpc_subnets=, or name the private subnets where the VPC is imported"
                ),
            ),
        ],
    )
    def test_what_cannot_work(self, props: Callable[[cdk.Stack], dict[str, Any]], message: str) -> None:
        scope = stack()
        with pytest.raises(ValueError) as refused:  # noqa: PT011 - the message is compared as a whole
            EquipmentService(scope, "Service", **props(scope))
        assert str(refused.value) == message

    def test_connections_of_functions_outside_every_vpc(self) -> None:
        service = EquipmentService(stack(), "Service")
        with pytest.raises(ValueError, match=r"'Test/Service' are outside every VPC.*pass vpc="):
            _ = service.connections


class TestWarning:
    MISSING = "constructs-l4e:endpointsMissing"

    def warnings(self, build: Callable[[cdk.Stack], object]) -> list[str]:
        scope = stack()
        build(scope)
        found = Annotations.from_stack(scope).find_warning("*", Match.string_like_regexp(self.MISSING))
        return [str(each.entry.data) for each in found]

    def test_of_subnets_that_lead_nowhere(self) -> None:
        def build(scope: cdk.Stack) -> None:
            vpc = network(scope, ec2.SubnetType.PRIVATE_ISOLATED)
            EquipmentService(scope, "Service", vpc=vpc)
            # After the service: the order does not count.
            vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)

        [warning] = self.warnings(build)
        missing = ", ".join(each for each in (*GATEWAYS, *INTERFACES) if each != "s3")
        assert f"makes no VPC endpoints for {missing}: make them with FunctionVpcEndpoints" in warning

    @pytest.mark.parametrize(
        "build",
        [
            lambda scope: EquipmentService(scope, "Service", vpc=plant_network(scope)),
            lambda scope: EquipmentService(
                scope,
                "Service",
                vpc=network(scope, ec2.SubnetType.PUBLIC, ec2.SubnetType.PRIVATE_WITH_EGRESS),
            ),
            lambda scope: FunctionVpcEndpoints(
                scope,
                "Endpoints",
                vpc=EquipmentService(scope, "Service", vpc=network(scope, ec2.SubnetType.PRIVATE_ISOLATED))
                .node.root.node.find_child("Test")
                .node.find_child("Own"),  # type: ignore[arg-type]
            ),
        ],
        ids=["imported", "with a way out", "with endpoints"],
    )
    def test_of_nothing_else(self, build: Callable[[cdk.Stack], object]) -> None:
        assert self.warnings(build) == []


class TestFunctionVpcEndpoints:
    def test_lead_to_what_the_functions_call(self, deployed: dict[str, Any]) -> None:
        found = {
            each["Properties"]["ServiceName"]
            if isinstance(each["Properties"]["ServiceName"], str)
            else each["Properties"]["ServiceName"]["Fn::Join"][1][-1]
            for each in resources(deployed, "AWS::EC2::VPCEndpoint").values()
        }
        assert {name.rpartition(".")[2] for name in found} == {*GATEWAYS, *INTERFACES, "execute-api"}

    def test_cover_every_service_that_a_role_of_the_functions_may_call(
        self, deployed: dict[str, Any]
    ) -> None:
        """What is not in the list is not called over the network of the functions, or has no endpoint."""
        used = {each["Role"]["Fn::GetAtt"][0] for each in functions(deployed)}
        actions = {
            action
            for role in used
            for each in statements(only_role(deployed, role))
            for action in listed(each["Action"])
        }
        endpoint_of = {"cloudwatch": "monitoring"}
        elsewhere = {
            "ec2": "Lambda makes the interfaces",
            "iam": "no endpoint in most Regions; for ways in by tag only",
            "logs": "Lambda writes them",
            "sqs": "Lambda sends what could not be handled",
        }
        called = {action.partition(":")[0] for action in actions} - set(elsewhere)
        assert {endpoint_of.get(each, each) for each in called} == {*GATEWAYS, *INTERFACES}

    def test_can_be_left_out(self) -> None:
        content = synthesised(
            lambda scope: FunctionVpcEndpoints(
                scope, "Endpoints", vpc=plant_network(scope), open=False, without=[*GATEWAYS, "sts", "kms"]
            )
        )
        assert len(resources(content, "AWS::EC2::VPCEndpoint")) == len(INTERFACES) - 2

    def test_unknown_ones_are_refused(self) -> None:
        scope = stack()
        with pytest.raises(ValueError, match=r'without is "sqs".*list some of dynamodb, s3, events, kms'):
            FunctionVpcEndpoints(scope, "Endpoints", vpc=plant_network(scope), without=["sqs", "s3"])
