"""What jobs tell others on the event bus: once for each thing that happens, and nothing when all is well."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from service.event_bus.bus_event import SOURCE
from service.jobs import ingest, train
from service.storage.names import INGESTION_JOB, MODEL, versions_of
from service.storage.store import Item
from tests.embedded import EmbeddedAws
from tests.service.jobs import pump
from tests.service.jobs.inference import DAY, reason, started, upload
from tests.service.jobs.test_job_faults import day_of, hour, infer, watched
from tests.service.jobs.world import World


@dataclass
class Bus:
    """EventBridge of the embedded AWS, and what it accepted."""

    client: Any
    entries: list[Mapping[str, Any]] = field(default_factory=list)

    def put_events(self, **request: Any) -> Any:
        """Send, and keep what is sent."""
        reply = self.client.put_events(**request)
        assert reply["FailedEntryCount"] == 0, reply
        self.entries += request["Entries"]
        return reply

    @property
    def kinds(self) -> list[str]:
        """What happened, in order."""
        return [entry["DetailType"] for entry in self.entries]

    def details(self, kind: str) -> list[dict[str, Any]]:
        """The details of events of a kind."""
        return [json.loads(entry["Detail"]) for entry in self.entries if entry["DetailType"] == kind]


@pytest.fixture
def bus(jobs_aws: EmbeddedAws, world: World) -> Iterator[Bus]:
    found = Bus(client=jobs_aws.shared_client("events"))
    world.runtime = replace(world.runtime, events=found)  # type: ignore[arg-type]
    yield found
    assert {entry["Source"] for entry in found.entries} <= {SOURCE}


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
    told = []
    scheduler = watched(world, model)
    hour(world, scheduler, 0)
    told += bus.details("Anomaly Began")
    world.runtime.service_bucket.delete_prefix(f"schedulers/{scheduler['uuid']}/")
    for execution in world.executions(scheduler):
        world.runtime.store.delete(execution["pk"], execution["sk"])
    assert infer(world, scheduler, day_of(0) + "10:00") == {"SUCCESS"}
    first, again = bus.details("Anomaly Began")
    assert first == again


def test_a_level_that_moves(world: World, model: Item, bus: Bus) -> None:
    scheduler = watched(world, model)
    for number in range(10):
        hour(world, scheduler, 0, minutes=61, begin=f"{10 + number}:00", pressure=0.9)
    levels = bus.details("Level Moved")
    notices = [
        notice["text"]
        for execution in world.executions(scheduler)
        for notice in execution.get("notices", ())
        if notice["kind"] == "level-moved"
    ]
    assert len(levels) == len(notices) > 0
    for level, text in zip(levels, notices, strict=True):
        assert level.items() >= named(scheduler).items()
        assert f"the level of {level['Sensor']} moved" in text
        assert f"reads about {level['Reads']:.4g} where the other sensors say {level['Expected']:.4g}" in text
        assert level["LevelMovedSince"].removesuffix("Z") in text.replace(" ", "T")


def test_an_execution_that_fails(world: World, model: Item, bus: Bus) -> None:
    scheduler = started(world, model, "10:05")
    why = reason(world, scheduler, "10:00")
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
    (detail,) = bus.details("Inference Windows Missed")
    (missed,) = (each for each in world.executions(scheduler) if "missed" in each["FailedReason"])
    assert detail["FailedReason"] == missed["FailedReason"]
    assert f"{detail['Windows']} windows were missed" in detail["FailedReason"]
    assert detail["DataStartTime"] == "2026-01-03T10:00:00Z"


def test_events_that_cannot_be_sent_fail_nothing(world: World, model: Item) -> None:
    world.runtime = replace(world.runtime, events=None)  # type: ignore[arg-type]
    scheduler = started(world, model, "10:05")
    upload(world, "10:00")
    assert set(world.tick(scheduler).values()) == {"SUCCESS"}, "no request is made"


def test_an_ingestion_tells_its_end_each_time_that_it_runs(world: World, bus: Bus) -> None:
    data = list(pump.history("2020-01-01", count=60, step=pump.MINUTE))
    world.upload("train/drive/data.csv", pump.drive(data))
    world.upload("train/hydraulics/data.csv", pump.hydraulics(data))
    dataset = world.dataset(pump.SCHEMA)
    job = world.ingest(dataset, prefix="train/")
    ingest.run(world.runtime, {"Step": "finish", "JobId": job["JobId"]})
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
    first, again = bus.details("Model Version State Change")
    assert first == again
    version = world.get(versions_of(model["uuid"]), "0000000001")
    assert first.items() >= {"ModelName": model["ModelName"], "ModelVersion": 1, "Status": "SUCCESS"}.items()
    assert first["ModelQuality"] == version["ModelQuality"]
    assert world.get(MODEL, model["ModelName"])["ModelArn"] == first["ModelArn"]
