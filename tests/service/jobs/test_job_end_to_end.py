"""Ingest, train, infer: the real steps in order, on the embedded AWS."""

import gzip
import json
from datetime import timedelta

import pytest

from service.names import DATASET, SCHEDULER
from service.store import Item
from tests.service.jobs import pump
from tests.service.jobs.world import World, at

MINUTE, STEP = timedelta(minutes=1), timedelta(minutes=5)
FAULT = ("2020-01-21T02:00", "2020-01-21T08:00")


@pytest.fixture
def dataset(world: World) -> Item:
    data = list(pump.history("2020-01-01", count=24 * 288, step=STEP, faults=(FAULT,)))
    world.upload("train/drive/data.csv", pump.drive(data))
    world.upload("train/hydraulics/data.csv.gz", gzip.compress(pump.hydraulics(data).encode()))
    found = world.dataset(pump.SCHEMA)
    job = world.ingest(found, prefix="train/")
    assert job["Status"] == "SUCCESS", job.get("FailedReason")
    return world.get(DATASET, found["DatasetName"])


@pytest.fixture
def model(world: World, dataset: Item) -> Item:
    world.upload("labels/faults.csv", f"start,end\n{FAULT[0]},{FAULT[1]}\n")
    found = world.model(
        dataset,
        pump.SCHEMA,
        RoleArn=world.role,
        TrainingDataStartTime=at("2019-01-01"),
        TrainingDataEndTime=at("2020-01-20"),
        EvaluationDataStartTime=at("2020-01-20"),
        EvaluationDataEndTime=at("2020-03-01"),
        LabelsInputConfiguration={"S3InputConfiguration": {"Bucket": world.bucket, "Prefix": "labels/"}},
        DataPreProcessingConfiguration={"TargetSamplingRate": "PT5M"},
        ModelDiagnosticsOutputConfiguration={
            "S3OutputConfiguration": {"Bucket": world.bucket, "Prefix": "diagnostics/"}
        },
    )
    assert found["Status"] == "SUCCESS", found.get("FailedReason")
    return found


def test_a_model_is_trained_and_measured(world: World, model: Item) -> None:
    assert float(model["TrainingDataStartTime"]) == at("2020-01-01")
    assert float(model["TrainingDataEndTime"]) == at("2020-01-20")
    assert float(model["EvaluationDataEndTime"]) == at("2020-01-24T23:55")
    assert model["ModelQuality"] == "QUALITY_THRESHOLD_MET"
    assert model["ActiveModelVersion"] == 1
    assert model["ActiveModelVersionArn"] == f"{model['ModelArn']}/model-version/1"
    assert model["TrainingExecutionStartTime"] <= model["TrainingExecutionEndTime"]
    metrics = json.loads(world.rt.documents.get(model["metricsKey"]))
    assert metrics["labeled_ranges"] == [
        {"start": "2020-01-21T02:00:00.000000", "end": "2020-01-21T08:00:00.000000"}
    ]
    assert metrics["labeled_event_metrics"]["num_identified"] == 1
    first = metrics["predicted_ranges"][0]["diagnostics"]
    assert [one["name"] for one in first] == list(pump.SENSORS)
    assert max(first, key=lambda one: one["value"])["name"].startswith("hydraulics")
    version = world.version(model)
    assert version["Status"] == "SUCCESS"
    assert version["metricsKey"] == model["metricsKey"]
    key = f"diagnostics/{model['ModelName']}/1/model_diagnostics_results.json.gz"
    assert version["ModelDiagnosticsResultsObject"] == {"Bucket": world.bucket, "Key": key}
    lines = gzip.decompress(world.download(key)).decode().splitlines()
    assert len(lines) == 5 * 288
    assert eval(lines[0])["timestamp"] == "2020-01-20T00:00:00.000000"  # noqa: S307 - what AWS's SDK does


def test_training_again_changes_nothing(world: World, model: Item) -> None:
    before = world.version(model)
    world.set_clock("2026-02-02")
    world.play_training(model["ModelName"])
    assert world.version(model) == before
    assert world.get("model", model["ModelName"]) == model


def upload_segment(
    world: World, start: str, *, count: int = 6, faults: tuple[tuple[str, str], ...] = ()
) -> None:
    data = list(pump.history(start, count=count, step=MINUTE, faults=faults, seed=7))
    stamp = data[0].time.strftime("%Y%m%d%H%M%S")
    world.upload(f"in/drive_{stamp}.csv", pump.drive(data))
    world.upload(f"in/hydraulics_{stamp}.csv", pump.hydraulics(data))


def test_fresh_files_are_inferred_once(world: World, model: Item) -> None:
    world.set_clock("2026-01-05T10:10:20")
    scheduler = world.scheduler(model, first_end="2026-01-05T10:05")
    upload_segment(world, "2026-01-05T10:00")
    upload_segment(world, "2026-01-05T10:05")
    assert world.tick(scheduler) == {"2026-01-05T10:00:00Z": "SUCCESS", "2026-01-05T10:05:00Z": "SUCCESS"}
    assert world.tick(scheduler) == {}
    (first, second) = world.executions(scheduler)
    assert first["CustomerResultObject"] == {
        "Bucket": world.bucket,
        "Key": "out/2026-01-05T10:00:00Z/results.jsonl",
    }
    assert float(second["DataStartTime"]) == at("2026-01-05T10:05")
    assert float(second["DataEndTime"]) == at("2026-01-05T10:10")
    assert world.get(SCHEDULER, scheduler["InferenceSchedulerName"])["nextSegmentEnd"] == at(
        "2026-01-05T10:15"
    )
    text = world.download("out/2026-01-05T10:00:00Z/results.jsonl").decode()
    assert text.endswith("\n")
    assert [eval(line)["timestamp"] for line in text.splitlines()] == [  # noqa: S307 - what AWS's SDK does
        "2026-01-05T10:05:00.000000"
    ]
