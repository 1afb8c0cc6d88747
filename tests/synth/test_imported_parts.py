"""Imported datasets and models: what they send, what replaces them, and what stands on them."""

from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from canonical import (
    PUMP,
    TRAINING,
    custom,
    imported_service,
    locations,
    properties,
    resources,
    stack,
    statements,
    synthesised,
    template,
)

from constructs_l4e import (
    Dataset,
    EquipmentService,
    IDataset,
    IModel,
    ImportedDataset,
    ImportedModel,
    MonitoredAsset,
    S3Location,
)
from constructs_l4e.assets_file import AssetsFile

OWNER = "arn:aws:lookoutequipment:eu-west-1:444455556666"
DATASET = f"{OWNER}:dataset/Pump/12345678-1234-1234-1234-123456789012"
VERSION = f"{OWNER}:model/Wear/12345678-1234-1234-1234-123456789012/model-version/3"
ASSET = f"""
[assets.Copy]
imported = {{ dataset = "{DATASET}", model_version = "{VERSION}" }}
"""


def copies(scope: cdk.Stack, **of_model: Any) -> ImportedModel:
    dataset = ImportedDataset(scope, "Data", service=imported_service(scope), source_dataset_arn=DATASET)
    return dataset.add_imported_model("Model", source_model_version_arn=VERSION, **of_model)


def test_what_the_functions_are_told() -> None:
    content = synthesised(copies)
    data, model = properties(content, "ImportedDataset"), properties(content, "ImportedModel")

    assert data == {"DatasetName": "Test-Data-430CC383-5019e859", "SourceDatasetArn": DATASET}
    assert model == {
        "ModelName": "Test-Data-Model-7EBD7B1A-e3bed19a",
        "DatasetName": data["DatasetName"],
        "SourceModelVersionArn": VERSION,
        "InferenceDataImportStrategy": "NO_IMPORT",
    }
    assert (
        list(resources(content, "Custom::LookoutEquipmentImportedDataset"))
        == custom(content, "ImportedModel")["DependsOn"]
    ), "the model waits for the data"


def test_a_revision_is_no_part_of_the_name() -> None:
    def build(scope: cdk.Stack, revision: str | None) -> None:
        service = imported_service(scope)
        ImportedDataset(scope, "Data", service=service, source_dataset_arn=DATASET, revision=revision)

    first, second = (
        properties(synthesised(lambda scope, text=text: build(scope, text)), "ImportedDataset")
        for text in (None, "2026-11")
    )
    assert second == {**first, "Revision": "2026-11"}


def test_they_stay_when_their_stack_goes() -> None:
    content = synthesised(copies)

    for kind in ("ImportedDataset", "ImportedModel"):
        assert custom(content, kind)["DeletionPolicy"] == "RetainExceptOnCreate"
        assert custom(content, kind)["UpdateReplacePolicy"] == "Delete"


def test_everything_stands_on_them() -> None:
    scope = stack()
    at = locations(scope)
    model = copies(scope, target_sampling_rate="PT1M")
    scheduler = model.add_scheduler(
        "Live", data_upload_frequency="PT5M", data_input=at.inference_input, data_output=at.inference_output
    )
    model.add_retraining_scheduler("Anew", retraining_frequency="P3M")
    dataset = model.node.scope
    assert isinstance(model, IModel)
    assert isinstance(dataset, IDataset)
    dataset.add_model("Own", training=TRAINING)
    model.grant_import("777788889999")
    content = template(scope)

    assert scheduler.model_name == model.model_name
    [copied] = resources(content, "Custom::LookoutEquipmentImportedModel")
    for kind in ("InferenceScheduler", "RetrainingScheduler", "ModelPolicy"):
        assert copied in custom(content, kind)["DependsOn"]
    assert custom(content, "Model")["Properties"]["DatasetName"] == dataset.dataset_name


