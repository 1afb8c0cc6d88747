"""Creations that happen once per ClientToken, however often and however concurrently they are asked for."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from service.context import Context
from service.errors import ApiError, ValidationError
from service.names import TOKEN
from service.retry_on_change import ATTEMPTS, busy
from service.store import Create, Delete, Item, StoreError, Write


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A creation: the new record, what else changes with it, and how that is undone.

    `item` needs an identifier that is never used again in the attribute `identity`.
    """

    item: Mapping[str, Any]
    writes: Sequence[Write] = ()
    undo: Sequence[Write] = ()


def create_once(
    context: Context,
    operation: str,
    request: dict[str, Any],
    *,
    identity: str,
    plan: Callable[[], Plan],
    start: Callable[[Item], None] = lambda _: None,
) -> Item:
    """Create what `plan` says, or return the record that an earlier request with the same token created.

    `plan` looks at the state, raises the API's errors, and is asked again when the state changed meanwhile.
    `start` sets off the work outside the table; it may be called again for a repeated request, and when it
    fails the creation is undone.

    Raises:
        ValidationError: when the token was used with different parameters.
    """
    for _ in range(ATTEMPTS):
        if (replayed := _replayed(context, operation, request)) is not None:
            start(replayed)
            return replayed
        try:
            planned = plan()
        except ApiError:
            # Perhaps the same request, sent twice at once, made the difference.
            if _replayed(context, operation, request) is None:
                raise
            continue
        item = planned.item
        token = _token(context, operation, request, item, identity)
        try:
            context.store.transact(Create(item), Create(token), *planned.writes)
        except StoreError:
            continue
        try:
            start(dict(item))
        except Exception:
            context.store.transact(
                Delete(item["pk"], item["sk"]), Delete(token["pk"], token["sk"]), *planned.undo
            )
            raise
        return dict(item)
    raise busy()


def _token_key(operation: str, request: Mapping[str, Any]) -> str:
    return f"{operation}#{request['ClientToken']}"


def _token(
    context: Context, operation: str, request: Mapping[str, Any], item: Mapping[str, Any], identity: str
) -> Item:
    """Return the record that ties a request to the resource `item` it creates."""
    return {
        "pk": TOKEN,
        "sk": _token_key(operation, request),
        "fingerprint": _fingerprint(request),
        "recordPk": item["pk"],
        "recordSk": item["sk"],
        "identityName": identity,
        "identity": item[identity],
        "ExpiresAt": int(context.now().timestamp() + 3600 * context.settings.client_token_hours),
    }


def _replayed(context: Context, operation: str, request: Mapping[str, Any]) -> Item | None:
    """Return the record that an earlier request with this token created, None when it is gone."""
    key = _token_key(operation, request)
    known = context.store.get(TOKEN, key)
    if known is None:
        return None
    record = context.store.get(known["recordPk"], known["recordSk"])
    if record is None or record[known["identityName"]] != known["identity"]:
        with suppress(StoreError):  # another request removed it first
            context.store.delete(TOKEN, key, expect={"identity": known["identity"]})
        return None
    if known["fingerprint"] != _fingerprint(request):
        raise ValidationError(
            f"ClientToken '{request['ClientToken']}' was used for a request with other parameters: use a new "
            "token, or repeat the first request exactly"
        )
    return record


def _fingerprint(request: Mapping[str, Any]) -> str:
    parameters = {name: value for name, value in request.items() if name != "ClientToken"}
    return hashlib.sha256(json.dumps(parameters, sort_keys=True, default=str).encode()).hexdigest()
