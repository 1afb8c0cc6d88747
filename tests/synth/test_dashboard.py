"""AssetDashboard: what it shows, of which metrics, with which thresholds, and where."""

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_s3 as s3
from canonical import (
    PUMP,
    app,
    imported_scheduler,
    imported_service,
    locations,
    only,
    resources,
    stack,
    template,
)

from constructs_l4e import (
    AlarmThresholds,
    AssetDashboard,
    EquipmentService,
    Executions,
    IInferenceScheduler,
    InferenceScheduler,
    MonitoredAsset,
    RetrainingScheduler,
    S3Location,
    SchedulerAlarms,
)
from engine import Notice
from service.event_bus.bus_event import BusEvent
from service.jobs.inference.bus_events import ANOMALY_BEGAN
from service.jobs.inference.execution import InferenceResult
from service.jobs.inference.execution_end import ExecutionEnd
from service.jobs.inference.metrics import publish_metrics, publish_missed
from service.schedulers.retraining_metrics import publish_retraining

Widget = dict[str, Any]
EVERY = AlarmThresholds(
    failed=Executions(count=2),
    invalid_input=Executions(count=1),
    fault_began=Executions(count=1),
    level_moved=Executions(count=1),
    warning=Executions(count=4),
)


def widgets(content: Mapping[str, Any]) -> list[Widget]:
    """The widgets of the one dashboard of a template; references are texts such as `<Name>`."""
    body = only(content, "AWS::CloudWatch::Dashboard")["Properties"]["DashboardBody"]
    parts = body["Fn::Join"][1] if isinstance(body, dict) else [body]
    text = "".join(part if isinstance(part, str) else f"<{named(part)}>" for part in parts)
    found: list[Widget] = json.loads(text)["widgets"]
    return found


def named(reference: Mapping[str, Any]) -> str:
    ((_, to),) = reference.items()
    return str(to[0] if isinstance(to, list) else to)


def metrics(each: Widget) -> list[tuple[str, dict[str, str], dict[str, Any]]]:
    """(name, dimensions, options) of the metrics of a widget."""
    return [
        (name, dict(zip(rest[::2], rest[1::2], strict=True)), options)
        for _, name, *rest, options in each["properties"].get("metrics", [])
    ]


def names(each: Widget) -> list[str]:
    return [name for name, _, _ in metrics(each)]


def titled(every: list[Widget]) -> dict[str, Widget]:
    return {each["properties"]["title"]: each for each in every if "title" in each["properties"]}


def full(scope: cdk.Stack) -> AssetDashboard:
    """A dashboard of a scheduler with everything."""
    scheduler = imported_scheduler(scope)
    return AssetDashboard(
        scope,
        "Dashboard",
        scheduler=scheduler,
        alarms=[SchedulerAlarms(scope, "Alarms", scheduler=scheduler, thresholds=EVERY)],
        retraining=RetrainingScheduler.from_model_name(
            scope, "Retraining", service=scheduler.service, model_name="tuned"
        ),
        results=S3Location(
            bucket=s3.Bucket.from_bucket_name(scope, "Data", "sensor-data"), prefix="Pump1/results/"
        ),
        title="Feed pump",
    )


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    scope = stack()
    full(scope)
    return template(scope)


def sent() -> Iterator[tuple[str, frozenset[str]]]:
    """(name, names of the dimensions) of every metric that the functions of the service send."""
    calls: list[dict[str, Any]] = []
    client: Any = SimpleNamespace(put_metric_data=lambda **request: calls.append(request))
    runtime: Any = SimpleNamespace(cloudwatch=client, metric_namespace="LookoutEquipment")
    scheduler = {"ModelName": "tuned", "InferenceSchedulerName": "line-4"}
    notices = tuple(Notice(kind=kind, sensor=None, text=kind) for kind in ("gap", "level-moved"))
    began = BusEvent(detail_type=ANOMALY_BEGAN, resources=("arn",), occurrence="1", detail={})
    result = InferenceResult(
        location={"Bucket": "b", "Key": "k"},
        anomalous=True,
        notices=notices,
        events=(),
        bus_events=(began,),
    )
    publish_metrics(runtime, scheduler, ExecutionEnd(result=result))
    publish_metrics(runtime, scheduler, ExecutionEnd(failed_reason="x", invalid_input=True))
    publish_missed(runtime, scheduler, 3)
    for status, promotion in (
        ("SUCCESS", "MODEL_PROMOTED"),
        ("SUCCESS", "MODEL_NOT_PROMOTED"),
        ("FAILED", None),
    ):
        version = {"ModelName": "tuned", "priorModelVersion": 1, "Status": status}
        publish_retraining(client, "LookoutEquipment", {**version, "AutoPromotionResult": promotion})
    for request in calls:
        for each in request["MetricData"]:
            yield each["MetricName"], frozenset(one["Name"] for one in each["Dimensions"])


