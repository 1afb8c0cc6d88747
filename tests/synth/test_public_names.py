"""The names of the package, as a program that uses it and its type checker see them."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import constructs_l4e

ROOT = Path(__file__).resolve().parents[2]
RIGHT = f"""
import aws_cdk
import constructs_l4e
from constructs_l4e import {", ".join(constructs_l4e.__all__)}

TRAINING: TimeRange = constructs_l4e.TimeRange.between("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z")


def places(dataset: Dataset, anywhere: IModel) -> list[object]:
    model: IModel = dataset.add_model("Model", wait=False)
    stack = aws_cdk.Stack.of(anywhere)
    return [stack.region, anywhere.env.account, anywhere.node.path, anywhere.stack.account, model.node.path]
"""


def mypy(program: str, folder: Path) -> list[str]:
    """What `mypy --strict` says of a program, line by line; it shares the cache of `make lint`."""
    path = folder / "consumer.py"
    path.write_text(program)
    command = [sys.executable, "-m", "mypy", "--strict", "--hide-error-context", str(path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    *found, summary = (run.stdout + run.stderr).splitlines()
    assert ("Success" in summary) == (run.returncode == 0) == (not found)
    return found


def test_a_right_program_is_accepted(tmp_path: Path) -> None:
    assert mypy(RIGHT, tmp_path) == []


@pytest.mark.parametrize(
    ("right", "wrong", "error"),
    [
        ("AlarmThresholds", "AlarmTresholds", 'has no attribute "AlarmTresholds"'),
        ("constructs_l4e.TimeRange", "constructs_l4e.TimeRanje", 'has no attribute "TimeRanje"'),
        (".between(", ".betwen(", '"type[TimeRange]" has no attribute "betwen"'),
        ("TRAINING: TimeRange", "TRAINING: DatasetSchema", "Incompatible types in assignment"),
        ("wait=False", "wait='no'", 'incompatible type "str"; expected "bool"'),
        ("anywhere.env", "anywhere.environment", 'has no attribute "environment"'),
    ],
)
def test_a_wrong_name_is_an_error(right: str, wrong: str, error: str, tmp_path: Path) -> None:
    assert right in RIGHT
    found = mypy(RIGHT.replace(right, wrong, 1), tmp_path)

    assert len(found) == 1
    assert error in found[0]


@pytest.mark.parametrize("name", constructs_l4e.__all__)
def test_a_public_name_is_defined_in_a_public_module(name: str) -> None:
    module = getattr(constructs_l4e, name).__module__

    assert module.startswith("constructs_l4e.")
    assert not module.split(".")[1].startswith("_")
    assert (module == "constructs_l4e.interfaces") == (name[0] == "I" and name[1].isupper())


def test_the_version_is_that_of_the_distribution() -> None:
    assert constructs_l4e.__version__ == importlib.metadata.version("constructs-l4e")
