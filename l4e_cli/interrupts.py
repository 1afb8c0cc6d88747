"""Interruptions that wait, where one in the middle would leave a process that nobody ends."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

TERMINATIONS = tuple(each for each in signal.Signals if each.name in {"SIGTERM", "SIGHUP"})
"""What ends a command besides Ctrl-C: somebody, or the end of its terminal. Windows has no SIGHUP."""


KILLED_BY = 128
"""Added to the number of the signal that ended a command, it is the exit status."""


def is_heeded(number: signal.Signals) -> bool:
    """Return whether a signal is not ignored, as SIGHUP is under `nohup`."""
    return signal.getsignal(number) is not signal.SIG_IGN


@contextmanager
def interruptions_put_off() -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP take effect at the end of the block. Only the main thread gets any."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _frame: came.append(number))
        for number in (signal.SIGINT, *TERMINATIONS)
        if is_heeded(number)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
