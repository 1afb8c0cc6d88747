"""Changes that depend on what the table says, and are tried again when that changed meanwhile."""

from collections.abc import Callable
from typing import TypeVar

from service.errors import ConflictError
from service.storage.store import StoreError

ATTEMPTS = 5
T = TypeVar("T")


def retry_on_change(attempt: Callable[[], T]) -> T:
    """Return what `attempt` returns, which reads, checks and writes on condition that nothing changed.

    When the condition does not hold, `attempt` is called again, and its checks say what is in the way.

    Raises:
        ConflictError: when other requests kept changing the same records.
    """
    for _ in range(ATTEMPTS):
        try:
            return attempt()
        except StoreError:
            continue
    raise busy()


def busy() -> ConflictError:
    """Return the error for records that other requests keep changing."""
    return ConflictError(
        "other requests are changing the same resource: wait until they are done and try again"
    )
