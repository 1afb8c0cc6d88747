"""The owner's choice about slow faults reaches the detectors of all jobs."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from engine import LevelMoved
from service.clock import iso_seconds
from service.jobs.inference.active_model import ActiveModel
from service.jobs.inference.event_records import mark_moved_levels
from service.jobs.inference.event_tracking import InferenceEvent, event_members
from service.members.adaptation_tag import ADAPTATION_TAG
from service.settings import Settings
from service.storage.names import MODEL, events_of, new_uuid
from service.storage.store import Create, Item
from tests.embedded import EmbeddedAws
from tests.service.jobs import pump
from tests.service.jobs.bus import Bus
from tests.service.jobs.inference import DAY, MINUTE, metric, started
from tests.service.jobs.world import World


@pytest.mark.parametrize(
    ("setting", "tags", "expected"),
    [
        ("auto", {}, "auto"),
        ("hold", {}, "hold"),
        ("follow", {"site": "north"}, "follow"),
        ("auto", {ADAPTATION_TAG: "hold"}, "hold"),
        ("hold", {ADAPTATION_TAG: "follow"}, "follow"),
        ("follow", {ADAPTATION_TAG: "auto"}, "auto"),
    ],
)
def test_takes_effect_without_training(
    world: World, model: Item, setting: str, tags: dict[str, str], expected: str
) -> None:
    world.settings(adaptation=setting)
    scheduler = {"ModelName": model["ModelName"], "modelUuid": model["uuid"]}
    active = ActiveModel.load(world.runtime, {**model, "tags": tags}, scheduler)
    assert active.detector.adaptation == expected


def test_another_choice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"adaptation is 'never': use one of auto, hold, follow"):
        Settings.from_json('{"adaptation": "never"}')


@pytest.fixture
def follows(world: World, model: Item) -> Iterator[None]:
    """The model that all tests share follows levels, as long as a test needs it."""
    world.runtime.store.update(MODEL, model["ModelName"], {"tags": {ADAPTATION_TAG: "follow"}})
    yield
    world.runtime.store.update(MODEL, model["ModelName"], {}, remove=["tags"])


@pytest.mark.usefixtures("follows")
def test_a_level_that_is_taken_over_is_told_once(
    jobs_aws: EmbeddedAws, world: World, model: Item, bus: Bus
) -> None:
    """Under `follow`, flow that reads high for good is an anomaly for hours, and then an event of its own."""
    hours = 22
    data = [
        replace(row, flow=row.flow + (0 if index < 120 else 1.2))
        for index, row in enumerate(pump.history(DAY + "00:00", count=60 * hours, step=MINUTE))
    ]
    for hour in range(hours):
        part = data[60 * hour : 60 * (hour + 1) + 1]
        name = f"{part[0].time:%Y%m%d%H%M%S}.csv"
        world.upload(f"in/drive_{name}", pump.drive(part))
        world.upload(f"in/hydraulics_{name}", pump.hydraulics(part))
    scheduler = started(world, model, "01:00", now="22:00:20", DataUploadFrequency="PT1H")
    assert set(world.tick(scheduler).values()) == {"SUCCESS"}
    (told,) = [
        notice
        for execution in world.executions(scheduler)
        for notice in execution.get("notices", ())
        if notice["kind"] == "level-moved"
    ]
    assert told["sensor"] == "hydraulics\\flow"
    assert metric(jobs_aws, scheduler, "LevelMoved") == [1.0]
    assert metric(jobs_aws, scheduler, "InferenceWarning") == [1.0], "of the start, not of the level"

    assert bus.kinds == ["Anomaly Began", "Level Moved"]
    (level,) = bus.details("Level Moved")
    assert (level["Sensor"], level["InferenceSchedulerArn"]) == (
        "hydraulics\\flow",
        scheduler["InferenceSchedulerArn"],
    )
    assert (
        f"reads about {level['Reads']:.4g} where the other sensors say {level['Expected']:.4g}"
        in told["text"]
    )
    assert level["LevelMovedSince"] in told["text"]

    events = world.events(scheduler)
    assert events[0]["EventEndTime"] - events[0]["EventStartTime"] > 10 * 3600
    ((event, moved),) = [(event, each) for event in events if (each := moved_levels(event))]
    assert list(moved) == ["hydraulics\\flow"]
    assert moved["hydraulics\\flow"] in told["text"]
    assert iso_seconds(event["EventStartTime"]) < moved["hydraulics\\flow"]
    assert event is events[0] or '"fault_since"' in event["Diagnostics"], "of the fault that the level was"


def moved_levels(event: Item) -> dict[str, str]:
    """Return since when which levels count no more, by the diagnostics of an event."""
    shares = json.loads(event["Diagnostics"])
    return {each["name"]: each["level_moved_since"] for each in shares if "level_moved_since" in each}


@pytest.mark.parametrize(
    ("hours", "marked"),
    [(0.5, True), (1.5, True), (6.9, True), (7.1, False)],
    ids=["within", "soon after", "at last", "too late"],
)
def test_an_event_that_a_moved_level_may_have_ended_says_so(
    world: World, hours: float, *, marked: bool
) -> None:
    """A level is taken over little by little, so the alarm may be over when it counts no more."""
    begin, scheduler = datetime(2026, 1, 5), {"uuid": new_uuid()}  # noqa: DTZ001 - naive UTC
    event = InferenceEvent(start=begin, end=begin + timedelta(hours=1), rows=60, sums=(0.25, 0.75))
    members = event_members(event, sensors=("speed", "flow"), step=MINUTE, fault=None)
    key = {"pk": events_of(scheduler["uuid"]), "sk": iso_seconds(members["EventStartTime"])}
    since = np.datetime64(begin + timedelta(hours=hours), "us")
    moved = LevelMoved(sensor="flow", since=since, expected=1.0, reads=2.0)
    (write,) = mark_moved_levels(world.runtime, scheduler, [Create({**key, **members})], [moved])
    assert isinstance(write, Create)
    assert list(moved_levels(write.item)) == (["flow"] if marked else [])
