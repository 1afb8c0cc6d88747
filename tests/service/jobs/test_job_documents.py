"""Label files, result lines, metrics, events and windows of training: the documents, without any AWS."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import Evaluation, Range, Scores, Summary, merge_intervals
from service.jobs.failure import JobFailed
from service.jobs.inference.event_tracking import Followed, InferenceEvent, event_members, follow
from service.jobs.result_lines import lines
from service.jobs.training.learn import labels_inside
from service.jobs.training.model_metrics import model_metrics, model_quality
from service.jobs.training.training_labels import read_label_file
from service.jobs.training.version import effective_windows
from service.members.training_windows import TimeSpan, TrainingWindows
from service.settings import Settings
from tests.service.jobs.world import at

SENSORS = ("motor\\speed", "motor\\flow")
YES, NO = (1, 0.9, 0.8), (0, 0.1, 0.5)


def span(start: str, end: str) -> TimeSpan:
    return TimeSpan(start=Decimal(at(start)), end=Decimal(at(end)))


def moment(text: str) -> np.datetime64:
    return np.datetime64(text, "us")


@pytest.mark.parametrize(
    "text",
    [
        "2020-02-01T20:00:00.000000,2020-02-03T00:00:00.000000\n",
        "start,end\r\n2020-02-01T20:00:00,2020-02-03T00:00:00\r\n",
        "\ufeff2020-02-01 20:00:00, 2020-02-03 00:00:00\n\n",
        "2/1/2020 20:00,2/3/2020 0:00",
        '"2020-02-01T20:00:00","2020-02-03T00:00:00"\n',
    ],
)
def test_label_files_are_read_in_every_documented_form(text: str) -> None:
    found = read_label_file("f", text.encode())
    assert found.rated("ANOMALY") == [(moment("2020-02-01T20:00"), moment("2020-02-03T00:00"))]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "2020-01-01T00:00:00,2020-01-02T00:00:00,pump\n",
            [
                "label file 's3://b/l.csv', line 1",
                "'2020-01-01T00:00:00,2020-01-02T00:00:00,pump' has 3 columns",
            ],
        ),
        ("a,b\n2020-01-01\n", ["line 2", "'2020-01-01' has 1 column,"]),
        ("2020-01-01,2020-01-02\nsoon,2020-01-02\n", ["line 2", "'soon' is not a timestamp"]),
        ("2020-01-01,never\n", ["line 1", "'never' is not a timestamp"]),
        ("start,end\n2020-01-01,2020-01-02\nstart,end\n", ["line 3", "'start' is not a timestamp"]),
        (
            "2020-01-02T00:00:00,2020-01-01T00:00:00\n",
            ["line 1", "the end '2020-01-01T00:00:00' lies before the start '2020-01-02T00:00:00'"],
        ),
    ],
)
def test_a_wrong_label_file_names_file_line_rule_and_fix(text: str, parts: list[str]) -> None:
    with pytest.raises(JobFailed) as failed:
        read_label_file("s3://b/l.csv", text.encode())
    rule = "each line is '<start>,<end>', for example '2020-02-01T20:00:00.000000,2020-02-03T00:00:00.000000'"
    for part in [*parts, rule, "correct the file and create the model again"]:
        assert part in failed.value.reason


def test_overlapping_labels_are_joined() -> None:
    days = [moment(f"2020-01-{day:02d}") for day in range(1, 8)]
    assert merge_intervals([(days[4], days[5]), (days[1], days[3]), (days[0], days[2])]) == [
        (days[0], days[3]),
        (days[4], days[5]),
    ]


def scores(start: str, *rows: tuple[int, float, float], step: int = 60, off: tuple[int, ...] = ()) -> Scores:
    """Rows of (prediction, score, share of the first sensor)."""
    count = len(rows)
    return Scores(
        times=moment(start) + np.arange(count) * np.timedelta64(step, "s"),
        off=np.isin(np.arange(count), off),
        score=np.array([row[1] for row in rows]),
        prediction=np.array([row[0] for row in rows], dtype=np.int8),
        contributions=np.array([(row[2], 1 - row[2]) for row in rows], dtype=np.float32),
        state=b"",
    )


def test_result_lines_byte_for_byte() -> None:
    found = "".join(
        lines(
            scores("2026-11-20T10:06", (0, 0.3, 0.5), (0, 0.21503, 0.5), (1, 0.72385, 0.81234), off=(0,)),
            SENSORS,
        )
    )
    assert found == (
        '{"timestamp": "2026-11-20T10:06:00.000000", "prediction": 0, "prediction_reason": "MACHINE_OFF"}\n'
        '{"timestamp": "2026-11-20T10:07:00.000000", "prediction": 0, '
        '"prediction_reason": "NO_ANOMALY_DETECTED", '
        '"anomaly_score": 0.21503, "diagnostics": [{"name": "motor\\\\speed", "value": 0.5}, '
        '{"name": "motor\\\\flow", "value": 0.5}]}\n'
        '{"timestamp": "2026-11-20T10:08:00.000000", "prediction": 1, '
        '"prediction_reason": "ANOMALY_DETECTED", '
        '"anomaly_score": 0.72385, "diagnostics": [{"name": "motor\\\\speed", "value": 0.81234}, '
        '{"name": "motor\\\\flow", "value": 0.18766}]}\n'
    )


def test_result_lines_are_python_and_json() -> None:
    found = list(
        lines(
            scores("2026-11-20T10:06:00.123456", (1, 1.0, 0.000001), (0, 0.0, 1.0), (1, 0.5, 1 / 3)), SENSORS
        )
    )
    for line in found:
        assert eval(line) == json.loads(line)  # noqa: S307 - what AWS's SDK does
        assert line.endswith("\n")
    assert datetime.strptime(json.loads(found[1])["timestamp"], "%Y-%m-%dT%H:%M:%S.%f")  # noqa: DTZ007 - the SDK's way
    assert json.loads(found[2])["diagnostics"][0]["value"] == 0.33333


def evaluation(**changes: Any) -> Evaluation:
    shares = np.array([0.75, 0.25], dtype=np.float32)
    found = Range(
        start=moment("2019-08-08T00:42"), end=moment("2019-08-08T01:48"), contributions=shares, rows=67
    )
    return replace(
        Evaluation(
            labeled=((moment("2019-08-08"), moment("2019-08-09")),),
            predicted=(found,),
            identified=1,
            warning_seconds=83_880.0,
            unknown=0,
            unknown_seconds=0.0,
            precision=1.0,
            recall=1.0,
            mean_fractional_lead_time=0.97,
            auc=0.93,
        ),
        **changes,
    )


def false_alarms(*, hours: float) -> Evaluation:
    """The fault found for 66 minutes, and a false alarm of so many hours."""
    found = evaluation()
    start = moment("2019-09-01")
    false = replace(found.predicted[0], start=start, end=start + np.timedelta64(int(hours * 3600), "s"))
    return replace(found, predicted=(*found.predicted, false), unknown=1, unknown_seconds=hours * 3600)


EVALUATED = {"start": datetime(2019, 8, 1), "end": datetime(2019, 10, 27)}  # noqa: DTZ001 - naive UTC


def test_metrics_document_with_labels() -> None:
    assert model_metrics(evaluation(), sensors=SENSORS, **EVALUATED) == (
        '{"labeled_ranges":[{"start":"2019-08-08T00:00:00.000000","end":"2019-08-09T00:00:00.000000"}],'
        '"labeled_event_metrics":{"num_labeled":1,"num_identified":1,"total_warning_time_in_seconds":83880.0},'
        '"predicted_ranges":[{"start":"2019-08-08T00:42:00.000000","end":"2019-08-08T01:48:00.000000",'
        '"diagnostics":[{"name":"motor\\\\speed","value":0.75},{"name":"motor\\\\flow","value":0.25}]}],'
        '"unknown_event_metrics":{"num_identified":0,"total_duration_in_seconds":0.0},'
        '"data_start_time":"2019-08-01","data_end_time":"2019-10-27","labels_present":true,'
        '"model_version_metrics":{"precision":1.0,"recall":1.0,"mean_fractional_lead_time":0.97,"auc":0.93}}'
    )


def test_an_event_of_the_metrics_says_how_it_went_and_how_sure_it_is() -> None:
    found = evaluation()
    event = Summary(event=found.predicted[0], text="flow fell, 66 min", peak=0.87654, alarmed=0.5)
    document = json.loads(model_metrics(found, sensors=SENSORS, **EVALUATED, events=[event]))
    assert document["events"] == [
        {
            "start": "2019-08-08T00:42:00.000000",
            "end": "2019-08-08T01:48:00.000000",
            "summary": "flow fell, 66 min",
            "peak_score": 0.877,
            "alarmed_share": 0.5,
        }
    ]


def documented(name: str, value: object) -> bool:
    """Return whether the page of the metrics names a member of the document, and the members of it."""
    page = (Path(__file__).resolve().parents[3] / "docs" / "model-metrics.md").read_text(encoding="utf-8")
    members = value if isinstance(value, dict) else ()
    return f"`{name}" in page and all(f"`{name}.{member}`" in page for member in members)


def test_every_member_of_the_metrics_is_on_their_page() -> None:
    document = json.loads(model_metrics(evaluation(), sensors=SENSORS, **EVALUATED, label_report={}))
    assert [name for name, value in document.items() if not documented(name, value)] == []


def test_metrics_document_without_labels() -> None:
    empty = evaluation(
        labeled=(),
        identified=0,
        warning_seconds=0.0,
        unknown=1,
        unknown_seconds=3960.0,
        precision=None,
        recall=None,
        mean_fractional_lead_time=None,
        auc=None,
    )
    found = json.loads(model_metrics(empty, sensors=SENSORS, **EVALUATED))
    assert found["labeled_ranges"] == []
    assert found["labeled_event_metrics"] == {
        "num_labeled": 0,
        "num_identified": 0,
        "total_warning_time_in_seconds": 0,
    }
    assert found["unknown_event_metrics"] == {"num_identified": 1, "total_duration_in_seconds": 3960.0}
    assert found["labels_present"] is False
    assert "model_version_metrics" not in found


@pytest.mark.parametrize(
    ("label", "inside"),
    [
        (("2026-01-01T10:00:10", "2026-01-01T10:02"), ("2026-01-01T10:00:30", "2026-01-01T10:02")),
        (("2026-01-01T10:01", "2026-01-01T10:03:10"), ("2026-01-01T10:01", "2026-01-01T10:02:30")),
        (("2026-01-01T09:59", "2026-01-01T10:02"), None),
        (("2026-01-01T10:01", "2026-01-01T10:04"), None),
        (("2026-01-01T10:00:00", "2026-01-01T10:00:10"), None),
    ],
)
def test_labels_inside_the_window_are_cut_to_its_rows(
    label: tuple[str, str], inside: tuple[str, str] | None
) -> None:
    """Rows from 10:00:30 to 10:02:30 of a window from 10:00:00 to 10:03:20."""
    window = span("2026-01-01T10:00", "2026-01-01T10:03:20")
    rows = scores("2026-01-01T10:00:30", *[NO] * 3)
    found = labels_inside([(moment(label[0]), moment(label[1]))], window, rows)
    assert found == ([] if inside is None else [(moment(inside[0]), moment(inside[1]))])


@pytest.mark.parametrize(
    ("found", "quality"),
    [
        (None, "CANNOT_DETERMINE_QUALITY"),
        (evaluation(labeled=()), "CANNOT_DETERMINE_QUALITY"),
        (evaluation(), "QUALITY_THRESHOLD_MET"),
        (evaluation(auc=None, precision=None), "QUALITY_THRESHOLD_MET"),
        (evaluation(recall=0.49), "POOR_QUALITY_DETECTED"),
        (evaluation(precision=0.09), "QUALITY_THRESHOLD_MET"),
        (false_alarms(hours=9.8), "QUALITY_THRESHOLD_MET"),
        (false_alarms(hours=10), "POOR_QUALITY_DETECTED"),
        (evaluation(auc=0.59), "POOR_QUALITY_DETECTED"),
    ],
)
def test_quality(found: Evaluation | None, quality: str) -> None:
    assert model_quality(found, settings=Settings()) == quality


MINUTE = timedelta(minutes=1)


def recorded(found: Followed, step: timedelta = MINUTE) -> list[tuple[str, str]]:
    return [(f"{one.start:%H:%M}", f"{one.end:%H:%M}") for one in found.events if one.recorded(step)]


def test_only_events_longer_than_five_minutes_are_recorded() -> None:
    short = follow(scores("2026-01-01T10:01", *[YES] * 6), before=None, step=MINUTE)
    assert recorded(short) == []
    longer = follow(scores("2026-01-01T10:01", *[YES] * 7), before=None, step=MINUTE)
    assert recorded(longer) == [("10:01", "10:07")]


def test_an_event_continues_across_executions() -> None:
    first = follow(scores("2026-01-01T10:01", NO, YES, YES, YES, YES), before=None, step=MINUTE)
    assert first.open is not None
    open_event = InferenceEvent.from_json(json.loads(json.dumps(first.open.to_json())))
    second = follow(scores("2026-01-01T10:06", YES, YES, YES, NO, YES), before=open_event, step=MINUTE)
    assert recorded(second) == [("10:02", "10:08")]
    assert second.open is not None
    assert f"{second.open.start:%H:%M}" == "10:10"
    summary = event_members(second.events[0], sensors=SENSORS, step=MINUTE, fault=None)
    assert summary["EventDurationInSeconds"] == 360
    assert float(summary["EventStartTime"]) == at("2026-01-01T10:02")
    assert summary["Diagnostics"] == (
        '[{"name": "motor\\\\speed", "value": 0.8}, {"name": "motor\\\\flow", "value": 0.2}]'
    )


def test_a_normal_row_and_a_gap_end_an_event() -> None:
    split = follow(scores("2026-01-01T10:01", *[YES] * 7, NO, *[YES] * 8), before=None, step=MINUTE)
    assert recorded(split) == [("10:01", "10:07"), ("10:09", "10:16")]
    before = split.events[0]
    later = follow(scores("2026-01-01T10:13", *[YES] * 7), before=before, step=MINUTE)
    assert recorded(later) == [("10:01", "10:07"), ("10:13", "10:19")]


@pytest.mark.parametrize(
    ("rows", "last", "seconds"), [(1, "10:00", 600), (2, "10:10", 1200), (3, "10:20", 1800)]
)
def test_an_event_of_a_coarse_model_lasts_a_step_for_each_row(rows: int, last: str, seconds: int) -> None:
    step = timedelta(minutes=10)
    found = follow(scores("2026-01-01T10:00", *[YES] * rows, NO, step=600), before=None, step=step)
    assert recorded(found, step) == [("10:00", last)]
    assert (
        event_members(found.events[0], sensors=SENSORS, step=step, fault=None)["EventDurationInSeconds"]
        == seconds
    )


DATA = span("2020-01-01", "2020-03-01")


def spans(
    training: tuple[str | None, str | None], evaluation: tuple[str | None, str | None] = (None, None)
) -> TrainingWindows:
    asked = {
        "TrainingDataStartTime": training[0],
        "TrainingDataEndTime": training[1],
        "EvaluationDataStartTime": evaluation[0],
        "EvaluationDataEndTime": evaluation[1],
    }
    times = {name: Decimal(at(text)) for name, text in asked.items() if text is not None}
    return effective_windows({"DatasetName": "pump", **times}, data=DATA, minimum_days=14)


def test_windows_are_cut_to_the_data() -> None:
    assert spans((None, None)) == TrainingWindows(training=DATA, evaluation=None)
    found = spans(("2019-01-01", "2020-02-01"), ("2020-02-01", "2021-01-01"))
    assert found.training == span("2020-01-01", "2020-02-01")
    assert found.evaluation == span("2020-02-01", "2020-03-01")


def test_without_a_training_window_the_data_before_the_evaluation_trains() -> None:
    assert spans((None, None), ("2020-02-01", "2020-02-02")).training == span("2020-01-01", "2020-02-01")


@pytest.mark.parametrize(
    ("training", "evaluation", "message"),
    [
        (
            ("2021-01-01", "2021-06-01"),
            (None, None),
            (
                "the training window 2021-01-01T00:00:00Z to 2021-06-01T00:00:00Z has no data: the sensors "
                "of the model have data in dataset 'pump' from 2020-01-01T00:00:00Z to "
                "2020-03-01T00:00:00Z; choose a training window inside that range"
            ),
        ),
        (
            (None, "2020-02-01"),
            ("2020-03-05", "2020-04-01"),
            "the evaluation window 2020-03-05T00:00:00Z to 2020-04-01T00:00:00Z has no data",
        ),
        (
            ("2020-02-25", "2020-04-01"),
            (None, None),
            (
                "the training window has 5.00 days of data (2020-02-25T00:00:00Z to 2020-03-01T00:00:00Z), "
                "but a model needs at least 14 days"
            ),
        ),
    ],
)
def test_an_empty_or_short_window_says_what_the_data_has(
    training: tuple[str, str], evaluation: tuple[str, str], message: str
) -> None:
    with pytest.raises(JobFailed) as failed:
        spans(training, evaluation)
    assert message in failed.value.reason
