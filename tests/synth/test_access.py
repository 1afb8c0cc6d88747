"""ServiceRole, EquipmentKey and ServiceVpcEndpoint: who may do what."""

import json
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from canonical import (
    JOB_ROLE,
    PROVIDER_ROLE,
    findings,
    imported_service,
    lint,
    only,
    resources,
    stack,
    synthesised,
)

from constructs_l4e import (
    EquipmentKey,
    EquipmentService,
    S3Location,
    ServiceRole,
    ServiceVpcEndpoint,
    _service_model,
)

PARTITION, ACCOUNT = {"Ref": "AWS::Partition"}, {"Ref": "AWS::AccountId"}
ANY_RESOURCE = {"Fn::Join": ["", ["arn:", PARTITION, ":lookoutequipment:eu-west-1:", ACCOUNT, ":*"]]}


def place(scope: cdk.Stack, bucket: str, prefix: str, key: kms.IKey | None = None) -> S3Location:
    found = scope.node.try_find_child(bucket) or s3.Bucket.from_bucket_attributes(
        scope, bucket, bucket_name=bucket, encryption_key=key
    )
    return S3Location(bucket=found, prefix=prefix)


def role(build: Callable[[cdk.Stack], Any]) -> dict[str, Any]:
    properties: dict[str, Any] = only(synthesised(build), "AWS::IAM::Role")["Properties"]
    return properties


def test_role_that_nothing_uses_trusts_the_deployed_service_for_this_account_and_region() -> None:
    found = role(
        lambda scope: ServiceRole(
            scope, "R", service=imported_service(scope), reads=[place(scope, "abc", "")]
        )
    )

    assert found["Path"] == "/lookoutequipment/"
    assert found["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Action": "sts:AssumeRole",
            "Condition": {"StringLike": {"sts:ExternalId": [ANY_RESOURCE]}},
            "Effect": "Allow",
            "Principal": {"AWS": JOB_ROLE},
        }
    ]


def test_role_trusts_aws_s_service_for_this_account_and_region() -> None:
    def build(scope: cdk.Stack) -> None:
        service = EquipmentService.aws_managed(scope, "Service")
        ServiceRole(scope, "DataRole", service=service, reads=[place(scope, "abc", "")])

    [found] = [
        value["Properties"]
        for key, value in resources(synthesised(build), "AWS::IAM::Role").items()
        if key.startswith("DataRole")
    ]
    assert found["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": ACCOUNT},
                "ArnLike": {"aws:SourceArn": ANY_RESOURCE},
            },
            "Effect": "Allow",
            "Principal": {"Service": "lookoutequipment.amazonaws.com"},
        }
    ]


def test_role_holds_each_right_once() -> None:
    def build(scope: cdk.Stack) -> None:
        ServiceRole(
            scope,
            "R",
            service=imported_service(scope),
            reads=[place(scope, "abc", "in/"), place(scope, "abc", "in/"), place(scope, "xyz", "")],
            writes=[place(scope, "abc", "out/")],
        )

    [policy] = role(build)["Policies"]

    def arn(rest: str) -> dict[str, Any]:
        return {"Fn::Join": ["", ["arn:", PARTITION, f":s3:::{rest}"]]}

    def prefixes(*values: str) -> dict[str, Any]:
        return {"StringLike": {"s3:prefix": list(values)}}

    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Action": "s3:ListBucket",
            "Condition": prefixes("in/*", "out/*"),
            "Effect": "Allow",
            "Resource": arn("abc"),
        },
        {"Action": "s3:ListBucket", "Condition": prefixes("*"), "Effect": "Allow", "Resource": arn("xyz")},
        {"Action": "s3:GetObject", "Effect": "Allow", "Resource": [arn("abc/in/*"), arn("xyz/*")]},
        {"Action": "s3:PutObject", "Effect": "Allow", "Resource": arn("abc/out/*")},
    ]


