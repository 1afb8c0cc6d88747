"""Inference through its real handler on the embedded AWS, with the model that all tests share."""

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.jobs.inference.fill_times import FillTimes
from service.jobs.inference.scheduler_state import StateFile
from service.jobs.storage.keys import state_key
from service.settings import Settings
from service.storage.names import SCHEDULER, executions_of
from service.storage.store import Item
from tests.embedded import EmbeddedAws
from tests.service.jobs import pump
from tests.service.jobs.inference import DAY, MINUTE, metric, results, started, upload
from tests.service.jobs.world import World, at


def test_a_window_gives_one_result_file_and_one_execution(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:10", DataDelayOffsetInMinutes=0)
    upload(world, "10:00")
    upload(world, "10:05")
    assert world.tick(scheduler) == {"2026-01-05T10:05:00Z": "SUCCESS"}
    rows = results(world, "10:05")
    assert [row["timestamp"] for row in rows] == [
        f"2026-01-05T10:{minute:02d}:00.000000" for minute in range(6, 11)
    ]
    assert list(rows[0]) == ["timestamp", "prediction", "prediction_reason", "anomaly_score", "diagnostics"]
    assert [one["name"] for one in rows[0]["diagnostics"]] == list(pump.SENSORS)
    (execution,) = world.executions(scheduler)
    expected = {
        "ModelVersion": 1,
        "DataStartTime": at(DAY + "10:05"),
        "DataEndTime": at(DAY + "10:10"),
        "ScheduledStartTime": at(DAY + "10:10"),
        "Status": "SUCCESS",
        "DataInputConfiguration": scheduler["DataInputConfiguration"],
        "DataOutputConfiguration": scheduler["DataOutputConfiguration"],
        "CustomerResultObject": {"Bucket": world.bucket, "Key": "out/2026-01-05T10:05:00Z/results.jsonl"},
    }
    assert {name: execution[name] for name in expected} == expected
    after = world.get(SCHEDULER, scheduler["InferenceSchedulerName"])
    assert after["inferredUntil"] == at(DAY + "10:10")
    assert after["LatestInferenceResult"] == "NORMAL"


@pytest.mark.parametrize(("first", "rows", "judged"), [("10:06", 6, False), ("09:25", 46, True)])
def test_the_first_window_starts_from_the_rows_before_it(
    world: World, model: Item, first: str, rows: int, *, judged: bool
) -> None:
    scheduler = started(world, model, "10:10")
    upload(world, first, count=rows, name="{component}_20260105100500.csv")
    assert world.tick(scheduler) == {"2026-01-05T10:05:00Z": "SUCCESS"}
    lines = results(world, "10:05")
    assert [line["timestamp"][11:16] for line in lines] == [f"10:{minute:02d}" for minute in range(6, 11)]
    assert (lines[0]["anomaly_score"] > 0) is judged


def test_a_repeated_call_infers_nothing(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05")
    upload(world, "10:00")
    assert len(world.tick(scheduler)) == 1
    (before,) = world.executions(scheduler)
    world.customer.delete_object(Bucket=world.bucket, Key=before["CustomerResultObject"]["Key"])
    assert world.tick(scheduler) == {}
    world.runtime.store.update(  # a crash before the scheduler was moved on
        SCHEDULER, scheduler["InferenceSchedulerName"], {"inferredUntil": scheduler["inferredUntil"]}
    )
    assert world.tick(scheduler) == {"2026-01-05T10:00:00Z": "SUCCESS"}
    assert world.executions(scheduler) == [before]
    listed = world.customer.list_objects_v2(Bucket=world.bucket, Prefix="out/")
    assert listed["KeyCount"] == 0


def test_a_window_that_another_call_holds_is_left_to_it(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05")
    upload(world, "10:00")
    sk = "2026-01-05T10:00:00Z"
    held = {
        "pk": executions_of(scheduler["uuid"]),
        "sk": sk,
        "DataStartTime": int(at(DAY + "10:00")),
        "DataEndTime": int(at(DAY + "10:05")),
        "Status": "IN_PROGRESS",
        "claimedAt": world.now[0],
        "attempts": 1,
    }
    world.runtime.store.create(held)
    assert world.tick(scheduler) == {}
    world.set_clock(DAY + "10:22:00")  # the other call cannot live any more
    assert world.tick(scheduler)[sk] == "SUCCESS"


def test_a_window_that_ends_every_call_is_given_up(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05")
    upload(world, "10:00")
    sk = "2026-01-05T10:00:00Z"
    span = {"DataStartTime": int(at(DAY + "10:00")), "DataEndTime": int(at(DAY + "10:05"))}
    held = {**span, "Status": "IN_PROGRESS", "claimedAt": 0, "attempts": 2}
    world.runtime.store.create({"pk": executions_of(scheduler["uuid"]), "sk": sk, **held})
    assert world.tick(scheduler) == {sk: "FAILED"}
    text = world.executions(scheduler)[0]["FailedReason"]
    assert "was given up: 2 calls of the inference function ended before they were done" in text


def test_missed_windows_are_caught_up_oldest_first(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05", now="10:15:20")
    for start in ("10:00", "10:05", "10:10"):
        upload(world, start)
    assert list(world.tick(scheduler)) == [f"{DAY}{start}:00Z" for start in ("10:00", "10:05", "10:10")]


def test_windows_wait_when_the_function_runs_out_of_time(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05", now="10:15:20")
    upload(world, "10:00", count=16)
    assert len(world.tick(scheduler, seconds_left=60)) == 1
    assert len(world.tick(scheduler)) == 2


def test_windows_missed_for_too_long_are_one_failed_execution(
    jobs_aws: EmbeddedAws, world: World, model: Item, caplog: pytest.LogCaptureFixture
) -> None:
    world.settings(inference_catch_up_hours=0.25)
    scheduler = started(world, model, "10:05", now="11:57:00")
    upload(world, "11:40", count=11)
    upload(world, "11:50")
    with caplog.at_level(logging.INFO, "service.jobs"):
        done = world.tick(scheduler)
    assert done == {
        f"{DAY}10:00:00Z": "FAILED",
        **{f"{DAY}{start}:00Z": "SUCCESS" for start in ("11:40", "11:45", "11:50")},
    }
    missed = world.executions(scheduler)[0]
    assert (missed["DataStartTime"], missed["DataEndTime"]) == (at(DAY + "10:00"), at(DAY + "11:40"))
    assert missed["ScheduledStartTime"] == at(DAY + "11:40")
    assert missed["FailedReason"].startswith(
        "20 windows were missed: nothing inferred the rows of (2026-01-05T10:00:00Z, 2026-01-05T11:40:00Z] "
        "within the 0.25 hours (setting 'inference_catch_up_hours')"
    )
    assert metric(jobs_aws, scheduler, "InferenceMissed") == [20.0]
    assert metric(jobs_aws, scheduler, "InferenceFailed") == [1.0]
    assert any(json.loads(line.getMessage())["message"] == "windows missed" for line in caplog.records)


@pytest.mark.parametrize("state", ["STOPPED", "STOPPING"])
def test_a_stopped_scheduler_does_nothing(world: World, model: Item, state: str) -> None:
    scheduler = started(world, model, "10:05", Status=state)
    upload(world, "10:00")
    assert world.tick(scheduler) == {}
    assert world.executions(scheduler) == []


def test_a_wake_for_a_deleted_scheduler_does_nothing(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05")
    assert world.tick({**scheduler, "uuid": "another"}) == {}
    assert world.tick({**scheduler, "InferenceSchedulerName": "another"}) == {}


def test_the_delay_and_the_time_zone_of_file_names(world: World, model: Item) -> None:
    scheduler = started(
        world,
        model,
        "13:00",
        now="13:04:59",
        DataUploadFrequency="PT15M",
        DataDelayOffsetInMinutes=5,
        DataInputConfiguration={
            "S3InputConfiguration": {"Bucket": world.bucket, "Prefix": "in/"},
            "InputTimeZoneOffset": "+05:30",
            "InferenceInputNameConfiguration": {
                "TimestampFormat": "yyyy-MM-dd-HH-mm-ss",
                "ComponentTimestampDelimiter": "-",
            },
        },
    )
    upload(world, "12:45", count=16, name="{component}-2026-01-05-18-15-00.csv")
    assert world.tick(scheduler) == {}
    world.set_clock(DAY + "13:05")
    assert world.tick(scheduler) == {"2026-01-05T12:45:00Z": "SUCCESS"}
    assert len(results(world, "12:45")) == 15
    (execution,) = world.executions(scheduler)
    assert execution["ScheduledStartTime"] == at(DAY + "13:05")


def test_names_with_seconds_since_1970(world: World, model: Item) -> None:
    scheduler = started(
        world,
        model,
        "10:05",
        DataInputConfiguration={
            "S3InputConfiguration": {"Bucket": world.bucket, "Prefix": "in/"},
            "InputTimeZoneOffset": "-11:00",
            "InferenceInputNameConfiguration": {
                "TimestampFormat": "EPOCH",
                "ComponentTimestampDelimiter": " ",
            },
        },
    )
    upload(world, "10:00", name=f"{{component}} {int(at(DAY + '10:00'))}.csv")
    assert world.tick(scheduler) == {"2026-01-05T10:00:00Z": "SUCCESS"}


def test_the_later_file_wins(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05")
    upload(world, "10:00", faults=((DAY + "10:01", DAY + "11:00"),))
    upload(world, "10:01", count=5)
    world.tick(scheduler)
    assert [row["prediction"] for row in results(world, "10:00")] == [0] * 5


def test_rows_are_resampled_to_right_edges(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05")
    upload(world, "10:00:30", count=4)
    world.tick(scheduler)
    stamps = [row["timestamp"][11:19] for row in results(world, "10:00")]
    assert stamps == ["10:01:00", "10:02:00", "10:03:00", "10:04:00"]


def test_a_machine_that_is_off(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05")
    upload(world, "10:00", stops=((DAY + "09:00", DAY + "10:03"),))
    world.tick(scheduler)
    rows = results(world, "10:00")
    assert [row["prediction_reason"] == "MACHINE_OFF" for row in rows] == [True, True, True, False, False]
    assert list(rows[0]) == ["timestamp", "prediction", "prediction_reason"]


def test_an_event_goes_on_across_executions(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05", now="10:25:20")
    for start in ("10:00", "10:05", "10:10", "10:15", "10:20"):
        upload(world, start, faults=((DAY + "10:03", DAY + "10:17"),))
    assert set(world.tick(scheduler).values()) == {"SUCCESS"}
    anomalous = [
        row
        for start in ("10:00", "10:05", "10:10", "10:15", "10:20")
        for row in results(world, start)
        if row["prediction"]
    ]
    assert len(anomalous) >= 10
    (event,) = world.events(scheduler)
    assert (
        datetime.fromtimestamp(float(event["EventStartTime"]), UTC).isoformat()[:19]
        == anomalous[0]["timestamp"][:19]
    )
    assert (
        datetime.fromtimestamp(float(event["EventEndTime"]), UTC).isoformat()[:19]
        == anomalous[-1]["timestamp"][:19]
    )
    assert event["EventDurationInSeconds"] == event["EventEndTime"] - event["EventStartTime"]
    assert event["InferenceSchedulerArn"] == scheduler["InferenceSchedulerArn"]
    diagnostics = json.loads(event["Diagnostics"])
    assert [one["name"] for one in diagnostics] == list(pump.SENSORS)
    for place, one in enumerate(diagnostics):
        shares = [row["diagnostics"][place]["value"] for row in anomalous]
        assert one["value"] == pytest.approx(sum(shares) / len(shares), abs=2e-5)


def test_the_newest_window_decides_the_latest_result(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05")
    upload(world, "10:00", faults=((DAY + "09:00", DAY + "11:00"),))
    world.tick(scheduler)
    assert world.get(SCHEDULER, scheduler["InferenceSchedulerName"])["LatestInferenceResult"] == "ANOMALOUS"


def test_the_last_value_of_a_silent_sensor_is_remembered_for_a_day(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05", now="10:10:20")
    upload(world, "10:00")
    upload(world, "10:05", components=("drive",))
    data = list(pump.history(DAY + "10:06", count=5, step=MINUTE))
    blank = "Timestamp,flow,pressure\n" + "".join(
        f"{one.time.isoformat()},,{one.pressure:.3f}\n" for one in data
    )
    world.upload("in/hydraulics_20260105100600.csv", blank)
    assert set(world.tick(scheduler).values()) == {"SUCCESS"}
    memory = StateFile(service_bucket=world.runtime.service_bucket, scheduler=scheduler["uuid"]).before(
        int(at(DAY + "10:10"))
    )
    assert memory is not None
    assert memory.carry["hydraulics\\flow"][1] == at(DAY + "10:05")
    assert memory.carry["hydraulics\\pressure"][1] == at(DAY + "10:10")
    after_a_day = FillTimes.of(Settings(), {}).recent(memory.carry, at=at(DAY + "10:06") + 86_400)
    assert "hydraulics\\flow" not in after_a_day


def test_a_window_inferred_again_gives_the_same_result(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05", now="10:10:20")
    upload(world, "10:00", count=11)
    world.tick(scheduler)
    key = "out/2026-01-05T10:05:00Z/results.jsonl"
    first = world.download(key)
    execution = world.executions(scheduler)[-1]
    world.runtime.store.update(execution["pk"], execution["sk"], {"Status": "IN_PROGRESS", "claimedAt": 0})
    world.runtime.store.update(
        SCHEDULER, scheduler["InferenceSchedulerName"], {"inferredUntil": int(at(DAY + "10:05"))}
    )
    world.customer.delete_object(Bucket=world.bucket, Key=key)
    assert world.tick(scheduler) == {"2026-01-05T10:05:00Z": "SUCCESS"}
    assert world.download(key) == first


def test_metrics_of_executions(jobs_aws: EmbeddedAws, world: World, model: Item) -> None:
    good = started(world, model, "10:05")
    upload(world, "10:00", faults=((DAY + "09:00", DAY + "11:00"),))
    world.tick(good)
    names = (
        "InferenceSucceeded",
        "InferenceFailed",
        "InferenceInvalidInput",
        "AnomalyDetected",
        "InferenceWarning",
        "LevelMoved",
        "FaultBegan",
    )
    assert [metric(jobs_aws, good, name) for name in names] == [[1.0], [], [], [1.0], [1.0], [], []]
    bad = started(world, model, "12:05")
    world.tick(bad)
    assert [metric(jobs_aws, bad, name) for name in names] == [[0.0], [1.0], [1.0], [], [], [], []]


def test_stopping_during_a_window_lets_it_finish(
    world: World, model: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = started(world, model, "10:05", now="10:15:20")
    upload(world, "10:00", count=16)
    put = world.runtime.cloudwatch.put_metric_data

    def stop(**request: Any) -> Any:
        world.runtime.store.update(SCHEDULER, scheduler["InferenceSchedulerName"], {"Status": "STOPPING"})
        return put(**request)

    monkeypatch.setattr(world.runtime.cloudwatch, "put_metric_data", stop)
    assert world.tick(scheduler) == {"2026-01-05T10:00:00Z": "SUCCESS"}


def test_everything_is_encrypted_with_the_keys_asked_for(
    jobs_aws: EmbeddedAws, world: World, model: Item
) -> None:
    """Columns and models with the key of their resource, results with the key of the output."""
    own, output = (
        jobs_aws.client("kms").create_key(Description=name)["KeyMetadata"]["Arn"]
        for name in ("own", "output")
    )
    data = list(pump.history("2020-01-01", count=16 * 96, step=timedelta(minutes=15)))
    world.upload("train/drive/1.csv", pump.drive(data))
    world.upload("train/hydraulics/1.csv", pump.hydraulics(data))
    dataset = world.dataset(pump.SCHEMA, ServerSideKmsKeyId=own)
    world.ingest(dataset, prefix="train/")
    secret = world.model(dataset, pump.SCHEMA, ServerSideKmsKeyId=own)
    target = {"S3OutputConfiguration": {"Bucket": world.bucket, "Prefix": "out/"}, "KmsKeyId": output}
    scheduler = started(world, secret, "10:05", ServerSideKmsKeyId=own, DataOutputConfiguration=target)
    upload(world, "10:00")
    world.tick(scheduler)

    def keys(bucket: str, prefix: str) -> set[str | None]:
        found = world.runtime.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
        heads = [world.runtime.s3.head_object(Bucket=bucket, Key=one["Key"]) for one in found]
        return {head.get("SSEKMSKeyId") for head in heads}

    for prefix in (f"datasets/{dataset['uuid']}/", f"models/{secret['uuid']}/", state_key(scheduler["uuid"])):
        assert keys(world.runtime.bucket, prefix) == {own}
    assert keys(world.bucket, "out/") == {output}
