"""What people are told about their mistakes: each row is a mistake and words that the text must hold.

All go through the real handlers of the jobs.
"""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from service.storage.names import job_prefix
from service.storage.store import Item
from tests.service.jobs import pump
from tests.service.jobs.bad_files import BAD_FILES, GOOD_FILES, readings, table
from tests.service.jobs.inference import DAY, reason, started, upload
from tests.service.jobs.world import World, at, schema

MOTOR = schema(motor=("speed", "flow"))
HEAD = "Timestamp,speed,flow\n"
GOOD = HEAD + "2020-01-01T00:00:00,1,2\n2020-01-01T00:01:00,2,3\n"


def cells(*pairs: str) -> str:
    return HEAD + "".join(f"2020-01-01T00:{minute:02d}:00,{pair}\n" for minute, pair in enumerate(pairs))


INGESTION: Mapping[str, tuple[Mapping[str, str | bytes], Mapping[str, Any], list[str]]] = {
    "decimal commas in quotation marks": (
        {"motor/a.csv": cells('"1,5","2,5"', '"1,6","2,6"')},
        {},
        ["the numbers have a decimal comma ('1,5' in line 2)", "decimal point", "l4e prepare"],
    ),
    "units in the cells": (
        {"motor/a.csv": cells("30 %,20 %", "31 %,21 %")},
        {},
        [
            "component 'motor' has 2 rows in 1 file, but no sensor has a single valid value",
            "'speed' has 2 cells that are not numbers, for example '30 %' in line 2 of 'motor/a.csv'",
            "decimal point",
            "neither a unit",
            "l4e prepare",
        ],
    ),
    "status texts and empty cells": (
        {"motor/a.csv": cells("Bad,", "Bad,")},
        {},
        ["'speed' has 2 cells that are not numbers, for example 'Bad'", "'flow' has 2 empty cells"],
    ),
    "one component of two has no value": (
        {"motor/a.csv": GOOD, "pump/a.csv": "Timestamp,p\n2020-01-01T00:00:00,x\n"},
        {"schema": schema(motor=("speed", "flow"), pump=("p",))},
        ["component 'pump' has 1 row in 1 file", "'p' has 1 cell that is not a number, for example 'x'"],
    ),
    "the component in the prefix": (
        {"train/motor/a.csv": GOOD},
        {"prefix": "train/motor/"},
        ["Prefix 'train/motor/' seems to be the folder of a component", "'motor'", "give 'train/' as Prefix"],
    ),
    "the component in the prefix of a bucket": (
        {"motor/a.csv": GOOD},
        {"prefix": "motor/"},
        ["Prefix 'motor/' seems to be the folder of a component", "leave out Prefix"],
    ),
    "the component in the prefix, without schema": (
        {"train/motor/a.csv": GOOD},
        {"prefix": "train/motor/", "schema": None, "KeyPattern": "{prefix}/{component_name}/*"},
        ["Prefix 'train/motor/' seems to be the folder of a component", "give 'train/' as Prefix"],
    ),
    "a location in the prefix": (
        {"train/motor/a.csv": GOOD},
        {"prefix": "s3://plant/train/"},
        ["the prefix is empty", "give 'plant' as Bucket, and give 'train/' as Prefix"],
    ),
    "a leading slash": (
        {"train/motor/a.csv": GOOD},
        {"prefix": "/train/"},
        ["keys in S3 do not begin with '/': give 'train/'"],
    ),
    "no slash at the end": (
        {"train/motor/a.csv": GOOD},
        {"prefix": "trian"},
        ["a prefix ends with '/': give 'trian/'"],
    ),
    "more columns than a dataset may have": (
        {f"{name}/a.csv": f"Timestamp,{name}1,{name}2\n2020-01-01,1,2\n" for name in "ab"},
        {"schema": None, "KeyPattern": "{prefix}/{component_name}/*", "settings": {"columns_per_dataset": 3}},
        ["the files have 4 columns, more than the limit of 3 for a dataset", "columns_per_dataset"],
    ),
    "more components than a dataset may have": (
        {f"{name}/a.csv": f"Timestamp,{name}1\n2020-01-01,1\n" for name in "abc"},
        {
            "schema": None,
            "KeyPattern": "{prefix}/{component_name}/*",
            "settings": {"components_per_dataset": 2},
        },
        ["3 components, more than the limit of 2"],
    ),
}


