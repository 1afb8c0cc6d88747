"""The kinds of resource, each with the changes that matter to its life."""

import json
from dataclasses import dataclass
from typing import Any

from tests.lifecycle.cloudformation import Properties
from tests.lifecycle.fake_service import ACCOUNT, FakeService

ROLE = f"arn:aws:iam::{ACCOUNT}:role/lookoutequipment/reader"
OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/lookoutequipment/writer"
STATEMENT = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::222222222222:root"},
    "Action": "lookoutequipment:ImportDataset",
}
POLICY = {"Version": "2012-10-17", "Statement": [STATEMENT]}
_FRAME = {
    "ServiceToken": "arn:aws:lambda:us-east-1:111122223333:function:provider",
    "ServiceTimeout": 3600,
    "PropertiesVersion": "1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind: property sets that differ from `base` in one respect each.

    `in_place` changes without a new resource, `replaced` with one, `clash` needs a new one but keeps the
    name, `failing` needs a new one that the service accepts and then fails (None: the kind has none).
    """

    kind: str
    type: str
    name_member: str
    base: Properties
    in_place: Properties
    replaced: Properties
    clash: Properties | None
    failing: Properties | None


def prepare(service: FakeService) -> None:
    """What other people own, and what the cases build on."""
    for name in ("plant", "plant-2"):
        service.seed_dataset(name)
    for name in ("trained", "trained-2", "other"):
        service.seed_model(name)
    service.seed_model("untrained", status="FAILED")


def _tags(**pairs: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def _case(kind: str, name_member: str, base: Properties, **changes: Properties | None) -> Case:
    full: dict[str, Any] = {
        key: None if change is None else _FRAME | base | change for key, change in changes.items()
    }
    type_ = f"Custom::LookoutEquipment{kind}"
    return Case(kind=kind, type=type_, name_member=name_member, base=_FRAME | base, **full)


def _labels(*labels: dict[str, str]) -> list[Properties]:
    return [{"InlineLabels": json.dumps(labels)}]


def _label(day: int, **more: str) -> dict[str, str]:
    times = {"StartTime": f"2024-03-{day:02d}T00:00:00Z", "EndTime": f"2024-03-{day:02d}T06:00:00Z"}
    return {**times, "Rating": "ANOMALY", **more}


def _files(prefix: str) -> Properties:
    return {"S3InputConfiguration": {"Bucket": "history", "Prefix": prefix}}


def source(word: str, name: str) -> str:
    """The ARN of a resource of another account."""
    return (
        f"arn:aws:lookoutequipment:us-east-1:222222222222:{word}/{name}/1d4d3cda-9e46-4e5a-9a39-000000000001"
    )


def version_of(name: str, number: int = 1) -> str:
    """The ARN of a model version of another account."""
    return f"{source('model', name)}/model-version/{number}"


AT_ONCE = frozenset({"Dataset", "DatasetPolicy", "LabelGroup"})
"""The kinds that the service makes while the request lasts."""

CASES = (
    _case(
        "Dataset",
        "DatasetName",
        {
            "DatasetName": "pump-1",
            "Schema": {"Bucket": "assets", "Key": "schema-1"},
            "Tags": _tags(site="north", line="4"),
        },
        in_place={"Tags": _tags(site="south", owner="me")},
        replaced={"DatasetName": "pump-2", "Schema": {"Bucket": "assets", "Key": "schema-2"}},
        clash={"Schema": {"Bucket": "assets", "Key": "schema-2"}},
        failing={"DatasetName": "pump-3", "Schema": {"Bucket": "assets", "Key": "broken"}},
    ),
    _case(
        "ImportedDataset",
        "DatasetName",
        {
            "DatasetName": "pump-1",
            "SourceDatasetArn": source("dataset", "pump"),
            "Revision": "1",
            "Tags": _tags(site="north", line="4"),
        },
        in_place={"Tags": _tags(site="south", owner="me"), "Revision": "2"},
        replaced={"DatasetName": "pump-2", "SourceDatasetArn": source("dataset", "fan")},
        clash={"SourceDatasetArn": source("dataset", "fan")},
        failing={"DatasetName": "pump-3", "SourceDatasetArn": source("dataset", "bad")},
    ),
    _case(
        "DataIngestion",
        "DatasetName",
        {"DatasetName": "plant", "IngestionInputConfiguration": _files("2024/"), "RoleArn": ROLE},
        in_place={"Revision": "2"},
        replaced={"DatasetName": "plant-2"},
        clash=None,
        failing={"IngestionInputConfiguration": _files("bad/")},
    ),
    _case(
        "Model",
        "ModelName",
        {
            "ModelName": "pump-1",
            "DatasetName": "plant",
            "TrainingDataStartTime": "2024-01-01T00:00:00Z",
            "TrainingDataEndTime": "2024-06-01T00:00:00Z",
            "RoleArn": ROLE,
            "Wait": True,
            "Tags": _tags(site="north"),
        },
        in_place={
            "RoleArn": OTHER_ROLE,
            "LabelsInputConfiguration": {"S3InputConfiguration": {"Bucket": "labels", "Prefix": "v2/"}},
            "Tags": _tags(site="south"),
        },
        replaced={"ModelName": "pump-2", "TrainingDataEndTime": "2024-07-01T00:00:00Z"},
        clash={"TrainingDataEndTime": "2024-07-01T00:00:00Z"},
        failing={"ModelName": "bad-1", "TrainingDataEndTime": "2024-08-01T00:00:00Z"},
    ),
    _case(
        "ImportedModel",
        "ModelName",
        {
            "ModelName": "pump-1",
            "DatasetName": "plant",
            "SourceModelVersionArn": version_of("pump"),
            "RoleArn": ROLE,
            "Tags": _tags(site="north"),
        },
        in_place={
            "SourceModelVersionArn": version_of("pump", 2),
            "InferenceDataImportStrategy": "ADD_WHEN_EMPTY",
            "RoleArn": OTHER_ROLE,
            "LabelsInputConfiguration": {"S3InputConfiguration": {"Bucket": "labels", "Prefix": "v2/"}},
            "Tags": _tags(site="south"),
        },
        replaced={"ModelName": "pump-2", "DatasetName": "plant-2"},
        clash={"DatasetName": "plant-2"},
        failing={"ModelName": "pump-3", "SourceModelVersionArn": version_of("bad")},
    ),
    _case(
        "DatasetPolicy",
        "DatasetName",
        {"DatasetName": "plant", "ResourcePolicy": POLICY},
        in_place={"ResourcePolicy": {**POLICY, "Statement": [STATEMENT | {"Effect": "Deny"}]}},
        replaced={"DatasetName": "plant-2"},
        clash=None,
        failing={"DatasetName": "nowhere"},
    ),
    _case(
        "InferenceScheduler",
        "InferenceSchedulerName",
        {
            "InferenceSchedulerName": "pump-1",
            "ModelName": "trained",
            "DataUploadFrequency": "PT5M",
            "DataDelayOffsetInMinutes": 5,
            "DataInputConfiguration": {
                "S3InputConfiguration": {"Bucket": "live", "Prefix": "in/"},
                "InputTimeZoneOffset": "+00:00",
            },
            "DataOutputConfiguration": {"S3OutputConfiguration": {"Bucket": "live", "Prefix": "out/"}},
            "RoleArn": ROLE,
            "DesiredState": "RUNNING",
        },
        in_place={"DataUploadFrequency": "PT10M", "DesiredState": "STOPPED", "RoleArn": OTHER_ROLE},
        replaced={"InferenceSchedulerName": "pump-2", "ModelName": "trained-2"},
        clash={"ServerSideKmsKeyId": "1111-2222"},
        failing={"InferenceSchedulerName": "pump-3", "ModelName": "untrained"},
    ),
    _case(
        "LabelGroup",
        "LabelGroupName",
        {
            "LabelGroupName": "pump-1",
            "FaultCodes": ["bearing", "seal"],
            "Labels": _labels(_label(1, FaultCode="bearing", Notes="worn"), _label(2), _label(3)),
            "Tags": _tags(site="north"),
        },
        in_place={
            "FaultCodes": ["bearing", "rust"],
            "Labels": _labels(_label(1, FaultCode="bearing"), _label(2), _label(4, FaultCode="rust")),
            "Tags": _tags(site="south"),
        },
        replaced={"LabelGroupName": "pump-2", "Labels": _labels(_label(2))},
        clash=None,
        failing={"LabelGroupName": "pump-3", "Labels": _labels(_label(1), _label(2, FaultCode="ghost"))},
    ),
    _case(
        "RetrainingScheduler",
        "ModelName",
        {
            "ModelName": "trained",
            "RetrainingStartDate": "2024-03-01T00:00:00Z",
            "RetrainingFrequency": "P2M",
            "LookbackWindow": "P180D",
            "PromoteMode": "MANAGED",
            "DesiredState": "RUNNING",
        },
        in_place={
            "RetrainingStartDate": "2024-04-01T17:30:00Z",
            "LookbackWindow": "P360D",
            "PromoteMode": "MANUAL",
            "DesiredState": "STOPPED",
        },
        replaced={"ModelName": "trained-2"},
        clash=None,
        failing={"ModelName": "untrained"},
    ),
)


def case_of(kind: str) -> Case:
    """The case of one kind."""
    return next(case for case in CASES if case.kind == kind)
