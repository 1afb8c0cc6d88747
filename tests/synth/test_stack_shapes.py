"""Assets in every shape of app: nested stacks, Stages, strong and weak references between stacks.

Each app is synthesised with the rule pack, as the references are then written as they will be deployed, and
nothing of it is exported that nothing imports.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from canonical import PUMP, imported_service, listed, resources, stack, synth_with_nag, template
from constructs import Construct
from services import controlled

from constructs_l4e import AssetStorage, Dataset, EquipmentService, IEquipmentService, MonitoredAsset

ENVIRONMENT = cdk.Environment(account="111122223333", region="eu-west-1")
REFERENCES = "@aws-cdk/core:defaultCrossStackReferences"


def asset(scope: Construct, storage: AssetStorage, service: IEquipmentService) -> MonitoredAsset:
    return MonitoredAsset(
        scope, "Pump", service=service, locations=storage.for_asset("Pump1"), schema=PUMP, labelled=True
    )


def sibling_stacks(of: Construct) -> None:
    data = cdk.Stack(of, "Data", env=ENVIRONMENT)
    storage = AssetStorage(data, "Storage")
    plant = cdk.Stack(of, "Plant", env=ENVIRONMENT)
    asset(plant, storage, imported_service(plant))


def asset_in_a_nested_stack(of: Construct) -> None:
    parent = cdk.Stack(of, "Parent", env=ENVIRONMENT)
    storage = AssetStorage(parent, "Storage")
    asset(cdk.NestedStack(parent, "Nested"), storage, imported_service(parent))


def bucket_in_a_nested_stack(of: Construct) -> None:
    parent = cdk.Stack(of, "Parent", env=ENVIRONMENT)
    storage = AssetStorage(cdk.NestedStack(parent, "Data"), "Storage")
    asset(parent, storage, imported_service(parent))


def nested_siblings(of: Construct) -> None:
    parent = cdk.Stack(of, "Parent", env=ENVIRONMENT)
    storage = AssetStorage(cdk.NestedStack(parent, "Data"), "Storage")
    asset(cdk.NestedStack(parent, "Plant"), storage, imported_service(parent))


def nested_stacks_of_two_parents(of: Construct) -> None:
    storage = AssetStorage(cdk.NestedStack(cdk.Stack(of, "Data", env=ENVIRONMENT), "Nested"), "Storage")
    parent = cdk.Stack(of, "Plant", env=ENVIRONMENT)
    asset(cdk.NestedStack(parent, "Nested"), storage, imported_service(parent))


def a_stage(of: Construct) -> None:
    sibling_stacks(cdk.Stage(of, "Production"))


def without_environment(of: Construct) -> None:
    storage = AssetStorage(cdk.Stack(of, "Data"), "Storage")
    plant = cdk.Stack(of, "Plant")
    asset(plant, storage, imported_service(plant))


def grants_across_stacks(of: Construct) -> None:
    """Whoever watches a service is in another stack than the service."""
    platform = cdk.Stack(of, "Platform", env=ENVIRONMENT)
    service = EquipmentService.from_equipment_service_attributes(
        platform,
        "Service",
        api_id=cdk.CfnResource(platform, "Api", type="AWS::ApiGateway::RestApi").ref,
        api_stage="v1",
        data_access_role_arn="arn:aws:iam::111122223333:role/jobs",
        provider_service_token="arn:aws:lambda:eu-west-1:111122223333:function:provider",
        provider_role_arn="arn:aws:iam::111122223333:role/provider",
    )
    watchers = cdk.NestedStack(cdk.Stack(of, "Watchers", env=ENVIRONMENT), "Nested")
    reader = iam.Role(watchers, "Reader", assumed_by=iam.AccountRootPrincipal())
    service.grant_read(reader)
    service.grant_full_access(reader)


SHAPES: tuple[Callable[[Construct], None], ...] = (
    sibling_stacks,
    asset_in_a_nested_stack,
    bucket_in_a_nested_stack,
    nested_siblings,
    nested_stacks_of_two_parents,
    a_stage,
    without_environment,
    grants_across_stacks,
)


def templates(folder: Path) -> dict[str, Any]:
    return {
        str(path.relative_to(folder)): json.loads(path.read_text())
        for path in folder.rglob("*.template.json")
    }


def imports(content: object) -> Iterator[object]:
    """What templates import, in any way in which they can."""
    match content:
        case {"Fn::ImportValue": name}:
            yield name
        case dict():
            for value in content.values():
                yield from imports(value)
        case list():
            for value in content:
                yield from imports(value)


@pytest.mark.parametrize("references", ["strong", "both", "weak"])
@pytest.mark.parametrize("build", SHAPES, ids=lambda build: build.__name__)
def test_every_shape_synthesises(build: Callable[[Construct], None], references: str, tmp_path: Path) -> None:
    of = cdk.App(analytics_reporting=False, outdir=str(tmp_path), context={REFERENCES: references})
    build(of)
    synth_with_nag(of)

    found = templates(tmp_path)
    exported = {
        output["Export"]["Name"]
        for content in found.values()
        for output in content.get("Outputs", {}).values()
        if "Export" in output
    }
    if references != "both":
        assert exported == set(imports(found))
    if references == "weak":
        assert exported == set()


def referred_to(content: Any) -> Iterator[str]:
    """Logical ids, and more, that a part of a template refers to, in any way in which it can."""
    match content:
        case {"Ref": name} | {"Fn::GetAtt": [name, *_]}:
            yield name
        case dict():
            yield from listed(content.get("DependsOn", []))
            for value in content.values():
                yield from referred_to(value)
        case list():
            for value in content:
                yield from referred_to(value)


def before(content: dict[str, Any], resource: str) -> set[str]:
    """What CloudFormation makes before a resource, and deletes after it."""
    found: set[str] = set()
    left = [resource]
    while left:
        new = set(referred_to(content["Resources"][left.pop()])) & content["Resources"].keys() - found
        found |= new
        left += new
    return found


def test_a_service_is_whole_while_resources_of_its_own_stack_are_made_and_deleted() -> None:
    """Also when a first deployment is taken back."""
    scope = stack()
    service = controlled(scope, private=True, large=True)
    made = (each for each in service.node.find_all() if isinstance(each, cdk.CfnResource))
    parts = {scope.resolve(each.logical_id) for each in made}
    Dataset(scope, "Dataset", service=service, schema=PUMP)
    content = template(scope)
    (dataset,) = resources(content, "Custom::LookoutEquipmentDataset")

    assert len(parts) > 70
    assert parts <= before(content, dataset)
