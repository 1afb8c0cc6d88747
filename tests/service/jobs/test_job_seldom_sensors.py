"""A sensor that usually gives a value once a day: its last one stands in for longer than the setting allows.

The model has learned that samples of the flow are 28 hours apart at most, so that one stands in for 56.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import pytest

from service.storage.names import SCHEDULER
from service.storage.store import Item
from tests.service.jobs import pump
from tests.service.jobs.test_job_silent_sensors import FLOW, limit
from tests.service.jobs.world import World, at

HOUR = timedelta(hours=1)
SAMPLE = "2026-01-05T06:00"


def upload(
    world: World,
    first: str,
    last: str,
    *,
    samples: Collection[str] = (),
    components: Collection[str] = ("drive", "hydraulics"),
    without: str | None = None,
    no_flow_column: bool = False,
) -> None:
    """Upload a file for each hour from `first` to `last`, with a flow at the times of samples only.

    `without` is a sensor of `hydraulics` whose cells are empty.
    """
    start = datetime.fromisoformat(first)
    while start < datetime.fromisoformat(last):
        data = list(
            pump.history((start + HOUR / 2).isoformat(), count=2, step=HOUR / 2, seed=start.toordinal())
        )
        text = pump.without_flow(pump.hydraulics(data), lambda _, time: time[:16] in samples)
        rows = [line.split(",") for line in text.splitlines()]
        if without == "pressure":
            rows = [rows[0], *([time, flow, ""] for time, flow, _ in rows[1:])]
        if no_flow_column:
            rows = [[time, pressure] for time, _, pressure in rows]
        files = {"drive": pump.drive(data), "hydraulics": "".join(",".join(row) + "\n" for row in rows)}
        for component in components:
            world.upload(f"in/{component}_{start:%Y%m%d%H%M%S}.csv", files[component])
        start += HOUR


def hourly(world: World, model: Item, first_end: str) -> Item:
    """Return a scheduler that makes up for every window."""
    world.settings(inference_catch_up_hours=None)
    return world.scheduler(model, first_end=first_end, DataUploadFrequency="PT1H")


def infer_between(world: World, scheduler: Item, start: str, end: str) -> list[str]:
    """Infer the windows between two times, as after a stop; return the status of each."""
    world.runtime.store.update(
        SCHEDULER, scheduler["InferenceSchedulerName"], {"inferredUntil": int(at(start))}
    )
    world.set_clock(f"{end}:20")
    return list(world.tick(scheduler).values())


def silent(execution: Item) -> list[Any]:
    """Return the sensors that an execution tells to have no value."""
    return [each["sensor"] for each in execution.get("notices", []) if each["kind"] == "no-values"]


def sampled_once(world: World, model: Item, **parts: Any) -> Item:
    """Return a scheduler that has seen a sample."""
    scheduler = hourly(world, model, SAMPLE)
    upload(world, "2026-01-05T05:00", SAMPLE, samples=[SAMPLE], **parts)
    assert infer_between(world, scheduler, "2026-01-05T05:00", SAMPLE) == ["SUCCESS"]
    return scheduler


def test_training_learns_how_often_samples_are_taken(home: World, sampled_model: Item) -> None:
    assert limit(home, sampled_model, FLOW) == 56 * 60


def test_a_day_without_a_sample_fails_no_execution(world: World, sampled_model: Item) -> None:
    scheduler = hourly(world, sampled_model, SAMPLE)
    samples = [SAMPLE, "2026-01-07T10:00"]
    upload(world, "2026-01-05T05:00", "2026-01-08T00:00", samples=samples)
    done = infer_between(world, scheduler, "2026-01-05T05:00", "2026-01-08T00:00")
    assert done == ["SUCCESS"] * (19 + 24 + 24)
    assert not [each for each in world.executions(scheduler) if silent(each)]


def test_a_sample_that_stays_away_for_longer_than_usual(world: World, sampled_model: Item) -> None:
    """The window in which the limit passes is told, those after it fail."""
    scheduler = sampled_once(world, sampled_model)
    upload(world, "2026-01-07T12:00", "2026-01-07T16:00")
    done = infer_between(world, scheduler, "2026-01-07T13:00", "2026-01-07T16:00")
    assert done == ["SUCCESS", "SUCCESS", "FAILED"]
    _, before, within, after = world.executions(scheduler)
    assert (silent(before), silent(within)) == ([], [FLOW])
    assert after["FailedReason"] == (
        "the input of the window (2026-01-07T15:00:00Z, 2026-01-07T16:00:00Z] cannot be used: sensor "
        f"'{FLOW}' has no value in the 2 rows of the window, and its last one, of 2026-01-05T06:00:00Z, is "
        "too old: it may be 56 hours old at most (of its cells in the files read, 4 empty). Every sensor of "
        "the model needs a value in the window, or one from the day before, or from as long before as it "
        "usually pauses: upload files with values for it"
    )


def test_a_sensor_that_reports_more_often_keeps_the_setting(world: World, sampled_model: Item) -> None:
    scheduler = sampled_once(world, sampled_model)
    upload(world, "2026-01-06T05:00", "2026-01-06T08:00", without="pressure")
    done = infer_between(world, scheduler, "2026-01-06T06:00", "2026-01-06T08:00")
    assert done == ["SUCCESS", "FAILED"]
    _, within, after = world.executions(scheduler)
    assert silent(within) == ["hydraulics\\pressure"]
    assert "is too old: it may be 24 hours old at most" in after["FailedReason"]
    assert FLOW not in after["FailedReason"]


def test_a_sample_in_a_window_that_failed_stands_in(world: World, sampled_model: Item) -> None:
    """Nothing was seen before the first window, and the second has no file of another component."""
    scheduler = hourly(world, sampled_model, "2026-01-05T05:00")
    upload(world, "2026-01-05T04:00", "2026-01-05T05:00")
    upload(world, "2026-01-05T05:00", SAMPLE, samples=[SAMPLE], components=["hydraulics"])
    assert infer_between(world, scheduler, "2026-01-05T04:00", SAMPLE) == ["FAILED", "FAILED"]
    upload(world, "2026-01-07T10:00", "2026-01-07T14:00")
    assert infer_between(world, scheduler, "2026-01-07T10:00", "2026-01-07T14:00") == ["SUCCESS"] * 4


def test_files_without_the_column_of_a_sample(world: World, sampled_model: Item) -> None:
    scheduler = sampled_once(world, sampled_model)
    upload(world, "2026-01-07T12:00", "2026-01-07T13:00", no_flow_column=True)
    assert infer_between(world, scheduler, "2026-01-07T12:00", "2026-01-07T13:00") == ["SUCCESS"]


@pytest.mark.parametrize("partial", [False, True])
def test_an_off_condition_of_a_sample(world: World, sampled_model: Item, *, partial: bool) -> None:
    world.settings(partial_inference=partial)
    scheduler = sampled_once(world, sampled_model)
    upload(world, "2026-01-07T12:00", "2026-01-07T13:00")
    assert infer_between(world, scheduler, "2026-01-07T12:00", "2026-01-07T13:00") == ["SUCCESS"]
    upload(world, "2026-01-07T15:00", "2026-01-07T16:00")
    assert infer_between(world, scheduler, "2026-01-07T15:00", "2026-01-07T16:00") == ["FAILED"]
    reason = world.executions(scheduler)[-1]["FailedReason"]
    assert ("needs a value in the window" in reason) != partial
    assert ("nor one from the 56 hours before: upload a file" in reason) == partial
