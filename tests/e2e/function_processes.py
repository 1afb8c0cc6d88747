"""Processes in which the embedded AWS runs functions, which tests kill."""

import contextlib
import os
import signal
from pathlib import Path

import pytest

from tests.e2e.cloud import Cloud

PROCESSES = Path("/proc")

needs_processes = pytest.mark.skipif(
    not PROCESSES.exists(), reason="needs /proc to find the processes of functions"
)


def kill(cloud: Cloud, part: str) -> int:
    """Kill the processes that run functions with `part` in their name; return how many there were.

    Those of another embedded AWS on this machine, which has functions of the same names, live on.
    """
    killed = 0
    port = f"GATEWAY_PORT={cloud.instance.port}".encode()
    for folder in PROCESSES.glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended, or is of somebody else
            variables = (folder / "environ").read_bytes().split(b"\0")
            name = next((one for one in variables if one.startswith(b"AWS_LAMBDA_FUNCTION_NAME=")), b"")
            if part.encode() in name and port in variables:
                os.kill(int(folder.name), signal.SIGKILL)
                killed += 1
    return killed
