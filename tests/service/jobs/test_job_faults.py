"""Events of one fault while inference goes on: since when, how many, how it grew, and when it began."""

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from service.jobs.storage.keys import state_key
from service.storage.names import MODEL, SCHEDULER, artefact_key, version_key, versions_of
from service.storage.store import Item
from tests.embedded import EmbeddedAws
from tests.service.counted import counted_calls
from tests.service.jobs import pump
from tests.service.jobs.inference import MINUTE, metric
from tests.service.jobs.world import World, at


def day_of(number: int) -> str:
    return f"2026-01-{5 + number:02d}T"


def watched(world: World, model: Item, **members: Any) -> Item:
    return world.scheduler(model, first_end=day_of(0) + "11:00", DataUploadFrequency="PT1H", **members)


def hour(
    world: World, scheduler: Item, day: int, *, minutes: int = 45, begin: str = "10:00", **off: float
) -> None:
    """Infer an hour of a day, in the last minutes of which sensors are off; by default Flow reads 10 less."""
    start = day_of(day) + begin
    data = [
        replace(row, **{name: getattr(row, name) + by for name, by in (off or {"flow": -10.0}).items()})
        if index > 60 - minutes
        else row
        for index, row in enumerate(pump.history(start, count=61, step=MINUTE, seed=day + 1))
    ]
    stamp = f"{data[0].time:%Y%m%d%H%M%S}"
    world.upload(f"in/drive_{stamp}.csv", pump.drive(data))
    world.upload(f"in/hydraulics_{stamp}.csv", pump.hydraulics(data))
    assert infer(world, scheduler, start) == {"SUCCESS"}


def infer(world: World, scheduler: Item, start: str) -> set[str]:
    """Infer the hour after `start`, whatever was inferred before; return how it ended."""
    world.runtime.store.update(
        SCHEDULER, scheduler["InferenceSchedulerName"], {"inferredUntil": int(at(start))}
    )
    world.now[0] = datetime.fromtimestamp(at(start) + 3620, UTC)
    return set(world.tick(scheduler).values())


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[list[dict[str, Any]]]:
    """The lines of the log about anomalies."""
    lines: list[dict[str, Any]] = []
    caplog.set_level(logging.INFO, "service.jobs")
    handle = caplog.handler.emit

    def emit(record: logging.LogRecord) -> None:
        if record.name == "service.jobs":
            line = json.loads(record.getMessage())
            if line["message"] == "anomaly":
                lines.append(line)
        handle(record)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(caplog.handler, "emit", emit)
        yield lines


def marks(events: Sequence[Item]) -> list[dict[str, str]]:
    """For each event, since when there is a fault, by the sensor that says so."""
    return [
        {
            each["name"]: each["fault_since"]
            for each in json.loads(event["Diagnostics"])
            if "fault_since" in each
        }
        for event in events
    ]


def since(told: Sequence[Mapping[str, Any]]) -> list[tuple[str, int] | None]:
    """For each line about an anomaly, since when there is a fault, and how many events of it."""
    return [(line["FaultSince"], line["FaultEvents"]) if "FaultSince" in line else None for line in told]


def test_a_fault_that_shows_by_day_only_is_one(
    jobs_aws: EmbeddedAws, world: World, model: Item, told: list[dict[str, Any]]
) -> None:
    scheduler = watched(world, model)
    for day in range(4):
        hour(world, scheduler, day)
    first = told[0]["Start"] + "Z"
    assert since(told) == [(first, count) for count in range(1, 5)]
    assert marks(world.events(scheduler)) == [{}, *[{"hydraulics\\flow": first}] * 3]
    assert metric(jobs_aws, scheduler, "FaultBegan") == [1.0]
    assert metric(jobs_aws, scheduler, "AnomalyDetected") == [4.0]


def test_the_fault_of_another_sensor_is_another(
    jobs_aws: EmbeddedAws, world: World, model: Item, told: list[dict[str, Any]]
) -> None:
    scheduler = watched(world, model)
    hour(world, scheduler, 0)
    hour(world, scheduler, 1, pressure=3.0)
    assert since(told) == [(line["Start"] + "Z", 1) for line in told]
    assert marks(world.events(scheduler)) == [{}, {}]
    assert metric(jobs_aws, scheduler, "FaultBegan") == [2.0]


def test_a_blip_begins_no_fault(
    jobs_aws: EmbeddedAws, world: World, model: Item, told: list[dict[str, Any]]
) -> None:
    scheduler = watched(world, model)
    hour(world, scheduler, 0, minutes=20)
    hour(world, scheduler, 1, minutes=20)
    assert since(told) == [None, None]
    assert len(world.events(scheduler)) == 2
    assert metric(jobs_aws, scheduler, "FaultBegan") == []


def test_an_event_across_windows_is_one_event_of_its_fault(
    jobs_aws: EmbeddedAws, world: World, model: Item, told: list[dict[str, Any]]
) -> None:
    scheduler = watched(world, model)
    hour(world, scheduler, 0, minutes=20)
    hour(world, scheduler, 0, minutes=60, begin="11:00")
    first = told[0]["Start"] + "Z"
    assert since(told) == [None, (first, 1)]
    assert marks(world.events(scheduler)) == [{}]
    assert metric(jobs_aws, scheduler, "FaultBegan") == [1.0]


