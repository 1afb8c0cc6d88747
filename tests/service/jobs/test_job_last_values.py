"""Sensors that report when they change: their last value is carried from wherever it was last seen."""

import json
import random
from collections.abc import Sequence

import numpy as np
import pytest

from engine import FillLimits
from service.jobs.inference.fill_times import FillTimes
from service.jobs.inference.known_values import newer
from service.jobs.inference.scheduler_state import SchedulerState, StateFile
from service.jobs.storage.keys import state_key
from service.settings import Settings
from service.storage.names import SCHEDULER, executions_of
from service.storage.store import Item
from tests.service.jobs import pump
from tests.service.jobs.inference import DAY, MINUTE, reason, results, started, upload
from tests.service.jobs.world import World, at

STARTS = ("10:00", "10:05", "10:10", "10:15", "10:20", "10:25")


def hydraulics(
    world: World,
    start: str,
    *,
    flow: str | None = None,
    pressure: str | None = None,
    columns: Sequence[str] = ("flow", "pressure"),
    count: int = 5,
) -> None:
    """Upload the rows after `start` with the end of the window; a text replaces the values of a sensor."""
    lines = [",".join(("Timestamp", *columns))]
    begin = int(at(DAY + start)) // 60 + 1
    for one in pump.history(DAY + start, count=count + 1, step=MINUTE, seed=begin):
        cells = {
            "flow": f"{one.flow:.3f}" if flow is None else flow,
            "pressure": f"{one.pressure:.3f}" if pressure is None else pressure,
        }
        if one.time.isoformat() > f"{DAY}{start}:00":
            lines.append(",".join([one.time.isoformat(), *(cells[name] for name in columns)]))
    stamp = start.replace(":", "")
    world.upload(f"in/hydraulics_20260105{stamp}00.csv", "\n".join(lines) + "\n")


def states(world: World, scheduler: Item) -> StateFile:
    return StateFile(service_bucket=world.runtime.service_bucket, scheduler=scheduler["uuid"])


