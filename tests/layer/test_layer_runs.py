"""The engine on exactly the files of the layer, with the functions' Python: `make compat` runs it."""

import json
import os
import platform
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from l4e_layer import PYTHON, LayerError, Machine, layer_file, locked_versions
from tests.layer.whole_engine import ROWS

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("whole_engine.py")


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer for the processor of this machine, unpacked."""
    if f"{sys.version_info[0]}.{sys.version_info[1]}" != PYTHON:
        pytest.skip(f"the layer is for Python {PYTHON}: make compat")
    try:
        file = layer_file(Machine(platform.machine()))
    except LayerError as error:
        if "HASH" in str(error).upper():
            raise
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("layer")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)
    return folder / "python"


@pytest.fixture(scope="module")
def ran(layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What the program says with the layer, the functions' code, and a boto3 without numpy beside it."""
    runtime = tmp_path_factory.mktemp("runtime")
    for name in ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3"):
        (runtime / name).symlink_to(installed(name))
    run = subprocess.run(
        [sys.executable, "-S", str(PROGRAM)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (layer, ROOT / "lambdas", ROOT, runtime))),
        },
        cwd=runtime,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found: Mapping[str, Any] = json.loads(run.stdout)
    return found


def installed(name: str) -> Path:
    """Where a package of the environment lies."""
    return next(path for folder in sys.path if (path := Path(folder, name)).exists())


def test_holds_what_the_functions_import(layer: Path, ran: Mapping[str, Any]) -> None:
    assert ran["versions"] == locked_versions()
    assert all(Path(file).is_relative_to(layer) for file in ran["files"].values())


def test_multiplies_with_openblas(ran: Mapping[str, Any]) -> None:
    assert ran["blas"] == "scipy-openblas"


def test_reads_files_and_fits(ran: Mapping[str, Any]) -> None:
    assert ran["rows"] == ROWS
    assert ran["model"] > 1000