def test_every_metric_of_the_service_is_shown_and_no_other(made: dict[str, Any]) -> None:
    shown = {(name, frozenset(of)) for each in widgets(made) for name, of, _ in metrics(each)}

    assert shown == set(sent())


def test_every_metric_is_of_the_scheduler_or_its_model_and_says_what_it_is(made: dict[str, Any]) -> None:
    for name, of, options in (found for each in widgets(made) for found in metrics(each)):
        whose = {"InferenceSchedulerName": "line-4", "ModelName": "tuned"}
        assert of.items() <= whose.items()
        assert (options["stat"], options["period"]) == ("Sum", 900 if len(of) == 2 else 86_400)
        assert options["label"] != name


def test_rows_from_top_to_bottom(made: dict[str, Any]) -> None:
    rows = [
        [each["type"] for each in row]
        for _, row in itertools.groupby(widgets(made), key=lambda each: each["y"])
    ]

    assert rows == [
        ["text"],
        ["alarm"],
        ["metric"],
        ["metric", "metric", "text"],
        ["metric", "metric", "text"],
        ["metric"],
    ]
    assert list(titled(widgets(made))) == [
        "Feed pump: alarms",
        "Feed pump: sums over the time shown",
        "Feed pump: executions with an anomaly",
        "Feed pump: faults and levels",
        "Feed pump: windows",
        "Feed pump: notices about the input",
        "Feed pump: retrainings",
    ]


def covered(each: Widget) -> set[tuple[int, int]]:
    """The cells of the grid that a widget lies on."""
    across, down = (range(each[at], each[at] + each[size]) for at, size in (("x", "width"), ("y", "height")))
    return set(itertools.product(across, down))


def assert_gapless(every: list[Widget]) -> None:
    """No cell is covered twice, and none is empty."""
    cells = [cell for each in every for cell in covered(each)]
    assert len(cells) == len(set(cells))
    assert set(cells) == set(itertools.product(range(24), range(1 + max(y for _, y in cells))))


def test_widgets_fill_the_grid_and_none_lies_on_another(made: dict[str, Any]) -> None:
    assert_gapless(widgets(made))


def test_the_heading_says_which_scheduler_and_where_the_results_are(made: dict[str, Any]) -> None:
    heading = widgets(made)[0]["properties"]["markdown"]

    assert heading.splitlines() == [
        "# Feed pump",
        "Inference scheduler `line-4`, one window every 15 minutes. Results: `s3://sensor-data/Pump1/results/`.",
    ]


def test_all_alarms_are_shown(made: dict[str, Any]) -> None:
    shown = titled(widgets(made))["Feed pump: alarms"]["properties"]["alarms"]

    assert {each.strip("<>") for each in shown} == set(resources(made, "AWS::CloudWatch::Alarm"))


def lines(each: Widget) -> list[tuple[int, str]]:
    """(value, label) of the lines across a graph."""
    drawn = each["properties"].get("annotations", {}).get("horizontal", [])
    return [(line["value"], line["label"]) for line in drawn]


def test_thresholds_are_those_of_the_alarms(made: dict[str, Any]) -> None:
    alarms = {
        each["Properties"]["MetricName"]: each["Properties"]
        for each in resources(made, "AWS::CloudWatch::Alarm").values()
    }
    for each in titled(widgets(made)).values():
        if each["properties"].get("view") != "timeSeries":
            continue
        watched = [alarms[name] for name in names(each) if name in alarms]
        raised = [f"{alarm['DatapointsToAlarm']} of {alarm['EvaluationPeriods']}" for alarm in watched]
        assert {value for value, _ in lines(each)} == {alarm["Threshold"] for alarm in watched}
        assert re.findall(r"\d+ of \d+", "".join(label for _, label in lines(each))) == raised
        alarms = {name: alarm for name, alarm in alarms.items() if name not in names(each)}

    assert alarms == {}, "each is drawn"


