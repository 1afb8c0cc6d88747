"""What executions say about their input: in their record, in the log and as a metric."""

import json
import logging
import re
from datetime import timedelta

import pytest

from service.jobs.inference.scheduler_state import StateFile
from service.jobs.storage.keys import state_key
from service.storage.store import Item
from tests.embedded import EmbeddedAws
from tests.service.jobs import pump
from tests.service.jobs.inference import DAY, metric, reason, results, started, upload
from tests.service.jobs.world import World, at

HOUR = timedelta(hours=1)


def notices(world: World, scheduler: Item) -> list[list[tuple[str, str | None, str]]]:
    """The notices of every execution, oldest first."""
    return [
        [(one["kind"], one.get("sensor"), one["text"]) for one in execution.get("notices", [])]
        for execution in world.executions(scheduler)
    ]


def logged(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, object]]:
    lines = [json.loads(record.message) for record in caplog.records if record.name == "service.jobs"]
    return [line for line in lines if line["message"] == message]


def remembered(world: World, scheduler: Item) -> list[dict[str, object]]:
    body = world.runtime.s3.get_object(Bucket=world.runtime.bucket, Key=state_key(scheduler["uuid"]))["Body"]
    return list(json.loads(body.read()))


def remember(world: World, scheduler: Item, body: bytes) -> None:
    world.runtime.s3.put_object(Bucket=world.runtime.bucket, Key=state_key(scheduler["uuid"]), Body=body)


def test_a_first_window_without_a_past_says_so(
    jobs_aws: EmbeddedAws, world: World, model: Item, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    scheduler = started(world, model, "10:05", now="10:10:20")
    upload(world, "10:01", count=10)
    assert set(world.tick(scheduler).values()) == {"SUCCESS"}
    first, second = notices(world, scheduler)
    ((kind, sensor, text),) = first
    assert (kind, sensor) == ("no-state", None)
    assert text.startswith("no earlier rows to look back on: the first 3 rows are not judged")
    assert second == []
    assert metric(jobs_aws, scheduler, "InferenceWarning") == [1.0]
    lines = logged(caplog, "window inferred")
    assert [line["Notices"] for line in lines] == [[{"kind": kind, "sensor": None, "text": text}], []]


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda kept: b"not json", "the state of the scheduler is damaged (JSONDecodeError: "),
        (lambda kept: b'[{"end": 1}]', "the state of the scheduler is damaged (KeyError: "),
        (lambda kept: b"[7]", "the state of the scheduler is damaged (TypeError: "),
        (lambda kept: json.dumps([{**kept, "detector": "AAAA"}]), "the state does not fit the model ("),
        (lambda kept: json.dumps([{**kept, "version": 9}]), "the state is of version 9 of the model, and "),
    ],
)
def test_a_damaged_or_foreign_state_starts_afresh(world: World, model: Item, spoil, text: str) -> None:  # type: ignore[no-untyped-def]
    scheduler = started(world, model, "10:05", now="10:15:20")
    for start in ("10:00", "10:05", "10:10"):
        upload(world, start)
    assert len(world.tick(scheduler, seconds_left=1)) == 1
    spoiled = spoil(remembered(world, scheduler)[-1])
    remember(world, scheduler, spoiled if isinstance(spoiled, bytes) else spoiled.encode())
    assert set(world.tick(scheduler).values()) == {"SUCCESS"}
    _, second, third = notices(world, scheduler)
    assert second[0][0] == "no-state"
    assert second[0][2].startswith(text)
    assert second[0][2].endswith(": scoring starts afresh")
    assert third == [], "the state is sound again"
    assert len(results(world, "10:05")) == 5


def test_rows_that_came_too_late_are_counted_per_component(world: World, model: Item) -> None:
    """Files that end before their window does: the last row of a window is in the next file."""
    scheduler = started(world, model, "10:05")
    upload(world, "10:01", count=4)
    world.tick(scheduler)
    assert len(results(world, "10:00")) == 4
    world.set_clock(DAY + "10:10:20")
    upload(world, "10:05", count=6, components=("drive",))
    upload(world, "10:06", count=5, components=("hydraulics",))
    world.tick(scheduler)
    ((kind, sensor, text),) = notices(world, scheduler)[1]
    assert (kind, sensor) == ("late-rows", None)
    assert text == (
        "component drive: 1 row after 2026-01-05T10:04:00Z and up to 2026-01-05T10:05:00Z came when its "
        "window was over, not scored: upload files earlier, with all rows of their window, or raise "
        "DataDelayOffsetInMinutes"
    )


