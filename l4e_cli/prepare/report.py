"""The report: every decision, and every name that changed."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from l4e_cli.prepare.decision import Decision
from l4e_cli.terminal import Terminal
from l4e_cli.whole_file import whole_file

_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What became of a file.

    Attributes:
        source: The export.
        target: The file that was written.
        component: The component that it is about.
        rows: Rows that were written.
        names: Per sensor, its name in the export and its name in the file.
        decisions: What was decided.
    """

    source: Path
    target: Path
    component: str
    rows: int
    names: tuple[tuple[str, str], ...]
    decisions: tuple[Decision, ...]


def show(terminal: Terminal, prepared: Prepared) -> None:
    """Show the decisions about a file."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for decision in prepared.decisions:
        count = "" if decision.count is None else f" ({decision.count:,})"
        example = f", such as {decision.example[:_SHOWN]!r}" if decision.example else ""
        text = Text(decision.value)
        text.append(f"{count}: {decision.evidence}{example}", style="dim")
        table.add_row(Text(decision.what), text)
    terminal.out.print(table, soft_wrap=False)


def write_report(path: Path, prepared: Sequence[Prepared]) -> None:
    """Write all decisions as JSON."""
    files = [
        {
            "source": str(file.source),
            "target": str(file.target),
            "component": file.component,
            "rows": file.rows,
            "sensors": {new: old for old, new in file.names},
            "decisions": [asdict(decision) for decision in file.decisions],
        }
        for file in prepared
    ]
    text = json.dumps({"files": files}, indent=2, ensure_ascii=False) + "\n"
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_names(path: Path, prepared: Sequence[Prepared]) -> None:
    """Write the name of each sensor in the export and in the service."""
    lines = sorted({(file.component, new, old) for file in prepared for old, new in file.names})
    with whole_file(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["component", "sensor", "name in the export"])
        writer.writerows(lines)
