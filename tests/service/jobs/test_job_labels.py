"""Labels that count for nothing, and dates that can be read in two ways: what a user is told."""

import json
import logging
from typing import Any

import pytest

from l4e_files.label_periods import read_labels
from service.storage.store import Item
from tests.service.jobs import pump
from tests.service.jobs.world import World, at


def evaluated(home: World, dataset: Item, name: str, text: str) -> dict[str, Any]:
    """The ModelMetrics of a model that is trained with one label file."""
    home.upload(f"{name}/labels.csv", text)
    model = home.model(
        dataset,
        pump.SCHEMA,
        RoleArn=home.role,
        LabelsInputConfiguration={"S3InputConfiguration": {"Bucket": home.bucket, "Prefix": f"{name}/"}},
        TrainingDataEndTime=at("2020-01-17"),
        EvaluationDataStartTime=at("2020-01-18"),
        EvaluationDataEndTime=at("2020-01-20"),
    )
    assert model["Status"] == "SUCCESS", model.get("FailedReason")
    found: dict[str, Any] = json.loads(home.runtime.service_bucket.get_text(model["metricsKey"]))
    return found


def test_labels_outside_all_data_are_reported(
    home: World, dataset: Item, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    text = (
        "12/01/2020 00:00,12/01/2020 10:00\n"
        "2020-01-17T02:00,2020-01-17T08:00\n"
        f"{pump.FAULT[0]},{pump.FAULT[1]}\n"
    )
    metrics = evaluated(home, dataset, "outside", text)
    assert metrics["labeled_event_metrics"]["num_labeled"] == 1
    told = metrics["labels"]
    assert (told["num_labels"], told["num_outside_data"], told["num_outside_windows"]) == (3, 1, 1)
    order, outside, unused = told["notes"]
    place = f"s3://{home.bucket}/outside/labels.csv"
    assert order == (
        f"label file '{place}': no date shows whether day or month comes first: line 1, '12/01/2020 00:00,"
        "12/01/2020 10:00', was read with the month first, as 01 December 2020; write dates as 2020-02-01 "
        "to be sure"
    )
    assert outside == (
        "1 of 3 labels lie outside all data, which is from 2020-01-01T00:00:00Z to 2020-01-20T23:59:00Z, and "
        f"count for nothing: line 1 of '{place}', '12/01/2020 00:00,12/01/2020 10:00', read as "
        "2020-12-01T00:00:00Z to 2020-12-01T10:00:00Z. 1 of them would lie in it with the day read first: "
        "write dates as 2020-02-01"
    )
    assert unused.startswith(
        "1 labels lie in the data, but neither in the training nor in the evaluation window"
    )
    (line,) = [record for record in caplog.messages if record.startswith('{"message": "labels"')]
    assert json.loads(line)["notes"] == told["notes"]


def test_labels_that_all_count_need_no_words(home: World, dataset: Item) -> None:
    metrics = evaluated(home, dataset, "inside", f"{pump.FAULT[0]},{pump.FAULT[1]}\n")
    assert "labels" not in metrics


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("26/09/2026 00:00,26/09/2026 10:00\n05/09/2026 00:00,05/09/2026 10:00\n", ["09-26", "09-05"]),
        ("26/09/2026 00:00,26/09/2026 10:00\n", ["09-26"]),
        ("09/26/2026 00:00,09/26/2026 10:00\n05/09/2026 00:00,05/09/2026 10:00\n", ["09-26", "05-09"]),
        ("sep=,\nstart,end\n2026-09-26,2026-09-27\n", ["09-26"]),
        ("\ufeffstart,end,\r\n2026-09-26,2026-09-27,\r\n", ["09-26"]),
        ("\n\nBeginn,Ende\n2026-09-26,2026-09-27\n", ["09-26"]),
    ],
)
def test_the_order_of_day_and_month_is_one_for_the_file(text: str, starts: list[str]) -> None:
    found = read_labels(text.encode())
    assert [f"{period.start:%m-%d}" for period in found.periods] == starts
    assert found.notes == ()


def test_dates_that_allow_both_orders_are_read_with_the_month_first_and_noted() -> None:
    found = read_labels(b"10/09/2026 00:00,10/09/2026 10:00\n")
    assert f"{found.periods[0].start:%Y-%m-%d}" == "2026-10-09"
    assert "no date shows whether day or month comes first: line 1" in found.notes[0]
    assert read_labels(b"9/9/2026,9/9/2026 10:00\n").notes == ()
