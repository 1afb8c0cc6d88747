"""Pages of list replies."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from service.authorization import shown
from service.context import Context
from service.page_tokens import PageTokens


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
        ValidationError: when NextToken was not made for this operation, filters and caller.
    """
    size: int = request.get("MaxResults", context.settings.page_size)
    token = request.get("NextToken")
    start = PageTokens.of(context, operation, request).position(token) if token else None
    found = list(islice(shown(context, operation, records(start)), size + 1))
    reply: dict[str, Any] = {member: [entry for _, entry in found[:size]]}
    if len(found) > size:
        reply["NextToken"] = PageTokens.of(context, operation, request).at(found[size - 1][0])
    return reply
