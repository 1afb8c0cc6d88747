"""Constructs and custom-resource functions agree: on the properties, and on what replaces a resource."""

from collections.abc import Callable, Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from canonical import EVALUATION, PUMP, TRAINING, custom, imported_service, locations, synthesised

from constructs_l4e import (
    Dataset,
    DatasetSchema,
    ImportedDataset,
    ImportedModel,
    InferenceScheduler,
    InputNaming,
    KeyPattern,
    Label,
    LabelGroup,
    Model,
    MonitoredAsset,
)
from constructs_l4e._validate import MOST_TAGS
from custom_resources import properties as theirs
from custom_resources import retraining_scheduler
from custom_resources.handler import RESOURCES
from custom_resources.request import CONFIGURATION_TAG, EQUAL_TAG, OWNER_TAG, REQUEST_TAG
from custom_resources.resource import TaggedResource
from service.requests.service_model import service_model
from service.settings import Settings

API = service_model()
BY_TYPE = {resource.resource_type: resource for resource in RESOURCES}
COPIED = "arn:aws:lookoutequipment:eu-west-1:444455556666:{}/one/12345678-1234-1234-1234-123456789012"
VERSION = f"{COPIED.format('model')}/model-version/{{}}"
PART = DatasetSchema.from_sensors({"pump": ["flow"]})


def received(value: Any) -> Any:
    """A property as CloudFormation hands it over: scalars as text, functions resolved."""
    match value:
        case {"Fn::Sub": text}:
            return text
        case Mapping():
            return {key: received(each) for key, each in value.items()}
        case list():
            return [received(each) for each in value]
        case bool():
            return str(value).lower()
    return str(value)


def read(content: dict[str, Any], kind: str) -> tuple[Any, theirs.Properties]:
    """What the functions understand of the one resource of a kind."""
    resource = BY_TYPE[f"Custom::LookoutEquipment{kind}"]
    return resource, theirs.parse(
        received(custom(content, kind)["Properties"]),
        model=API,
        operation=resource.operation,
        name_member=resource.name_member,
        options=resource.options,
        subject=kind,
    )


def test_tags_leave_room_for_those_of_the_functions() -> None:
    """A model has the most: its own, and those of its retraining scheduler."""
    own = {OWNER_TAG, CONFIGURATION_TAG, EQUAL_TAG, REQUEST_TAG, *retraining_scheduler._MARKS.values()}
    limit = Settings().tags_per_resource
    assert limit is not None
    assert limit - len(own) == MOST_TAGS


def role(scope: cdk.Stack, name: str) -> iam.IRole:
    return iam.Role.from_role_arn(scope, name, f"arn:aws:iam::111122223333:role/lookoutequipment/{name}")


def key(scope: cdk.Stack, name: str) -> kms.IKey:
    return kms.Key.from_key_arn(scope, name, f"arn:aws:kms:eu-west-1:111122223333:key/{name}")


def everything(scope: cdk.Stack) -> None:
    MonitoredAsset(
        scope,
        "Pump",
        service=imported_service(scope),
        locations=locations(scope),
        schema=PUMP,
        key_pattern=KeyPattern.DOT,
        revision="7",
        training=TRAINING,
        evaluation=EVALUATION,
        labelled=True,
        diagnostics=True,
        target_sampling_rate="PT5M",
        off_condition=r"pump\speed > 3",
        data_delay_offset=cdk.Duration.minutes(7),
        input_naming=InputNaming(timestamp_format="EPOCH", delimiter="-", time_zone_offset="-02:00"),
        running=False,
        encryption_key=key(scope, "k"),
        role=role(scope, "r"),
    )
    cdk.Tags.of(scope).add("site", "north")


def nothing(scope: cdk.Stack) -> None:
    MonitoredAsset(
        scope,
        "Pump",
        service=imported_service(scope),
        locations=locations(scope),
        schema=PUMP,
        role=role(scope, "r"),
    )


