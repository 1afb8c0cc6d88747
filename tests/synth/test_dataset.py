"""Dataset and DataIngestion."""

import hashlib
import inspect
import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template
from canonical import (
    LARGE,
    PUMP,
    app,
    custom,
    imported_service,
    locations,
    only,
    properties,
    resources,
    stack,
    synthesised,
    template,
)

from constructs_l4e import DataIngestion, Dataset, DatasetSchema, EquipmentService, IDataset, KeyPattern
from constructs_l4e.dataset import DatasetBase
from constructs_l4e.ingestion import DataIngestionProps

ARN = "arn:aws:lookoutequipment:eu-west-1:111122223333:dataset/pump-7/1b4e28ba-2fa1-41d2-883f-0016d3cca427"


def dataset_name(**props: Any) -> str:
    scope = stack()
    return Dataset(scope, "Data", service=imported_service(scope), **props).dataset_name


def test_schema_travels_in_the_template() -> None:
    content = synthesised(lambda scope: Dataset(scope, "Data", service=imported_service(scope), schema=PUMP))

    assert properties(content, "Dataset")["Schema"] == {"InlineDataSchema": PUMP.to_json()}


def test_a_long_schema_travels_as_a_file(tmp_path: Path) -> None:
    of = cdk.App(analytics_reporting=False, outdir=str(tmp_path))
    scope = cdk.Stack(of, "Test")
    Dataset(scope, "Data", service=imported_service(scope), schema=LARGE)
    of.synth()
    content = json.loads((tmp_path / "Test.template.json").read_text())

    schema = properties(content, "Dataset")["Schema"]
    document = (tmp_path / f"asset.{schema['Key']}").read_text()
    assert DatasetSchema.from_json(document) == LARGE
    assert schema["Sha256"] == hashlib.sha256(document.encode()).hexdigest()


def test_without_schema_the_provider_needs_no_right() -> None:
    content = synthesised(lambda scope: Dataset(scope, "Data", service=imported_service(scope)))

    assert list(content["Resources"]) == [next(iter(resources(content, "Custom::LookoutEquipmentDataset")))]
    assert set(properties(content, "Dataset")) == {"DatasetName"}


def test_generated_name_follows_what_replaces_the_dataset() -> None:
    plain = dataset_name(schema=PUMP)

    assert plain == dataset_name(schema=PUMP)
    assert plain == dataset_name(schema=PUMP, tags={"a": "b"}, removal_policy=cdk.RemovalPolicy.RETAIN)
    assert plain != dataset_name(schema=DatasetSchema.from_sensors({"pump": ["speed"]}))
    assert plain != dataset_name()


def test_generated_name_follows_the_key() -> None:
    scope = stack()
    service = imported_service(scope)
    names = {
        Dataset(cdk.Stack(scope.node.root, name), "Data", service=service, encryption_key=key).dataset_name[
            -8:
        ]
        for name, key in {
            "A": None,
            "B": kms.Key(scope, "One"),
            "C": kms.Key(scope, "Two"),
            "D": kms.Key.from_key_arn(scope, "Three", "arn:aws:kms:eu-west-1:111122223333:key/x"),
        }.items()
    }

    assert len(names) == 4


def test_name_of_a_deep_path_is_legal() -> None:
    of = app()
    scope: Any = cdk.Stack(of, "a" * 100)
    for number in range(5):
        scope = cdk.aws_iam.Group(scope, f"part{number}" * 10)
    name = Dataset(scope, "Data", service=imported_service(cdk.Stack(of, "S"))).dataset_name

    assert 150 < len(name) <= 200


def test_explicit_name_stays() -> None:
    assert dataset_name(dataset_name="pump-7", schema=PUMP) == "pump-7"


