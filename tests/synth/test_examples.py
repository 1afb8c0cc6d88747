"""What the documentation shows works: every example app and every snippet is run."""

import csv
import inspect
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.cx_api import CloudAssembly

import constructs_l4e
from constructs_l4e._rest_api import STAGE
from examples import fleet

ROOT = Path(__file__).resolve().parents[2]
TESTS = sorted((ROOT / "examples").glob("test_*.py"))
APPS = sorted(set((ROOT / "examples").glob("*.py")) - set(TESTS))
CONSTRUCTS = sorted((ROOT / "docs" / "constructs").glob("*.md"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SNIPPET = re.compile(r"```python\n(.*?)```", re.DOTALL)
SNIPPETS = [
    pytest.param(snippet, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, snippet in enumerate(SNIPPET.findall(page.read_text(encoding="utf-8")), start=1)
]


@pytest.mark.parametrize("example", APPS, ids=lambda path: path.name)
def test_example(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[CloudAssembly] = []
    synth = cdk.App.synth
    monkeypatch.setattr(cdk.App, "synth", lambda app: made.append(synth(app)))
    runpy.run_path(str(example), run_name="__main__")

    (assembly,) = made
    assert assembly.stacks


@pytest.mark.parametrize("example", TESTS, ids=lambda path: path.name)
def test_example_of_a_test(example: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(example)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("snippet", [each for each in SNIPPETS if "cdk.App(" in str(each.values[0])])
def test_snippets_of_apps_synthesise(snippet: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDK_OUTDIR", str(tmp_path))
    names: dict[str, Any] = {}
    exec(compile(snippet, "snippet", "exec"), names)  # noqa: S102 - our own documentation
    app = names["app"]
    assert isinstance(app, cdk.App)
    assert app.synth().stacks


@pytest.mark.parametrize("page", CONSTRUCTS, ids=lambda path: path.name)
def test_the_page_of_a_construct_begins_with_an_app_to_copy(page: Path) -> None:
    """A title, a paragraph at most, and then an app from its imports to its synthesis."""
    before, _, rest = page.read_text(encoding="utf-8").partition("```python\n")
    app = rest.partition("```")[0]
    assert before.count("\n\n") <= 2
    assert "import aws_cdk as cdk\n" in app
    assert app.endswith("\napp.synth()\n")


def test_a_fleet_has_a_stack_for_each_row(tmp_path: Path) -> None:
    app = cdk.App(analytics_reporting=False, outdir=str(tmp_path))
    fleet.build(app)
    stacks = {stack.stack_name: stack.template for stack in app.synth().stacks}

    rows = list(csv.DictReader((ROOT / "examples" / "fleet.csv").read_text().splitlines()))
    assert len(rows) > 1
    assert stacks.keys() == {"Fleet", *(row["asset"] for row in rows)}
    for row in rows:
        (model,) = (
            each["Properties"]
            for each in stacks[row["asset"]]["Resources"].values()
            if each["Type"] == "Custom::LookoutEquipmentModel"
        )
        assert ("OffCondition" in model) == bool(row["off_condition"])
        assert model["TrainingDataStartTime"] == row["training_start"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [("2026-01-01T00:00:00Z,2025-07-01T00:00:00Z,,Flow,", "line 2: time range"), (",,,Flow,", "line 2: ")],
)
def test_a_wrong_row_of_a_fleet_is_named(tmp_path: Path, wrong: str, message: str) -> None:
    table = tmp_path / "pumps.csv"
    table.write_text(f"asset,training_start,training_end,off_condition,pump,motor\nPump1,{wrong}\n")

    with pytest.raises(ValueError, match=f"pumps.csv, {message}"):
        list(fleet.read(table))


def test_every_construct_has_a_page() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in CONSTRUCTS)
    titles = "\n".join(line for line in text.splitlines() if line.startswith("# "))
    constructs = {
        name.removesuffix("Base")
        for name in constructs_l4e.__all__
        if isinstance(value := getattr(constructs_l4e, name), type)
        and hasattr(value, "is_construct")
        and not inspect.isabstract(value)
    }

    assert constructs
    assert {name for name in constructs if name not in titles} == set()


def test_imports_name_the_stage_that_the_service_has() -> None:
    places = [*PAGES, *(ROOT / "examples").glob("*.py")]
    named = {
        stage
        for place in places
        for stage in re.findall(r'api_stage="([^"]+)"', place.read_text(encoding="utf-8"))
    }

    assert named == {STAGE}
