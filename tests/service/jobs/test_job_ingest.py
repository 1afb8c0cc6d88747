"""Ingestion through its real steps on the embedded AWS."""

import errno
import gzip
import json
from dataclasses import replace

import pytest

from service.jobs import ingest
from service.jobs.ingestion import merge_parts
from service.storage.names import DATASET, INGESTION_JOB, job_prefix, report_key
from service.storage.store import Item
from tests.service.jobs.meanwhile import ended_before
from tests.service.jobs.world import World, at, rows, schema

HEADER = ("Timestamp", "speed", "flow")
MOTOR = schema(motor=("speed", "flow"))


def lines(day: int, count: int = 4) -> list[tuple[str, float, float]]:
    return [
        (f"2020-01-{day:02d}T00:{minute:02d}:00.000000", minute + 1.0, 2.0 * minute)
        for minute in range(count)
    ]


def succeeded(job: Item) -> Item:
    assert job["Status"] == "SUCCESS", job.get("FailedReason")
    return job


def failed(world: World, dataset: Item, state: str = "CREATED", **source: str) -> str:
    """The FailedReason of an ingestion that cannot succeed; the dataset is as before."""
    job = world.ingest(dataset, **source)
    assert job["Status"] == "FAILED"
    assert world.get(DATASET, dataset["DatasetName"])["Status"] == state
    return str(job["FailedReason"])


def test_files_of_a_component_become_one_dataset(world: World) -> None:
    world.upload("train/motor/", b"")
    world.upload("train/motor/a.csv", rows(HEADER, lines(1)))
    world.upload("train/motor/deep/b.csv", rows(HEADER, [*lines(1)[-1:], *lines(20)]))
    world.upload("train/motor/notes.txt", "hello")
    dataset = world.dataset(MOTOR)
    job = succeeded(world.ingest(dataset, prefix="train/"))
    assert job["IngestedFilesSummary"] == {
        "TotalNumberOfFiles": 3,
        "IngestedNumberOfFiles": 2,
        "DiscardedFiles": [{"Bucket": world.bucket, "Key": "train/motor/notes.txt"}],
    }
    assert float(job["DataStartTime"]) == at("2020-01-01T00:00:00")
    assert float(job["DataEndTime"]) == at("2020-01-20T00:03:00")
    assert job["DataQualitySummary"]["DuplicateTimestamps"] == {"TotalNumberOfDuplicateTimestamps": 1}
    assert job["DataQualitySummary"]["InsufficientSensorData"] == {
        "MissingCompleteSensorData": {"AffectedSensorCount": 0},
        "SensorsWithShortDateRange": {"AffectedSensorCount": 0},
    }
    assert job["IngestedDataSize"] == sum(
        len(world.download(key)) for key in ("train/motor/a.csv", "train/motor/deep/b.csv")
    )
    after = world.get(DATASET, dataset["DatasetName"])
    assert (after["Status"], after["ingestionJobId"]) == ("ACTIVE", job["JobId"])
    for member in (
        "DataQualitySummary",
        "IngestedFilesSummary",
        "DataStartTime",
        "DataEndTime",
        "IngestionInputConfiguration",
        "RoleArn",
    ):
        assert after[member] == job[member]


def test_sensor_statistics_in_api_form(world: World) -> None:
    week = [
        (f"2020-01-{day:02d}T00:00:00", day, "" if day == 2 else "x" if day == 3 else day % 5)
        for day in range(1, 8)
    ]
    late = [("2020-03-01T00:00:00", 50, 1), ("nonsense", 1, 1)]
    world.upload("motor/a.csv", rows(HEADER, [*week, *late]))
    dataset = world.dataset(MOTOR)
    job = succeeded(world.ingest(dataset))
    report = json.loads(world.runtime.service_bucket.get_text(report_key(dataset["uuid"], job["JobId"])))
    flow, speed = report
    assert [(one["ComponentName"], one["SensorName"]) for one in report] == [
        ("motor", "flow"),
        ("motor", "speed"),
    ]
    assert flow["DataExists"] is True
    assert flow["MissingValues"] == {"Count": 1, "Percentage": 11.1111}
    assert flow["InvalidValues"] == {"Count": 1, "Percentage": 11.1111}
    assert flow["InvalidDateEntries"] == {"Count": 1, "Percentage": 11.1111}
    assert flow["DuplicateTimestamps"] == {"Count": 0, "Percentage": 0.0}
    assert flow["CategoricalValues"] == {"Status": "POTENTIAL_ISSUE_DETECTED", "NumberOfCategory": 4}
    assert flow["LargeTimestampGaps"] == {
        "Status": "POTENTIAL_ISSUE_DETECTED",
        "NumberOfLargeTimestampGaps": 1,
        "MaxTimestampGapInDays": 54,
    }
    assert speed["MonotonicValues"] == {"Status": "POTENTIAL_ISSUE_DETECTED", "Monotonicity": "INCREASING"}
    assert flow["MonotonicValues"] == {"Status": "NO_ISSUE_DETECTED"}
    assert speed["DataStartTime"] == at("2020-01-01")
    assert speed["DataEndTime"] == at("2020-03-01")
    summary = job["DataQualitySummary"]
    assert summary["MissingSensorData"] == {"AffectedSensorCount": 1, "TotalNumberOfMissingValues": 1}
    assert summary["InvalidSensorData"] == {"AffectedSensorCount": 1, "TotalNumberOfInvalidValues": 1}
    assert summary["UnsupportedTimestamps"] == {"TotalNumberOfUnsupportedTimestamps": 1}


