"""Warnings at synthesis of what will fail or disappoint; each can be acknowledged."""

import datetime as dt
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Annotations
from canonical import JOB_ROLE, PROVIDER_ROLE, PUMP, SERVICE_TOKEN, app, locations, stack

from constructs_l4e import (
    AssetStorage,
    Dataset,
    DatasetSchema,
    EquipmentService,
    IEquipmentService,
    Model,
    MonitoredAsset,
    ServiceSettings,
    TimeRange,
)

MANY = DatasetSchema.from_sensors({"pump": [f"s{number}" for number in range(301)]})
PARTS = DatasetSchema.from_sensors({f"part{number}": ["speed"] for number in range(301)})
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


def warnings(scope: cdk.Stack) -> list[str]:
    found = Annotations.from_stack(scope).find_warning("*", cdk.assertions.Match.any_value())
    return [str(each.entry.data) for each in found]


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


@pytest.mark.parametrize(
    ("days", "words"),
    [(179, "has 179 days, and"), (89, "below 90 days a model rarely knows all that is normal"), (180, None)],
)
def test_a_short_history_is_told(days: int, words: str | None) -> None:
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    training = TimeRange.between(start.isoformat(), (start + dt.timedelta(days=days)).isoformat())

    found = model(ServiceSettings(), training=training)
    assert [words is not None and words in each for each in found] == ([] if words is None else [True])
    assert model(LIFTED, training=training) == []


def test_a_warning_can_be_acknowledged() -> None:
    scope = stack()
    data = Dataset(scope, "Data", service=service(scope, ServiceSettings()), schema=PUMP)
    made = Model(scope, "Model", dataset=data, training=DAY)
    cdk.Annotations.of(made).acknowledge_warning("constructs-l4e:ShortTraining", "a trial")

    assert warnings(scope) == []


def asset(path: str | None = "/lookoutequipment/") -> list[str]:
    scope = stack()
    MonitoredAsset(
        scope,
        "Pump",
        service=service(scope, None),
        locations=locations(scope),
        schema=PUMP,
        role=iam.Role(scope, "Mine", assumed_by=iam.AccountRootPrincipal(), path=path),
    )
    return warnings(scope)


def test_an_own_role_needs_trust_and_rights() -> None:
    found = asset()

    for kind in ("dataset", "inference-scheduler"):
        assert any('role "Test/Mine" is not made here' in each and f":{kind}/" in each for each in found)
    for need in (
        "it needs s3:GetObject and s3:ListBucket for s3://sensor-data/Pump1/history/, and the keys",
        (
            "it needs s3:GetObject and s3:ListBucket for s3://sensor-data/Pump1/inference-input/, "
            "s3:PutObject and s3:ListBucket for s3://sensor-data/Pump1/inference-output/, and the keys"
        ),
    ):
        assert sum(need in each for each in found) == 1


@pytest.mark.parametrize(("path", "shown"), [(None, "/"), ("/other/", "/other/")])
def test_an_own_role_needs_the_path_of_the_service(path: str | None, shown: str) -> None:
    words = f'role "Test/Mine" has the path "{shown}" and cannot be used by the service'
    with pytest.raises(ValueError, match=words):
        asset(path)


def test_an_imported_bucket_may_have_a_key() -> None:
    scope = cdk.Stack(app(), "Test")
    key = kms.Key.from_key_arn(scope, "Key", "arn:aws:kms:eu-west-1:111122223333:key/one")
    known = s3.Bucket.from_bucket_attributes(scope, "Known", bucket_name="known", encryption_key=key)
    AssetStorage.from_bucket(scope, "A", known)
    AssetStorage.from_bucket(scope, "B", s3.Bucket(scope, "Own"))
    AssetStorage.from_bucket(scope, "C", s3.Bucket.from_bucket_name(scope, "Unknown", "unknown"))

    (found,) = warnings(scope)
    assert 'whether the imported bucket "Test/Unknown" has a key is not known' in found
