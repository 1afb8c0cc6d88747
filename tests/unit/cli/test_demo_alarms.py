"""Alarms in a demo, which may change a moment after the execution that they are about."""

import io
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from rich.console import Console

from l4e_cli.demo import live, report
from l4e_cli.demo.live import Alarm, wait_for_alarms
from l4e_cli.terminal import Terminal

EXPECTED = {"InferenceSucceeded": "OK", "AnomalyDetected": "ALARM"}


class FakeCloudWatch:
    """Has the alarms of a scheduler and one of another; what was seen last stays."""

    def __init__(self, looks: Sequence[tuple[str, str]]) -> None:
        self.left = list(looks)
        self.asked = 0

    def get_paginator(self, _operation: str) -> "FakeCloudWatch":
        return self

    def paginate(self, **_: Any) -> Iterator[Any]:
        self.asked += 1
        succeeded, anomaly = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        yield {"MetricAlarms": [alarm("other", "InferenceSucceeded", "INSUFFICIENT_DATA")]}
        yield {"MetricAlarms": [alarm("s", "InferenceSucceeded", succeeded)]}
        yield {"MetricAlarms": [alarm("s", "AnomalyDetected", anomaly), {"AlarmName": "of a formula"}]}


def alarm(scheduler: str, metric: str, state: str) -> dict[str, Any]:
    dimensions = [{"Name": "InferenceSchedulerName", "Value": scheduler}]
    return {
        "AlarmName": f"{scheduler}-{metric}",
        "MetricName": metric,
        "StateValue": state,
        "Dimensions": dimensions,
    }


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that goes on by what is slept."""
    now = [0.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(live.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def test_alarms_are_awaited(slept: list[float]) -> None:
    new = ("INSUFFICIENT_DATA", "INSUFFICIENT_DATA")
    watch: Any = FakeCloudWatch([new, ("OK", "INSUFFICIENT_DATA"), ("OK", "ALARM")])
    found = wait_for_alarms(watch, "s", EXPECTED)
    assert [(each.name, each.state) for each in found] == [
        ("s-InferenceSucceeded", "OK"),
        ("s-AnomalyDetected", "ALARM"),
    ]
    assert (watch.asked, slept[0] > 0) == (3, True)


def test_an_alarm_of_which_nothing_is_expected_is_not_awaited() -> None:
    watch: Any = FakeCloudWatch([("OK", "INSUFFICIENT_DATA")])
    wait_for_alarms(watch, "s", {"InferenceSucceeded": "OK"})
    assert watch.asked == 1


def test_alarms_that_stay_as_they_are_are_returned_and_told(slept: list[float]) -> None:
    watch: Any = FakeCloudWatch([("OK", "INSUFFICIENT_DATA")])
    found = wait_for_alarms(watch, "s", EXPECTED)
    assert slept[0] > live.ALARM_SECONDS
    written = io.StringIO()
    report.show_alarms(Terminal(out=Console(file=written, soft_wrap=True)), found, EXPECTED)
    assert written.getvalue() == (
        "\nAlarms\n"
        "  OK                 s-InferenceSucceeded\n"
        "  INSUFFICIENT_DATA  s-AnomalyDetected  (still not ALARM 30 s after inference)\n"
    )


def test_nothing_is_said_of_alarms_as_expected() -> None:
    written = io.StringIO()
    raised = [Alarm(name="a", metric="AnomalyDetected", state="ALARM")]
    report.show_alarms(Terminal(out=Console(file=written, soft_wrap=True)), raised, EXPECTED)
    assert written.getvalue() == "\nAlarms\n  ALARM              a\n"
