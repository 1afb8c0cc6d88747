"""MonitoredAsset and the canonical asset stacks: cost, order, contract, forwarded methods."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from canonical import (
    EVALUATION,
    PUMP,
    SERVICE_TOKEN,
    TRAINING,
    app,
    custom,
    findings,
    imported_service,
    lint,
    listed,
    locations,
    only,
    properties,
    resources,
    stack,
    statements,
    synth_with_nag,
    synthesised,
    template,
)

from constructs_l4e import (
    AlarmThresholds,
    AssetStorage,
    EquipmentKey,
    EquipmentService,
    Executions,
    InferenceSchedulerBase,
    InputNaming,
    KeyPattern,
    MonitoredAsset,
    RetrainingSchedulerBase,
    TimestampFormat,
)

MOST_RESOURCES = 15
"""What one asset may cost in resources of its stack."""


def minimal(scope: cdk.Stack) -> MonitoredAsset:
    return MonitoredAsset(
        scope, "Pump", service=imported_service(scope), locations=locations(scope), schema=PUMP
    )


def full(scope: cdk.Stack) -> MonitoredAsset:
    service = imported_service(scope)
    key = EquipmentKey(scope, "Key", service=service)
    topic = sns.Topic.from_topic_arn(scope, "Topic", "arn:aws:sns:eu-west-1:111122223333:alerts")
    asset = MonitoredAsset(
        scope,
        "Pump",
        service=service,
        locations=locations(scope),
        schema=PUMP,
        key_pattern=KeyPattern.UNDERSCORE,
        revision="2",
        training=TRAINING,
        evaluation=EVALUATION,
        labelled=True,
        diagnostics=True,
        target_sampling_rate="PT10M",
        off_condition=r"pump\speed < 10",
        adaptation="hold",
        label_group={"fault_codes": ["leak"]},
        retraining={"retraining_frequency": "P3M"},
        data_delay_offset=cdk.Duration.minutes(5),
        input_naming=InputNaming(
            timestamp_format=TimestampFormat.EPOCH, delimiter="_", time_zone_offset="+05:30"
        ),
        alarm_thresholds=AlarmThresholds(failed=Executions(count=2, out_of=3)),
        alarm_actions=[actions.SnsAction(topic)],
        encryption_key=key,
    )
    cdk.Tags.of(asset).add("site", "north")
    return asset


def managed(scope: cdk.Stack) -> MonitoredAsset:
    return MonitoredAsset(
        scope,
        "Pump",
        service=EquipmentService.aws_managed(scope, "Service"),
        locations=locations(scope),
        schema=PUMP,
        training=TRAINING,
    )


CANONICAL = {"asset-minimal": minimal, "asset-full": full}


@pytest.fixture(scope="module")
def templates() -> dict[str, dict[str, Any]]:
    return {name: synthesised(build) for name, build in CANONICAL.items()}


@pytest.mark.parametrize(("name", "count"), [("asset-minimal", 7), ("asset-full", 11)])
def test_an_asset_costs_few_resources(templates, name: str, count: int) -> None:
    assert len(templates[name]["Resources"]) == count <= MOST_RESOURCES


@pytest.mark.parametrize("name", CANONICAL)
def test_cfn_lint_is_clean(templates, name: str, tmp_path: Path) -> None:
    path = tmp_path / "template.json"
    path.write_text(json.dumps(templates[name]))

    assert lint(path) == ""


@pytest.mark.parametrize("build", [minimal, full, managed])
def test_nag_finds_nothing(build) -> None:
    scope = stack()
    build(scope)

    assert findings(scope) == set()


def test_nag_finds_nothing_in_an_app_of_two_stacks() -> None:
    """The rule pack of a user's synth sees imports of the storage stack, not references."""
    of = app()
    platform = cdk.Stack(of, "Platform")
    storage = AssetStorage(platform, "Storage")
    scope = cdk.Stack(of, "Pump1")
    MonitoredAsset(
        scope, "Pump", service=imported_service(platform), locations=storage.for_asset("Pump1"), schema=PUMP
    )

    synth_with_nag(of)


