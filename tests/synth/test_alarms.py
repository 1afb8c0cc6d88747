"""SchedulerAlarms: which there are, when they are raised, and what they do."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from canonical import imported_scheduler, imported_service, resources, stack, synthesised, template

from constructs_l4e import AlarmThresholds, Executions, InferenceScheduler, SchedulerAlarms


def alarms(**props: Any) -> dict[str, dict[str, Any]]:
    """Properties of the alarms by the name of their metric."""

    def build(scope: cdk.Stack) -> None:
        SchedulerAlarms(scope, "Alarms", scheduler=imported_scheduler(scope), **props)

    found = resources(synthesised(build), "AWS::CloudWatch::Alarm").values()
    return {each["Properties"]["MetricName"]: each["Properties"] for each in found}


EVERY = AlarmThresholds(
    failed=Executions(count=2),
    invalid_input=Executions(count=1),
    fault_began=Executions(count=1),
    level_moved=Executions(count=1),
    warning=Executions(count=4),
)


def test_default_alarms() -> None:
    """One about the equipment, one about its monitoring: each costs as much as a third of a metric."""
    assert set(alarms()) == {"InferenceSucceeded", "AnomalyDetected"}


def test_every_alarm() -> None:
    found = alarms(thresholds=EVERY)
    shared = {"Period": 900, "Threshold": 1, "Statistic": "Sum", "Namespace": "LookoutEquipment"}
    expected = {
        "InferenceSucceeded": (3, "LessThanThreshold", "missing"),
        "AnomalyDetected": (1, "GreaterThanOrEqualToThreshold", "notBreaching"),
        "InferenceFailed": (2, "GreaterThanOrEqualToThreshold", "notBreaching"),
        "InferenceInvalidInput": (1, "GreaterThanOrEqualToThreshold", "notBreaching"),
        "FaultBegan": (1, "GreaterThanOrEqualToThreshold", "notBreaching"),
        "LevelMoved": (1, "GreaterThanOrEqualToThreshold", "notBreaching"),
        "InferenceWarning": (4, "GreaterThanOrEqualToThreshold", "notBreaching"),
    }

    assert set(found) == set(expected)
    for metric, (count, comparison, missing) in expected.items():
        alarm = found[metric]
        assert shared.items() <= alarm.items()
        assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (count, count)
        assert (alarm["ComparisonOperator"], alarm["TreatMissingData"]) == (comparison, missing)
        assert "AlarmName" not in alarm
        assert alarm["AlarmDescription"].startswith("line-4: ")


def test_thresholds() -> None:
    found = alarms(thresholds=AlarmThresholds(failed=Executions(count=2, out_of=4), anomaly=None))

    assert set(found) == {"InferenceFailed", "InferenceSucceeded"}
    failed = found["InferenceFailed"]
    assert (failed["DatapointsToAlarm"], failed["EvaluationPeriods"]) == (2, 4)


def test_how_many_executions_raise_the_alarms_that_there_are() -> None:
    scope = stack()
    made = SchedulerAlarms(
        scope,
        "Alarms",
        scheduler=imported_scheduler(scope, running=False),
        thresholds=AlarmThresholds(failed=Executions(count=2, out_of=4)),
    )

    assert made.executions == {"anomaly": Executions(count=1), "failed": Executions(count=2, out_of=4)}


def no_success_id(scope: cdk.Stack | None = None, **changes: str) -> str:
    """Logical id of the alarm on missing results."""
    target = scope or stack()
    props = {
        "inference_scheduler_name": "line-4",
        "model_name": "tuned",
        "data_upload_frequency": "PT15M",
        **changes,
    }
    service = imported_service(target)
    found = InferenceScheduler.from_inference_scheduler_attributes(
        target, "Imported", service=service, **props
    )
    SchedulerAlarms(target, "Alarms", scheduler=found, thresholds=AlarmThresholds(anomaly=None))
    (made,) = resources(template(target), "AWS::CloudWatch::Alarm")
    return made


def test_another_scheduler_or_period_gets_another_alarm_on_missing_results() -> None:
    """A changed alarm keeps its state: it would find no results of the new scheduler, and notify."""
    ids = [
        no_success_id(),
        no_success_id(inference_scheduler_name="line-5"),
        no_success_id(data_upload_frequency="PT1H"),
    ]

    assert len(set(ids)) == len(ids)
    assert no_success_id(model_name="other") == ids[0]


def test_a_name_known_in_the_deployment_only() -> None:
    ids = []
    for parameter in ("First", "Second"):
        scope = stack()
        name = cdk.CfnParameter(scope, parameter).value_as_string
        ids.append(no_success_id(scope, inference_scheduler_name=name))

    assert ids[0] == ids[1]


def test_an_alarm_on_warnings_is_raised_if_asked_for() -> None:
    alarm = alarms(thresholds=AlarmThresholds(warning=Executions(count=2)))["InferenceWarning"]

    assert (alarm["Threshold"], alarm["Statistic"], alarm["EvaluationPeriods"]) == (1, "Sum", 2)
    assert alarm["AlarmDescription"].startswith("line-4: inference noticed something about its input")


def test_actions() -> None:
    scope = stack()
    topic = sns.Topic(scope, "Topic")
    made = SchedulerAlarms(
        scope,
        "Alarms",
        scheduler=imported_scheduler(scope),
        thresholds=EVERY,
        actions=[actions.SnsAction(topic)],
        notify_when_over=True,
    )
    made.add_alarm_action(actions.SnsAction(sns.Topic(scope, "Second")))

    assert len(made.alarms) == 7
    for alarm in resources(template(scope), "AWS::CloudWatch::Alarm").values():
        assert len(alarm["Properties"]["AlarmActions"]) == 2
        assert len(alarm["Properties"]["OKActions"]) == 1
        silence = alarm["Properties"].get("InsufficientDataActions", [])
        assert len(silence) == (2 if alarm["Properties"]["MetricName"] == "InferenceSucceeded" else 0)


def test_actions_of_one_alarm() -> None:
    scope = stack()
    all_, missing, anomaly = (
        actions.SnsAction(sns.Topic.from_topic_arn(scope, name, f"arn:aws:sns:eu-west-1:111122223333:{name}"))
        for name in ("all", "missing", "anomaly")
    )
    imported_scheduler(scope).add_alarms(
        "Alarms",
        thresholds=AlarmThresholds(
            no_success=Executions(count=2, actions=[missing]),
            anomaly=Executions(count=1, actions=[anomaly]),
            failed=Executions(count=1),
        ),
        actions=[all_],
        notify_when_over=True,
    )

    def told(alarm: dict[str, Any], member: str) -> list[str]:
        return [arn.rpartition(":")[2] for arn in alarm.get(member, [])]

    found = {
        alarm["Properties"]["MetricName"]: [
            told(alarm["Properties"], member)
            for member in ("AlarmActions", "OKActions", "InsufficientDataActions")
        ]
        for alarm in resources(template(scope), "AWS::CloudWatch::Alarm").values()
    }
    assert found == {
        "InferenceSucceeded": [["all", "missing"]] * 3,
        "AnomalyDetected": [["all", "anomaly"], ["all", "anomaly"], []],
        "InferenceFailed": [["all"], ["all"], []],
    }


def test_a_stopped_scheduler_may_be_silent() -> None:
    scope = stack()
    made = SchedulerAlarms(
        scope, "Alarms", scheduler=imported_scheduler(scope, running=False), thresholds=EVERY
    )

    assert made.no_success is None
    assert len(made.alarms) == 6


def test_the_managed_service_does_not_tell_of_anomalies() -> None:
    scope = stack()
    made = SchedulerAlarms(
        scope, "Alarms", scheduler=imported_scheduler(scope, managed=True), thresholds=EVERY
    )

    assert (made.anomaly, made.fault_began, made.level_moved, made.warning) == (None,) * 4
    assert made.alarms == [made.no_success, made.failed, made.invalid_input]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Executions(count=0), '"0" executions cannot raise an alarm: use 1 or more'),
        (
            lambda: Executions(count=3, out_of=2),
            '"3" of the latest "2" executions cannot occur: make out_of at least 3',
        ),
        (
            lambda: alarms(thresholds=AlarmThresholds(failed=Executions(count=1, out_of=97))),
            '"97" executions every PT15M are more than an alarm can look back: use at most 96',
        ),
    ],
)
def test_bad_thresholds(build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_hourly_alarms_look_back_a_week() -> None:
    scope = stack()
    found = imported_scheduler(scope, frequency="PT1H")
    SchedulerAlarms(
        scope, "Alarms", scheduler=found, thresholds=AlarmThresholds(failed=Executions(count=168))
    )

    with pytest.raises(ValueError, match="use at most 168"):
        SchedulerAlarms(
            scope, "More", scheduler=found, thresholds=AlarmThresholds(failed=Executions(count=169))
        )
