"""The wire protocol, byte for byte: what SDKs send and read, and what no SDK would ever send."""

import base64
import json
import logging
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service import api
from service.errors import ApiError
from service.requests import service_model
from service.storage.names import DATASET
from tests.embedded import CREDENTIALS, EmbeddedAws
from tests.service.api.conftest import Deploy, ProxyServer, Service, client_of

TARGET = "AWSLookoutEquipmentFrontendService"
LAMBDAS = Path(api.__file__).parents[1]


def send(service: Service, body: str | None, operation: str = "ListDatasets", **more: Any) -> dict[str, Any]:
    event = {"headers": {"x-amz-target": f"{TARGET}.{operation}"}, "body": body, **more}
    return api.respond(event, service.context)


def error(reply: dict[str, Any]) -> tuple[int, str, str]:
    body = json.loads(reply["body"])
    assert body.keys() == {"__type", "Message"}
    namespace, _, name = body["__type"].partition("#")
    assert namespace == "com.amazonaws.thorbrain"
    return reply["statusCode"], name, body["Message"]


def test_a_reply_has_the_protocols_headers_and_omits_what_is_absent(service: Service) -> None:
    reply = send(service, "{}", requestContext={"requestId": "0f-1"})
    assert reply["statusCode"] == 200
    assert reply["headers"]["Content-Type"] == "application/x-amz-json-1.0"
    assert reply["headers"]["x-amzn-requestid"] == "0f-1"
    assert json.loads(reply["body"]) == {"DatasetSummaries": []}


def test_a_reply_has_members_of_the_model_only(service: Service) -> None:
    service.create_dataset("pump")
    _, reply = service.call("DescribeDataset", {"DatasetName": "pump"})
    members = service.api.meta.service_model.operation_model("DescribeDataset").output_shape.members
    assert reply.keys() <= members.keys()


def test_an_error_has_a_request_id_too(service: Service) -> None:
    reply = send(service, "[]")
    assert re.fullmatch(r"[0-9a-f-]{36}", reply["headers"]["x-amzn-requestid"])


def test_timestamps_travel_as_numbers_with_milliseconds(deploy: Deploy) -> None:
    service = deploy(clock=lambda: datetime(2026, 1, 1, 0, 0, 0, 123456, UTC))
    service.create_dataset("pump")
    _, reply = service.call("DescribeDataset", {"DatasetName": "pump"})
    assert reply["CreatedAt"] == 1767225600.123


@pytest.mark.parametrize(
    "time", [1767225600, 1767225600.0004, "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00"]
)
def test_timestamps_are_read_as_numbers_and_as_iso_texts(service: Service, time: Any) -> None:
    service.ingested_dataset()
    window = {"TrainingDataStartTime": time, "TrainingDataEndTime": "2026-04-01"}
    request = {"ModelName": "wear", "DatasetName": "pump", "ClientToken": "t", **window}
    status, reply = service.call("CreateModel", request)
    assert status == 200, reply
    _, reply = service.call("DescribeModel", {"ModelName": "wear"})
    assert reply["TrainingDataStartTime"] == 1767225600


def test_unknown_and_null_members_are_ignored(service: Service) -> None:
    status, _ = service.call(
        "CreateDataset", {"DatasetName": "pump", "ClientToken": "t", "Colour": {"a": 1}, "Tags": None}
    )
    assert status == 200


@pytest.mark.parametrize("body", [None, "", "{}"])
def test_a_call_without_filters_may_have_no_body(service: Service, body: str | None) -> None:
    assert send(service, body)["statusCode"] == 200


def test_a_body_may_be_base64(service: Service) -> None:
    body = base64.b64encode(b'{"MaxResults": 0}').decode()
    status, name, message = error(send(service, body, isBase64Encoded=True))
    assert (status, name) == (400, "ValidationException")
    assert "Value '0' at 'MaxResults'" in message


DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("body", "more"),
    [
        ("{", {}),
        ("[]", {}),
        ("1", {}),
        ('"text"', {}),
        (DEEP, {}),
        ('{"MaxResults": NaN}', {}),
        ('{"MaxResults": -Infinity}', {}),
        ('{"MaxResults": 1e99999999999999999999}', {}),
        ('{"MaxResults": 1e999999}', {}),
        (f'{{"MaxResults": {"9" * 5000}}}', {}),
        ('{"MaxResults": true}', {}),
        ('{"MaxResults": 1.5}', {}),
        ('{"NextToken": "\\ud800"}', {}),
        ('{"DatasetNameBeginsWith": "\\u00e9"}', {}),
        ("no base64!", {"isBase64Encoded": True}),
        (base64.b64encode(b'{"a": "\xff"}').decode(), {"isBase64Encoded": True}),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_bad_body_is_the_callers_fault(service: Service, body: str, more: dict[str, Any]) -> None:
    status, name, _ = error(send(service, body, **more))
    assert (status, name) == (400, "ValidationException")


@pytest.mark.parametrize("member", ["DatasetNameBeginsWith", "MaxResults", "Unknown"])
@pytest.mark.parametrize("depth", [*range(880, 1010, 3), 5_000, 50_000])
def test_any_depth_is_the_callers_fault_or_ignored(service: Service, member: str, depth: int) -> None:
    body = f'{{"{member}": {"[" * depth}1{"]" * depth}}}'
    reply = send(service, body)
    assert reply["statusCode"] in ({200, 400} if member == "Unknown" else {400})


def test_what_is_nested_too_deeply_is_told(service: Service) -> None:
    _, _, message = error(send(service, DEEP))
    assert message.startswith("the request body is nested too deeply: send it as the service model describes")


def test_every_violation_is_named_with_its_value_member_and_rule(service: Service) -> None:
    _, reply = service.call(
        "StartDataIngestionJob",
        {
            "DatasetName": "a b",
            "IngestionInputConfiguration": {
                "S3InputConfiguration": {"Bucket": "BUCKET", "Prefix": "no-slash"}
            },
            "RoleArn": 7,
        },
    )
    message = reply["Message"]
    assert message.startswith("5 validation errors detected: ")
    for words in (
        "Value 'a b' at 'DatasetName' failed to satisfy constraint: Member must satisfy regular expression",
        "Value 'BUCKET' at 'IngestionInputConfiguration.S3InputConfiguration.Bucket'",
        "Value 'no-slash' at 'IngestionInputConfiguration.S3InputConfiguration.Prefix'",
        "Value '7' at 'RoleArn' failed to satisfy constraint: Member must be a string",
        "Value null at 'ClientToken' failed to satisfy constraint: Member must not be null",
    ):
        assert words in message


def test_an_element_of_a_list_is_named_by_its_place(service: Service) -> None:
    tags = [{"Key": "line", "Value": "4"}, {"Key": "aws:line"}]
    _, reply = service.call("CreateDataset", {"DatasetName": "pump", "ClientToken": "t", "Tags": tags})
    assert "Value 'aws:line' at 'Tags[1].Key'" in reply["Message"]
    assert "Value null at 'Tags[1].Value'" in reply["Message"]


@pytest.mark.parametrize("target", ["", TARGET, f"{TARGET}.Nothing", "Other.ListDatasets", "ListDatasets"])
def test_an_unknown_target_is_no_operation(service: Service, target: str) -> None:
    reply = api.respond({"headers": {"X-Amz-Target": target}, "body": "{}"}, service.context)
    status, name, message = error(reply)
    assert (status, name) == (404, "UnknownOperationException")
    assert f"'{target}'" in message


@pytest.mark.parametrize("event", [{}, {"headers": None, "body": None, "requestContext": None}])
def test_an_event_without_anything_is_answered(service: Service, event: dict[str, Any]) -> None:
    assert api.respond(event, service.context)["statusCode"] == 404


def test_this_release_has_every_operation(service: Service) -> None:
    assert api.OPERATIONS.keys() == set(service.api.meta.service_model.operation_names)


def test_a_fault_of_the_service_is_logged_and_tells_nothing(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    service.create_dataset("pump")
    service.context.store.update(DATASET, "pump", {"schemaKey": "documents/secret/lost.json"})
    with caplog.at_level(logging.ERROR):
        reply = send(
            service, '{"DatasetName": "pump"}', "DescribeDataset", requestContext={"requestId": "r-7"}
        )
    status, name, message = error(reply)
    assert (status, name) == (500, "InternalServerException")
    assert "r-7" in message
    assert "secret" not in message
    assert "NoSuchKey" in caplog.text
    assert "request r-7 failed" in caplog.text, "the caller's id finds the line"


def test_an_invocation_without_an_end_is_found_by_the_callers_id(
    service: Service, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_time(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(api.OPERATIONS, "ListDatasets", out_of_time)  # type: ignore[arg-type]
    with caplog.at_level(logging.INFO, "service"), pytest.raises(KeyboardInterrupt):
        send(service, "{}", requestContext={"requestId": "r-8"})
    assert "request r-8 begins" in caplog.text


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("ThrottlingException", "ThrottlingException"),
        ("AccessDenied", "AccessDeniedException"),
        ("KMS.DisabledException", "AccessDeniedException"),
        ("NoSuchBucket", "InternalServerException"),
    ],
)
def test_faults_of_engines_are_told_in_the_models_terms(
    service: Service, monkeypatch: pytest.MonkeyPatch, code: str, told: str
) -> None:
    def faulty(*_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "Query")

    monkeypatch.setitem(api.OPERATIONS, "ListDatasets", faulty)  # type: ignore[arg-type]
    status, name, _ = error(send(service, "{}"))
    assert (status, name) == (500 if told == "InternalServerException" else 400, told)


def test_every_error_is_one_of_the_models(service: Service) -> None:
    modelled = {shape.name for shape in service.api.meta.service_model.error_shapes}
    codes = {kind.code for kind in ApiError.__subclasses__()}
    assert codes - modelled == {"UnknownOperationException"}, "which no SDK can cause"


def test_the_model_is_the_one_beside_the_functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packaged = tmp_path / "lookoutequipment" / "2020-12-15"
    packaged.mkdir(parents=True)
    document = {"metadata": {"targetPrefix": "Packaged"}, "operations": {}, "shapes": {}}
    (packaged / "service-2.json").write_text(json.dumps(document))
    monkeypatch.setattr(service_model, "_DATA", tmp_path)
    assert service_model.service_model.__wrapped__().metadata["targetPrefix"] == "Packaged"


def test_the_handler_reads_its_environment(
    aws: EmbeddedAws, proxy: ProxyServer, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**variables, **CREDENTIALS, "AWS_ENDPOINT_URL": aws.endpoint}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(api, "current_context", api.current_context.__wrapped__)
    proxy.responders["handler"] = lambda event: api.handler(event, None)
    client = client_of(proxy.url("handler"))
    client.create_dataset(DatasetName="pump")
    assert client.describe_dataset(DatasetName="pump")["Status"] == "CREATED"


def test_the_api_function_loads_no_numeric_library() -> None:
    program = "import sys, service.api; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(LAMBDAS)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(run.stdout.split())
    assert "service" in loaded
    assert loaded.isdisjoint({"numpy", "pyarrow", "pandas", "engine", "custom_resources", "aws_cdk"})