def test_label_files_are_read_by_a_role_of_the_model() -> None:
    scope = stack()
    place = S3Location(bucket=cdk.aws_s3.Bucket.from_bucket_name(scope, "B", "known"), prefix="faults/")
    model = copies(scope, labels=place)
    content = template(scope)

    assert properties(content, "ImportedModel")["RoleArn"] == {
        "Fn::GetAtt": [next(iter(resources(content, "AWS::IAM::Role"))), "Arn"]
    }
    assert model.grant_principal is not None
    with pytest.raises(ValueError, match="has no role, as it reads no label files"):
        _ = copies(stack()).grant_principal


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"source_model_version_arn": f"{OWNER}:model/Wear/1234-12"}, "source model version ARN .* Describe"),
        ({"source_model_version_arn": VERSION.replace("model-version/3", "*")}, "source model version ARN"),
        (
            {"inference_data": "SOME"},
            'inference data "SOME" is not supported: use one of NO_IMPORT, ADD_WHEN',
        ),
        ({"active_version": 0}, "versions of a model are counted from 1"),
        ({"active_version": 10**9}, "versions of a model are counted from 1"),
    ],
)
def test_wrong_props_of_a_model_are_refused(wrong: dict[str, Any], message: str) -> None:
    scope = stack()
    data = Dataset.from_dataset_name(scope, "D", service=imported_service(scope), dataset_name="one")
    with pytest.raises(ValueError, match=message):
        ImportedModel(scope, "M", dataset=data, **{"source_model_version_arn": VERSION, **wrong})


@pytest.mark.parametrize("arn", [VERSION, "Pump"])
def test_a_source_is_the_arn_of_a_dataset(arn: str) -> None:
    with pytest.raises(ValueError, match=f'source dataset ARN "{arn}"'):
        ImportedDataset(stack(), "D", service=imported_service(stack()), source_dataset_arn=arn)


def test_a_source_is_of_the_partition_of_the_service() -> None:
    scope = stack()
    service, china = imported_service(scope), VERSION.replace("arn:aws:", "arn:aws-cn:")
    data = ImportedDataset(scope, "Data", service=service, source_dataset_arn=DATASET)
    with pytest.raises(ValueError, match=r'is of the partition "aws-cn", and .* runs in "aws", out of reach'):
        data.add_imported_model("Model", source_model_version_arn=china)
    with pytest.raises(ValueError, match='name what begins with "arn:aws:"'):
        ImportedDataset(
            scope, "Other", service=service, source_dataset_arn=DATASET.replace("arn:aws:", "arn:aws-cn:")
        )