def test_a_schema_is_detected_from_names_and_headers(world: World) -> None:
    world.upload("d/motor_1.csv", rows(("time", "speed"), [("2020-01-01T00:00:00", 1)]))
    world.upload(
        "d/motor_2.csv.gz",
        gzip.compress(rows(("time", "flow", "speed"), [("2020-01-02T00:00:00", 2, 3)]).encode()),
    )
    world.upload("d/pump_1.csv", rows(("time", "p"), [("2020-01-01T00:00:00", 1)]))
    dataset = world.dataset()
    succeeded(world.ingest(dataset, prefix="d/", KeyPattern="{prefix}/{component_name}_*"))
    after = world.get(DATASET, dataset["DatasetName"])
    assert world.runtime.service_bucket.get_text(after["schemaKey"]) == schema(
        motor=("speed", "flow"), pump=("p",)
    ).replace("Timestamp", "time")
    succeeded(world.ingest(after, prefix="d/"))  # pattern and schema are those of the first time


def test_a_detected_header_that_no_schema_may_have(world: World) -> None:
    world.upload("d/motor/1.csv", rows(("time", "Sensor 1"), [("2020-01-01T00:00:00", 1)]))
    reason = failed(world, world.dataset(), prefix="d/", KeyPattern="{prefix}/{component_name}/*")
    assert reason == (
        f"file 's3://{world.bucket}/d/motor/1.csv': the name 'Sensor 1' of column 2 of the header (line 1) "
        "has a blank: names may hold letters, digits and . _ : # $ -; write it as 'Sensor_1' in the export, "
        "or let `l4e prepare` clean the names; correct the header and ingest again"
    )


def test_a_component_without_files_is_reported_as_missing(world: World) -> None:
    world.upload("motor/a.csv", rows(HEADER, lines(1)))
    dataset = world.dataset(schema(motor=("speed", "flow"), pump=("pressure",)))
    job = succeeded(world.ingest(dataset))
    missing = job["DataQualitySummary"]["InsufficientSensorData"]["MissingCompleteSensorData"]
    assert missing == {"AffectedSensorCount": 1}
    report = json.loads(world.runtime.service_bucket.get_text(report_key(dataset["uuid"], job["JobId"])))
    assert report[2]["DataExists"] is False
    assert (report[2]["DataStartTime"], report[2]["DataEndTime"]) == (
        report[0]["DataStartTime"],
        at("2020-01-01T00:03"),
    )


def test_an_unusable_file_is_discarded(world: World) -> None:
    world.upload("motor/a.csv", rows(HEADER, lines(1)))
    world.upload("motor/b.csv", b"\x00\x01\x02binary")
    world.upload("motor/c.csv.gz", b"not gzip at all")
    world.upload("motor/d.csv", rows(HEADER, [("never", 1, 1)]))
    job = succeeded(world.ingest(world.dataset(MOTOR)))
    assert job["IngestedFilesSummary"]["IngestedNumberOfFiles"] == 1
    assert [file["Key"] for file in job["IngestedFilesSummary"]["DiscardedFiles"]] == [
        "motor/b.csv",
        "motor/c.csv.gz",
        "motor/d.csv",
    ]


def test_steps_may_run_again(world: World) -> None:
    world.upload("motor/a.csv", rows(HEADER, lines(1)))
    dataset = world.dataset(MOTOR)
    job = succeeded(world.ingest(dataset))
    after = world.get(DATASET, dataset["DatasetName"])
    world.set_clock("2026-03-03")
    world.play_ingestion(job["JobId"])
    assert ingest.run(world.runtime, {"Step": "finish", "JobId": job["JobId"]})["Status"] == "SUCCESS"
    assert world.get(INGESTION_JOB, job["JobId"]) == job
    assert world.get(DATASET, dataset["DatasetName"]) == after


