"""A service and an asset in one stack: the data are missing at first, then it is deployed, and destroyed."""

from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from constructs_l4e import (
    AssetStorage,
    DatasetSchema,
    EquipmentService,
    MonitoredAsset,
    ServiceSettings,
    TimeRange,
)
from l4e_cli.demo.pump import SENSORS
from l4e_layer import EMPTY_LAYER
from tests.e2e.cloud import CONTEXT, Cloud, reasons

STACK = "PlantInOneStack"
ASSET = "OnlyPump"


@pytest.fixture
def assembly(cloud: Cloud, tmp_path: Path) -> Path:
    context = {**CONTEXT, EMPTY_LAYER: True}
    app = cdk.App(analytics_reporting=False, outdir=str(tmp_path / "cdk.out"), context=context)
    stack = cdk.Stack(app, STACK, env=cdk.Environment(region=cloud.instance.region))
    no_minimum = ServiceSettings(minimum_training_span=cdk.Duration.days(0))
    service = EquipmentService(stack, "Service", settings=no_minimum)
    data = AssetStorage.from_bucket(stack, "Data", s3.Bucket.from_bucket_name(stack, "Bucket", cloud.bucket))
    pump = MonitoredAsset(
        stack,
        "Pump",
        service=service,
        locations=data.for_asset(ASSET),
        schema=DatasetSchema.from_sensors({"pump": SENSORS}),
        training=TimeRange.between("2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z"),
        target_sampling_rate="PT1M",
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    cdk.CfnOutput(stack, "Scheduler", value=pump.scheduler.inference_scheduler_arn)
    app.synth()
    return tmp_path / "cdk.out"


def test_fails_for_its_data_then_lives_and_ends(cloud: Cloud, assembly: Path) -> None:
    """The service outlives its resources, whether a deployment is taken back or the stack is destroyed.

    Destroyed, it has a scheduler that runs.
    """
    message = cloud.failure(assembly, STACK)
    assert f"{ASSET}/history/" in message + reasons(cloud.aws, STACK)
    assert cloud.status(STACK) == "ROLLBACK_COMPLETE"

    cloud.upload_history(ASSET)
    cloud.deploy(assembly, STACK)
    assert cloud.status(STACK) == "CREATE_COMPLETE"
    assert ":inference-scheduler/" in cloud.outputs(STACK)["Scheduler"]

    cloud.destroy(assembly, STACK)
    assert cloud.status(STACK) is None
