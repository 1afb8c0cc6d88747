"""`[service.network]` and `[service.controls]` of `assets.toml`: what the service is made of what exists."""

from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from canonical import findings, only, resources, stack, template

from constructs_l4e import EquipmentService
from constructs_l4e.assets_file import AssetsFile

NETWORK = """
[service.network]
vpc_id = "vpc-0123456789abcdef0"
subnet_ids = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
security_group_ids = ["sg-0123456789abcdef0"]
api_vpc_endpoint_ids = ["vpce-0123456789abcdef0"]
"""
CONTROLS = """
[service.controls]
reserved_concurrency = { inference = 40 }
dead_letter_queue_arn = "arn:aws:sqs:eu-west-1:111122223333:dead-letters"
tracing_enabled = true
log_retention = "ONE_YEAR"
log_encryption_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/12345678-1234-1234-1234-123456789012"
api_logging = true
api_throttle = { rate_limit = 50, burst_limit = 100 }
access_logs_bucket = "access-logs-of-the-account"
permissions_boundary = "PlantBoundary"
"""


def service(folder: Path, text: str) -> tuple[cdk.Stack, dict[str, Any]]:
    """A service as the app makes it, and its template."""
    path = folder / "assets.toml"
    path.write_text(text)
    scope = stack()
    EquipmentService(scope, "Service", **AssetsFile.read(path).service.props(scope))
    return scope, template(scope)


def test_nothing_said_is_nothing_given(tmp_path: Path) -> None:
    _, content = service(tmp_path, "")
    plain = stack()
    EquipmentService(plain, "Service")

    assert content == template(plain)


def test_everything_said(tmp_path: Path) -> None:
    scope, content = service(tmp_path, NETWORK + CONTROLS)
    functions = [each["Properties"] for each in resources(content, "AWS::Lambda::Function").values()]
    api = only(content, "AWS::ApiGateway::RestApi")["Properties"]
    stage = only(content, "AWS::ApiGateway::Stage")["Properties"]
    settings = stage["MethodSettings"][0]

    assert len(functions) == 10
    for each in functions:
        assert each["VpcConfig"] == {
            "SecurityGroupIds": ["sg-0123456789abcdef0"],
            "SubnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        }
        assert each["DeadLetterConfig"]["TargetArn"].endswith(":dead-letters")
        assert each["TracingConfig"] == {"Mode": "Active"}
    assert 40 in {each["ReservedConcurrentExecutions"] for each in functions}
    assert api["EndpointConfiguration"] == {
        "Types": ["PRIVATE"],
        "VpcEndpointIds": ["vpce-0123456789abcdef0"],
    }
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (50, 100)
    assert "AccessLogSetting" in stage
    logs = [each["Properties"] for each in resources(content, "AWS::Logs::LogGroup").values()]
    assert {each["RetentionInDays"] for each in logs} == {365}
    assert all(each["KmsKeyId"].endswith("123456789012") for each in logs)
    assert all(
        "PlantBoundary" in str(each["Properties"]["PermissionsBoundary"])
        for each in resources(content, "AWS::IAM::Role").values()
    )
    bucket = only(content, "AWS::S3::Bucket")["Properties"]
    assert bucket["LoggingConfiguration"]["DestinationBucketName"] == "access-logs-of-the-account"
    assert findings(scope) == set()


def test_an_own_group_is_made_and_the_api_stays_regional(tmp_path: Path) -> None:
    lines = [line for line in NETWORK.splitlines() if "security_group" not in line and "api_" not in line]
    _, content = service(tmp_path, "\n".join(lines))

    assert len(resources(content, "AWS::EC2::SecurityGroup")) == 1
    api = only(content, "AWS::ApiGateway::RestApi")["Properties"]
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[service.network]\nvpc = 'vpc-1'", "[service] network: unknown key 'vpc': did you mean 'vpc_id'?"),
        (
            "[service.network]\nvpc_id = 'plant'",
            "[service] network: vpc_id: 'plant' is not of the form \"vpc-0123456789abcdef0\"",
        ),
        (
            "[service.network]\nvpc_id = 'vpc-1'",
            "[service] network: vpc_id and subnet_ids go together: give both, or leave both out",
        ),
        (
            "[service.network]\nsubnet_ids = ['subnet-1']",
            "[service] network: vpc_id and subnet_ids go together",
        ),
        (
            "[service.network]\nsecurity_group_ids = ['sg-1']",
            "[service] network: security_group_ids has no effect without vpc_id",
        ),
        (
            "[service.network]\napi_vpc_endpoint_ids = 'vpce-1'",
            "api_vpc_endpoint_ids: 'vpce-1' is not a list of texts in quotes",
        ),
        ("[service.network]\napi_vpc_endpoint_ids = []", "api_vpc_endpoint_ids: [] is not a list of texts"),
        (
            "[service.network]\napi_vpc_endpoint_ids = ['vpc-1']",
            "api_vpc_endpoint_ids: 'vpc-1' is not of the form \"vpce-0123456789abcdef0\"",
        ),
        ("[service.controls]\ntracing = true", "unknown key 'tracing': did you mean 'tracing_enabled'?"),
        (
            "[service.controls]\nlog_retention = 365",
            "[service] controls: log_retention: 365 is not a text in quotes",
        ),
        ("[service.controls]\nlog_retention = 'YEAR'", "log_retention: 'YEAR' is not one of ONE_DAY, "),
        (
            "[service.controls]\napi_throttle = { rate_limit = 5 }",
            "is not a pair such as { rate_limit = 50, burst_limit = 100 }",
        ),
        (
            "[service.controls]\nreserved_concurrency = { all = 5 }",
            "is not a table of runs to keep, with some of api, ingestion, training, inference, reconciler, ",
        ),
        (
            "[service.controls]\nreserved_concurrency = { api = 0 }",
            "reserved_concurrency: api is 0, and a function without runs is switched off",
        ),
        (
            "[service.controls]\ndead_letter_queue_arn = 'queue'",
            "'queue' is not of the form \"arn:aws:sqs:eu-west-1:111122223333:dead-letters\"",
        ),
        (
            "[service.network]\nvpc_id = 'vpc-1'\nsubnet_ids = ['subnet-1', 'subnet-1']",
            "subnet_ids: ['subnet-1', 'subnet-1'] is not a list of different texts: name each once",
        ),
        (
            "[service.controls]\ndead_letter_queue_arn = 'arn:aws:sqs:eu-west-1:111122223333:a b'",
            "111122223333:a b' is not of the form",
        ),
        (
            "[service.controls]\nlog_encryption_key_arn = 'arn:aws:kms:eu-west-1:111122223333:alias/x'",
            'alias/x\' is not of the form "arn:aws:kms:eu-west-1:111122223333:key/1234abcd"',
        ),
        (
            "[service.controls]\naccess_logs_bucket = 'arn:aws:s3:::logs'",
            "bucket: 'arn:aws:s3:::logs' is not of the form \"access-logs-of-the-account\", a name",
        ),
        (
            "[service.controls]\npermissions_boundary = 'arn:aws:iam::111122223333:policy/Plant'",
            'policy/Plant\' is not of the form "PlantBoundary", a name, no ARN',
        ),
        (
            "[service.controls]\napi_throttle = { rate_limit = 0, burst_limit = 5 }",
            "api_throttle: 0 is not a whole number from 1",
        ),
        ("[service.controls]\napi_logging = 'yes'", "api_logging: 'yes' is not true or false"),
    ],
)
def test_that_is_wrong_says_where_and_what_to_do(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "assets.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"^assets\.toml \[service\]") as caught:
        AssetsFile.read(path)
    assert message in str(caught.value)
