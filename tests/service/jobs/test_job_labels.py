"""Labels that count for nothing, and dates that can be read in two ways: what a user is told."""

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from l4e_files.label_periods import read_labels
from l4e_files.unusable import UnusableFile
from service.jobs.training.training_labels import Label, Labels
from service.members.training_windows import TimeSpan
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
        "1 label in the data lies neither in the training nor in the evaluation window, and counts for"
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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "2026-03-02,2026-03-01\n2026-03-02,2026-03-03\n2026-03-05,2026-03-04\n",
            "line 1: the end '2026-03-01' lies before the start '2026-03-02', and so in line 3: each line is",
        ),
        ("end,start\n2026-03-01,2026-03-02\n", "line 1: the header 'end,start' names the end before the"),
        (
            "start,rating\n2026-03-01,ANOMALY\n",
            "line 1: column 2 of .* is 'rating', but .* is the end: .* group",
        ),
        (
            "Fault Code,start\nX,2026-03-01\n",
            "column 1 of the header .* is 'Fault Code', but .* is the start",
        ),
        ("Von,Dauer\n2026-03-01,10 h\n", "line 2: '10 h' is not a timestamp, but column 'Dauer' is the end;"),
        ('"2026-03-01,2026-03-02"\n', "line 1 '2026-03-01,2026-03-02' stands in quotation marks as a whole"),
        ("StartTime,End Time\n2026-03-01,\n", "line 2 '2026-03-01,' has no end: write both; the end of a "),
        (
            "2026030120,2026030206\n",
            "line 1: '2026030120' looks like a date with an hour .*: write '2026-03-31",
        ),
        (
            "start,end\n260301200000,260302060000\n",
            "line 2: '260301200000' looks like .* a year of two digits",
        ),
        (",2026-03-01\n2026-03-02,\n", "line 1 ',2026-03-01' has no start, and so in line 2: write both"),
        (
            "2026-03-01,2026-03-02,NEUTRAL\n",
            "has 3 columns, but a label file has exactly two: .* label group: keep start and end alone here",
        ),
        ("2026-03-01,2026-03-02\n\0\0\0\0", "line 2 has bytes of zero, .*: write the file again; each line"),
        ("2026-03-01,2026-03-02\n\x1a", r"line 2: '\\x1a' has 1 column"),
    ],
)
def test_a_label_file_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(UnusableFile, match=message):
        read_labels(text.encode())


@pytest.mark.parametrize("end", ["2026-03-06T1", "2026-03-06T10:0", "2026-03-06T10:00:0", "2026-03-06"])
def test_a_last_line_that_may_be_cut_off_is_told(end: str) -> None:
    whole = "2026-03-01T06:00:00,2026-03-02T18:00:00\n"
    (note,) = read_labels(f"{whole}2026-03-05T06:00:00,{end}".encode()).notes
    assert note.startswith(f"line 2, '2026-03-05T06:00:00,{end}', may be cut off: the file ends in it,")
    assert read_labels(f"{whole}2026-03-05T06:00:00,{end}\n".encode()).notes == ()


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T06:00:00,2026-03-02T18:00:00",
        "13/12/2026 16:00,14/12/2026 18:00\n3/5/2026 6:00,3/5/2026 9:05",
        "1774965900,1774965901",
    ],
)
def test_a_last_line_without_an_end_is_usual(text: str) -> None:
    assert read_labels(text.encode()).notes == ()


def test_a_label_without_length_is_told() -> None:
    found = read_labels(b"2026-03-01,2026-03-02\n2026-03-05,2026-03-05\n2026-03-07,2026-03-07\n")
    assert len(found.periods) == 3
    (note,) = found.notes
    assert note.startswith(
        "line 2, '2026-03-05,2026-03-05', ends when it starts, and so in line 3: a date alone"
    )


def test_times_without_an_offset_beside_others_that_have_one_are_told() -> None:
    shifted = "2026-03-01T10:00:00+01:00,2026-03-01T12:00:00+01:00\n"
    for bare in ("2026-03-02T10:00:00,2026-03-02 12:00\n", "2026-03-02T10:00+01,2026-03-02T12:00:00.5\n"):
        (note,) = read_labels((shifted + bare).encode()).notes
        assert note.startswith(
            f"line 2, '{bare.strip()}', has a time without an offset, which was read as UTC"
        )
    for other in ("1772445600,1772449200\n", "2026-03-02T10:00Z,2026-03-02T12:00+00:00\n", shifted):
        assert read_labels((shifted + other).encode()).notes == ()
    assert read_labels(b"2026-03-02T10:00Z,2026-03-02T12:00\n").notes == ()


