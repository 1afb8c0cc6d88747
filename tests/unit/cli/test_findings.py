"""The service's documents as the CLI reads them, and the picture made of them."""

import json
from pathlib import Path

import numpy as np
import pytest

from l4e_cli.demo.findings import Evaluation, Scored, combined_shares
from l4e_cli.demo.picture import DemoResults, LiveInference, draw
from l4e_cli.demo.recording import ComponentRecording, Recording
from l4e_cli.interval import Interval

MINUTE = np.timedelta64(1, "m")


def line(minute: int, score: float | None) -> str:
    row: dict[str, object] = {"timestamp": f"2026-01-01T00:{minute:02d}:00.000000", "prediction": 0}
    if score is not None:
        row["prediction"] = int(score > 0.5)
        row["anomaly_score"] = score
        row["diagnostics"] = [{"name": "p\\A", "value": 0.75}, {"name": "p\\B", "value": 0.25}]
    return json.dumps(row)


def test_anomalous_rows_that_follow_each_other_are_one_range() -> None:
    scores = [0.1, 0.9, 0.8, None, 0.9, 0.2, 0.7]
    scored = Scored.from_lines(
        [line(minute, score) for minute, score in enumerate(scores)] + [line(9, 0.9), ""]
    )
    periods = [
        (str(found.period.start)[14:16], str(found.period.end)[14:16]) for found in scored.ranges(MINUTE)
    ]
    assert periods == [("01", "02"), ("04", "04"), ("06", "06"), ("09", "09")]
    assert scored.ranges(MINUTE)[0].top == [("p\\A", 0.75), ("p\\B", 0.25)]


def test_lines_may_come_in_any_order_and_with_the_machine_off() -> None:
    scored = Scored.from_lines([line(2, 0.9), line(1, None)])
    assert scored.anomalous.tolist() == [False, True]
    assert np.isnan(scored.scores).tolist() == [True, False]
    assert Scored.from_lines([line(1, None)]).ranges(MINUTE) == []


def metrics(labels: list[tuple[str, str]], ranges: list[tuple[str, str, float]]) -> Evaluation:
    document = {
        "labeled_ranges": [{"start": start, "end": end} for start, end in labels],
        "labeled_event_metrics": {
            "num_labeled": len(labels),
            "num_identified": len(labels),
            "total_warning_time_in_seconds": 60.0,
        },
        "predicted_ranges": [
            {
                "start": start,
                "end": end,
                "diagnostics": [{"name": "p\\A", "value": a}, {"name": "p\\B", "value": 1 - a}],
            }
            for start, end, a in ranges
        ],
        "unknown_event_metrics": {"num_identified": 0, "total_duration_in_seconds": 0.0},
    }
    return Evaluation.from_metrics(json.dumps(document))


def test_events_are_read_where_the_service_has_them() -> None:
    document = {
        "labeled_ranges": [],
        "labeled_event_metrics": {"num_labeled": 0, "num_identified": 0, "total_warning_time_in_seconds": 0},
        "predicted_ranges": [],
        "unknown_event_metrics": {"num_identified": 0, "total_duration_in_seconds": 0},
        "events": [{"start": "2026-01-01T01:00:00", "end": "2026-01-01T02:00:00", "summary": "A rose"}],
    }
    (event,) = Evaluation.from_metrics(json.dumps(document)).events
    assert (str(event.period.start)[11:16], str(event.period.end)[11:16], event.summary) == (
        "01:00",
        "02:00",
        "A rose",
    )
    assert metrics([], []).events == ()


DAY = "2026-01-01T"


@pytest.mark.parametrize(
    ("labels", "ranges", "start"),
    [
        ([], [], None),
        ([], [("01:00", "01:05", 1.0), ("02:00", "03:00", 1.0)], "02:00"),
        ([("05:00", "06:00")], [("01:00", "04:00", 1.0), ("05:10", "05:20", 1.0)], "05:00"),
        (
            [("05:00", "06:00"), ("07:00", "08:00")],
            [("05:10", "05:20", 1.0), ("07:00", "09:00", 1.0)],
            "07:00",
        ),
        ([("05:00", "06:00")], [("01:00", "04:00", 1.0)], "01:00"),
    ],
)
def test_the_main_event(
    labels: list[tuple[str, str]], ranges: list[tuple[str, str, float]], start: str | None
) -> None:
    evaluation = metrics(
        [(DAY + a, DAY + b) for a, b in labels], [(DAY + a, DAY + b, share) for a, b, share in ranges]
    )
    event = evaluation.main_event()
    assert (event and str(event.start)[11:16]) == start


def test_shares_are_weighted_by_length() -> None:
    evaluation = metrics([], [(DAY + "01:00", DAY + "01:59:59", 1.0), (DAY + "03:00", DAY + "05:59:59", 0.0)])
    assert combined_shares(evaluation.ranges) == [("p\\B", 0.75), ("p\\A", 0.25)]


@pytest.mark.parametrize("found", [True, False])
def test_a_picture_is_drawn_whatever_was_found(tmp_path: Path, *, found: bool) -> None:
    times = np.datetime64("2026-01-01T00:00", "ms") + np.arange(60) * MINUTE
    part = ComponentRecording(
        name="p", sensors=("A", "B"), times=times, values=np.random.default_rng(0).normal(size=(60, 2))
    )
    window = Interval(start=times[0], end=times[-1])
    result = Scored.from_lines([line(minute, 0.9 if found else None) for minute in range(10)])
    ranges = [(DAY + "00:10", DAY + "00:20", 0.7)] if found else []
    results = DemoResults(
        asset="p",
        recording=Recording(components=(part,), labels=(window,) if found else ()),
        window=window,
        evaluation=metrics([(DAY + "00:05", DAY + "00:25")] if found else [], ranges),
        scores=result if found else None,
        live=LiveInference(recording=Recording(components=(part,)), result=result, window=window),
        step=MINUTE,
    )
    path = tmp_path / "new" / "picture.png"
    draw(results, path)
    assert path.read_bytes().startswith(b"\x89PNG")
