"""Models and their versions, seen through the real client."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.service.api.conftest import FIRST, LAST, ROLE, SCHEMA, Deploy, Service

LABELS = {"S3InputConfiguration": {"Bucket": "customer", "Prefix": "labels/"}}
MIDDLE = datetime(2026, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_model_is_trained_with_everything_it_was_given(service: Service) -> None:
    service.ingested_dataset()
    given: dict[str, Any] = {
        "LabelsInputConfiguration": LABELS,
        "RoleArn": ROLE,
        "TrainingDataStartTime": FIRST,
        "TrainingDataEndTime": MIDDLE,
        "EvaluationDataStartTime": MIDDLE,
        "EvaluationDataEndTime": LAST,
        "DataPreProcessingConfiguration": {"TargetSamplingRate": "PT5M"},
        "OffCondition": r"pump\speed < 10",
        "ModelDiagnosticsOutputConfiguration": {
            "S3OutputConfiguration": {"Bucket": "customer", "Prefix": "diagnostics/"}
        },
    }
    created = service.create_model("wear", **given)
    assert created["Status"] == "IN_PROGRESS"
    assert created["ModelArn"].startswith("arn:aws:lookoutequipment:eu-west-1:000000000000:model/wear/")

    model = service.api.describe_model(ModelName="wear")
    assert {name: model[name] for name in given} == given
    assert json.loads(model["Schema"]) == SCHEMA
    assert model["DatasetName"] == "pump"
    assert "TrainingExecutionStartTime" in model
    assert model.keys().isdisjoint({"FailedReason", "ModelMetrics", "ActiveModelVersion"})

    version = service.api.describe_model_version(ModelName="wear", ModelVersion=1)
    assert {name: version[name] for name in given} == given
    assert version["ModelVersionArn"] == f"{created['ModelArn']}/model-version/1"
    assert version["SourceType"] == "TRAINING"

    machines = service.context.client("stepfunctions")
    arn = service.context.environment.train_state_machine.replace(":stateMachine:", ":execution:")
    uuid = created["ModelArn"].rpartition("/")[2]
    assert json.loads(machines.describe_execution(executionArn=f"{arn}:{uuid}-1")["input"]) == {
        "ModelName": "wear",
        "ModelVersion": 1,
    }


def test_without_windows_all_data_trains_and_members_not_given_are_absent(service: Service) -> None:
    service.ingested_dataset()
    service.create_model("wear")
    model = service.api.describe_model(ModelName="wear")
    assert (model["TrainingDataStartTime"], model["TrainingDataEndTime"]) == (FIRST, LAST)
    assert model.keys().isdisjoint(
        {"DataPreProcessingConfiguration", "OffCondition", "EvaluationDataStartTime", "RoleArn"}
    )


def test_a_model_that_is_only_told_what_to_be_evaluated_on_learns_from_all_before(service: Service) -> None:
    service.ingested_dataset()
    service.create_model("wear", EvaluationDataStartTime=MIDDLE, EvaluationDataEndTime=LAST + DAY)
    model = service.api.describe_model(ModelName="wear")
    windows = (model["TrainingDataStartTime"], model["TrainingDataEndTime"], model["EvaluationDataStartTime"])
    assert windows == (FIRST, MIDDLE, MIDDLE)


def test_a_model_may_use_a_part_of_the_dataset(service: Service) -> None:
    service.ingested_dataset()
    part = {
        "Components": [
            {
                "ComponentName": "pump",
                "Columns": [{"Name": "Timestamp", "Type": "DATETIME"}, {"Name": "flow", "Type": "DOUBLE"}],
            }
        ]
    }
    service.create_model("wear", DatasetSchema={"InlineDataSchema": json.dumps(part)})
    assert json.loads(service.api.describe_model(ModelName="wear")["Schema"]) == part


UNEVEN = [
    {
        "ComponentName": component,
        "SensorName": "speed",
        "DataExists": True,
        "DataStartTime": start.timestamp(),
        "DataEndTime": end.timestamp(),
    }
    for component, start, end in (("pump", FIRST, LAST), ("motor", MIDDLE, MIDDLE + 40 * DAY))
]
"""Of the motor there is data of 40 days only."""


def test_without_windows_the_time_of_the_sensors_of_the_model_trains(service: Service) -> None:
    service.ingested_dataset(statistics=UNEVEN)
    service.create_model("wear", DatasetSchema=_schema("motor", "speed"))
    model = service.api.describe_model(ModelName="wear")
    windows = (model["TrainingDataStartTime"], model["TrainingDataEndTime"])
    assert windows == (MIDDLE, MIDDLE + 40 * DAY)
    service.create_model("all")
    model = service.api.describe_model(ModelName="all")
    assert (model["TrainingDataStartTime"], model["TrainingDataEndTime"]) == (FIRST, LAST)


def test_a_window_is_held_to_the_time_of_the_sensors_of_the_model(service: Service) -> None:
    service.ingested_dataset(statistics=UNEVEN)
    motor = {"DatasetSchema": _schema("motor", "speed"), "TrainingDataStartTime": FIRST}
    wrong = service.api.exceptions.ValidationException
    words = "the sensors of the model have data from 2026-05-01T00:00:00Z to 2026-06-10T00:00:00Z"
    with pytest.raises(wrong, match=words):
        service.create_model("wear", **motor, TrainingDataEndTime=MIDDLE - DAY)
    with pytest.raises(wrong, match="to 2026-05-11T00:00:00Z, which is shorter than 14 days"):
        service.create_model("wear", **motor, TrainingDataEndTime=MIDDLE + 10 * DAY)
    service.create_model("wear", **motor, TrainingDataEndTime=MIDDLE + 20 * DAY)


def _schema(component: str, column: str) -> dict[str, Any]:
    columns = [{"Name": "Timestamp", "Type": "DATETIME"}, {"Name": column, "Type": "DOUBLE"}]
    return {
        "InlineDataSchema": json.dumps(
            {"Components": [{"ComponentName": component, "Columns": columns}]},
        )
    }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"DatasetSchema": _schema("pmp", "flow")},
            "'pmp' is not in the dataset 'pump': did you mean 'pump'",
        ),
        ({"DatasetSchema": _schema("pump", "Flow")}, "'Flow' is not in the component 'pump' .* mean 'flow'"),
        ({"OffCondition": r"pump\head < 1"}, r"is no sensor of the model, which has 'pump\\flow'"),
        ({"OffCondition": r"pump\\speed < 1"}, "write one backslash"),
        ({"OffCondition": "speed < 1"}, r"could be any of 'pump\\speed', 'motor\\speed'"),
        ({"OffCondition": r"pump\speed <= 1"}, "is not of the form"),
        ({"OffCondition": r"pump\speed < slow"}, "is not of the form"),
        ({"TrainingDataStartTime": FIRST}, "TrainingDataEndTime is missing"),
        ({"TrainingDataStartTime": LAST, "TrainingDataEndTime": FIRST}, "must be before TrainingDataEndTime"),
        (
            {"TrainingDataStartTime": FIRST, "TrainingDataEndTime": FIRST + 13 * DAY},
            "shorter than 14 days",
        ),
        (
            # Most of this window has no data.
            {"TrainingDataStartTime": FIRST - 300 * DAY, "TrainingDataEndTime": FIRST + DAY},
            "data from 2026-01-01T00:00:00Z to 2026-01-02T00:00:00Z, which is shorter than 14 days",
        ),
        (
            {"TrainingDataStartTime": LAST + DAY, "TrainingDataEndTime": LAST + 90 * DAY},
            "no data: the sensors of the model have data from 2026-01-01T00:00:00Z to 2026-07-01T00:00:00Z",
        ),
        (
            {"EvaluationDataStartTime": FIRST + 13 * DAY, "EvaluationDataEndTime": LAST},
            "data from 2026-01-01T00:00:00Z to 2026-01-14T00:00:00Z, which is shorter than 14 days",
        ),
        (
            {
                "TrainingDataStartTime": FIRST,
                "TrainingDataEndTime": MIDDLE + DAY,
                "EvaluationDataStartTime": MIDDLE,
                "EvaluationDataEndTime": LAST,
            },
            "EvaluationDataStartTime 2026-05-01T00:00:00Z is before TrainingDataEndTime",
        ),
        (
            {
                "TrainingDataStartTime": FIRST,
                "TrainingDataEndTime": MIDDLE,
                "EvaluationDataStartTime": LAST + DAY,
                "EvaluationDataEndTime": LAST + 2 * DAY,
            },
            "EvaluationDataStartTime 2026-07-02T00:00:00Z .* has no data",
        ),
        ({"LabelsInputConfiguration": LABELS}, "LabelsInputConfiguration is given without RoleArn"),
        (
            {"ModelDiagnosticsOutputConfiguration": {"S3OutputConfiguration": {"Bucket": "customer"}}},
            "ModelDiagnosticsOutputConfiguration is given without RoleArn",
        ),
        ({"RoleArn": f"arn:aws:iam::{'0' * 12}:role/access"}, "does not lie under the path"),
    ],
)
def test_what_a_model_cannot_be_trained_with(service: Service, given: dict[str, Any], words: str) -> None:
    service.ingested_dataset()
    with pytest.raises(service.api.exceptions.ValidationException, match=words):
        service.create_model("wear", **given)
    assert service.api.list_models()["ModelSummaries"] == []


@pytest.mark.parametrize(
    "condition", [r"pump\speed<100", r"pump\speed > -1.5e3", r" motor\speed  <  .5 ", "flow > 3"]
)
def test_off_conditions_are_returned_as_given(service: Service, condition: str) -> None:
    service.ingested_dataset()
    service.create_model("wear", OffCondition=condition)
    assert service.api.describe_model(ModelName="wear")["OffCondition"] == condition


def test_the_minimum_training_span_is_a_setting(deploy: Deploy) -> None:
    service = deploy(minimum_training_days=0.5)
    service.ingested_dataset()
    window = {"TrainingDataStartTime": FIRST, "TrainingDataEndTime": FIRST + DAY}
    service.create_model("wear", **window)


def test_a_model_needs_a_dataset_with_data(service: Service) -> None:
    with pytest.raises(service.api.exceptions.ResourceNotFoundException, match="dataset 'pump'"):
        service.create_model("wear")
    service.create_dataset("pump")
    with pytest.raises(service.api.exceptions.ConflictException, match="'pump' is CREATED, not ACTIVE"):
        service.create_model("wear")


def test_model_limits(deploy: Deploy) -> None:
    service = deploy(models=2, pending_models=1)
    service.ingested_dataset()
    service.create_model("one")
    with pytest.raises(service.api.exceptions.ServiceQuotaExceededException, match="1 models in training"):
        service.create_model("two")
    service.finish_training("one")
    service.trained_model("two")
    with pytest.raises(service.api.exceptions.ServiceQuotaExceededException, match="limit of 2 models"):
        service.create_model("three")


def test_columns_of_a_model_are_limited(deploy: Deploy) -> None:
    service = deploy(columns_per_model=2)
    service.ingested_dataset()
    with pytest.raises(service.api.exceptions.ValidationException, match="has 3 columns but at most 2"):
        service.create_model("wear")


def test_a_model_in_training_cannot_be_changed_or_deleted(service: Service) -> None:
    service.ingested_dataset()
    service.create_model("wear")
    with pytest.raises(service.api.exceptions.ConflictException, match="'wear' already exists"):
        service.create_model("wear")
    for attempt in (service.api.delete_model, service.api.update_model):
        with pytest.raises(service.api.exceptions.ConflictException, match="'wear' is IN_PROGRESS"):
            attempt(ModelName="wear")


def test_updating_a_model_changes_only_what_is_given(service: Service) -> None:
    service.trained_model("wear", RoleArn=ROLE)
    before = service.api.describe_model(ModelName="wear")
    service.api.update_model(ModelName="wear", LabelsInputConfiguration=LABELS)
    after = service.api.describe_model(ModelName="wear")
    assert after.pop("LabelsInputConfiguration") == LABELS
    assert after.pop("LastUpdatedTime") >= before.pop("LastUpdatedTime")
    before.pop("ResponseMetadata")
    after.pop("ResponseMetadata")
    assert after == before


def test_empty_labels_are_none(service: Service) -> None:
    service.trained_model(
        "wear", RoleArn=ROLE, LabelsInputConfiguration={}, DataPreProcessingConfiguration={}
    )
    made = service.api.describe_model(ModelName="wear")
    assert not made.keys() & {"LabelsInputConfiguration", "DataPreProcessingConfiguration"}
    service.api.update_model(ModelName="wear", LabelsInputConfiguration=LABELS)
    service.api.update_model(ModelName="wear", LabelsInputConfiguration={})
    after = service.api.describe_model(ModelName="wear")
    assert after.keys() == made.keys()


def test_a_failed_model_can_be_deleted_with_its_versions_and_objects(service: Service) -> None:
    service.ingested_dataset()
    service.create_model("wear")
    service.finish_training("wear", "FAILED")
    assert service.api.list_models(Status="FAILED")["ModelSummaries"][0]["ModelName"] == "wear"
    bucket, s3 = service.context.environment.bucket, service.context.client("s3")
    objects = s3.list_objects_v2(Bucket=bucket)["KeyCount"]
    service.api.delete_model(ModelName="wear")
    assert service.api.list_models()["ModelSummaries"] == []
    assert service.api.list_model_versions(ModelName="wear")["ModelVersionSummaries"] == []
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == objects - 1
    with pytest.raises(service.api.exceptions.ResourceNotFoundException):
        service.api.delete_model(ModelName="wear")


def test_models_are_listed_by_name_and_filtered(service: Service) -> None:
    for name in ("wear", "leak", "wear2"):
        service.trained_model(name)

    def listed(**filters: str) -> list[str]:
        return [model["ModelName"] for model in service.api.list_models(**filters)["ModelSummaries"]]

    assert listed() == ["leak", "wear", "wear2"]
    assert listed(ModelNameBeginsWith="wear") == ["wear", "wear2"]
    assert listed(DatasetNameBeginsWith="pu") == ["leak", "wear", "wear2"]
    assert listed(DatasetNameBeginsWith="Pu") == []
    assert listed(Status="IN_PROGRESS") == []


def test_versions_are_filtered(service: Service) -> None:
    service.trained_model("wear")
    now = datetime.now(UTC)

    def count(**filters: Any) -> int:
        return len(service.api.list_model_versions(ModelName="wear", **filters)["ModelVersionSummaries"])

    assert count() == 1
    assert count(MinModelVersion=1, MaxModelVersion=1) == 1
    assert count(MinModelVersion=2) == 0
    assert count(MinModelVersion=3, MaxModelVersion=2) == 0
    assert count(Status="FAILED") == 0
    assert count(SourceType="TRAINING") == 1
    assert count(CreatedAtStartTime=now - DAY, CreatedAtEndTime=now + DAY) == 1
    assert count(CreatedAtStartTime=now + DAY) == 0
    with pytest.raises(service.api.exceptions.ResourceNotFoundException, match="wear/2"):
        service.api.describe_model_version(ModelName="wear", ModelVersion=2)
