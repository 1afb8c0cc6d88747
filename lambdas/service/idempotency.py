"""Creations that happen once per ClientToken, however often and however concurrently they are asked for."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from service.context import Context
from service.errors import ConflictError, ValidationError
from service.names import TOKEN
from service.store import Create, Delete, Item, StoreError, Write

_ATTEMPTS = 5
"""Times that a creation is planned anew because another request changed what it was planned on."""


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
    token_key = f"{operation}#{request['ClientToken']}"
    fingerprint = _fingerprint(request)
    for _ in range(_ATTEMPTS):
        replayed = _replayed(context, token_key, fingerprint, request["ClientToken"])
        if replayed is not None:
            start(replayed)
            return replayed
        planned = plan()
        item = dict(planned.item)
        token = {
            "pk": TOKEN,
            "sk": token_key,
            "fingerprint": fingerprint,
            "recordPk": item["pk"],
            "recordSk": item["sk"],
            "identityName": identity,
            "identity": item[identity],
            "ExpiresAt": int(context.now().timestamp() + 3600 * context.settings.client_token_hours),
        }
        try:
            context.store.transact(Create(item), Create(token), *planned.writes)
        except StoreError:
            continue
        try:
            start(item)
        except Exception:
            context.store.transact(Delete(item["pk"], item["sk"]), Delete(TOKEN, token_key), *planned.undo)
            raise
        return item
    raise ConflictError(
        f"{operation} met other requests that change the same resource: wait until they are done and try "
        "again"
    )


def _replayed(context: Context, token_key: str, fingerprint: str, token: str) -> Item | None:
    """Return the record that the token created, None when there is none (any more)."""
    known = context.store.get(TOKEN, token_key)
    if known is None:
        return None
    record = context.store.get(known["recordPk"], known["recordSk"])
    if record is None or record[known["identityName"]] != known["identity"]:
        with suppress(StoreError):  # another request removed it first
            context.store.delete(TOKEN, token_key, expect={"identity": known["identity"]})
        return None
    if known["fingerprint"] != fingerprint:
        raise ValidationError(
            f"ClientToken '{token}' was used for a request with other parameters: use a new token, or repeat "
            "the first request exactly"
        )
    return record


def _fingerprint(request: dict[str, Any]) -> str:
    parameters = {name: value for name, value in request.items() if name != "ClientToken"}
    return hashlib.sha256(json.dumps(parameters, sort_keys=True, default=str).encode()).hexdigest()
