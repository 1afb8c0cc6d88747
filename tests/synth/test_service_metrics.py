"""Metrics of a service: of API and jobs where it is deployed, of all schedulers wherever it is known."""

import json
from typing import Any

import aws_cdk as cdk
import pytest
from canonical import SERVICE_TOKEN, app, imported_service, only, resources, stack, template

from constructs_l4e import EquipmentService, IEquipmentService

DEPLOYED = {
    "metric_api_calls": ("AWS/ApiGateway", "Count", "SampleCount"),
    "metric_api_client_errors": ("AWS/ApiGateway", "4XXError", "Sum"),
    "metric_api_server_errors": ("AWS/ApiGateway", "5XXError", "Sum"),
    "metric_api_latency": ("AWS/ApiGateway", "Latency", "Average"),
    "metric_api_throttles": ("AWS/Lambda", "Throttles", "Sum"),
    "metric_ingestions_failed": ("AWS/States", "ExecutionsFailed", "Sum"),
    "metric_trainings_failed": ("AWS/States", "ExecutionsFailed", "Sum"),
    "metric_dead_letters": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum"),
}


@pytest.fixture(scope="module")
def watched() -> dict[str, Any]:
    """A service with an alarm on each of its own metrics."""
    scope = stack()
    service = EquipmentService(scope, "Service")
    assert {name for name in vars(EquipmentService) if name.startswith("metric_")} == set(DEPLOYED)
    for method in DEPLOYED:
        getattr(service, method)().create_alarm(scope, f"On-{method}", threshold=1, evaluation_periods=1)
    return template(scope)


@pytest.mark.parametrize("method", DEPLOYED)
def test_metrics_are_those_that_aws_publishes_of_what_is_deployed(watched: Any, method: str) -> None:
    namespace, name, statistic = DEPLOYED[method]
    (alarm,) = (
        value["Properties"]
        for key, value in resources(watched, "AWS::CloudWatch::Alarm").items()
        if key.startswith(f"On{method.replace('_', '')}")
    )

    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == (namespace, name, statistic)
    (dimension,) = alarm["Dimensions"]
    assert_is_of(watched, dimension, method)


def assert_is_of(watched: dict[str, Any], dimension: dict[str, Any], method: str) -> None:
    """The dimension names the resource of the template that the metric is about."""
    match dimension["Name"]:
        case "ApiName":
            assert dimension["Value"] == only(watched, "AWS::ApiGateway::RestApi")["Properties"]["Name"]
        case "FunctionName":
            function = watched["Resources"][dimension["Value"]["Ref"]]["Properties"]
            assert function["Handler"] == "service.api.handler"
        case "StateMachineArn":
            machine = watched["Resources"][dimension["Value"]["Ref"]]["Properties"]
            comment = json.loads(machine["DefinitionString"])["Comment"]
            assert comment.startswith("Ingest" if "ingestions" in method else "Train")
        case "QueueName":
            queue = watched["Resources"][dimension["Value"]["Fn::GetAtt"][0]]
            assert queue["Type"] == "AWS::SQS::Queue"
        case other:
            pytest.fail(f"no metric has the dimension {other}")


def alarm_on(scope: cdk.Stack, service: IEquipmentService, **options: Any) -> dict[str, Any]:
    """The one metric of an alarm on the failed inferences of a fleet."""
    service.metric("InferenceFailed", **options).create_alarm(
        scope, "Alarm", threshold=1, evaluation_periods=1
    )
    (metric,) = only(template(scope), "AWS::CloudWatch::Alarm")["Properties"]["Metrics"]
    found: dict[str, Any] = metric
    return found


def test_an_imported_service_sums_up_its_fleet() -> None:
    scope = stack()
    metric = alarm_on(scope, imported_service(scope))

    assert metric["Expression"] == 'SELECT SUM(InferenceFailed) FROM "LookoutEquipment"'
    assert (metric["Label"], metric["Period"]) == ("InferenceFailed", 300)


def test_a_service_that_is_read_from_a_parameter_sums_up_its_fleet() -> None:
    scope = stack()
    service = EquipmentService.from_stack_name(scope, "Service", stack_name="L4eService")
    expression = json.dumps(alarm_on(scope, service)["Expression"])

    assert "SELECT SUM(InferenceFailed) FROM" in expression
    assert "SsmParameter" in expression


def test_a_fleet_of_the_managed_service() -> None:
    scope = stack()
    metric = alarm_on(scope, EquipmentService.aws_managed(scope, "Service"), period=cdk.Duration.hours(1))

    assert metric["Expression"] == 'SELECT SUM(InferenceFailed) FROM "AWS/LookoutEquipment"'
    assert metric["Period"] == 3600


def test_a_dashboard_looks_where_the_service_is() -> None:
    scope = cdk.Stack(app(), "Test", env=cdk.Environment(account="444455556666", region="us-east-1"))
    service = EquipmentService.from_equipment_service_attributes(
        scope,
        "Service",
        api_id="abcde12345",
        api_stage="v1",
        data_access_role_arn="arn:aws:iam::111122223333:role/jobs",
        provider_service_token=SERVICE_TOKEN,
        provider_role_arn="arn:aws:iam::111122223333:role/provider",
    )
    metric = service.metric("AnomalyDetected", label="Anomalies", color="#1f77b4")

    assert (metric.search_account, metric.search_region) == ("111122223333", "eu-west-1")
    assert (metric.label, metric.color) == ("Anomalies", "#1f77b4")
