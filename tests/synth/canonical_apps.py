"""Twelve apps whose templates are reviewed: parts, services and assets in every way in which they meet."""

from collections.abc import Callable, Mapping
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from canonical import EVALUATION, LARGE, PUMP, TRAINING, imported_service, locations
from services import BUILDS
from test_asset import CANONICAL
from test_stack_shapes import nested_siblings

from app import build
from constructs_l4e import (
    AlarmThresholds,
    AssetDashboard,
    AssetStorage,
    Dataset,
    EquipmentKey,
    EquipmentService,
    Executions,
    InferenceScheduler,
    InputNaming,
    Label,
    LabelGroup,
    Model,
    MonitoredAsset,
    SchedulerAlarms,
    ServiceRole,
    TimestampFormat,
)

EU = cdk.Environment(region="eu-west-1")


def of_one_stack(fill: Callable[[cdk.Stack], object]) -> Callable[[cdk.App], None]:
    def build_stack(of: cdk.App) -> None:
        fill(cdk.Stack(of, "Test", env=EU))

    return build_stack


def declared_plant(of: cdk.App) -> None:
    """The app of this repository with its service and two assets."""
    of.node.set_context("assets", str(Path(__file__).with_name("plant.toml")))
    build(of)


def parts_by_hand(scope: cdk.Stack) -> None:
    """Every part on its own, at a service that another app deploys; another account may import them."""
    service = EquipmentService.from_parameter(scope, "Service", parameter_name="/plant/equipment")
    key = EquipmentKey(scope, "Key", service=service)
    data = AssetStorage(scope, "Data", encryption_key=key).for_asset("Pump1")
    dataset = Dataset(scope, "Dataset", service=service, schema=LARGE, encryption_key=key)
    dataset.add_ingestion("History", source=data.history, revision="2026-11")
    faults = LabelGroup(
        scope,
        "Faults",
        service=service,
        labels=[Label.between("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z", fault_code="leak")],
    )
    model = dataset.add_model(
        "Model",
        training=TRAINING,
        evaluation=EVALUATION,
        labels=data.labels,
        label_group=faults,
        target_sampling_rate="PT5M",
    )
    model.add_retraining_scheduler("Retraining", retraining_frequency="P3M", promote_mode="MANUAL")
    dataset.grant_import("222222222222")
    model.grant_import("222222222222", inference_data=False)
    role = ServiceRole(
        scope, "Role", service=service, reads=[data.inference_input], writes=[data.inference_output]
    )
    scheduler = model.add_scheduler(
        "Scheduler",
        role=role,
        data_upload_frequency="PT15M",
        data_delay_offset=cdk.Duration.minutes(5),
        data_input=data.inference_input,
        data_output=data.inference_output,
        input_naming=InputNaming(
            timestamp_format=TimestampFormat.COMPACT, delimiter="_", time_zone_offset="+01:00"
        ),
    )
    topic = sns.Topic.from_topic_arn(scope, "Topic", "arn:aws:sns:eu-west-1:111122223333:alerts")
    alarms = SchedulerAlarms(
        scope,
        "Alarms",
        scheduler=scheduler,
        thresholds=AlarmThresholds(anomaly=Executions(count=2, out_of=3)),
        actions=[actions.SnsAction(topic)],
    )
    AssetDashboard(scope, "Dashboard", scheduler=scheduler, alarms=[alarms], title="Pump 1")


def watched_from_outside(of: cdk.App) -> None:
    """Data in one stack; in another, resources that are imported and people who may look at all of it."""
    platform = cdk.Stack(of, "Platform")
    service = imported_service(platform)
    watchers = cdk.Stack(of, "Watchers")
    reader = iam.Role(watchers, "Reader", assumed_by=iam.AccountRootPrincipal())
    service.grant_read(reader)
    AssetStorage(platform, "Data").bucket.grant_read(reader)
    handed = EquipmentService.from_stack_name(watchers, "Service", stack_name="L4eService")
    model = Model.from_model_name(watchers, "Model", service=handed, model_name="pump-1")
    scheduler = InferenceScheduler.from_inference_scheduler_attributes(
        watchers,
        "Scheduler",
        service=handed,
        inference_scheduler_name="pump-1",
        model_name="pump-1",
        data_upload_frequency="PT5M",
    )
    for each in (model, scheduler):
        each.grant_read(reader)
    SchedulerAlarms(watchers, "Alarms", scheduler=scheduler)


def pipeline_stages(of: cdk.App) -> None:
    """The same nested stacks in a Stage for each environment."""
    for name, account in (("Test", "111122223333"), ("Production", "444455556666")):
        stage = cdk.Stage(of, name, env=cdk.Environment(account=account, region="eu-west-1"))
        if name == "Test":
            nested_siblings(stage)
            continue
        scope = cdk.Stack(stage, "Plant", synthesizer=cdk.DefaultStackSynthesizer(qualifier="plant"))
        MonitoredAsset(
            scope, "Pump", service=imported_service(scope), locations=locations(scope), schema=PUMP
        )


APPS: Mapping[str, Callable[[cdk.App], None]] = {
    **{name: of_one_stack(fill) for name, fill in CANONICAL.items()},
    **{name: of_one_stack(fill) for name, fill in BUILDS.items()},
    "parts": of_one_stack(parts_by_hand),
    "plant": declared_plant,
    "stages": pipeline_stages,
    "watched": watched_from_outside,
}
