"""Who may import whom. The rules are those of the design: each room of the house stands on its own."""

import ast
import importlib.util
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
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


SERVICE_RULES = frozenset(
    {
        "service.errors",
        "service.members.key_pattern",
        "service.requests.service_model",
        "service.settings",
        "service.jobs.csv_reading",
        "service.jobs.failure",
        "service.jobs.ingestion.findings",
        "service.jobs.ingestion.parts",
        "service.jobs.ingestion.second_reading",
        "service.jobs.ingestion.selection",
        "service.jobs.storage.listed_object",
        "service.jobs.training.training_labels",
        "service.members.training_windows",
        "service.requests.validation",
    }
)
"""Pure modules of the service with its rules about files, which the command applies without a deployment."""

ROOMS: Mapping[str, Room] = {
    "constructs": Room(
        folder="constructs_l4e",
        allowed=frozenset(
            {"aws_cdk", "constructs", "jsii", "typing_extensions", "constructs_l4e", "l4e_files", "l4e_layer"}
        ),
    ),
    "cli": Room(
        folder="l4e_cli",
        allowed=frozenset(
            {
                "boto3",
                "botocore",
                "rich",
                "matplotlib",
                "numpy",
                "pyarrow",
                "cryptography",
                "l4e_cli",
                "l4e_files",
                "l4e_layer",
                "engine",
                *SERVICE_RULES,
                "service.jobs.storage.s3_streams",  # uploads of the service, which `l4e doctor` tries
            }
        ),
    ),
    "custom resources": Room(
        folder="lambdas/custom_resources", allowed=frozenset({"boto3", "botocore", "custom_resources"})
    ),
    "service": Room(
        folder="lambdas/service", without="jobs", allowed=frozenset({"boto3", "botocore", "service"})
    ),
    "jobs": Room(
        folder="lambdas/service/jobs",
        allowed=frozenset({"boto3", "botocore", "service", "engine", "l4e_files"}),
    ),
    "engine": Room(folder="lambdas/engine", allowed=frozenset({"numpy", "pyarrow", "engine", "l4e_files"})),
    "files": Room(folder="l4e_files", allowed=frozenset({"l4e_files"})),
    "layer": Room(folder="l4e_layer", allowed=frozenset({"l4e_layer"})),
    "app": Room(folder=".", pattern="app.py", allowed=frozenset({"aws_cdk", "constructs", "constructs_l4e"})),
    "examples": Room(
        folder="examples",
        allowed=frozenset({"aws_cdk", "cdk_nag", "constructs", "constructs_l4e", "platform_stack", "pytest"}),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """A package and its stages in order: a module imports from its own stage and those before it.

    A stage is a set of folders and modules of the package. Those that are `apart` do not import each other.
    No stage imports the package itself, which gathers what its stages offer.
    """

    package: str
    order: tuple[frozenset[str], ...]
    apart: frozenset[str] = frozenset()

    @property
    def folder(self) -> Path:
        return ROOT / "lambdas" / Path(*self.package.split("."))


STAGES: Mapping[str, Stages] = {
    "engine": Stages(
        package="engine",
        order=tuple(
            frozenset({stage}) for stage in ("ingest", "frame", "detect", "evaluate", "explain", "train")
        ),
    ),
    "jobs": Stages(
        package="service.jobs",
        order=(
            frozenset(
                {
                    "adaptation",
                    "capacity",
                    "columns",
                    "csv_reading",
                    "failure",
                    "machine_off",
                    "result_lines",
                    "times",
                }
            ),
            frozenset({"storage"}),
            frozenset({"runtime"}),
            frozenset({"importing", "ingestion", "training", "inference"}),
            frozenset({"ingest", "train", "infer", "task"}),  # the entry points
        ),
        apart=frozenset({"importing", "ingestion", "training", "inference"}),
    ),
}


BASIS = frozenset(
    {"aws_cdk", "aws_cdk._jsii", "aws_cdk.cloud_assembly_schema", "aws_cdk.cx_api", "aws_cdk.interfaces.*"}
)
"""What the other modules of the CDK are based on; `interfaces` is imported here, too."""

DYNAMIC = frozenset({"import_module", "__import__"})
HOUSE = frozenset(
    {"constructs_l4e", "custom_resources", "engine", "l4e_cli", "l4e_files", "l4e_layer", "service"}
)


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
    folders = ("constructs_l4e", "l4e_cli", "l4e_files", "l4e_layer", "lambdas")
    every = {path for folder in folders for path in (ROOT / folder).rglob("*.py")}

    assert every - known == set()


def test_types_are_checked_of_all_that_is_imported_of_the_cdk() -> None:
    """What mypy may not read it takes for anything, and `from aws_cdk import` says nothing of it."""
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    (read,) = (set(each["module"]) for each in tool["overrides"] if each.get("follow_imports") == "normal")
    cdk = importlib.util.find_spec("aws_cdk")
    assert cdk is not None
    assert cdk.origin is not None
    imported = {
        ".".join(target.split(".")[:2])
        for package in tool["packages"]
        for path in (ROOT / package).rglob("*.py")
        for _, target in imports(path.read_text(encoding="utf-8"))
        if target.startswith("aws_cdk.")
    }
    modules = {name for name in imported if Path(cdk.origin).with_name(name.split(".")[1]).is_dir()}

    assert len(modules) > 20
    assert modules - {"aws_cdk.interfaces"} == read - BASIS


def test_files_of_tests_have_names_of_their_own() -> None:
    """They are no packages: pytest would take two files of one name for one module, and run neither."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))

    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize(
    ("room", "source", "found"),
    [
        ("constructs", "import boto3", ["line 1: boto3"]),
        ("constructs", "import l4e_cli", ["line 1: l4e_cli"]),
        ("constructs", "from l4e_cli.main import run", ["line 1: l4e_cli.main.run"]),
        ("constructs", "import service.storage.names", ["line 1: service.storage.names"]),
        ("constructs", "import importlib\nimportlib.import_module('engine')", ["line 2: engine"]),
        ("constructs", "__import__(name)", ["line 1: <computed>"]),
        ("constructs", "from . import model", ["line 1: ."]),
        (
            "constructs",
            "import json, aws_cdk\nfrom botocore.loaders import Loader",
            ["line 2: botocore.loaders.Loader"],
        ),
        ("constructs", "import json, aws_cdk", []),
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
        ("cli", "import pandas", ["line 1: pandas"]),
        ("cli", "import service.settings, service.storage.store", ["line 1: service.storage.store"]),
        ("cli", "import pyarrow\nfrom engine import convert_csv", []),
        (
            "custom resources",
            "def f():\n    from service.storage import names",
            ["line 2: service.storage.names"],
        ),
        ("custom resources", "import engine", ["line 1: engine"]),
        ("service", "import engine", ["line 1: engine"]),
        ("service", "import aws_cdk", ["line 1: aws_cdk"]),
        ("jobs", "import engine", []),
        ("jobs", "import custom_resources", ["line 1: custom_resources"]),
        ("engine", "import boto3", ["line 1: boto3"]),
        ("engine", "from service.requests import wire", ["line 1: service.requests.wire"]),
        ("engine", "import pandas", ["line 1: pandas"]),
        ("files", "import numpy", ["line 1: numpy"]),
        ("files", "from engine import convert_file", ["line 1: engine.convert_file"]),
        ("layer", "import aws_cdk", ["line 1: aws_cdk"]),
        ("app", "from l4e_cli import main", ["line 1: l4e_cli.main"]),
    ],
)
def test_a_seeded_violation_is_found(room: str, source: str, found: list[str]) -> None:
    assert violations(room, source) == found


def stage_violations(name: str, part: str, source: str) -> list[str]:
    """The imports that the order of stages forbids to the part of a package: a folder or a module."""
    stages = STAGES[name]
    rank = {member: at for at, stage in enumerate(stages.order) for member in stage}
    found = []
    for line, target in imports(source):
        if not _within(target, frozenset({stages.package})):
            continue
        other = target.removeprefix(stages.package).removeprefix(".").partition(".")[0]
        apart = other in stages.apart and part in stages.apart and other != part
        if other not in rank or rank[other] > rank[part] or apart:
            found.append(f"line {line}: {target}")
    return found


def staged(stages: Stages) -> Iterator[tuple[str, Path]]:
    """(part, file) of every module of the package but the package itself."""
    for path in sorted(stages.folder.rglob("*.py")):
        part = path.relative_to(stages.folder).parts[0].removesuffix(".py")
        if part != "__init__":
            yield part, path


@pytest.mark.parametrize("name", STAGES)
def test_stages_import_only_those_before_them(name: str) -> None:
    found = [
        f"{path.relative_to(ROOT)} {violation}"
        for part, path in staged(STAGES[name])
        for violation in stage_violations(name, part, path.read_text(encoding="utf-8"))
    ]

    assert found == []


@pytest.mark.parametrize("name", STAGES)
def test_every_module_is_in_a_stage(name: str) -> None:
    stages = STAGES[name]

    assert {part for part, _ in staged(stages)} <= frozenset().union(*stages.order)


@pytest.mark.parametrize(
    ("name", "part", "source", "found"),
    [
        ("engine", "frame", "from engine.detect.view import View", ["line 1: engine.detect.view.View"]),
        ("engine", "explain", "import json\nimport engine.train.fit", ["line 2: engine.train.fit"]),
        ("engine", "detect", "from engine import fit", ["line 1: engine.fit"]),
        ("engine", "detect", "import engine", ["line 1: engine"]),
        ("engine", "detect", "from engine.frame.frame import Frame\nimport engine.detect.view", []),
        (
            "jobs",
            "times",
            "from service.jobs.runtime import Runtime",
            ["line 1: service.jobs.runtime.Runtime"],
        ),
        (
            "jobs",
            "storage",
            "from service.jobs.runtime import Runtime",
            ["line 1: service.jobs.runtime.Runtime"],
        ),
        (
            "jobs",
            "storage",
            "from service.jobs.ingestion import read",
            ["line 1: service.jobs.ingestion.read"],
        ),
        ("jobs", "training", "import service.jobs.train", ["line 1: service.jobs.train"]),
        (
            "jobs",
            "training",
            "from service.jobs.ingestion import read",
            ["line 1: service.jobs.ingestion.read"],
        ),
        (
            "jobs",
            "inference",
            "import service.jobs.training.training_labels",
            ["line 1: service.jobs.training.training_labels"],
        ),
        ("jobs", "ingestion", "import service.jobs.inference", ["line 1: service.jobs.inference"]),
        (
            "jobs",
            "training",
            "import service.jobs.training.training_labels, engine.train.fit, service.storage.names",
            [],
        ),
        ("jobs", "task", "from service.jobs import runtime, train", []),
    ],
)
def test_a_seeded_violation_of_the_stages_is_found(
    name: str, part: str, source: str, found: list[str]
) -> None:
    assert stage_violations(name, part, source) == found


NAMED = ("lambdas/service", "lambdas/engine")
"""Folders whose modules import each other: there, one name means one thing."""


def public_classes(source: str) -> Iterator[str]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.name


def shared(named: Iterable[tuple[str, str]]) -> dict[str, Sequence[str]]:
    """The names that are given more than once, with the places that have them, of (name, place)."""
    places = defaultdict[str, list[str]](list)
    for name, place in named:
        places[name].append(place)
    return {name: found for name, found in places.items() if len(found) > 1}


def named_modules() -> list[Path]:
    every = (path for folder in NAMED for path in sorted((ROOT / folder).rglob("*.py")))
    return [path for path in every if path.stem != "__init__"]


def test_no_two_modules_share_a_name() -> None:
    assert shared((path.stem, str(path.relative_to(ROOT))) for path in named_modules()) == {}


def test_no_two_public_classes_share_a_name() -> None:
    named = [
        (name, str(path.relative_to(ROOT)))
        for path in named_modules()
        for name in public_classes(path.read_text(encoding="utf-8"))
    ]

    assert shared(named) == {}


def test_a_name_that_is_given_twice_is_found() -> None:
    assert len(named_modules()) > 50
    assert shared([("windows", "a"), ("view", "b"), ("windows", "c")]) == {"windows": ["a", "c"]}
    source = "class Window:\n    class Inner: ...\nclass _Row: ...\nclass Row(Window): ...\ndef Rows(): ..."
    assert list(public_classes(source)) == ["Window", "Row"]
