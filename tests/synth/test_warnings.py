"""Warnings at synthesis of what will fail or disappoint; each can be acknowledged."""

import datetime as dt
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from canonical import JOB_ROLE, PROVIDER_ROLE, PUMP, SERVICE_TOKEN, app, locations, stack, warnings

from constructs_l4e import (
    AssetStorage,
    Dataset,
    DatasetSchema,
    EquipmentService,
    IEquipmentService,
    ImportedDataset,
    ImportedModel,
    Label,
    LabelGroup,
    Model,
    MonitoredAsset,
    ResourcePolicy,
    ServiceSettings,
    TimeRange,
)

ROOT = Path(__file__).resolve().parents[2]
MANY = DatasetSchema.from_sensors({"pump": [f"s{number}" for number in range(301)]})
PARTS = DatasetSchema.from_sensors({f"part{number}": ["speed"] for number in range(301)})
SOURCE = "arn:aws:lookoutequipment:eu-west-1:222222222222:dataset/pump/12345678-1234-1234-1234-123456789012"
DAY = TimeRange.between("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
MONTH = TimeRange.between("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")
FEBRUARY = TimeRange.between("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z")


def service(scope: cdk.Stack, settings: ServiceSettings | None) -> IEquipmentService:
    return EquipmentService.from_equipment_service_attributes(
        scope,
        "Service",
        api_id="abcde12345",
        api_stage="v1",
        data_access_role_arn=JOB_ROLE,
        provider_service_token=SERVICE_TOKEN,
        provider_role_arn=PROVIDER_ROLE,
        settings=settings,
    )


def model(settings: ServiceSettings | None, *, schema: DatasetSchema = PUMP, **props: Any) -> list[str]:
    scope = stack()
    of = service(scope, settings)
    Model(scope, "Model", dataset=Dataset(scope, "Data", service=of, schema=schema), **props)
    return warnings(scope)


LIMITS: dict[str, tuple[dict[str, Any], str]] = {
    "sensors": ({"schema": MANY}, "301 sensors are more than 300 (columns_per_model), and the service will"),
    "components": ({"schema": PARTS}, "301 components are more than 300 (components_per_model)"),
    "short": ({"training": DAY}, "the training window of 1 days is shorter than 14 (minimum_training_span)"),
    "training rows": (
        {"training": MONTH, "target_sampling_rate": "PT1S"},
        "the training window has 2,678,400 rows at PT1S, more than 1,500,000 (training_rows)",
    ),
    "evaluation rows": (
        {"evaluation": FEBRUARY, "target_sampling_rate": "PT1S"},
        "the evaluation window has 2,419,200 rows at PT1S, more than 1,500,000 (evaluation_rows)",
    ),
}
LIFTED = ServiceSettings(
    columns_per_model=400,
    components_per_model=400,
    minimum_training_span=cdk.Duration.days(1),
    training_rows=3_000_000,
    evaluation_rows=3_000_000,
)


@pytest.mark.parametrize("name", LIMITS)
def test_more_than_the_service_takes(name: str) -> None:
    props, message = LIMITS[name]

    found = model(ServiceSettings(), **props)
    assert [each for each in found if message in each], found
    assert model(LIFTED, **props) == []
    assert model(None, **props) == []  # its limits are not known


DAYS = [Label.between(f"2026-03-{day:02d}T00:00:00Z", f"2026-03-{day:02d}T12:00:00Z") for day in range(1, 6)]


def few(**limits: float) -> tuple[cdk.Stack, IEquipmentService]:
    """A stack, and a service with limits that are soon reached."""
    scope = stack()
    return scope, service(scope, ServiceSettings(**limits))


def datasets(of: IEquipmentService, scope: cdk.Stack, number: int) -> list[Dataset]:
    return [Dataset(scope, f"Data{each}", service=of, schema=PUMP) for each in range(number)]


def label_group(scope: cdk.Stack, of: IEquipmentService, labels: int, *, added: int = 0) -> LabelGroup:
    group = LabelGroup(scope, "Faults", service=of, labels=DAYS[:labels])
    for day in range(1, added + 1):
        group.add_label(f"2026-04-{day:02d}T00:00:00Z", f"2026-04-{day:02d}T12:00:00Z")
    return group


@pytest.mark.parametrize(("labels", "added"), [(5, 0), (3, 1), (0, 5), (4, 3)])
def test_more_labels_than_a_group_takes(labels: int, added: int) -> None:
    scope, of = few(labels_per_group=3)
    label_group(scope, of, labels, added=added)

    (found,) = warnings(scope)
    assert f"the app describes {max(labels, 4)} labels or more" in found
    assert "a label group of the service takes 3 (labels_per_group): the deployment will be refused" in found


@pytest.mark.parametrize("limit", [5, math.inf, None])
def test_as_many_labels_as_a_group_takes(limit: float | None) -> None:
    scope = stack()
    label_group(scope, service(scope, ServiceSettings(labels_per_group=limit)), 3, added=2)

    assert warnings(scope) == []


def test_labels_at_a_service_whose_limits_are_not_known() -> None:
    scope = stack()
    label_group(scope, service(scope, None), 5)

    assert warnings(scope) == []


def test_more_datasets_models_and_label_groups_than_a_service_takes() -> None:
    scope, of = few(datasets=2, models=2, label_groups=1)
    for data in datasets(of, scope, 4):
        data.add_model("Model")
    for name in ("A", "B", "C"):
        LabelGroup(scope, name, service=of)

    assert [
        re.sub(r"or more.*takes", "takes", each.partition(":")[0]) for each in sorted(warnings(scope))
    ] == [
        "with this one the app makes 2 label groups takes 1 (label_groups)",
        "with this one the app makes 3 datasets takes 2 (datasets)",
        "with this one the app makes 3 models takes 2 (models)",
    ]


def test_as_many_datasets_as_the_service_takes() -> None:
    scope = stack()
    datasets(service(scope, ServiceSettings()), scope, 15)
    assert warnings(scope) == []

    scope = stack()
    datasets(service(scope, ServiceSettings()), scope, 16)
    (found,) = warnings(scope)
    assert "makes 16 datasets or more, and the service takes 15 (datasets)" in found

    scope = stack()
    datasets(service(scope, ServiceSettings(datasets=math.inf)), scope, 16)
    datasets(service(cdk.Stack(scope, "Other"), None), scope.node.find_child("Other"), 16)
    assert warnings(scope) == []


def test_imported_datasets_and_models_count_too() -> None:
    scope, of = few(datasets=1, models=1)
    (data,) = datasets(of, scope, 1)
    data.add_model("Model")
    theirs = "arn:aws:lookoutequipment:eu-west-1:222222222222"
    copy = ImportedDataset(
        scope,
        "Copy",
        service=of,
        source_dataset_arn=f"{theirs}:dataset/pump/1b4e28ba-2fa1-41d2-883f-0016d3cca427",
    )
    ImportedModel(
        scope, "Twin", dataset=copy, source_model_version_arn=f"{theirs}:model/wear/1b4e28ba/model-version/1"
    )

    assert [" 2 datasets " in each or " 2 models " in each for each in warnings(scope)] == [True, True]


def test_datasets_of_two_services_are_counted_apart() -> None:
    scope, of = few(datasets=2)
    datasets(of, scope, 2)
    other = cdk.Stack(scope, "Other")
    datasets(service(other, ServiceSettings(datasets=2)), other, 2)

    assert warnings(scope) == []


def test_two_schedulers_of_one_model() -> None:
    scope, of = few()
    at = locations(scope)
    made = Dataset(scope, "Data", service=of, schema=PUMP).add_model("Model")
    for name in ("One", "Two", "Three"):
        made.add_scheduler(
            name,
            data_upload_frequency="PT5M",
            data_input=at.inference_input,
            data_output=replace(at.inference_output, prefix=f"{name}/"),
        )
    for name in ("First", "Second"):
        made.add_retraining_scheduler(name, retraining_frequency="P30D")

    inference, retraining = sorted(warnings(scope))
    assert 'model "Test/Data/Model" has another inference scheduler in this app' in inference
    assert 'model "Test/Data/Model" has another retraining scheduler in this app' in retraining
    for name, rule in (("Two", "TooManySchedulers"), ("Second", "TooManySchedulers")):
        cdk.Annotations.of(made.node.find_child(name)).acknowledge_warning(f"constructs-l4e:{rule}", "known")
    assert warnings(scope) == []


def test_two_of_one_name_at_a_service() -> None:
    scope, of = few()
    other = service(cdk.Stack(scope, "Elsewhere"), None)
    known = Model.from_model_name(scope, "Known", service=of, model_name="known")
    again = Model.from_model_name(scope, "Again", service=of, model_name="known")
    shared = iam.PolicyStatement(
        principals=[iam.AccountPrincipal("444455556666")], actions=["lookoutequipment:ImportModelVersion"]
    )
    Dataset(scope, "One", service=of, dataset_name="pump", schema=PUMP)
    ImportedDataset(scope, "Two", service=of, dataset_name="pump", source_dataset_arn=SOURCE)
    Dataset(scope, "Other", service=other, dataset_name="pump", schema=PUMP)
    LabelGroup(scope, "Labels", service=of, label_group_name="pump")
    for name, model_ in (("First", known), ("Second", again)):
        ResourcePolicy(scope, name, resource=model_, statements=[shared])

    dataset, policy = sorted(each for each in warnings(scope) if "is made by" in each)
    assert 'dataset "pump" is made by "Test/One" too, and the service has one of a name' in dataset
    assert 'the policy of model "known" is made by "Test/First" too' in policy
    for name in ("Two", "Second"):
        cdk.Annotations.of(scope.node.find_child(name)).acknowledge_warning(
            "constructs-l4e:SameName", "known"
        )
    assert not [each for each in warnings(scope) if "is made by" in each]


def test_two_schedulers_that_would_overwrite_each_other() -> None:
    scope = stack()
    of, at = service(scope, None), locations(scope)
    for name in ("Pump", "Same", "Other"):
        if name == "Other":
            at = replace(at, inference_output=replace(at.inference_output, prefix="other/"))
        MonitoredAsset(scope, name, service=of, locations=at, schema=PUMP)

    (warning,) = warnings(scope)
    assert warning.startswith('results go to "Pump1/inference-output/", as those of "Test/Pump/Scheduler" do')
    second = scope.node.find_child("Same")
    cdk.Annotations.of(second).acknowledge_warning("constructs-l4e:SharedOutput", "they take turns")
    assert warnings(scope) == []


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (179, "use a longer history, or train the model again every month"),
        (89, "below 90 days a model rarely knows all that is normal"),
        (180, None),
    ],
)
def test_a_short_history_is_told(days: int, words: str | None) -> None:
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    training = TimeRange.between(start.isoformat(), (start + dt.timedelta(days=days)).isoformat())

    found = model(ServiceSettings(), training=training)
    assert [words is not None and words in each for each in found] == ([] if words is None else [True])
    assert model(LIFTED, training=training) == []