def test_a_failed_replacement_keeps_the_old_content(world: World) -> None:
    world.upload("motor/a.csv", rows(HEADER, lines(1)))
    dataset = world.dataset(MOTOR)
    first = succeeded(world.ingest(dataset))
    failed(world, dataset, "ACTIVE", prefix="nothing/")
    after = world.get(DATASET, dataset["DatasetName"])
    assert after["ingestionJobId"] == first["JobId"]
    assert after["DataEndTime"] == first["DataEndTime"]


def test_an_ingestion_that_was_ended_meanwhile_stays_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was given up while it was still at work: what it has read reaches no dataset any more."""
    world.upload("motor/a.csv", rows(HEADER, lines(1)))
    dataset = world.dataset(MOTOR)
    job = world.start_ingestion(dataset)
    end = {"Status": "FAILED", "FailedReason": "given up"}
    ended_before(monkeypatch, INGESTION_JOB, lambda store: store.update(INGESTION_JOB, job, end))
    world.play_ingestion(job)
    record = world.get(INGESTION_JOB, job)
    assert {name: record[name] for name in end} == end
    assert "ingestionJobId" not in world.get(DATASET, dataset["DatasetName"])


def test_an_empty_prefix_says_what_is_near(world: World) -> None:
    world.upload("plant/motor/a.csv", rows(HEADER, lines(1)))
    reason = failed(world, world.dataset(MOTOR), prefix="plant/train/")
    assert reason == (
        f"no file to ingest below 's3://{world.bucket}/plant/train/': looked for "
        f"'s3://{world.bucket}/plant/train/<component>/*.csv' with <component> one of 'motor', but the "
        "prefix is empty; found near it: 'plant/motor/a.csv'; upload the files there or correct Bucket and "
        "Prefix"
    )


def test_files_that_fit_no_pattern_are_named(world: World) -> None:
    world.upload("train/engine/a.csv", rows(HEADER, lines(1)))
    reason = failed(world, world.dataset(MOTOR), prefix="train/")
    assert (
        "but found 1 unusable: 'train/engine/a.csv': its name does not fit KeyPattern "
        "'{prefix}/{component_name}/*' "
        "with one of the components 'motor'; rename the files or choose another KeyPattern" in reason
    )


def test_a_wrong_column(world: World) -> None:
    world.upload("motor/a.csv", rows(("Timestamp", "Speed", "flow"), lines(1)))
    reason = failed(world, world.dataset(MOTOR))
    assert reason == (
        "component 'motor': no file has the column 'speed' of the schema (did you mean 'Speed'?); the files "
        "have 'Speed', 'flow'. Names must match the header exactly, case included: correct the header of "
        "the files, or create a dataset whose schema lists the columns of the files"
    )


def test_no_right_column(world: World) -> None:
    world.upload("motor/a.csv", rows(("Timestamp", "x"), [("2020-01-01T00:00:00", 1)]))
    reason = failed(world, world.dataset(MOTOR))
    assert (
        f"file 's3://{world.bucket}/motor/a.csv' has none of the columns of the schema for component 'motor'"
        in reason
    )
    assert "the schema has 'speed', 'flow', the file 'x'" in reason


def test_an_illegal_header_fails_the_job(world: World) -> None:
    world.upload("motor/a.csv", rows(HEADER, lines(1)))
    world.upload("motor/b.csv", rows(("Timestamp", "speed", "fl\\ow"), lines(2)))
    reason = failed(world, world.dataset(MOTOR))
    assert f"file 's3://{world.bucket}/motor/b.csv': " in reason
    assert "correct the header and ingest again" in reason


def test_no_usable_file(world: World) -> None:
    world.upload("motor/a.csv", rows(HEADER, [("never", 1, 1)]))
    reason = failed(world, world.dataset(MOTOR))
    assert reason.startswith(
        f"the only file below 's3://{world.bucket}/' cannot be ingested: 'motor/a.csv': "
    )
    assert "never" in reason


def test_a_bucket_that_is_not_there(world: World) -> None:
    reason = failed(world, world.dataset(MOTOR), Bucket="no-such-bucket-here")
    assert reason.startswith(
        f"cannot list 's3://no-such-bucket-here/' with role '{world.role}': NoSuchBucket: "
    )


def test_a_wrong_key_pattern(world: World) -> None:
    reason = failed(world, world.dataset(MOTOR), KeyPattern="{prefix}/*")
    assert reason.startswith("KeyPattern '{prefix}/*' is not one of '{prefix}/{component_name}/*'")


def test_too_many_files(world: World) -> None:
    world.settings(files_per_component=1)
    for name in "ab":
        world.upload(f"motor/{name}.csv", rows(HEADER, lines(1)))
    reason = failed(world, world.dataset(MOTOR))
    assert reason.startswith(
        "component 'motor' has 2 files, more than the limit of 1: merge or split the files"
    )


def test_a_deleted_dataset_ends_the_job(world: World) -> None:
    dataset = world.dataset(MOTOR)
    job = world.start_ingestion(dataset)
    world.runtime.store.delete(DATASET, dataset["DatasetName"])
    world.play_ingestion(job)
    record = world.get(INGESTION_JOB, job)
    assert record["Status"] == "FAILED"
    assert record["FailedReason"] == (
        f"dataset '{dataset['DatasetName']}' was deleted while ingestion job '{job}' ran"
    )


def test_data_lies_only_in_the_service_bucket(world: World) -> None:
    world.upload("motor/a.csv", rows(HEADER, lines(1)))
    dataset = world.dataset(MOTOR)
    job = succeeded(world.ingest(dataset))
    prefix = job_prefix(dataset["uuid"], job["JobId"])
    keys = [
        one["Key"].removeprefix(prefix)
        for one in world.runtime.s3.list_objects_v2(Bucket=world.runtime.bucket, Prefix=prefix)["Contents"]
    ]
    assert keys == [
        "components/motor.parquet",
        "files.json",
        "manifest.json",
        "parts/0.json",
        "parts/0.parquet",
        "plan.json",
        "report.json",
    ]


def test_what_files_show_together_is_told(world: World) -> None:
    """A number of the row, another unit and another name, which each file for itself does not show."""
    for day, tag, unit in ((1, "flow", 1), (2, "FT1", 100)):
        hour = range(60)
        world.upload(
            f"motor/{day}.csv",
            rows(
                ("Timestamp", "row", tag, "press"),
                [
                    (f"2020-01-0{day}T00:{at:02d}:00", at, 5 + at * 7 % 11, (4 + at * 3 % 13 / 10) * unit)
                    for at in hour
                ],
            ),
        )
    dataset = world.dataset()
    job = succeeded(world.ingest(dataset))
    key = f"{job_prefix(dataset['uuid'], job['JobId'])}files.json"
    document = json.loads(world.runtime.s3.get_object(Bucket=world.runtime.bucket, Key=key)["Body"].read())
    (component,) = document["Components"]
    found = {each["kind"]: (each["column"], each["file"], each["example"]) for each in component["Repairs"]}
    assert found == {
        "clock-column": ("row", "motor/1.csv", "rows, 0 in the first row"),
        "changed-unit": (
            "press",
            "motor/2.csv",
            "mostly 4 to 5.2 before, then 400 to 520: times 100 (kPa or % instead of bar or a fraction?)",
        ),
        "renamed-column": ("flow", "motor/2.csv", "FT1"),
    }


def test_rows_far_out_of_order_need_room_to_be_sorted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(merge_parts, "merge_component", full)  # a disk that is full for this test alone
    world.upload("motor/a.csv", rows(HEADER, lines(1)))
    reason = failed(world, world.dataset(MOTOR))
    assert reason.startswith("component 'motor' has 4 rows, many of them far out of order")
    assert "sort the rows of each file by time" in reason


def test_headers_that_are_no_csv_discard_their_file(world: World) -> None:
    world.upload("motor/a.csv", rows(HEADER, lines(1)))
    world.upload("motor/b.csv", b"Timestamp\rspeed,flow\n2020-01-01,1,2\n")
    world.upload("motor/c.csv.gz", gzip.compress(rows(HEADER, lines(2)).encode())[:-9])
    summary = succeeded(world.ingest(world.dataset(MOTOR)))["IngestedFilesSummary"]
    assert [each["Key"] for each in summary["DiscardedFiles"]] == ["motor/b.csv", "motor/c.csv.gz"]


def test_a_small_function_reads_the_same(world: World) -> None:
    text = rows(HEADER, [line for day in (3, 1, 2) for line in lines(day, 60)])
    world.upload("motor/a.csv", text)
    world.upload("motor/b.csv", text)
    jobs = []
    for memory in (world.runtime.capacity.memory, 100_000):
        world.runtime = replace(world.runtime, capacity=replace(world.runtime.capacity, memory=memory))
        dataset = world.dataset(MOTOR)
        jobs.append(succeeded(world.ingest(dataset)))
    assert jobs[0]["DataQualitySummary"] == jobs[1]["DataQualitySummary"]
    assert jobs[0]["DataQualitySummary"]["DuplicateTimestamps"] == {"TotalNumberOfDuplicateTimestamps": 180}