def test_a_header_in_other_words_is_taken() -> None:
    for header in ("start,end", "Start Time,END_TIME", "from,to", "Beginn,Ende", "fault start,fault end"):
        assert len(read_labels(f"{header}\n2026-03-01,2026-03-02\n".encode()).periods) == 1


def told(*periods: tuple[int, int], ratings: Sequence[str] = ()) -> list[tuple[str, int, str]]:
    """What is said of labels of days of March, on data of the first twenty."""
    day = datetime(2026, 3, 1, tzinfo=UTC)
    labels = tuple(
        Label(
            place=f"label {number}",
            start=day + timedelta(days=start),
            end=day + timedelta(days=end),
            rating=ratings[number] if ratings else "ANOMALY",
        )
        for number, (start, end) in enumerate(periods)
    )
    data = TimeSpan(start=Decimal(day.timestamp()), end=Decimal(day.timestamp() + 20 * 86_400))
    found = Labels(labels=labels).remarks(data=data, windows=[data])
    return [(each.rule, each.count, each.text) for each in found]


def test_labels_that_overlap_are_told_with_an_example() -> None:
    ((rule, count, text),) = told((4, 6), (1, 3), (2, 5), (8, 9))
    assert (rule, count) == ("labels-overlap", 2)
    assert text.startswith("2 labels begin before another one of the same rating ends, and each pair counts")
    assert "label 2, read as 2026-03-03T00:00:00Z to 2026-03-06T00:00:00Z, and label 1, read as" in text


def test_labels_that_touch_or_say_different_things_do_not_overlap() -> None:
    assert told((1, 2), (2, 3)) == []
    assert told((1, 3), (2, 4), ratings=["ANOMALY", "NEUTRAL"]) == []
    assert [each[:2] for each in told((2, 2), (2, 2))] == [("labels-overlap", 1)]
    assert [each[:2] for each in told((1, 3), (2, 4), ratings=["ANOMALY", "NO_ANOMALY"])] == [
        ("labels-contradict", 1)
    ]


def test_labels_that_leave_little_to_learn_are_told() -> None:
    assert told((0, 10)) == []
    ((rule, count, text),) = told((-300, 6), (6, 9), (9, 12))
    assert (rule, count) == ("labels-cover-most", 3)
    assert text.startswith("3 labels cover 60% of the training window, and nothing is learned from what they")
    assert "The longest: label 0, read as 2025-05-05T00:00:00Z to 2026-03-07T00:00:00Z. If its dates" in text
    ((rule, _, text),) = told((0, 300), ratings=["NEUTRAL"])
    assert rule == "labels-cover-all"
    assert "1 label covers all of the training window" in text
    assert told((0, 300), ratings=["NO_ANOMALY"]) == []


def test_labels_that_reach_far_beyond_all_data_are_told() -> None:
    assert told((12, 35)) == told((-25, 2)) == told((12, 300), ratings=["NO_ANOMALY"]) == []
    for far, read in (((12, 300), "2026-03-13T00:00:00Z to 2026-"), ((-300, 2), "2025-05-05T00:00:00Z to")):
        ((rule, count, text),) = told((4, 5), far)
        assert (rule, count) == ("labels-beyond", 1)
        assert text.startswith("1 label reaches more than 30 days beyond all data, which is from 2026-03-01")
        assert f"label 1, read as {read}" in text
        assert "If a year or month is wrong, correct it" in text


def test_dates_that_allow_both_orders_are_read_with_the_month_first_and_noted() -> None:
    found = read_labels(b"10/09/2026 00:00,10/09/2026 10:00\n")
    assert f"{found.periods[0].start:%Y-%m-%d}" == "2026-10-09"
    assert "no date shows whether day or month comes first: line 1" in found.notes[0]
    assert read_labels(b"9/9/2026,9/9/2026 10:00\n").notes == ()