def test_a_component_without_file_fails_the_execution_unless_the_service_allows_it(
    jobs_aws: EmbeddedAws, world: World, model: Item
) -> None:
    scheduler = started(world, model, "10:05", now="10:15:20")
    for start in ("10:00", "10:05", "10:10"):
        upload(world, start, components=("drive",))
    upload(world, "10:00", components=("hydraulics",))
    done = world.tick(scheduler)
    assert list(done.values()) == ["SUCCESS", "FAILED", "FAILED"]

    world.settings(partial_inference=True)
    scheduler = started(world, model, "10:05", now="10:15:20")
    assert list(world.tick(scheduler).values()) == ["SUCCESS"] * 3
    for found in notices(world, scheduler)[1:]:
        ((kind, sensor, text),) = found
        assert (kind, sensor) == ("no-values", None)
        since = "component hydraulics has no values since 2026-01-05T10:05:00Z"
        assert text == f"{since}: left out of score and contributions"
    rows = results(world, "10:10")
    assert len(rows) == 5
    assert not any(row["prediction"] for row in rows)
    assert metric(jobs_aws, scheduler, "InferenceWarning") == [3.0]


WINDOW_AFTER = "Timestamp,flow,pressure\n" + "".join(
    f"2026-01-05T10:0{minute}:00,50.{minute},4.{minute}\n" for minute in range(6, 10)
)


SILENT = "has no values since 2026-01-05T10:05:00Z: left out of score and contributions"
"""In the training it had one every minute."""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (WINDOW_AFTER, {}),
        (re.sub(r",4\.\d", ",", WINDOW_AFTER), {"pressure": SILENT}),
        (
            re.sub(r",4\.\d|,pressure", "", WINDOW_AFTER),
            {"pressure": "has no such column, as 'in/hydraulics_20260105100000.csv' has"},
        ),
        (
            WINDOW_AFTER.replace("pressure", "Pressure"),
            {"pressure": "calls its column 'Pressure', and names must match exactly"},
        ),
        (
            WINDOW_AFTER.replace("flow,pressure", "f,p"),
            {"flow": "has no such column, as", "pressure": "has no such column, as"},
        ),
        (
            re.sub(r",4\.\d", ",Bad", WINDOW_AFTER),
            {"pressure": "4 of its cells are not numbers, for example 'Bad' in line 2 of 'in/h"},
        ),
    ],
)
def test_a_value_that_stands_in_for_what_a_file_gets_wrong_is_told(
    world: World, model: Item, text: str, told: dict[str, str]
) -> None:
    scheduler = started(world, model, "10:05", now="10:10:20")
    upload(world, "10:00")
    upload(world, "10:05", components=("drive",))
    world.upload("in/hydraulics_20260105100500.csv", text)
    assert set(world.tick(scheduler).values()) == {"SUCCESS"}
    _, second = notices(world, scheduler)
    found = {sensor: text for kind, sensor, text in second if kind == "no-values"}
    assert found.keys() == {f"hydraulics\\{name}" for name in told}
    for name, words in told.items():
        assert words in found[f"hydraulics\\{name}"]
        stands_in = "Its last value, of 2026-01-05T10:05:00Z, stands in" in found[f"hydraulics\\{name}"]
        assert stands_in == (words != SILENT)


