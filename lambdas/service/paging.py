"""Pages of list replies, with opaque tokens that are valid only for the request they were made for."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from service.context import Context
from service.errors import ValidationError
from service.held import shown

_PAGE_MEMBERS = {"NextToken", "MaxResults"}


def paged(
    context: Context,
    operation: str,
    request: dict[str, Any],
    member: str,
    records: Callable[[str | None], Iterable[tuple[str, Any]]],
) -> dict[str, Any]:
    """Return the reply of a list operation, with one page of entries and a `NextToken` when there are more.

    Args:
        context: the context of the service.
        operation: name of the operation.
        request: the request, with its filters and perhaps `MaxResults` and `NextToken`.
        member: the member of the reply that holds the entries.
        records: returns pairs of position and entry in order, those after a given position or, for None, all.

    Raises:
        ValidationError: when NextToken was not made for this operation with these filters.
    """
    size: int = request.get("MaxResults", context.settings.page_size)
    purpose = _digest(operation, request)
    start = _position(request["NextToken"], purpose, operation) if request.get("NextToken") else None
    found = list(islice(shown(context, operation, records(start)), size + 1))
    reply: dict[str, Any] = {member: [entry for _, entry in found[:size]]}
    if len(found) > size:
        reply["NextToken"] = _token(purpose, found[size - 1][0])
    return reply


def _digest(operation: str, request: dict[str, Any]) -> str:
    filters = {name: str(value) for name, value in request.items() if name not in _PAGE_MEMBERS}
    return hashlib.sha256(json.dumps([operation, filters], sort_keys=True).encode()).hexdigest()[:32]


def _token(purpose: str, position: str) -> str:
    return base64.urlsafe_b64encode(f"{purpose}{position}".encode()).decode()


def _position(token: str, purpose: str, operation: str) -> str:
    try:
        text = base64.urlsafe_b64decode(token).decode()
    except ValueError:
        text = ""
    if not text.startswith(purpose):
        raise ValidationError(
            f"NextToken '{token[:100]}' was not returned by {operation} with these filters: repeat the "
            "request without NextToken, or with the filters of the first page"
        )
    return text.removeprefix(purpose)
