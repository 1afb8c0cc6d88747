"""What the demo says of its findings, as a person reads it."""

import datetime as dt
import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from l4e_cli.demo import report
from l4e_cli.demo.findings import Evaluation, PredictedRange, SummarisedEvent
from l4e_cli.demo.recording import ComponentRecording, Recording
from l4e_cli.interval import Interval
from l4e_cli.terminal import Terminal


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def terminal(written: io.StringIO) -> Terminal:
    return Terminal(out=Console(file=written, highlight=False, soft_wrap=True))


def ranges(*minutes: int) -> list[PredictedRange]:
    """One range an hour, of so many minutes each."""
    first = np.datetime64("2026-01-01T00:00", "ms")
    starts = [first + np.timedelta64(hour, "h") for hour in range(len(minutes))]
    return [
        PredictedRange(
            period=Interval(start=start, end=start + np.timedelta64(length, "m")),
            shares={"p\\A": 0.25, "p\\B": 0.75},
        )
        for start, length in zip(starts, minutes, strict=True)
    ]


def test_an_event_is_shown_by_its_time_and_its_sensors(terminal: Terminal, written: io.StringIO) -> None:
    zone = dt.timezone(dt.timedelta(hours=1))
    event = {
        "EventStartTime": dt.datetime(2026, 1, 1, 1, 30, tzinfo=zone),
        "EventEndTime": dt.datetime(2026, 1, 1, 2, 15, tzinfo=zone),
        "Diagnostics": '[{"name": "p\\\\A", "value": 0.25}, {"name": "p\\\\B", "value": 0.75}]',
    }
    report.show_events(terminal, [PredictedRange.of_event(event)])
    assert written.getvalue() == "  event: 2026-01-01 00:30:00 to 01:15:00 (45 min), p\\B 75%, p\\A 25%\n"


def test_no_event_says_what_would_be_one(terminal: Terminal, written: io.StringIO) -> None:
    report.show_events(terminal, [])
    assert written.getvalue() == "  events: none yet, an event is an anomaly of more than five minutes\n"


def test_of_many_anomalies_the_longest_are_shown_in_order(terminal: Terminal, written: io.StringIO) -> None:
    report.show_anomalies(terminal, ranges(5, 0, 6, 7, 8, 0, 9, 10, 11, 12), rows=600)
    lines = written.getvalue().splitlines()
    shown = [line.split(" to ")[1][:8] for line in lines if "anomalous:" in line]
    assert shown == [
        "00:05:00",
        "02:06:00",
        "03:07:00",
        "04:08:00",
        "06:09:00",
        "07:10:00",
        "08:11:00",
        "09:12:00",
    ]
    assert lines[-1] == "  and 2 shorter ones"


def evaluation(*events: SummarisedEvent) -> Evaluation:
    """Two short ranges of which the first lies in a label."""
    found = tuple(ranges(5, 7))
    return Evaluation(
        labels=(found[0].period,),
        ranges=found,
        identified=1,
        warning_seconds=300.0,
        unknown=1,
        unknown_seconds=420.0,
        events=events,
    )


WINDOW = Interval(start=np.datetime64("2026-01-01", "ms"), end=np.datetime64("2026-02-01", "ms"))


def test_events_of_the_evaluation_are_shown_as_sentences(terminal: Terminal, written: io.StringIO) -> None:
    period = Interval(start=ranges(5)[0].period.start, end=ranges(5, 7)[1].period.end)
    event = SummarisedEvent(
        period=period, summary="A fell below what the other sensors predict, 67 min (75 %)"
    )
    report.show_evaluation(terminal, evaluation(event), WINDOW)
    lines = written.getvalue().splitlines()
    assert lines[-1].split(")", 1)[1].split() == ["fault", *event.summary.split()]
    assert lines[-1].startswith("  2026-01-01 00:00:00 to 01:07:00 (1.1 h)")
    assert not any("75%" in line for line in lines), "the ranges are not listed beside the events"


def test_without_sentences_the_ranges_are_listed(terminal: Terminal, written: io.StringIO) -> None:
    report.show_evaluation(terminal, evaluation(), WINDOW)
    first, second = written.getvalue().splitlines()[-2:]
    assert first.endswith("fault  p\\B 75%, p\\A 25%")
    assert second.endswith("       p\\B 75%, p\\A 25%")


def test_what_the_metrics_had_no_room_for_is_said(terminal: Terminal, written: io.StringIO) -> None:
    found = replace(evaluation(), labels_left_out=3, ranges_left_out=40)
    report.show_evaluation(terminal, found, WINDOW)
    text = written.getvalue()
    assert "labelled faults found: 1 of 4" in text
    assert "  40 anomalous periods beside the longest 2 left out of ModelMetrics, which has no room" in text


def test_nothing_anomalous(terminal: Terminal, written: io.StringIO) -> None:
    report.show_anomalies(terminal, [], rows=1)
    assert written.getvalue() == "  1 row, none anomalous\n"


def test_sensors_that_the_model_goes_without_are_named(terminal: Terminal, written: io.StringIO) -> None:
    times = np.array(["2026-01-01"], dtype="datetime64[us]")
    part = ComponentRecording(name="p", sensors=("A",), times=times, values=np.ones((1, 1)))
    report.show_history(terminal, Recording(components=(part,)), where="s3://b/h/", left_out=["p\\B"])
    assert written.getvalue().splitlines() == [
        "✓ history uploaded: 1 row, 1 sensor, 0 labelled faults, to s3://b/h/",
        "  p\\B left out: it has no value for training or none for the evaluation",
    ]
