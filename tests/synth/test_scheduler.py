"""InferenceScheduler."""

import inspect
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from canonical import (
    custom,
    imported_scheduler,
    imported_service,
    locations,
    properties,
    resources,
    stack,
    statements,
    synthesised,
    template,
)

from constructs_l4e import (
    IInferenceScheduler,
    InferenceScheduler,
    InputNaming,
    Model,
    S3Location,
    SchedulerAlarms,
    TargetSamplingRate,
)
from constructs_l4e.alarms import SchedulerAlarmsProps
from constructs_l4e.scheduler import InferenceSchedulerOptions, InferenceSchedulerProps
from service.members.results_place import results_key


def scheduler(scope: cdk.Stack, *, model_name: str = "tuned", **props: Any) -> InferenceScheduler:
    at = locations(scope)
    model = Model.from_model_attributes(
        scope,
        "Model",
        service=imported_service(scope),
        model_name=model_name,
        target_sampling_rate=TargetSamplingRate.PT10M,
    )
    defaults: dict[str, Any] = {
        "data_upload_frequency": "PT15M",
        "data_input": at.inference_input,
        "data_output": at.inference_output,
    }
    return model.add_scheduler("Scheduler", **{**defaults, **props})


def name(**props: Any) -> str:
    return scheduler(stack(), **props).inference_scheduler_name


def test_name_follows_model_and_key_only() -> None:
    key = kms.Key.from_key_arn(stack(), "K", "arn:aws:kms:eu-west-1:111122223333:key/x")

    assert name() == name(data_upload_frequency="PT1H", running=False, tags={"a": "b"})
    assert len({name(), name(model_name="other"), name(encryption_key=key)}) == 3
    assert name(inference_scheduler_name="mine") == "mine"


def test_desired_state() -> None:
    def state(**props: Any) -> str:
        return properties(synthesised(lambda scope: scheduler(scope, **props)), "InferenceScheduler")[
            "DesiredState"
        ]

    assert (state(), state(running=True), state(running=False)) == ("RUNNING", "RUNNING", "STOPPED")


def test_delay_of_zero_is_sent() -> None:
    content = synthesised(lambda scope: scheduler(scope, data_delay_offset=cdk.Duration.minutes(0)))

    assert properties(content, "InferenceScheduler")["DataDelayOffsetInMinutes"] == 0


def test_output_key() -> None:
    def build(scope: cdk.Stack) -> None:
        scheduler(scope, output_encryption_key=kms.Key(scope, "Key"))

    content = synthesised(build)
    [key] = resources(content, "AWS::KMS::Key")
    output = properties(content, "InferenceScheduler")["DataOutputConfiguration"]
    assert output["KmsKeyId"] == {"Fn::GetAtt": [key, "Arn"]}
    [statement] = [each for each in statements(content) if "kms:GenerateDataKey" in each["Action"]]
    assert statement == {
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Condition": {
            "StringEquals": {
                "kms:ViaService": {"Fn::Join": ["", ["s3.eu-west-1.", {"Ref": "AWS::URLSuffix"}]]}
            }
        },
        "Effect": "Allow",
        "Resource": {"Fn::GetAtt": [key, "Arn"]},
    }