@pytest.mark.parametrize(
    ("props", "message"),
    [
        (
            {"dataset_name": "pump 7"},
            'dataset name "pump 7" does not match .*: use letters, digits, "_" and "-" only',
        ),
        ({"dataset_name": ""}, 'dataset name "" has 0 characters'),
        ({"tags": {"aws:x": "1"}}, 'tag key "aws:x" does not match'),
        ({"tags": {"site": "a\\b"}}, r'value of tag "site": "a\\b" does not match'),
        ({"tags": {f"t{i}": "" for i in range(45)}}, '"45" tags are too many: use at most 44'),
        ({"tags": {"constructs-l4e:owner": "me"}}, 'begins with "constructs-l4e:"'),
    ],
)
def test_bad_props(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataset_name(**props)


def test_a_token_is_not_checked() -> None:
    scope = stack()
    name = cdk.CfnParameter(scope, "Name").value_as_string

    content = synthesised(
        lambda target: Dataset(
            target, "D", service=imported_service(target), dataset_name=cdk.Fn.import_value("name")
        )
    )
    assert properties(content, "Dataset")["DatasetName"] == {"Fn::ImportValue": "name"}
    assert cdk.Token.is_unresolved(
        Dataset.from_dataset_name(scope, "D", service=imported_service(scope), dataset_name=name).dataset_name
    )


def test_removal_policy() -> None:
    """A dataset outlives its stack, and not its replacement, whose names would use up the quota."""

    def policies(**props: Any) -> tuple[str, str]:
        content = synthesised(lambda scope: Dataset(scope, "D", service=imported_service(scope), **props))
        found = custom(content, "Dataset")
        return found["DeletionPolicy"], found["UpdateReplacePolicy"]

    assert policies() == ("RetainExceptOnCreate", "Delete")
    assert policies(removal_policy=cdk.RemovalPolicy.RETAIN) == ("Retain", "Delete")
    assert policies(removal_policy=cdk.RemovalPolicy.DESTROY) == ("Delete", "Delete")


def test_a_policy_for_all_resources_of_the_app_holds_for_the_dataset() -> None:
    def build(scope: cdk.Stack) -> None:
        Dataset(scope, "D", service=imported_service(scope))
        cdk.RemovalPolicies.of(scope).retain()

    assert custom(synthesised(build), "Dataset")["DeletionPolicy"] == "Retain"


def test_a_dataset_without_tags_has_no_property_for_them() -> None:
    def build(scope: cdk.Stack) -> None:
        Dataset(scope, "D", service=imported_service(scope))
        cdk.Tags.of(scope).add("owner", "team-a", include_resource_types=["AWS::S3::Bucket"])

    assert "Tags" not in properties(synthesised(build), "Dataset")


def test_a_tag_of_the_app_may_refer_to_another_stack() -> None:
    of = app()
    key = kms.Key(cdk.Stack(of, "Platform"), "Key")
    scope = cdk.Stack(of, "Plant")
    Dataset(scope, "D", service=imported_service(scope))
    cdk.Tags.of(scope).add("key", key.key_arn)

    [tag] = properties(template(scope), "Dataset")["Tags"]
    assert tag["Key"] == "key"
    assert "Fn::ImportValue" in tag["Value"]


def test_tags_of_the_app_reach_the_dataset() -> None:
    def build(scope: cdk.Stack) -> None:
        Dataset(scope, "D", service=imported_service(scope), tags={"line": "4", "site": "south"})
        cdk.Tags.of(scope).add("owner", "team-a")

    assert properties(synthesised(build), "Dataset")["Tags"] == [
        {"Key": "line", "Value": "4"},
        {"Key": "owner", "Value": "team-a"},
        {"Key": "site", "Value": "south"},
    ]


def test_a_tag_of_the_app_that_the_api_refuses() -> None:
    def build(scope: cdk.Stack, **options: Any) -> dict[str, Any]:
        Dataset(scope, "D", service=imported_service(scope))
        cdk.Tags.of(scope).add("Cost Center", "7", **options)
        return template(scope)

    kind = "Custom::LookoutEquipmentDataset"
    with pytest.raises(RuntimeError, match=f'tag key "Cost Center" .* exclude_resource_types=..{kind}'):
        build(stack())
    assert "Tags" not in properties(build(stack(), exclude_resource_types=[kind]), "Dataset")


def test_arn_is_an_attribute() -> None:
    scope = stack()
    dataset = Dataset(scope, "D", service=imported_service(scope))
    cdk.CfnOutput(scope, "Arn", value=dataset.dataset_arn)
    content = template(scope)

    assert isinstance(dataset, IDataset)
    [logical_id] = resources(content, "Custom::LookoutEquipmentDataset")
    assert content["Outputs"]["Arn"]["Value"] == {"Fn::GetAtt": [logical_id, "DatasetArn"]}


def test_import_by_name() -> None:
    scope = stack()
    dataset = Dataset.from_dataset_name(scope, "D", service=imported_service(scope), dataset_name="pump-7")

    assert isinstance(dataset, IDataset)
    assert (dataset.dataset_name, dataset.schema, dataset.encryption_key) == ("pump-7", None, None)
    assert scope.resolve(dataset.dataset_arn)["Fn::Join"][1][-1] == (
        ":lookoutequipment:eu-west-1:111122223333:dataset/pump-7/*"
    )


def test_import_by_arn() -> None:
    scope = stack()
    service = imported_service(scope)
    dataset = Dataset.from_dataset_arn(scope, "D", service=service, dataset_arn=ARN)
    token = Dataset.from_dataset_arn(scope, "T", service=service, dataset_arn=cdk.Fn.import_value("arn"))

    assert (dataset.dataset_name, dataset.dataset_arn) == ("pump-7", ARN)
    assert scope.resolve(token.dataset_name) == {
        "Fn::Select": [1, {"Fn::Split": ["/", {"Fn::ImportValue": "arn"}]}]
    }


@pytest.mark.parametrize(
    "arn", ["pump-7", ARN.replace("dataset/", "model/"), ARN.replace("111122223333", "me")]
)
def test_import_by_wrong_arn(arn: str) -> None:
    scope = stack()

    with pytest.raises(ValueError, match=f'dataset ARN "{arn}" .*: copy it from'):
        Dataset.from_dataset_arn(scope, "D", service=imported_service(scope), dataset_arn=arn)


def test_import_by_wrong_name() -> None:
    scope = stack()

    with pytest.raises(ValueError, match='dataset name "a/b" does not match'):
        Dataset.from_dataset_name(scope, "D", service=imported_service(scope), dataset_name="a/b")


@pytest.fixture(scope="module")
def grants() -> dict[str, Any]:
    def build(scope: cdk.Stack) -> None:
        user = iam.Role(scope, "User", assumed_by=iam.AccountRootPrincipal())
        dataset = Dataset.from_dataset_name(
            scope, "D", service=EquipmentService.aws_managed(scope, "S"), dataset_name="d"
        )
        dataset.grant_read(user)
        dataset.grant_ingest(user)

    return synthesised(build)


def test_grants_at_the_managed_service(grants: dict[str, Any]) -> None:
    [policy] = [
        value for key, value in resources(grants, "AWS::IAM::Policy").items() if key.startswith("User")
    ]
    [read, ingest] = policy["Properties"]["PolicyDocument"]["Statement"]

    assert read["Action"] == [
        "lookoutequipment:DescribeDataset",
        "lookoutequipment:ListSensorStatistics",
        "lookoutequipment:ListTagsForResource",
    ]
    assert ingest["Action"] == "lookoutequipment:StartDataIngestionJob"
    assert read["Resource"]["Fn::Join"][1][-1] == ":dataset/d/*"


def test_grant_of_an_operation_that_does_not_exist() -> None:
    scope = stack()
    dataset = Dataset(scope, "D", service=imported_service(scope))

    with pytest.raises(ValueError, match='"ReadDataset" is not an operation of the API'):
        dataset.grant(iam.AnyPrincipal(), "ReadDataset")


def test_every_ingestion_comes_before_a_model() -> None:
    def build(scope: cdk.Stack) -> None:
        dataset = Dataset(scope, "D", service=imported_service(scope), schema=PUMP)
        dataset.add_model("Model")
        dataset.add_ingestion("Late", source=locations(scope).history)

    content = synthesised(build)
    [ingestion] = resources(content, "Custom::LookoutEquipmentDataIngestion")
    assert ingestion in custom(content, "Model")["DependsOn"]


def test_own_role_may_read_the_source_only() -> None:
    def build(scope: cdk.Stack) -> None:
        dataset = Dataset(scope, "D", service=imported_service(scope), schema=PUMP)
        dataset.add_ingestion("Ingestion", source=locations(scope).history)

    content = synthesised(build)
    [policy] = only(content, "AWS::IAM::Role")["Properties"]["Policies"]
    assert [each["Action"] for each in policy["PolicyDocument"]["Statement"]] == [
        "s3:ListBucket",
        "s3:GetObject",
    ]


def test_attributes_of_the_job() -> None:
    scope = stack()
    ingestion = Dataset(scope, "D", service=imported_service(scope), schema=PUMP).add_ingestion(
        "I", source=locations(scope).history
    )

    assert scope.resolve(ingestion.job_id)["Fn::GetAtt"][1] == "JobId"
    assert scope.resolve(ingestion.ingested_data_size)["Fn::GetAtt"][1] == "IngestedDataSize"


def test_ingestion_can_be_granted_rights() -> None:
    scope = stack()
    ingestion = Dataset(scope, "D", service=imported_service(scope), schema=PUMP).add_ingestion(
        "I", source=locations(scope).history
    )
    kms.Key(scope, "Key").grant_decrypt(ingestion)

    Template.from_stack(scope).has_resource_properties(
        "AWS::IAM::Policy",
        {"PolicyDocument": {"Statement": [{"Action": "kms:Decrypt", "Effect": "Allow"}]}},
    )


@pytest.mark.parametrize(
    ("schema", "props", "message"),
    [
        (
            None,
            {},
            'dataset "Test-D-.*" has no schema, so file names must tell the components: pass `key_pattern`',
        ),
        (PUMP, {"key_pattern": "{prefix}/*"}, 'key pattern "{prefix}/\\*" is not supported: use one of'),
    ],
)
def test_bad_ingestion(schema: DatasetSchema | None, props: dict[str, Any], message: str) -> None:
    scope = stack()
    dataset = Dataset(scope, "D", service=imported_service(scope), schema=schema)

    with pytest.raises(ValueError, match=message):
        dataset.add_ingestion("I", source=locations(scope).history, **props)


def test_schema_may_be_detected() -> None:
    def build(scope: cdk.Stack) -> None:
        dataset = Dataset(scope, "D", service=imported_service(scope))
        dataset.add_ingestion("I", source=locations(scope).history, key_pattern=KeyPattern.FOLDER)

    location = properties(synthesised(build), "DataIngestion")["IngestionInputConfiguration"][
        "S3InputConfiguration"
    ]
    assert location["KeyPattern"] == "{prefix}/{component_name}/*"


def test_factory_takes_the_props_of_the_construct() -> None:
    declared = set(inspect.signature(DataIngestion.__init__).parameters) - {"self", "scope", "id", "dataset"}

    assert set(DataIngestionProps.__annotations__) == declared
    assert issubclass(Dataset, DatasetBase)
