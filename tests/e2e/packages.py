"""Packages from the index, which some tests install."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.cloud import ROOT

UNREACHABLE = "client error (Connect)"


def uv(*arguments: str | Path, cwd: Path = ROOT) -> str:
    """Run uv, as `make` installs it, and return what it prints; skip the test without network."""
    path = os.pathsep.join([str(ROOT / ".uv" / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    program = shutil.which("uv", path=path)
    assert program is not None, "uv is needed, as `make` installs it"
    ended = subprocess.run(
        [program, *map(str, arguments)],
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    if UNREACHABLE in ended.stderr:
        pytest.skip(ended.stderr)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
