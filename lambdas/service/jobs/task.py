"""A training as a plain process: what AWS Batch runs when it is too large for a function.

    python -m service.jobs.task train '{"ModelName": "pump", "ModelVersion": 1}'

Without the last argument the event is read from the variable `L4E_EVENT`. The other variables are those of
the functions. The process does what the function does, and ends with status 0. Whatever fails ends it with
status 1 and is recorded here, since AWS Batch does not hand on the text of an exception.
"""

import json
import logging
import os
import resource
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from service.jobs import train
from service.jobs.runtime import Runtime, current_runtime, log

EVENT_VARIABLE = "L4E_EVENT"
USAGE = f"usage: python -m service.jobs.task train [EVENT]: a JSON object, by default {EVENT_VARIABLE}"
LOG_INTERVAL = 60.0
"""Seconds between two lines in the log of a task that works."""

_KIB_PER_MIB = 1024


def main(arguments: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run the job that the command line asks for, and return the exit status."""
    match arguments:
        case ["train"] if EVENT_VARIABLE in variables:
            text = variables[EVENT_VARIABLE]
        case ["train", text]:
            pass
        case _:
            print(USAGE, file=sys.stderr)
            return 2
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    return work(current_runtime(), json.loads(text))


def work(runtime: Runtime, event: Mapping[str, Any], *, log_interval: float = LOG_INTERVAL) -> int:
    """Train, or record why it failed, and return the exit status.

    A failure that cannot be recorded is raised: then the state machine records that the process ended badly.
    """
    log("task started", **event)
    try:
        with _progress(log_interval) as used:
            done = train.run(runtime, {**event, "Step": "train"})
    except Exception as error:
        logging.getLogger("service.jobs").exception("task failed")
        raised = {"errorType": type(error).__name__, "errorMessage": str(error)}
        caught = {"Error": raised["errorType"], "Cause": json.dumps(raised)}
        train.fail(runtime, event, caught)
        return 1
    log("task done", **done, **used())
    return 0


@contextmanager
def _progress(interval: float) -> Iterator["_Used"]:
    """Log a line every `interval` seconds while the block runs; yield what is used."""
    used, over = _Used(), threading.Event()

    def report() -> None:
        while not over.wait(interval):
            log("task at work", **used())

    reporter = threading.Thread(target=report, daemon=True)
    reporter.start()
    try:
        yield used
    finally:
        over.set()
        reporter.join()


class _Used:
    """Time since it was made, and the most memory that the process has had."""

    def __init__(self) -> None:
        self._begin = time.monotonic()

    def __call__(self) -> dict[str, float]:
        """Return seconds and MiB, as a log line has them."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // _KIB_PER_MIB
        return {"Seconds": round(time.monotonic() - self._begin, 1), "PeakMiB": peak}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
