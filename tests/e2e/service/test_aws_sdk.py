"""AWS's own SDK for the service, `lookoutequipment` from PyPI, unmodified, from the dataset to the results.

Its last release asks for old numpy and pandas, so it runs in an environment of its own.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cloud import LABELS, Cloud, history
from tests.e2e.packages import uv
from tests.e2e.windows import due, inferred, wake
from tests.waiting import PATIENCE

ASSET = "bysdk"
PROGRAM = Path(__file__).with_name("aws_sdk_program.py")
REQUIREMENTS = (
    "lookoutequipment==0.1.5",
    # What it imports without saying so, and releases that have what it calls.
    "pandas<2.2",
    "numpy<2",
    "s3fs",
    "pytz",
    "scipy",
    "matplotlib",
)
WINDOWS = 3


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the SDK."""
    folder = tmp_path_factory.mktemp("sdk") / "venv"
    uv("venv", "--quiet", "--python", sys.executable, folder)
    made = folder / "bin" / "python"
    uv("pip", "install", "--quiet", "--python", made, *REQUIREMENTS)
    return made


def run(cloud: Cloud, python: Path, step: str, folder: Path, role: str) -> dict[str, Any]:
    """What a step of the program prints in its last line."""
    ended = subprocess.run(
        [python, "-W", "ignore", PROGRAM, step, folder, cloud.bucket, role],
        env=cloud.environment() | {"MPLBACKEND": "Agg", "MPLCONFIGDIR": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert ended.returncode == 0, ended.stderr
    printed: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return printed


def test_from_the_dataset_to_the_results(cloud: Cloud, python: Path, tmp_path: Path) -> None:
    """One story, since each step starts from the one before."""
    data = tmp_path / "training-data" / "pump"
    data.mkdir(parents=True)
    (data / "pump.csv").write_bytes(history().to_csv())
    (tmp_path / "labels.csv").write_bytes(LABELS)
    role = cloud.access_role()

    trained = run(cloud, python, "train", tmp_path, role)
    assert trained["job"] == "SUCCESS"
    assert trained["components"] == ["pump"]
    assert trained["models"] == [ASSET]
    assert (trained["labels"], trained["found"] > 0) == (1, True), "the labelled fault is found"
    assert trained["ranked"] > 0

    inferring = run(cloud, python, "infer", tmp_path, role)
    assert inferring["status"] == "RUNNING"
    assert inferring["naming"] == ["_", "yyyyMMddHHmmss", 0]
    assert "expects to find" in inferring["report"]
    assert "`pump_" in inferring["report"]

    scheduler = cloud.aws.equipment.describe_inference_scheduler(InferenceSchedulerName=ASSET)
    starts = due(cloud, scheduler, 5 * WINDOWS)
    wake(cloud, scheduler, "RequestResponse")
    inferred(cloud, scheduler, starts)

    cleaned = run(cloud, python, "clean", tmp_path, role)
    assert cleaned["executions"] >= WINDOWS
    assert cleaned["rows"] >= 5 * WINDOWS
    assert 0 <= cleaned["scores"][0] <= cleaned["scores"][1] <= 1
    assert cleaned["datasets"] == []
