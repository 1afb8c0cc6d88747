"""Customer faults that end a job. Pure."""

from collections.abc import Iterable

from service.reconciliation.failed_reason import CUSTOMER_FAULT, clip


class JobFailed(Exception):  # noqa: N818 - its name is what people read as `errorType` in the state machine
    """A customer fault that ends a job; `reason` is the `FailedReason` that a person reads."""

    def __init__(self, reason: str) -> None:
        # The type is in the text as well: not every Lambda runtime hands on the type of an exception.
        super().__init__(CUSTOMER_FAULT + clip(reason))

    @property
    def reason(self) -> str:
        """The text for `FailedReason`, at most 5,000 characters."""
        return str(self).removeprefix(CUSTOMER_FAULT)


class NothingThere(JobFailed):
    """A part of the machine has no data. A service that allows partial inference goes on without it."""


def some(names: Iterable[str], *, limit: int = 5) -> str:
    """Return the first names in quotes, and how many more there are: `'a', 'b' and 3 more`."""
    listed = list(names)
    text = ", ".join(f"'{name}'" for name in listed[:limit])
    return f"{text} and {len(listed) - limit} more" if len(listed) > limit else text


def plain(error: Exception) -> str:
    """Return the message of the engine, which quotes sensor names as Python does, with single backslashes."""
    return str(error).replace("\\\\", "\\")
