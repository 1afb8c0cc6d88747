"""An asset's stack from its creation to its end, deployed by the CDK CLI under enforced IAM and TLS."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from tests.e2e.cloud import Cloud, names, reasons
from tests.e2e.windows import change
from tests.waiting import awaited

ASSET = "Line1"
FIRST_DAY = np.datetime64("today", "D") - 100
"""Of the history, which has to lie in the look-back of a retraining whenever this runs."""


def at(day: int, time: str = "00:00:00") -> str:
    """A time of day, on one of the days of the history: 1 is the first."""
    return f"{FIRST_DAY + day - 1}T{time}"


TRAINING = f"{{ start = {at(1)}Z, end = {at(3)}Z }}"
EVALUATION = f"{{ start = {at(3)}Z, end = {at(4)}Z }}"
FAULT = f"{at(3, '10:00:00')},{at(3, '12:00:00')}"


def models(equipment: Any) -> list[Any]:
    """The models of this asset: other tests may have some of their own."""
    found: list[Any] = equipment.list_models(ModelNameBeginsWith=ASSET)["ModelSummaries"]
    return found


def label_groups(equipment: Any) -> list[Any]:
    found: list[Any] = equipment.list_label_groups(LabelGroupNameBeginsWith=ASSET)["LabelGroupSummaries"]
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
        f"{FAULT},,impeller,the fault\n"
        f"{at(1, '06:00:00')},{at(1, '06:30:00')},NO_ANOMALY,,{other}\n"
    )
    return {"label_group": f'"{file.name}"'}


def label_by_hand(equipment: Any, model: Any) -> dict[str, str]:
    """Add a label to the group of a model that has found the fault; returns those that were there."""
    before = labels_of(equipment, model)
    assert before.keys() == {"the fault", "a test run"}
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
    return before


def only_what_changed_is_labelled_again(equipment: Any, model: Any, before: dict[str, str]) -> None:
    after = labels_of(equipment, model)
    assert after.keys() == {"the fault", "an inspection", "by hand"}
    assert after["the fault"] == before["the fault"]


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


def dashboards(cloud: Cloud) -> list[list[dict[str, Any]]]:
    """The widgets of each dashboard of this asset."""
    watch = cloud.aws.cloudwatch
    listed = watch.list_dashboards(DashboardNamePrefix=ASSET)["DashboardEntries"]
    bodies = [watch.get_dashboard(DashboardName=each["DashboardName"])["DashboardBody"] for each in listed]
    return [json.loads(body)["widgets"] for body in bodies]


def shows_the_asset(cloud: Cloud, outputs: Mapping[str, str]) -> None:
    """There is one dashboard, and its alarms and metrics are those of the scheduler and the model."""
    (widgets,) = dashboards(cloud)
    alarm = missing_results_alarm(cloud, outputs["InferenceSchedulerName"])
    (states,) = (each["properties"]["alarms"] for each in widgets if each["type"] == "alarm")
    assert alarm["AlarmArn"] in states
    metrics = [metric for each in widgets for metric in each["properties"].get("metrics", [])]
    whose = {"InferenceSchedulerName": outputs["InferenceSchedulerName"], "ModelName": outputs["ModelName"]}
    for _, name, *dimensions, _ in metrics:
        of = dict(zip(dimensions[::2], dimensions[1::2], strict=True))
        assert of.items() <= whose.items(), name
    assert f"`s3://{cloud.bucket}/{ASSET}/inference-output/`" in widgets[0]["properties"]["markdown"]


def is_retrained(cloud: Cloud, model: str) -> None:
    """Wake the service as the schedule does at midnight, as if the date of the first retraining had come."""
    equipment, endpoint = cloud.aws.equipment, cloud.instance.endpoint
    assert equipment.describe_retraining_scheduler(ModelName=model)["Status"] == "RUNNING"
    schedules = cloud.aws.session.client("scheduler", endpoint_url=endpoint)
    listed = schedules.list_schedules()["Schedules"]
    found = [
        schedules.get_schedule(Name=each["Name"], GroupName=each["GroupName"])["Target"] for each in listed
    ]
    (target,) = (each for each in found if json.loads(each["Input"]).get("ModelName") == model)
    functions = cloud.aws.session.client("lambda", endpoint_url=endpoint)
    change(cloud, {"pk": "retraining-scheduler", "sk": model}, "nextDate", 0)
    for _ in range(2):  # EventBridge may wake it twice
        answer = functions.invoke(FunctionName=target["Arn"], Payload=target["Input"])
        assert "FunctionError" not in answer, answer["Payload"].read()
    version = awaited(
        lambda: equipment.describe_model_version(ModelName=model, ModelVersion=2),
        lambda found: found["Status"] != "IN_PROGRESS",
    )
    assert version["Status"] == "SUCCESS", version
    assert version["AutoPromotionResult"].startswith("MODEL_")
    versions = equipment.list_model_versions(ModelName=model)["ModelVersionSummaries"]
    assert names(versions, "ModelVersion") == [1, 2]


def an_update_that_cannot_work_changes_nothing(
    cloud: Cloud, members: dict[str, str], outputs: Mapping[str, str]
) -> None:
    """The reason is told, and everything is as before."""
    empty = "{ start = 2025-06-01T00:00:00Z, end = 2025-06-03T00:00:00Z }"
    message = cloud.failure(cloud.synth({ASSET: members | {"training": empty}}), ASSET)
    assert "2025-06-01" in message + reasons(cloud.aws, ASSET)
    assert cloud.status(ASSET) == "UPDATE_ROLLBACK_COMPLETE"
    assert cloud.outputs(ASSET) == outputs
    equipment = cloud.aws.equipment
    assert names(models(equipment), "ModelName") == [outputs["ModelName"]]
    still = equipment.describe_inference_scheduler(InferenceSchedulerName=outputs["InferenceSchedulerName"])
    assert still["Status"] == "RUNNING"


def test_create_update_replace_roll_back_destroy(cloud: Cloud) -> None:
    """One story, since each step starts from the one before."""
    cloud.upload_history(ASSET, labels=f"{FAULT}\n".encode(), first_day=FIRST_DAY)
    equipment = cloud.aws.equipment
    labelled = label_file(cloud, "a test run") | {"training": TRAINING, "evaluation": EVALUATION}

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
    before = label_by_hand(equipment, model)

    # Update in place: another delay of the scheduler, retrainings, a new label, a dashboard.
    label_file(cloud, "an inspection")
    retraining = f'{{ frequency = "P30D", lookback = "P720D", start = {FIRST_DAY} }}'
    more = {"data_delay_offset_minutes": "2", "retraining": retraining, "dashboard": "true"}
    retrained = labelled | more
    assert dashboards(cloud) == []
    cloud.deploy(cloud.synth({ASSET: retrained}), ASSET)
    shows_the_asset(cloud, first)
    only_what_changed_is_labelled_again(equipment, model, before)
    updated = equipment.describe_inference_scheduler(InferenceSchedulerName=first["InferenceSchedulerName"])
    assert updated["InferenceSchedulerArn"] == scheduler["InferenceSchedulerArn"]
    assert (updated["DataDelayOffsetInMinutes"], updated["Status"]) == (2, "RUNNING")
    assert cloud.outputs(ASSET) == first
    is_retrained(cloud, first["ModelName"])

    # Replace: another off condition is another model, and with it another scheduler. The old ones go.
    changed = retrained | {"off_condition": r"'pump\Speed < 200'"}
    replaced = cloud.synth({ASSET: changed})
    cloud.deploy(replaced, ASSET)
    second = cloud.outputs(ASSET)
    assert second["ModelName"] != first["ModelName"]
    assert names(models(equipment), "ModelName") == [second["ModelName"]]
    schedulers = schedulers_of(equipment)
    assert [(item["InferenceSchedulerName"], item["Status"]) for item in schedulers] == [
        (second["InferenceSchedulerName"], "RUNNING")
    ]

    moved = equipment.describe_retraining_scheduler(ModelName=second["ModelName"])
    assert moved["Status"] == "RUNNING"

    other = missing_results_alarm(cloud, second["InferenceSchedulerName"])
    assert other["AlarmName"] != alarm["AlarmName"], "a changed alarm would miss the results of the old one"
    shows_the_asset(cloud, second)

    an_update_that_cannot_work_changes_nothing(cloud, changed, second)

    # Destroy: nothing is left in the service, and all of the customer's data.
    data = cloud.aws.s3.list_objects_v2(Bucket=cloud.bucket, Prefix=f"{ASSET}/")
    cloud.destroy(replaced, ASSET)
    assert cloud.status(ASSET) is None
    assert equipment.list_datasets(DatasetNameBeginsWith=ASSET)["DatasetSummaries"] == []
    assert models(equipment) == label_groups(equipment) == dashboards(cloud) == []
    assert schedulers_of(equipment) == []
    left = cloud.aws.s3.list_objects_v2(Bucket=cloud.bucket, Prefix=f"{ASSET}/")
    assert names(left["Contents"], "Key") == names(data["Contents"], "Key") != []
