"""When alarms notify: not of a first deployment, but of a scheduler that stops later."""

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from canonical import imported_service, resources, synthesised
from cloudwatch_alarm import PlayedAlarm

from constructs_l4e import AlarmThresholds, Executions, InferenceScheduler, SchedulerAlarms

SILENCE = [None] * 20
"""An hour and a half without an execution: of a training, or of a scheduler that stopped."""
Points = Sequence[float | None]


@pytest.fixture(scope="module")
def alarms() -> dict[str, dict[str, Any]]:
    """Properties of all alarms by metric; they notify when they are raised."""

    def build(scope: cdk.Stack) -> None:
        scheduler = InferenceScheduler.from_inference_scheduler_attributes(
            scope,
            "Scheduler",
            service=imported_service(scope),
            inference_scheduler_name="line-4",
            model_name="tuned",
            data_upload_frequency="PT5M",
        )
        SchedulerAlarms(
            scope,
            "Alarms",
            scheduler=scheduler,
            thresholds=AlarmThresholds(
                failed=Executions(count=2),
                invalid_input=Executions(count=1),
                fault_began=Executions(count=1),
                level_moved=Executions(count=1),
                warning=Executions(count=1),
            ),
            actions=[actions.SnsAction(sns.Topic(scope, "Operators"))],
        )

    found = resources(synthesised(build), "AWS::CloudWatch::Alarm").values()
    return {each["Properties"]["MetricName"]: each["Properties"] for each in found}


@pytest.mark.parametrize(
    ("points", "notified", "state"),
    [
        pytest.param(SILENCE, [], "INSUFFICIENT_DATA", id="deployed"),
        pytest.param([*SILENCE, 1, 1, 1], [], "OK", id="first results"),
        pytest.param([*SILENCE, 0, 0, 0], ["ALARM"], "ALARM", id="failures from the first"),
        pytest.param([1, 1, 0, 0, 0, 0], ["ALARM"], "ALARM", id="failures later"),
        pytest.param([1, 1, 0, 1, 1, 0, 0, 1], [], "OK", id="some failures"),
        pytest.param([1, 1, None, 1, None, None, 1], [], "OK", id="late results"),
        pytest.param([1, 1, *SILENCE], ["INSUFFICIENT_DATA"], "INSUFFICIENT_DATA", id="stopped"),
        pytest.param([1, 1, *SILENCE, 1, 1], ["INSUFFICIENT_DATA"], "OK", id="started again"),
        pytest.param(
            [1, 1, *SILENCE, 1, *SILENCE], ["INSUFFICIENT_DATA"] * 2, "INSUFFICIENT_DATA", id="stopped twice"
        ),
    ],
)
def test_missing_results(
    alarms: dict[str, dict[str, Any]], points: Points, notified: list[str], state: str
) -> None:
    alarm = PlayedAlarm(alarms["InferenceSucceeded"])
    alarm.play(points)

    assert (alarm.notified, alarm.state) == (notified, state)


@pytest.mark.parametrize(
    ("metric", "count"),
    [
        ("AnomalyDetected", 1),
        ("InferenceFailed", 2),
        ("InferenceInvalidInput", 1),
        ("FaultBegan", 1),
        ("LevelMoved", 1),
        ("InferenceWarning", 1),
    ],
)
def test_what_is_sent_only_when_it_is_not_zero(
    alarms: dict[str, dict[str, Any]], metric: str, count: int
) -> None:
    alarm = PlayedAlarm(alarms[metric])
    alarm.play(SILENCE)
    assert (alarm.notified, alarm.state) == ([], "OK")
    alarm.play([1] * count)
    assert (alarm.notified, alarm.state) == (["ALARM"], "ALARM")
    alarm.play(SILENCE)
    assert (alarm.notified, alarm.state) == (["ALARM"], "OK")


def test_with_missing_results_as_breaching_every_deployment_would_notify(
    alarms: dict[str, dict[str, Any]],
) -> None:
    alarm = PlayedAlarm({**alarms["InferenceSucceeded"], "TreatMissingData": "breaching"})
    alarm.play(SILENCE)

    assert alarm.notified == ["ALARM"]
