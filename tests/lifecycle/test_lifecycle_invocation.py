"""Custom resources where no network leads to the API: their functions invoke the API function."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from custom_resources.client import Equipment, create_client
from custom_resources.errors import (
    BrokenError,
    CallError,
    ConflictError,
    DeniedError,
    NotFoundError,
    UnavailableError,
)
from service.api import respond
from tests.embedded import ACCOUNT, REGION
from tests.lifecycle.cloudformation import Stack
from tests.lifecycle.test_lifecycle_service import ServiceWorld, names, template
from tests.lifecycle.world import Wire
from tests.service.api.conftest import Service

ENVIRONMENT = {
    "L4E_ACCOUNT": ACCOUNT,
    "L4E_API_FUNCTION": "api-function",
    "L4E_API_ID": "abc",
    "L4E_API_STAGE": "v1",
    "L4E_CALLER": f"arn:aws:sts::{ACCOUNT}:assumed-role/provider",
    "L4E_URL_SUFFIX": "amazonaws.com",
    "AWS_LAMBDA_FUNCTION_NAME": "on-event",
    "AWS_REGION": REGION,
}
Answer = Callable[[dict[str, Any]], Mapping[str, Any]]


class Lambda:
    """Lambda as the functions see it: a client whose one function is played by `answer`."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.invoked: list[str] = []
        self.events: list[dict[str, Any]] = []

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        event = json.loads(Payload)
        self.invoked.append(FunctionName)
        self.events.append(event)
        reply = dict(self._answer(event))
        error = {"FunctionError": reply.pop("FunctionError")} if "FunctionError" in reply else {}
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(reply).encode()), **error}


@pytest.fixture
def equipment(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], tuple[Equipment, Lambda]]:
    """Makes the client of the functions, with Lambda played."""

    def make(answer: Answer) -> tuple[Equipment, Lambda]:
        played, made = Lambda(answer), boto3.Session.client

        def client(session: boto3.Session, service: Any, **more: Any) -> Any:
            return played if service == "lambda" else made(session, service, **more)

        with monkeypatch.context() as patch:
            patch.setattr("boto3.Session.client", client)
            return Equipment(create_client(ENVIRONMENT)), played

    return make


def test_an_asset_lives_and_dies(
    wire: Wire, service: Service, equipment: Callable[[Answer], tuple[Equipment, Lambda]]
) -> None:
    invoking, played = equipment(lambda event: respond(event, service.context))
    world = ServiceWorld(wire, service)
    world.runner = replace(world.runner, equipment=invoking)
    stack = Stack(world, duplicates=True)

    assert stack.deploy(template()), stack.reasons
    assert stack.deploy(template(frequency="PT10M", state="STOPPED")), stack.reasons
    assert names(service) == {"pump-1"}
    assert stack.destroy(), stack.reasons
    stack.drain()
    assert names(service) == set()
    assert set(played.invoked) == {"api-function"}
    assert not [reason for reason in stack.reasons if "broke on" in reason]


def test_the_event_says_who_calls_and_holds_no_credentials(
    service: Service,
    equipment: Callable[[Answer], tuple[Equipment, Lambda]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    invoking, played = equipment(lambda event: respond(event, service.context))
    invoking.call("ListDatasets")

    [event] = played.events
    assert set(event["headers"]) == {"Content-Type", "User-Agent", "X-Amz-Target"}
    record = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert record["eventName"] == "ListDatasets"
    assert record["userIdentity"]["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/provider/on-event"
    assert record["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] == "provider"
    assert record["additionalEventData"]["path"] == "/v1"
    assert record["userAgent"].startswith("Boto3/")


def test_errors_of_the_service_mean_what_they_mean_over_http(
    service: Service, equipment: Callable[[Answer], tuple[Equipment, Lambda]]
) -> None:
    invoking, _ = equipment(lambda event: respond(event, service.context))
    with pytest.raises(NotFoundError):
        invoking.call("DescribeDataset", DatasetName="none")
    service.create_dataset("pump", ClientToken="first")
    with pytest.raises(ConflictError):
        invoking.call("CreateDataset", DatasetName="pump", ClientToken="second")


def of_lambda(code: str, status: int) -> Answer:
    def answer(_event: dict[str, Any]) -> Mapping[str, Any]:
        response: Any = {
            "Error": {"Code": code, "Message": "of Lambda"},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }
        raise ClientError(response, "Invoke")

    return answer


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (of_lambda("AccessDeniedException", 403), DeniedError),
        (of_lambda("TooManyRequestsException", 429), UnavailableError),
        (of_lambda("ServiceException", 500), BrokenError),
        # A function that is gone is no dataset that is gone: its deletion has not succeeded.
        (of_lambda("ResourceNotFoundException", 404), BrokenError),
        (of_lambda("ResourceConflictException", 409), BrokenError),
        (
            lambda _: {"FunctionError": "Unhandled", "errorMessage": "Task timed out"},
            BrokenError,
        ),
    ],
    ids=["no right", "throttled", "fault", "function gone", "function pending", "function failed"],
)
def test_errors_of_lambda_are_not_taken_for_those_of_the_service(
    answer: Answer,
    kind: type[CallError],
    equipment: Callable[[Answer], tuple[Equipment, Lambda]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)  # between the attempts
    invoking, played = equipment(answer)
    with pytest.raises(CallError) as raised:
        invoking.call("DescribeDataset", DatasetName="pump")

    assert type(raised.value) is kind
    assert len(played.invoked) == (1 if kind is DeniedError else 4)
    assert "of Lambda" in str(raised.value) or "Task timed out" in str(raised.value)


def test_a_code_of_lambda_that_passed_through_would_be_noticed(
    equipment: Callable[[Answer], tuple[Equipment, Lambda]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted bug: then a deletion would succeed because the API function is gone."""
    monkeypatch.setattr("custom_resources.invocation._STATUS_OF_LAMBDA", frozenset(range(400, 600)))
    invoking, _ = equipment(of_lambda("ResourceNotFoundException", 404))
    with pytest.raises(NotFoundError):
        invoking.call("DescribeDataset", DatasetName="pump")
