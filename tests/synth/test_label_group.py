"""LabelGroup: labels as code, imports, grants, and models that are trained with one."""

import hashlib
import inspect
import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from canonical import (
    PUMP,
    custom,
    findings,
    imported_service,
    locations,
    properties,
    resources,
    stack,
    synthesised,
    template,
)

from constructs_l4e import (
    Dataset,
    EquipmentService,
    ILabelGroup,
    Label,
    LabelGroup,
    LabelProps,
    MonitoredAsset,
    S3Location,
)
from constructs_l4e.label_group import LabelGroupBase
from l4e_files.rated_labels import MOST_DESCRIBED

ARN = (
    "arn:aws:lookoutequipment:eu-west-1:111122223333:label-group/faults/1b4e28ba-2fa1-41d2-883f-0016d3cca427"
)
KIND = "Custom::LookoutEquipmentLabelGroup"


def day(number: int, **props: Any) -> Label:
    return Label.between(f"2026-01-{number:02d}T00:00:00Z", f"2026-01-{number:02d}T06:00:00Z", **props)


def made(**props: Any) -> dict[str, Any]:
    return synthesised(lambda scope: LabelGroup(scope, "G", service=imported_service(scope), **props))


def inline(content: dict[str, Any]) -> list[list[str]]:
    """The starts of the labels of each document in the template."""
    documents = properties(content, "LabelGroup")["Labels"]
    return [[each["StartTime"][:10] for each in json.loads(one["InlineLabels"])] for one in documents]


def test_a_group_without_anything_has_a_name_and_stays() -> None:
    content = made()

    found = properties(content, "LabelGroup")
    assert found["LabelGroupName"].startswith("Test-G-")
    assert found["FaultCodes"] == []
    assert "Labels" not in found
    group = custom(content, "LabelGroup")
    assert (group["DeletionPolicy"], group["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert custom(made(removal_policy=cdk.RemovalPolicy.DESTROY), "LabelGroup")["DeletionPolicy"] == "Delete"


def test_nothing_but_its_path_names_a_group() -> None:
    """Whatever else changes is changed in place."""
    names = {
        properties(made(**props), "LabelGroup")["LabelGroupName"]
        for props in ({}, {"fault_codes": ["a"]}, {"labels": [day(1)]}, {"tags": {"a": "b"}})
    }

    assert len(names) == 1


def test_fault_codes_are_those_of_the_labels_unless_they_are_declared() -> None:
    labels = [day(1, fault_code="seal"), day(2, fault_code="bearing"), day(3, fault_code="seal"), day(4)]

    assert properties(made(labels=labels), "LabelGroup")["FaultCodes"] == ["bearing", "seal"]
    declared = made(labels=labels, fault_codes=["seal", "rust", "bearing"])
    assert properties(declared, "LabelGroup")["FaultCodes"] == ["seal", "rust", "bearing"]


def test_few_labels_travel_in_the_template() -> None:
    assert inline(made(labels=[day(2), day(1)])) == [["2026-01-02", "2026-01-01"]]


def test_many_labels_travel_as_a_file(tmp_path: Path) -> None:
    of = cdk.App(analytics_reporting=False, outdir=str(tmp_path))
    scope = cdk.Stack(of, "Test")
    labels = [day(1 + number % 28, notes=f"number {number}") for number in range(100)]
    group = LabelGroup(scope, "G", service=imported_service(scope), labels=labels)
    group.add_label("2026-02-01T00:00:00Z", "2026-02-01T06:00:00Z", notes="one more")
    of.synth()
    content = json.loads((tmp_path / "Test.template.json").read_text())

    place, added = properties(content, "LabelGroup")["Labels"]
    document = (tmp_path / f"asset.{place['Key']}").read_text()
    assert json.loads(document) == [label.to_api() for label in labels]
    assert place["Sha256"] == hashlib.sha256(document.encode()).hexdigest()
    assert place["Key"].endswith(".json"), "what the functions may read"
    assert json.loads(added["InlineLabels"])[0]["Notes"] == "one more"


def test_labels_are_added_one_by_one() -> None:
    def build(scope: cdk.Stack, *labels: Label) -> None:
        group = LabelGroup(scope, "G", service=imported_service(scope), labels=labels)
        first = group.add_label("2026-01-05T00:00:00Z", "2026-01-05T06:00:00Z", fault_code="rust")
        group.add_label("2026-01-06T00:00:00Z", "2026-01-06T06:00:00Z", rating="NEUTRAL")
        assert first == day(5, fault_code="rust")

    alone = synthesised(build)
    beside = synthesised(lambda scope: build(scope, day(1, fault_code="seal")))
    assert inline(alone) == [["2026-01-05", "2026-01-06"]]
    assert inline(beside) == [["2026-01-01"], ["2026-01-05", "2026-01-06"]]
    assert properties(beside, "LabelGroup")["FaultCodes"] == ["rust", "seal"]


def test_too_many_labels_added_one_by_one_are_refused() -> None:
    scope = stack()
    group = LabelGroup(scope, "G", service=imported_service(scope))

    def add() -> None:
        for number in range(1, 28):
            group.add_label(f"2026-01-{number:02d}T00:00:00Z", "2026-02-01T00:00:00Z", notes="x" * 2000)

    with pytest.raises(ValueError, match="labels that were added one by one: pass so many as `labels`"):
        add()


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"label_group_name": "a b"}, 'label group name "a b" does not match'),
        ({"labels": [day(1), day(2), day(1)]}, 'label "2026-01-01T00:00:00Z to .*" is described twice'),
        (
            {"labels": [day(1, fault_code="rust")], "fault_codes": ["seal"]},
            'has the fault code "rust", which is not one of "seal": add it to `fault_codes`',
        ),
        ({"labels": [day(1, fault_code="rust")], "fault_codes": []}, "which is not one of none"),
        ({"fault_codes": ["a", "b", "a"]}, 'fault code "a" is given twice'),
        ({"fault_codes": ["x" * 101]}, "it may have at most 100"),
        ({"fault_codes": [str(number) for number in range(51)]}, '"51" fault codes are too many'),
        ({"tags": {"lookoutequipment:adaptation": "hold"}}, "has an effect on models only"),
    ],
)
def test_bad_props(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made(**props)


def test_more_labels_than_an_app_may_describe() -> None:
    first = day(1)
    many = [
        Label(start=first.start, end=first.end, notes=str(number)) for number in range(MOST_DESCRIBED + 1)
    ]

    with pytest.raises(ValueError, match=r'"5001" labels are too many .* use at most 5,000'):
        made(labels=many)


def test_a_label_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match="labels"):
        made(labels=["2026-01-01"])


