"""One asset at a service, made by the library, with the constructs of aws-cdk-lib, and as plain resources."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import IDependable

import constructs_l4e as l4e

SENSORS = 30
_ACCOUNT, _TOKEN = "111122223333", "arn:aws:lambda:eu-west-1:111122223333:function:provider"
_JOBS = f"arn:aws:iam::{_ACCOUNT}:role/jobs"
_ROLE = "Lets Lookout for Equipment read sensor data and write results"
_KEPT, _HOLD_DATA = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE, ("Dataset", "Model")
_NAMESPACE, _OWNER = "LookoutEquipment", "Plant"
_START, _END = "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"
_SCHEMA = l4e.DatasetSchema.from_sensors({"pump": [f"sensor{number}" for number in range(SENSORS)]})
_TRAINING = l4e.TimeRange.between(_START, _END)


def library_platform(stack: cdk.Stack) -> tuple[l4e.IEquipmentService, l4e.AssetStorage]:
    """Return an imported service and the storage of all assets."""
    service = l4e.EquipmentService.from_equipment_service_attributes(
        stack,
        "Service",
        api_id="abcde12345",
        api_stage="v1",
        data_access_role_arn=_JOBS,
        provider_service_token=_TOKEN,
        provider_role_arn=f"arn:aws:iam::{_ACCOUNT}:role/provider",
    )
    return service, l4e.AssetStorage(stack, "Data")


def library_asset(
    platform: tuple[l4e.IEquipmentService, l4e.AssetStorage], stack: cdk.Stack, name: str
) -> None:
    """Add an asset as users of the library do."""
    service, storage = platform
    l4e.MonitoredAsset(
        stack,
        name,
        service=service,
        locations=storage.for_asset(name),
        schema=_SCHEMA,
        training=_TRAINING,
    )


def l2_asset(bucket: s3.Bucket, stack: cdk.Stack, name: str) -> None:
    """Add an asset with what aws-cdk-lib offers."""

    def resource(id_: str, properties: dict[str, Any], *after: IDependable) -> cdk.CustomResource:
        made = cdk.CustomResource(
            stack,
            f"{name}{id_}",
            service_token=_TOKEN,
            resource_type=f"Custom::LookoutEquipment{id_}",
            service_timeout=cdk.Duration.hours(1),
            properties={"PropertiesVersion": "1", **properties},
            removal_policy=_KEPT if id_ in _HOLD_DATA else None,
        )
        if after:
            made.node.add_dependency(*after)
        return made

    def trusted(resource: str) -> str:
        return stack.format_arn(
            service="lookoutequipment", resource=resource, resource_name=f"{_OWNER}-{name}-????????/*"
        )

    role = iam.Role(
        stack,
        f"{name}Role",
        assumed_by=iam.PrincipalWithConditions(
            iam.ArnPrincipal(_JOBS),
            {
                "StringLike": {
                    "sts:ExternalId": [trusted(each) for each in ("dataset", "inference-scheduler")]
                }
            },
        ),
        description=_ROLE,
        path="/lookoutequipment/",
        inline_policies={
            "DataAccess": iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(
                        actions=["s3:ListBucket"],
                        resources=[bucket.bucket_arn],
                        conditions={"StringLike": {"s3:prefix": _patterns(name)}},
                    ),
                    iam.PolicyStatement(
                        actions=["s3:GetObject"],
                        resources=[bucket.arn_for_objects(each) for each in _patterns(name)[:2]],
                    ),
                    iam.PolicyStatement(
                        actions=["s3:PutObject"],
                        resources=[bucket.arn_for_objects(_patterns(name)[2])],
                    ),
                ]
            )
        },
    )
    made = _requests(name, _SCHEMA.to_json(), bucket.bucket_name, role.role_arn)
    dataset = resource("Dataset", made["Dataset"])
    ingestion = resource("DataIngestion", made["DataIngestion"], dataset, role)
    model = resource("Model", made["Model"], dataset, ingestion)
    resource("InferenceScheduler", made["InferenceScheduler"], model, role)
    for alarm in _ALARMS:
        cloudwatch.Alarm(
            stack,
            f"{name}{alarm['MetricName']}",
            metric=cloudwatch.Metric(
                namespace=_NAMESPACE,
                metric_name=alarm["MetricName"],
                dimensions_map={"ModelName": name, "InferenceSchedulerName": name},
                statistic="Sum",
                period=cdk.Duration.minutes(5),
            ),
            threshold=1,
            evaluation_periods=alarm["EvaluationPeriods"],
            datapoints_to_alarm=alarm["EvaluationPeriods"],
            comparison_operator=getattr(cloudwatch.ComparisonOperator, alarm["L2"]),
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"{name}: {alarm['MetricName']}",
        )


def plain_asset(bucket: cdk.CfnResource, stack: cdk.Stack, name: str) -> None:
    """Add an asset as it stands in a template."""

    def resource(id_: str, type_: str, properties: dict[str, Any]) -> cdk.CfnResource:
        return cdk.CfnResource(stack, f"{name}{id_}", type=type_, properties=properties)

    bucket_arn = bucket.get_att("Arn").to_string()
    base = f"arn:{cdk.Aws.PARTITION}:lookoutequipment:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}"
    trusted = [f"{base}:{each}/{_OWNER}-{name}-????????/*" for each in ("dataset", "inference-scheduler")]
    objects = [f"{bucket_arn}/{each}" for each in _patterns(name)]
    role = resource(
        "Role",
        "AWS::IAM::Role",
        {
            "Description": _ROLE,
            "Path": "/lookoutequipment/",
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": "sts:AssumeRole",
                        "Principal": {"AWS": _JOBS},
                        "Condition": {"StringLike": {"sts:ExternalId": trusted}},
                    }
                ],
            },
            "Policies": [
                {
                    "PolicyName": "DataAccess",
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Action": "s3:ListBucket",
                                "Resource": bucket_arn,
                                "Condition": {"StringLike": {"s3:prefix": _patterns(name)}},
                            },
                            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": objects[:2]},
                            {"Effect": "Allow", "Action": "s3:PutObject", "Resource": objects[2]},
                        ],
                    },
                }
            ],
        },
    )
    made = _requests(name, _SCHEMA.to_json(), bucket.ref, role.get_att("Arn").to_string())
    common = {"ServiceToken": _TOKEN, "ServiceTimeout": "3600", "PropertiesVersion": "1"}
    parts = {
        kind: resource(kind, f"Custom::LookoutEquipment{kind}", {**common, **properties})
        for kind, properties in made.items()
    }
    for kind in _HOLD_DATA:
        parts[kind].apply_removal_policy(_KEPT)
    for one, after in (
        ("DataIngestion", parts["Dataset"]),
        ("DataIngestion", role),
        ("Model", parts["Dataset"]),
        ("Model", parts["DataIngestion"]),
        ("InferenceScheduler", parts["Model"]),
        ("InferenceScheduler", role),
    ):
        parts[one].add_resource_dependency(after)
    for alarm in _ALARMS:
        resource(
            alarm["MetricName"],
            "AWS::CloudWatch::Alarm",
            {
                "AlarmDescription": f"{name}: {alarm['MetricName']}",
                "ComparisonOperator": alarm["ComparisonOperator"],
                "DatapointsToAlarm": alarm["EvaluationPeriods"],
                "Dimensions": [
                    {"Name": each, "Value": name} for each in ("InferenceSchedulerName", "ModelName")
                ],
                "EvaluationPeriods": alarm["EvaluationPeriods"],
                "MetricName": alarm["MetricName"],
                "Namespace": _NAMESPACE,
                "Period": 300,
                "Statistic": "Sum",
                "Threshold": 1,
                "TreatMissingData": "notBreaching",
            },
        )


def plain_platform(stack: cdk.Stack) -> cdk.CfnResource:
    """Return the bucket of all assets."""
    return cdk.CfnResource(stack, "Data", type="AWS::S3::Bucket")


def l2_platform(stack: cdk.Stack) -> s3.Bucket:
    """Return the bucket of all assets."""
    return s3.Bucket(stack, "Data")


def _patterns(name: str) -> list[str]:
    return [f"{name}/{part}/*" for part in ("history", "inference-input", "inference-output")]


_ALARMS: Sequence[Mapping[str, Any]] = (
    {
        "MetricName": "InferenceSucceeded",
        "EvaluationPeriods": 3,
        "ComparisonOperator": "LessThanThreshold",
        "L2": "LESS_THAN_THRESHOLD",
    },
    {
        "MetricName": "AnomalyDetected",
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "L2": "GREATER_THAN_OR_EQUAL_TO_THRESHOLD",
    },
)


def _requests(name: str, schema: str, bucket: str, role_arn: str) -> dict[str, dict[str, Any]]:
    """Return the members of the requests behind the custom resources of an asset, by kind."""

    def place(part: str) -> dict[str, str]:
        return {"Bucket": bucket, "Prefix": f"{name}/{part}/"}

    return {
        "Dataset": {"DatasetName": name, "Schema": schema},
        "DataIngestion": {
            "DatasetName": name,
            "IngestionInputConfiguration": {"S3InputConfiguration": place("history")},
            "RoleArn": role_arn,
            "Wait": "true",
        },
        "Model": {
            "ModelName": name,
            "DatasetName": name,
            "TrainingDataStartTime": _START,
            "TrainingDataEndTime": _END,
            "Wait": "true",
        },
        "InferenceScheduler": {
            "InferenceSchedulerName": name,
            "ModelName": name,
            "DataUploadFrequency": "PT5M",
            "DataInputConfiguration": {"S3InputConfiguration": place("inference-input")},
            "DataOutputConfiguration": {"S3OutputConfiguration": place("inference-output")},
            "RoleArn": role_arn,
            "DesiredState": "RUNNING",
        },
    }


KINDS: Mapping[str, tuple[Callable[[cdk.Stack], Any], Callable[[Any, cdk.Stack, str], None]]] = {
    "plain": (plain_platform, plain_asset),
    "L2": (l2_platform, l2_asset),
    "library": (library_platform, library_asset),
}
"""By kind: what fills the stack that all assets share, and what adds an asset of a name to a stack."""