def test_the_arn_of_a_dataset_that_is_known_by_name_only_is_no_source() -> None:
    scope = cdk.Stack(cdk.App(), "Known", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    service = imported_service(scope)
    known = Dataset.from_dataset_name(scope, "Other", service=service, dataset_name="one")
    with pytest.raises(ValueError, match="is a pattern: give the ARN with its id"):
        ImportedDataset(scope, "D", service=service, source_dataset_arn=known.dataset_arn)


def test_aws_managed_service_may_import_these_sources_alone() -> None:
    def build(scope: cdk.Stack) -> None:
        service = EquipmentService.aws_managed(scope, "Service")
        data = ImportedDataset(scope, "Data", service=service, source_dataset_arn=DATASET)
        role = iam.Role.from_role_arn(scope, "Role", "arn:aws:iam::111122223333:role/labels")
        data.add_imported_model("Model", source_model_version_arn=VERSION, role=role)

    found = {
        (statement["Action"], statement["Resource"])
        for statement in statements(synthesised(build))
        if isinstance(statement["Resource"], str) and statement["Resource"].startswith(OWNER)
    }
    assert found == {
        ("lookoutequipment:ImportDataset", DATASET),
        ("lookoutequipment:ImportModelVersion", VERSION),
    }


class TestAsset:
    def asset(self, scope: cdk.Stack, **props: Any) -> MonitoredAsset:
        given = {
            "dataset": {"source_dataset_arn": DATASET},
            "model": {"source_model_version_arn": VERSION},
            **props,
        }
        return MonitoredAsset(
            scope, "Pump", service=imported_service(scope), locations=locations(scope), **given
        )

    def test_of_copies_ingests_and_trains_nothing(self) -> None:
        scope = stack()
        key = kms.Key.from_key_arn(scope, "Key", "arn:aws:kms:eu-west-1:111122223333:key/mine")
        asset = self.asset(
            scope,
            encryption_key=key,
            tags={"line": "4"},
            labelled=True,
            label_group={"fault_codes": ["leak"]},
            adaptation="hold",
            target_sampling_rate="PT10M",
            model_name="wear",
            removal_policy=cdk.RemovalPolicy.DESTROY,
            retraining={"retraining_frequency": "P3M"},
        )
        content = template(scope)
        kinds = {
            each["Type"].removeprefix("Custom::LookoutEquipment") for each in content["Resources"].values()
        }
        model = properties(content, "ImportedModel")

        assert not kinds & {"Dataset", "DataIngestion", "Model"}
        assert asset.ingestion is None
        assert (model["ModelName"], model["ServerSideKmsKeyId"]) == ("wear", key.key_arn)
        assert model["LabelsInputConfiguration"].keys() == {"S3InputConfiguration", "LabelGroupName"}
        assert {tag["Key"] for tag in model["Tags"]} == {"line", "lookoutequipment:adaptation"}
        assert properties(content, "InferenceScheduler")["DataUploadFrequency"] == "PT10M"
        for kind in ("ImportedDataset", "ImportedModel"):
            assert custom(content, kind)["DeletionPolicy"] == "Delete"

    def test_is_granted_by_its_names(self) -> None:
        scope = stack()
        asset = self.asset(scope)
        asset.grant_read(iam.Role(scope, "People", assumed_by=iam.AccountRootPrincipal()))
        content = template(scope)

        for kind, name in (("ImportedDataset", "DatasetName"), ("ImportedModel", "ModelName")):
            assert properties(content, kind)[name].startswith(asset.name_prefix)

    def test_may_train_on_a_copy(self) -> None:
        content = synthesised(lambda scope: self.asset(scope, model=None, schema=PUMP, training=TRAINING))

        [copied] = resources(content, "Custom::LookoutEquipmentImportedDataset")
        assert copied in custom(content, "Model")["DependsOn"]
        assert not resources(content, "Custom::LookoutEquipmentDataIngestion")

    def test_may_have_a_copy_learn_from_its_own_data(self) -> None:
        content = synthesised(lambda scope: self.asset(scope, dataset=None, schema=PUMP))

        [ingested] = resources(content, "Custom::LookoutEquipmentDataIngestion")
        assert ingested in custom(content, "ImportedModel")["DependsOn"]

    @pytest.mark.parametrize(
        ("prop", "part"),
        [
            ({"revision": "2"}, "dataset"),
            ({"training": TRAINING}, "model"),
            ({"off_condition": r"pump\speed < 1"}, "model"),
            ({"diagnostics": True}, "model"),
        ],
    )
    def test_refuses_what_has_no_effect_on_a_copy(self, prop: dict[str, Any], part: str) -> None:
        with pytest.raises(ValueError, match=f'"{next(iter(prop))}" has no effect on a "{part}" that is imp'):
            self.asset(stack(), **prop)


class TestAssetsFile:
    def declared(self, folder: Path, text: str) -> Any:
        path = folder / "assets.toml"
        path.write_text(text)
        [asset] = AssetsFile.read(path).assets
        return asset

    def test_declares_copies(self, tmp_path: Path) -> None:
        asset = self.declared(
            tmp_path, ASSET.replace(" }", ", revision = '2', inference_data = 'OVERWRITE' }")
        )

        def build(scope: cdk.Stack) -> None:
            service, at = imported_service(scope), locations(scope)
            MonitoredAsset(scope, "Pump", service=service, locations=at, **asset.monitoring())

        content = synthesised(build)
        data = properties(content, "ImportedDataset")
        assert (data["SourceDatasetArn"], data["Revision"]) == (DATASET, "2")
        model = properties(content, "ImportedModel")
        assert (model["SourceModelVersionArn"], model["InferenceDataImportStrategy"]) == (
            VERSION,
            "OVERWRITE",
        )

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ((f'dataset = "{DATASET}", model_version = "{VERSION}"', ""), "give the ARN of a dataset"),
            (
                (f'dataset = "{DATASET}"', "revision = '2'"),
                "imported: revision has no effect without a dataset: leave it out",
            ),
            (
                (f', model_version = "{VERSION}"', ", inference_data = 'OVERWRITE'"),
                "inference_data has no eff",
            ),
            ((f', model_version = "{VERSION}"', ""), "training is missing: add for instance"),
            ((f'dataset = "{DATASET}", ', ""), "sensors is missing: add for instance"),
            ((" }", " }\nrevision = '2'"), "is imported: write imported.revision"),
            ((" }", " }\ndiagnostics = true"), "diagnostics has no effect on a model that is imported"),
            ((" }", ", inference_data = 'ALL' }"), "inference_data: 'ALL' is not one of NO_IMPORT, ADD_WHEN"),
            (("model_version", "version"), "unknown key 'version'"),
        ],
    )
    def test_says_what_is_wrong(self, tmp_path: Path, change: tuple[str, str], message: str) -> None:
        with pytest.raises(ValueError, match=r"assets\.toml \[assets\.Copy\]") as caught:
            self.declared(tmp_path, ASSET.replace(*change))
        assert message in str(caught.value)