def test_alarms_are_told_by_their_names(made: dict[str, Any]) -> None:
    found = titled(widgets(made))

    assert lines(found["Feed pump: windows"]) == [
        (1, "alarm: no_success 3 of 3, failed 2 of 2, invalid_input 1 of 1")
    ]


def test_sums_are_over_all_that_is_shown(made: dict[str, Any]) -> None:
    sums = titled(widgets(made))["Feed pump: sums over the time shown"]

    assert sums["properties"]["setPeriodToTimeRange"] is True
    assert {name for name, of in sent() if len(of) == 2} == set(names(sums))


def test_what_is_left_out_is_not_shown() -> None:
    scope = stack()
    AssetDashboard(scope, "Dashboard", scheduler=imported_scheduler(scope))
    found = only(template(scope), "AWS::CloudWatch::Dashboard")["Properties"]
    every = widgets(template(scope))

    assert found.keys() == {"DashboardBody"}, "CloudFormation names it"
    assert '"start":"-P14D"' in str(found["DashboardBody"])
    assert {each["type"] for each in every} == {"text", "metric"}
    assert not [each for each in every if "annotations" in each["properties"]]
    assert every[0]["properties"]["markdown"] == (
        "# line-4\nInference scheduler `line-4`, one window every 15 minutes."
    )
    assert_gapless(every)


def test_alarms_that_are_all_left_out() -> None:
    scope = stack()
    scheduler = imported_scheduler(scope)
    none = AlarmThresholds(no_success=None, anomaly=None)
    alarms = SchedulerAlarms(scope, "Alarms", scheduler=scheduler, thresholds=none)
    AssetDashboard(scope, "Dashboard", scheduler=scheduler, alarms=[alarms])

    assert "alarm" not in {each["type"] for each in widgets(template(scope))}


def test_several_severities() -> None:
    scope = stack()
    scheduler = imported_scheduler(scope)
    urgent = scheduler.add_alarms("Urgent", thresholds=AlarmThresholds(anomaly=Executions(count=12)))
    AssetDashboard(scope, "Dashboard", scheduler=scheduler, alarms=[scheduler.add_alarms("All"), urgent])
    found = titled(widgets(template(scope)))

    assert len(found["line-4: alarms"]["properties"]["alarms"]) == 4
    assert lines(found["line-4: executions with an anomaly"]) == [
        (1, "alarm: anomaly 1 of 1, anomaly 12 of 12")
    ]


def test_alarms_that_are_added_later() -> None:
    scope = stack()
    scheduler = imported_scheduler(scope)
    made = AssetDashboard(scope, "Dashboard", scheduler=scheduler)
    made.add_alarms(scheduler.add_alarms("All"), scheduler.add_alarms("More", thresholds=EVERY))
    found = titled(widgets(template(scope)))

    assert len(found["line-4: alarms"]["properties"]["alarms"]) == 9
    assert lines(found["line-4: executions with an anomaly"]) == [
        (1, "alarm: anomaly 1 of 1, anomaly 1 of 1")
    ]
    assert_gapless(widgets(template(scope)))


def test_later_severities_of_an_asset_are_on_its_dashboards() -> None:
    scope = stack()
    asset = MonitoredAsset(
        scope,
        "Pump",
        service=imported_service(scope),
        locations=locations(scope),
        schema=PUMP,
        dashboard={"title": "Own"},
    )
    assert asset.dashboard is not None
    asset.dashboard.dashboard.add_widgets(*(row[0] for row in asset.dashboard_rows(title="Plant")))
    asset.add_alarms("Urgent", thresholds=AlarmThresholds(anomaly=Executions(count=12), no_success=None))
    found = titled(widgets(template(scope)))

    for title in ("Own", "Plant"):
        assert len(found[f"{title}: alarms"]["properties"]["alarms"]) == 3
        assert lines(found[f"{title}: executions with an anomaly"]) == [
            (1, "alarm: anomaly 1 of 1, anomaly 12 of 12")
        ]


