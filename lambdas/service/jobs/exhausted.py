"""What the platform says when it ends a function that took too long or too much. Pure."""

import re
from collections.abc import Mapping

_TIME = re.compile(r"Sandbox\.Timedout|States\.Timeout|Task timed out after")
_MEMORY = re.compile(r"Runtime\.OutOfMemory|MemoryError|signal: killed")


def exhausted(error: Mapping[str, str], *, work: str) -> str | None:
    """The ``FailedReason`` for what a state machine caught, None when time and memory were not the matter."""
    text = f"{error.get('Error', '')} {error.get('Cause', '')}"
    if _TIME.search(text):
        what, more = "took longer than its function may run", "let larger ones run as tasks: large_jobs"
    elif _MEMORY.search(text):
        what, more = "needed more memory than it has", "give it more: training_memory or large_jobs"
    else:
        return None
    return (
        f"{work} {what}. Choose a coarser TargetSamplingRate, a shorter training window or fewer sensors, or "
        f"{more} of the service"
    )