def test_tags_of_the_app_reach_the_group() -> None:
    def build(scope: cdk.Stack) -> None:
        LabelGroup(scope, "G", service=imported_service(scope), tags={"line": "4"})
        cdk.Tags.of(scope).add("site", "south")

    assert properties(synthesised(build), "LabelGroup")["Tags"] == [
        {"Key": "line", "Value": "4"},
        {"Key": "site", "Value": "south"},
    ]


def test_arn_is_an_attribute() -> None:
    scope = stack()
    group = LabelGroup(scope, "G", service=imported_service(scope))
    cdk.CfnOutput(scope, "Arn", value=group.label_group_arn)
    content = template(scope)

    assert isinstance(group, ILabelGroup)
    [logical_id] = resources(content, KIND)
    assert content["Outputs"]["Arn"]["Value"] == {"Fn::GetAtt": [logical_id, "LabelGroupArn"]}


def test_imports() -> None:
    scope = stack()
    service = imported_service(scope)
    by_name = LabelGroup.from_label_group_name(scope, "N", service=service, label_group_name="faults")
    by_arn = LabelGroup.from_label_group_arn(scope, "A", service=service, label_group_arn=ARN)

    assert isinstance(by_name, ILabelGroup)
    assert isinstance(by_name, LabelGroupBase)
    assert scope.resolve(by_name.label_group_arn)["Fn::Join"][1][-1].endswith("label-group/faults/*")
    assert (by_arn.label_group_name, by_arn.label_group_arn) == ("faults", ARN)
    with pytest.raises(ValueError, match=r"label group ARN .* copy it from"):
        LabelGroup.from_label_group_arn(
            scope, "W", service=service, label_group_arn=ARN.replace("label-group", "model")
        )
    with pytest.raises(ValueError, match='label group name "a/b" does not match'):
        LabelGroup.from_label_group_name(scope, "B", service=service, label_group_name="a/b")


def granted(*, managed: bool) -> list[Any]:
    def build(scope: cdk.Stack) -> None:
        service = EquipmentService.aws_managed(scope, "S") if managed else imported_service(scope)
        user = iam.Role(scope, "User", assumed_by=iam.AccountRootPrincipal())
        group = LabelGroup.from_label_group_name(scope, "G", service=service, label_group_name="faults")
        group.grant_read(user)
        group.grant_label(user)
        group.grant_full_access(user)

    [policy] = [
        value
        for key, value in resources(synthesised(build), "AWS::IAM::Policy").items()
        if key.startswith("User")
    ]
    statements: list[Any] = policy["Properties"]["PolicyDocument"]["Statement"]
    return statements


def test_grants_at_a_deployed_service_are_ways_in_held_to_the_name() -> None:
    text = json.dumps(granted(managed=False))

    for level in ("read", "operate", "full"):
        assert f"/POST/{level}/name/faults" in text
    assert "execute-api:Invoke" in text
    assert "lookoutequipment:" not in text