def test_a_sensor_with_files_of_its_own_may_be_in_none(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05", now="10:10:20")
    upload(world, "10:00", components=("drive",))
    upload(world, "10:05", components=("drive",))
    world.upload("in/hydraulics_20260105100000-1.csv", "Timestamp,flow\n2026-01-05T10:01:00,50\n")
    world.upload("in/hydraulics_20260105100000-2.csv", "Timestamp,pressure\n2026-01-05T10:01:00,4\n")
    world.upload("in/hydraulics_20260105100500-1.csv", "Timestamp,flow\n2026-01-05T10:06:00,51\n")
    world.upload("in/hydraulics_20260105100500-3.csv", "Timestamp,other\n2026-01-05T10:06:00,51\n")
    assert set(world.tick(scheduler).values()) == {"SUCCESS"}
    ((kind, sensor, text),) = notices(world, scheduler)[1]
    assert (kind, sensor) == ("no-values", "hydraulics\\pressure")
    assert text == f"{sensor} {SILENT.replace('10:05', '10:01')}"  # nothing is wrong with any header


def test_a_file_that_cannot_be_read_beside_one_that_can(
    jobs_aws: EmbeddedAws, world: World, model: Item, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    scheduler = started(world, model, "10:05")
    upload(world, "09:25", count=41, name="{component}_20260105100000.csv")
    world.upload("in/hydraulics_20260105100100.csv", "Timestamp;flow;pressure\n2026-01-05 10:01:00;1;2\n")
    world.upload("in/hydraulics_20260105100200.csv", "sep=,\nTimestamp,flow\n2026-01-05 10:01:00,50\n")
    assert list(world.tick(scheduler).values()) == ["SUCCESS"]
    (found,) = notices(world, scheduler)
    ((kind, sensor, text),) = found
    assert (kind, sensor) == ("unusable-file", None)
    assert text.startswith("file 'in/hydraulics_20260105100100.csv' was left out: the header (line 1)")
    assert metric(jobs_aws, scheduler, "InferenceWarning") == [1.0]
    (line,) = logged(caplog, "input repaired")
    (what,) = line["What"]  # type: ignore[misc]
    assert what == (
        "'in/hydraulics_20260105100200.csv': a line that names the separator was skipped, first in line 1 "
        "('sep=,')"
    )


def test_a_fault_is_found_without_the_silent_component(world: World, model: Item) -> None:
    """The current no longer follows the speed: two sensors of one component tell, the other is silent."""
    world.settings(partial_inference=True)
    scheduler = started(world, model, "10:05", now="11:00:20")
    data = list(pump.history(DAY + "10:00", count=61, step=timedelta(minutes=1)))
    text = "Timestamp,speed,current\n" + "".join(
        f"{one.time.isoformat()},{one.speed:.3f},{one.current * (1.3 if one.time.minute > 30 else 1):.4f}\n"
        for one in data
    )
    for start in range(0, 60, 5):
        world.upload(f"in/drive_20260105{10}{start:02d}00.csv", text)
    assert set(world.tick(scheduler).values()) == {"SUCCESS"}
    assert not any(row["prediction"] for row in results(world, "10:20"))
    rows = results(world, "10:50")
    assert all(row["prediction"] for row in rows)
    for row in rows:
        shares = {one["name"]: one["value"] for one in row["diagnostics"]}
        assert shares["hydraulics\\flow"] == shares["hydraulics\\pressure"] == 0
    (event,) = world.events(scheduler)
    assert str(event["summary"]).startswith(("current ", "speed "))


def test_without_any_file_partial_inference_fails_too(world: World, model: Item) -> None:
    world.settings(partial_inference=True)
    text = reason(world, started(world, model, "10:05"), "10:00")
    assert "component 'drive' has no file" in text
    assert "component 'hydraulics' has no file" in text


def test_the_sensor_of_the_off_condition_cannot_be_left_out(world: World, model: Item) -> None:
    world.settings(partial_inference=True)
    scheduler = started(world, model, "10:05")
    upload(world, "10:00", components=("hydraulics",))
    assert reason(world, scheduler, "10:00") == (
        "the OffCondition of the model needs 'drive\\speed', which has no value in the window "
        "(2026-01-05T10:00:00Z, 2026-01-05T10:05:00Z] nor one from the day before: upload a file with values "
        "for it"
    )


def test_a_sensor_that_never_came_can_be_left_out(world: World, model: Item) -> None:
    world.settings(partial_inference=True)
    scheduler = started(world, model, "10:05")
    upload(world, "10:00", components=("drive",))
    world.upload("in/hydraulics_20260105100000.csv", "Timestamp,pressure\n2026-01-05T10:01:00,4\n")
    assert world.tick(scheduler) == {"2026-01-05T10:00:00Z": "SUCCESS"}
    kinds = {(kind, sensor) for kind, sensor, _ in notices(world, scheduler)[0]}
    assert ("no-values", "hydraulics\\flow") in kinds


def test_a_new_unit_is_told_and_still_an_anomaly(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05", now="10:30:20")
    data = list(pump.history(DAY + "10:00", count=31, step=timedelta(minutes=1)))
    world.upload("in/drive_20260105100000.csv", pump.drive(data))
    for start in range(0, 30, 5):
        stamp = f"20260105{10}{start:02d}00"
        world.upload(f"in/drive_{stamp}.csv", pump.drive(data))
        text = "Timestamp,flow,pressure\n" + "".join(
            f"{one.time.isoformat()},{one.flow * factor:.4f},{one.pressure:.4f}\n"
            for one, factor in zip(data, [1.0] * 11 + [3.6] * 20, strict=True)
        )
        world.upload(f"in/hydraulics_{stamp}.csv", text)
    assert set(world.tick(scheduler).values()) == {"SUCCESS"}
    ((kind, sensor, text),) = notices(world, scheduler)[-1]
    assert (kind, sensor) == ("unit", "hydraulics\\flow")
    assert text.startswith("hydraulics\\flow reads like its training values times 3.6 (m3/h instead of l/s?)")
    assert all(row["prediction"] for row in results(world, "10:25"))


def test_events_are_logged_with_a_sentence(
    world: World, model: Item, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    scheduler = started(world, model, "10:05", now="10:25:20")
    for start in ("10:00", "10:05", "10:10", "10:15", "10:20"):
        upload(world, start, faults=((DAY + "10:03", DAY + "10:17"),))
    world.tick(scheduler)
    told = logged(caplog, "anomaly")
    (event,) = world.events(scheduler)
    assert event["summary"] in [line["Summary"] for line in told]
    assert re.match("flow fell .*below what the other sensors predict", str(event["summary"]))


def test_the_memory_after_a_window_is_whole(world: World, model: Item) -> None:
    """One object, written once, after the result: whatever is there can be continued from."""
    scheduler = started(world, model, "10:05", now="10:10:20")
    upload(world, "10:00", count=11)
    world.tick(scheduler)
    file = StateFile(service_bucket=world.runtime.service_bucket, scheduler=scheduler["uuid"])
    assert [one["end"] for one in remembered(world, scheduler)] == [at(DAY + "10:05"), at(DAY + "10:10")]
    memory = file.before(int(at(DAY + "10:10")))
    assert memory is not None
    assert memory.version == 1
