"""AWS JSON 1.0 in a proxy event of API Gateway: which operation is called with what, and the reply."""

import base64
import binascii
import json
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from botocore.exceptions import ClientError
from botocore.model import OperationModel

from service.aws_errors import THROTTLING_CODES
from service.errors import (
    ApiError,
    DeniedError,
    InternalError,
    ThrottlingError,
    UnknownOperationError,
    ValidationError,
)
from service.requests.service_model import service_model
from service.requests.validation import parse, project

Call = Callable[[str, dict[str, Any]], Mapping[str, Any]]
"""Performs the operation of that name for a valid request, and returns the record for the reply."""

_NAMESPACE = "com.amazonaws.thorbrain#"
"""Prefix of error names that the managed service sent; some clients compare it literally."""

_CONTENT_TYPE = "application/x-amz-json-1.0"
_CONFLICTS = {"TransactionCanceledException", "TransactionConflictException"}
"""Codes by which the table says that other writes of the same records are under way."""

_DENIALS = ("AccessDenied", "KMS.", "KMSAccessDenied", "KMSInvalidState")
_LONGEST_MESSAGE = 5000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A call and its end, for the record of it."""

    request_id: str
    operation: str
    """As the caller named it: an operation of the API, or anything at all."""
    request: Mapping[str, Any] | None
    """The parsed request; None when it could not be parsed."""
    reply: Mapping[str, Any] | None
    """The reply, as far as the service model has members for it; None when the call failed."""
    error: ApiError | None
    milliseconds: int

    @property
    def status(self) -> int:
        """Status of the HTTP reply."""
        return 200 if self.error is None else self.error.status

    @property
    def message(self) -> str | None:
        """The `Message` of the error, None when the call succeeded."""
        return None if self.error is None else str(self.error)[:_LONGEST_MESSAGE]


def answer(event: Mapping[str, Any], call: Call, record: Callable[[Exchange], None]) -> dict[str, Any]:
    """Return the proxy reply to a proxy `event`. It always has the form of the API.

    Args:
        event: the event.
        call: performs the operation.
        record: told of the call when it has ended, well or not.
    """
    started = time.monotonic()
    request_id = (event.get("requestContext") or {}).get("requestId") or str(uuid.uuid4())
    target = _header(event, "x-amz-target")
    # Ties the id that the caller knows to the invocation: its other lines, and one that runs out of time.
    _log.info("request %s begins", request_id)
    request, reply, failure = None, None, None
    try:
        operation = _operation(target)
        request = _request(operation, event)
        reply = _reply_body(operation, call(operation.name, request))
    except Exception as error:  # noqa: BLE001  whatever went wrong, the caller gets an error of the API
        failure = reported(error, request_id)
    exchange = Exchange(
        request_id=request_id,
        operation=target.rpartition(".")[2],
        request=request,
        reply=reply,
        error=failure,
        milliseconds=round(1000 * (time.monotonic() - started)),
    )
    record(exchange)
    return proxy_reply(exchange)


def proxy_reply(exchange: Exchange) -> dict[str, Any]:
    """Return the proxy reply that reports the end of a call."""
    body = exchange.reply
    if exchange.error is not None:
        body = {"__type": f"{_NAMESPACE}{exchange.error.code}", "Message": exchange.message}
    return {
        "statusCode": exchange.status,
        "headers": {"Content-Type": _CONTENT_TYPE, "x-amzn-requestid": exchange.request_id},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def _operation(target: str) -> OperationModel:
    model = service_model()
    prefix, _, name = target.rpartition(".")
    if prefix != model.metadata["targetPrefix"] or name not in model.operation_names:
        raise UnknownOperationError(
            f"'{target[:200]}' is not an operation of this API: the header X-Amz-Target must read "
            f"{model.metadata['targetPrefix']}.<Operation>"
        )
    return model.operation_model(name)


def _header(event: Mapping[str, Any], name: str) -> str:
    headers: Mapping[str, str] = event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name), "")


def _request(operation: OperationModel, event: Mapping[str, Any]) -> dict[str, Any]:
    if operation.input_shape is None:
        return {}
    try:
        parsed: dict[str, Any] = parse(operation.input_shape, _request_body(event))
    except RecursionError as error:  # while it is read, or when a message quotes it
        raise ValidationError(
            "the request body is nested too deeply: send it as the service model describes the operation"
        ) from error
    return parsed


def _request_body(event: Mapping[str, Any]) -> Any:
    body = event.get("body") or "{}"
    try:
        if event.get("isBase64Encoded"):
            body = base64.b64decode(body, validate=True).decode()
        return json.loads(body, parse_float=Decimal)
    except (binascii.Error, ValueError, InvalidOperation) as error:
        raise ValidationError(f"the request body is not a JSON document in UTF-8: {error}") from error


def _reply_body(operation: OperationModel, record: Mapping[str, Any]) -> Any:
    return {} if operation.output_shape is None else project(operation.output_shape, record)


def reported(error: Exception, request_id: str) -> ApiError:
    """Return the error of the API that reports `error` to the caller."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, ClientError) and error.response["Error"]["Code"] in THROTTLING_CODES | _CONFLICTS:
        _log.warning("throttled: %s", error)
        return ThrottlingError("the service is receiving more requests than it can handle: try again later")
    if isinstance(error, ClientError) and error.response["Error"]["Code"].startswith(_DENIALS):
        _log.error("denied", exc_info=error)
        return DeniedError(
            f"the service may not use something it needs ({error.response['Error']['Code']} from "
            f"{error.operation_name}): is the KMS key of the resource enabled, and does its policy allow the "
            f"service's roles? More is in the log of the API function, request id {request_id}"
        )
    _log.error("request %s failed", request_id, exc_info=error)
    return InternalError(
        f"the service failed: try again, or look for request id {request_id} in the log of the API function"
    )
