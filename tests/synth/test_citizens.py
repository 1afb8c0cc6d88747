"""Constructs as citizens of the CDK: default children, removal policies, Aspects, type hints."""

import inspect
import typing
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_iam as iam
from canonical import PUMP, custom, imported_service, locations, resources, stack, template
from constructs import IConstruct

import constructs_l4e
from constructs_l4e import EquipmentService, MonitoredAsset, UsesRole

INTERFACES = (
    "IDataset",
    "IEquipmentService",
    "IInferenceScheduler",
    "ILabelGroup",
    "IModel",
    "IRetrainingScheduler",
    "IServiceResource",
)
KINDS = ("Dataset", "DataIngestion", "Model", "InferenceScheduler")


def asset(scope: cdk.Stack) -> MonitoredAsset:
    return MonitoredAsset(
        scope, "Pump", service=imported_service(scope), locations=locations(scope), schema=PUMP
    )


def part(of: MonitoredAsset, kind: str) -> cdk.Resource:
    parts = {
        "Dataset": of.dataset,
        "DataIngestion": of.ingestion,
        "Model": of.model,
        "InferenceScheduler": of.scheduler,
    }
    found = parts[kind]
    assert isinstance(found, cdk.Resource)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_removal_policy_and_escape_hatch(kind: str) -> None:
    scope = stack()
    found = part(asset(scope), kind)
    found.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    resource = found.node.default_child
    assert isinstance(resource, cdk.CfnResource)
    resource.add_property_override("PropertiesVersion", "0")
    content = custom(template(scope), kind)

    assert (content["DeletionPolicy"], content["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert content["Properties"]["PropertiesVersion"] == "0"


def test_removal_policy_of_a_service_is_about_its_state() -> None:
    scope = stack()
    EquipmentService(scope, "Service").apply_removal_policy(cdk.RemovalPolicy.DESTROY)
    content = template(scope)

    for kind in ("AWS::S3::Bucket", "AWS::DynamoDB::Table"):
        assert "Delete" in {each["DeletionPolicy"] for each in resources(content, kind).values()}
    assert {each["DeletionPolicy"] for each in resources(content, "AWS::KMS::Key").values()} == {
        "RetainExceptOnCreate"
    }


@pytest.mark.parametrize("kind", ["DataIngestion", "Model", "InferenceScheduler"])
def test_the_policy_of_a_role_is_added_to(kind: str) -> None:
    scope = stack()
    made = MonitoredAsset(
        scope,
        "Pump",
        service=imported_service(scope),
        locations=locations(scope),
        schema=PUMP,
        labelled=True,
    )
    user = part(made, kind)
    assert isinstance(user, UsesRole)
    user.add_to_role_policy(
        iam.PolicyStatement(actions=["s3:GetObjectTagging"], resources=["arn:aws:s3:::more/x"])
    )
    (policy,) = resources(template(scope), "AWS::IAM::Policy").values()

    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "s3:GetObjectTagging"
    (role,) = resources(template(scope), "AWS::IAM::Role")
    assert policy["Properties"]["Roles"] == [{"Ref": role}]


@jsii.implements(cdk.IAspect)
class _Seen:
    def __init__(self) -> None:
        self.types: set[str] = set()

    def visit(self, node: IConstruct) -> None:
        resource = node.node.default_child
        if isinstance(resource, cdk.CfnResource):
            self.types.add(resource.cfn_resource_type)


def test_aspects_meet_the_resource_of_each_construct() -> None:
    scope = stack()
    found, aspect = asset(scope), _Seen()
    for kind in KINDS:
        cdk.Aspects.of(part(found, kind)).add(aspect)
    template(scope)

    assert {f"Custom::LookoutEquipment{kind}" for kind in KINDS} <= aspect.types


@pytest.mark.parametrize("name", INTERFACES)
def test_interfaces_are_resources_whose_type_hints_resolve(name: str) -> None:
    interface = getattr(constructs_l4e, name)
    methods: dict[str, Callable[..., Any]] = dict(inspect.getmembers(interface, inspect.isfunction))

    assert {"node", "env", "stack", "apply_removal_policy"} <= set(dir(interface))
    for method in methods.values():
        if method.__module__ == interface.__module__:
            assert "return" in typing.get_type_hints(method)