def test_the_functions_read_everything_the_constructs_send() -> None:
    content = synthesised(everything)
    _, dataset = read(content, "Dataset")
    _, ingestion = read(content, "DataIngestion")
    _, model = read(content, "Model")
    _, scheduler = read(content, "InferenceScheduler")

    assert dataset.schema is not None
    assert dataset.tags == model.tags == scheduler.tags == {"site": "north"}
    assert (ingestion.revision, ingestion.wait, model.wait, scheduler.running) == ("7", True, True, False)
    assert model.members["TrainingDataStartTime"] == TRAINING.start
    assert model.members["EvaluationDataEndTime"] == EVALUATION.end
    assert scheduler.members["DataDelayOffsetInMinutes"] == 7


@pytest.mark.parametrize("wait", [True, False])
def test_the_functions_learn_whether_the_deployment_waits(*, wait: bool) -> None:
    def build(scope: cdk.Stack) -> None:
        MonitoredAsset(
            scope,
            "Pump",
            service=imported_service(scope),
            locations=locations(scope),
            schema=PUMP,
            role=role(scope, "r"),
            wait=wait,
        )

    content = synthesised(build)
    assert {read(content, kind)[1].wait for kind in ("DataIngestion", "Model")} == {wait}


@pytest.mark.parametrize("kind", ["Dataset", "DataIngestion", "Model", "InferenceScheduler"])
def test_the_functions_read_the_least_the_constructs_send(kind: str) -> None:
    read(synthesised(nothing), kind)


Props = Mapping[str, Callable[[cdk.Stack], Any]]


def dataset(scope: cdk.Stack, props: Mapping[str, Any]) -> None:
    Dataset(scope, "D", service=imported_service(scope), **props)


def copied_dataset(scope: cdk.Stack, props: Mapping[str, Any]) -> None:
    given = {"source_dataset_arn": COPIED.format("dataset"), **props}
    ImportedDataset(scope, "D", service=imported_service(scope), **given)


def copied_model(scope: cdk.Stack, props: Mapping[str, Any]) -> None:
    service = imported_service(scope)
    given = {
        "dataset": Dataset.from_dataset_name(scope, "D", service=service, dataset_name="one"),
        "source_model_version_arn": VERSION.format(1),
        **props,
    }
    ImportedModel(scope, "M", **given)


def label_group(scope: cdk.Stack, props: Mapping[str, Any]) -> None:
    LabelGroup(scope, "G", service=imported_service(scope), **props)


def some_labels(scope: cdk.Stack) -> Any:
    return LabelGroup.from_label_group_name(
        scope, "Labels", service=imported_service(cdk.Stack(scope, "Y")), label_group_name="faults"
    )


def model(scope: cdk.Stack, props: Mapping[str, Any]) -> None:
    service = imported_service(scope)
    given = {"dataset": Dataset.from_dataset_name(scope, "D", service=service, dataset_name="one"), **props}
    Model(scope, "M", **given)


def scheduler(scope: cdk.Stack, props: Mapping[str, Any]) -> None:
    service = imported_service(scope)
    at = locations(scope)
    given = {
        "model": Model.from_model_name(scope, "M", service=service, model_name="one"),
        "data_upload_frequency": "PT5M",
        "data_input": at.inference_input,
        "data_output": at.inference_output,
        "role": role(scope, "r"),
        **props,
    }
    InferenceScheduler(scope, "S", **given)


def imported_dataset(scope: cdk.Stack) -> Any:
    return Dataset.from_dataset_name(
        scope, "Other", service=imported_service(cdk.Stack(scope, "X")), dataset_name="two"
    )


def imported_model(scope: cdk.Stack) -> Any:
    return Model.from_model_name(
        scope, "Other", service=imported_service(cdk.Stack(scope, "X")), model_name="two"
    )


