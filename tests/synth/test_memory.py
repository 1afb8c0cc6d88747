"""What is remembered of the CDK's answers is what the CDK answers."""

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from canonical import PUMP, app, imported_service, locations, stack
from constructs import Construct

from constructs_l4e import MonitoredAsset, _memory
from constructs_l4e._provider import ProviderAccess


def test_an_answer_is_asked_for_once() -> None:
    asked: list[str] = []

    def ask() -> None:
        asked.append("once")

    one, other = Construct(stack(), "One"), Construct(stack(), "Other")
    for of in (one, one, other):
        assert _memory.once(of, "what", ask) is None

    assert len(asked) == 2, "also if the answer is None; of each object by itself"


def test_every_part_of_an_asset_is_in_the_stack_that_the_cdk_says() -> None:
    scope = stack()
    nested = cdk.NestedStack(scope, "Nested")
    asset = MonitoredAsset(
        Construct(nested, "Area"),
        "Pump",
        service=imported_service(scope),
        locations=locations(scope),
        schema=PUMP,
    )

    parts = asset.role, asset.dataset, asset.ingestion, asset.model, asset.scheduler, asset
    assert all(isinstance(part, Construct) for part in parts)
    assert {_memory.stack_of(part) for part in parts} == {nested}
    assert {cdk.Stack.of(part) for part in parts} == {nested}
    assert _memory.stack_of(nested) is nested
    assert _memory.path_of(asset) == "Test/Nested/Area/Pump"


@pytest.mark.parametrize("before", [True, False], ids=["before the right", "behind it"])
def test_a_resource_waits_for_rights_whenever_they_are_given(*, before: bool) -> None:
    scope = stack()
    access = ProviderAccess.of(scope, imported_service(scope))
    resource = cdk.CfnResource(scope, "Resource", type="Custom::Thing")
    right = iam.PolicyStatement(actions=["s3:GetObject"], resources=["arn:aws:s3:::plant/a"])
    steps = [lambda: access.precede(resource), lambda: access.allow(right)]
    for step in steps if before else reversed(steps):
        step()
    content = cdk.assertions.Template.from_stack(scope).to_json()["Resources"]

    [policy] = (key for key, value in content.items() if value["Type"] == "AWS::IAM::Policy")
    assert content["Resource"]["DependsOn"] == [policy]


def test_two_objects_for_one_stack_share_a_policy() -> None:
    """A stack that a library made in Node is another object in Python at each look."""
    scope = cdk.Stack(app(), "Test")
    service = imported_service(scope)
    for place in ("a", "b"):
        vars(scope).pop("_constructs_l4e_answers", None)
        ProviderAccess.of(scope, service).allow(
            iam.PolicyStatement(actions=["s3:GetObject"], resources=[f"arn:aws:s3:::plant/{place}"])
        )

    cdk.assertions.Template.from_stack(scope).resource_count_is("AWS::IAM::Policy", 1)