@pytest.mark.parametrize("mistake", INGESTION)
def test_a_mistake_in_an_ingestion_is_explained(world: World, mistake: str) -> None:
    files, given, words = INGESTION[mistake]
    options = {"schema": MOTOR, "settings": {}, **given}
    world.settings(**options.pop("settings"))
    for key, body in files.items():
        world.upload(key, body)
    job = world.ingest(world.dataset(options.pop("schema")), **options)
    assert job["Status"] == "FAILED"
    text = job["FailedReason"]
    assert not [word for word in words if word not in text], text
    assert "internal error" not in text


HYDRAULICS = schema(hydraulics=("flow", "pressure"))


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_explained_to_an_ingestion(world: World, kind: str) -> None:
    make, words = BAD_FILES[kind]
    body = make(readings())
    world.upload("hydraulics/a.csv", body)
    job = world.ingest(world.dataset(HYDRAULICS))
    assert job["Status"] == "FAILED"
    text = job["FailedReason"]
    assert not [word for word in ("hydraulics/a.csv", *words) if word not in text], text
    assert "internal error" not in text


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_explained_to_inference(world: World, model: Item, kind: str) -> None:
    make, words = BAD_FILES[kind]
    scheduler = started(world, model, "10:05")
    upload(world, "10:00", components=("drive",))
    world.upload("in/hydraulics_20260105100000.csv", make(readings()))
    text = reason(world, scheduler, "10:00")
    assert not [word for word in ("in/hydraulics_20260105100000.csv", *words) if word not in text], text
    assert "internal error" not in text


@pytest.mark.parametrize("kind", GOOD_FILES)
def test_a_good_file_is_taken_by_both(world: World, model: Item, kind: str) -> None:
    body = GOOD_FILES[kind](readings())
    world.upload("train/hydraulics/a.csv", body)
    dataset = world.dataset(HYDRAULICS)
    job = world.ingest(dataset, prefix="train/")
    assert job["Status"] == "SUCCESS", job.get("FailedReason")
    assert (job["DataStartTime"], job["DataEndTime"]) == (at(f"{DAY}10:01"), at(f"{DAY}10:05"))
    summary = job["DataQualitySummary"]
    assert summary["InvalidSensorData"]["TotalNumberOfInvalidValues"] == 0
    assert summary["MissingSensorData"]["TotalNumberOfMissingValues"] == 0
    scheduler = started(world, model, "10:05")
    upload(world, "10:00", components=("drive",))
    world.upload("in/hydraulics_20260105100000.csv", body)
    assert list(world.tick(scheduler).values()) == ["SUCCESS"]


@pytest.mark.parametrize("other", ["hydraulics", "pump"])
def test_files_of_a_job_have_one_order_of_day_and_month(world: World, other: str) -> None:
    """The first file allows both orders, the second shows that the day is first."""
    for folder, day in (("hydraulics/a", 5), (f"{other}/b", 20)):
        rows = readings(f"2026-01-{day:02d}T10:01")
        world.upload(f"{folder}.csv", table(rows, time="%d/%m/%Y %H:%M"))
    both = schema(hydraulics=("flow", "pressure"), pump=("flow", "pressure"))
    job = world.ingest(world.dataset(HYDRAULICS if other == "hydraulics" else both))
    assert job["Status"] == "SUCCESS", job.get("FailedReason")
    assert (job["DataStartTime"], job["DataEndTime"]) == (at(f"{DAY}10:01"), at("2026-01-20T10:05"))