def test_a_value_in_earlier_rows_of_the_files_stands_in(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:10", now="10:20:20")
    for start in ("10:00", "10:05", "10:10", "10:15"):
        upload(world, start, components=("drive",))
        hydraulics(world, start, flow=None if start == "10:00" else "")
    done = world.tick(scheduler)
    assert done == {f"{DAY}{start}:00Z": "SUCCESS" for start in ("10:05", "10:10", "10:15")}
    assert len(results(world, "10:05")) == 5
    after = states(world, scheduler).before(int(at(DAY + "10:20")))
    assert after is not None
    assert after.carry["hydraulics\\flow"][1] == at(DAY + "10:05")


@pytest.mark.parametrize("columns", [("flow", "pressure"), ()], ids=["empty cells", "no column"])
def test_two_sensors_that_report_in_turns_start_a_scheduler(
    world: World, model: Item, columns: Sequence[str]
) -> None:
    """The first window lacks one of them; from then on the one that is silent was seen before."""
    scheduler = started(world, model, "10:05", now="10:25:20")
    for index, start in enumerate(STARTS[:5]):
        upload(world, start, components=("drive",))
        silent, reports = ("flow", "pressure") if index % 2 == 0 else ("pressure", "flow")
        hydraulics(world, start, columns=columns or (reports,), **{silent: ""})
        world.set_clock(f"{DAY}{start[:3]}{int(start[3:]) + 5:02d}:20")
        world.tick(scheduler)
    assert [one["Status"] for one in world.executions(scheduler)] == ["FAILED", *["SUCCESS"] * 4]


def test_a_failed_window_keeps_the_values_of_the_components_that_came(world: World, model: Item) -> None:
    """The first windows fail, because another component has no file."""
    scheduler = started(world, model, "10:05")
    hydraulics(world, "10:00")
    assert list(world.tick(scheduler).values()) == ["FAILED"]
    hydraulics(world, "10:05", flow="")
    world.set_clock(DAY + "10:10:20")
    assert list(world.tick(scheduler).values()) == ["FAILED"]
    failed = states(world, scheduler).before(int(at(DAY + "10:10")))
    assert failed is not None
    assert (failed.detector, failed.version, failed.open) == (None, None, None)
    upload(world, "10:10", components=("drive",))
    hydraulics(world, "10:10", flow="")
    world.customer.delete_object(Bucket=world.bucket, Key="in/hydraulics_20260105100000.csv")
    world.set_clock(DAY + "10:15:20")
    assert list(world.tick(scheduler).values()) == ["SUCCESS"]
    after = states(world, scheduler).before(int(at(DAY + "10:15")))
    assert after is not None
    assert after.carry["hydraulics\\flow"] == failed.carry["hydraulics\\flow"]
    assert after.carry["hydraulics\\flow"][1] == at(DAY + "10:05")


@pytest.mark.parametrize("seed", range(6))
def test_any_sequence_of_silences_and_missing_files(world: World, model: Item, seed: int) -> None:
    """A window succeeds when all files came and every sensor was seen, then or before."""
    chance = random.Random(seed)  # noqa: S311 - test data
    scheduler = started(world, model, "10:05")
    seen: set[str] = set()
    expected: list[str] = []
    for start in STARTS:
        came = {name for name in ("drive", "hydraulics") if chance.random() < 0.9}
        reports = {sensor for sensor in ("flow", "pressure") if chance.random() < 0.4}
        if "drive" in came:
            upload(world, start, components=("drive",))
        if "hydraulics" in came:
            hydraulics(world, start, **{name: "" for name in ("flow", "pressure") if name not in reports})
            seen |= reports
        complete = came == {"drive", "hydraulics"} and seen == {"flow", "pressure"}
        expected.append("SUCCESS" if complete else "FAILED")
        world.set_clock(f"{DAY}{start[:3]}{int(start[3:]) + 5:02d}:20")
        world.tick(scheduler)
    assert [one["Status"] for one in world.executions(scheduler)] == expected


def test_scoring_goes_on_from_the_last_window_that_was_scored(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05", now="10:05:20")
    upload(world, "10:00")
    world.tick(scheduler)
    scored = states(world, scheduler).before(int(at(DAY + "10:05")))
    hydraulics(world, "10:05")
    world.set_clock(DAY + "10:10:20")
    world.customer.delete_object(Bucket=world.bucket, Key="in/drive_20260105100000.csv")
    assert list(world.tick(scheduler).values()) == ["FAILED"]
    failed = states(world, scheduler).before(int(at(DAY + "10:10")))
    assert scored is not None
    assert failed is not None
    assert (failed.end, failed.version, failed.detector) == (at(DAY + "10:10"), 1, scored.detector)
    assert failed.carry["hydraulics\\flow"][1] == at(DAY + "10:10")
    assert failed.carry["drive\\speed"] == scored.carry["drive\\speed"]
    upload(world, "10:10")
    world.set_clock(DAY + "10:15:20")
    assert list(world.tick(scheduler).values()) == ["SUCCESS"]
    execution = world.executions(scheduler)[-1]
    assert "no-state" not in [one["kind"] for one in execution.get("notices", [])]


def test_a_window_inferred_again_does_not_see_what_it_taught(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05", now="10:05:20")
    upload(world, "10:00", components=("drive",))
    hydraulics(world, "10:00", pressure="")
    first = reason(world, scheduler, "10:00")
    pk = executions_of(scheduler["uuid"])
    world.runtime.store.update(pk, f"{DAY}10:00:00Z", {"Status": "IN_PROGRESS", "claimedAt": 0})
    world.runtime.store.update(
        SCHEDULER, scheduler["InferenceSchedulerName"], {"inferredUntil": scheduler["inferredUntil"]}
    )
    assert reason(world, scheduler, "10:00") == first


def test_a_failure_without_any_file_leaves_the_memory_alone(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05", now="10:10:20")
    upload(world, "10:00")
    world.tick(scheduler, seconds_left=1)
    key = state_key(scheduler["uuid"])
    before = world.runtime.s3.get_object(Bucket=world.runtime.bucket, Key=key)["Body"].read()
    for component in ("drive", "hydraulics"):
        world.customer.delete_object(Bucket=world.bucket, Key=f"in/{component}_20260105100000.csv")
    assert list(world.tick(scheduler).values()) == ["FAILED"]
    assert world.runtime.s3.get_object(Bucket=world.runtime.bucket, Key=key)["Body"].read() == before


def test_a_memory_that_cannot_be_written_does_not_hide_why_the_window_failed(
    world: World, model: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr(StateFile, "keep", broken)
    scheduler = started(world, model, "10:05")
    upload(world, "10:00", components=("drive",))
    assert "component 'hydraulics' has no file" in reason(world, scheduler, "10:00")


def test_a_value_from_long_ago_does_not_stand_in(world: World, model: Item) -> None:
    world.settings(inference_fill_hours=0.05)
    upload(world, "10:10", components=("drive",))
    upload(world, "10:05", components=("hydraulics",))
    hydraulics(world, "10:10", flow="")
    assert list(world.tick(started(world, model, "10:15")).values()) == ["SUCCESS"]
    hydraulics(world, "10:05", count=1)
    text = reason(world, started(world, model, "10:15"), "10:10")
    assert "and its last one, of 2026-01-05T10:06:00Z, is too old" in text
    assert text.endswith("or one from the 0.05 hours before: upload files with values for it")


def test_states_of_earlier_releases_are_read(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:10")
    old = [
        {
            "end": int(at(DAY + "10:05")),
            "version": 1,
            "detector": "AAAA",
            "carry": {"hydraulics\\flow": [50.0, at(DAY + "10:05")]},
            "open": None,
        }
    ]
    key = state_key(scheduler["uuid"])
    world.runtime.s3.put_object(Bucket=world.runtime.bucket, Key=key, Body=json.dumps(old).encode())
    found = states(world, scheduler).before(int(at(DAY + "10:05")))
    assert found == SchedulerState(
        end=int(at(DAY + "10:05")),
        version=1,
        detector=b"\0\0\0",
        carry={"hydraulics\\flow": (50.0, at(DAY + "10:05"))},
        open=None,
        faults=None,
        naming=(),
    )


def test_the_newer_value_counts_and_of_equally_old_ones_the_one_read_now() -> None:
    assert newer(
        {"a": (1.0, 10.0), "b": (1.0, 10.0), "c": (1.0, 10.0)}, {"a": (2.0, 10.0), "b": (2.0, 9.0)}
    ) == {
        "a": (2.0, 10.0),
        "b": (1.0, 10.0),
        "c": (1.0, 10.0),
    }


def fill_times(hours: float | None, limits: FillLimits | None = None) -> FillTimes:
    return FillTimes.of(Settings(inference_fill_hours=hours), limits or {})


def test_recent_values() -> None:
    values = {"a": (1.0, 100.0), "b": (2.0, 40.0), "c": (3.0, 151.0)}
    assert fill_times(60 / 3600).recent(values, at=150).keys() == {"a"}
    assert fill_times(50 / 3600).recent(values, at=150) == {"a": values["a"]}
    assert fill_times(None).recent(values, at=150).keys() == {"a", "b"}


def test_the_longer_of_setting_and_pause_decides_which_values_are_recent() -> None:
    values = {"a": (1.0, 0.0), "b": (2.0, 0.0), "c": (3.0, 0.0)}
    limits = {"a": np.timedelta64(5_400, "s"), "b": np.timedelta64(1_800, "s")}
    times = fill_times(1, limits)
    for age, sensors in ((3_600, {"a", "b", "c"}), (3_601, {"a"}), (5_400, {"a"}), (5_401, set())):
        assert times.recent(values, at=age).keys() == sensors
    assert fill_times(None, limits).recent(values, at=5_401).keys() == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("hours", "limits", "sensor", "words"),
    [
        (24, {}, "a", "one from the day before"),
        (24, {}, None, "one from the day before"),
        (0.5, {}, "a", "one from the 0.5 hours before"),
        (None, {"a": 48}, "a", "an earlier one"),
        (24, {"a": 48}, "a", "one from the 48 hours before"),
        (24, {"a": 48}, "b", "one from the day before"),
        (24, {"a": 48}, None, "one from the day before, or from as long before as it usually pauses"),
        (24, {"a": 12}, None, "one from the day before"),
        (12, {"a": 24}, "a", "one from the day before"),
    ],
)
def test_which_earlier_values_stand_in_is_said(
    hours: float | None, limits: dict[str, int], sensor: str | None, words: str
) -> None:
    times = fill_times(hours, {name: np.timedelta64(each, "h") for name, each in limits.items()})
    assert (times.words if sensor is None else times.words_of(sensor)) == words
