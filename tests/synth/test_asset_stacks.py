"""Many assets at one service: what is read of the staging buckets, and what that costs in policies."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from canonical import (
    LARGE,
    app,
    imported_service,
    only,
    properties,
    resources,
    stack,
)

from constructs_l4e import (
    AssetStorage,
    Dataset,
    DatasetSchema,
    EquipmentService,
    MonitoredAsset,
)

MOST_POLICY_CHARACTERS = 10_240
"""What the inline policies of a role may have in total, without white space (IAM's quota)."""


def provider_policies(folder: Path) -> list[dict[str, Any]]:
    """The inline policies of the provider role of stack `Platform`, from the stacks of an app."""
    (role, inline), *others = (
        (key, value)
        for key, value in resources(of_stack(folder, "Platform"), "AWS::IAM::Role").items()
        if key.startswith("ServiceProviderRole")
    )
    assert not others
    attached = [
        policy["Properties"]
        for path in folder.glob("*.template.json")
        for policy in resources(json.loads(path.read_text()), "AWS::IAM::Policy").values()
        if role in json.dumps(policy["Properties"]["Roles"])
    ]
    return [each["PolicyDocument"] for each in (*inline["Properties"]["Policies"], *attached)]


def of_stack(folder: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / f"{name}.template.json").read_text())
    return content


def plant(folder: Path, *, pumps: int, synthesizer: Callable[[], cdk.IStackSynthesizer]) -> None:
    """An app of a service and one stack for each pump."""
    of = cdk.App(analytics_reporting=False, outdir=str(folder))
    platform = cdk.Stack(of, "Platform")
    service, storage = EquipmentService(platform, "Service"), AssetStorage(platform, "Data")
    for number in range(pumps):
        name = f"Pump{number}"
        MonitoredAsset(
            cdk.Stack(of, name, synthesizer=synthesizer()),
            "Pump",
            service=service,
            locations=storage.for_asset(name),
            schema=DatasetSchema.from_sensors({"pump": [f"speed{number}-{n}" for n in range(150)]}),
        )
    of.synth()


def test_any_number_of_asset_stacks_fits_into_the_provider_role(tmp_path: Path) -> None:
    plant(tmp_path, pumps=60, synthesizer=cdk.DefaultStackSynthesizer)
    policies = provider_policies(tmp_path)

    assert len(list(tmp_path.glob("Pump*.template.json"))) == 60
    # Written with references, which are longer than the ARNs they stand for.
    assert sum(len("".join(json.dumps(each).split())) for each in policies) < MOST_POLICY_CHARACTERS
    assert len(policies) == 1


def test_a_schema_staged_elsewhere_needs_a_right_of_its_own(tmp_path: Path) -> None:
    plant(tmp_path, pumps=1, synthesizer=lambda: cdk.DefaultStackSynthesizer(qualifier="plant"))
    standing, own = provider_policies(tmp_path)
    schema = properties(of_stack(tmp_path, "Pump0"), "Dataset")["Schema"]

    assert "-hnb659fds-" in json.dumps(standing)
    assert schema["Bucket"] == {"Fn::Sub": "cdk-plant-assets-${AWS::AccountId}-${AWS::Region}"}
    assert own["Statement"] == [read_schema(schema)]


def test_stacks_do_not_take_the_rights_of_each_other_away(tmp_path: Path) -> None:
    """A role has one inline policy of a name, which belongs to one stack."""
    plant(tmp_path, pumps=2, synthesizer=lambda: cdk.DefaultStackSynthesizer(qualifier="plant"))
    names = [
        only(of_stack(tmp_path, f"Pump{number}"), "AWS::IAM::Policy")["Properties"]["PolicyName"]
        for number in range(2)
    ]

    for name in names:
        _, (beginning, own) = name["Fn::Join"]
        assert own == {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
        assert len(beginning) + len("12345678-1234-1234-1234-123456789012") <= 128


@pytest.mark.parametrize(
    ("staging_bucket_name", "policies"),
    [(None, 0), ("cdk-plant-assets-111122223333-eu-west-1", 1)],
)
def test_an_imported_service_reads_what_it_is_said_to_read(
    staging_bucket_name: str | None, policies: int
) -> None:
    scope = stack()
    Dataset(scope, "Data", service=imported_service(scope, staging_bucket_name), schema=LARGE)

    cdk.assertions.Template.from_stack(scope).resource_count_is("AWS::IAM::Policy", policies)


def test_an_imported_service_may_be_told_the_bucket_by_its_name() -> None:
    scope = cdk.Stack(app(), "Test", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    bucket = "cdk-hnb659fds-assets-111122223333-eu-west-1"
    Dataset(scope, "Data", service=imported_service(scope, bucket), schema=LARGE)

    cdk.assertions.Template.from_stack(scope).resource_count_is("AWS::IAM::Policy", 0)


def read_schema(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "Action": "s3:GetObject",
        "Effect": "Allow",
        "Resource": {
            "Fn::Join": [
                "",
                ["arn:", {"Ref": "AWS::Partition"}, ":s3:::", schema["Bucket"], f"/{schema['Key']}"],
            ]
        },
    }


def test_assets_of_one_stack_share_one_policy_on_the_provider() -> None:
    scope = stack()
    service = imported_service(scope, "staged-elsewhere")
    storage = AssetStorage.from_bucket(
        scope, "Storage", cdk.aws_s3.Bucket.from_bucket_name(scope, "Bucket", "sensor-data")
    )
    for name in ("Pump1", "Pump2"):
        MonitoredAsset(scope, name, service=service, locations=storage.for_asset(name), schema=LARGE)
    content = cdk.assertions.Template.from_stack(scope).to_json()

    policy = only(content, "AWS::IAM::Policy")["Properties"]
    assert policy["Roles"] == ["provider"]
    schema = only_schema(content)
    assert policy["PolicyDocument"]["Statement"] == [read_schema(schema)]


def only_schema(content: dict[str, Any]) -> dict[str, Any]:
    """Both assets have the same schema, so both read the same object."""
    found = [
        each["Properties"]["Schema"]
        for each in resources(content, "Custom::LookoutEquipmentDataset").values()
    ]
    assert len(found) == 2
    assert found[0] == found[1]
    schema: dict[str, Any] = found[0]
    return schema
