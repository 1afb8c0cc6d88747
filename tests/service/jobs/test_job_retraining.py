"""Retrainings: versions that name the one they are to replace. The test plays their scheduler."""

import json
from dataclasses import replace
from typing import Any

import pytest

from engine import Detector
from service.members.adaptation_tag import ADAPTATION_TAG
from service.storage.names import DATASET, MODEL, artefact_key, version_key, versions_of
from service.storage.store import Item
from tests.service.jobs import pump
from tests.service.jobs.test_job_group_labels import group
from tests.service.jobs.world import World, at

WINDOWS = {
    "TrainingDataStartTime": at("2020-01-02"),
    "TrainingDataEndTime": at("2020-01-18"),
    "EvaluationDataStartTime": at("2020-01-18"),
    "EvaluationDataEndTime": at("2020-01-20T12:00"),
}
SETTINGS = {
    "DataPreProcessingConfiguration": {"TargetSamplingRate": "PT5M"},
    "OffCondition": "drive\\speed < 100",
}


def labels(home: World, prefix: str = "labels/") -> dict[str, Any]:
    source = {"S3InputConfiguration": {"Bucket": home.bucket, "Prefix": prefix}}
    return {"RoleArn": home.role, "LabelsInputConfiguration": source}


@pytest.fixture(autouse=True)
def _labels(home: World) -> None:
    home.upload("labels/faults.csv", f"start,end\n{pump.FAULT[0]},{pump.FAULT[1]}\n")


def first(home: World, dataset: Item, **members: Any) -> Item:
    model = home.model(dataset, pump.SCHEMA, **{**WINDOWS, **SETTINGS, **members})
    assert model["Status"] == "SUCCESS", model.get("FailedReason")
    return model


def spoil(home: World, model: Item, factor: float) -> None:
    """Move the limits of version 1: above 1 it is blinder."""
    bucket, key = home.runtime.service_bucket, artefact_key(model["uuid"], 1)
    body = bucket.find(key)
    assert body is not None
    found = Detector.from_bytes(body)
    views = tuple(replace(view, limit=view.limit * factor) for view in found.views)
    bucket.put(key, replace(found, views=views).to_bytes())


def retrained(home: World, model: Item, **members: Any) -> tuple[Item, Item]:
    """Write version 2 as a retraining scheduler would, train it; returns the model and the version."""
    before = home.version(model)
    kept = {
        "ModelName",
        "ModelArn",
        "DatasetName",
        "DatasetArn",
        "schemaKey",
        "datasetUuid",
        "ingestionJobId",
    }
    home.runtime.store.create(
        {
            "pk": versions_of(model["uuid"]),
            "sk": version_key(2),
            "uuid": model["uuid"],
            "ModelVersion": 2,
            "Status": "IN_PROGRESS",
            "CreatedAt": home.now[0],
            "SourceType": "RETRAINING",
            "priorModelVersion": 1,
            "promoteMode": "MANAGED",
            **{name: before[name] for name in kept},
            **WINDOWS,
            **SETTINGS,
            **members,
        }
    )
    home.play_training(model["ModelName"], 2)
    return home.get(MODEL, model["ModelName"]), home.version(model, 2)