def test_sensors_that_are_not_known_are_not_counted() -> None:
    scope = stack()
    of = service(scope, ServiceSettings())
    data = Dataset.from_dataset_name(scope, "Data", service=of, dataset_name="history")
    Model(scope, "Model", dataset=data)

    assert warnings(scope) == []


def test_every_warning_and_note_is_on_the_page() -> None:
    sources = "".join(each.read_text(encoding="utf-8") for each in (ROOT / "constructs_l4e").glob("*.py"))
    ids = set(re.findall(r'"constructs-l4e:(\w+)[":]', sources)) - {"namesByLocation"}  # a context key
    page = (ROOT / "docs" / "cdk-apps.md").read_text(encoding="utf-8")
    assert len(ids) > 5
    assert [each for each in ids if f"`{each}" not in page] == []


def test_a_warning_can_be_acknowledged() -> None:
    scope = stack()
    data = Dataset(scope, "Data", service=service(scope, ServiceSettings()), schema=PUMP)
    made = Model(scope, "Model", dataset=data, training=DAY)
    cdk.Annotations.of(made).acknowledge_warning("constructs-l4e:ShortTraining", "a trial")

    assert warnings(scope) == []


def test_an_imported_bucket_may_have_a_key() -> None:
    scope = cdk.Stack(app(), "Test")
    key = kms.Key.from_key_arn(scope, "Key", "arn:aws:kms:eu-west-1:111122223333:key/one")
    known = s3.Bucket.from_bucket_attributes(scope, "Known", bucket_name="known", encryption_key=key)
    AssetStorage.from_bucket(scope, "A", known)
    AssetStorage.from_bucket(scope, "B", s3.Bucket(scope, "Own"))
    AssetStorage.from_bucket(scope, "C", s3.Bucket.from_bucket_name(scope, "Unknown", "unknown"))

    AssetStorage.from_bucket(
        scope, "D", known, results_bucket=s3.Bucket.from_bucket_name(scope, "Results", "results")
    )

    found = warnings(scope)
    assert len(found) == 2
    for name, each in zip(("Unknown", "Results"), found, strict=True):
        assert f'whether the imported bucket "Test/{name}" has a key is not known' in each