def test_nag_bites() -> None:
    scope = stack()
    asset = minimal(scope)
    asset.role.add_to_principal_policy(iam.PolicyStatement(actions=["s3:*"], resources=["*"]))

    assert {rule for rule, _ in findings(scope)} == {
        "AwsSolutions-IAM5[Action::s3:*]",
        "AwsSolutions-IAM5[Resource::*]",
    }


@pytest.mark.parametrize("name", CANONICAL)
def test_no_policy_has_a_wildcard_action_or_any_resource(templates, name: str) -> None:
    found = list(statements(templates[name]))

    assert found
    for statement in found:
        assert not any("*" in action for action in listed(statement["Action"]))
        assert "*" not in listed(statement["Resource"])


def test_the_role_may_do_exactly_this(templates) -> None:
    role = only(templates["asset-full"], "AWS::IAM::Role")["Properties"]

    def objects(*prefixes: str) -> list[dict[str, Any]]:
        return [
            {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f":s3:::sensor-data/Pump1/{prefix}/*"]]}
            for prefix in prefixes
        ]

    assert role["Policies"][0]["PolicyDocument"]["Statement"] == [
        {
            "Action": "s3:ListBucket",
            "Condition": {
                "StringLike": {
                    "s3:prefix": [
                        "Pump1/history/*",
                        "Pump1/labels/*",
                        "Pump1/inference-input/*",
                        "Pump1/inference-output/*",
                        "Pump1/diagnostics/*",
                    ]
                }
            },
            "Effect": "Allow",
            "Resource": {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":s3:::sensor-data"]]},
        },
        {
            "Action": "s3:GetObject",
            "Effect": "Allow",
            "Resource": objects("history", "labels", "inference-input"),
        },
        {"Action": "s3:PutObject", "Effect": "Allow", "Resource": objects("inference-output", "diagnostics")},
    ]


def depends_on(content: dict[str, Any], kind: str) -> set[str]:
    """Types of the resources that a custom resource of a kind waits for explicitly."""
    return {content["Resources"][name]["Type"] for name in listed(custom(content, kind).get("DependsOn", []))}


def test_order_of_deployment(templates) -> None:
    content = templates["asset-full"]
    role = "AWS::IAM::Role"
    dataset, ingestion, label_group, model = (
        f"Custom::LookoutEquipment{kind}" for kind in ("Dataset", "DataIngestion", "LabelGroup", "Model")
    )

    assert depends_on(content, "Dataset") == set()
    assert depends_on(content, "DataIngestion") == {role, dataset}
    assert depends_on(content, "Model") == {role, dataset, ingestion, label_group}
    assert depends_on(content, "RetrainingScheduler") == {model}
    assert depends_on(content, "InferenceScheduler") == {role, model}


def test_a_right_of_the_provider_comes_before_what_needs_it() -> None:
    content = synthesised(managed)

    for kind in ("Dataset", "DataIngestion", "Model", "InferenceScheduler"):
        assert "AWS::IAM::Policy" in depends_on(content, kind)


def test_custom_resources_follow_the_contract(templates) -> None:
    content = templates["asset-full"]
    kinds = [value for value in content["Resources"].values() if value["Type"].startswith("Custom::")]

    assert len(kinds) == 6
    for resource in kinds:
        version = "2" if "Schema" in resource["Properties"] else "1"
        assert resource["Properties"]["ServiceToken"] == SERVICE_TOKEN
        assert resource["Properties"]["ServiceTimeout"] == "3600"
        assert resource["Properties"]["PropertiesVersion"] == version


