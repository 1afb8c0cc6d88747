"""Waiting for what goes on by itself, with an end."""

import time
from collections.abc import Callable
from typing import TypeVar

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
