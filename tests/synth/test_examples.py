"""What the documentation shows works: every example app and every snippet is run."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

import constructs_l4e

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PAGES = [
    *sorted((ROOT / "docs" / "constructs").glob("*.md")),
    *(
        ROOT / "docs" / name
        for name in ("access.md", "audit.md", "cdk-apps.md", "compliance.md", "private-network.md")
    ),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_example(example: Path, tmp_path: Path) -> None:
    is_test = example.name.startswith("test_")
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", str(example)] if is_test else [str(example)]
    run = subprocess.run(
        [sys.executable, *command],
        env={**os.environ, "PYTHONPATH": str(ROOT), "CDK_OUTDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert is_test or list(tmp_path.glob("*.template.json"))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_snippets(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDK_OUTDIR", str(tmp_path))
    snippets = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)

    assert snippets
    for snippet in snippets:
        names: dict[str, Any] = {}
        exec(compile(snippet, str(page), "exec"), names)  # noqa: S102 - our own documentation
        app = names["app"]
        assert isinstance(app, cdk.App)
        assert app.synth().stacks


def test_every_construct_has_a_page() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    titles = "\n".join(line for line in text.splitlines() if line.startswith("# "))
    constructs = {
        name.removesuffix("Base")
        for name in constructs_l4e.__all__
        if isinstance(value := getattr(constructs_l4e, name), type) and hasattr(value, "is_construct")
    }

    assert constructs
    assert {name for name in constructs if name not in titles} == set()
