"""What AWS takes of a template at most, with everything set as large as it can be.

Sources: "Lambda quotas", "IAM and AWS STS quotas", "AWS CloudFormation quotas", "Step Functions service
quotas", bucket policies in the user guide of S3, PutKeyPolicy of KMS, SetQueueAttributes of SQS.
"""

import functools
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from canonical import EVALUATION, TRAINING, imported_service, locations, stack, template
from deployed import SNAPSHOTS, definitions, identity_policies, of_type, resolved
from services import plant_network

from constructs_l4e import (
    Adaptation,
    DatasetSchema,
    EquipmentKey,
    EquipmentService,
    KeyPattern,
    LargeJobs,
    MonitoredAsset,
    ServiceRole,
    ServiceSettings,
)

ENVIRONMENT = 4 * 1024
ROLE_POLICIES = 10_240
TRUST_POLICY = 2_048
RESOURCE_POLICIES = {
    "AWS::S3::BucketPolicy": ("PolicyDocument", 20 * 1024),
    "AWS::SQS::QueuePolicy": ("PolicyDocument", 10 * 1024),
    "AWS::KMS::Key": ("KeyPolicy", 32 * 1024),
}
STATE_MACHINE = 1024 * 1024
TEMPLATE = 1024 * 1024
COUNTS = {"Resources": 500, "Outputs": 200, "Parameters": 200, "Mappings": 200}
DESCRIPTION = {"AWS::IAM::Role": 1000, "AWS::KMS::Key": 8192}
DASHBOARD = 1024 * 1024

Template = Mapping[str, Any]


def owners(count: int) -> dict[str, str]:
    return {
        f"sensor-data-of-plant-{number:02}-eu-west-1-{'x' * 20}": "111122223333" for number in range(count)
    }


def largest_service(scope: cdk.Stack) -> None:
    hours = cdk.Duration.hours(10_000)
    EquipmentService(
        scope,
        "Service",
        settings=ServiceSettings(
            **{name: 100 if name.endswith("_percent") else 2_000_000_000 for name in LIMITS},
            minimum_training_span=cdk.Duration.days(10_000),
            inference_catch_up=hours,
            inference_fill=hours,
            false_alarm_time=cdk.Duration.minutes(7),
            partial_inference=False,
            adaptation=Adaptation.FOLLOW,
            bucket_owners=owners(16),
        ),
        metric_namespace="N" * 255,
        large_jobs=LargeJobs(vpc=plant_network(scope)),
        encryption_key=kms.Key.from_key_arn(
            scope, "Key", "arn:aws:kms:eu-west-1:111122223333:key/12345678-1234-1234-1234-123456789012"
        ),
    )


LIMITS = (
    "datasets",
    "models",
    "label_groups",
    "labels_per_group",
    "pending_ingestion_jobs",
    "pending_models",
    "pending_dataset_imports",
    "pending_model_imports",
    "files_per_component",
    "wide_rows_percent",
    "short_rows_percent",
    "unusable_timestamps_percent",
    "duplicates_percent",
    "components_per_model",
    "columns_per_model",
    "training_rows",
    "evaluation_rows",
)


def largest_asset(scope: cdk.Stack) -> None:
    service = imported_service(scope, staging_bucket_name="staging")
    topic = sns.Topic.from_topic_arn(scope, "Topic", "arn:aws:sns:eu-west-1:111122223333:alerts")
    sensors = [f"{'s' * 190}{number}" for number in range(150)]
    asset = MonitoredAsset(
        scope,
        "Pump",
        service=service,
        locations=locations(scope, "a" * 63),
        schema=DatasetSchema.from_sensors({"c" * 200: sensors, "d" * 200: sensors}),
        key_pattern=KeyPattern.UNDERSCORE,
        training=TRAINING,
        evaluation=EVALUATION,
        labelled=True,
        diagnostics=True,
        target_sampling_rate="PT10M",
        off_condition=f"{'c' * 200}\\{sensors[0]} < 10",
        alarm_actions=[actions.SnsAction(topic)],
        encryption_key=EquipmentKey(scope, "Key", service=service),
    )
    for number in range(40):
        cdk.Tags.of(asset).add(f"{'k' * 120}{number}", "v" * 256)


def largest_trust(scope: cdk.Stack) -> None:
    """A role that so many resources use that they only just fit into its trust policy."""
    arn = "arn:aws:lookoutequipment:eu-west-1:111122223333:dataset/{name}/*"
    place = locations(scope).history
    ServiceRole(
        scope,
        "Role",
        service=imported_service(scope),
        reads=[place],
        trusted_resources=[arn.format(name=f"{number}" + "n" * 100) for number in range(10)],
    )


LARGEST: Mapping[str, Callable[[cdk.Stack], None]] = {
    "largest service": largest_service,
    "largest asset": largest_asset,
    "largest trust": largest_trust,
}
NAMES = (*SNAPSHOTS, *LARGEST)


