"""What a deleted stack has kept is used again by an app that follows what the refusal tells."""

import re
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template as Synthesised

from constructs_l4e import (
    AssetStorage,
    Dataset,
    EquipmentService,
    IEquipmentService,
    LabelGroup,
    Model,
    MonitoredAsset,
    TimeRange,
)
from constructs_l4e.schema import DatasetSchema
from tests.lifecycle.cloudformation import Stack, Template
from tests.lifecycle.test_lifecycle_earlier_names import custom_resources
from tests.lifecycle.test_lifecycle_service import ServiceWorld
from tests.lifecycle.world import Wire
from tests.service.api.conftest import ROLE, Service

Parts = Callable[[cdk.Stack, IEquipmentService], dict[str, Any]]
TRAINING = TimeRange.between("2026-02-01T00:00:00Z", "2026-04-01T00:00:00Z")
WHOLE: dict[str, Any] = {
    "schema": DatasetSchema.from_sensors({"pump": ["Speed", "Flow"], "motor": ["Current"]}),
    "training": TRAINING,
    "label_group": {"fault_codes": ["leak"]},
}


def asset(parts: Parts) -> Template:
    """The custom resources of an asset."""
    scope = cdk.Stack(cdk.App(analytics_reporting=False), "Plant", env=cdk.Environment(region="us-east-1"))
    account = "arn:aws:iam::123456789012:role"
    known = EquipmentService.from_equipment_service_attributes(
        scope,
        "Service",
        api_id="abcde12345",
        api_stage="v1",
        data_access_role_arn=f"{account}/jobs",
        provider_service_token="arn:aws:lambda:us-east-1:123456789012:function:provider",
        provider_role_arn=f"{account}/provider",
    )
    bucket = cdk.aws_s3.Bucket.from_bucket_name(scope, "DataBucket", "customer")
    MonitoredAsset(
        scope,
        "Pump",
        service=known,
        locations=AssetStorage.from_bucket(scope, "Storage", bucket).for_asset("Pump1"),
        role=cdk.aws_iam.Role.from_role_arn(scope, "Access", ROLE),
        **parts(scope, known),
    )
    return custom_resources(Synthesised.from_stack(scope).to_json())


def told(reason: str) -> Callable[[cdk.Stack, IEquipmentService], Any]:
    """The line of an app that a refusal tells, as a user pastes it."""
    found = re.search("`([^`]+)`", reason)
    assert found, reason
    constructs = {"Dataset": Dataset, "LabelGroup": LabelGroup, "Model": Model}
    return lambda scope, known: eval(  # noqa: S307 - the text is that of the functions under test
        found[1], constructs, {"self": scope, "service": known}
    )


def made(api: Any) -> dict[str, Any]:
    """Everything that costs data or a training when it is made again."""
    models = api.list_models()["ModelSummaries"]
    return {
        "datasets": [each["DatasetArn"] for each in api.list_datasets()["DatasetSummaries"]],
        "groups": [each["LabelGroupArn"] for each in api.list_label_groups()["LabelGroupSummaries"]],
        "jobs": [each["JobId"] for each in api.list_data_ingestion_jobs()["DataIngestionJobSummaries"]],
        "trained": [
            api.describe_model(ModelName=each["ModelName"])["TrainingExecutionStartTime"] for each in models
        ],
    }


@pytest.fixture
def left(wire: Wire, service: Service) -> ServiceWorld:
    """A service with the dataset, the label group and the model that a deleted stack has kept."""
    world = ServiceWorld(wire, service)
    stack, template = Stack(world), asset(lambda *_: WHOLE)
    assert stack.deploy(template), stack.reasons
    kept = ("Dataset", "LabelGroup", "Model")
    stays = {name: form for name, form in template.items() if form[0].endswith(kept)}
    assert stack.deploy(stays), stack.reasons  # CloudFormation deletes the others
    stack.leave()
    return world


def test_an_app_that_follows_the_refusals_makes_nothing_again(left: ServiceWorld, service: Service) -> None:
    before = made(service.api)
    again = Stack(left, incarnation=1)
    assert not again.deploy(asset(lambda *_: WHOLE))
    assert not again.stuck
    dataset = told(again.reasons[-1])

    def with_dataset(scope: cdk.Stack, known: IEquipmentService) -> dict[str, Any]:
        return {**WHOLE, "schema": None, "dataset": dataset(scope, known)}

    assert not again.deploy(asset(with_dataset))
    group = told(again.reasons[-1])

    def with_labels(scope: cdk.Stack, known: IEquipmentService) -> dict[str, Any]:
        return {**with_dataset(scope, known), "label_group": group(scope, known)}

    assert not again.deploy(asset(with_labels))
    model = told(again.reasons[-1])

    assert again.deploy(asset(lambda scope, known: {"model": model(scope, known)})), again.reasons
    assert made(service.api) == before
    [scheduler] = service.api.list_inference_schedulers()["InferenceSchedulerSummaries"]
    assert scheduler["Status"] == "RUNNING"
    assert again.destroy(), again.reasons
    assert made(service.api) == before


def test_a_kept_dataset_is_trained_on_anew(left: ServiceWorld, service: Service) -> None:
    """Another period makes another model, on the data that is there; nothing is ingested."""
    before = made(service.api)
    again = Stack(left, incarnation=1)
    assert not again.deploy(asset(lambda *_: WHOLE))
    dataset = told(again.reasons[-1])
    longer = TimeRange.between("2026-02-01T00:00:00Z", "2026-05-01T00:00:00Z")

    assert again.deploy(asset(lambda scope, known: {"dataset": dataset(scope, known), "training": longer})), (
        again.reasons
    )
    after = made(service.api)
    assert (after["datasets"], after["jobs"]) == (before["datasets"], before["jobs"])
    assert len(after["trained"]) == 2
    assert again.destroy(), again.reasons
    assert len(made(service.api)["trained"]) == 1