VARIATIONS: Mapping[str, tuple[Callable[[cdk.Stack, Mapping[str, Any]], None], Props]] = {
    "Dataset": (
        dataset,
        {
            "schema": lambda _: PUMP,
            "encryption_key": lambda scope: key(scope, "k"),
            "tags": lambda _: {"a": "b"},
            "removal_policy": lambda _: cdk.RemovalPolicy.RETAIN,
        },
    ),
    "ImportedDataset": (
        copied_dataset,
        {
            "source_dataset_arn": lambda _: COPIED.format("dataset").replace("one", "two"),
            "schema": lambda _: PUMP,
            "encryption_key": lambda scope: key(scope, "k"),
            "tags": lambda _: {"a": "b"},
            "removal_policy": lambda _: cdk.RemovalPolicy.RETAIN,
        },
    ),
    "ImportedModel": (
        copied_model,
        {
            "dataset": imported_dataset,
            "source_model_version_arn": lambda _: VERSION.format(2),
            "inference_data": lambda _: "OVERWRITE",
            "label_group": some_labels,
            "target_sampling_rate": lambda _: "PT1M",
            "adaptation": lambda _: "hold",
            "encryption_key": lambda scope: key(scope, "k"),
            "active_version": lambda _: 2,
            "tags": lambda _: {"a": "b"},
            "removal_policy": lambda _: cdk.RemovalPolicy.RETAIN,
            "role": lambda scope: role(scope, "r"),
        },
    ),
    "Model": (
        model,
        {
            "dataset": imported_dataset,
            "label_group": some_labels,
            "training": lambda _: TRAINING,
            "evaluation": lambda _: EVALUATION,
            "target_sampling_rate": lambda _: "PT1M",
            "off_condition": lambda _: r"pump\speed < 1",
            "adaptation": lambda _: "hold",
            "schema": lambda _: PART,
            "encryption_key": lambda scope: key(scope, "k"),
            "tags": lambda _: {"a": "b"},
            "wait": lambda _: False,
            "removal_policy": lambda _: cdk.RemovalPolicy.RETAIN,
            "role": lambda scope: role(scope, "r"),
        },
    ),
    "LabelGroup": (
        label_group,
        {
            "fault_codes": lambda _: ["bearing"],
            "labels": lambda _: [Label.between("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")],
            "tags": lambda _: {"a": "b"},
            "removal_policy": lambda _: cdk.RemovalPolicy.DESTROY,
        },
    ),
    "InferenceScheduler": (
        scheduler,
        {
            "model": imported_model,
            "encryption_key": lambda scope: key(scope, "k"),
            "data_upload_frequency": lambda _: "PT1H",
            "data_delay_offset": lambda _: cdk.Duration.minutes(1),
            "input_naming": lambda _: InputNaming(delimiter="-"),
            "output_encryption_key": lambda scope: key(scope, "o"),
            "role": lambda scope: role(scope, "other"),
            "running": lambda _: False,
            "tags": lambda _: {"a": "b"},
        },
    ),
}


@pytest.mark.parametrize(
    ("kind", "prop"), [(kind, prop) for kind, (_, props) in VARIATIONS.items() for prop in props]
)
def test_name_changes_exactly_when_the_functions_replace_the_resource(kind: str, prop: str) -> None:
    """Else a change would be refused in deployment, or replace a resource for nothing."""
    build, props = VARIATIONS[kind]

    def look(given: Callable[[cdk.Stack], dict[str, Any]]) -> tuple[str, Any]:
        resource, parsed = read(synthesised(lambda scope: build(scope, given(scope))), kind)
        assert isinstance(resource, TaggedResource)
        fixed = {
            member: value
            for member, value in parsed.members.items()
            if member not in resource.mutable and member != resource.name_member
        }
        return parsed.members[resource.name_member], (fixed, parsed.schema)

    name, fixed = look(lambda _: {})
    other_name, other_fixed = look(lambda scope: {prop: props[prop](scope)})

    assert (name != other_name) == (fixed != other_fixed)
