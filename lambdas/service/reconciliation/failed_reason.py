"""The `FailedReason` of a job that ended badly, from what Step Functions says of its execution. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

REASON_LENGTH = 5000
"""Characters of the longest `FailedReason` (BoundedLengthString of the service model)."""

CUSTOMER_FAULT = "JobFailed: "
"""How the text of an exception begins that tells a customer what to do."""

MOST_FAILED_READS = "States.ExceedToleratedFailureThreshold"
"""The error of a Distributed Map with a failed child; it does not say why the child failed."""

_THROTTLED = "Lambda.TooManyRequestsException"
_NO_FREE_FUNCTION = (
    "found no function to run in for about an hour: all concurrent functions that the account may have were "
    "in use. Try again when less is running, let fewer files be read at once (parallel_reads of the "
    "service), or have AWS raise the quota"
)
_TIME = re.compile(r"Sandbox\.Timedout|States\.Timeout|Task timed out after|exceeded timeout")
_MEMORY = re.compile(r"Runtime\.OutOfMemory|MemoryError|signal: killed")
_SECONDS = re.compile(r"timed out after ([\d.]+) seconds")

Error = Mapping[str, str]
"""`Error` and `Cause` of a failed step. The cause is what a function raised, as JSON, or the description of a
task of AWS Batch that ended badly."""


def clip(text: str, length: int = REASON_LENGTH) -> str:
    """Return `text` shortened to `length` characters, with the cut marked."""
    return text if len(text) <= length else text[: length - 4] + " ..."


def is_customer_fault(error: Error) -> bool:
    """Return whether what a step failed with is a JobFailed."""
    return CUSTOMER_FAULT in error.get("Cause", "")


def reason_of(error: Error, *, work: str, execution: str) -> str:
    """Return the `FailedReason` for what a step failed with.

    A JobFailed keeps its text. Anything else, but too few functions, is the service's own fault.

    Args:
        error: what the step failed with.
        work: what the step was doing.
        execution: name of the execution, which leads to the log lines of an internal error.
    """
    cause = _cause(error)
    kind = cause.get("errorType") or error.get("Error", "unknown error")
    if kind == _THROTTLED:
        return f"{work} {_NO_FREE_FUNCTION}"
    message = cause.get("errorMessage") or _batch_message(cause) or error.get("Cause", "")
    if message.startswith(CUSTOMER_FAULT):
        return clip(message.removeprefix(CUSTOMER_FAULT))
    place = f"execution '{execution}' of the state machine"
    if "requestId" in cause:
        place = f"request id '{cause['requestId']}' in the log of the function, or for {place}"
    return internal_error(f"finish {work}", f"{kind}: {message}", place)


def internal_error(aim: str, problem: str, place: str) -> str:
    """Return the `FailedReason` for a fault of the service.

    Args:
        aim: what it could not do, a verb first.
        problem: what happened.
        place: what to look for, and where, to find the log lines. It is never cut.
    """
    trace = f"; look for {place}"
    text = f"the service could not {aim} because of an internal error: {problem}"
    return clip(text, REASON_LENGTH - len(trace)) + trace


@dataclass(frozen=True, slots=True, kw_only=True)
class WaysOut:
    """What a person can do when a job took too much time or memory: sentences without a full stop."""

    time: str
    memory: str


def exhaustion_reason(error: Error, *, work: str, ways_out: WaysOut, memory_mib: int | None) -> str | None:
    """Return the `FailedReason` when the platform ended a step that took too much time or memory.

    Args:
        error: what the step failed with.
        work: what the step was doing.
        ways_out: what a person can do.
        memory_mib: memory of the function; None if it is not known.

    Returns:
        The limit and the way out; None when the error is something else.
    """
    if is_customer_fault(error):
        return None
    text = f"{error.get('Error', '')} {error.get('Cause', '')}"
    if _TIME.search(text):
        seconds = _SECONDS.search(text)
        limit = f"the {float(seconds[1]) / 60:g} minutes that its function" if seconds else "it"
        return f"{work} took longer than {limit} may run. {ways_out.time}"
    if _MEMORY.search(text):
        has = _task_memory(_cause(error)) or memory_mib
        limit = f"the {has:,} MiB that it has" if has else "it has"
        return f"{work} needed more memory than {limit}. {ways_out.memory}"
    return None


def _cause(error: Error) -> Mapping[str, Any]:
    try:
        cause = json.loads(error.get("Cause", ""))
    except ValueError:
        return {}
    return cause if isinstance(cause, dict) else {}


def _task_memory(cause: Mapping[str, Any]) -> int | None:
    """Return the MiB of a task of AWS Batch; None for other causes."""
    for needed in cause.get("Container", {}).get("ResourceRequirements", ()):
        if needed.get("Type") == "MEMORY":
            return int(needed["Value"])
    return None


def _batch_message(cause: Mapping[str, Any]) -> str:
    """Return what AWS Batch says of a task that could not record its own failure; empty for other causes."""
    container = cause.get("Container", {})
    found = [container.get("Reason"), cause.get("StatusReason")]
    if "LogStreamName" in container:
        found.append(f"log stream '{container['LogStreamName']}'")
    return "; ".join(text for text in found if text)
