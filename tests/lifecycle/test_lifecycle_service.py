"""The main sequences against the service itself: a stack of all kinds of an asset, on the real API."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from custom_resources.client import Equipment
from service.members.adaptation_tag import ADAPTATION_TAG
from service.storage.names import INGESTION_JOB, MODEL
from tests.lifecycle.cloudformation import Properties, Stack
from tests.lifecycle.world import Wire, World
from tests.service.api.conftest import ROLE, SCHEMA, Service


class ServiceWorld(World):
    """The handlers against the service; before every invocation, jobs that run come to their end."""

    def __init__(self, wire: Wire, service: Service) -> None:
        super().__init__(wire, short=True)
        self.deployed = service
        self.runner = replace(
            self.runner, equipment=Equipment(service.api), read_object=lambda _: json.dumps(SCHEMA)
        )

    def enter(self) -> None:
        """Play the jobs."""
        store = self.deployed.context.store
        for job in list(store.all(INGESTION_JOB)):
            if job["Status"] == "IN_PROGRESS":
                self.deployed.finish_ingestion(job["JobId"])
        for model in list(store.all(MODEL)):
            if model["Status"] == "IN_PROGRESS":
                self.deployed.finish_training(model["ModelName"])


def template(
    *,
    generation: int = 1,
    frequency: str = "PT5M",
    state: str = "RUNNING",
    site: str = "north",
    adaptation: str | None = None,
) -> dict[str, tuple[str, Properties]]:
    """One asset; another generation replaces everything."""
    name = f"pump-{generation}"
    source = {"S3InputConfiguration": {"Bucket": "customer", "Prefix": "history/"}}
    forms: dict[str, dict[str, Any]] = {
        "Dataset": {
            "DatasetName": name,
            "Schema": {"Bucket": "assets", "Key": "schema"},
            "Tags": [{"Key": "site", "Value": site}],
        },
        "DataIngestion": {"DatasetName": name, "IngestionInputConfiguration": source, "RoleArn": ROLE},
        "LabelGroup": {
            "LabelGroupName": name,
            "FaultCodes": ["bearing"],
            "Labels": [{"InlineLabels": json.dumps([label(day, site) for day in (1, 2)])}],
        },
        "Model": {
            "ModelName": name,
            "DatasetName": name,
            "TrainingDataStartTime": "2026-02-01T00:00:00Z",
            "TrainingDataEndTime": "2026-04-01T00:00:00Z",
            "LabelsInputConfiguration": {"LabelGroupName": name},
            "Wait": True,
            "Tags": [{"Key": ADAPTATION_TAG, "Value": adaptation}] if adaptation else [],
        },
        "InferenceScheduler": {
            "InferenceSchedulerName": name,
            "ModelName": name,
            "DataUploadFrequency": frequency,
            "DataInputConfiguration": {"S3InputConfiguration": {"Bucket": "customer", "Prefix": "fresh/"}},
            "DataOutputConfiguration": {"S3OutputConfiguration": {"Bucket": "customer", "Prefix": "out/"}},
            "RoleArn": ROLE,
            "DesiredState": state,
        },
    }
    frame = {"ServiceToken": "provider", "ServiceTimeout": 3600, "PropertiesVersion": "1"}
    return {kind: (f"Custom::LookoutEquipment{kind}", frame | form) for kind, form in forms.items()}


def label(day: int, notes: str) -> dict[str, str]:
    times = {"StartTime": f"2026-02-0{day}T00:00:00Z", "EndTime": f"2026-02-0{day}T06:00:00Z"}
    return {**times, "Rating": "ANOMALY", "FaultCode": "bearing", "Notes": f"{notes} {day}"}


def notes(service: Service) -> list[str]:
    """The notes of all labels in the group."""
    labels = service.api.list_labels(LabelGroupName="pump-1")["LabelSummaries"]
    return [
        service.api.describe_label(LabelGroupName="pump-1", LabelId=found["LabelId"]).get("Notes", "")
        for found in labels
    ]


def names(service: Service) -> set[str]:
    found = [item["DatasetName"] for item in service.api.list_datasets()["DatasetSummaries"]]
    found += [item["ModelName"] for item in service.api.list_models()["ModelSummaries"]]
    found += [item["LabelGroupName"] for item in service.api.list_label_groups()["LabelGroupSummaries"]]
    schedulers = service.api.list_inference_schedulers()["InferenceSchedulerSummaries"]
    return {*found, *(item["InferenceSchedulerName"] for item in schedulers)}


def test_an_asset_lives_and_dies(wire: Wire, service: Service) -> None:
    stack = Stack(ServiceWorld(wire, service), duplicates=True)

    assert stack.deploy(template()), stack.reasons
    scheduler = service.api.describe_inference_scheduler(InferenceSchedulerName="pump-1")
    assert scheduler["Status"] == "RUNNING"
    assert notes(service) == ["north 1", "north 2"]
    day = datetime(2026, 2, 1, tzinfo=UTC)
    service.api.create_label(
        LabelGroupName="pump-1", StartTime=day, EndTime=day, Rating="NEUTRAL", Notes="by hand"
    )

    assert stack.deploy(template(frequency="PT10M", state="STOPPED", site="south")), stack.reasons
    changed = service.api.describe_inference_scheduler(InferenceSchedulerName="pump-1")
    assert changed["InferenceSchedulerArn"] == scheduler["InferenceSchedulerArn"]
    assert (changed["Status"], changed["DataUploadFrequency"]) == ("STOPPED", "PT10M")
    assert sorted(notes(service)) == ["by hand", "south 1", "south 2"]

    before = stack.live
    assert not stack.deploy(template(generation=2), sibling_fails=True)
    assert not stack.stuck, stack.reasons
    assert {live.physical_id for live in stack.live.values()} == {
        live.physical_id for live in before.values()
    }
    assert names(service) == {"pump-1"}

    assert stack.deploy(template(generation=3)), stack.reasons
    assert names(service) == {"pump-3"}
    assert len(service.api.list_data_ingestion_jobs()["DataIngestionJobSummaries"]) == 3

    assert stack.destroy(), stack.reasons
    stack.drain()
    assert names(service) == set()
    assert not [reason for reason in stack.reasons if "broke on" in reason]


def test_the_adaptation_of_a_model_changes_in_place_without_training(wire: Wire, service: Service) -> None:
    stack = Stack(ServiceWorld(wire, service), duplicates=True)

    def state() -> tuple[dict[str, Any], str | None]:
        model = service.api.describe_model(ModelName="pump-1")
        model.pop("ResponseMetadata")
        tags = service.api.list_tags_for_resource(ResourceArn=model["ModelArn"])["Tags"]
        return model, {tag["Key"]: tag["Value"] for tag in tags}.get(ADAPTATION_TAG)

    assert stack.deploy(template()), stack.reasons
    trained, adaptation = state()
    assert adaptation is None
    for wanted in ("hold", "follow", None, "auto"):
        assert stack.deploy(template(adaptation=wanted)), stack.reasons
        assert state() == (trained, wanted), "same model, same training"
    assert len(service.api.list_model_versions(ModelName="pump-1")["ModelVersionSummaries"]) == 1

    assert not stack.deploy(template(adaptation="never"))
    assert "use one of auto, hold, follow" in stack.reasons[0]
    assert state() == (trained, "auto")
    assert stack.destroy(), stack.reasons


def test_what_a_template_no_longer_names_is_taken_away_and_comes_back_in_a_rollback(
    wire: Wire, service: Service
) -> None:
    stack = Stack(ServiceWorld(wire, service), duplicates=True)

    def retrained(*, labelled: bool, **date: str) -> dict[str, tuple[str, Properties]]:
        parts = template()
        kind, model = parts["Model"]
        unlabelled = {name: value for name, value in model.items() if name != "LabelsInputConfiguration"}
        frame = {name: model[name] for name in ("ServiceToken", "ServiceTimeout", "PropertiesVersion")}
        retraining = {"ModelName": "pump-1", "RetrainingFrequency": "P2M", "LookbackWindow": "P180D", **date}
        return {
            **parts,
            "Model": (kind, model if labelled else unlabelled),
            "RetrainingScheduler": ("Custom::LookoutEquipmentRetrainingScheduler", frame | retraining),
        }

    def state() -> tuple[bool, datetime]:
        model = service.api.describe_model(ModelName="pump-1")
        found = service.api.describe_retraining_scheduler(ModelName="pump-1")
        return "LabelsInputConfiguration" in model, found["RetrainingStartDate"]

    assert stack.deploy(retrained(labelled=False)), stack.reasons
    bare = state()
    assert not bare[0]
    late = "2031-01-01T00:00:00Z"
    full = (True, datetime(2031, 1, 1, tzinfo=UTC))
    assert not stack.deploy(retrained(labelled=True, RetrainingStartDate=late), sibling_fails=True)
    assert state() == bare
    assert stack.deploy(retrained(labelled=True, RetrainingStartDate=late)), stack.reasons
    assert state() == full
    assert stack.deploy(retrained(labelled=False)), stack.reasons
    assert state() == bare
