"""Messages between Python and the Node process that runs the CDK; each is waited for."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jsii._kernel.providers import process as jsii_process


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count what Python sends while the context lasts, by kind and member, such as `Invoke resolve`.

    `_Complete` is the answer to a question that Node asks, such as the value of a lazy token.
    """
    calls = Counter[str]()
    client: Any = jsii_process._NodeProcess  # noqa: SLF001 - nothing public sees every message
    send = client.send

    def counting(self: Any, request: Any, response_type: Any) -> Any:
        member = next((found for name in _MEMBERS if (found := getattr(request, name, None))), "")
        calls[f"{type(request).__name__.removesuffix('Request')} {member}".strip()] += 1
        return send(self, request, response_type)

    client.send = counting
    try:
        yield calls
    finally:
        client.send = send


_MEMBERS = ("method", "property", "fqn")
"""Where requests name what they are about."""
