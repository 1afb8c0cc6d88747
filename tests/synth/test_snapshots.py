"""Twelve canonical apps: templates as reviewed, and the same byte for byte when they are made again."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from canonical import check_snapshot, synth_with_nag
from canonical_apps import APPS
from deployed import SNAPSHOTS
from services import without_hashes

Files = Mapping[str, bytes]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Files]:
    """The files of the assembly of each app."""
    return {name: synthesised(name, tmp_path_factory.mktemp(name)) for name in APPS}


def synthesised(name: str, folder: Path) -> Files:
    app = cdk.App(analytics_reporting=False, outdir=str(folder))
    APPS[name](app)
    app.synth()
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def templates(name: str, files: Files) -> dict[str, Any]:
    """The templates of an app by the names of their snapshots."""
    ends = ".template.json"
    found = {path.removesuffix(ends): json.loads(files[path]) for path in files if path.endswith(ends)}
    return {
        name if len(found) == 1 else f"{name}.{path.replace('/', '.').removesuffix('.nested')}": content
        for path, content in found.items()
    }


@pytest.mark.parametrize("name", APPS)
def test_templates_are_as_reviewed(
    made: Mapping[str, Files], name: str, request: pytest.FixtureRequest
) -> None:
    for snapshot, content in templates(name, made[name]).items():
        check_snapshot(
            snapshot, without_hashes(content), update=request.config.getoption("--snapshot-update")
        )


@pytest.mark.parametrize("name", APPS)
def test_every_file_is_the_same_when_made_again(made: Mapping[str, Files], name: str, tmp_path: Path) -> None:
    assert any(path.endswith(".template.json") for path in made[name])
    assert synthesised(name, tmp_path) == made[name]


@pytest.mark.parametrize("name", ["parts", "plant"])
def test_rule_packs_find_nothing(name: str, tmp_path: Path) -> None:
    """In apps of several constructs and stacks; other tests look at each construct."""
    of = cdk.App(analytics_reporting=False, outdir=str(tmp_path))
    APPS[name](of)

    synth_with_nag(of)


def test_there_is_no_other_snapshot(made: Mapping[str, Files]) -> None:
    assert len(APPS) == 12
    assert {*SNAPSHOTS} == {snapshot for name in APPS for snapshot in templates(name, made[name])}
