"""Imports of model versions within an account."""

import json
from typing import Any

import pytest

from custom_resources.request import OWNER_TAG
from service.members import tagging
from service.storage.names import MODEL, accumulated_day, accumulated_prefix, artefact_key, document_key
from service.storage.store import Item
from tests.embedded import ACCOUNT
from tests.service.jobs.inference import results, started, upload
from tests.service.jobs.plant import OTHER, Plant, asked_version
from tests.service.jobs.world import at, schema

COPIED = (
    "TrainingDataStartTime",
    "TrainingDataEndTime",
    "EvaluationDataStartTime",
    "EvaluationDataEndTime",
    "DataPreProcessingConfiguration",
    "OffCondition",
    "ModelQuality",
    "ModelMetrics",
    "Schema",
)


def test_a_new_model_gets_the_version_as_its_first_and_active_one(
    plant: Plant, source: Item, target: Item
) -> None:
    begun = plant.import_version(source, target, Tags=[{"Key": "line", "Value": "4"}])
    assert (begun["Status"], begun["ModelVersion"]) == ("IMPORT_IN_PROGRESS", 1)
    during = plant.call("DescribeModel", ModelName="twin")
    assert during["Status"] == "IMPORT_IN_PROGRESS"
    assert "ActiveModelVersion" not in during
    assert plant.call("ListModels")["ModelSummaries"]

    plant.play_version(begun)
    original = plant.call("DescribeModelVersion", ModelName=source["ModelName"], ModelVersion=1)
    version = plant.call("DescribeModelVersion", ModelName="twin", ModelVersion=1)
    model = plant.call("DescribeModel", ModelName="twin")
    for shown in (version, model):
        assert shown["Status"] == "SUCCESS"
        assert {name: shown.get(name) for name in COPIED} == {name: original[name] for name in COPIED}
        assert shown["SourceModelVersionArn"] == source["ModelVersionArn"]
        assert shown["ImportJobStartTime"] <= shown["ImportJobEndTime"]
        assert shown["DatasetArn"] == target["DatasetArn"]
        assert "LabelsInputConfiguration" not in shown
        assert "ModelDiagnosticsOutputConfiguration" not in shown
    assert version["SourceType"] == "IMPORT"
    assert version["ImportedDataSizeInBytes"] > 1000
    assert model["ActiveModelVersionArn"] == version["ModelVersionArn"] == begun["ModelVersionArn"]
    tags = plant.call("ListTagsForResource", ResourceArn=model["ModelArn"])["Tags"]
    assert tags == [{"Key": "line", "Value": "4"}]


def test_an_imported_model_scores_as_its_source_does(plant: Plant, source: Item, target: Item) -> None:
    plant.play_version(plant.import_version(source, target))
    world, found = plant.world, []
    for name in (source["ModelName"], "twin"):
        scheduler = started(world, world.get(MODEL, name), "10:05")
        upload(world, "10:00")
        assert set(world.tick(scheduler).values()) == {"SUCCESS"}
        found.append(results(world, "10:00"))
    assert found[0] == found[1]
    assert len(found[0]) == 5


def test_the_next_version_of_an_existing_model_waits_to_be_activated(
    plant: Plant, source: Item, target: Item
) -> None:
    plant.play_version(plant.import_version(source, target))
    before = plant.call("DescribeModel", ModelName="twin")
    labels = {"S3InputConfiguration": {"Bucket": plant.world.bucket, "Prefix": "labels/"}}
    begun = plant.import_version(
        source, target, ClientToken="u", LabelsInputConfiguration=labels, RoleArn=plant.world.role
    )
    assert begun["ModelVersion"] == 2
    assert plant.call("DescribeModel", ModelName="twin")["Status"] == "SUCCESS"
    assert plant.play_version(begun)["Status"] == "SUCCESS"
    model = plant.call("DescribeModel", ModelName="twin")
    assert model["ActiveModelVersion"] == 1
    assert model["LabelsInputConfiguration"] == labels, "of the versions to come"
    assert model["ImportJobEndTime"] == before["ImportJobEndTime"]
    activated = plant.call("UpdateActiveModelVersion", ModelName="twin", ModelVersion=2)
    assert activated["CurrentActiveVersion"] == 2
    summaries = plant.call("ListModelVersions", ModelName="twin", SourceType="IMPORT")
    assert [one["ModelVersion"] for one in summaries["ModelVersionSummaries"]] == [1, 2]


