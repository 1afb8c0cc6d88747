"""A service and an asset in one stack, from a deployment that fails for its data to its end."""

from collections.abc import Callable, Sequence
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
DATA = "OnlyPump"

App = Callable[[str, Sequence[str]], Path]


@pytest.fixture
def app(cloud: Cloud, tmp_path: Path) -> App:
    """An app with an asset of an id and with sensors; returns its assembly."""

    def synthesised(asset: str, sensors: Sequence[str]) -> Path:
        folder = tmp_path / f"{asset}-{'-'.join(sensors)}"
        context = {**CONTEXT, EMPTY_LAYER: True}
        of = cdk.App(analytics_reporting=False, outdir=str(folder), context=context)
        stack = cdk.Stack(of, STACK, env=cdk.Environment(region=cloud.instance.region))
        no_minimum = ServiceSettings(minimum_training_span=cdk.Duration.days(0))
        bucket = s3.Bucket.from_bucket_name(stack, "Bucket", cloud.bucket)
        pump = MonitoredAsset(
            stack,
            asset,
            service=EquipmentService(stack, "Service", settings=no_minimum),
            locations=AssetStorage.from_bucket(stack, "Data", bucket).for_asset(DATA),
            schema=DatasetSchema.from_sensors({"pump": sensors}),
            training=TimeRange.between("2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z"),
            target_sampling_rate="PT1M",
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        assert pump.dataset is not None
        cdk.CfnOutput(stack, "Dataset", value=pump.dataset.dataset_arn)
        cdk.CfnOutput(stack, "Scheduler", value=pump.scheduler.inference_scheduler_arn)
        of.synth()
        return folder

    return synthesised


def test_from_missing_data_to_the_end(cloud: Cloud, app: App) -> None:
    """One story, since each step starts from the one before.

    The service must be whole as long as its resources need it: also when a deployment is taken back, and when
    the stack is destroyed, with a scheduler that runs.
    """
    assembly = app("Pump", SENSORS)
    message = cloud.failure(assembly, STACK)
    assert f"{DATA}/history/" in message + reasons(cloud.aws, STACK)
    assert cloud.status(STACK) == "ROLLBACK_COMPLETE"

    # The data are there.
    cloud.upload_history(DATA)
    cloud.deploy(assembly, STACK)
    first = cloud.outputs(STACK)

    # A schema that the data do not have: all is as before.
    message = cloud.failure(app("Pump", [*SENSORS[:-1], "Nowhere"]), STACK)
    assert "Nowhere" in message + reasons(cloud.aws, STACK)
    assert cloud.status(STACK) == "UPDATE_ROLLBACK_COMPLETE"
    assert cloud.outputs(STACK) == first

    # One that they have, and another name: another dataset, with all that follows from it.
    renamed = app("FeedPump", SENSORS[:-1])
    cloud.deploy(renamed, STACK)
    second = cloud.outputs(STACK)
    assert cloud.status(STACK) == "UPDATE_COMPLETE"
    for name in ("Dataset", "Scheduler"):
        assert f"/{STACK}-FeedPump-{name}-" in second[name]
        assert f"/{STACK}-Pump-{name}-" in first[name]

    cloud.destroy(renamed, STACK)
    assert cloud.status(STACK) is None
