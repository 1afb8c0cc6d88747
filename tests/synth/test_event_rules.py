"""Rules of `on_*` methods: each matches those events of the service that are of its kind and resource."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import numpy as np
import pytest
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from canonical import PUMP, app, imported_service, locations, only, resources, stack, template
from services import service

from constructs_l4e import Dataset, EquipmentService, InferenceScheduler, Model, MonitoredAsset
from engine import Fault, LevelMoved, Range
from service.event_bus.bus_event import SOURCE, BusEvent
from service.event_bus.job_ends import ingestion_end, version_end
from service.jobs.inference.bus_events import (
    anomaly_began,
    anomaly_ended,
    execution_failed,
    level_moved,
    windows_missed,
)
from service.schedulers.inference_windows import InferenceWindow
from service.storage.names import ArnBuilder

ARNS = ArnBuilder(partition="aws", region="eu-west-1", account="111122223333")
UUID = "12345678-1234-1234-1234-123456789012"
WINDOW = InferenceWindow(start=1_767_607_200, end=1_767_607_500)
SENSORS = ("pump\\flow", "pump\\speed")


def scheduler(name: str) -> dict[str, Any]:
    return {
        "InferenceSchedulerName": name,
        "InferenceSchedulerArn": ARNS.scheduler_arn(name, UUID),
        "ModelName": "tuned",
        "ModelArn": ARNS.model_arn("tuned", UUID),
    }


def fault() -> Fault:
    start = np.datetime64("2026-01-05T10:00", "us")
    shares = np.array([0.75, 0.25], np.float32)
    event = Range(start=start, end=start + np.timedelta64(1, "h"), contributions=shares, rows=60)
    return Fault(event=event, parts=1)


def sent_by(name: str) -> dict[str, BusEvent]:
    """Every event that the service has for resources of a name, by what happened."""
    watch, moved = scheduler(name), np.datetime64("2026-01-05T10:00", "us")
    level = LevelMoved(sensor=SENSORS[0], since=moved, expected=10.0, reads=12.0)
    job = {"JobId": "j", "DatasetName": name, "DatasetArn": ARNS.dataset_arn(name, UUID), "Status": "SUCCESS"}
    version = {
        "ModelName": name,
        "ModelArn": ARNS.model_arn(name, UUID),
        "ModelVersion": 2,
        "Status": "FAILED",
    }
    return {
        "failed": execution_failed(watch, WINDOW, "no files"),
        "missed": windows_missed(watch, WINDOW, "throttled", 3),
        "began": anomaly_began(watch, fault(), sensors=SENSORS, model_version=1, summary="Flow is low"),
        "ended": anomaly_ended(watch, fault(), sensors=SENSORS),
        "moved": level_moved(watch, level),
        "ingested": ingestion_end(job)[0],
        "trained": version_end(version)[0],
    }


def matches(pattern: Any, value: Any) -> bool:
    """Whether a pattern of EventBridge matches, as far as the library writes patterns."""
    if isinstance(pattern, Mapping):
        return all(name in value and matches(each, value[name]) for name, each in pattern.items())
    found = value if isinstance(value, list) else [value]
    return any(
        one.startswith(each["prefix"]) if isinstance(each, Mapping) else one == each
        for each in pattern
        for one in found
    )


def envelope(event: BusEvent) -> dict[str, Any]:
    """An event as EventBridge hands it on."""
    entry = event.entry
    return {
        "source": entry["Source"],
        "detail-type": entry["DetailType"],
        "resources": entry["Resources"],
        "detail": json.loads(entry["Detail"]),
    }


def home() -> cdk.Stack:
    return cdk.Stack(app(), "Test", env=cdk.Environment(account="111122223333", region="eu-west-1"))


def resolved(value: Any) -> Any:
    """Part of a template with the partition in its place."""
    match value:
        case {"Fn::Join": ["", parts]}:
            return "".join(resolved(part) for part in parts)
        case {"Ref": "AWS::Partition"}:
            return "aws"
        case Mapping():
            return {name: resolved(each) for name, each in value.items()}
        case list():
            return [resolved(each) for each in value]
    return value


def pattern_of(scope: cdk.Stack) -> Any:
    return resolved(only(template(scope), "AWS::Events::Rule")["Properties"]["EventPattern"])


Parts = tuple[Any, Any, Any]


def by_name(scope: cdk.Stack) -> Parts:
    of = imported_service(scope)
    return (
        InferenceScheduler.from_inference_scheduler_name(
            scope, "Scheduler", service=of, inference_scheduler_name="line-4"
        ),
        Model.from_model_name(scope, "Model", service=of, model_name="line-4"),
        Dataset.from_dataset_name(scope, "Dataset", service=of, dataset_name="line-4"),
    )


def by_arn(scope: cdk.Stack) -> Parts:
    of = imported_service(scope)
    return (
        InferenceScheduler.from_inference_scheduler_arn(
            scope, "Scheduler", service=of, inference_scheduler_arn=ARNS.scheduler_arn("line-4", UUID)
        ),
        Model.from_model_arn(scope, "Model", service=of, model_arn=ARNS.model_arn("line-4", UUID)),
        Dataset.from_dataset_arn(scope, "Dataset", service=of, dataset_arn=ARNS.dataset_arn("line-4", UUID)),
    )


@pytest.mark.parametrize("found", [by_name, by_arn])
@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        (lambda parts: parts[0].on_anomaly_began("R"), {"began"}),
        (lambda parts: parts[0].on_anomaly_ended("R"), {"ended"}),
        (lambda parts: parts[0].on_level_moved("R"), {"moved"}),
        (lambda parts: parts[0].on_execution_failed("R"), {"failed", "missed"}),
        (lambda parts: parts[1].on_state_change("R"), {"trained"}),
        (lambda parts: parts[2].on_ingestion_state_change("R"), {"ingested"}),
    ],
    ids=["anomaly began", "anomaly ended", "level moved", "execution failed", "model", "ingestion"],
)
def test_a_rule_matches_its_events_only(
    found: Callable[[cdk.Stack], Parts], rule: Callable[[Parts], events.Rule], wanted: set[str]
) -> None:
    scope = home()
    assert isinstance(rule(found(scope)), events.Rule)
    pattern = pattern_of(scope)
    for name, expected in (("line-4", wanted), ("line-40", set()), ("line", set())):
        sent = sent_by(name)
        assert {what for what, each in sent.items() if matches(pattern, envelope(each))} == expected
    assert pattern["source"] == [SOURCE]
    foreign = {**envelope(sent_by("line-4")[min(wanted)]), "source": "somebody"}
    assert not matches(pattern, foreign)


@pytest.mark.parametrize(
    ("of_asset", "of_part"),
    [
        ("on_anomaly_began", lambda asset: asset.scheduler.on_anomaly_began),
        ("on_anomaly_ended", lambda asset: asset.scheduler.on_anomaly_ended),
        ("on_level_moved", lambda asset: asset.scheduler.on_level_moved),
        ("on_execution_failed", lambda asset: asset.scheduler.on_execution_failed),
        ("on_model_state_change", lambda asset: asset.model.on_state_change),
        ("on_ingestion_state_change", lambda asset: asset.dataset.on_ingestion_state_change),
    ],
)
def test_a_rule_of_an_asset_is_that_of_its_part(of_asset: str, of_part: Callable[[Any], Any]) -> None:
    scope = home()
    asset = MonitoredAsset(
        scope, "Pump", service=imported_service(scope), locations=locations(scope), schema=PUMP
    )
    made = getattr(asset, of_asset)("Ours", description="why")
    of_part(asset)("Theirs", description="why")
    ours, theirs = (each["Properties"] for each in resources(template(scope), "AWS::Events::Rule").values())

    assert ours == theirs
    assert made.node.scope.node.scope is asset


def test_the_documented_events_are_those_of_the_service() -> None:
    """Every kind has an example with the members that the service sends, but for what is not always there."""
    text = (Path(__file__).parents[2] / "docs" / "events.md").read_text()
    shown = [json.loads(block.split("```")[0]) for block in text.split("```json")[1:]]
    details = {example["detail-type"]: example["detail"] for example in shown}
    sent = {event.detail_type: event.members for event in sent_by("pump-1").values()}
    assert details.keys() == sent.keys()
    optional = {
        "FailedReason",
        "SourceType",
        "ModelQuality",
        "AutoPromotionResult",
        "AutoPromotionResultReason",
    }
    for kind, members in sent.items():
        assert details[kind].keys() - optional == members.keys() - optional, kind
        assert f"| `{kind}` |" in text, kind


def test_a_rule_of_a_resource_that_is_made_here_has_its_arn() -> None:
    scope = home()
    made = Dataset(scope, "Dataset", service=imported_service(scope))
    made.on_ingestion_state_change("Rule")
    content = template(scope)
    (dataset,) = resources(content, "Custom::LookoutEquipmentDataset")
    pattern = only(content, "AWS::Events::Rule")["Properties"]["EventPattern"]
    assert pattern["resources"] == [{"Fn::GetAtt": [dataset, "DatasetArn"]}]


def test_options_are_those_of_the_cdk() -> None:
    scope = home()
    watch, _, _ = by_name(scope)
    topic = sns.Topic.from_topic_arn(scope, "Topic", "arn:aws:sns:eu-west-1:111122223333:alerts")
    watch.on_anomaly_began(
        "Rule",
        target=targets.SnsTopic(topic),
        description="Tells the shift",
        rule_name="shift",
        event_pattern=events.EventPattern(detail={"ModelVersion": [2]}),
    )
    made = only(template(scope), "AWS::Events::Rule")["Properties"]
    assert (made["Name"], made["Description"]) == ("shift", "Tells the shift")
    assert [each["Arn"] for each in made["Targets"]] == ["arn:aws:sns:eu-west-1:111122223333:alerts"]
    assert made["EventPattern"]["detail"] == {"ModelVersion": [2]}
    assert made["EventPattern"]["source"] == [SOURCE]


def test_a_rule_can_be_in_the_stack_of_its_target() -> None:
    root = app()
    environment = cdk.Environment(account="111122223333", region="eu-west-1")
    scope, other = (cdk.Stack(root, name, env=environment) for name in ("Test", "Other"))
    watch, _, _ = by_name(scope)
    watch.on_level_moved("Rule", cross_stack_scope=other)
    assert resources(template(other), "AWS::Events::Rule")
    assert "Resources" not in template(scope)


def test_the_service_of_aws_sends_none() -> None:
    scope = stack()
    found = Model.from_model_name(
        scope, "Model", service=EquipmentService.aws_managed(scope, "Service"), model_name="tuned"
    )
    with pytest.raises(
        ValueError, match=r"\"Test/Model/Rule\" would match no event: AWS's own service sends none"
    ):
        found.on_state_change("Rule")


def test_a_rule_elsewhere_than_its_service_is_refused() -> None:
    root = app()
    stacks = [
        cdk.Stack(root, region, env=cdk.Environment(account="111122223333", region=region))
        for region in ("eu-west-1", "eu-central-1")
    ]
    deployed = service(stacks[0])
    found = Model.from_model_name(stacks[1], "Model", service=deployed, model_name="tuned")
    with pytest.raises(ValueError, match='"eu-central-1/Model" is in Region "eu-central-1", and its service'):
        found.on_state_change("Rule")
