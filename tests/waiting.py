"""Waiting for what goes on by itself, with an end."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

PATIENCE = 300
"""Seconds after which something hangs that takes seconds."""

_Found = TypeVar("_Found")


def awaited(look: Callable[[], _Found], done: Callable[[_Found], bool], *, pause: float = 0.2) -> _Found:
    """Return what `look` sees once it is done, and fail with it when that takes too long."""
    until = time.monotonic() + PATIENCE
    while not done(found := look()):
        assert time.monotonic() < until, found
        time.sleep(pause)
    return found


def ended_execution(machines: Any, execution: str) -> Any:
    """Return the description of an execution of Step Functions once it has ended."""
    return awaited(
        lambda: machines.describe_execution(executionArn=execution),
        lambda found: found["status"] != "RUNNING",
        pause=0.02,
    )
