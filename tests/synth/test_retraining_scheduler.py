"""RetrainingScheduler: template, checks, grants, metrics."""

import datetime as dt
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from canonical import PUMP, imported_service, properties, resources, stack, template

from constructs_l4e import (
    Dataset,
    IRetrainingScheduler,
    LookbackWindow,
    Model,
    PromoteMode,
    RetrainingScheduler,
)
from tests.retraining_frequencies import REFUSED, TAKEN

TYPE = "Custom::LookoutEquipmentRetrainingScheduler"


def made(**props: Any) -> RetrainingScheduler:
    scope = stack()
    model = Model.from_model_name(scope, "Model", service=imported_service(scope), model_name="pump-1")
    return model.add_retraining_scheduler("Retraining", **{"retraining_frequency": "P2M", **props})


def sent(scheduler: RetrainingScheduler) -> dict[str, Any]:
    return properties(template(scheduler.stack), "RetrainingScheduler")


def test_defaults() -> None:
    assert sent(made()) == {
        "ModelName": "pump-1",
        "RetrainingFrequency": "P2M",
        "LookbackWindow": "P360D",
        "PromoteMode": "MANAGED",
        "DesiredState": "RUNNING",
    }


def test_everything() -> None:
    scheduler = made(
        retraining_frequency=cdk.Duration.days(90),
        lookback_window=LookbackWindow.P720D,
        start_date=dt.date(2027, 2, 3),
        promote_mode=PromoteMode.MANUAL,
        running=False,
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    assert sent(scheduler) == {
        "ModelName": "pump-1",
        "RetrainingStartDate": "2027-02-03T00:00:00Z",
        "RetrainingFrequency": "P90D",
        "LookbackWindow": "P720D",
        "PromoteMode": "MANUAL",
        "DesiredState": "STOPPED",
    }
    (found,) = resources(template(scheduler.stack), TYPE).values()
    assert found["DeletionPolicy"] == "Retain"


def test_the_date_of_a_time_is_that_in_utc() -> None:
    evening = dt.datetime(2027, 2, 3, 23, tzinfo=dt.timezone(dt.timedelta(hours=-5)))
    assert sent(made(start_date=evening))["RetrainingStartDate"] == "2027-02-04T00:00:00Z"


@pytest.mark.parametrize("frequency", TAKEN)
def test_frequencies_that_the_service_takes(frequency: str) -> None:
    assert sent(made(retraining_frequency=frequency))["RetrainingFrequency"] == frequency


@pytest.mark.parametrize("frequency", REFUSED)
def test_frequencies_that_it_refuses(frequency: str) -> None:
    with pytest.raises(ValueError, match=f'frequency "{frequency}" is not between 30 days and one year: use'):
        made(retraining_frequency=frequency)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"retraining_frequency": cdk.Duration.hours(750)}, "has no whole days"),
        ({"retraining_frequency": cdk.Duration.days(29)}, '"P29D" is not between'),
        ({"retraining_frequency": cdk.Fn.ref("Frequency")}, "frequency is a token, and must be known"),
        ({"lookback_window": "P90D"}, '"P90D" is not supported: use one of P180D, P360D, P540D, P720D'),
        ({"start_date": dt.datetime(2027, 2, 3)}, 'start date "2027-02-03T00:00:00" has no time zone'),  # noqa: DTZ001
        ({"promote_mode": "AUTO"}, '"AUTO" is not supported: use one of MANAGED, MANUAL'),
    ],
)
def test_what_cannot_be(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        made(**change)


def test_it_waits_for_its_model() -> None:
    scope = stack()
    dataset = Dataset(scope, "Data", service=imported_service(scope), schema=PUMP, dataset_name="pump-7")
    made = dataset.add_model("Model")
    made.add_retraining_scheduler("Retraining", retraining_frequency="P2M")
    (trained,) = resources(template(scope), "Custom::LookoutEquipmentModel")
    (found,) = resources(template(scope), TYPE).values()
    assert trained in found["DependsOn"]


def test_metrics_are_of_the_model() -> None:
    scheduler = made()
    for metric, name in (
        (scheduler.metric_retraining_failed(), "RetrainingFailed"),
        (scheduler.metric_version_promoted(), "VersionPromoted"),
        (scheduler.metric_version_not_promoted(), "VersionNotPromoted"),
    ):
        assert metric.metric_name == name
        assert metric.dimensions == {"ModelName": "pump-1"}
        assert metric.period.to_days() == 1
        assert metric.statistic == "Sum"


def test_an_imported_one_is_the_same() -> None:
    scope = stack()
    service = imported_service(scope)
    found = RetrainingScheduler.from_model_name(scope, "Retraining", service=service, model_name="pump-1")
    assert isinstance(found, IRetrainingScheduler)
    assert (found.model_name, found.running) == ("pump-1", True)
    assert found.metric_retraining_failed().dimensions == {"ModelName": "pump-1"}
    found.grant_start_stop(iam.Role(scope, "Operator", assumed_by=iam.AccountRootPrincipal()))
    (policy,) = resources(template(scope), "AWS::IAM::Policy").values()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "execute-api:Invoke"
    assert "operate/name/pump-1" in str(statement["Resource"])