def test_the_name_of_an_input_file_shows_the_order_of_day_and_month(world: World, model: Item) -> None:
    scheduler = started(world, model, "10:05")
    upload(world, "10:00", components=("drive",))
    world.upload("in/hydraulics_20260105100000.csv", table(readings(), time="%d/%m/%Y %H:%M"))
    assert list(world.tick(scheduler).values()) == ["SUCCESS"]


def test_a_header_of_300_000_columns_ends_soon(world: World) -> None:
    names = ",".join(f"s{at}" for at in range(300_000))
    world.upload("motor/a.csv", f"Timestamp,{names}\n2020-01-01T00:00:00,1\n")
    begin = time.process_time()  # whatever else this machine does: it takes a quarter of a second
    job = world.ingest(world.dataset(), KeyPattern="{prefix}/{component_name}/*")
    assert time.process_time() - begin < 5
    assert job["Status"] == "FAILED"
    assert "300,000 sensor columns but at most 3,000 are allowed" in job["FailedReason"]
    assert "columns_per_dataset" in job["FailedReason"]


def test_what_was_put_right_is_in_a_document_beside_the_statistics(world: World) -> None:
    world.upload("motor/a.csv", GOOD)
    world.upload("motor/b.csv", cells("1,x", "2,3"))
    world.upload("motor/c.csv", "")
    dataset = world.dataset(MOTOR)
    job = world.ingest(dataset)
    assert job["Status"] == "SUCCESS"
    key = job_prefix(dataset["uuid"], job["JobId"]) + "files.json"
    found = world.runtime.service_bucket.get_json(key)
    (motor,) = found["Components"]
    assert (motor["ComponentName"], motor["Files"], motor["Rows"]) == ("motor", 2, 2)
    assert found["Discarded"] == [{"Key": "motor/c.csv", "Reason": "it is empty"}]
    (note,) = [note for note in motor["Notes"] if "of another file" in note]
    assert note.startswith("2 rows repeat a timestamp of another file, first 20")
    assert note.endswith(" in 'motor/a.csv' and again in 'motor/b.csv'; the later file was kept")


LABELS: Mapping[str, tuple[str | bytes, list[str]]] = {
    "a form that is not known": (
        "26.09.2026 00:00,26.09.2026 10:00\n2026-09-28T00:00:00,2026-09-28T01:00:00\n",
        [", line 1: '26.09.2026 00:00' is not a timestamp", "use a form such as", "a header has no digits"],
    ),
    "several lines that cannot be read": (
        "start,end\n2020-01-19,2020-01-20\nsoon,later\nx1,x2\n",
        [", line 3: 'soon' is not a timestamp, and so in line 4"],
    ),
    "two orders of day and month": (
        "26/01/2020 00:00,27/01/2020 10:00\n01/28/2020 00:00,01/28/2020 10:00\n28/01/2020,29/01/2020\n",
        [", line 2: '01/28/2020 00:00' is not a timestamp", "other dates of the file have the day first"],
    ),
    "semicolons": ("start;end\n2020-01-19;2020-01-20\n", [", line 1 'start;end' is separated by semicolons"]),
    "tabs": ("2020-01-19\t2020-01-20\n", ["is separated by tabs: separate start and end by a comma"]),
    "UTF-16": (
        "start,end\n2020-01-19,2020-01-20\n".encode("utf-16"),
        ["the file is text in UTF-16, not UTF-8: save it as CSV in UTF-8"],
    ),
    "an Excel workbook": (
        b"PK\x03\x04\x14\x00[Content_Types].xml",
        ["the file is an Excel workbook (xlsx), not CSV: save it as CSV (comma delimited, UTF-8)"],
    ),
    "compressed": (b"\x1f\x8b\x08\x00", ["compressed by gzip", "unpack it"]),
    "Latin-1": (
        "Störung,Ende\n2020-01-19,2020-01-20\n".encode("latin-1"),
        [", line 1 is not UTF-8 text: byte F6 at place 3", "'ö'", "Save the file as CSV in UTF-8"],
    ),
    "a cell without end": (
        '2020-01-19,"' + "x" * 200_000,
        [", line 1 is not CSV", "quotation mark is never closed"],
    ),
    "carriage returns only": (
        "2020-01-19,2020-01-20\r2020-01-20,2020-01-21\r",
        ["lines end with carriage returns only: end them with LF or CRLF"],
    ),
    "a remark in a third column": ("2020-01-19,2020-01-20,bearing\n", ["has 3 columns", "exactly two"]),
}


