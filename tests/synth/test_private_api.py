"""A private API: who reaches it and through what, the endpoints that lead to it, and what is refused."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from canonical import (
    JOB_ROLE,
    PROVIDER_ROLE,
    SERVICE_TOKEN,
    findings,
    listed,
    only,
    resources,
    stack,
    synthesised,
    template,
)
from ministack.core.iam_evaluator import (
    EvalContext,
    combine_resource_policy,
    evaluate,
    parse_policy_document,
)
from services import OTHER_VPCE, VPCE, built, known_endpoint, network, plant_network

from constructs_l4e import (
    AccessLevel,
    EquipmentService,
    IEquipmentService,
    ServiceVpcEndpoint,
)

GUIDE = (
    "ListDatasets",
    "CreateDataset",
    "DescribeDataset",
    "DeleteDataset",
    "StartDataIngestionJob",
    "DescribeDataIngestionJob",
    "ListDataIngestionJobs",
    "CreateModel",
    "DescribeModel",
    "ListModels",
    "DeleteModel",
    "CreateInferenceScheduler",
    "StartInferenceScheduler",
    "StopInferenceScheduler",
    "UpdateInferenceScheduler",
    "DescribeInferenceScheduler",
    "ListInferenceSchedulers",
    "DeleteInferenceScheduler",
    "ListInferenceExecutions",
)
"""Operations of the endpoint policy in the user guide, p. 74."""


def imported(scope: cdk.Stack, **more: Any) -> IEquipmentService:
    return EquipmentService.from_equipment_service_attributes(
        scope,
        "Imported",
        api_id="abcde12345",
        api_stage="v1",
        data_access_role_arn=JOB_ROLE,
        provider_service_token=SERVICE_TOKEN,
        provider_role_arn=PROVIDER_ROLE,
        **more,
    )


class TestPrivateApi:
    def test_is_not_the_default(self) -> None:
        api = only(built("service"), "AWS::ApiGateway::RestApi")["Properties"]

        assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
        assert "Policy" not in api

    def test_is_reached_through_its_endpoints(self) -> None:
        def build(scope: cdk.Stack) -> None:
            endpoints = [known_endpoint(scope), known_endpoint(scope, OTHER_VPCE)]
            service = EquipmentService(scope, "Service", api_vpc_endpoints=endpoints)
            cdk.CfnOutput(scope, "Url", value=service.endpoint_url)
            assert service.api_vpc_endpoint_ids == (VPCE, OTHER_VPCE)

        content = synthesised(build)
        api = only(content, "AWS::ApiGateway::RestApi")["Properties"]
        assert api["EndpointConfiguration"] == {
            "Types": ["PRIVATE"],
            "VpcEndpointIds": [VPCE, OTHER_VPCE],
        }
        url = "".join(
            part if isinstance(part, str) else f"<{part['Ref'][:18]}>"
            for part in content["Outputs"]["Url"]["Value"]["Fn::Join"][1]
        )
        assert re.fullmatch(
            rf"https://<ServiceApiRestApi.*>-{VPCE}\.execute-api\.eu-west-1\.<AWS::URLSuffix>/v1", url
        )

    @pytest.mark.parametrize(
        ("through", "by_iam", "passes"),
        [
            (VPCE, True, True),
            (VPCE, False, False),
            (OTHER_VPCE, True, False),
            (None, True, False),
            (None, False, False),
        ],
    )
    def test_lets_in_whom_iam_lets_in_and_only_through_them(
        self, through: str | None, *, by_iam: bool, passes: bool
    ) -> None:
        content = synthesised(
            lambda scope: EquipmentService(scope, "Service", api_vpc_endpoints=[known_endpoint(scope)])
        )
        policy = only(content, "AWS::ApiGateway::RestApi")["Properties"]["Policy"]

        assert decision(policy, through=through, by_iam=by_iam) == passes

    def test_an_allow_of_everybody_would_defeat_the_ways_in(self) -> None:
        policy = {
            "Statement": [
                {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}
            ]
        }
        assert decision(policy, through=VPCE, by_iam=False)

    def test_another_endpoint_makes_another_deployment(self) -> None:
        """A resource policy takes effect when the API is deployed again."""

        def deployment(endpoint: str) -> set[str]:
            content = synthesised(
                lambda scope: EquipmentService(
                    scope, "Service", api_vpc_endpoints=[known_endpoint(scope, endpoint)]
                )
            )
            return set(resources(content, "AWS::ApiGateway::Deployment"))

        assert deployment(VPCE) == deployment(VPCE)
        assert deployment(VPCE) != deployment(OTHER_VPCE)

    def test_principals_of_other_accounts_can_be_added(self) -> None:
        def build(scope: cdk.Stack) -> None:
            service = EquipmentService(scope, "Service", api_vpc_endpoints=[known_endpoint(scope)])
            service.api.add_to_resource_policy(
                iam.PolicyStatement(
                    actions=["execute-api:Invoke"],
                    principals=[iam.ArnPrincipal(JOB_ROLE)],
                    resources=["execute-api:/v1/POST/read"],
                )
            )

        policy = only(synthesised(build), "AWS::ApiGateway::RestApi")["Properties"]["Policy"]
        assert [each["Effect"] for each in policy["Statement"]] == ["Deny", "Allow"]


def decision(policy: Mapping[str, Any], *, through: str | None, by_iam: bool) -> bool:
    """What the policy evaluation of the embedded AWS makes of a call, with the endpoint that it lacks."""
    account, region = "000000000000", "eu-west-1"
    arn = f"arn:aws:execute-api:{region}:{account}:abc/v1/POST/read"
    text = json.dumps(policy).replace('"execute-api:/', f'"{arn.partition("/")[0]}/')
    context = EvalContext(
        principal_arn=f"arn:aws:iam::{account}:user/someone",
        principal_type="User",
        principal_account=account,
        action="execute-api:Invoke",
        resource_arn=arn,
        region=region,
        service_context={} if through is None else {"aws:sourcevpce": through},
    )
    allowed = [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": arn}] if by_iam else []
    identity = evaluate(context, [parse_policy_document({"Statement": allowed})])
    outcome = combine_resource_policy(identity, context, text, account)
    return bool(outcome.decision == "Allow")


class TestRefused:
    @pytest.mark.parametrize(
        ("props", "message"),
        [
            (
                lambda scope: {"api_vpc_endpoints": []},
                (
                    "api_vpc_endpoints is empty, and nothing would reach the API: name at least one interface"
                    " endpoint, or leave it out for a regional API"
                ),
            ),
            (
                lambda scope: {
                    "api_vpc_endpoints": [
                        network(scope, ec2.SubnetType.PRIVATE_ISOLATED).add_interface_endpoint(
                            "Keys", service=ec2.InterfaceVpcEndpointAwsService.KMS
                        )
                    ]
                },
                (
                    "endpoint 'Test/Own/Keys' leads to 'kms', and a private API is reached through interface"
                    " endpoints of 'execute-api': pass a ServiceVpcEndpoint"
                ),
            ),
        ],
    )
    def test_what_cannot_work(self, props: Callable[[cdk.Stack], dict[str, Any]], message: str) -> None:
        scope = stack()
        with pytest.raises(ValueError) as refused:  # noqa: PT011 - the message is compared as a whole
            EquipmentService(scope, "Service", **props(scope))
        assert str(refused.value) == message


class TestServiceVpcEndpoint:
    def policy(
        self, service: Callable[[cdk.Stack], IEquipmentService | None], **props: Any
    ) -> dict[str, Any]:
        [statement] = self.statements(service, **props)
        return statement

    def statements(
        self, service: Callable[[cdk.Stack], IEquipmentService | None], **props: Any
    ) -> list[dict[str, Any]]:
        def build(scope: cdk.Stack) -> None:
            ServiceVpcEndpoint(
                scope, "Endpoint", vpc=plant_network(scope), service=service(scope), open=False, **props
            )

        found = only(synthesised(build), "AWS::EC2::VPCEndpoint")["Properties"]["PolicyDocument"]
        statements: list[dict[str, Any]] = found["Statement"]
        only_own = {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}
        assert all(each["Condition"] == only_own for each in statements)
        assert all(each["Principal"] == {"AWS": "*"} for each in statements)
        return statements

    def paths(self, statement: Mapping[str, Any]) -> list[str]:
        """What is behind the account in each ARN."""
        return [arn["Fn::Join"][1][-1] for arn in listed(statement["Resource"])]

    @pytest.mark.parametrize(
        ("props", "paths"),
        [
            ({}, [":*/v1/POST/*"]),
            ({"level": "full"}, [":*/v1/POST/*"]),
            ({"level": AccessLevel.READ}, [":*/v1/POST/read", ":*/v1/POST/read/*"]),
            ({"level": "operate"}, [":*/v1/POST/operate", ":*/v1/POST/operate/*"]),
            ({"operations": ["ListModels"]}, [":*/v1/POST/read", ":*/v1/POST/read/*"]),
            ({"operations": GUIDE}, [":*/v1/POST/*"]),
        ],
    )
    def test_admits_ways_in_to_deployed_services(self, props: dict[str, Any], paths: list[str]) -> None:
        statement = self.policy(lambda _: None, **props)

        assert statement["Action"] == "execute-api:Invoke"
        assert self.paths(statement) == paths

    def test_admits_the_api_of_a_private_service_elsewhere(self) -> None:
        statement = self.policy(lambda scope: imported(scope, api_vpc_endpoint_ids=[VPCE]), level="read")

        assert self.paths(statement) == [":abcde12345/v1/POST/read", ":abcde12345/v1/POST/read/*"]

    def test_admits_operations_of_aws_s_service_as_in_the_guide(self) -> None:
        statements = self.statements(
            lambda scope: EquipmentService.aws_managed(scope, "Managed"), operations=GUIDE
        )

        admitted = {action for each in statements for action in each["Action"]}
        assert admitted == {f"lookoutequipment:{operation}" for operation in GUIDE}

    def test_admits_a_level_of_aws_s_service(self) -> None:
        on_resources, lists = self.statements(
            lambda scope: EquipmentService.aws_managed(scope, "Managed"), level=AccessLevel.READ
        )

        assert "lookoutequipment:DescribeModel" in on_resources["Action"]
        assert "lookoutequipment:ListModels" in lists["Action"]
        assert all(each.startswith(READS) for each in (*on_resources["Action"], *lists["Action"]))

    def test_a_policy_without_lists_has_no_statement_for_them(self) -> None:
        statement = self.policy(
            lambda scope: EquipmentService.aws_managed(scope, "Managed"), operations=["DescribeModel"]
        )
        assert statement["Sid"] == "CallersOfThisAccount"

    @pytest.mark.parametrize(
        ("build", "message"),
        [
            (
                lambda scope: {"service": imported(scope)},
                (
                    "the API 'abcde12345' of service 'Test/Imported' is regional, and execute-api endpoints"
                    " lead to private APIs only: make the endpoint without service=, and make the API private"
                    " with EquipmentService(api_vpc_endpoints=[endpoint]); for an imported service that has"
                    " such endpoints, pass api_vpc_endpoint_ids="
                ),
            ),
            (
                lambda scope: {
                    "service": EquipmentService(scope, "Made", api_vpc_endpoints=[known_endpoint(scope)])
                },
                (
                    "service 'Test/Made' lets in the endpoints that it was made with, and this one would come"
                    " after it: make the endpoint without service=, and pass it in api_vpc_endpoints= of the"
                    " service"
                ),
            ),
            (
                lambda scope: {"level": "read", "operations": ["ListModels"]},
                "level 'read' and operations say both what the endpoint admits: leave one of them out",
            ),
            (
                lambda scope: {"level": "write"},
                'access level "write" is not supported: use one of read, operate, full',
            ),
            (
                lambda scope: {"level": ""},
                'access level "" is not supported: use one of read, operate, full',
            ),
            (
                lambda scope: {"operations": ["ListPumps"]},
                '"ListPumps" is not an operation of the API: use names such as "DescribeModel"',
            ),
            (
                lambda scope: {"operations": []},
                "operations is empty, and the endpoint would admit nothing: name some, or leave it out",
            ),
        ],
    )
    def test_refuses_what_it_does_not_lead_to(
        self, build: Callable[[cdk.Stack], dict[str, Any]], message: str
    ) -> None:
        scope = stack()
        with pytest.raises(ValueError) as refused:  # noqa: PT011 - the message is compared as a whole
            ServiceVpcEndpoint(scope, "Endpoint", vpc=plant_network(scope), **build(scope))
        assert str(refused.value) == message

    def test_a_regional_service_of_the_app_is_refused_by_its_path(self) -> None:
        scope = stack()
        service = EquipmentService(scope, "Made")
        with pytest.raises(ValueError, match="of service 'Test/Made' is regional"):
            ServiceVpcEndpoint(scope, "Endpoint", vpc=plant_network(scope), service=service)


READS = ("lookoutequipment:Describe", "lookoutequipment:List")


class TestImported:
    def test_says_whether_it_is_private(self) -> None:
        assert imported(stack()).api_vpc_endpoint_ids == ()
        assert imported(stack(), api_vpc_endpoint_ids=[VPCE]).api_vpc_endpoint_ids == (VPCE,)
        assert EquipmentService.aws_managed(stack(), "Managed").api_vpc_endpoint_ids == ()

    def test_has_the_address_that_leads_to_it(self) -> None:
        scope = stack()
        suffix = cdk.Stack.of(scope).url_suffix
        service = imported(scope, api_vpc_endpoint_ids=[VPCE, OTHER_VPCE])

        assert service.endpoint_url == f"https://abcde12345-{VPCE}.execute-api.eu-west-1.{suffix}/v1"
        assert service.endpoint_url_for("read") == f"{service.endpoint_url}/read"

    def test_ids_of_another_stack_are_taken_as_they_are(self) -> None:
        scope = stack()
        service = imported(scope, api_vpc_endpoint_ids=[cdk.Fn.import_value("Endpoint")])
        cdk.CfnOutput(scope, "Url", value=service.endpoint_url)

        url = template(scope)["Outputs"]["Url"]["Value"]["Fn::Join"][1]
        assert {"Fn::ImportValue": "Endpoint"} in url

    @pytest.mark.parametrize(
        ("ids", "kind", "message"),
        [
            (VPCE, TypeError, f'is the text "{VPCE}", not a list: write'),
            (["vpc-0123"], ValueError, "'vpc-0123' is no id of a VPC endpoint: use ids such as"),
        ],
    )
    def test_what_is_no_id_is_refused(self, ids: Any, kind: type[Exception], message: str) -> None:
        with pytest.raises(kind, match=message):
            imported(stack(), api_vpc_endpoint_ids=ids)


class TestRulePacks:
    @pytest.mark.parametrize("place", ["imported", "of another stack", "looked up"])
    def test_find_nothing_wherever_the_network_is(self, place: str) -> None:
        environment = cdk.Environment(account="111122223333", region="eu-west-1")
        target = cdk.App(analytics_reporting=False)
        network_stack = cdk.Stack(target, "Network", env=environment)
        scope = cdk.Stack(target, "Test", env=environment)
        vpc: ec2.IVpc
        match place:
            case "imported":
                vpc = plant_network(scope)
            case "of another stack":
                vpc = network(network_stack, ec2.SubnetType.PUBLIC, ec2.SubnetType.PRIVATE_WITH_EGRESS)
            case _:
                vpc = ec2.Vpc.from_lookup(scope, "Vpc", vpc_id="vpc-0123456789abcdef0")
        endpoint = ServiceVpcEndpoint(scope, "Endpoint", vpc=vpc, open=False)
        EquipmentService(scope, "Service", vpc=vpc, api_vpc_endpoints=[endpoint])

        assert findings(scope) == set()
