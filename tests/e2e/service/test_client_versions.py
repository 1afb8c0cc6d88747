"""Clients of the lowest and the newest botocore, and such whose botocore has forgotten the service."""

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import awscli
import pytest

from tests.e2e.cloud import ROOT, Cloud
from tests.e2e.packages import uv
from tests.waiting import PATIENCE

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["local"]
LOWEST = next(each for each in EXTRAS if each.startswith("boto3")).split(">=")[1].split(",")[0]
REQUIREMENTS = {"lowest": (f"boto3=={LOWEST}", f"botocore=={LOWEST}"), "newest": ("boto3>=1.44",)}
GUIDE = Path(__file__).with_name("guide_program.py")
FORGOTTEN = Path("botocore", "data", "lookoutequipment")
PROGRAM = """
import botocore, boto3, sys
client = boto3.client("lookoutequipment")
name = sys.argv[1]
client.create_dataset(DatasetName=name, ClientToken=name)
try:
    status = client.describe_dataset(DatasetName=name)["Status"]
    print(botocore.__version__, status, client.can_paginate("list_models"))
finally:
    client.delete_dataset(DatasetName=name)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A folder with boto3 as requirements have it, and what it depends on."""

    def install(*requirements: str) -> Path:
        folder = tmp_path_factory.mktemp("boto3")
        uv("pip", "install", "--quiet", "--python", sys.executable, "--target", folder, *requirements)
        return folder

    return install


def used(cloud: Cloud, path: Path, name: str) -> list[str]:
    """What the program prints that makes, describes and deletes a dataset with the boto3 in a folder."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, name],
        env=cloud.environment() | {"PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.split()


@pytest.mark.parametrize("which", ["lowest", "newest"])
def test_boto3_of_any_release(cloud: Cloud, installed: Callable[..., Path], which: str) -> None:
    path = installed(*REQUIREMENTS[which])

    version, *printed = used(cloud, path, f"by-{which}")

    assert (version == LOWEST) is (which == "lowest")
    assert printed == ["CREATED", "False"]
    shutil.rmtree(path / FORGOTTEN)
    assert used(cloud, path, f"forgotten-by-{which}") == [version, "CREATED", "False"]


@pytest.mark.parametrize("which", ["lowest", "newest"])
def test_the_samples_of_the_guide_in_order(cloud: Cloud, installed: Callable[..., Path], which: str) -> None:
    name = f"guide-{which}"
    cloud.upload_history(name)
    ended = subprocess.run(
        [sys.executable, GUIDE, name, cloud.bucket, cloud.access_role()],
        env=cloud.environment() | {"PYTHONPATH": str(installed(*REQUIREMENTS[which]))},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert ended.returncode == 0, ended.stderr
    seen = json.loads(ended.stdout)
    assert (seen.pop("boto3") == LOWEST) is (which == "lowest")
    assert seen.pop("root cause").startswith("pump\\")
    assert seen == {
        "created": "CREATED",
        "ingested": "SUCCESS",
        "datasets": [name],
        "active": "ACTIVE",
        "training": "IN_PROGRESS",
        "trained": "SUCCESS",
        "models": [name],
        "labels found": 1,
        "scheduler": "PENDING",
        "scheduled": "RUNNING",
        "schedulers": [name],
        "statuses": ["STOPPED", "RUNNING", "STOPPED"],
        "left": 0,
    }


def test_a_boto3_that_forgot_the_service_does_not_know_it_by_itself(
    cloud: Cloud, installed: Callable[..., Path]
) -> None:
    """The test above would prove nothing, if the service were found elsewhere."""
    path = installed(*REQUIREMENTS["lowest"])
    shutil.rmtree(path / FORGOTTEN)
    environment = cloud.environment() | {"PYTHONPATH": str(path), "HOME": str(path)}
    del environment["AWS_DATA_PATH"]
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, "unknown"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert "UnknownServiceError" in ended.stderr


def test_an_aws_command_line_that_forgot_the_service(cloud: Cloud, tmp_path: Path) -> None:
    """All of it but the service is there by links; it carries its own botocore."""
    source, copy = Path(awscli.__file__).parent, tmp_path / "awscli"
    for folder in (".", "botocore", "botocore/data"):
        (copy / folder).mkdir()
        for path in (source / folder).iterdir():
            if path.name not in {"botocore", "data" if folder == "botocore" else "", "lookoutequipment"}:
                (copy / folder / path.name).symlink_to(path)

    def aws(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "awscli", "lookoutequipment", *arguments],
            env=cloud.environment() | {"PYTHONPATH": str(tmp_path), "HOME": str(tmp_path)} | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    assert aws("list-datasets", AWS_DATA_PATH="").returncode != 0
    listed = aws("list-datasets", "--dataset-name-begins-with", "nothing-begins-so")
    assert (listed.returncode, json.loads(listed.stdout or "null")) == (0, {"DatasetSummaries": []})
    helped = aws("create-dataset", "help", AWS_PAGER="", PAGER="cat")
    assert "Creates a container for a collection of data" in " ".join(helped.stdout.split()), (
        "descriptions come along"
    )