def label_members(home: World, prefix: str) -> dict[str, Any]:
    return {
        "RoleArn": home.role,
        "LabelsInputConfiguration": {"S3InputConfiguration": {"Bucket": home.bucket, "Prefix": prefix}},
    }


@pytest.mark.parametrize("mistake", LABELS)
def test_a_mistake_in_a_label_file_is_explained(home: World, dataset: Item, mistake: str) -> None:
    body, words = LABELS[mistake]
    prefix = f"messages/{mistake}/"
    home.upload(f"{prefix}labels.csv", body)
    model = home.model(dataset, pump.SCHEMA, **label_members(home, prefix))
    assert model["Status"] == "FAILED"
    text = model["FailedReason"]
    assert text.startswith(f"label file 's3://{home.bucket}/{prefix}labels.csv'")
    assert text.endswith("; correct the file and create the model again")
    assert not [word for word in words if word not in text], text
    assert "l4e prepare" not in text, "it is for data files"


def test_a_label_prefix_that_is_a_location(home: World, dataset: Item) -> None:
    model = home.model(dataset, pump.SCHEMA, **label_members(home, "s3://plant/labels/"))
    assert (
        "Correct Prefix (it is a whole location: give 'plant' as Bucket, and give 'labels/' as Prefix)"
        in (model["FailedReason"])
    )


def minutes(*rows: str) -> str:
    return "Timestamp,flow,pressure\n" + "".join(
        f"2026-01-05T10:{minute:02d}:00,{row}\n" for minute, row in enumerate(rows, start=1)
    )


INFERENCE: Mapping[str, tuple[str | bytes, list[str]]] = {
    "empty cells": (
        minutes(*[",4"] * 5),
        [
            "sensor 'hydraulics\\flow' has no value in the 5 rows of the window, nor one in any row before",
            "of its cells in the files read, 5 empty",
            "Every sensor of the model needs a value in the window, or one from the day before",
        ],
    ),
    "texts": (
        minutes(*["Bad,4"] * 4, ",4"),
        [
            "sensor 'hydraulics\\flow'",
            "1 empty and 4 not a number, for example 'Bad' in line 2 of 'in/hydraulics_20260105100000.csv'",
        ],
    ),
    "two sensors": (
        minutes(*["x,y"] * 5),
        ["sensor 'hydraulics\\flow'", "; sensor 'hydraulics\\pressure'", "5 not a number"],
    ),
    "no column": (
        "Timestamp,pressure\n2026-01-05T10:01:00,4\n",
        ["have no column 'flow'; they have 'pressure'"],
    ),
}


@pytest.mark.parametrize("mistake", INFERENCE)
def test_a_mistake_in_the_input_of_inference_is_explained(world: World, model: Item, mistake: str) -> None:
    body, words = INFERENCE[mistake]
    scheduler = started(world, model, "10:05")
    upload(world, "10:00", components=("drive",))
    world.upload("in/hydraulics_20260105100000.csv", body)
    text = reason(world, scheduler, "10:00")
    assert not [word for word in words if word not in text], text
    assert "internal error" not in text


def test_an_input_prefix_that_is_a_location(world: World, model: Item) -> None:
    place = {"S3InputConfiguration": {"Bucket": world.bucket, "Prefix": "s3://plant/in/"}}
    text = reason(world, started(world, model, "10:05", DataInputConfiguration=place), "10:00")
    assert "(Prefix: it is a whole location: give 'plant' as Bucket, and give 'in/' as Prefix)" in text
