"""Training through its real step on the embedded AWS."""

import gzip
import json
import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from service.jobs.training import learn
from service.jobs.training.model_metrics import model_metrics
from service.members.shortening import longest
from service.storage.names import DATASET, MODEL, version_key, versions_of
from service.storage.store import Item
from tests.service.jobs import pump
from tests.service.jobs.meanwhile import ended_before
from tests.service.jobs.world import World, at, rows, schema

EVALUATED = {
    "EvaluationDataStartTime": at("2020-01-18"),
    "EvaluationDataEndTime": at("2020-03-01"),
}


def test_the_model_knows_its_windows_and_its_active_version(model: Item) -> None:
    assert float(model["TrainingDataStartTime"]) == at("2020-01-01")
    assert float(model["TrainingDataEndTime"]) == at("2020-01-18")
    assert float(model["EvaluationDataStartTime"]) == at("2020-01-18")
    assert float(model["EvaluationDataEndTime"]) == at("2020-01-20T23:59")
    assert model["ActiveModelVersion"] == 1
    assert model["ActiveModelVersionArn"] == f"{model['ModelArn']}/model-version/1"
    assert model["TrainingExecutionStartTime"] <= model["TrainingExecutionEndTime"]


def test_the_fault_is_found_and_its_sensors_are_named(home: World, model: Item) -> None:
    metrics = json.loads(home.runtime.service_bucket.get_text(model["metricsKey"]))
    assert metrics["labeled_ranges"] == [
        {"start": "2020-01-19T02:00:00.000000", "end": "2020-01-19T08:00:00.000000"}
    ]
    assert metrics["labeled_event_metrics"]["num_identified"] == 1
    longest = max(
        metrics["predicted_ranges"],
        key=lambda one: datetime.fromisoformat(one["end"]) - datetime.fromisoformat(one["start"]),
    )
    begun = datetime.fromisoformat(longest["start"]) - datetime.fromisoformat(pump.FAULT[0])
    assert timedelta(0) <= begun <= timedelta(minutes=2)  # an alarm opens when two of three rows are out
    diagnostics = longest["diagnostics"]
    assert [one["name"] for one in diagnostics] == list(pump.SENSORS)
    assert sum(one["value"] for one in diagnostics) == pytest.approx(1)
    assert max(diagnostics, key=lambda one: one["value"])["name"] == "hydraulics\\flow"
    measures = metrics["model_version_metrics"]
    assert measures["recall"] == 1
    assert measures["mean_fractional_lead_time"] > 0.9
    assert measures["auc"] > 0.9
    assert model["ModelQuality"] == "QUALITY_THRESHOLD_MET"


def test_version_and_model_end_alike(home: World, model: Item) -> None:
    version = home.version(model)
    for member in (
        "Status",
        "ModelQuality",
        "metricsKey",
        "TrainingDataStartTime",
        "TrainingDataEndTime",
        "EvaluationDataStartTime",
        "EvaluationDataEndTime",
        "TrainingExecutionEndTime",
    ):
        assert version[member] == model[member], member
    assert version["Status"] == "SUCCESS"