def test_the_managed_service_has_no_metrics_of_anomalies_and_retrainings() -> None:
    scope = stack()
    scheduler = imported_scheduler(scope, managed=True)
    AssetDashboard(
        scope,
        "Dashboard",
        scheduler=scheduler,
        alarms=[SchedulerAlarms(scope, "Alarms", scheduler=scheduler, thresholds=EVERY)],
        retraining=RetrainingScheduler.from_model_name(
            scope, "Retraining", service=scheduler.service, model_name="tuned"
        ),
    )
    every = widgets(template(scope))

    assert list(titled(every)) == ["line-4: alarms", "line-4: sums over the time shown", "line-4: windows"]
    shown = {name for each in every for name in names(each)}
    assert shown == {"InferenceSucceeded", "InferenceFailed", "InferenceInvalidInput"}
    advice = [each["properties"]["markdown"] for each in every if each["type"] == "text"][-1]
    assert "Failed" in advice
    assert "Notices" not in advice
    assert_gapless(every)


def test_a_dashboard_in_another_account_and_region_finds_the_metrics() -> None:
    plant = cdk.Stack(app(), "Plant", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    office = cdk.Stack(
        plant.node.root, "Office", env=cdk.Environment(account="444455556666", region="us-east-1")
    )
    made_there = MonitoredAsset(
        plant, "Pump", service=imported_service(plant), locations=locations(plant), schema=PUMP
    )
    AssetDashboard(office, "Dashboard", scheduler=made_there.scheduler)
    where = [
        (options["accountId"], options["region"])
        for each in widgets(template(office))
        for _, _, options in metrics(each)
    ]

    assert where
    assert set(where) == {("111122223333", "eu-west-1")}


def test_metrics_of_the_same_place_say_nothing_of_it(made: dict[str, Any]) -> None:
    options = [options for each in widgets(made) for _, _, options in metrics(each)]

    assert not [each for each in options if each.keys() & {"accountId", "region"}]


def test_several_assets_on_one_dashboard() -> None:
    scope = stack()
    service, places = imported_service(scope), locations(scope)
    pumps = [
        MonitoredAsset(scope, name, service=service, locations=places, schema=PUMP)
        for name in ("Pump1", "Pump2")
    ]
    rows = [row for pump in pumps for row in pump.dashboard_rows()]
    cloudwatch.Dashboard(scope, "Plant", widgets=[*rows, *pumps[0].dashboard_rows(title="Again")])
    every = widgets(template(scope))

    assert [title.partition(":")[0] for title in titled(every)] == [
        *["Test-Pump1"] * 6,
        *["Test-Pump2"] * 6,
        *["Again"] * 6,
    ]
    assert_gapless(every)
    assert [pump.dashboard for pump in pumps] == [None, None]


def test_further_widgets() -> None:
    scope = stack()
    full(scope).dashboard.add_widgets(cloudwatch.TextWidget(markdown="Gate 3", width=24))

    assert widgets(template(scope))[-1]["properties"]["markdown"] == "Gate 3"
    assert_gapless(widgets(template(scope)))


def test_an_asset_has_a_dashboard_if_asked_for() -> None:
    scope = stack()
    asset = MonitoredAsset(
        scope,
        "Pump",
        service=imported_service(scope),
        locations=locations(scope),
        schema=PUMP,
        retraining={"retraining_frequency": "P3M"},
        dashboard=True,
    )
    found = titled(widgets(template(scope)))

    assert isinstance(asset.dashboard, AssetDashboard)
    assert next(iter(found)) == "Test-Pump: alarms"
    assert len(found["Test-Pump: alarms"]["properties"]["alarms"]) == 2
    assert "Test-Pump: retrainings" in found
    heading = widgets(template(scope))[0]["properties"]["markdown"]
    assert heading.endswith("Results: `s3://sensor-data/Pump1/inference-output/`.")


def test_props_of_the_dashboard_of_an_asset() -> None:
    scope = stack()
    MonitoredAsset(
        scope,
        "Pump",
        service=imported_service(scope),
        locations=locations(scope),
        schema=PUMP,
        dashboard={"title": "Feed pump", "dashboard_name": "feed", "default_interval": cdk.Duration.hours(3)},
    )
    found = only(template(scope), "AWS::CloudWatch::Dashboard")["Properties"]

    assert found["DashboardName"] == "feed"
    assert '"start":"-PT3H"' in str(found["DashboardBody"])
    assert "Feed pump: alarms" in titled(widgets(template(scope)))


def test_a_dashboard_of_a_scheduler_that_exists_does_not_guess_where_results_are() -> None:
    scope = stack()
    live = imported_scheduler(scope)
    MonitoredAsset(
        scope, "Pump", service=live.service, locations=locations(scope), scheduler=live, dashboard=True
    )

    assert "Results" not in widgets(template(scope))[0]["properties"]["markdown"]


def other_alarms(scope: cdk.Stack, scheduler: IInferenceScheduler) -> SchedulerAlarms:
    other = InferenceScheduler.from_inference_scheduler_attributes(
        scope,
        "Other",
        service=scheduler.service,
        inference_scheduler_name="line-5",
        model_name="tuned",
        data_upload_frequency="PT5M",
    )
    return other.add_alarms("Alarms")


def of_other_alarms(scope: cdk.Stack, scheduler: IInferenceScheduler) -> None:
    AssetDashboard(scope, "Dashboard", scheduler=scheduler, alarms=[other_alarms(scope, scheduler)])


def of_other_alarms_later(scope: cdk.Stack, scheduler: IInferenceScheduler) -> None:
    AssetDashboard(scope, "Dashboard", scheduler=scheduler).add_alarms(other_alarms(scope, scheduler))


def of_other_model(scope: cdk.Stack, scheduler: IInferenceScheduler) -> None:
    other = RetrainingScheduler.from_model_name(scope, "R", service=scheduler.service, model_name="other")
    AssetDashboard(scope, "Dashboard", scheduler=scheduler, retraining=other)


def of_other_service(scope: cdk.Stack, scheduler: IInferenceScheduler) -> None:
    other = EquipmentService.aws_managed(scope, "Managed")
    retraining = RetrainingScheduler.from_model_name(scope, "R", service=other, model_name="tuned")
    AssetDashboard(scope, "Dashboard", scheduler=scheduler, retraining=retraining)


def of_name_only(scope: cdk.Stack, scheduler: IInferenceScheduler) -> None:
    known = InferenceScheduler.from_inference_scheduler_name(
        scope, "Known", service=scheduler.service, inference_scheduler_name="line-4"
    )
    AssetDashboard(scope, "Dashboard", scheduler=known)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (of_other_alarms, 'alarms of "line-5" do not belong on a dashboard of "line-4": leave them out'),
        (
            of_other_alarms_later,
            'alarms of "line-5" do not belong on a dashboard of "line-4": leave them out',
        ),
        (of_other_model, 'retrainings of "other" do not belong on a dashboard of "tuned": leave them out'),
        (of_other_service, 'the retraining scheduler is of service "Test/Managed", not of "Test/Service"'),
        (of_name_only, "import the scheduler with from_inference_scheduler_attributes"),
    ],
)
def test_what_does_not_go_together(
    build: Callable[[cdk.Stack, IInferenceScheduler], None], message: str
) -> None:
    scope = stack()

    with pytest.raises(ValueError, match=message):
        build(scope, imported_scheduler(scope))


def test_a_name_known_in_the_deployment_only() -> None:
    scope = stack()
    name = cdk.CfnParameter(scope, "Name").value_as_string
    scheduler = InferenceScheduler.from_inference_scheduler_attributes(
        scope,
        "Scheduler",
        service=imported_service(scope),
        inference_scheduler_name=name,
        model_name="tuned",
        data_upload_frequency="PT1H",
    )
    AssetDashboard(scope, "Dashboard", scheduler=scheduler, alarms=[scheduler.add_alarms("Alarms")])

    heading = widgets(template(scope))[0]["properties"]["markdown"]
    assert heading == "# <Name>\nInference scheduler `<Name>`, one window every 60 minutes."
