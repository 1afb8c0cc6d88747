"""Inference that cannot go on: what is said of input that is missing, wrong or too much."""

from typing import Any

import pytest

from service.storage.store import Item
from tests.embedded import EmbeddedAws
from tests.service.jobs.inference import metric, reason, started, upload
from tests.service.jobs.world import World


def test_a_missing_file_says_what_was_looked_for_and_what_is_near(world: World, model: Item) -> None:
    scheduler = started(
        world,
        model,
        "10:05",
        DataInputConfiguration={
            "S3InputConfiguration": {"Bucket": world.bucket, "Prefix": "in/"},
            "InputTimeZoneOffset": "+01:00",
            "InferenceInputNameConfiguration": {
                "TimestampFormat": "yyyyMMddHHmmss",
                "ComponentTimestampDelimiter": "_",
            },
        },
    )
    upload(world, "10:00", name="{component}_{stamp:%Y%m%d%H%M%S}.csv", components=("hydraulics",))
    upload(world, "11:00", components=("drive",))
    assert reason(world, scheduler, "10:00") == (
        "component 'drive': no row of 'in/drive_20260105110000.csv' lies in the window "
        "(2026-01-05T10:00:00Z, 2026-01-05T10:05:00Z]; the rows go from 2026-01-05T11:00:00.000000 to "
        "2026-01-05T11:05:00.000000. Timestamps inside files are UTC, whatever InputTimeZoneOffset says: "
        "correct them, or upload the rows of the window; component 'hydraulics' has no file for the window "
        "(2026-01-05T10:00:00Z, 2026-01-05T10:05:00Z]: looked for "
        f"'s3://{world.bucket}/in/hydraulics_<yyyyMMddHHmmss>*.csv' with a stamp from 20260105105500 to "
        "20260105111000; found near it: 'in/hydraulics_20260105100000.csv'. Upload the file before the "
        "window is inferred (its end plus DataDelayOffsetInMinutes), or correct prefix, delimiter, "
        "timestamp format and time zone offset of the scheduler"
    )


def test_an_empty_prefix_is_named(world: World, model: Item) -> None:
    text = reason(world, started(world, model, "10:05"), "10:00")
    assert f"'s3://{world.bucket}/in/' has no objects" in text
    assert "component 'drive' has no file" in text
    assert "component 'hydraulics' has no file" in text


def test_a_wrong_column_in_a_file(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05")
    upload(world, "10:00", components=("drive",))
    world.upload("in/hydraulics_20260105100000.csv", "Timestamp,Flow,pressure\n2026-01-05T10:01:00,1,2\n")
    assert reason(world, scheduler, "10:00") == (
        "component 'hydraulics': the files for the window (2026-01-05T10:00:00Z, 2026-01-05T10:05:00Z] have "
        "no column 'flow'; they have 'Flow', 'pressure'. The model needs every sensor of its schema under "
        "exactly that name: correct the header of the files"
    )


def test_a_file_that_is_no_csv(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05")
    upload(world, "10:00", components=("drive",))
    world.upload("in/hydraulics_20260105100000.csv", b"\x00\x01")
    text = reason(world, scheduler, "10:00")
    assert "component 'hydraulics': none of the files for the window" in text
    assert "'in/hydraulics_20260105100000.csv': " in text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Timestamp;flow;pressure\n2026-01-05T10:06:00;1,5;2,5\n", "separated by semicolons"),
        ("Timestamp,flow,pressure\n", "no row follows the header"),
        ("", "the file is empty"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_beside_that_of_the_window_before(
    world: World, model: Item, text: str, why: str
) -> None:
    scheduler = started(world, model, "10:10")
    upload(world, "10:00")
    upload(world, "10:05", components=("drive",))
    world.upload("in/hydraulics_20260105100500.csv", text)
    message = reason(world, scheduler, "10:05")
    assert message.startswith("component 'hydraulics': files for the window ")
    assert "cannot be read: 'in/hydraulics_20260105100500.csv': " in message
    assert why in message
    assert "no row of 'in/hydraulics_20260105100000.csv' lies in the window" in message


def test_rows_of_a_clock_that_was_put_forward_are_told(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:10")
    upload(world, "10:00")
    upload(world, "10:05", components=("drive",))
    world.upload("in/hydraulics_20260105100500.csv", "Timestamp,flow,pressure\n2026-01-05T11:06:00,50,4\n")
    message = reason(world, scheduler, "10:05")
    assert "'in/hydraulics_20260105100500.csv' lies in the window (2026-01-05T10:05:00Z" in message
    assert "the rows go from 2026-01-05T10:00:00.000000 to 2026-01-05T11:06:00.000000" in message
    assert "Timestamps inside files are UTC" in message


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"inference_files_per_component": 1}, "component 'drive' has 2 files for the window"),
        ({"inference_bytes": {"PT5M": 100}}, "bytes, more than the limit of 100: upload only the rows"),
        ({"inference_rows": {"PT5M": 4}}, "has 5 rows, more than the limit of 4"),
    ],
)
def test_quotas_of_an_execution(world: World, model: Item, settings: dict[str, Any], message: str) -> None:
    world.settings(**{"inference_bytes": {"PT5M": None}, "inference_rows": {"PT5M": None}, **settings})
    scheduler = started(world, model, "10:05")
    upload(world, "10:00")
    upload(world, "10:05")
    text = reason(world, scheduler, "10:00")
    assert message in text
    assert f"raise the setting '{next(iter(settings))}' of the service" in text


def test_a_model_that_was_replaced_under_its_name(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05", modelUuid="another")
    text = reason(world, scheduler, "10:00")
    assert text == (
        f"model '{model['ModelName']}' was deleted: delete the scheduler and create one for another model"
    )


def test_an_internal_error_does_not_block_the_next_window(
    jobs_aws: EmbeddedAws, world: World, model: Item, caplog: pytest.LogCaptureFixture
) -> None:
    name = f"lost-{world.bucket}"  # all worlds share a table
    lost = {**model, "sk": name, "ModelName": name, "uuid": "no-artefact-is-there"}
    world.runtime.store.create(lost)
    scheduler = started(world, lost, "10:05", now="10:10:20")
    upload(world, "10:00", count=11)
    done = world.tick(scheduler)
    assert done == {"2026-01-05T10:00:00Z": "FAILED", "2026-01-05T10:05:00Z": "FAILED"}
    text = world.executions(scheduler)[0]["FailedReason"]
    assert f"because of an internal error: LookupError: version 1 of model '{name}' has no artefact" in text
    fault = text.partition("; look for '")[2].partition("' in the log of the inference function")[0]
    assert fault
    assert f"inference failed: {fault}" in caplog.text
    assert metric(jobs_aws, scheduler, "InferenceFailed") == [2.0]
    assert metric(jobs_aws, scheduler, "InferenceInvalidInput") == []