@functools.cache
def deployed(name: str) -> Template:
    if name in SNAPSHOTS:
        return SNAPSHOTS[name]
    target = stack()
    LARGEST[name](target)
    return template(target)


def characters(document: Any) -> int:
    """Length as IAM counts it, without blanks between."""
    return len(json.dumps(document, separators=(",", ":")))


@pytest.mark.parametrize("name", NAMES)
class TestEveryTemplate:
    def test_has_functions_whose_variables_fit(self, name: str) -> None:
        for key, function in of_type(deployed(name), "AWS::Lambda::Function"):
            size = characters(function.get("Environment", {}).get("Variables", {}))
            assert size <= ENVIRONMENT, f"{key}: {size}"

    def test_has_roles_whose_policies_fit(self, name: str) -> None:
        sizes: Counter[str] = Counter()
        for role, document in identity_policies(deployed(name)):
            sizes[role] += characters(document)
        assert all(size <= ROLE_POLICIES for size in sizes.values()), sizes

    def test_has_trust_policies_that_fit_without_a_raised_quota(self, name: str) -> None:
        for key, role in of_type(deployed(name), "AWS::IAM::Role"):
            size = characters(role["AssumeRolePolicyDocument"])
            assert size <= TRUST_POLICY, f"{key}: {size}"
            assert len(role.get("ManagedPolicyArns", ())) <= 10, key

    @pytest.mark.parametrize("kind", RESOURCE_POLICIES)
    def test_has_resource_policies_that_fit(self, name: str, kind: str) -> None:
        member, most = RESOURCE_POLICIES[kind]
        for key, properties in of_type(deployed(name), kind):
            assert characters(properties[member]) <= most, key

    def test_has_state_machines_that_fit(self, name: str) -> None:
        for key, text in definitions(deployed(name)):
            assert len(text.encode()) <= STATE_MACHINE, key

    def test_has_dashboards_that_fit(self, name: str) -> None:
        for key, dashboard in of_type(deployed(name), "AWS::CloudWatch::Dashboard"):
            assert len(dashboard["DashboardBody"]) <= DASHBOARD, key

    @pytest.mark.parametrize("kind", DESCRIPTION)
    def test_has_descriptions_that_fit(self, name: str, kind: str) -> None:
        for key, properties in of_type(deployed(name), kind):
            assert len(properties.get("Description", "")) <= DESCRIPTION[kind], key

    def test_fits_as_a_whole(self, name: str) -> None:
        content = deployed(name)
        assert len(json.dumps(content)) <= TEMPLATE
        for part, most in COUNTS.items():
            assert len(content.get(part, {})) <= most, part
        for key in content["Resources"]:
            assert len(key) <= 255
        for value in content.get("Outputs", {}).values():
            assert len(value.get("Description", "")) <= 1024


def test_the_largest_service_has_every_setting_and_little_room_left() -> None:
    found = dict(of_type(deployed("largest service"), "AWS::Lambda::Function"))
    variables = [each["Environment"]["Variables"] for each in found.values() if "Environment" in each]
    settings = next(each["L4E_SETTINGS"] for each in variables if "L4E_SETTINGS" in each)
    assert 1_800 < len(settings) <= 2_000
    assert len(json.loads(settings)) == len(ServiceSettings.__dataclass_fields__)
    assert max(map(characters, variables)) > 2_900


def test_the_largest_trust_names_every_resource() -> None:
    ((_, role),) = of_type(deployed("largest trust"), "AWS::IAM::Role")
    assert characters(role["AssumeRolePolicyDocument"]) > 0.8 * TRUST_POLICY
    assert "dataset/8" in json.dumps(role["AssumeRolePolicyDocument"])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"Ref": "AWS::Partition"}, "aws-us-gov"),
        ({"Ref": "Data"}, "s" * 63),
        ({"Fn::GetAtt": ["Data", "Arn"]}, f"arn:aws-us-gov:s3:::{'s' * 63}"),
        ({"Fn::GetAtt": ["Jobs", "Arn"]}, f"arn:aws-us-gov:iam::111122223333:role/{'s' * 64}"),
        ({"Fn::Join": ["/", [{"Ref": "AWS::AccountId"}, "x"]]}, "111122223333/x"),
        (
            {"Fn::Sub": "${!a}-${Data}-${Jobs.Arn}"},
            f"${{a}}-{'s' * 63}-arn:aws-us-gov:iam::111122223333:role/{'s' * 64}",
        ),
        ([{"Ref": "AWS::NoValue"}], [""]),
    ],
)
def test_references_are_as_long_as_they_can_be(value: Any, text: Any) -> None:
    content = {"Resources": {"Data": {"Type": "AWS::S3::Bucket"}, "Jobs": {"Type": "AWS::IAM::Role"}}}
    assert resolved(value, content) == text


def test_an_unknown_function_of_cloudformation_is_no_text() -> None:
    with pytest.raises(AssertionError, match="Fn::Cidr is not known here"):
        resolved({"Fn::Cidr": []}, {"Resources": {}})