@pytest.mark.parametrize(
    ("naming", "expected"),
    [
        (InputNaming(), {}),
        (
            InputNaming(delimiter=""),
            {"InferenceInputNameConfiguration": {"ComponentTimestampDelimiter": ""}},
        ),
        (InputNaming(time_zone_offset="-03:00"), {"InputTimeZoneOffset": "-03:00"}),
        (
            InputNaming(timestamp_format="yyyyMMddHHmmss", delimiter="-"),
            {
                "InferenceInputNameConfiguration": {
                    "TimestampFormat": "yyyyMMddHHmmss",
                    "ComponentTimestampDelimiter": "-",
                }
            },
        ),
    ],
)
def test_input_naming(naming: InputNaming, expected: dict[str, Any]) -> None:
    assert naming.to_api() == expected


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: InputNaming(delimiter="."), 'delimiter "." does not match .*: use "-", "_", " " or ""'),
        (lambda: InputNaming(delimiter="--"), 'delimiter "--" has 2 characters'),
        (
            lambda: InputNaming(timestamp_format="epoch"),
            'timestamp format "epoch" is not supported: use one of EPOCH',
        ),
        (lambda: InputNaming(time_zone_offset="5"), 'time zone offset "5" does not match .*: write it like'),
        (lambda: name(inference_scheduler_name="a b"), 'inference scheduler name "a b" does not match'),
        (lambda: name(data_upload_frequency="PT2H"), 'data upload frequency "PT2H" is not supported'),
        (
            lambda: name(data_upload_frequency="PT5M"),
            'frequency "PT5M" is shorter than the sampling rate "PT10M" of the model: use PT10M or longer',
        ),
        (
            lambda: name(data_delay_offset=cdk.Duration.minutes(61)),
            r'data delay offset "PT1H1M" is not a whole number of minutes from 0 to 60',
        ),
        (
            lambda: name(data_delay_offset=cdk.Duration.seconds(90)),
            'data delay offset "PT1M30S" is not a whole',
        ),
    ],
)
def test_bad_props(build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_role_the_service_cannot_assume() -> None:
    scope = stack()

    with pytest.raises(ValueError, match=r'role "arn:.*:role/x/mine" cannot be used'):
        scheduler(scope, role=iam.Role.from_role_arn(scope, "R", "arn:aws:iam::111122223333:role/x/mine"))


def test_factory_takes_the_props_of_the_construct() -> None:
    declared = set(inspect.signature(InferenceScheduler.__init__).parameters) - {
        "self",
        "scope",
        "id",
        "model",
    }

    assert set(InferenceSchedulerProps.__annotations__) == declared
    assert set(InferenceSchedulerOptions.__annotations__) == declared


def test_factory_of_alarms_takes_the_props_of_the_construct() -> None:
    declared = set(inspect.signature(SchedulerAlarms.__init__).parameters)

    assert set(SchedulerAlarmsProps.__annotations__) == declared - {"self", "scope", "id", "scheduler"}


def test_arn_of_a_scheduler_is_an_attribute() -> None:
    scope = stack()

    assert scope.resolve(scheduler(scope).inference_scheduler_arn)["Fn::GetAtt"][1] == "InferenceSchedulerArn"


def test_scheduler_can_be_granted_rights() -> None:
    scope = stack()
    made = scheduler(scope)
    kms.Key(scope, "Key").grant_decrypt(made)

    assert [
        each["Resource"]["Fn::GetAtt"][1]
        for each in statements(template(scope))
        if each["Action"] == "kms:Decrypt"
    ] == ["Arn"]


def test_import() -> None:
    scope = stack()
    found = imported_scheduler(scope)

    assert isinstance(found, IInferenceScheduler)
    assert (found.inference_scheduler_name, found.model_name, found.running) == ("line-4", "tuned", True)
    assert scope.resolve(found.inference_scheduler_arn)["Fn::Join"][1][-1] == (
        ":lookoutequipment:eu-west-1:111122223333:inference-scheduler/line-4/*"
    )


ARN = (
    "arn:aws:lookoutequipment:eu-west-1:111122223333:inference-scheduler/line-4/"
    "12345678-1234-1234-1234-123456789012"
)


def by_name(scope: cdk.Stack) -> IInferenceScheduler:
    return InferenceScheduler.from_inference_scheduler_name(
        scope, "Imported", service=imported_service(scope), inference_scheduler_name="line-4"
    )


def by_arn(scope: cdk.Stack, arn: str = ARN) -> IInferenceScheduler:
    return InferenceScheduler.from_inference_scheduler_arn(
        scope, "Imported", service=imported_service(scope), inference_scheduler_arn=arn
    )


@pytest.mark.parametrize("find", [by_name, by_arn])
def test_an_import_by_name_or_arn_can_be_granted(find: Any) -> None:
    scope = stack()
    found = find(scope)
    user = iam.Role(scope, "User", assumed_by=iam.AccountRootPrincipal())
    found.grant_start_stop(user)

    assert isinstance(found, IInferenceScheduler)
    assert (found.inference_scheduler_name, found.running) == ("line-4", True)
    assert "name/line-4" in str(statements(template(scope)).__next__()["Resource"])


def test_arn_of_an_import() -> None:
    token = cdk.Fn.import_value("arn")

    assert by_arn(stack()).inference_scheduler_arn == ARN
    assert cdk.Token.is_unresolved(by_arn(stack(), token).inference_scheduler_name)
    with pytest.raises(ValueError, match=r'^inference scheduler ARN "arn:aws:s3:.*" does not match'):
        by_arn(stack(), "arn:aws:s3:::data-of-the-plant")
    with pytest.raises(ValueError, match=r'has Region "us-east-1", and its service .* is in "eu-west-1"'):
        by_arn(stack(), ARN.replace("eu-west-1", "us-east-1"))


@pytest.mark.parametrize(
    ("ask", "what"),
    [
        (lambda found: found.metric_inference_failed(), "data_upload_frequency"),
        (lambda found: found.add_alarms("Alarms"), "data_upload_frequency"),
        (lambda found: found.model_name, "model_name"),
    ],
)
@pytest.mark.parametrize("find", [by_name, by_arn])
def test_what_an_import_by_name_or_arn_does_not_know(find: Any, ask: Any, what: str) -> None:
    with pytest.raises(
        ValueError,
        match=f'^{what} of inference scheduler "line-4" is not known, .* import the scheduler with '
        "from_inference_scheduler_attributes",
    ):
        ask(find(stack()))


@pytest.mark.parametrize("running", [True, False])
def test_an_imported_scheduler_that_is_stopped_is_not_missed(*, running: bool) -> None:
    scope = stack()
    alarms = SchedulerAlarms(scope, "Alarms", scheduler=imported_scheduler(scope, running=running))
    assert (alarms.no_success is not None) is running


def test_a_scheduler_may_outlive_its_stack() -> None:
    content = synthesised(lambda scope: scheduler(scope, removal_policy=cdk.RemovalPolicy.RETAIN))
    kept, usual = custom(content, "InferenceScheduler"), custom(synthesised(scheduler), "InferenceScheduler")
    assert (kept["DeletionPolicy"], usual["DeletionPolicy"]) == ("Retain", "Delete")


def test_grants_at_the_managed_service() -> None:
    def build(scope: cdk.Stack) -> None:
        user = iam.Role(scope, "User", assumed_by=iam.AccountRootPrincipal())
        found = imported_scheduler(scope, managed=True)
        found.grant_read(user)
        found.grant_start_stop(user)

    [policy] = [
        value
        for key, value in resources(synthesised(build), "AWS::IAM::Policy").items()
        if key.startswith("User")
    ]
    granted = [
        action for each in policy["Properties"]["PolicyDocument"]["Statement"] for action in each["Action"]
    ]
    assert granted == [
        f"lookoutequipment:{each}"
        for each in (
            "DescribeInferenceScheduler",
            "ListInferenceEvents",
            "ListInferenceExecutions",
            "ListTagsForResource",
            "StartInferenceScheduler",
            "StopInferenceScheduler",
        )
    ]


@pytest.mark.parametrize(
    ("method", "metric_name"),
    [
        ("metric_inference_succeeded", "InferenceSucceeded"),
        ("metric_inference_failed", "InferenceFailed"),
        ("metric_inference_invalid_input", "InferenceInvalidInput"),
        ("metric_anomaly_detected", "AnomalyDetected"),
        ("metric_inference_warning", "InferenceWarning"),
        ("metric_inference_missed", "InferenceMissed"),
        ("metric_level_moved", "LevelMoved"),
        ("metric_fault_began", "FaultBegan"),
    ],
)
def test_metrics(method: str, metric_name: str) -> None:
    found = imported_scheduler(stack())
    metric: cloudwatch.Metric = getattr(found, method)(label="x")
    own: cloudwatch.Metric = getattr(found, method)(period=cdk.Duration.hours(1), statistic="Maximum")

    assert (metric.namespace, metric.metric_name, metric.label) == ("LookoutEquipment", metric_name, "x")
    assert metric.dimensions == {"ModelName": "tuned", "InferenceSchedulerName": "line-4"}
    assert (metric.period.to_minutes(), metric.statistic) == (15, "Sum")
    assert (own.period.to_minutes(), own.statistic) == (60, "Maximum")


def test_metrics_of_the_managed_service_are_aws_s() -> None:
    assert (
        imported_scheduler(stack(), managed=True).metric_inference_failed().namespace
        == "AWS/LookoutEquipment"
    )


def test_locations_need_legal_prefixes() -> None:
    scope = stack()
    bucket = cdk.aws_s3.Bucket.from_bucket_name(scope, "B", "sensor-data")

    with pytest.raises(ValueError, match=r'S3 prefix "in" does not match .*: write "in/"'):
        scheduler(scope, data_input=S3Location(bucket=bucket, prefix="in"))


@pytest.mark.parametrize("letter", ["x", "\u00fc"])
def test_results_have_keys_that_s3_allows(letter: str) -> None:
    scope, size = stack(), len(letter.encode())
    bucket = cdk.aws_s3.Bucket.from_bucket_name(scope, "B", "sensor-data")
    room = 1024 - len(results_key("/", 0))
    fitting = letter * (room // size) + "x" * (room % size) + "/"

    scheduler(scope, data_output=S3Location(bucket=bucket, prefix=fitting))
    with pytest.raises(
        ValueError, match=r"data_output has the Prefix .* 1,025 bytes .* shorten it by 1 byte"
    ):
        scheduler(stack(), data_output=S3Location(bucket=bucket, prefix="x" + fitting))
