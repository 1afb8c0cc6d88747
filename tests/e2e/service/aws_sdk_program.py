"""A program for AWS's SDK `lookoutequipment`, which runs with the packages of that SDK and no others.

    python aws_sdk_program.py train|infer|clean FOLDER BUCKET ROLE

FOLDER holds what the SDK uploads. Each step prints, as JSON in its last line, what the test looks at.
"""

import json
import sys
from pathlib import Path
from typing import Any

import lookoutequipment as lookout
import pandas as pd

ASSET = "bysdk"
PREFIX = f"{ASSET}/"
POLL = 1
"""Seconds between looks at a status."""


def dataset(folder: Path, role: str) -> Any:
    """The dataset, with the schema that the SDK reads from the files."""
    return lookout.LookoutEquipmentDataset(
        dataset_name=ASSET, component_root_dir=str(folder / "training-data"), access_role_arn=role
    )


def train(folder: Path, bucket: str, role: str) -> dict[str, Any]:
    """Dataset, ingestion, model and its evaluation."""
    lookout.upload_dataset(str(folder), bucket, PREFIX)
    data = dataset(folder, role)
    data.create()
    job = data.ingest_data(bucket, f"{PREFIX}training-data/", wait=True, sleep_time=POLL)

    model = lookout.LookoutEquipmentModel(model_name=ASSET, dataset_name=ASSET)
    evaluation = (pd.Timestamp("2026-01-03"), pd.Timestamp("2026-01-04"))
    model.set_time_periods(*evaluation, pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-03"))
    model.set_label_data(bucket, f"{PREFIX}label-data/", role)
    model.set_target_sampling_rate("PT1M")
    model.set_off_condition(r"pump\Speed < 100")
    model.train()
    model.poll_model_training(sleep_time=POLL)

    rows = pd.read_csv(folder / "training-data/pump/pump.csv", index_col=0, parse_dates=True)
    analysis = lookout.LookoutEquipmentAnalysis(model_name=ASSET, tags_df=rows)
    predictions, labels = analysis.get_predictions(), analysis.get_labels()
    analysis.compute_histograms()
    label = labels.iloc[0]
    found = (predictions["start"] <= label["end"]) & (predictions["end"] >= label["start"])
    return {
        "job": job["Status"],
        "components": data.components_list,
        "models": lookout.list_models(dataset_name_prefix=ASSET),
        "labels": len(labels),
        "found": int(found.sum()),
        "ranked": len(analysis.get_ranked_list()),
    }


def infer(bucket: str, role: str) -> dict[str, Any]:
    """A scheduler and what the inspector says of it."""
    scheduler = lookout.LookoutEquipmentScheduler(scheduler_name=ASSET, model_name=ASSET)
    scheduler.set_parameters(
        input_bucket=bucket,
        input_prefix=f"{PREFIX}input/",
        output_bucket=bucket,
        output_prefix=f"{PREFIX}output/",
        role_arn=role,
    )
    scheduler.create()
    inspector = lookout.LookoutEquipmentSchedulerInspector(ASSET)
    return {
        "status": scheduler.get_status(),
        "naming": [inspector.delimiter, inspector.timestamp_format, inspector.delay_offset],
        "report": inspector.build_inspection_report(),
    }


def clean(folder: Path, role: str) -> dict[str, Any]:
    """The results; then everything is deleted, from the scheduler to the dataset."""
    scheduler = lookout.LookoutEquipmentScheduler(scheduler_name=ASSET, model_name=ASSET)
    executions = scheduler.list_inference_executions(execution_status="SUCCESS")
    scores = scheduler.get_predictions()
    scheduler.stop()
    scheduler.delete()
    lookout.LookoutEquipmentModel(ASSET, ASSET).delete()
    dataset(folder, role).delete()
    return {
        "executions": len(executions),
        "rows": len(scores),
        "scores": [float(scores["anomaly_score"].min()), float(scores["anomaly_score"].max())],
        "datasets": lookout.list_datasets(dataset_name_prefix=ASSET),
    }


if __name__ == "__main__":
    step, place, data_bucket, access_role = sys.argv[1:]
    steps = {
        "train": lambda: train(Path(place), data_bucket, access_role),
        "infer": lambda: infer(data_bucket, access_role),
        "clean": lambda: clean(Path(place), access_role),
    }
    print(json.dumps(steps[step]()))