def test_role_uses_the_keys_of_its_buckets_through_s3_only() -> None:
    def build(scope: cdk.Stack) -> None:
        keys = [
            kms.Key.from_key_arn(scope, name, f"arn:aws:kms:eu-west-1:111122223333:key/{name}")
            for name in "abc"
        ]
        ServiceRole(
            scope,
            "R",
            service=imported_service(scope),
            reads=[place(scope, "bucket-a", "", keys[0])],
            writes=[place(scope, "bucket-b", "", keys[1])],
            output_keys=[keys[2], keys[1]],
        )

    [policy] = role(build)["Policies"]
    decrypt, encrypt = policy["PolicyDocument"]["Statement"][-2:]
    via = {
        "StringEquals": {"kms:ViaService": {"Fn::Join": ["", ["s3.eu-west-1.", {"Ref": "AWS::URLSuffix"}]]}}
    }
    arn = "arn:aws:kms:eu-west-1:111122223333:key/"
    assert decrypt == {"Action": "kms:Decrypt", "Condition": via, "Effect": "Allow", "Resource": f"{arn}a"}
    assert encrypt == {
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Condition": via,
        "Effect": "Allow",
        "Resource": [f"{arn}b", f"{arn}c"],
    }


def test_role_is_a_role() -> None:
    scope = stack()
    made = ServiceRole(
        scope, "R", service=imported_service(scope), reads=[place(scope, "abc", "")], role_name="mine"
    )
    s3.Bucket(scope, "Bucket").grant_read(made)

    assert cdk.Token.is_unresolved(made.role_arn)
    assert len(resources(cdk.assertions.Template.from_stack(scope).to_json(), "AWS::IAM::Policy")) == 1


def test_role_without_purpose() -> None:
    scope = stack()

    with pytest.raises(
        ValueError, match='service role "R" reads and writes nothing: pass `reads` or `writes`'
    ):
        ServiceRole(scope, "R", service=imported_service(scope))


def key_statements(build: Callable[[cdk.Stack], Any]) -> list[dict[str, Any]]:
    [key] = [
        value
        for name, value in resources(synthesised(build), "AWS::KMS::Key").items()
        if name.startswith("DataKey")
    ]
    assert key["DeletionPolicy"] == "RetainExceptOnCreate"
    assert key["Properties"]["EnableKeyRotation"] is True
    assert "KeySpec" not in key["Properties"], "the service takes symmetric keys only"
    statements: list[dict[str, Any]] = key["Properties"]["KeyPolicy"]["Statement"]
    return statements


def test_key_leaves_a_deployed_service_to_iam() -> None:
    [account] = key_statements(lambda scope: EquipmentKey(scope, "DataKey", service=imported_service(scope)))

    assert account["Principal"]["AWS"]["Fn::Join"][1][-1] == ":root"


def test_key_policy_for_aws_s_service() -> None:
    def build(scope: cdk.Stack) -> None:
        service = EquipmentService.aws_managed(scope, "Service")
        user = iam.ArnPrincipal(PROVIDER_ROLE)
        EquipmentKey(scope, "DataKey", service=service, users=[user], alias="l4e")

    _, through_service, view = key_statements(build)
    assert through_service["Action"] == ["kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"]
    assert through_service["Condition"] == {
        "StringEquals": {"kms:ViaService": "lookoutequipment.eu-west-1.amazonaws.com"}
    }
    assert view["Action"] == "kms:DescribeKey"
    for statement in (through_service, view):
        provider, user = statement["Principal"]["AWS"]
        assert provider["Fn::GetAtt"][0].startswith("ServiceProvider")
        assert user == PROVIDER_ROLE


def endpoint(*, managed: bool = False, **props: Any) -> dict[str, Any]:
    def build(scope: cdk.Stack) -> None:
        service = EquipmentService.aws_managed(scope, "Service") if managed else None
        vpc = ec2.Vpc(scope, "Vpc", max_azs=1, nat_gateways=0, restrict_default_security_group=False)
        made = ServiceVpcEndpoint(scope, "Endpoint", service=service, vpc=vpc, **props)
        made.connections.allow_default_port_from(ec2.Peer.ipv4("10.9.0.0/16"))

    return synthesised(build)


