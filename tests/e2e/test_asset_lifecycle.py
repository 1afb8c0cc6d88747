"""An asset's stack from its creation to its end, deployed by the CDK CLI under enforced IAM and TLS."""

import json
from datetime import UTC, datetime
from typing import Any

from tests.e2e.cloud import Cloud, names, reasons

ASSET = "Line1"


def models(equipment: Any) -> list[Any]:
    """The models of this asset: other tests may have some of their own."""
    found: list[Any] = equipment.list_models(ModelNameBeginsWith=ASSET)["ModelSummaries"]
    return found


def schedulers_of(equipment: Any) -> list[Any]:
    found: list[Any] = equipment.list_inference_schedulers(InferenceSchedulerNameBeginsWith=ASSET)[
        "InferenceSchedulerSummaries"
    ]
    return found


def label_file(cloud: Cloud, other: str) -> dict[str, str]:
    """Write the labels of the fault and of something other; returns the member that names the file."""
    file = cloud.work / "line1-labels.csv"
    file.write_text(
        "start,end,rating,fault_code,notes\n"
        "2026-01-03T10:00:00,2026-01-03T12:00:00,,impeller,the fault\n"
        f"2026-01-01T06:00:00,2026-01-01T06:30:00,NO_ANOMALY,,{other}\n"
    )
    return {"label_group": f'"{file.name}"'}


def label_by_hand(equipment: Any, model: Any) -> None:
    """Add a label to the group of a model that has found the fault."""
    (found,) = json.loads(model["ModelMetrics"])["fault_codes"]
    assert found == {"fault_code": "impeller", "num_labeled": 1, "num_identified": 1}
    now = datetime.now(UTC)
    equipment.create_label(
        LabelGroupName=model["LabelsInputConfiguration"]["LabelGroupName"],
        StartTime=now,
        EndTime=now,
        Rating="NEUTRAL",
        Notes="by hand",
    )


def labels_of(equipment: Any, model: Any) -> dict[str, str]:
    """The ids of the labels in the group of a model by their notes."""
    group = model["LabelsInputConfiguration"]["LabelGroupName"]
    found = [
        equipment.describe_label(LabelGroupName=group, LabelId=label["LabelId"])
        for label in equipment.list_labels(LabelGroupName=group)["LabelSummaries"]
    ]
    return {label.get("Notes", ""): label["LabelId"] for label in found}


def missing_results_alarm(cloud: Cloud, scheduler: str) -> Any:
    """The alarm that tells when a scheduler brings no results any more."""
    pages = cloud.aws.cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
    (found,) = (
        alarm
        for page in pages
        for alarm in page["MetricAlarms"]
        if alarm["MetricName"] == "InferenceSucceeded"
        and scheduler in {dimension["Value"] for dimension in alarm["Dimensions"]}
    )
    return found


def test_create_update_replace_roll_back_destroy(cloud: Cloud) -> None:
    """One story, since each step starts from the one before."""
    cloud.upload_history(ASSET)
    equipment = cloud.aws.equipment
    labelled = label_file(cloud, "a test run")

    # Create: the model is trained and the scheduler runs when the deployment ends.
    cloud.deploy(cloud.synth({ASSET: labelled}), ASSET)
    first = cloud.outputs(ASSET)
    model = equipment.describe_model(ModelName=first["ModelName"])
    assert model["Status"] == "SUCCESS"
    assert '"num_identified":1' in model["ModelMetrics"].replace(" ", "")
    scheduler = equipment.describe_inference_scheduler(InferenceSchedulerName=first["InferenceSchedulerName"])
    assert scheduler["Status"] == "RUNNING"
    alarm = missing_results_alarm(cloud, first["InferenceSchedulerName"])
    assert alarm["TreatMissingData"] == "missing", "a first deployment must not notify"
    before = labels_of(equipment, model)
    assert before.keys() == {"the fault", "a test run"}
    label_by_hand(equipment, model)

    # Update in place: the same scheduler has another delay, and labels are others.
    label_file(cloud, "an inspection")
    cloud.deploy(cloud.synth({ASSET: labelled | {"data_delay_offset_minutes": "2"}}), ASSET)
    after = labels_of(equipment, model)
    assert after.keys() == {"the fault", "an inspection", "by hand"}
    assert after["the fault"] == before["the fault"], "only what changed is made again"
    updated = equipment.describe_inference_scheduler(InferenceSchedulerName=first["InferenceSchedulerName"])
    assert updated["InferenceSchedulerArn"] == scheduler["InferenceSchedulerArn"]
    assert (updated["DataDelayOffsetInMinutes"], updated["Status"]) == (2, "RUNNING")
    assert cloud.outputs(ASSET) == first

    # Replace: another off condition is another model, and with it another scheduler. The old ones go.
    changed = labelled | {"data_delay_offset_minutes": "2", "off_condition": r"'pump\Speed < 200'"}
    replaced = cloud.synth({ASSET: changed})
    cloud.deploy(replaced, ASSET)
    second = cloud.outputs(ASSET)
    assert second["ModelName"] != first["ModelName"]
    assert names(models(equipment), "ModelName") == [second["ModelName"]]
    schedulers = schedulers_of(equipment)
    assert [(item["InferenceSchedulerName"], item["Status"]) for item in schedulers] == [
        (second["InferenceSchedulerName"], "RUNNING")
    ]

    other = missing_results_alarm(cloud, second["InferenceSchedulerName"])
    assert other["AlarmName"] != alarm["AlarmName"], "a changed alarm would miss the results of the old one"

    # An update that cannot work: the reason is told, and everything is as before.
    empty = "{ start = 2025-06-01T00:00:00Z, end = 2025-06-03T00:00:00Z }"
    message = cloud.failure(cloud.synth({ASSET: changed | {"training": empty}}), ASSET)
    assert "2025-06-01" in message + reasons(cloud.aws, ASSET)
    assert cloud.status(ASSET) == "UPDATE_ROLLBACK_COMPLETE"
    assert cloud.outputs(ASSET) == second
    assert names(models(equipment), "ModelName") == [second["ModelName"]]
    still = equipment.describe_inference_scheduler(InferenceSchedulerName=second["InferenceSchedulerName"])
    assert still["Status"] == "RUNNING"

    # Destroy: nothing is left in the service, and all of the customer's data.
    data = cloud.aws.s3.list_objects_v2(Bucket=cloud.bucket, Prefix=f"{ASSET}/")
    cloud.destroy(replaced, ASSET)
    assert cloud.status(ASSET) is None
    assert equipment.list_datasets(DatasetNameBeginsWith=ASSET)["DatasetSummaries"] == []
    assert models(equipment) == []
    assert schedulers_of(equipment) == []
    assert equipment.list_label_groups(LabelGroupNameBeginsWith=ASSET)["LabelGroupSummaries"] == []
    left = cloud.aws.s3.list_objects_v2(Bucket=cloud.bucket, Prefix=f"{ASSET}/")
    assert names(left["Contents"], "Key") == names(data["Contents"], "Key") != []
