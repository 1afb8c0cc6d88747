"""One closed world per test: handlers, service, records and clock, with a gate where anything can go wrong.

The handlers run exactly as deployed except for what lies behind the gate. Calls to the service are made by
the real boto3 client; only the HTTP exchange is answered here.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import BotoCoreError, ConnectionClosedError, ReadTimeoutError
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from custom_resources.client import Equipment, create_client
from custom_resources.errors import call_error
from custom_resources.handler import RESOURCES
from custom_resources.properties import S3Object
from custom_resources.request import OWNER_TAG, REQUEST_TAG, Request
from custom_resources.runner import Runner
from tests.lifecycle.fake_service import ApiError, FakeService

START = 1_700_000_000.0
SCHEMAS = {
    "schema-1": '{"Components": [{"ComponentName": "pump"}]}',
    "schema-2": '{"Components": []}',
    "broken": "{",
}


class Killed(BaseException):
    """The function is gone in the middle of its work: out of memory, or out of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong at one call. `after`: the call takes effect first."""

    name: str
    error: Callable[[], BaseException]
    after: bool = False


def _answer(code: str, message: str = "go away", status: int = 400) -> Callable[[], BaseException]:
    return lambda: ApiError(code, message, status)


THROTTLED = Fault(name="throttled", error=_answer("ThrottlingException"))
BROKEN = Fault(name="broken", error=_answer("InternalServerException", status=500))
UNREACHABLE = Fault(
    name="reset", error=lambda: ConnectionClosedError(endpoint_url="https://api.example/canary")
)
LOST_ANSWER = Fault(
    name="timeout after effect",
    error=lambda: ReadTimeoutError(endpoint_url="https://api.example/canary"),
    after=True,
)
DENIED = Fault(name="denied", error=_answer("AccessDeniedException", "not authorized", 403))
TRANSIENT = (THROTTLED, BROKEN, UNREACHABLE, LOST_ANSWER)
KILLED = Fault(name="killed", error=Killed)
KILLED_AFTER = Fault(name="killed after effect", error=Killed, after=True)
REFUSED = Fault(
    name="refused",
    error=_answer("ValidationException", "ClientToken=canary at https://x.example/?X-Amz-Signature=canary"),
)
FATAL = (KILLED, KILLED_AFTER, REFUSED)


def copied(value: Any) -> Any:
    """Return a copy of what travels as JSON; `deepcopy` takes five times as long, thousands of times."""
    return json.loads(json.dumps(value))


class Wire:
    """The real boto3 client with the HTTP exchange taken out. One client serves all worlds, one at a time."""

    def __init__(self) -> None:
        environment = {
            "L4E_API_ID": "api",
            "L4E_API_STAGE": "v1",
            "L4E_URL_SUFFIX": "amazonaws.com",
            "AWS_REGION": "us-east-1",
        }
        self.client = create_client(environment)
        # The stubs say that hooks return nothing; botocore takes the answer of this one.
        hook: Any = self._send
        self.client.meta.events.register("before-send.lookoutequipment", hook)
        self.world: World | None = None
        self.short = ShortWire(self)

    def _send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        assert self.world is not None
        operation = _text(request.headers["X-Amz-Target"]).rpartition(".")[2]
        assert isinstance(request.body, bytes | str)
        parameters = json.loads(request.body)
        status, body = 200, {}
        try:
            invocation = _text(request.headers["amz-sdk-invocation-id"])
            body = self.world.serve(operation, parameters, invocation)
        except ApiError as error:
            status = error.status
            body = {"__type": f"com.amazonaws.thorbrain#{error.code}", "Message": error.message}
        return AWSResponse(request.url, status, HTTPHeaders(), _Body(json.dumps(body).encode()))


class ShortWire(Equipment):
    """boto3's validation, serialisation and parsing without its signing and its HTTP: for the long tables."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire.client)
        self._wire = wire
        protocol = self.model.metadata["protocol"]
        self._serializer = create_serializer(protocol)
        self._parser = create_parser(protocol)
        self._invocations = count()

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call `operation`; raises a `CallError`."""
        assert self._wire.world is not None
        model = self.model.operation_model(operation)
        try:
            request = self._serializer.serialize_to_request(parameters, model)
            body = self._wire.world.serve(
                operation, json.loads(request["body"]), f"short-{next(self._invocations)}"
            )
        except ApiError as error:
            raise call_error(operation, error.from_boto3(operation)) from error
        except BotoCoreError as error:
            raise call_error(operation, error) from error
        answer = {"body": json.dumps(body).encode(), "headers": {}, "status_code": 200}
        shape: Any = model.output_shape  # the stubs do not know that it can be None
        parsed: dict[str, Any] = self._parser.parse(answer, shape)
        return parsed


@dataclass(frozen=True)
class _Body:
    content: bytes

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.content


def _text(header: str | bytes) -> str:
    return header.decode() if isinstance(header, bytes) else header


class MemoryRecords:
    """The records table, behind the gate."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.items: dict[str, tuple[str, int, int | None]] = {}

    def read(self, key: str) -> tuple[Mapping[str, Any], int] | None:
        """The document and its version, or None."""
        with self._world.gate("records:read"):
            item = self.items.get(key)
            return (json.loads(item[0]), item[1]) if item else None

    def write(self, key: str, value: Mapping[str, Any], *, version: int, expires_at: int | None) -> bool:
        """Conditional on the version."""
        with self._world.gate("records:write"):
            item = self.items.get(key)
            if (item[1] if item else 0) != version:
                return False
            self.items[key] = (json.dumps(value), version + 1, expires_at)
            return True

    def remove(self, key: str) -> None:
        """Forget."""
        with self._world.gate("records:remove"):
            self.items.pop(key, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of the service, and the event on whose behalf it was made."""

    operation: str
    parameters: Mapping[str, Any]
    event: Mapping[str, Any] | None
    target_tags: Mapping[str, str]
    job_id: str | None


class World:
    """Everything of one test. `faults` and `hooks` are keyed by the index of the call they hit."""

    def __init__(self, wire: Wire, *, short: bool) -> None:
        self._wire = wire
        self.now = START
        self.service = FakeService(wire.client.meta.service_model, lambda: self.now)
        self.records = MemoryRecords(self)
        self.runner = Runner(
            resources=RESOURCES,
            equipment=wire.short if short else Equipment(wire.client),
            records=self.records,
            read_object=self._read_object,
            clock=lambda: self.now,
        )
        self.calls: list[str] = []
        self.changes: list[Change] = []
        self.events: list[Mapping[str, Any]] = []
        self.label_makers: dict[str, str] = {}  # owners by the ids of the labels that they made
        self.faults: dict[int, Fault] = {}
        self.weather: Callable[[], Fault | None] = lambda: None
        self.hooks: dict[tuple[int, str], Callable[[], object]] = {}
        self.hit: list[str] = []
        self.violations: list[str] = []
        self._invocations: dict[str, int] = {}
        self._broken: dict[int, Fault] = {}

    def enter(self) -> None:
        """Let the client answer from this world."""
        self._wire.world = self

    def arm(self, index: int, fault: Fault) -> None:
        """Let the `index`-th call from now on go wrong."""
        self.faults[len(self.calls) + index] = fault

    def interrupt(self, index: int, moment: str, action: Callable[[], object]) -> None:
        """Run `action` "before" or "after" the `index`-th call from now on takes effect."""
        self.hooks[len(self.calls) + index, moment] = action

    def serve(self, operation: str, parameters: Mapping[str, Any], invocation: str) -> dict[str, Any]:
        """One HTTP attempt; retries of boto3 share the `invocation`, and its fault."""
        index = self._invocations.get(invocation)
        if index is None:
            index = self._invocations[invocation] = self._count(operation)
        tags = self._tags(operation, parameters)
        with self._trouble(index, operation):
            answer = copied(self.service.call(operation, parameters))
            if not operation.startswith(("Describe", "List")):
                event = self.events[-1] if self.events else None
                if event and operation == "CreateLabel":
                    self.label_makers[answer["LabelId"]] = f"{event['StackId']}/{event['LogicalResourceId']}"
                if operation == "CreateRetrainingScheduler" and event:
                    self._mark(parameters["ModelName"], Request.parse(event))
                self.changes.append(
                    Change(
                        operation=operation,
                        parameters=parameters,
                        event=event,
                        target_tags=tags,
                        job_id=answer.get("JobId"),
                    )
                )
        return answer

    @contextmanager
    def gate(self, name: str) -> Iterator[None]:
        """A call that is not HTTP: the same faults, as the exceptions that boto3 would raise."""
        index = self._count(name)
        try:
            with self._trouble(index, name):
                yield
        except ApiError as error:
            raise call_error(name, error.from_boto3(name)) from error
        except (ConnectionClosedError, ReadTimeoutError) as error:
            raise call_error(name, error) from error

    def snapshot(self) -> dict[str, Any]:
        """The state of the service, comparable."""
        self.service.settle()
        things = {arn: (thing.record, thing.tags) for arn, thing in self.service.everything().items()}
        jobs = {key: job.record for key, job in self.service.jobs.items()}
        return copied({"things": things, "jobs": jobs, "labels": self.service.labels})

    def _count(self, name: str) -> int:
        self.calls.append(name)
        return len(self.calls) - 1

    @contextmanager
    def _trouble(self, index: int, name: str) -> Iterator[None]:
        fault = self._broken.get(index) or self.faults.pop(index, None) or self.weather()
        if fault:
            self._broken[index] = fault
            self.hit.append(f"{fault.name} at {name}")
        self._run_hook(index, "before")
        if fault and not fault.after:
            raise fault.error()
        yield
        self._run_hook(index, "after")
        if fault:
            raise fault.error()

    def _run_hook(self, index: int, moment: str) -> None:
        action = self.hooks.pop((index, moment), None)
        if action:
            action()

    def _mark(self, model: str, request: Request) -> None:
        """Note who made a retraining scheduler, which has no tags: nobody but the tests reads this."""
        thing = self.service.retrainings[model]
        thing.tags.setdefault(OWNER_TAG, request.owner)
        thing.tags.setdefault(REQUEST_TAG, request.request_id)

    def _tags(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, str]:
        if not operation.startswith("Delete") or operation == "DeleteLabel":
            return {}
        (name,) = parameters.values()
        if operation == "DeleteResourcePolicy":
            word, of, _ = name.split(":", 5)[5].split("/")
            thing = self.service.policies.get(f"{word}-policy/{of}")
            return dict(thing.tags) if thing else {}
        kinds = {
            "DeleteDataset": self.service.datasets,
            "DeleteModel": self.service.models,
            "DeleteLabelGroup": self.service.label_groups,
            "DeleteRetrainingScheduler": self.service.retrainings,
        }
        thing = kinds.get(operation, self.service.schedulers).get(name)
        return dict(thing.tags) if thing else {}

    def _read_object(self, location: S3Object) -> str:
        with self.gate("s3:GetObject"):
            if location.key not in SCHEMAS:
                raise ApiError("NoSuchKey", "The specified key does not exist.", 404)
            return SCHEMAS[location.key]