def document(home: World, record: Item, key: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(home.runtime.service_bucket.get_text(record[key]))
    return found


def test_a_version_that_finds_more_labelled_events_becomes_active(home: World, dataset: Item) -> None:
    before = first(home, dataset, **labels(home))
    spoil(home, before, 1e4)
    model, version = retrained(home, before, **labels(home))
    assert version["Status"] == "SUCCESS"
    assert version["AutoPromotionResult"] == "MODEL_PROMOTED"
    assert version["AutoPromotionResultReason"] == (
        "AUTO_PROMOTION_SUCCESSFUL: the new version finds 1 of 1 labelled events, the prior version 0"
    )
    assert document(home, version, "priorMetricsKey")["labeled_event_metrics"]["num_identified"] == 0
    assert document(home, version, "metricsKey")["labeled_event_metrics"]["num_identified"] == 1
    assert (model["ActiveModelVersion"], model["PreviousActiveModelVersion"]) == (2, 1)
    assert model["ActiveModelVersionArn"].endswith("/model-version/2")
    assert model["PreviousActiveModelVersionArn"].endswith("/model-version/1")
    assert model["PreviousModelVersionActivatedAt"] == before["ModelVersionActivatedAt"]
    for name in ("metricsKey", "priorMetricsKey", "ModelQuality", "TrainingDataStartTime", "Status"):
        assert model[name] == version[name], name
    assert not model.keys() & {"AutoPromotionResult", "AutoPromotionResultReason"}
    assert model["LatestScheduledRetrainingModelVersion"] == 2
    assert model["LatestScheduledRetrainingStatus"] == "SUCCESS"


def test_a_tie_keeps_the_prior_version(home: World, dataset: Item) -> None:
    before = first(home, dataset, **labels(home))
    model, version = retrained(home, before, **labels(home))
    assert version["AutoPromotionResult"] == "MODEL_NOT_PROMOTED"
    assert version["AutoPromotionResultReason"] == (
        "MODEL_METRICS_DIDNT_IMPROVE: both versions do equally well: the prior one stays"
    )
    kept = {name: model[name] for name in before}
    assert kept == before
    assert model["LatestScheduledRetrainingStatus"] == "SUCCESS"
    assert document(home, version, "priorMetricsKey")["labels_present"] is True


def test_manual_versions_wait_to_be_activated(home: World, dataset: Item) -> None:
    before = first(home, dataset, **labels(home))
    spoil(home, before, 1e4)
    model, version = retrained(home, before, promoteMode="MANUAL", **labels(home))
    assert version["Status"] == "SUCCESS"
    assert "AutoPromotionResult" not in version
    assert "priorMetricsKey" in version
    assert model["ActiveModelVersion"] == 1


@pytest.mark.parametrize(
    ("old", "new", "promoted", "reason"),
    [
        (True, False, False, "MODEL_METRICS_DIDNT_IMPROVE: the new version has no labels to be judged by"),
        (False, True, True, "AUTO_PROMOTION_SUCCESSFUL: both versions do equally well: the prior one stays"),
        (False, False, True, "AUTO_PROMOTION_SUCCESSFUL: no labels; "),
    ],
)
def test_labels_on_one_side_or_none(
    home: World, dataset: Item, *, old: bool, new: bool, promoted: bool, reason: str
) -> None:
    before = first(home, dataset, **(labels(home) if old else {}))
    model, version = retrained(home, before, **(labels(home) if new else {}))
    assert version["AutoPromotionResultReason"].startswith(reason)
    assert model["ActiveModelVersion"] == (2 if promoted else 1)


def test_a_poor_version_does_not_replace_one_without_labels(home: World, dataset: Item) -> None:
    home.upload("nonsense/faults.csv", "2020-01-18T02:00:00,2020-01-18T03:00:00\n")
    before = first(home, dataset)
    model, version = retrained(home, before, **labels(home, "nonsense/"))
    assert version["AutoPromotionResultReason"] == (
        "POOR_MODEL_QUALITY_DETECTED: the quality of the new version is POOR_QUALITY_DETECTED"
    )
    assert model["ActiveModelVersion"] == 1


def test_a_prior_version_that_cannot_be_read_is_replaced(home: World, dataset: Item) -> None:
    before = first(home, dataset, **labels(home))
    home.runtime.service_bucket.put(artefact_key(before["uuid"], 1), b"damaged")
    model, version = retrained(home, before, **labels(home))
    assert version["AutoPromotionResultReason"] == (
        "AUTO_PROMOTION_SUCCESSFUL: the prior version cannot be used any more"
    )
    assert "priorMetricsKey" not in version
    assert model["ActiveModelVersion"] == 2


def test_a_failed_retraining_leaves_the_model_as_it_was(home: World, dataset: Item) -> None:
    before = first(home, dataset)
    model, version = retrained(home, before, OffCondition="drive\\sped < 1")
    assert version["Status"] == "FAILED"
    assert version["AutoPromotionResult"] == "RETRAINING_CUSTOMER_ERROR"
    assert len(version["AutoPromotionResultReason"]) <= 256
    assert "unknown sensor" in version["AutoPromotionResultReason"]
    assert {name: model[name] for name in before} == before
    assert model["LatestScheduledRetrainingStatus"] == "FAILED"
    assert model["LatestScheduledRetrainingFailedReason"] == version["FailedReason"]


def test_an_internal_error_is_told_apart(home: World, dataset: Item) -> None:
    before = first(home, dataset)
    _, version = retrained(home, before, schemaKey="documents/nowhere.json")
    assert version["AutoPromotionResult"] == "RETRAINING_INTERNAL_ERROR"


def test_a_shorter_false_alarm_time_raises_the_limits(home: World, dataset: Item, world: World) -> None:
    def limits(of: World) -> list[float]:
        made = of.model(home.get(DATASET, dataset["DatasetName"]), pump.SCHEMA, **SETTINGS)
        body = of.runtime.service_bucket.find(artefact_key(made["uuid"], 1))
        assert body is not None
        return [view.limit for view in Detector.from_bytes(body).views]

    usual = limits(home)
    world.settings(false_alarm_hours=2.0)
    keener = limits(world)
    assert all(mine < theirs for mine, theirs in zip(keener, usual, strict=True))


def test_training_starts_from_the_prior_version(home: World, dataset: Item) -> None:
    """A fault lies in the new training window without a label; a prior version that is blind keeps it in."""
    late = {"TrainingDataEndTime": at("2020-01-20"), "EvaluationDataStartTime": at("2020-01-20")}

    def trimmed(factor: float) -> float:
        before = first(home, dataset)
        spoil(home, before, factor)
        _, version = retrained(home, before, **late)
        assert version["Status"] == "SUCCESS", version.get("FailedReason")
        body = home.runtime.service_bucket.find(artefact_key(before["uuid"], 2))
        assert body is not None
        return Detector.from_bytes(body).trimmed

    fault = 72 / (18 * 288)
    assert fault <= trimmed(1) < 4 * fault, "the fault and the rows around it"
    assert trimmed(1e4) < fault / 4


@pytest.mark.parametrize(
    ("setting", "tag", "status"),
    [
        ("auto", None, "FAILED"),
        ("auto", "follow", "SUCCESS"),
        ("hold", "follow", "SUCCESS"),
        ("follow", None, "SUCCESS"),
        ("follow", "hold", "FAILED"),
    ],
)
def test_what_a_held_plant_left_is_learned_once_confirmed(
    home: World, dataset: Item, *, setting: str, tag: str | None, status: str
) -> None:
    """The prior version alarms on everything."""
    before = first(home, dataset)
    spoil(home, before, 1e-3)
    if tag is not None:
        home.runtime.store.update(MODEL, before["ModelName"], {"tags": {ADAPTATION_TAG: tag}})
    world = replace(home)
    world.settings(adaptation=setting)
    _, version = retrained(world, before)
    assert version["Status"] == status, version.get("FailedReason")
    if status == "FAILED":
        assert version["AutoPromotionResult"] == "RETRAINING_CUSTOMER_ERROR"
        assert "what nobody has confirmed is not learned" in version["FailedReason"]
        assert "lookoutequipment:adaptation = follow" in version["FailedReason"]
        assert version["AutoPromotionResultReason"].startswith("the model in use alarms")


def test_what_a_held_plant_left_is_learned_once_a_label_calls_it_normal(home: World, dataset: Item) -> None:
    """The prior version alarms on everything; the model gets its label group after the first training."""
    before = first(home, dataset)
    spoil(home, before, 1e-3)
    name = group(home, ("2020-01-02", "2020-01-18", "NO_ANOMALY"))
    no_evaluation = {"EvaluationDataStartTime": None, "EvaluationDataEndTime": None}
    configuration = {"LabelsInputConfiguration": {"LabelGroupName": name}}
    model, version = retrained(home, before, **configuration, **no_evaluation)
    assert version["Status"] == "SUCCESS", version.get("FailedReason")
    body = home.runtime.service_bucket.find(artefact_key(before["uuid"], 2))
    assert body is not None
    assert Detector.from_bytes(body).trimmed == 0
    assert version["AutoPromotionResult"] == "MODEL_NOT_PROMOTED", "nothing says how good it is"
    assert model["ActiveModelVersion"] == 1
