"""What jobs tell others on the event bus: once for each thing that happens, and nothing when all is well."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from service.jobs import ingest, train
from service.storage.names import INGESTION_JOB, MODEL, versions_of
from service.storage.store import Item
from tests.embedded import EmbeddedAws
from tests.service.counted import CountedCalls, counted_calls
from tests.service.jobs import pump
from tests.service.jobs.boundary import Execution, Plant, States
from tests.service.jobs.bus import Bus
from tests.service.jobs.inference import DAY, MINUTE, metric_sum, reason, started, upload
from tests.service.jobs.plant import Plant as ImportingPlant
from tests.service.jobs.test_job_faults import day_of, hour, infer, watched
from tests.service.jobs.world import World


def named(scheduler: Item) -> dict[str, Any]:
    members = ("InferenceSchedulerName", "InferenceSchedulerArn", "ModelName", "ModelArn")
    return {name: scheduler[name] for name in members}


def test_a_quiet_window_tells_nothing(world: World, model: Item, bus: Bus) -> None:
    scheduler = started(world, model, "10:05")
    upload(world, "10:00")
    assert set(world.tick(scheduler).values()) == {"SUCCESS"}
    assert bus.entries == []


def test_a_fault_that_shows_by_day_only_begins_and_ends_once(world: World, model: Item, bus: Bus) -> None:
    scheduler = watched(world, model)
    for day in range(3):
        hour(world, scheduler, day)
    assert bus.kinds == ["Anomaly Began"]
    hour(world, scheduler, 4, minutes=0)
    assert bus.kinds == ["Anomaly Began"], "it may go on yet"
    hour(world, scheduler, 5, minutes=0)
    hour(world, scheduler, 6, minutes=0)
    assert bus.kinds == ["Anomaly Began", "Anomaly Ended"]
    (began,), (ended,) = bus.details("Anomaly Began"), bus.details("Anomaly Ended")
    assert bus.entries[0]["Resources"] == [scheduler["InferenceSchedulerArn"], scheduler["ModelArn"]]
    assert began.items() >= {**named(scheduler), "ModelVersion": 1}.items()
    assert began["FaultSince"] == ended["FaultSince"]
    assert began["FaultSince"].startswith(day_of(0))
    assert ended["FaultUntil"] == day_of(2) + "11:00:00Z"
    assert began["Diagnostics"][0]["name"] == "hydraulics\\flow"
    shares = [each["value"] for each in began["Diagnostics"]]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1, abs=1e-3)
    (event, *_) = world.events(scheduler)
    assert began["Summary"] == event["summary"]


def test_a_window_that_is_inferred_again_tells_the_same(world: World, model: Item, bus: Bus) -> None:
    scheduler = watched(world, model)
    hour(world, scheduler, 0)
    world.runtime.service_bucket.delete_prefix(f"schedulers/{scheduler['uuid']}/")
    for execution in world.executions(scheduler):
        world.runtime.store.delete(execution["pk"], execution["sk"])
    assert infer(world, scheduler, day_of(0) + "10:00") == {"SUCCESS"}
    assert bus.kinds == ["Anomaly Began"] * 2
    first, again = bus.details("Anomaly Began")
    assert first == again


def test_an_execution_that_fails(world: World, model: Item, bus: Bus) -> None:
    scheduler = started(world, model, "10:05")
    why = reason(world, scheduler, "10:00")
    assert bus.kinds == ["Inference Execution Failed"]
    (detail,) = bus.details("Inference Execution Failed")
    assert detail.pop("DeduplicationId")
    assert detail == {
        **named(scheduler),
        "DataStartTime": f"{DAY}10:00:00Z",
        "DataEndTime": f"{DAY}10:05:00Z",
        "Status": "FAILED",
        "FailedReason": why,
    }


def test_windows_that_are_missed(world: World, model: Item, bus: Bus) -> None:
    scheduler = world.scheduler(model, first_end="2026-01-03T10:05")
    world.set_clock(DAY + "10:00:20")
    world.tick(scheduler, seconds_left=0)
    assert bus.kinds == ["Inference Windows Missed"]
    (detail,) = bus.details("Inference Windows Missed")
    (missed,) = (each for each in world.executions(scheduler) if "missed" in each["FailedReason"])
    assert detail["FailedReason"] == missed["FailedReason"]
    assert f"{detail['Windows']} windows were missed" in detail["FailedReason"]
    assert detail["DataStartTime"] == "2026-01-03T10:00:00Z"


def test_events_that_cannot_be_sent_are_counted_and_fail_nothing(
    jobs_aws: EmbeddedAws, world: World, model: Item
) -> None:
    error = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "PutEvents")
    world.runtime = replace(world.runtime, events=Mock(put_events=Mock(side_effect=error)))
    before = not_sent(jobs_aws)
    scheduler = watched(world, model)
    hour(world, scheduler, 0)
    assert not_sent(jobs_aws) == before + 1


def test_an_ingestion_tells_its_end_each_time_that_it_runs(world: World, bus: Bus) -> None:
    data = list(pump.history("2020-01-01", count=60, step=MINUTE))
    world.upload("train/drive/data.csv", pump.drive(data))
    world.upload("train/hydraulics/data.csv", pump.hydraulics(data))
    dataset = world.dataset(pump.SCHEMA)
    job = world.ingest(dataset, prefix="train/")
    ingest.run(world.runtime, {"Step": "finish", "JobId": job["JobId"]})
    assert bus.kinds == ["Ingestion State Change"] * 2
    first, again = bus.details("Ingestion State Change")
    assert first == again
    assert (
        first.items()
        >= {
            "JobId": job["JobId"],
            "DatasetName": dataset["DatasetName"],
            "DatasetArn": dataset["DatasetArn"],
            "Status": "SUCCESS",
        }.items()
    )
    assert world.get(INGESTION_JOB, job["JobId"])["Status"] == "SUCCESS"


def test_a_training_tells_its_end_each_time_that_it_runs(world: World, model: Item, bus: Bus) -> None:
    event = {"Step": "train", "ModelName": model["ModelName"], "ModelVersion": 1}
    for _ in range(2):
        train.run(world.runtime, event)
    assert bus.kinds == ["Model Version State Change"] * 2
    first, again = bus.details("Model Version State Change")
    assert first == again
    version = world.get(versions_of(model["uuid"]), "0000000001")
    assert first.items() >= {"ModelName": model["ModelName"], "ModelVersion": 1, "Status": "SUCCESS"}.items()
    assert first["ModelQuality"] == version["ModelQuality"]
    assert world.get(MODEL, model["ModelName"])["ModelArn"] == first["ModelArn"]


def test_imports_tell_their_ends(plant: ImportingPlant, source: Item, target: Item) -> None:
    begun = plant.import_version(source, target)
    with counted_calls() as counted:
        plant.play(plant.start(target, "another", ClientToken="v"))
        plant.play_version(begun)
        plant.world.runtime.service_bucket.delete_prefix(f"models/{source['uuid']}/")
        plant.play_version(plant.import_version(source, target, ModelName="triplet", ClientToken="u"))
    details = told(counted)
    assert len(details) == 3
    dataset, version, failed = details
    assert dataset["DatasetName"] == "another"
    assert dataset["SourceDatasetArn"] == target["DatasetArn"]
    assert (version["ModelName"], version["SourceType"], version["Status"]) == ("twin", "IMPORT", "SUCCESS")
    assert version["SourceModelVersionArn"] == source["ModelVersionArn"]
    assert (failed["ModelName"], failed["Status"]) == ("triplet", "FAILED")
    assert failed["FailedReason"]


def told(counted: CountedCalls) -> list[dict[str, Any]]:
    """The details of the events that were sent."""
    sent = [call.request["Entries"] for call in counted.calls if call.operation == "PutEvents"]
    return [json.loads(entry["Detail"]) for entries in sent for entry in entries]


ENDS: Mapping[str, Callable[[Plant], Any]] = {
    "ingestion": lambda plant: (plant.create_dataset(), plant.start_ingestion()),
    "training": lambda plant: (plant.ingested(), plant.create_model()),
}
TELLERS: Mapping[str, Callable[[Plant, Execution], None]] = {
    "event": lambda plant, execution: plant.tell(execution),
    "hour": lambda plant, _: (plant.wait(1), plant.hourly())[0],
}


@pytest.mark.parametrize("teller", TELLERS)
@pytest.mark.parametrize("work", ENDS)
def test_the_reconciler_tells_the_ends_that_jobs_cannot(
    jobs_aws: EmbeddedAws, world: World, states: States, work: str, teller: str
) -> None:
    plant = Plant.maker(jobs_aws, world, states)()
    ENDS[work](plant)
    execution = plant.only_running()
    execution.end("ABORTED", Cause="by hand")
    with counted_calls() as counted:
        TELLERS[teller](plant, execution)
        plant.tell(execution)  # also after it was recorded, by whoever recorded it
    details = told(counted)
    assert len(details) > 1
    assert details == [details[0]] * len(details)
    detail = details[0]
    assert detail["Status"] == "FAILED"
    assert ("JobId" in detail, "ModelVersion" in detail) == (work == "ingestion", work == "training")
    assert "was stopped" in detail["FailedReason"]


def not_sent(aws: EmbeddedAws) -> float:
    """How many events could not be sent so far."""
    return sum(metric_sum(aws, "EventsNotSent"))