def test_a_sentence_says_how_a_fault_grew(world: World, model: Item, told: list[dict[str, Any]]) -> None:
    scheduler = watched(world, model)
    hour(world, scheduler, 0, flow=-6.0)
    hour(world, scheduler, 1, flow=-20.0)
    grew = re.search(
        r"; the departure grew from ([\d.]+) to ([\d.]+) since " + re.escape(told[0]["Start"]) + "Z$",
        told[1]["Summary"],
    )
    assert grew is not None
    before, now = map(float, grew.groups())
    assert now > 1.5 * before
    assert "the departure" not in told[0]["Summary"]


def test_a_window_inferred_again_says_the_same(world: World, model: Item, told: list[dict[str, Any]]) -> None:
    scheduler = watched(world, model)
    hour(world, scheduler, 0)
    hour(world, scheduler, 1)
    events = world.events(scheduler)
    state = world.runtime.service_bucket.find(state_key(scheduler["uuid"]))
    execution = world.executions(scheduler)[-1]
    world.runtime.store.update(execution["pk"], execution["sk"], {"Status": "IN_PROGRESS", "claimedAt": 0})
    assert infer(world, scheduler, day_of(1) + "10:00") == {"SUCCESS"}
    assert told[2] == told[1]
    assert world.events(scheduler) == events
    assert world.runtime.service_bucket.find(state_key(scheduler["uuid"])) == state


def test_a_fault_goes_on_after_windows_that_failed(
    jobs_aws: EmbeddedAws, world: World, model: Item, told: list[dict[str, Any]]
) -> None:
    scheduler = watched(world, model)
    hour(world, scheduler, 0)
    assert infer(world, scheduler, day_of(0) + "14:00") == {"FAILED"}
    hour(world, scheduler, 1)
    first = told[0]["Start"] + "Z"
    assert since(told) == [(first, 1), (first, 2)]
    assert metric(jobs_aws, scheduler, "FaultBegan") == [1.0]


@pytest.fixture
def promoted(world: World, model: Item) -> Iterator[Callable[[], None]]:
    """Make a second version of the model that all tests share the active one, as long as a test needs it."""
    key = version_key(2), versions_of(model["uuid"])

    def promote() -> None:
        bucket = world.runtime.service_bucket
        artefact = bucket.find(artefact_key(model["uuid"], 1))
        assert artefact is not None
        bucket.put(artefact_key(model["uuid"], 2), artefact)
        world.runtime.store.create({**world.version(model), "sk": key[0], "ModelVersion": 2})
        world.runtime.store.update(MODEL, model["ModelName"], {"ActiveModelVersion": 2})

    yield promote
    world.runtime.store.update(MODEL, model["ModelName"], {"ActiveModelVersion": 1})
    world.runtime.store.delete(key[1], key[0])


def test_a_fault_goes_on_under_another_version(
    world: World, model: Item, told: list[dict[str, Any]], promoted: Callable[[], None]
) -> None:
    scheduler = watched(world, model)
    hour(world, scheduler, 0)
    promoted()
    hour(world, scheduler, 1)
    first = told[0]["Start"] + "Z"
    assert since(told) == [(first, 1), (first, 2)]


@pytest.mark.parametrize(("member", "value"), [("sensors", list(reversed(pump.SENSORS))), ("step", 300)])
def test_of_other_sensors_or_another_step_begins_another(
    world: World, model: Item, told: list[dict[str, Any]], member: str, value: object
) -> None:
    scheduler = watched(world, model)
    hour(world, scheduler, 0, minutes=60)
    key, bucket = state_key(scheduler["uuid"]), world.runtime.service_bucket
    states = json.loads(bucket.find(key) or b"")
    states[-1]["faults"][member] = value
    bucket.put(key, json.dumps(states).encode())
    hour(world, scheduler, 0, minutes=60, begin="11:00")
    assert [count for _, count in filter(None, since(told))] == [1, 1]
    assert len({line["FaultSince"] for line in told}) == 2
    events = 2 if member == "sensors" else 1
    assert len(world.events(scheduler)) == events


def test_a_state_of_an_earlier_release_goes_on(world: World, model: Item, told: list[dict[str, Any]]) -> None:
    scheduler = watched(world, model)
    hour(world, scheduler, 0, minutes=60)
    key, bucket = state_key(scheduler["uuid"]), world.runtime.service_bucket
    states = json.loads(bucket.find(key) or b"")
    del states[-1]["faults"]
    bucket.put(key, json.dumps(states).encode())
    hour(world, scheduler, 0, minutes=60, begin="11:00")
    assert len(world.events(scheduler)) == 1
    assert since(told)[1] == (day_of(0) + "11:01:00Z", 1), "what the earlier release saw is not known"


def test_a_fault_that_goes_on_costs_no_more_each_time(
    world: World, model: Item, told: list[dict[str, Any]]
) -> None:
    scheduler = watched(world, model)
    calls, sizes = [], []
    for number in range(30):
        with counted_calls() as counted:
            hour(world, scheduler, number // 2, begin="10:00" if number % 2 == 0 else "18:00")
        found = counted.by_operation()
        calls.append((found["GetItem"], found["Query"], found["TransactWriteItems"]))
        sizes.append(len(world.runtime.service_bucket.find(state_key(scheduler["uuid"])) or b""))
    assert set(calls) == {(5, 0, 2)}
    assert max(sizes[2:]) < 1.1 * min(sizes[2:])
    first = told[0]["Start"] + "Z"
    assert since(told)[-1] == (first, 30)
