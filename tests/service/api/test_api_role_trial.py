"""The role of a scheduler is tried before it is accepted, by the function that will use it."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from service.errors import ValidationError
from service.schedulers.access_trial import require_access
from tests.service.api.conftest import INPUT, OUTPUT, ROLE, Service

ARN = "arn:aws:lookoutequipment:eu-west-1:000000000000:inference-scheduler/watch/1"
SCHEDULER = {
    "InferenceSchedulerArn": ARN,
    "RoleArn": ROLE,
    "DataInputConfiguration": INPUT,
    "DataOutputConfiguration": OUTPUT,
    "tags": {"not": "sent"},
}


@dataclass
class Function:
    """The inference function, which answers as told and keeps what it was asked."""

    answer: Callable[[], Mapping[str, Any]]
    asked: dict[str, Any] | None = None

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Mapping[str, Any]:  # noqa: N803  the API's names
        self.asked = {"FunctionName": FunctionName, **json.loads(Payload)}
        return self.answer()


def answering(**members: Any) -> Function:
    payload = json.dumps(members).encode()
    failed = {"FunctionError": "Unhandled"} if "errorMessage" in members else {}
    return Function(lambda: {"Payload": io.BytesIO(payload), **failed})


def raising(error: Exception) -> Function:
    def answer() -> Mapping[str, Any]:
        raise error

    return Function(answer)


def tried(service: Service, function: Function) -> None:
    clients = {"lambda": function}
    context = replace(service.context, client=lambda name: clients.get(name) or service.context.client(name))
    require_access(context, SCHEDULER)


def test_the_function_is_asked_what_it_will_do(service: Service) -> None:
    function = answering(Refusal=None)
    tried(service, function)
    asked = {name: value for name, value in SCHEDULER.items() if name != "tags"}
    name = service.context.environment.infer_function
    assert function.asked == {"FunctionName": name, "Step": "try-access", **asked}


def test_a_refusal_is_the_answer(service: Service) -> None:
    with pytest.raises(ValidationError, match="does not give the access it needs: no bucket"):
        tried(service, answering(Refusal="no bucket"))


@pytest.mark.parametrize(
    "function",
    [
        answering(errorMessage="a bug", errorType="KeyError"),
        raising(ReadTimeoutError(endpoint_url="https://lambda")),
        raising(ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "Invoke")),
    ],
    ids=["bug", "time", "missing"],
)
def test_a_trial_that_cannot_be_made_refuses_nothing(
    service: Service, function: Function, caplog: pytest.LogCaptureFixture
) -> None:
    tried(service, function)
    assert f"the role '{ROLE}' could not be tried" in caplog.text


def test_a_throttled_trial_is_told(service: Service) -> None:
    throttled = ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke")
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        tried(service, raising(throttled))


def test_creations_and_changes_of_places_are_tried(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    service.trained_model()
    asked: list[str] = []

    def refuse(_: object, scheduler: Mapping[str, Any]) -> None:
        asked.append(scheduler["DataOutputConfiguration"]["S3OutputConfiguration"]["Bucket"])
        if asked[-1] == "closed":
            raise ValidationError("closed")

    monkeypatch.setattr("service.operations.schedulers.require_access", refuse)
    closed = {"S3OutputConfiguration": {"Bucket": "closed"}}
    invalid = service.api.exceptions.ValidationException
    with pytest.raises(invalid, match="closed"):
        service.create_scheduler(DataOutputConfiguration=closed)
    assert service.api.list_inference_schedulers()["InferenceSchedulerSummaries"] == []
    service.create_scheduler()
    with pytest.raises(invalid, match="closed"):
        service.api.update_inference_scheduler(InferenceSchedulerName="watch", DataOutputConfiguration=closed)
    described = service.api.describe_inference_scheduler(InferenceSchedulerName="watch")
    assert described["DataOutputConfiguration"] == OUTPUT
    service.api.update_inference_scheduler(InferenceSchedulerName="watch", DataDelayOffsetInMinutes=3)
    assert asked == ["closed", "customer", "closed"], "a change of the delay accesses nothing new"
