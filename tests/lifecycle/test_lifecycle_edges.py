"""The thin edges: the client, the records table, reasons and the entry points."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from custom_resources import errors
from custom_resources.client import create_client, endpoint
from custom_resources.errors import (
    REASON_BYTES,
    BrokenError,
    CallError,
    ClosedError,
    ConflictError,
    DeniedError,
    FailedError,
    NotFoundError,
    QuotaError,
    RefusedError,
    UnavailableError,
    UntrustingError,
    call_error,
)
from custom_resources.records import DynamoRecords, RecordTable, claim, finish
from custom_resources.request import BEGUN, PhysicalId, Request
from tests.embedded import SESSION, embedded_aws
from tests.lifecycle.world import Wire, World

DEPLOYED = {
    "L4E_API_ID": "abc",
    "L4E_API_STAGE": "v1",
    "L4E_URL_SUFFIX": "amazonaws.com.cn",
    "AWS_REGION": "cn-north-1",
}


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        (DEPLOYED, "https://abc.execute-api.cn-north-1.amazonaws.com.cn/v1"),
        (
            DEPLOYED | {"AWS_ENDPOINT_URL": "https://127.0.0.1:4566/"},
            "https://127.0.0.1:4566/restapis/abc/v1/_user_request_",
        ),
        ({"AWS_REGION": "us-east-1"}, None),
    ],
)
def test_the_endpoint_follows_the_environment(environment: dict[str, str], url: str | None) -> None:
    assert endpoint(environment) == url


def test_the_client_takes_the_model_and_the_signing_name_that_lie_next_to_it(
    tmp_path: Path, wire: Wire
) -> None:
    loader = botocore.session.get_session().get_component("data_loader")
    model = json.loads(json.dumps(loader.load_service_model("lookoutequipment", "service-2")))
    model["metadata"]["serviceFullName"] = "the copy"
    for directory, name, content in (
        ("botocore_data", "service-2.json", model),
        (
            "botocore_extras",
            "service-2.sdk-extras.json",
            {"version": 1.0, "merge": {"metadata": {"signingName": "x"}}},
        ),
    ):
        place = tmp_path / directory / "lookoutequipment" / "2020-12-15"
        place.mkdir(parents=True)
        (place / name).write_text(json.dumps(content))
    metadata = create_client(DEPLOYED, tmp_path).meta.service_model.metadata
    assert metadata["serviceFullName"] == "the copy"
    assert metadata["signingName"] == "x"
    bare = create_client(DEPLOYED, tmp_path / "bare").meta.service_model
    assert bare.metadata.get("signingName") is None


@pytest.mark.parametrize(
    ("code", "status", "text", "kind"),
    [
        ("ThrottlingException", 400, "", UnavailableError),
        ("Anything", 503, "", BrokenError),
        ("InternalServerException", 500, "", BrokenError),
        ("ServiceUnavailableException", 400, "", UnavailableError),
        ("LimitExceededException", 429, "Too Many Requests", UnavailableError),
        ("AccessDeniedException", 400, "", DeniedError),
        ("MissingAuthenticationTokenException", 403, "", DeniedError),
        ("ValidationException", 400, "The role cannot be assumed by the service", UntrustingError),
        ("ValidationException", 400, "cannot list 's3://a/b' with role 'r': AccessDenied: no", ClosedError),
        (
            "ValidationException",
            400,
            "outside the path, and the service may assume no other role",
            RefusedError,
        ),
        ("ResourceNotFoundException", 400, "", NotFoundError),
        ("ConflictException", 400, "", ConflictError),
        ("ServiceQuotaExceededException", 400, "", QuotaError),
        ("Unheard", 400, "", RefusedError),
    ],
)
def test_errors_are_sorted_by_what_they_mean(
    code: str, status: int, text: str, kind: type[CallError]
) -> None:
    response: Any = {"Error": {"Code": code, "Message": text}, "ResponseMetadata": {"HTTPStatusCode": status}}
    error = call_error("DescribeModel", ClientError(response, "DescribeModel"))
    assert type(error) is kind
    assert error.next_step


def test_no_connection_may_pass() -> None:
    error = call_error("DescribeModel", EndpointConnectionError(endpoint_url="https://api"))
    assert type(error) is UnavailableError


@given(st.text(max_size=6000))
def test_a_reason_fits_whatever_it_says(text: str) -> None:
    reason = errors.reason(f"dataset 'x': {text}. Deploy again.")
    assert len(json.dumps(reason, ensure_ascii=False).encode("utf-8", "replace")) <= REASON_BYTES
    assert reason.startswith("dataset 'x'")


def test_a_reason_keeps_its_end() -> None:
    assert str(FailedError("x" * 5000 + ". Change the name, then deploy again.")).endswith(
        "then deploy again."
    )


@pytest.mark.parametrize(
    "text",
    ["", "request-1", "l4e/v2/dataset/a", "l4e/v1/dataset/a b", "l4e/v1/dataset/a/b", "l4e/v1/dataset/a\n"],
)
def test_foreign_ids_are_not_ours(text: str) -> None:
    assert PhysicalId.parse(text) is None


def test_long_owners_stay_different_and_fit_a_tag() -> None:
    owners = {_request("Create", "r", logical="L" * 250 + end).owner for end in "ab"}
    assert len(owners) == 2
    assert all(len(owner) <= 256 for owner in owners)


def _request(
    type_: str, request_id: str, *, logical: str = "Thing", physical_id: str | None = None
) -> Request:
    return Request.parse(
        {
            "RequestType": type_,
            "ResourceType": "Custom::LookoutEquipmentDataset",
            "StackId": "arn:aws:cloudformation:us-east-1:1:stack/s/1",
            "LogicalResourceId": logical,
            "RequestId": request_id,
            BEGUN: 1.0,
            **({"PhysicalResourceId": physical_id} if physical_id else {}),
        }
    )


@pytest.fixture(scope="module")
def dynamo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], DynamoRecords]]:
    """Makes the records of a table by its name; "records" exists."""
    with embedded_aws(tmp_path_factory.mktemp("records")) as aws:
        aws.client("dynamodb").create_table(
            TableName="records",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        resource = SESSION.resource(
            "dynamodb",
            endpoint_url=aws.endpoint,
            region_name="eu-west-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        yield lambda name: DynamoRecords(resource.Table(name))


def test_the_table_keeps_versions(dynamo: Callable[[str], DynamoRecords], wire: Wire) -> None:
    for table in (dynamo("records"), World(wire, short=True).records):
        _keeps_versions(table)


def _keeps_versions(table: RecordTable) -> None:
    assert table.read("a") is None
    assert table.write("a", {"n": 1.5}, version=0, expires_at=None)
    assert not table.write("a", {"n": 2}, version=0, expires_at=None)
    assert table.read("a") == ({"n": 1.5}, 1)
    assert table.write("a", {"n": 2}, version=1, expires_at=2_000_000_000)
    assert not table.write("a", {"n": 3}, version=1, expires_at=None)
    assert table.read("a") == ({"n": 2}, 2)
    table.remove("a")
    table.remove("a")
    assert table.read("a") is None


def test_claims_work_on_the_table(dynamo: Callable[[str], DynamoRecords]) -> None:
    table, wanted = dynamo("records"), PhysicalId(kind="dataset", name="a")
    create = _request("Create", "c")
    assert claim(table, create, wanted, 10).successor is None
    assert claim(table, create, wanted, 11).successor is None
    finish(table, create, 12)
    delete = _request("Delete", "d", physical_id=str(wanted))
    assert claim(table, delete, None, 13).successor is None
    stale = claim(table, create, wanted, 14)
    assert (stale.successor, stale.finished) == ("Delete", True)
    assert claim(table, create, wanted, 13 + 3601).successor is None


def test_claims_of_a_later_release_are_read(dynamo: Callable[[str], DynamoRecords]) -> None:
    """The service can go back to an earlier release while requests are on their way."""
    table, wanted = dynamo("records"), PhysicalId(kind="dataset", name="a")
    create = _request("Create", "c", logical="Later")
    delete = _request("Delete", "d", logical="Later", physical_id=str(wanted))
    claim(table, create, wanted, 10)
    key = f"claim/{create.owner}"
    stored = table.read(key)
    assert stored is not None
    table.write(key, {**stored[0], "mood": "fine"}, version=stored[1], expires_at=None)
    assert claim(table, delete, None, 13).successor is None
    assert claim(table, create, wanted, 14).successor == "Delete"


def test_a_missing_table_is_not_a_missing_resource(dynamo: Callable[[str], DynamoRecords]) -> None:
    table = dynamo("nowhere")
    with pytest.raises(RefusedError, match="dynamodb:GetItem answered ResourceNotFoundException"):
        table.read("a")