def test_a_model_that_never_succeeded_gets_a_version_that_is_active(
    plant: Plant, source: Item, target: Item
) -> None:
    begun = plant.import_version(source, target)
    _put_policy(plant, source, "Deny", "*")
    failed = plant.play_version(begun)
    assert failed["Status"] == "FAILED"
    assert "is not authorized to perform lookoutequipment:ImportModelVersion" in failed["FailedReason"]
    model = plant.call("DescribeModel", ModelName="twin")
    assert (model["Status"], model["FailedReason"]) == ("FAILED", failed["FailedReason"])
    assert plant.import_version(source, target) == {**begun, "Status": "FAILED"}

    plant.call("DeleteResourcePolicy", ResourceArn=source["ModelVersionArn"])
    plant.play_version(plant.import_version(source, target, ClientToken="u"))
    model = plant.call("DescribeModel", ModelName="twin")
    assert (model["Status"], model["ActiveModelVersion"]) == ("SUCCESS", 2)
    assert "FailedReason" not in model


def _put_policy(plant: Plant, source: Item, effect: str, principal: Any, **more: Any) -> None:
    statement = {
        "Effect": effect,
        "Principal": principal,
        "Action": "lookoutequipment:ImportModelVersion",
        **more,
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    arn = source["ModelVersionArn"]
    plant.call("PutResourcePolicy", ResourceArn=arn, ResourcePolicy=text, ClientToken=text[-200:])


def test_a_failed_import_leaves_an_existing_model_as_it_was(plant: Plant, source: Item, target: Item) -> None:
    plant.play_version(plant.import_version(source, target))
    before = plant.call("DescribeModel", ModelName="twin")
    begun = plant.import_version(source, target, ClientToken="u")
    plant.world.runtime.service_bucket.delete_prefix(f"models/{source['uuid']}/")
    failed = plant.play_version(begun)
    assert "was deleted, or got other data, while it was imported" in failed["FailedReason"]
    after = plant.call("DescribeModel", ModelName="twin")
    assert {**before, "LastUpdatedTime": after["LastUpdatedTime"]} == after


STRATEGIES: list[tuple[str, bool, dict[str, bytes]]] = [
    ("NO_IMPORT", False, {}),
    ("ADD_WHEN_EMPTY", False, {"2020-02-01": b"source"}),
    ("ADD_WHEN_EMPTY", True, {"2020-03-01": b"target"}),
    ("OVERWRITE", True, {"2020-02-01": b"source"}),
    ("OVERWRITE", False, {"2020-02-01": b"source"}),
]


@pytest.mark.parametrize("case", STRATEGIES)
def test_the_strategy_decides_about_kept_rows(
    plant: Plant, source: Item, target: Item, case: tuple[str, bool, dict[str, bytes]]
) -> None:
    strategy, full, expected = case
    _keep(plant, plant.world.get(MODEL, source["ModelName"]), "2020-02-01", b"source")
    plant.play_version(plant.import_version(source, target))
    if full:
        _keep(plant, plant.world.get(MODEL, "twin"), "2020-03-01", b"target")
    plant.play_version(
        plant.import_version(source, target, ClientToken="u", InferenceDataImportStrategy=strategy)
    )
    twin = plant.world.get(MODEL, "twin")
    bucket, prefix = plant.world.runtime.service_bucket, accumulated_prefix(twin["uuid"])
    found = {key.removeprefix(prefix).partition("/")[0]: bucket.find(key) for key in bucket.keys(prefix)}
    assert found == expected
    shown = plant.call("DescribeModel", ModelName="twin")
    start = shown.get("AccumulatedInferenceDataStartTime")
    assert start == (at(next(iter(expected))) if expected else None)


def _keep(plant: Plant, model: Item, day: str, body: bytes) -> None:
    """Do what inference does for a model with a retraining scheduler."""
    key = f"{accumulated_day(model['uuid'], at(day))}scheduler.parquet"
    plant.world.runtime.service_bucket.put(key, body)
    extent = {
        "AccumulatedInferenceDataStartTime": int(at(day)),
        "AccumulatedInferenceDataEndTime": int(at(day)) + 60,
    }
    plant.world.runtime.store.update(MODEL, model["ModelName"], extent)


def test_a_policy_can_keep_the_rows_of_inference_back(plant: Plant, source: Item, target: Item) -> None:
    condition = {"Bool": {"lookoutequipment:IsImportingData": "false"}}
    _put_policy(plant, source, "Allow", {"AWS": "222222222222"}, Condition=condition)
    request = asked_version(source, target)
    refusal = plant.refusal("ImportModelVersion", OTHER, **request, InferenceDataImportStrategy="OVERWRITE")
    assert "AccessDeniedException" in refusal
    assert plant.call("ImportModelVersion", OTHER, **request)["ModelVersion"] == 1


def test_the_policy_of_the_model_counts_as_well(plant: Plant, source: Item, target: Item) -> None:
    _put_policy(plant, source, "Allow", "*")
    model = plant.call("DescribeModel", ModelName=source["ModelName"])["ModelArn"]
    statement = {"Effect": "Deny", "Principal": "*", "Action": "lookoutequipment:ImportModelVersion"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    plant.call("PutResourcePolicy", ResourceArn=model, ResourcePolicy=text, ClientToken="t")
    for caller in (OTHER, f"arn:aws:iam::{ACCOUNT}:user/ann"):
        refusal = plant.refusal("ImportModelVersion", caller, **asked_version(source, target))
        assert "AccessDeniedException" in refusal


def test_what_cannot_be_imported_is_refused(plant: Plant, source: Item, target: Item) -> None:
    def refusal(**changes: Any) -> str:
        return plant.refusal("ImportModelVersion", **{**asked_version(source, target), **changes})

    arn = source["ModelVersionArn"]
    assert "ResourceNotFound" in refusal(SourceModelVersionArn=arn.replace("version/1", "version/7"))
    assert "ResourceNotFound" in refusal(DatasetName="none")
    empty = plant.world.dataset(schema(pump=("speed",)))["DatasetName"]
    assert "ConflictException" in refusal(DatasetName=empty)
    labels = {"S3InputConfiguration": {"Bucket": "labels"}}
    assert "without RoleArn" in refusal(LabelsInputConfiguration=labels)

    plant.play_version(plant.import_version(source, target))
    other = refusal(DatasetName=source["DatasetName"], ClientToken="u")
    assert "is not the dataset of the model 'twin', which is 'copy'" in other


def test_a_custom_resource_imports_into_no_model_of_others(plant: Plant, source: Item, target: Item) -> None:
    def tags(owner: str) -> list[dict[str, str]]:
        return [{"Key": OWNER_TAG, "Value": owner}]

    plant.play_version(plant.import_version(source, target))
    model = plant.call("DescribeModel", ModelName="twin")["ModelArn"]
    ours = asked_version(source, target, ClientToken="u", Tags=tags("stack/ours"))
    assert "belongs to nobody" in plant.refusal("ImportModelVersion", **ours)
    plant.call("TagResource", ResourceArn=model, Tags=tags("stack/theirs"))
    assert "ConflictException: the model 'twin' exists and belongs to stack/theirs" in plant.refusal(
        "ImportModelVersion", **ours
    )
    assert plant.call("ListTagsForResource", ResourceArn=model)["Tags"] == tags("stack/theirs")
    plant.call("TagResource", ResourceArn=model, Tags=tags("stack/ours"))
    assert plant.call("ImportModelVersion", **ours)["ModelVersion"] == 2


def test_both_sides_know_the_tag_of_owners() -> None:
    assert tagging.OWNER_TAG == OWNER_TAG


def test_a_dataset_must_have_the_sensors_of_the_version(plant: Plant, source: Item) -> None:
    other = plant.filled()
    failed = plant.play_version(plant.import_version(source, other))
    assert failed["Status"] == "FAILED"
    assert other["DatasetName"] in failed["FailedReason"]
    assert "drive" in failed["FailedReason"]


def test_a_model_is_busy_while_a_version_is_imported(plant: Plant, source: Item, target: Item) -> None:
    begun = plant.import_version(source, target)
    name = {"ModelName": "twin"}
    for operation, request in (
        ("DeleteModel", name),
        ("UpdateModel", {**name, "RoleArn": plant.world.role}),
        ("ImportModelVersion", asked_version(source, target, ClientToken="u")),
    ):
        assert "ConflictException" in plant.refusal(operation, **request)
    plant.play_version(begun)
    second = plant.import_version(source, target, ClientToken="u")
    assert "is being imported" in plant.refusal("DeleteModel", **name)
    plant.play_version(second)
    plant.call("DeleteModel", **name)


def test_imports_of_versions_have_a_quota_of_their_own(plant: Plant, source: Item, target: Item) -> None:
    plant.limit(pending_model_imports=1, models=3)
    begun = plant.import_version(source, target)
    more = {"ModelName": "second", "ClientToken": "u"}
    refusal = plant.refusal("ImportModelVersion", **asked_version(source, target, **more))
    assert "the limit of 1 pending imports of model versions is reached" in refusal
    plant.play_version(begun)
    plant.play_version(plant.import_version(source, target, **more))
    more = {"ModelName": "third", "ClientToken": "v"}
    refusal = plant.refusal("ImportModelVersion", **asked_version(source, target, **more))
    assert "the limit of 3 models is reached" in refusal


def test_long_metrics_say_where_they_are_whole_now(plant: Plant, source: Item, target: Item) -> None:
    bucket = plant.world.runtime.service_bucket
    stamps = {"start": "2020-01-19T00:00:00.000000", "end": "2020-01-19T01:00:00.000000"}
    ranges = [{**stamps, "diagnostics": []}] * 900
    complete = json.dumps({"labeled_ranges": [], "predicted_ranges": ranges})
    bucket.put_text(document_key(source["uuid"], "metrics-1-complete.json"), complete)
    plant.play_version(plant.import_version(source, target))
    twin = plant.world.get(MODEL, "twin")
    place = document_key(twin["uuid"], "metrics-1-complete.json")
    assert bucket.get_text(place) == complete
    shown = plant.call("DescribeModel", ModelName="twin")["ModelMetrics"]
    assert place in shown
    assert source["uuid"] not in shown


def test_a_version_is_encrypted_with_the_key_of_its_model(plant: Plant, source: Item, target: Item) -> None:
    mine = plant.context.client("kms").create_key()["KeyMetadata"]["Arn"]
    plant.play_version(plant.import_version(source, target, ServerSideKmsKeyId=mine))
    twin = plant.world.get(MODEL, "twin")
    bucket = plant.world.runtime.service_bucket
    for key in (artefact_key(twin["uuid"], 1), twin["schemaKey"], twin["metricsKey"]):
        assert bucket.s3.head_object(Bucket=bucket.name, Key=key).get("SSEKMSKeyId") == mine
    other = plant.context.client("kms").create_key()["KeyMetadata"]["Arn"]
    request = asked_version(source, target, ServerSideKmsKeyId=other, ClientToken="u")
    assert "keeps its key" in plant.refusal("ImportModelVersion", **request)
