"""The service in this process, behind an unmodified boto3 client and without any network.

Its engines are those of `tests.service.memory`. A call takes about two milliseconds.
"""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.awsrequest import AWSResponse

from service.api import respond
from service.context import Context
from service.settings import Environment
from tests.embedded import ACCOUNT, REGION
from tests.service.api.conftest import Service, client_of
from tests.service.memory import client, in_memory, refused

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1b4e28ba-2fa1-41d2-883f-0016d3cca427"
VARIABLES = {
    "L4E_ACCOUNT": ACCOUNT,
    "L4E_TABLE": "service",
    "L4E_BUCKET": "service",
    "L4E_METRIC_NAMESPACE": "LookoutEquipment",
    "L4E_INGEST_STATE_MACHINE": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:ingest",
    "L4E_TRAIN_STATE_MACHINE": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:train",
    "L4E_INFER_FUNCTION": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:infer",
    "L4E_RETRAINING_FUNCTION": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:reconcile",
    "L4E_RETRAINING_SCHEDULE_ROLE": f"arn:aws:iam::{ACCOUNT}:role/retraining-schedule",
    "L4E_SCHEDULE_GROUP": "inference",
    "L4E_SCHEDULE_ROLE": f"arn:aws:iam::{ACCOUNT}:role/schedule",
}


@dataclass
class Keys:
    """Customer managed keys of KMS by their ARNs: one that fits, unless others are given."""

    states: dict[str, str] = field(default_factory=lambda: {KEY: "Enabled"})
    exceptions: Any = field(default_factory=lambda: client("kms").exceptions)

    def describe_key(self, *, KeyId: str) -> dict[str, Any]:  # noqa: N803  AWS's name
        """Return a key."""
        if KeyId not in self.states:
            raise refused("DescribeKey", "NotFoundException", f"Key '{KeyId}' does not exist")
        kind = {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "KeyManager": "CUSTOMER"}
        return {"KeyMetadata": {**kind, "Arn": KeyId, "KeyState": self.states[KeyId]}}


@dataclass
class Functions:
    """The inference function, which finds that roles give the access that they need."""

    refusal: str | None = None

    def invoke(self, **_: Any) -> dict[str, Any]:
        """Return what the trial of a role found."""
        return {"Payload": io.BytesIO(json.dumps({"Refusal": self.refusal}).encode())}


def others() -> Callable[[str], Any]:
    """Return the clients of the services that are not in `tests.service.memory`."""
    made: dict[str, Any] = {"kms": Keys(), "lambda": Functions()}
    return lambda service: made[service]


def in_process(
    environment: Environment | None = None,
    clients: Callable[[str], Any] | None = None,
    clock: Callable[[], datetime] = lambda: NOON,
    **settings: Any,
) -> Service:
    """Return a service of its own with a client that retries nothing.

    Args:
        environment: that of the API function. Default: one with the `settings`.
        clients: the engines. Default: empty ones.
        clock: the time. Default: noon of a day.
        settings: those of the deployment.
    """
    environment = environment or Environment.read({**VARIABLES, "L4E_SETTINGS": json.dumps(settings)})
    context = Context.create(environment, clients or in_memory(others()), clock)
    api = client_of("http://in-process", retries={"total_max_attempts": 1})

    def answered(request: Any, **_: Any) -> AWSResponse:
        headers = {name: _text(value) for name, value in request.headers.items()}
        reply = respond({"headers": headers, "body": _text(request.body)}, context)
        return AWSResponse(request.url, reply["statusCode"], reply["headers"], _Raw(reply["body"].encode()))

    api.meta.events.register("before-send.lookoutequipment", answered)
    return Service(context=context, api=api, url="http://in-process")


class _Raw:
    """The body of a reply as urllib3 has it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        yield self._body

    def read(self, *_: object, **__: object) -> bytes:
        return self._body


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()
