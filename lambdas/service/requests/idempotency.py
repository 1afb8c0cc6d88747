"""Creations that happen once per `ClientToken`, however often and however concurrently they are requested."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from service.context import Context
from service.customer.kms_keys import put_document
from service.errors import ApiError, ValidationError
from service.reconciliation.pending_deletions import pending_deletion, release, reserve
from service.storage.indexes import creation, deletion
from service.storage.names import TOKEN, document_key, documents_prefix
from service.storage.records import TokenRecord
from service.storage.retry_on_change import ATTEMPTS, busy
from service.storage.store import Create, Delete, Item, StoreError, Update, Write

R = TypeVar("R", bound=Mapping[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """Documents of a resource: texts by name, encrypted with the KMS key of the resource."""

    owner_uuid: str
    kms_key: str | None
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Generic[R]):
    """A creation that the checks allow.

    Attributes:
        record: the new record.
        replaces: what brings the record into the table where there was one. Default: it is created.
        writes: what else changes with it, in the same transaction.
        undo: what takes the `writes` back when the work outside the table cannot be started.
        documents: documents of the new resource, which live and die with its record.
    """

    record: R
    replaces: Update | None = None
    writes: Sequence[Write] = ()
    undo: Sequence[Write] = ()
    documents: Documents | None = None


def create_once(
    context: Context,
    operation: str,
    request: dict[str, Any],
    *,
    identity: str,
    plan: Callable[[], Plan[R]],
    start: Callable[[R], None] = lambda _: None,
) -> R:
    """Create what `plan` returns, or return the record that an earlier request with the same token created.

    Args:
        context: the context of the service.
        operation: name of the operation; each has tokens of its own.
        request: the request, with its `ClientToken`.
        identity: the attribute of the record whose value is never used again.
        plan: looks at the state and raises the API's errors; called again when the state changed meanwhile,
            also when it says so itself with a StoreError.
        start: starts the work outside the table. It is called again for a repeated request. When it fails,
            the creation is undone.

    Raises:
        ValidationError: when the token was used with different parameters.
        ConflictError: when other requests kept changing the same records.
    """
    for _ in range(ATTEMPTS):
        earlier = cast("R | None", _created_before(context, operation, request))
        if earlier is not None:
            start(earlier)
            return earlier
        try:
            planned = plan()
        except ApiError:
            # Perhaps the same request, sent twice at once, made the difference.
            if _created_before(context, operation, request) is None:
                raise
            continue
        except StoreError:
            continue
        record = planned.record
        token = _token(context, operation, request, record, identity)
        reservations = [] if planned.documents is None else [_put_documents(context, planned.documents)]
        try:
            created = creation(record) if planned.replaces is None else [planned.replaces]
            context.store.transact(*created, Create(token), *planned.writes, *reservations)
        except StoreError:
            for reservation in reservations:
                release(context, reservation)
            continue
        try:
            start(record)
        except Exception:
            _undo(context, planned, token)
            raise
        return record
    raise busy()


def _put_documents(context: Context, documents: Documents) -> Delete:
    """Write the documents of a resource that does not exist yet, and return the write that keeps them."""
    reservation = reserve(context, documents_prefix(documents.owner_uuid))
    for name, text in documents.texts.items():
        put_document(context, document_key(documents.owner_uuid, name), text, documents.kms_key)
    return reservation


def _undo(context: Context, planned: Plan[Any], token: TokenRecord) -> None:
    """Take back a creation whose work could not be started. If this fails too, reconciliation starts it."""
    record, documents = planned.record, planned.documents
    left = [] if documents is None else [documents_prefix(documents.owner_uuid)]
    context.store.transact(
        *deletion(record),
        Delete(token["pk"], token["sk"]),
        *planned.undo,
        *([pending_deletion(context, prefixes=left)] if left else []),
    )


def _token_key(operation: str, request: Mapping[str, Any]) -> str:
    return f"{operation}#{request['ClientToken']}"


def _token(
    context: Context, operation: str, request: Mapping[str, Any], record: Mapping[str, Any], identity: str
) -> TokenRecord:
    """Return what ties a request to the `record` it creates."""
    return {
        "pk": TOKEN,
        "sk": _token_key(operation, request),
        "fingerprint": _fingerprint(request),
        "recordPk": record["pk"],
        "recordSk": record["sk"],
        "identityName": identity,
        "identity": record[identity],
        "ExpiresAt": int(context.now().timestamp() + 3600 * context.settings.client_token_hours),
    }


def _created_before(context: Context, operation: str, request: Mapping[str, Any]) -> Item | None:
    """Return the record that an earlier request with this token created, None when there is none any more."""
    key = _token_key(operation, request)
    token = context.records.token(key)
    if token is None:
        return None
    record = context.store.get(token["recordPk"], token["recordSk"])
    if record is None or record[token["identityName"]] != token["identity"]:
        with suppress(StoreError):  # another request removed it first
            context.store.delete(TOKEN, key, expect={"identity": token["identity"]})
        return None
    if token["fingerprint"] != _fingerprint(request):
        raise ValidationError(
            f"ClientToken '{request['ClientToken']}' was used for a request with other parameters: use a new "
            "token, or repeat the first request exactly"
        )
    return record


def _fingerprint(request: Mapping[str, Any]) -> str:
    parameters = {name: value for name, value in request.items() if name != "ClientToken"}
    return hashlib.sha256(json.dumps(parameters, sort_keys=True, default=str).encode()).hexdigest()
