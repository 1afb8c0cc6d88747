"""Who may import whom. The rules are those of the design: each room of the house stands on its own."""

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A folder, the files in it, and the packages they may import besides the standard library."""

    folder: str
    pattern: str = "**/*.py"
    without: str | None = None
    allowed: frozenset[str] = frozenset()


ROOMS: Mapping[str, Room] = {
    "constructs": Room(
        folder="constructs_l4e",
        allowed=frozenset({"aws_cdk", "constructs", "jsii", "botocore", "constructs_l4e"}),
    ),
    "cli": Room(
        folder="l4e_cli",
        allowed=frozenset({"boto3", "botocore", "rich", "matplotlib", "numpy", "cryptography", "l4e_cli"}),
    ),
    "custom resources": Room(
        folder="lambdas/custom_resources", allowed=frozenset({"boto3", "botocore", "custom_resources"})
    ),
    "service": Room(
        folder="lambdas/service", without="jobs", allowed=frozenset({"boto3", "botocore", "service"})
    ),
    "jobs": Room(
        folder="lambdas/service/jobs", allowed=frozenset({"boto3", "botocore", "service", "engine"})
    ),
    "engine": Room(folder="lambdas/engine", allowed=frozenset({"numpy", "pyarrow", "engine"})),
    "app": Room(folder=".", pattern="app.py", allowed=frozenset({"aws_cdk", "constructs", "constructs_l4e"})),
    "examples": Room(
        folder="examples",
        allowed=frozenset({"aws_cdk", "constructs", "constructs_l4e", "platform_stack", "pytest"}),
    ),
}

DYNAMIC = frozenset({"import_module", "__import__"})
HOUSE = frozenset({"constructs_l4e", "custom_resources", "engine", "l4e_cli", "service"})


def imports(source: str) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything that Python source imports.

    Of what only type checkers import, the packages of this house alone: the others are not there at run time.
    """
    tree = ast.parse(source)
    typing_only = {
        id(node) for block in ast.walk(tree) if _for_type_checkers(block) for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        for target in _targets(node):
            if id(node) not in typing_only or _within(target, HOUSE):
                yield getattr(node, "lineno", 0), target


def _for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and not node.orelse and ast.unparse(node.test).endswith("TYPE_CHECKING")


def _targets(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(level=0, module=str(module), names=names):
            return [f"{module}.{alias.name}" for alias in names]
        case ast.ImportFrom(level=level):
            return ["." * level]
        case ast.Call(args=[ast.Constant(value=str(name)), *_]) if _called(node) in DYNAMIC:
            return [name]
        case ast.Call() if _called(node) in DYNAMIC:
            return ["<computed>"]
    return []


def _called(node: ast.Call) -> str:
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def violations(name: str, source: str) -> list[str]:
    """The imports of `source` that its room forbids."""
    room = ROOMS[name]
    return [
        f"line {line}: {target}"
        for line, target in imports(source)
        if not (target.split(".")[0] in sys.stdlib_module_names or _within(target, room.allowed))
    ]


def _within(target: str, packages: frozenset[str]) -> bool:
    return any(target == package or target.startswith(f"{package}.") for package in packages)


def files(room: Room) -> list[Path]:
    folder = ROOT / room.folder
    return [
        path
        for path in sorted(folder.glob(room.pattern))
        if room.without is None or room.without not in path.relative_to(folder).parts
    ]


@pytest.mark.parametrize("name", ROOMS)
def test_imports_stay_in_their_room(name: str) -> None:
    found = [
        f"{path.relative_to(ROOT)} {violation}"
        for path in files(ROOMS[name])
        for violation in violations(name, path.read_text(encoding="utf-8"))
    ]

    assert found == []


@pytest.mark.parametrize("name", ROOMS)
def test_rooms_are_not_empty(name: str) -> None:
    assert files(ROOMS[name])


def test_every_file_of_the_house_is_in_a_room() -> None:
    known = {path for room in ROOMS.values() for path in files(room)}
    folders = ("constructs_l4e", "l4e_cli", "lambdas")
    every = {path for folder in folders for path in (ROOT / folder).rglob("*.py")}

    assert every - known == set()


@pytest.mark.parametrize(
    ("room", "source", "found"),
    [
        ("constructs", "import boto3", ["line 1: boto3"]),
        ("constructs", "import l4e_cli", ["line 1: l4e_cli"]),
        ("constructs", "from l4e_cli.main import run", ["line 1: l4e_cli.main.run"]),
        ("constructs", "import service.names", ["line 1: service.names"]),
        ("constructs", "import importlib\nimportlib.import_module('engine')", ["line 2: engine"]),
        ("constructs", "__import__(name)", ["line 1: <computed>"]),
        ("constructs", "from . import model", ["line 1: ."]),
        ("constructs", "import json, aws_cdk\nfrom botocore.loaders import Loader", []),
        (
            "cli",
            "from constructs_l4e.service import EquipmentService",
            ["line 1: constructs_l4e.service.EquipmentService"],
        ),
        ("jobs", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy", []),
        (
            "jobs",
            "import typing as t\nif t.TYPE_CHECKING:\n    import constructs_l4e",
            ["line 3: constructs_l4e"],
        ),
        (
            "jobs",
            "if TYPE_CHECKING:\n    import numpy\nelse:\n    import pandas",
            ["line 2: numpy", "line 4: pandas"],
        ),
        ("cli", "import pyarrow", ["line 1: pyarrow"]),
        ("custom resources", "def f():\n    from service import names", ["line 2: service.names"]),
        ("custom resources", "import engine", ["line 1: engine"]),
        ("service", "import engine", ["line 1: engine"]),
        ("service", "import aws_cdk", ["line 1: aws_cdk"]),
        ("jobs", "import engine", []),
        ("jobs", "import custom_resources", ["line 1: custom_resources"]),
        ("engine", "import boto3", ["line 1: boto3"]),
        ("engine", "from service import wire", ["line 1: service.wire"]),
        ("engine", "import pandas", ["line 1: pandas"]),
        ("app", "from l4e_cli import main", ["line 1: l4e_cli.main"]),
    ],
)
def test_a_seeded_violation_is_found(room: str, source: str, found: list[str]) -> None:
    assert violations(room, source) == found
