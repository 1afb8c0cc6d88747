"""Label files beside an export: left as they are, and told."""

import io
from pathlib import Path

from rich.console import Console

from l4e_cli.prepare.decision import Answers
from l4e_cli.prepare.run import Options, prepare
from l4e_cli.terminal import Terminal

ROWS = "Timestamp,Flow\n" + "".join(f"2026-03-{day:02d}T00:00:00,{day % 7}\n" for day in range(1, 29))
LABELS = "2026-03-05,2026-03-06\n"


def shown(source: Path, target: Path) -> str:
    out = io.StringIO()
    terminal = Terminal(out=Console(file=out, width=10_000), err=Console(file=io.StringIO(), width=10_000))
    prepare(terminal, Options(source=source, target=target, answers=Answers(time_zone="UTC")))
    return out.getvalue()


def test_label_files_are_named_with_what_to_mind(tmp_path: Path) -> None:
    source, target = tmp_path / "export", tmp_path / "data"
    (source / "motor").mkdir(parents=True)
    (source / "pump.csv").write_text(ROWS)
    (source / "motor" / "a.csv").write_text(ROWS)
    for place in (source, source / "motor"):
        (place / "Labels.csv").write_text(LABELS)

    text = shown(source, target)
    for place in (source, source / "motor"):
        assert f"{place / 'Labels.csv'} is left as it is. Its times must be in UTC" in text
        assert f"l4e validate {target} --labels {place / 'Labels.csv'}" in text
        assert (place / "Labels.csv").read_text() == LABELS
    assert sorted(file.name for file in target.rglob("*.csv")) == ["a.csv", "pump.csv"]


def test_an_export_without_label_files_needs_no_words(tmp_path: Path) -> None:
    (tmp_path / "pump.csv").write_text(ROWS)
    assert "left as it is" not in shown(tmp_path / "pump.csv", tmp_path / "data")