def test_endpoint_of_deployed_services() -> None:
    found = only(endpoint(), "AWS::EC2::VPCEndpoint")["Properties"]

    assert found["ServiceName"] == "com.amazonaws.eu-west-1.execute-api"
    # It would cut the VPC off from every regional API.
    assert found["PrivateDnsEnabled"] is False
    assert found["PolicyDocument"]["Statement"] == [
        {
            "Action": "execute-api:Invoke",
            "Condition": {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Resource": {
                "Fn::Join": [
                    "",
                    ["arn:", PARTITION, ":execute-api:eu-west-1:", ACCOUNT, ":*/v1/POST/*"],
                ]
            },
            "Sid": "CallersOfThisAccount",
        }
    ]


def test_endpoint_of_aws_s_service_names_every_action() -> None:
    found = only(endpoint(managed=True), "AWS::EC2::VPCEndpoint")["Properties"]
    on_resources, lists = found["PolicyDocument"]["Statement"]

    assert found["ServiceName"] == "com.amazonaws.eu-west-1.lookoutequipment"
    assert found["PrivateDnsEnabled"] is True
    assert on_resources["Resource"] == ANY_RESOURCE
    assert lists["Resource"] == "*", "AWS denies an action without resources on any ARN"
    assert sorted([*on_resources["Action"], *lists["Action"]]) == [
        f"lookoutequipment:{each}" for each in _service_model.operations()
    ]
    assert {"lookoutequipment:ListDatasets", "lookoutequipment:DescribeDataIngestionJob"} < {*lists["Action"]}
    assert "lookoutequipment:ListSensorStatistics" in on_resources["Action"]
    assert lists["Condition"] == on_resources["Condition"]


def test_endpoint_opens_to_the_vpc_unless_told_not_to() -> None:
    def ranges(content: dict[str, Any]) -> list[Any]:
        group = only(content, "AWS::EC2::SecurityGroup")["Properties"]
        return [each["CidrIp"] for each in group["SecurityGroupIngress"]]

    [vpc_range, peer] = ranges(endpoint())
    assert vpc_range["Fn::GetAtt"][1] == "CidrBlock"
    assert peer == "10.9.0.0/16"
    assert ranges(endpoint(open=False)) == ["10.9.0.0/16"]


def test_endpoint_with_a_security_group_of_your_own() -> None:
    def build(scope: cdk.Stack) -> None:
        vpc = ec2.Vpc.from_vpc_attributes(
            scope,
            "Vpc",
            vpc_id="vpc-0123456789abcdef0",
            availability_zones=["eu-west-1a"],
            private_subnet_ids=["subnet-0123456789abcdef0"],
        )
        group = ec2.SecurityGroup.from_security_group_id(scope, "Group", "sg-0123456789abcdef0")
        ServiceVpcEndpoint(
            scope,
            "Endpoint",
            vpc=vpc,
            subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            security_groups=[group],
            open=False,
            private_dns_enabled=True,
        )

    found = only(synthesised(build), "AWS::EC2::VPCEndpoint")["Properties"]
    assert found["SecurityGroupIds"] == ["sg-0123456789abcdef0"]
    assert found["SubnetIds"] == ["subnet-0123456789abcdef0"]
    assert found["PrivateDnsEnabled"] is True


def key_and_endpoint(scope: cdk.Stack) -> None:
    service = imported_service(scope)
    EquipmentKey(scope, "Key", service=service)
    vpc = ec2.Vpc.from_vpc_attributes(
        scope,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["eu-west-1a"],
        private_subnet_ids=["subnet-0123456789abcdef0"],
    )
    ServiceVpcEndpoint(scope, "Endpoint", vpc=vpc, open=False)


def test_nag_finds_nothing() -> None:
    scope = stack()
    key_and_endpoint(scope)

    assert findings(scope) == set()


def test_cfn_lint_is_clean(tmp_path: Any) -> None:
    path = tmp_path / "template.json"
    path.write_text(json.dumps(synthesised(key_and_endpoint)))

    assert lint(path) == ""
