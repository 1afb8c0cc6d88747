"""How a job says that it cannot go on because of what the customer gave it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

REASON_LENGTH = 5000
"""Longest ``FailedReason`` the API can return (BoundedLengthString of the service model)."""

_MARK = "JobFailed: "


class JobFailed(Exception):  # noqa: N818 - its name is what people read as ``errorType`` in the state machine
    """A customer fault that ends a job; ``reason`` is the ``FailedReason`` a person reads."""

    def __init__(self, reason: str) -> None:
        # The type is in the text as well: not every Lambda runtime hands on the type of an exception.
        super().__init__(_MARK + clip(reason))

    @property
    def reason(self) -> str:
        """The text for ``FailedReason``, at most 5,000 characters."""
        return str(self).removeprefix(_MARK)


class NothingThere(JobFailed):
    """A part of the machine has no data. A service that allows partial inference goes on without it."""


def clip(text: str, length: int = REASON_LENGTH) -> str:
    """Shorten ``text`` to ``length`` characters, marking the cut."""
    return text if len(text) <= length else text[: length - 4] + " ..."


def some(names: Iterable[str], *, limit: int = 5) -> str:
    """The first names quoted, and how many more there are: ``'a', 'b' and 3 more``."""
    listed = list(names)
    text = ", ".join(f"'{name}'" for name in listed[:limit])
    return f"{text} and {len(listed) - limit} more" if len(listed) > limit else text


def plain(error: Exception) -> str:
    """The message of the engine, which quotes sensor names as Python does, with single backslashes."""
    return str(error).replace("\\\\", "\\")


def is_customer_fault(error: Mapping[str, str]) -> bool:
    """Whether what a state machine caught is a JobFailed."""
    return _MARK in error.get("Cause", "")


def reason_of(error: Mapping[str, str], *, work: str) -> str:
    """The ``FailedReason`` for what a state machine caught: ``Error`` and ``Cause`` of a failed step.

    The cause is what a function raised, or the description of a task of AWS Batch that ended badly.
    A JobFailed keeps its text. Anything else is the service's own fault; ``work`` says what it was doing.
    """
    try:
        cause = json.loads(error.get("Cause", ""))
    except ValueError:
        cause = {}
    kind = cause.get("errorType") or error.get("Error", "unknown error")
    message = cause.get("errorMessage") or _of_task(cause) or error.get("Cause", "")
    if message.startswith(_MARK):
        return clip(message.removeprefix(_MARK))
    return clip(f"the service could not finish {work} because of an internal error: {kind}: {message}")


def _of_task(cause: Mapping[str, Any]) -> str:
    """What AWS Batch says of a task that could not record its own failure; empty if the cause is no task."""
    container = cause.get("Container", {})
    said = [container.get("Reason"), cause.get("StatusReason")]
    if "LogStreamName" in container:
        said.append(f"log stream '{container['LogStreamName']}'")
    return "; ".join(text for text in said if text)