def test_everything_set(templates) -> None:
    content = templates["asset-full"]
    key = {"Fn::GetAtt": [next(iter(resources(content, "AWS::KMS::Key"))), "Arn"]}
    role = {"Fn::GetAtt": [next(iter(resources(content, "AWS::IAM::Role"))), "Arn"]}
    tags = [{"Key": "site", "Value": "north"}]
    dataset, ingestion, labels, model, scheduler, retraining = (
        properties(content, kind)
        for kind in (
            "Dataset",
            "DataIngestion",
            "LabelGroup",
            "Model",
            "InferenceScheduler",
            "RetrainingScheduler",
        )
    )

    def place(prefix: str) -> dict[str, str]:
        return {"Bucket": "sensor-data", "Prefix": f"Pump1/{prefix}/"}

    assert dataset == {
        "DatasetName": dataset["DatasetName"],
        "Schema": dataset["Schema"],
        "ServerSideKmsKeyId": key,
        "Tags": tags,
    }
    assert ingestion == {
        "DatasetName": dataset["DatasetName"],
        "IngestionInputConfiguration": {
            "S3InputConfiguration": {**place("history"), "KeyPattern": "{prefix}/{component_name}_*"}
        },
        "RoleArn": role,
        "Revision": "2",
        "Wait": "true",
    }
    assert model == {
        "ModelName": model["ModelName"],
        "DatasetName": dataset["DatasetName"],
        "TrainingDataStartTime": "2026-01-01T00:00:00Z",
        "TrainingDataEndTime": "2026-03-01T00:00:00Z",
        "EvaluationDataStartTime": "2026-03-01T00:00:00Z",
        "EvaluationDataEndTime": "2026-04-01T00:00:00Z",
        "DataPreProcessingConfiguration": {"TargetSamplingRate": "PT10M"},
        "OffCondition": r"pump\speed < 10.0",
        "LabelsInputConfiguration": {
            "S3InputConfiguration": place("labels"),
            "LabelGroupName": labels["LabelGroupName"],
        },
        "ModelDiagnosticsOutputConfiguration": {"S3OutputConfiguration": place("diagnostics")},
        "RoleArn": role,
        "ServerSideKmsKeyId": key,
        "Tags": [{"Key": "lookoutequipment:adaptation", "Value": "hold"}, *tags],
        "Wait": "true",
    }
    assert labels == {
        "LabelGroupName": labels["LabelGroupName"],
        "FaultCodes": ["leak"],
        "Tags": tags,
    }
    assert retraining == {
        "ModelName": model["ModelName"],
        "RetrainingFrequency": "P3M",
        "LookbackWindow": "P360D",
        "PromoteMode": "MANAGED",
        "DesiredState": "RUNNING",
    }
    assert scheduler == {
        "InferenceSchedulerName": scheduler["InferenceSchedulerName"],
        "ModelName": model["ModelName"],
        "DataUploadFrequency": "PT10M",
        "DataDelayOffsetInMinutes": 5,
        "DataInputConfiguration": {
            "S3InputConfiguration": place("inference-input"),
            "InputTimeZoneOffset": "+05:30",
            "InferenceInputNameConfiguration": {
                "TimestampFormat": "EPOCH",
                "ComponentTimestampDelimiter": "_",
            },
        },
        "DataOutputConfiguration": {"S3OutputConfiguration": place("inference-output")},
        "RoleArn": role,
        "ServerSideKmsKeyId": key,
        "Tags": tags,
        "DesiredState": "RUNNING",
    }


def test_nothing_set(templates) -> None:
    content = templates["asset-minimal"]

    assert set(properties(content, "Dataset")) == {"DatasetName", "Schema"}
    assert set(properties(content, "Model")) == {"ModelName", "DatasetName", "Wait"}
    assert properties(content, "InferenceScheduler")["DataUploadFrequency"] == "PT5M"


def test_names_of_your_own_and_notices_when_alarms_are_over() -> None:
    scope = stack()
    topic = sns.Topic(scope, "Topic")
    asset = MonitoredAsset(
        scope,
        "Pump",
        service=imported_service(scope),
        locations=locations(scope),
        schema=PUMP,
        dataset_name="pump-1-data",
        model_name="pump-1",
        inference_scheduler_name="pump-1-live",
        alarm_actions=[actions.SnsAction(topic)],
        notify_when_over=True,
    )
    content = template(scope)
    alarms = [each["Properties"] for each in resources(content, "AWS::CloudWatch::Alarm").values()]

    assert properties(content, "Dataset")["DatasetName"] == "pump-1-data"
    assert properties(content, "Model")["ModelName"] == "pump-1"
    assert properties(content, "InferenceScheduler")["InferenceSchedulerName"] == "pump-1-live"
    assert all(each["OKActions"] == each["AlarmActions"] for each in alarms)
    assert asset.model.model_name == "pump-1"