def test_metrics_that_are_too_long_are_kept_complete_beside_what_is_shown(
    home: World, dataset: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = []

    def long(*arguments: Any, **more: Any) -> str:
        document = json.loads(model_metrics(*arguments, **more))
        document["predicted_ranges"] *= 1000
        texts.append(json.dumps(document))
        return texts[-1]

    monkeypatch.setattr(learn, "model_metrics", long)
    model = home.model(dataset, pump.SCHEMA, TrainingDataEndTime=at("2020-01-18"), **EVALUATED)
    bucket = home.runtime.service_bucket
    found = json.loads(bucket.get_text(model["metricsKey"]))
    assert len(bucket.get_text(model["metricsKey"])) <= longest()
    complete = f"documents/{model['uuid']}/metrics-1-complete.json"
    assert found["left_out"]["complete_document"] == f"s3://{home.runtime.bucket}/{complete}"
    assert bucket.get_text(complete) == texts[0]
    whole = json.loads(texts[0])["predicted_ranges"]
    assert len(found["predicted_ranges"]) + found["left_out"]["predicted_ranges"] == len(whole)


def test_metrics_that_are_short_enough_are_kept_once(home: World, model: Item) -> None:
    keys = list(home.runtime.service_bucket.keys(f"documents/{model['uuid']}/"))
    assert keys == [f"documents/{model['uuid']}/{name}.json" for name in ("metrics-1", "schema")]


def test_pointwise_diagnostics_cover_the_evaluation(home: World, model: Item) -> None:
    version = home.version(model)
    key = f"diagnostics/{model['ModelName']}/1/model_diagnostics_results.json.gz"
    assert version["ModelDiagnosticsResultsObject"] == {"Bucket": home.bucket, "Key": key}
    for record in (model, version):
        assert record["ModelDiagnosticsOutputConfiguration"]["S3OutputConfiguration"] == {
            "Bucket": home.bucket,
            "Prefix": key,
        }
    lines = [json.loads(line) for line in gzip.decompress(home.download(key)).decode().splitlines()]
    assert lines[0]["timestamp"] == "2020-01-18T00:00:00.000000"
    assert lines[-1]["timestamp"] == "2020-01-20T23:59:00.000000"
    metrics = json.loads(home.runtime.service_bucket.get_text(model["metricsKey"]))
    first = next(line for line in lines if line["prediction"] == 1)
    assert first["timestamp"] == metrics["predicted_ranges"][0]["start"]


def test_training_again_changes_nothing(home: World, model: Item) -> None:
    before = home.version(model)
    home.play_training(model["ModelName"])
    assert home.version(model) == before
    assert home.get(MODEL, model["ModelName"]) == model
    written = home.customer.list_objects_v2(Bucket=home.bucket, Prefix="diagnostics/")["Contents"]
    assert [one["Key"] for one in written] == [before["ModelDiagnosticsResultsObject"]["Key"]]


def test_a_training_that_was_ended_meanwhile_stays_so(
    home: World, dataset: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was given up while it was still at work: its model does not become what it has learned."""
    model = home.model(dataset, pump.SCHEMA, train=False)
    pk, sk = versions_of(model["uuid"]), version_key(1)
    end = {"Status": "FAILED", "FailedReason": "given up"}
    ended_before(monkeypatch, pk, lambda store: store.update(pk, sk, end))
    home.play_training(model["ModelName"])
    version = home.version(model)
    assert {name: version[name] for name in end} == end
    assert home.get(MODEL, model["ModelName"]) == model


def test_without_evaluation_there_are_no_metrics(home: World, dataset: Item) -> None:
    text = schema(drive=("speed",), hydraulics=("flow",))
    model = home.model(dataset, text)
    assert model["Status"] == "SUCCESS", model.get("FailedReason")
    assert model["ModelQuality"] == "CANNOT_DETERMINE_QUALITY"
    assert not model.keys() & {"metricsKey", "EvaluationDataStartTime", "ModelDiagnosticsOutputConfiguration"}
    assert float(model["TrainingDataEndTime"]) == at("2020-01-20T23:59")


def test_a_history_below_what_is_advised_is_told_in_the_log(
    home: World, dataset: Item, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "service.jobs"):
        home.model(dataset, schema(drive=("speed",), hydraulics=("flow",)))
    [line] = [json.loads(text) for text in caplog.messages if "short training history" in text]
    assert (line["ModelVersion"], line["Days"], line["AdvisedDays"]) == (1, 20.0, 180)


def labels(home: World, prefix: str) -> dict[str, object]:
    return {
        "RoleArn": home.role,
        "LabelsInputConfiguration": {"S3InputConfiguration": {"Bucket": home.bucket, "Prefix": prefix}},
    }


def refused(home: World, dataset: Item, **members: object) -> str:
    """The FailedReason of a model that cannot be trained; model and version carry the same."""
    model = home.model(dataset, pump.SCHEMA, **members)
    version = home.version(model)
    assert (model["Status"], version["Status"]) == ("FAILED", "FAILED")
    assert model["FailedReason"] == version["FailedReason"]
    assert "TrainingExecutionEndTime" in version
    assert "ActiveModelVersion" not in model
    return str(model["FailedReason"])


def test_a_window_without_data(home: World, dataset: Item) -> None:
    reason = refused(
        home, dataset, TrainingDataStartTime=at("2021-01-01"), TrainingDataEndTime=at("2021-06-01")
    )
    assert reason == (
        "the training window 2021-01-01T00:00:00Z to 2021-06-01T00:00:00Z has no data: the sensors of the "
        f"model have data in dataset '{dataset['DatasetName']}' from 2020-01-01T00:00:00Z to "
        "2020-01-20T23:59:00Z; choose a training window inside that range, or ingest the missing history"
    )


def test_a_window_that_is_too_short(home: World, dataset: Item) -> None:
    reason = refused(
        home, dataset, TrainingDataStartTime=at("2020-01-10"), TrainingDataEndTime=at("2020-01-12")
    )
    assert "the training window has 2.00 days of data" in reason
    assert "needs at least 14 days" in reason
    assert "lower the setting 'minimum_training_days' of the service" in reason


def test_a_label_file_with_three_columns(home: World, dataset: Item) -> None:
    home.upload("three/faults.csv", "2020-01-21T02:00:00,2020-01-21T08:00:00,impeller\n")
    reason = refused(home, dataset, **labels(home, "three/"))
    assert f"label file 's3://{home.bucket}/three/faults.csv', line 1:" in reason
    assert "'2020-01-21T02:00:00,2020-01-21T08:00:00,impeller' has 3 columns" in reason
    assert "a label file has exactly two: each line is '<start>,<end>', for example" in reason
    assert reason.endswith("correct the file and create the model again")


def test_no_labels_below_the_prefix(home: World, dataset: Item) -> None:
    reason = refused(home, dataset, **labels(home, "nowhere/"))
    assert f"no labels in 's3://{home.bucket}/nowhere/': no file is there" in reason
    assert "Upload label files there, or leave out LabelsInputConfiguration" in reason


def test_labels_that_are_no_text(home: World, dataset: Item) -> None:
    home.upload("binary/faults.xlsx", b"PK\x03\x04\xff\xfe[Content_Types].xml")
    reason = refused(home, dataset, **labels(home, "binary/"))
    assert f"label file 's3://{home.bucket}/binary/faults.xlsx': the file is an Excel workbook" in reason


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        ("drive\\speed <= 100", "with the operator < or >"),
        ("drive\\sped < 100", "unknown sensor 'drive\\sped'"),
    ],
)
def test_a_wrong_off_condition(home: World, dataset: Item, condition: str, problem: str) -> None:
    reason = refused(home, dataset, OffCondition=condition)
    assert reason.startswith(f"OffCondition '{condition}' cannot be used: ")
    assert problem in reason
    assert (
        "Write '<component>\\<sensor> < <number>' or '>', with a sensor of the model such as 'drive\\speed'"
        in reason
    )


def test_a_bucket_that_is_not_there(home: World, dataset: Item) -> None:
    config = {"S3InputConfiguration": {"Bucket": "no-such-bucket-here", "Prefix": "labels/"}}
    reason = refused(home, dataset, RoleArn=home.role, LabelsInputConfiguration=config)
    assert reason.startswith(
        f"cannot list 's3://no-such-bucket-here/labels/' with role '{home.role}': NoSuchBucket: "
    )
    assert reason.endswith("create the bucket or correct its name")


def test_too_many_rows(home: World, dataset: Item, world: World) -> None:
    world.settings(training_rows=1000)
    reason = refused(world, dataset)
    assert "has 28,800 rows, more than the limit of 1,000: choose a coarser TargetSamplingRate" in reason
    assert "raise the setting 'training_rows' of the service" in reason


def test_a_machine_that_is_always_off(home: World, dataset: Item) -> None:
    reason = refused(home, dataset, OffCondition="drive\\speed > 0")
    assert "the training window leaves too little to learn from: 0 normal rows" in reason


def test_a_sensor_without_data(world: World) -> None:
    lines = [(f"2020-01-{day:02d}T00:00:00", day, "") for day in range(1, 31)]
    world.upload("t/m/a.csv", rows(("Timestamp", "speed", "flow"), lines))
    text = schema(m=("speed", "flow"))
    dataset = world.dataset(text)
    job = world.ingest(dataset, prefix="t/")
    assert job["Status"] == "SUCCESS"
    missing = job["DataQualitySummary"]["InsufficientSensorData"]["MissingCompleteSensorData"]
    assert missing == {"AffectedSensorCount": 1}
    model = world.model(world.get(DATASET, dataset["DatasetName"]), text)
    assert model["Status"] == "FAILED"
    assert "sensor 'm\\flow' has no value in " in model["FailedReason"]
    assert "leave that sensor out of the schema of the model" in model["FailedReason"]


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        ("PT1H", "component 'm' has 29 rows in the window (2020-01-31T23:59:59.999999, 2020-02-29T12:00"),
        (None, "sensor 'm\\speed' has no value in the window (2020-01-31T23:59:59.999999, 2020-02-29T12:00"),
    ],
)
def test_a_window_with_rows_but_no_values(world: World, rate: str | None, words: str) -> None:
    first = datetime(2020, 1, 1)  # noqa: DTZ001 - naive UTC
    lines = [
        ((first + timedelta(days=day)).isoformat(), *((day, 2 * day) if day < 31 or day == 60 else ("", "")))
        for day in range(61)
    ]
    world.upload("t/m/a.csv", rows(("Timestamp", "speed", "flow"), lines))
    text = schema(m=("speed", "flow"))
    dataset = world.dataset(text)
    world.ingest(dataset, prefix="t/")
    model = world.model(
        world.get(DATASET, dataset["DatasetName"]),
        text,
        TrainingDataStartTime=at("2020-02-01"),
        TrainingDataEndTime=at("2020-02-29T12:00"),
        **({} if rate is None else {"DataPreProcessingConfiguration": {"TargetSamplingRate": rate}}),
    )
    reason = model["FailedReason"]
    assert words in reason
    assert ("but no value of any sensor in them" if rate else "although it has 29 rows") in reason


def test_more_data_than_memory_is_refused_before_it_is_taken(
    world: World, home: World, dataset: Item
) -> None:
    world.runtime = replace(home.runtime, capacity=replace(home.runtime.capacity, memory=1_285_000_000))
    reason = refused(
        world, dataset, EvaluationDataStartTime=at("2020-01-18"), EvaluationDataEndTime=at("2021-01-01")
    )
    assert reason == (
        "the training window 2020-01-01T00:00:00Z to 2020-01-18T00:00:00Z has 24,481 rows of 4 sensors, "
        "which take 783 KB; of its 1.3 GB of memory the training can give them 417 KB. Choose a coarser "
        "TargetSamplingRate, a shorter training window or fewer sensors, or give trainings more memory: "
        "training_memory or large_jobs of the service"
    )


def test_more_data_than_disk_is_refused_before_it_is_read(world: World, home: World, dataset: Item) -> None:
    world.runtime = replace(home.runtime, capacity=replace(home.runtime.capacity, disk=500_000))
    reason = refused(world, dataset)
    assert "more than the 500 KB of disk that the training has: ingest a shorter history" in reason
