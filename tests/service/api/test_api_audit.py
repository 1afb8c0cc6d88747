"""The audit record: one line a call with CloudTrail's fields, failed and refused calls too, no data."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service import api
from service.errors import DeniedError
from service.requests.caller import Caller
from tests.embedded import ACCOUNT, REGION
from tests.service.api.conftest import SCHEMA, Deploy, Service

DOCS = Path(__file__).parents[3] / "docs" / "audit.md"
ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/Operators/anna"
IDENTITY = {
    "userArn": ARN,
    "accountId": ACCOUNT,
    "caller": "AROAEXAMPLE:anna",
    "accessKey": "ASIAEXAMPLE",
    "sourceIp": "192.0.2.7",
    "userAgent": "Boto3/1.43",
}


class Calls:
    """Calls of a service and the records that they leave."""

    def __init__(self, service: Service, capsys: pytest.CaptureFixture[str]) -> None:
        self._service, self._capsys = service, capsys

    def __call__(
        self, operation: str, body: Any, identity: dict[str, str] | None = IDENTITY
    ) -> dict[str, Any]:
        """The record of one call."""
        self._capsys.readouterr()
        api.respond(
            {
                "headers": {"X-Amz-Target": f"AWSLookoutEquipmentFrontendService.{operation}"},
                "body": body if isinstance(body, str) else json.dumps(body),
                "requestContext": {"requestId": "r-1", "identity": identity, "path": "/v1"},
            },
            self._service.context,
        )
        (line,) = self._capsys.readouterr().out.splitlines()
        record: dict[str, Any] = json.loads(line)
        return record


@pytest.fixture
def calls(deploy: Deploy, capsys: pytest.CaptureFixture[str]) -> Calls:
    return Calls(deploy(clock=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)), capsys)


def test_a_call_that_changes_something(calls: Calls) -> None:
    record = calls(
        "CreateDataset",
        {
            "DatasetName": "pump",
            "ClientToken": "t",
            "Tags": [{"Key": "Team", "Value": "north"}],
            "DatasetSchema": {"InlineDataSchema": json.dumps(SCHEMA)},
        },
    )
    arn = record["responseElements"]["datasetArn"]
    assert re.fullmatch(r"[0-9a-f-]{36}", record.pop("eventID"))
    more = record.pop("additionalEventData")
    assert more.pop("milliseconds") >= 0
    assert more == {"path": "/v1", "httpStatus": 200}
    assert record == {
        "eventVersion": "1.08",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:anna",
            "arn": ARN,
            "accountId": ACCOUNT,
            "accessKeyId": "ASIAEXAMPLE",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": "AROAEXAMPLE",
                    "accountId": ACCOUNT,
                    "userName": "Operators",
                }
            },
        },
        "eventTime": "2026-01-02T03:04:05Z",
        "eventSource": "lookoutequipment.amazonaws.com",
        "eventName": "CreateDataset",
        "awsRegion": REGION,
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "Boto3/1.43",
        "requestParameters": {
            "datasetName": "pump",
            "clientToken": "t",
            "tags": [{"key": "Team", "value": "north"}],
            "datasetSchema": {"inlineDataSchema": "HIDDEN_DUE_TO_SECURITY_REASONS"},
        },
        "responseElements": {"datasetName": "pump", "datasetArn": arn, "status": "CREATED"},
        "requestID": "r-1",
        "readOnly": False,
        "resources": [{"ARN": arn, "accountId": ACCOUNT, "type": "AWS::LookoutEquipment::Dataset"}],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    }


def test_a_call_that_reads_shows_no_reply(calls: Calls) -> None:
    calls("CreateDataset", {"DatasetName": "pump", "ClientToken": "t"})
    record = calls("DescribeDataset", {"DatasetName": "pump"})
    assert record["readOnly"] is True
    assert record["requestParameters"] == {"datasetName": "pump"}
    assert record["responseElements"] is None
    assert [one["type"] for one in record["resources"]] == ["AWS::LookoutEquipment::Dataset"]
    assert "errorCode" not in record


def test_a_call_without_parameters(calls: Calls) -> None:
    assert calls("ListDatasets", "")["requestParameters"] is None


@pytest.mark.parametrize(
    ("operation", "body", "code", "parameters"),
    [
        (
            "DescribeDataset",
            {"DatasetName": "none"},
            "ResourceNotFoundException",
            {"datasetName": "none"},
        ),
        ("DescribeDataset", {"DatasetName": "a b"}, "ValidationException", None),
        ("DescribeDataset", "{", "ValidationException", None),
        ("CreateLabel", {"LabelGroupName": "g", "LabelId": "0"}, "ValidationException", ...),
        ("Nothing", {}, "UnknownOperationException", None),
        ("ListDatasets", {"NextToken": "forged"}, "ValidationException", ...),
    ],
)
def test_a_call_that_failed(calls: Calls, operation: str, body: Any, code: str, parameters: Any) -> None:
    record = calls(operation, body)
    assert record["eventName"] == operation
    assert record["errorCode"] == code
    assert record["errorMessage"]
    assert record["additionalEventData"]["httpStatus"] == (404 if operation == "Nothing" else 400)
    if parameters is not ...:
        assert record["requestParameters"] == parameters


def test_a_call_that_was_refused(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> Any:
        raise DeniedError("not this caller")

    monkeypatch.setitem(api.OPERATIONS, "DeleteModel", refused)  # type: ignore[arg-type]
    record = calls("DeleteModel", {"ModelName": "wear"})
    assert (record["errorCode"], record["errorMessage"]) == ("AccessDeniedException", "not this caller")
    assert (record["readOnly"], record["requestParameters"]) == (False, {"modelName": "wear"})


def test_a_fault_of_the_service(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(*_: object) -> Any:
        raise KeyError("secret")

    monkeypatch.setitem(api.OPERATIONS, "ListModels", faulty)  # type: ignore[arg-type]
    record = calls("ListModels", {})
    assert record["errorCode"] == "InternalServerException"
    assert record["requestID"] in record["errorMessage"]
    assert "secret" not in json.dumps(record)


def test_what_continues_a_list_is_not_shown(calls: Calls) -> None:
    record = calls("ListDatasets", {"NextToken": "abc", "MaxResults": 3})
    assert record["requestParameters"] == {"nextToken": "HIDDEN_DUE_TO_SECURITY_REASONS", "maxResults": 3}


def test_times_are_numbers(calls: Calls) -> None:
    record = calls(
        "CreateModel",
        {
            "ModelName": "wear",
            "DatasetName": "pump",
            "ClientToken": "t",
            "TrainingDataStartTime": 1767225600.5,
            "TrainingDataEndTime": "2026-07-01",
        },
    )
    assert record["requestParameters"]["trainingDataStartTime"] == 1767225600.5


def test_parameters_too_large_for_a_record_are_left_out(calls: Calls) -> None:
    tags = [{"Key": f"k{number}", "Value": "\v" * 256} for number in range(200)]
    record = calls("TagResource", {"ResourceArn": "arn:aws:lookoutequipment:::dataset/pump/x", "Tags": tags})
    size = record["requestParameters"].pop("originalSize")
    assert record["requestParameters"] == {"omitted": True, "reason": "too large"}
    assert size > 200 * 256
    assert len(json.dumps(record)) < 10_000

    record = calls(
        "TagResource", {"ResourceArn": "arn:aws:lookoutequipment:::dataset/pump/x", "Tags": tags[:5]}
    )
    assert len(record["requestParameters"]["tags"]) == 5


@pytest.mark.parametrize(
    ("arn", "kind", "principal", "role"),
    [
        (ARN, "AssumedRole", ARN.removesuffix("/anna"), "Operators"),
        ("arn:aws:iam::1:user/plant/anna", "IAMUser", "arn:aws:iam::1:user/plant/anna", None),
        ("arn:aws:iam::1:root", "Root", "arn:aws:iam::1:root", None),
        ("arn:aws:sts::1:federated-user/anna", "FederatedUser", "arn:aws:sts::1:federated-user/anna", None),
        ("", "Unknown", "", None),
        ("anything/at/all", "Unknown", "anything/at/all", None),
    ],
)
def test_the_kinds_of_callers(arn: str, kind: str, principal: str, role: str | None) -> None:
    caller = Caller.of({"requestContext": {"identity": {"userArn": arn}}})
    assert (caller.kind, caller.principal, caller.role) == (kind, principal, role)


def test_a_caller_of_whom_nothing_is_known(calls: Calls) -> None:
    record = calls("ListDatasets", {}, identity=None)
    assert record["userIdentity"]["type"] == "Unknown"
    assert record["sourceIPAddress"] == ""


def test_a_call_through_a_vpc_endpoint(calls: Calls) -> None:
    record = calls("ListDatasets", {}, identity=IDENTITY | {"vpceId": "vpce-1"})
    assert record["vpcEndpointId"] == "vpce-1"
    assert "vpcEndpointId" not in calls("ListDatasets", {})


def test_the_documented_queries_ask_for_fields_of_the_record(calls: Calls) -> None:
    failed = calls("DeleteModel", {"ModelName": "none"})
    known = {*paths(failed), "@timestamp", "@message"}
    queries = re.findall(r"```(?:sql|text)\n(fields.*?)```", DOCS.read_text(), re.DOTALL)
    assert len(queries) >= 3
    for query in queries:
        words = re.sub(r'"[^"]*"|/[^/]*/', "", query)
        asked = set(re.findall(r"@?[a-z][A-Za-z0-9.]+", words)) - KEYWORDS
        assert asked
        assert asked <= known, query


KEYWORDS = {
    "fields",
    "filter",
    "sort",
    "stats",
    "limit",
    "count",
    "by",
    "and",
    "as",
    "calls",
    "desc",
    "asc",
} | {
    "not",
    "or",
    "like",
    "bin",
    "ispresent",
}


def paths(record: dict[str, Any], prefix: str = "") -> list[str]:
    """The names of the fields as CloudWatch Logs Insights has them."""
    found = []
    for name, value in record.items():
        found.append(prefix + name)
        if isinstance(value, dict):
            found += paths(value, f"{prefix}{name}.")
    return found
