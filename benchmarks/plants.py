"""One asset at a service, made by the library, with the constructs of aws-cdk-lib, and as plain resources.

All three give the same templates, but for logical ids and hashes, and the same acknowledgements.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

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
_NAMESPACE, _OWNER = "LookoutEquipment", "Plant0"
_EXPORT = "Platform:ExportsOutputFnGetAttData666C94C7Arn0D7E21B7"
"""How the templates write the bucket, which who acknowledges rights on it by hand finds in the report."""
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
            properties=properties,
        )
        if id_ in _HOLD_DATA:
            # One that is replaced goes, which the prop for the policy cannot say.
            inner = cast("cdk.CfnResource", made.node.default_child)
            inner.apply_removal_policy(_KEPT, apply_to_update_replace_policy=False)
        if after:
            made.node.add_dependency(*after)
        return made

    def trusted(resource: str, kind: str) -> str:
        return stack.format_arn(
            service="lookoutequipment", resource=resource, resource_name=f"{_trusted(name, kind)}/*"
        )

    role = iam.Role(
        stack,
        f"{name}Role",
        assumed_by=iam.PrincipalWithConditions(
            iam.ArnPrincipal(_JOBS),
            {
                "StringLike": {
                    "sts:ExternalId": [
                        trusted("dataset", "Dataset"),
                        trusted("inference-scheduler", "Scheduler"),
                    ]
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
    _acknowledge(role, name)
    made = _requests(name, bucket.bucket_name, role.role_arn)
    dataset = resource("Dataset", made["Dataset"])
    ingestion = resource("DataIngestion", made["DataIngestion"], dataset, role)
    model = resource("Model", made["Model"], dataset, ingestion)
    resource("InferenceScheduler", made["InferenceScheduler"], model, role)
    dimensions = _dimensions(made)
    for alarm in _ALARMS:
        cloudwatch.Alarm(
            stack,
            f"{name}{alarm['MetricName']}",
            metric=cloudwatch.Metric(
                namespace=_NAMESPACE,
                metric_name=alarm["MetricName"],
                dimensions_map=dimensions,
                statistic="Sum",
                period=cdk.Duration.minutes(5),
            ),
            threshold=1,
            evaluation_periods=alarm["EvaluationPeriods"],
            datapoints_to_alarm=alarm["EvaluationPeriods"],
            comparison_operator=getattr(cloudwatch.ComparisonOperator, alarm["L2"]),
            treat_missing_data=getattr(cloudwatch.TreatMissingData, alarm["L2Missing"]),
            alarm_description=f"{dimensions['InferenceSchedulerName']}: {alarm['Meaning']}",
        )


def plain_asset(bucket: cdk.CfnResource, stack: cdk.Stack, name: str) -> None:
    """Add an asset as it stands in a template."""

    def resource(id_: str, type_: str, properties: dict[str, Any]) -> cdk.CfnResource:
        return cdk.CfnResource(stack, f"{name}{id_}", type=type_, properties=properties)

    bucket_arn = bucket.get_att("Arn").to_string()
    base = f"arn:{cdk.Aws.PARTITION}:lookoutequipment:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}"
    trusted = [
        f"{base}:{resource}/{_trusted(name, kind)}/*"
        for resource, kind in (("dataset", "Dataset"), ("inference-scheduler", "Scheduler"))
    ]
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
    _acknowledge(role, name)
    made = _requests(name, bucket.ref, role.get_att("Arn").to_string())
    common = {"ServiceToken": _TOKEN, "ServiceTimeout": "3600"}
    parts = {
        kind: resource(kind, f"Custom::LookoutEquipment{kind}", {**common, **properties})
        for kind, properties in made.items()
    }
    for kind in _HOLD_DATA:
        parts[kind].apply_removal_policy(_KEPT, apply_to_update_replace_policy=False)
    for one, after in (
        ("DataIngestion", parts["Dataset"]),
        ("DataIngestion", role),
        ("Model", parts["Dataset"]),
        ("Model", parts["DataIngestion"]),
        ("InferenceScheduler", parts["Model"]),
        ("InferenceScheduler", role),
    ):
        parts[one].add_resource_dependency(after)
    dimensions = _dimensions(made)
    for alarm in _ALARMS:
        resource(
            alarm["MetricName"],
            "AWS::CloudWatch::Alarm",
            {
                "AlarmDescription": f"{dimensions['InferenceSchedulerName']}: {alarm['Meaning']}",
                "ComparisonOperator": alarm["ComparisonOperator"],
                "DatapointsToAlarm": alarm["EvaluationPeriods"],
                "Dimensions": [{"Name": each, "Value": value} for each, value in dimensions.items()],
                "EvaluationPeriods": alarm["EvaluationPeriods"],
                "MetricName": alarm["MetricName"],
                "Namespace": _NAMESPACE,
                "Period": 300,
                "Statistic": "Sum",
                "Threshold": 1,
                "TreatMissingData": alarm["TreatMissingData"],
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


def _acknowledge(role: cdk.IResource | cdk.CfnResource, name: str) -> None:
    """Accept what rule packs find on the role, as whoever uses them has to."""
    cdk.Validations.of(role).acknowledge(
        *(cdk.Acknowledgment(id=rule, reason=reason) for rule, reason in _findings(name))
    )


def _findings(name: str) -> Iterator[tuple[str, str]]:
    for pattern in _patterns(name):
        yield (
            f"AwsSolutions-IAM5[Resource::{_EXPORT}/{pattern}]",
            "the prefix is the narrowest name of objects that arrive after deployment",
        )
    for pack in ("NIST.800.53.R5", "HIPAA.Security", "PCI.DSS.321"):
        yield (
            f"{pack}-IAMNoInlinePolicy",
            f"the policy is for this one role, exists as soon as the role does and ends with it; {_MANAGED}",
        )


_MANAGED = (
    "a managed policy could be attached to others. A permissions boundary holds the role: ServiceControls"
)
_ALARMS: Sequence[Mapping[str, Any]] = (
    {
        "MetricName": "InferenceSucceeded",
        "Meaning": "no inference results arrive",
        "EvaluationPeriods": 3,
        "ComparisonOperator": "LessThanThreshold",
        "L2": "LESS_THAN_THRESHOLD",
        "TreatMissingData": "missing",
        "L2Missing": "MISSING",
    },
    {
        "MetricName": "AnomalyDetected",
        "Meaning": "the equipment behaves abnormally, or the level of a sensor moved",
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "L2": "GREATER_THAN_OR_EQUAL_TO_THRESHOLD",
        "TreatMissingData": "notBreaching",
        "L2Missing": "NOT_BREACHING",
    },
)


def _named(name: str, kind: str, fixed: Mapping[str, Any]) -> str:
    """Return a name that changes with what replaces the resource, for both exist for a while then."""
    digest = hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()
    return f"{_trusted(name, kind)[:-8]}{digest[:8]}"


def _trusted(name: str, kind: str) -> str:
    """Return the pattern of the name of a resource and of those that replace it."""
    place = hashlib.sha256(f"{_OWNER}/{name}/{kind}".encode()).hexdigest()
    return f"{_OWNER}-{name}-{kind}-{place[:8].upper()}-????????"


def _dimensions(requests: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    scheduler = requests["InferenceScheduler"]
    return {each: scheduler[each] for each in ("InferenceSchedulerName", "ModelName")}


def _requests(name: str, bucket: str, role_arn: str) -> dict[str, dict[str, Any]]:
    """Return the members of the requests behind the custom resources of an asset, by kind."""

    def place(part: str) -> dict[str, str]:
        return {"Bucket": bucket, "Prefix": f"{name}/{part}/"}

    schema = {"InlineDataSchema": _SCHEMA.to_json()}
    dataset = _named(name, "Dataset", schema)
    training = {"DatasetName": dataset, "TrainingDataStartTime": _START, "TrainingDataEndTime": _END}
    model = _named(name, "Model", training)
    return {
        "Dataset": {"PropertiesVersion": "2", "DatasetName": dataset, "Schema": schema},
        "DataIngestion": {
            "PropertiesVersion": "1",
            "DatasetName": dataset,
            "IngestionInputConfiguration": {"S3InputConfiguration": place("history")},
            "RoleArn": role_arn,
            "Wait": "true",
        },
        "Model": {"PropertiesVersion": "1", "ModelName": model, **training, "Wait": "true"},
        "InferenceScheduler": {
            "PropertiesVersion": "1",
            "InferenceSchedulerName": _named(name, "Scheduler", {"ModelName": model}),
            "ModelName": model,
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
