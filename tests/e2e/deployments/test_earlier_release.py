"""An asset that an earlier release deployed lives on: nothing is ingested or trained again.

`earlier_asset.template.json` is what the app at commit c27e9d5 made of the asset. Its names say where its
schema is staged.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from constructs_l4e._names import BY_LOCATION
from tests.e2e.cloud import Cloud, reasons

ASSET = "Earlier"
TEMPLATE = Path(__file__).with_name("earlier_asset.template.json")
KEEP = {BY_LOCATION: "true"}


def made(cloud: Cloud) -> dict[str, Any]:
    """What costs data or a training when it is made again."""
    equipment, names = cloud.aws.equipment, cloud.outputs(ASSET)
    model = equipment.describe_model(ModelName=names["ModelName"])
    scheduler = equipment.describe_inference_scheduler(InferenceSchedulerName=names["InferenceSchedulerName"])
    dataset = equipment.describe_dataset(DatasetName=model["DatasetName"])
    jobs = equipment.list_data_ingestion_jobs(DatasetName=model["DatasetName"])["DataIngestionJobSummaries"]
    return {
        "dataset": dataset["DatasetArn"],
        "jobs": [job["JobId"] for job in jobs],
        "model": model["ModelArn"],
        "trained": model["TrainingExecutionStartTime"],
        "scheduler": scheduler["InferenceSchedulerArn"],
        "state": scheduler["Status"],
    }


def test_is_updated_without_training(cloud: Cloud) -> None:
    cloud.upload_history(ASSET)
    assembly = cloud.synth({ASSET: {}}, **KEEP)
    shutil.copy(TEMPLATE, assembly / f"{ASSET}.template.json")
    cloud.deploy(assembly, ASSET)
    before = made(cloud)
    assert before["model"].split("/")[1] == json.loads(TEMPLATE.read_text())["Outputs"]["ModelName"]["Value"]

    # With a name by another rule everything would be made again: refused, and everything is as before.
    message = cloud.failure(cloud.synth({ASSET: {}}), ASSET) + reasons(cloud.aws, ASSET)
    assert f'set the context value "{BY_LOCATION}" to true' in message
    assert cloud.status(ASSET) == "UPDATE_ROLLBACK_COMPLETE"
    assert made(cloud) == before

    # With its own it is updated.
    cloud.deploy(cloud.synth({ASSET: {"data_delay_offset_minutes": "2"}}, **KEEP), ASSET)
    assert made(cloud) == before
    name = cloud.outputs(ASSET)["InferenceSchedulerName"]
    scheduler = cloud.aws.equipment.describe_inference_scheduler(InferenceSchedulerName=name)
    assert scheduler["DataDelayOffsetInMinutes"] == 2

    cloud.destroy(assembly, ASSET)
