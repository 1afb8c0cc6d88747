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


WRONG = {
    "an import": ("AlarmThresholds", "AlarmTresholds", 'has no attribute "AlarmTresholds"'),
    "a name": ("constructs_l4e.TimeRange", "constructs_l4e.TimeRanje", 'has no attribute "TimeRanje"'),
    "a method": (".between(", ".betwen(", '"type[TimeRange]" has no attribute "betwen"'),
    "a type": ("TRAINING: TimeRange", "TRAINING: DatasetSchema", "Incompatible types in assignment"),
    "a prop": ("wait=False", "wait='no'", 'incompatible type "str"; expected "bool"'),
    "an interface": ("anywhere.env", "anywhere.environment", 'has no attribute "environment"'),
}
"""What of the right program is wrong in another one, and what is said of that."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What `mypy --strict` says of each program, in one run; it shares the cache of `make lint`."""
    folder = tmp_path_factory.mktemp("consumers")
    programs = {"nothing": RIGHT} | {
        name: RIGHT.replace(right, wrong, 1) for name, (right, wrong, _) in WRONG.items()
    }
    files = {name: folder / f"consumer_{number}.py" for number, name in enumerate(programs)}
    for name, program in programs.items():
        files[name].write_text(program)
    command = [sys.executable, "-m", "mypy", "--strict", "--hide-error-context", *map(str, files.values())]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert f"checked {len(programs)} source files" in run.stdout, run.stdout + run.stderr
    lines = run.stdout.splitlines()[:-1]
    by_program = {name: [line for line in lines if file.name in line] for name, file in files.items()}
    assert sum(map(len, by_program.values())) == len(lines), lines
    return by_program


def test_a_right_program_is_accepted(found: dict[str, list[str]]) -> None:
    assert found["nothing"] == []


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_an_error(found: dict[str, list[str]], wrong: str) -> None:
    right, _, error = WRONG[wrong]
    assert right in RIGHT
    assert len(found[wrong]) == 1
    assert error in found[wrong][0]


@pytest.mark.parametrize("name", constructs_l4e.__all__)
def test_a_public_name_is_defined_in_a_public_module(name: str) -> None:
    module = getattr(constructs_l4e, name).__module__

    assert module.startswith("constructs_l4e.")
    assert not module.split(".")[1].startswith("_")
    assert (module == "constructs_l4e.interfaces") == (name[0] == "I" and name[1].isupper())


def test_the_version_is_that_of_the_distribution() -> None:
    assert constructs_l4e.__version__ == importlib.metadata.version("constructs-l4e")
