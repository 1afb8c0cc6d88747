"""Ingestion through its real steps on the embedded AWS."""

import json

from service.names import DATASET, report_key
from tests.service.jobs.world import World, at, rows, schema

HEADER = ("Timestamp", "speed", "flow")


def lines(day: int, count: int = 4) -> list[tuple[str, float, float]]:
    return [
        (f"2020-01-{day:02d}T00:{minute:02d}:00.000000", minute + 1.0, 2.0 * minute)
        for minute in range(count)
    ]


def test_files_of_a_component_become_one_dataset(world: World) -> None:
    world.upload("train/motor/", b"")
    world.upload("train/motor/a.csv", rows(HEADER, lines(1)))
    world.upload("train/motor/deep/b.csv", rows(HEADER, [*lines(1)[-1:], *lines(20)]))
    world.upload("train/motor/notes.txt", "hello")
    dataset = world.dataset(schema(motor=("speed", "flow")))
    job = world.ingest(dataset, prefix="train/")
    assert job["Status"] == "SUCCESS", job.get("FailedReason")
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
        "IngestionInputConfiguration",
    ):
        assert after[member] == job[member]
    report = json.loads(world.rt.documents.get(report_key(dataset["uuid"], job["JobId"])))
    assert [(one["ComponentName"], one["SensorName"]) for one in report] == [
        ("motor", "flow"),
        ("motor", "speed"),
    ]
    assert report[0]["DuplicateTimestamps"] == {"Count": 1, "Percentage": 11.1111}
