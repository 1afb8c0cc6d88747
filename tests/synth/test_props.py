"""Props of a wrong type, and tokens where a value must be known: each is an error that says what to write."""

import re
from collections.abc import Callable
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from canonical import PUMP, custom, imported_service, locations, stack, template

from constructs_l4e import (
    AlarmThresholds,
    AssetStorage,
    Component,
    DataIngestion,
    Dataset,
    DatasetSchema,
    EquipmentKey,
    EquipmentService,
    Executions,
    FunctionVpcEndpoints,
    IEquipmentService,
    ImportSource,
    InferenceScheduler,
    InputNaming,
    Model,
    MonitoredAsset,
    OffCondition,
    S3Location,
    SchedulerAlarms,
    ServiceRole,
    ServiceSettings,
    ServiceVpcEndpoint,
    TimeRange,
)

TOKEN = "${Token[TOKEN.184]}"
"""A text that is known in the deployment only."""
NUMBER = -1.8881545897087626e289
"""A number as the CDK writes it when it is known in the deployment only."""


class Parts:
    """What the constructs are made of, in one stack."""

    def __init__(self) -> None:
        self.scope = stack()
        self.service = imported_service(self.scope)
        self.places = locations(self.scope)
        self.dataset = Dataset.from_dataset_name(
            self.scope, "Pump", service=self.service, dataset_name="pump"
        )
        self.model = Model.from_model_name(self.scope, "Tuned", service=self.service, model_name="tuned")

    def dataset_with(self, **props: Any) -> Dataset:
        return Dataset(self.scope, "New", **{"service": self.service, "schema": PUMP, **props})

    def ingestion_with(self, **props: Any) -> DataIngestion:
        given = {"dataset": self.dataset, "source": self.places.history, **props}
        return DataIngestion(self.scope, "New", **given)

    def model_with(self, **props: Any) -> Model:
        return Model(self.scope, "New", **{"dataset": self.dataset, **props})

    def scheduler_with(self, **props: Any) -> InferenceScheduler:
        given = {
            "model": self.model,
            "data_upload_frequency": "PT5M",
            "data_input": self.places.inference_input,
            "data_output": self.places.inference_output,
        }
        return InferenceScheduler(self.scope, "New", **{**given, **props})

    def asset_with(self, **props: Any) -> MonitoredAsset:
        given = {"service": self.service, "locations": self.places, "schema": PUMP}
        return MonitoredAsset(self.scope, "New", **{**given, **props})


def vpc_of(parts: Parts) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(parts.scope, "Vpc", vpc_id="vpc-1", availability_zones=["a"])