def test_metrics_are_those_of_the_scheduler() -> None:
    asset = minimal(stack())
    assert shown_metrics(asset, asset.scheduler, InferenceSchedulerBase) == 8
    assert asset.metric("Other").metric_name == "Other"


def test_metrics_of_retrainings_are_those_of_their_scheduler() -> None:
    scope = stack()
    asset = MonitoredAsset(
        scope,
        "Pump",
        service=imported_service(scope),
        locations=locations(scope),
        schema=PUMP,
        retraining={"retraining_frequency": "P3M"},
    )
    assert shown_metrics(asset, asset.retraining, RetrainingSchedulerBase) == 3


def shown_metrics(asset: MonitoredAsset, part: Any, kind: type) -> int:
    """Number of the metrics of a part, each of which the asset has too."""
    methods = [name for name in vars(kind) if name.startswith("metric_")]
    for method in methods:
        shown = [
            (each.metric_name, each.dimensions, each.label)
            for each in (getattr(of, method)(label="A") for of in (asset, part))
        ]
        assert shown[0] == shown[1]
    return len(methods)


FORWARDED = {
    "grant_start_stop": ("scheduler", "operate"),
    "grant_ingest": ("dataset", "full"),
    "grant_label": ("label_group", "operate"),
}


@pytest.mark.parametrize("method", FORWARDED)
def test_grants_are_those_of_the_parts(method: str) -> None:
    scope = stack()
    asset = MonitoredAsset(
        scope,
        "Pump",
        service=imported_service(scope),
        locations=locations(scope),
        schema=PUMP,
        label_group={},
    )
    part, level = FORWARDED[method]
    people = {
        name: iam.Role(scope, name, assumed_by=iam.AccountRootPrincipal()) for name in ("Asset", "Part")
    }
    getattr(asset, method)(people["Asset"])
    getattr(getattr(asset, part), method)(people["Part"])
    policies = resources(template(scope), "AWS::IAM::Policy")
    by_asset, by_part = (
        next(value["Properties"]["PolicyDocument"] for key, value in policies.items() if key.startswith(name))
        for name in people
    )

    assert by_asset == by_part
    assert f"/POST/{level}/name/" in json.dumps(by_asset)


def test_aws_managed_service() -> None:
    content = synthesised(managed)
    passed = [each for each in statements(content) if each["Action"] == "iam:PassRole"]
    role_id, role = next(
        (key, value)
        for key, value in resources(content, "AWS::IAM::Role").items()
        if key.startswith("PumpRole")
    )

    assert passed == [
        {
            "Action": "iam:PassRole",
            "Condition": {"StringEquals": {"iam:PassedToService": "lookoutequipment.amazonaws.com"}},
            "Effect": "Allow",
            "Resource": {"Fn::GetAtt": [role_id, "Arn"]},
        }
    ]
    trust = role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    assert trust["Principal"] == {"Service": "lookoutequipment.amazonaws.com"}
    assert set(trust["Condition"]) == {"StringEquals", "ArnLike"}
    assert "Path" not in role["Properties"]
    alarms = {
        each["Properties"]["MetricName"] for each in resources(content, "AWS::CloudWatch::Alarm").values()
    }
    assert alarms == {"InferenceSucceeded"}


def test_key_of_another_stack_may_encrypt() -> None:
    of = app()
    keys = cdk.Stack(of, "Keys")
    key = kms.Key(keys, "Key")
    scope = cdk.Stack(of, "Pump1")
    MonitoredAsset(
        scope,
        "Pump",
        service=imported_service(scope),
        locations=locations(scope),
        schema=PUMP,
        encryption_key=key,
    )

    content = cdk.assertions.Template.from_stack(scope).to_json()
    assert "Fn::ImportValue" in properties(content, "Model")["ServerSideKmsKeyId"]
