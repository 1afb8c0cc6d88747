"""A stack that an earlier release deployed, whose names say where its schema is staged, lives on.

`earlier_asset.template.json` is what the release at commit c27e9d5 made of `asset()`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template as Synthesised

from constructs_l4e import AssetStorage, DatasetSchema, EquipmentService, MonitoredAsset, TimeRange
from constructs_l4e._names import BY_LOCATION
from custom_resources.request import CONFIGURATION_TAG, EQUAL_TAG
from custom_resources.resource import NAMES_BY_LOCATION
from tests.lifecycle.cloudformation import Properties, Stack, Template
from tests.lifecycle.test_lifecycle_service import ServiceWorld
from tests.lifecycle.world import Wire
from tests.service.api.conftest import ROLE, SCHEMA, Service

EARLIER = json.loads(Path(__file__).with_name("earlier_asset.template.json").read_text(encoding="utf-8"))
END = "2026-04-01T00:00:00Z"


def custom_resources(template: Mapping[str, Any]) -> dict[str, tuple[str, Properties]]:
    """The custom resources of a template, with the functions in them resolved."""
    return {
        logical: (resource["Type"], _resolved(resource["Properties"]))
        for logical, resource in template["Resources"].items()
        if resource["Type"].startswith("Custom::")
    }


def _resolved(value: Any) -> Any:
    if isinstance(value, list):
        return [_resolved(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Fn::Sub"}:
        return value["Fn::Sub"].replace("${AWS::AccountId}", "000000000000")
    assert not any(key.startswith("Fn::") or key == "Ref" for key in value), value
    return {key: _resolved(each) for key, each in value.items()}


def asset(*, keep_names: bool, end: str = END, frequency: str = "PT5M") -> Template:
    """The custom resources of the asset as this release makes them."""
    context = {BY_LOCATION: True} if keep_names else {}
    scope = cdk.Stack(
        cdk.App(analytics_reporting=False, context=context),
        "Plant",
        env=cdk.Environment(region="us-east-1"),
    )
    token = EARLIER["Resources"]["PumpDatasetFDE0378A"]["Properties"]["ServiceToken"]
    bucket = cdk.aws_s3.Bucket.from_bucket_name(scope, "DataBucket", "customer")
    MonitoredAsset(
        scope,
        "Pump",
        service=EquipmentService.from_equipment_service_attributes(
            scope,
            "Service",
            api_id="abcde12345",
            api_stage="v1",
            data_access_role_arn="arn:aws:iam::123456789012:role/jobs",
            provider_service_token=token,
            provider_role_arn="arn:aws:iam::123456789012:role/provider",
        ),
        locations=AssetStorage.from_bucket(scope, "Storage", bucket).for_asset("Pump1"),
        schema=DatasetSchema.from_json(json.dumps(SCHEMA)),
        training=TimeRange.between("2026-02-01T00:00:00Z", end),
        data_upload_frequency=frequency,
        role=cdk.aws_iam.Role.from_role_arn(scope, "Access", ROLE),
    )
    return custom_resources(Synthesised.from_stack(scope).to_json())


def renamed(template: Template, **names: str) -> Template:
    """The template with names that users give, in place of those that are generated."""
    text = json.dumps(template)
    for member, name in names.items():
        generated = next(form[member] for _, form in template.values() if member in form)
        text = text.replace(json.dumps(generated), json.dumps(name))
    found: dict[str, list[Any]] = json.loads(text)
    return {logical: (kind, form) for logical, (kind, form) in found.items()}


class Plant:
    """The asset as the earlier release deployed it."""

    def __init__(self, wire: Wire, service: Service, earlier: Template) -> None:
        self.api = service.api
        self.stack = Stack(ServiceWorld(wire, service), duplicates=True)
        assert self.stack.deploy(earlier), self.stack.reasons
        self.stack.reasons.clear()
        self.before = self.made()

    def made(self) -> dict[str, Any]:
        """Everything that costs data or a training when it is made again."""
        models = self.api.list_models()["ModelSummaries"]
        return {
            "datasets": [each["DatasetArn"] for each in self.api.list_datasets()["DatasetSummaries"]],
            "jobs": [
                each["JobId"] for each in self.api.list_data_ingestion_jobs()["DataIngestionJobSummaries"]
            ],
            "models": [each["ModelArn"] for each in models],
            "trained": [
                self.api.describe_model(ModelName=each["ModelName"])["TrainingExecutionStartTime"]
                for each in models
            ],
            "schedulers": [
                each["InferenceSchedulerArn"]
                for each in self.api.list_inference_schedulers()["InferenceSchedulerSummaries"]
            ],
        }

    def tags(self) -> dict[str, str]:
        """The tags of the dataset."""
        [arn] = self.made()["datasets"]
        found = self.api.list_tags_for_resource(ResourceArn=arn)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in found}


@pytest.fixture
def plant(wire: Wire, service: Service) -> Plant:
    return Plant(wire, service, custom_resources(EARLIER))


def test_both_sides_call_the_context_value_the_same() -> None:
    assert NAMES_BY_LOCATION == BY_LOCATION


def test_with_its_names_it_is_updated_and_nothing_is_made_again(plant: Plant) -> None:
    assert asset(keep_names=True) == custom_resources(EARLIER)
    assert plant.stack.deploy(asset(keep_names=True, frequency="PT10M")), plant.stack.reasons
    assert plant.made() == plant.before
    [scheduler] = plant.api.list_inference_schedulers()["InferenceSchedulerSummaries"]
    assert scheduler["DataUploadFrequency"] == "PT10M"

    assert plant.stack.deploy(asset(keep_names=True, end="2026-05-01T00:00:00Z")), plant.stack.reasons
    after = plant.made()
    assert (after["datasets"], after["jobs"]) == (plant.before["datasets"], plant.before["jobs"])
    assert after["models"] != plant.before["models"]
    assert plant.stack.destroy(), plant.stack.reasons


def test_without_them_the_update_is_refused_and_nothing_is_lost(plant: Plant) -> None:
    assert not plant.stack.deploy(asset(keep_names=False))
    assert not plant.stack.stuck, plant.stack.reasons
    assert plant.made() == plant.before
    old, new = (
        template["PumpDatasetFDE0378A"][1]["DatasetName"]
        for template in (custom_resources(EARLIER), asset(keep_names=False))
    )
    assert f"dataset '{new}' would replace '{old}', which has the same properties" in plant.stack.reasons[0]
    assert f'set the context value "{BY_LOCATION}" to true' in plant.stack.reasons[0]

    assert plant.stack.deploy(asset(keep_names=True, frequency="PT10M")), plant.stack.reasons
    assert plant.made() == plant.before


def test_a_new_name_is_taken_when_the_user_asks_for_one(plant: Plant) -> None:
    names = {"DatasetName": "plant-data", "ModelName": "plant-model", "InferenceSchedulerName": "plant"}
    assert plant.stack.deploy(renamed(asset(keep_names=False), **names)), plant.stack.reasons
    plant.stack.drain()
    after = plant.made()
    assert len(after["models"]) == 1
    assert after["models"] != plant.before["models"]


NAMES = {"DatasetName": "pump-data", "ModelName": "pump-model", "InferenceSchedulerName": "pump"}


def test_explicit_names_need_no_context_value(wire: Wire, service: Service) -> None:
    """The schema moves into the template; it is the same, so nothing is refused, forwards or back."""
    earlier = renamed(custom_resources(EARLIER), **NAMES)
    plant = Plant(wire, service, earlier)
    now = renamed(asset(keep_names=False), **NAMES)

    assert plant.stack.deploy(now), plant.stack.reasons
    assert plant.made() == plant.before
    assert {CONFIGURATION_TAG, EQUAL_TAG} <= plant.tags().keys()

    for template, sibling_fails in ((earlier, True), (earlier, False), (now, False)):
        assert plant.stack.deploy(template, sibling_fails=sibling_fails) is not sibling_fails
        assert not plant.stack.reasons, plant.stack.reasons
        assert plant.made() == plant.before
    assert plant.stack.destroy(), plant.stack.reasons


def elsewhere(template: Template, **change: str) -> Template:
    """The template with the schema staged at another place, as another qualifier stages it."""
    kind, form = template["PumpDatasetFDE0378A"]
    return {**template, "PumpDatasetFDE0378A": (kind, {**form, "Schema": {**form["Schema"], **change}})}


def test_an_explicit_name_goes_with_a_schema_staged_elsewhere(wire: Wire, service: Service) -> None:
    earlier = renamed(custom_resources(EARLIER), **NAMES)
    plant = Plant(wire, service, earlier)

    assert plant.stack.deploy(elsewhere(earlier, Bucket="cdk-plant-assets")), plant.stack.reasons
    assert plant.made() == plant.before


def test_an_explicit_name_does_not_go_with_another_schema(wire: Wire, service: Service) -> None:
    plant = Plant(wire, service, renamed(custom_resources(EARLIER), **NAMES))
    other = json.loads(json.dumps(SCHEMA))
    other["Components"].pop()
    kind, form = renamed(asset(keep_names=False), **NAMES)["PumpDatasetFDE0378A"]
    template = {
        **renamed(asset(keep_names=False), **NAMES),
        "PumpDatasetFDE0378A": (kind, {**form, "Schema": {"InlineDataSchema": json.dumps(other)}}),
    }

    assert not plant.stack.deploy(template)
    assert "dataset 'pump-data' cannot be changed in place (Schema)" in plant.stack.reasons[0]
    assert plant.made() == plant.before