WRONG: dict[str, tuple[Callable[[Parts], object], str]] = {
    "text for a VPC": (
        lambda of: ServiceVpcEndpoint(of.scope, "New", vpc=cast("Any", "vpc-1")),
        'ServiceVpcEndpoint "Test/New": vpc is "vpc-1": use an IVpc',
    ),
    "text for a list of services": (
        lambda of: FunctionVpcEndpoints(of.scope, "New", vpc=vpc_of(of), without="s3"),
        'FunctionVpcEndpoints "Test/New": without is the text "s3", not a list: write ["s3"]',
    ),
    "text for a flag": (
        lambda of: of.scheduler_with(running="false"),
        'InferenceScheduler "Test/New": running is "false": use True or False',
    ),
    "token for a flag": (
        lambda of: of.scheduler_with(running=TOKEN),
        "running is a token, and must be known at synthesis: use True or False",
    ),
    "number for a flag": (lambda of: of.model_with(wait=1), 'Model "Test/New": wait is 1: use True or False'),
    "number for a text": (
        lambda of: of.dataset_with(dataset_name=7),
        'Dataset "Test/New": dataset_name is 7: use a text, or leave it out',
    ),
    "number for a duration": (
        lambda of: of.scheduler_with(data_delay_offset=5),
        "data_delay_offset is 5: use a cdk.Duration, such as cdk.Duration.minutes(5), or leave it out",
    ),
    "number for a frequency": (
        lambda of: of.scheduler_with(data_upload_frequency=5),
        "data_upload_frequency is 5: use a DataUploadFrequency or a text or a cdk.Duration",
    ),
    "text for a schema": (
        lambda of: of.dataset_with(schema="pump"),
        'schema is "pump": use a DatasetSchema, or leave it out',
    ),
    "text for a role": (
        lambda of: of.model_with(role="arn:aws:iam::111122223333:role/mine"),
        'role is "arn:aws:iam::111122223333:role/mine": use an IRole, or leave it out',
    ),
    "bucket for a role": (
        lambda of: of.ingestion_with(role=of.places.history.bucket),
        'DataIngestion "Test/New": role is ',
    ),
    "model for a dataset": (lambda of: of.model_with(dataset=of.model), 'Model "Test/New": dataset is '),
    "name for a dataset": (
        lambda of: of.model_with(dataset="pump"),
        'dataset is "pump": use an IDataset',
    ),
    "name for a model": (lambda of: of.scheduler_with(model="tuned"), 'model is "tuned": use an IModel'),
    "name for a service": (
        lambda of: of.asset_with(service="service"),
        'MonitoredAsset "Test/New": service is "service": use an IEquipmentService',
    ),
    "text for a removal policy": (
        lambda of: of.dataset_with(removal_policy="destroy"),
        'removal_policy is "destroy": use a cdk.RemovalPolicy, such as cdk.RemovalPolicy.RETAIN',
    ),
    "list for tags": (
        lambda of: of.dataset_with(tags=["plant"]),
        "tags is ['plant']: use a mapping, such as a dict, each value a text, or leave it out",
    ),
    "number in tags": (lambda of: of.dataset_with(tags={"line": 4}), "tags is {'line': 4}: use a mapping"),
    "location for a list": (
        lambda of: ServiceRole(of.scope, "New", service=of.service, reads=of.places.history),  # type: ignore[arg-type]
        'ServiceRole "Test/New": reads is S3Location(',
    ),
    "text for a window": (
        lambda of: of.model_with(training="2026-01-01/2026-03-01"),
        'training is "2026-01-01/2026-03-01": use a TimeRange, or leave it out',
    ),
    "number for thresholds": (
        lambda of: SchedulerAlarms(of.scope, "New", scheduler=of.scheduler_with(), thresholds=3),  # type: ignore[arg-type]
        'SchedulerAlarms "Test/New": thresholds is 3: use an AlarmThresholds, or leave it out',
    ),
    "props for a duration": (
        lambda of: of.scheduler_with(data_delay_offset={"minutes": 5}),
        "data_delay_offset is {'minutes': 5}: use a cdk.Duration, such as cdk.Duration.minutes(5), or leave",
    ),
    "text for a key": (
        lambda of: AssetStorage(of.scope, "New", encryption_key="alias/mine"),  # type: ignore[arg-type]
        'AssetStorage "Test/New": encryption_key is "alias/mine": use an IKey, or leave it out',
    ),
    "text for users": (
        lambda of: EquipmentKey(of.scope, "New", service=of.service, users="me"),  # type: ignore[arg-type]
        'EquipmentKey "Test/New": users is the text "me", not a list: write ["me"]',
    ),
    "text for endpoints": (
        lambda of: EquipmentService.from_equipment_service_attributes(
            of.scope,
            "New",
            api_id="abcde12345",
            api_stage="v1",
            data_access_role_arn="arn:aws:iam::111122223333:role/jobs",
            provider_service_token="arn:aws:lambda:eu-west-1:111122223333:function:provider",
            provider_role_arn="arn:aws:iam::111122223333:role/provider",
            api_vpc_endpoint_ids="vpce-1",
        ),
        'Service "Test/New": api_vpc_endpoint_ids is the text "vpce-1", not a list: write ["vpce-1"]',
    ),
    "text for sensors": (
        lambda of: DatasetSchema.from_sensors({"pump": "Flow"}),
        'Component: sensors is the text "Flow", not a list: write ["Flow"]',
    ),
    "number among sensors": (
        lambda of: Component(name="pump", sensors=["Flow", 7]),  # type: ignore[list-item]
        "Component: sensors is ['Flow', 7]: use a list, each of it a text",
    ),
    "text for a time": (
        lambda of: TimeRange(start="2026-01-01", end="2026-02-01"),  # type: ignore[arg-type]
        'TimeRange: start is "2026-01-01": use a datetime',
    ),
    "name for a bucket": (
        lambda of: S3Location(bucket="sensor-data", prefix=""),  # type: ignore[arg-type]
        'S3Location: bucket is "sensor-data": use an IBucket',
    ),
    "text for a threshold": (
        lambda of: OffCondition(sensor="speed", operator="<", threshold="10"),  # type: ignore[arg-type]
        'OffCondition: threshold is "10": use a number',
    ),
    "number for a format": (
        lambda of: InputNaming(timestamp_format=5),  # type: ignore[arg-type]
        "InputNaming: timestamp_format is 5: use a TimestampFormat or a text, or leave it out",
    ),
    "half an execution": (
        lambda of: Executions(count=1.5),  # type: ignore[arg-type]
        "Executions: count is 1.5: use a whole number",
    ),
    "number for executions": (
        lambda of: AlarmThresholds(anomaly=3),  # type: ignore[arg-type]
        "AlarmThresholds: anomaly is 3: use an Executions, or leave it out",
    ),
    "token for a limit": (
        lambda of: ServiceSettings(models=NUMBER),
        "ServiceSettings: models is a token, and must be known at synthesis: use a number, or leave it out",
    ),
    "number for a span": (
        lambda of: ServiceSettings(minimum_training_span=14),  # type: ignore[arg-type]
        "ServiceSettings: minimum_training_span is 14: use a cdk.Duration",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_types(name: str) -> None:
    build, message = WRONG[name]
    with pytest.raises(TypeError) as caught:
        build(Parts())

    assert message in str(caught.value)


UNKNOWN: dict[str, tuple[Callable[[Parts], object], str]] = {
    "sensor": (lambda of: Component(name="pump", sensors=[TOKEN]), 'column of component "pump" is a token'),
    "component": (lambda of: Component(name=TOKEN, sensors=["Flow"]), "component name is a token"),
    "delay": (
        lambda of: of.scheduler_with(data_delay_offset=cdk.Duration.minutes(NUMBER)),
        "data delay offset is a token, and must be known at synthesis: use cdk.Duration.minutes(0) to",
    ),
    "frequency": (
        lambda of: of.scheduler_with(data_upload_frequency=TOKEN),
        "data upload frequency is a token, and must be known at synthesis: use one of PT5M,",
    ),
    "duration": (
        lambda of: of.scheduler_with(data_upload_frequency=cdk.Duration.minutes(NUMBER)),
        "data upload frequency is a token, and must be known at synthesis: use one of PT5M,",
    ),
    "rate": (
        lambda of: of.model_with(target_sampling_rate=TOKEN),
        "target sampling rate is a token, and must be known at synthesis: use one of PT1S,",
    ),
    "adaptation": (lambda of: of.model_with(adaptation=TOKEN), "adaptation is a token"),
    "pattern": (lambda of: of.ingestion_with(key_pattern=TOKEN), "key pattern is a token"),
    "condition": (lambda of: of.model_with(off_condition=TOKEN), "off condition is a token"),
    "window": (lambda of: TimeRange.between(TOKEN, "2026-03-01T00:00:00Z"), "is a token"),
    "format": (lambda of: InputNaming(timestamp_format=TOKEN), "timestamp format is a token"),
}


def role_with(of: Parts, **props: Any) -> ServiceRole:
    return ServiceRole(of.scope, "NewRole", service=of.service, reads=[of.places.history], **props)


def service_like(of: Parts, **props: Any) -> IEquipmentService:
    given = {
        "api_id": "abcde12345",
        "api_stage": "v1",
        "data_access_role_arn": "arn:aws:iam::111122223333:role/jobs",
        "provider_service_token": "arn:aws:lambda:eu-west-1:111122223333:function:provider",
        "provider_role_arn": "arn:aws:iam::111122223333:role/provider",
    }
    return EquipmentService.from_equipment_service_attributes(of.scope, "NewService", **{**given, **props})


def source_with(**props: Any) -> ImportSource:
    return ImportSource(account="111122223333", region="eu-west-1", api_id="abcde12345", **props)


ILLEGAL: dict[str, tuple[Callable[[Parts], object], str]] = {
    "long name of a dashboard": (
        lambda of: of.asset_with(dashboard={"dashboard_name": "x" * 256}),
        'x..." has 256 characters: it may have at most 255: use 1 to 255 letters, digits and "_-"',
    ),
    "empty name of a dashboard": (
        lambda of: of.asset_with(dashboard={"dashboard_name": ""}),
        'dashboard_name "" has 0 characters: it needs at least 1',
    ),
    "blank name of a dashboard": (
        lambda of: of.asset_with(dashboard={"dashboard_name": "feed pump"}),
        'dashboard_name "feed pump" does not match',
    ),
    "empty name of a role": (
        lambda of: role_with(of, role_name=""),
        'role_name "" has 0 characters: it needs at least 1: use 1 to 64 letters, digits and "+=,.@_-"',
    ),
    "long name of a role": (lambda of: role_with(of, role_name="x" * 65), "it may have at most 64"),
    "empty trusted resource": (
        lambda of: role_with(of, trusted_resources=[""]),
        'trusted_resources has "", which is no ARN of the service: use patterns such as "arn:aws:lookout',
    ),
    "trusted resource of another service": (
        lambda of: role_with(of, trusted_resources=["arn:aws:s3:::data/*"]),
        'trusted_resources has "arn:aws:s3:::data/*"',
    ),
    "empty resource of a trust": (lambda of: of.service.role_trust([""]), 'resource_arns has ""'),
    "long name of a rule": (
        lambda of: of.model.on_state_change("Rule", rule_name="x" * 65),
        'it may have at most 64: use 1 to 64 letters, digits and "._-"',
    ),
    "empty name of a rule": (lambda of: of.model.on_state_change("Rule", rule_name=""), 'rule_name "" has 0'),
    "blank name of a rule": (
        lambda of: of.model.on_state_change("Rule", rule_name="pump 1"),
        'rule_name "pump 1" does not match',
    ),
    "empty stage of a source": (lambda _: source_with(api_stage=""), 'api_stage of the import source "" has'),
    "slash in the stage of a source": (lambda _: source_with(api_stage="v1/"), '"v1/" does not match'),
    "bucket with an owner": (
        lambda _: ServiceSettings(bucket_owners={"": "111122223333"}),
        'bucket_owners: bucket "" has 0 characters: it needs at least 3',
    ),
    "blank namespace": (
        lambda of: EquipmentService(of.scope, "New", metric_namespace=" "),
        "metric_namespace ' ' is no namespace of CloudWatch",
    ),
    "namespace of an imported service": (
        lambda of: service_like(of, metric_namespace=""),
        "metric_namespace '' is no namespace of CloudWatch",
    ),
    "staging bucket": (
        lambda of: service_like(of, staging_bucket_name=""),
        'staging_bucket_name "" has 0 characters',
    ),
    "long name in a way in": (
        lambda of: of.service.endpoint_url_for("read", name="x" * 201),
        "has 201 characters: it may have at most 200: shorten it",
    ),
    "long key in a way in": (
        lambda of: of.service.endpoint_url_for("read", tag=("x" * 129, "4")),
        "has 129 characters: it may have at most 128: shorten it",
    ),
    "long value in a way in": (
        lambda of: of.service.endpoint_url_for("read", tag=("line", "x" * 257)),
        "has 257 characters: it may have at most 256: shorten it",
    ),
}
"""Texts of the right type that AWS would refuse, or that mean nothing."""


@pytest.mark.parametrize("name", ILLEGAL)
def test_texts_that_aws_would_refuse(name: str) -> None:
    build, message = ILLEGAL[name]
    with pytest.raises(ValueError, match=re.escape(message)):
        build(Parts())


def test_texts_of_other_services_may_be_tokens() -> None:
    of = Parts()
    text = cdk.CfnParameter(of.scope, "Text").value_as_string
    role_with(of, role_name=text, trusted_resources=[text])
    of.asset_with(dashboard={"dashboard_name": text}).on_anomaly_began("Rule", rule_name=text)
    service_like(Parts(), metric_namespace=text, staging_bucket_name=text)
    of.service.endpoint_url_for("read", name=text, tag=(text, text))
    of.service.role_trust(cdk.Fn.split(",", text))
    source_with(api_stage=text)
    ServiceSettings(bucket_owners={text: text})


@pytest.mark.parametrize("name", UNKNOWN)
def test_values_that_must_be_known(name: str) -> None:
    build, message = UNKNOWN[name]
    with pytest.raises(ValueError, match="must be known at synthesis") as caught:
        build(Parts())

    assert message in str(caught.value)
    assert "Token[" not in str(caught.value)


@pytest.mark.parametrize(
    ("duration", "frequency"),
    [
        (cdk.Duration.minutes(5), "PT5M"),
        (cdk.Duration.minutes(60), "PT1H"),
        (cdk.Duration.seconds(600), "PT10M"),
    ],
)
def test_a_duration_may_be_a_duration_of_the_cdk(duration: cdk.Duration, frequency: str) -> None:
    of = Parts()
    made = of.asset_with(data_upload_frequency=duration, target_sampling_rate=cdk.Duration.minutes(5))
    model = Model.from_model_attributes(
        of.scope, "Rated", service=of.service, model_name="rated", target_sampling_rate=duration
    )
    content = template(of.scope)

    assert made.model.target_sampling_rate == "PT5M"
    assert model.target_sampling_rate == frequency
    assert custom(content, "InferenceScheduler")["Properties"]["DataUploadFrequency"] == frequency


def test_a_duration_that_the_service_does_not_offer() -> None:
    words = 'data upload frequency "PT7M" is not supported: use one of PT5M, PT10M'
    with pytest.raises(ValueError, match=words):
        Parts().scheduler_with(data_upload_frequency=cdk.Duration.minutes(7))


def test_names_and_places_may_be_tokens() -> None:
    of = Parts()
    name = cdk.CfnParameter(of.scope, "Name").value_as_string
    labels = S3Location(bucket=of.places.labels.bucket, prefix=name)
    dataset = of.dataset_with(dataset_name=name)
    Model(of.scope, "Labelled", dataset=dataset, model_name=name, labels=labels)

    assert custom(template(of.scope), "Dataset")["Properties"]["DatasetName"] == {"Ref": "Name"}


def test_an_iterator_is_a_list() -> None:
    assert Component(name="pump", sensors=(each for each in ("Flow", "Speed"))).sensors == ("Flow", "Speed")  # type: ignore[arg-type]


def test_a_prop_that_does_not_exist() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'names'"):
        Parts().dataset_with(names="pump")
