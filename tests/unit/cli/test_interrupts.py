"""Interruptions that wait until a block has ended."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from l4e_cli.interrupts import interruptions_put_off


class Interrupted(BaseException):
    """Raised by the handler that the tests install."""


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def number(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    def interrupt(*_: object) -> None:
        raise Interrupted

    before = signal.signal(request.param, interrupt)
    yield request.param
    signal.signal(request.param, before)


def test_an_interruption_takes_effect_at_the_end(number: signal.Signals) -> None:
    done = []

    def work() -> None:
        with interruptions_put_off():
            os.kill(os.getpid(), number)
            done.append("all of it")

    with pytest.raises(Interrupted):
        work()
    assert done == ["all of it"]
    with pytest.raises(Interrupted):
        os.kill(os.getpid(), number)


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptions_put_off():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_an_error_in_the_block_stays_what_it_is_without_an_interruption() -> None:
    with pytest.raises(OSError, match="no such program"), interruptions_put_off():
        raise OSError("no such program")


def test_another_thread_is_left_as_it_is() -> None:
    handlers = []

    def look() -> None:
        with interruptions_put_off():
            handlers.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert handlers == [before]