def test_grants_at_the_managed_service_name_operations() -> None:
    read, label, everything = (each["Action"] for each in granted(managed=True))

    assert set(read) == {
        *(f"lookoutequipment:{name}" for name in ("DescribeLabel", "DescribeLabelGroup", "ListLabels")),
        "lookoutequipment:ListTagsForResource",
    }
    assert set(label) == {
        f"lookoutequipment:{name}" for name in ("CreateLabel", "DeleteLabel", "DescribeLabel", "ListLabels")
    }
    assert {*read, *label, "lookoutequipment:DeleteLabelGroup"} <= {*everything}


class TestModels:
    def config(self, scope: cdk.Stack, **props: Any) -> Any:
        service = imported_service(scope)
        dataset = Dataset.from_dataset_name(scope, "D", service=service, dataset_name="pump")
        dataset.add_model("M", **{name: make(service) for name, make in props.items()})
        content = template(scope)
        return content, properties(content, "Model")

    def test_a_group_alone_needs_no_role(self) -> None:
        scope = stack()
        content, model = self.config(
            scope, label_group=lambda service: LabelGroup(scope, "G", service=service, label_group_name="g")
        )

        assert model["LabelsInputConfiguration"] == {"LabelGroupName": "g"}
        assert "RoleArn" not in model
        assert not resources(content, "AWS::IAM::Role")
        [logical_id] = resources(content, KIND)
        assert logical_id in custom(content, "Model")["DependsOn"], (
            "its labels are there when training starts"
        )

    def test_files_and_a_group(self) -> None:
        scope = stack()
        bucket = cdk.aws_s3.Bucket(scope, "B")
        _, model = self.config(
            scope,
            label_group=lambda service: LabelGroup.from_label_group_name(
                scope, "G", service=service, label_group_name="g"
            ),
            labels=lambda _: S3Location(bucket=bucket, prefix="labels/"),
        )

        labels = model["LabelsInputConfiguration"]
        assert labels["LabelGroupName"] == "g"
        assert labels["S3InputConfiguration"]["Prefix"] == "labels/"
        assert "RoleArn" in model

    def test_a_group_of_another_service_is_refused(self) -> None:
        scope = stack()
        other = EquipmentService.aws_managed(scope, "Other")
        group = LabelGroup.from_label_group_name(scope, "G", service=other, label_group_name="g")

        with pytest.raises(ValueError, match='label group "g" is of service'):
            self.config(scope, label_group=lambda _: group)


class TestAssets:
    def built(self, *, kind: str = "Model", **props: Any) -> dict[str, Any]:
        def build(scope: cdk.Stack) -> None:
            service = imported_service(scope)
            asset = MonitoredAsset(
                scope, "Pump", service=service, locations=locations(scope), schema=PUMP, **props
            )
            assert (asset.label_group is None) == (not props)
            asset.grant_read(iam.Role(scope, "User", assumed_by=iam.AccountRootPrincipal()))

        content = synthesised(build)
        return content if kind == "all" else properties(content, kind)

    def test_an_asset_has_no_label_group_unless_it_is_told(self) -> None:
        assert not resources(self.built(kind="all"), KIND)

    def test_a_label_group_of_an_asset_has_its_prefix_its_tags_and_its_policy(self) -> None:
        content = self.built(
            kind="all",
            label_group={"labels": [day(1)]},
            tags={"site": "north"},
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )

        group = properties(content, "LabelGroup")
        assert group["LabelGroupName"].startswith("Test-Pump-LabelGroup-")
        assert group["Tags"] == [{"Key": "site", "Value": "north"}]
        assert inline(content) == [["2026-01-01"]]
        assert custom(content, "LabelGroup")["DeletionPolicy"] == "Delete"
        labels = properties(content, "Model")["LabelsInputConfiguration"]
        assert labels == {"LabelGroupName": group["LabelGroupName"]}

    def test_a_label_group_that_exists_is_used(self) -> None:
        def build(scope: cdk.Stack) -> None:
            service = imported_service(scope)
            group = LabelGroup.from_label_group_name(scope, "G", service=service, label_group_name="old")
            asset = MonitoredAsset(
                scope, "Pump", service=service, locations=locations(scope), schema=PUMP, label_group=group
            )
            assert asset.label_group is group

        content = synthesised(build)
        assert not resources(content, KIND)
        assert properties(content, "Model")["LabelsInputConfiguration"] == {"LabelGroupName": "old"}


def test_nag_finds_nothing() -> None:
    scope = stack()
    LabelGroup(scope, "G", service=imported_service(scope), labels=[day(1)])

    assert findings(scope) == set()


def test_adding_takes_the_props_of_a_label() -> None:
    fields = inspect.signature(Label).parameters.keys() - {"start", "end"}

    assert fields == LabelProps.__annotations__.keys()
