"""Pages of list replies, which end by number and by bytes."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from botocore.model import Shape

from service.context import Context
from service.requests.authorization import shown
from service.requests.page_tokens import PageTokens
from service.requests.service_model import service_model
from service.requests.validation import project

PAGE_BYTES = 5_000_000
"""Bytes that the entries of a page take in the answer of the function, of the 6,291,556 that Lambda allows:
the rest of the answer needs far less than what is left."""


def paged(
    context: Context,
    operation: str,
    request: dict[str, Any],
    member: str,
    records: Callable[[str | None], Iterable[tuple[str, Any]]],
) -> dict[str, Any]:
    """Return the reply of a list operation, with one page of entries and a `NextToken` when there are more.

    A page has as many entries as the request allows, or fewer if more would not fit into an answer.

    Args:
        context: the context of the service.
        operation: name of the operation.
        request: the request, with its filters and perhaps `MaxResults` and `NextToken`.
        member: the member of the reply that holds the entries.
        records: returns pairs of position and entry in order, those after a given position or, for None, all.

    Raises:
        ValidationError: when NextToken was not made for this operation, filters and caller.
    """
    most: int = request.get("MaxResults", context.settings.page_size)
    token = request.get("NextToken")
    start = PageTokens.of(context, operation, request).position(token) if token else None
    shape = _entry_shape(operation, member)
    entries: list[Any] = []
    left, last = PAGE_BYTES, ""
    for position, entry in shown(context, operation, records(start)):
        left -= answer_bytes(project(shape, entry))
        if len(entries) == most or (entries and left < 0):
            return {member: entries, "NextToken": PageTokens.of(context, operation, request).at(last)}
        entries.append(entry)
        last = position
    return {member: entries}


def answer_bytes(reply: Any) -> int:
    """Return the bytes of a reply in the answer of the function: JSON, inside the JSON of a proxy reply."""
    return len(json.dumps(json.dumps(reply)))


def _entry_shape(operation: str, member: str) -> Shape:
    reply: Any = service_model().operation_model(operation).output_shape
    shape: Shape = reply.members[member].member
    return shape
