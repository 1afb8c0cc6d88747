"""The path `import` of the API: what services of other accounts ask this one for, to import it.

API Gateway lets in the accounts that the service is importable by, on this path only, and says who they are.
Who of an account imports is what its service says; the resource policies decide about that principal.
"""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from service.context import Context
from service.errors import DeniedError, ValidationError
from service.requests.caller import Caller
from service.requests.wire import Exchange, proxy_reply, reported
from service.sharing.import_source import owner_of
from service.sharing.remote_source import SHARE_DATASET, SHARE_VERSION
from service.sharing.resource_policy import Principal
from service.sharing.shared import Shared

_OPERATIONS = {SHARE_DATASET: "ImportDataset", SHARE_VERSION: "ImportModelVersion"}
_MEMBERS = {SHARE_DATASET: "SourceDatasetArn", SHARE_VERSION: "SourceModelVersionArn"}
_VALID_SECONDS = 3600
"""Longer than a job runs."""


def share(
    event: Mapping[str, Any], context: Context, caller: Caller, record: Callable[[Exchange], None]
) -> dict[str, Any]:
    """Return the proxy reply to a request at the path.

    Args:
        event: the proxy event.
        context: the context of the service.
        caller: who API Gateway says sent it.
        record: told of the call when it has ended, well or not.
    """
    started = time.monotonic()
    request_id = (event.get("requestContext") or {}).get("requestId") or str(uuid.uuid4())
    asked: Mapping[str, Any] = {}
    reply, error = None, None
    try:
        asked = _asked(event)
        reply = _shared(context, caller, asked)
    except Exception as raised:  # noqa: BLE001  whatever went wrong, the caller gets an error of the API
        error = reported(raised, request_id)
    action = asked.get("Action", "")
    exchange = Exchange(
        request_id=request_id,
        operation=_OPERATIONS.get(action, "Import"),
        request={_MEMBERS[action]: asked["Arn"], "Principal": asked["Principal"]} if asked else None,
        reply=None,
        error=error,
        milliseconds=round(1000 * (time.monotonic() - started)),
    )
    record(exchange)
    answered = proxy_reply(exchange)
    return answered if reply is None else {**answered, "body": json.dumps(reply, default=_number)}


def _asked(event: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        asked = json.loads(event.get("body") or "{}")
    except (ValueError, RecursionError) as error:
        raise ValidationError(f"the request body is not a JSON document: {error}") from error
    texts = ("Action", "Arn", "Principal")
    if not isinstance(asked, dict) or not all(isinstance(asked.get(each), str) for each in texts):
        raise ValidationError("the request body must have the texts Action, Arn and Principal")
    if asked["Action"] not in _OPERATIONS:
        raise ValidationError(f"Action '{asked['Action'][:100]}': use one of {', '.join(_OPERATIONS)}")
    return asked


def _shared(context: Context, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    principal = Principal.of(asked["Principal"])
    if not caller.account or principal.account != caller.account:
        raise DeniedError(
            f"account {caller.account or 'unknown'} cannot import for {principal}: a service imports for "
            "principals of its own account"
        )
    owner, with_objects = owner_of(context), asked.get("WithObjects") is True
    if asked["Action"] == SHARE_DATASET:
        shared = owner.share_dataset(asked["Arn"], principal, with_objects=with_objects)
    else:
        with_data = asked.get("WithData") is True
        shared = owner.share_version(asked["Arn"], principal, with_data=with_data, with_objects=with_objects)
    return {"Facts": dict(shared.facts), "Objects": _addresses(context, shared)}


def _addresses(context: Context, shared: Shared) -> dict[str, str]:
    """Return addresses of the objects, each good for one object and for as long as a job needs."""
    bucket, owner = context.service_bucket, context.arns.account
    return {
        name: bucket.s3.generate_presigned_url(
            "get_object",
            Params={"Bucket": bucket.name, "Key": key, "ExpectedBucketOwner": owner},
            ExpiresIn=_VALID_SECONDS,
        )
        for name, key in shared.objects.items()
    }


def _number(value: Any) -> int | float:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} cannot be shared")
    return int(value) if value == int(value) else float(value)
