"""Why a job ended badly: customer faults, what a state machine caught, and their `FailedReason`. Pure."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

REASON_LENGTH = 5000
"""Characters of the longest `FailedReason` (BoundedLengthString of the service model)."""

_MARK = "JobFailed: "
_TIME = re.compile(r"Sandbox\.Timedout|States\.Timeout|Task timed out after")
_MEMORY = re.compile(r"Runtime\.OutOfMemory|MemoryError|signal: killed")


class JobFailed(Exception):  # noqa: N818 - its name is what people read as `errorType` in the state machine
    """A customer fault that ends a job; `reason` is the `FailedReason` that a person reads."""

    def __init__(self, reason: str) -> None:
        # The type is in the text as well: not every Lambda runtime hands on the type of an exception.
        super().__init__(_MARK + clip(reason))

    @property
    def reason(self) -> str:
        """The text for `FailedReason`, at most 5,000 characters."""
        return str(self).removeprefix(_MARK)


class NothingThere(JobFailed):
    """A part of the machine has no data. A service that allows partial inference goes on without it."""


def clip(text: str, length: int = REASON_LENGTH) -> str:
    """Return `text` shortened to `length` characters, with the cut marked."""
    return text if len(text) <= length else text[: length - 4] + " ..."


def some(names: Iterable[str], *, limit: int = 5) -> str:
    """Return the first names in quotes, and how many more there are: `'a', 'b' and 3 more`."""
    listed = list(names)
    text = ", ".join(f"'{name}'" for name in listed[:limit])
    return f"{text} and {len(listed) - limit} more" if len(listed) > limit else text


def plain(error: Exception) -> str:
    """Return the message of the engine, which quotes sensor names as Python does, with single backslashes."""
    return str(error).replace("\\\\", "\\")


def is_customer_fault(error: Mapping[str, str]) -> bool:
    """Return whether what a state machine caught is a JobFailed."""
    return _MARK in error.get("Cause", "")


def reason_of(error: Mapping[str, str], *, work: str) -> str:
    """Return the `FailedReason` for what a state machine caught: `Error` and `Cause` of a failed step.

    The cause is what a function raised, or the description of a task of AWS Batch that ended badly.
    A JobFailed keeps its text. Anything else is the service's own fault; `work` says what it was doing.
    """
    try:
        cause = json.loads(error.get("Cause", ""))
    except ValueError:
        cause = {}
    kind = cause.get("errorType") or error.get("Error", "unknown error")
    message = cause.get("errorMessage") or _batch_message(cause) or error.get("Cause", "")
    if message.startswith(_MARK):
        return clip(message.removeprefix(_MARK))
    return clip(f"the service could not finish {work} because of an internal error: {kind}: {message}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WaysOut:
    """What a person can do when a job took too much time or memory: sentences without a full stop."""

    time: str
    memory: str


def exhaustion_reason(error: Mapping[str, str], *, work: str, ways_out: WaysOut) -> str | None:
    """Return the `FailedReason` when the platform ended a function that took too much time or memory.

    None when what the state machine caught is something else. `work` says what the function was doing.
    """
    if is_customer_fault(error):
        return None
    text = f"{error.get('Error', '')} {error.get('Cause', '')}"
    if _TIME.search(text):
        return f"{work} took longer than its function may run. {ways_out.time}"
    if _MEMORY.search(text):
        return f"{work} needed more memory than it has. {ways_out.memory}"
    return None


def _batch_message(cause: Mapping[str, Any]) -> str:
    """Return what AWS Batch says of a task that could not record its own failure; empty for other causes."""
    container = cause.get("Container", {})
    found = [container.get("Reason"), cause.get("StatusReason")]
    if "LogStreamName" in container:
        found.append(f"log stream '{container['LogStreamName']}'")
    return "; ".join(text for text in found if text)
