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
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=True, header_style="bold")
    for column in ("decision", "value", "count", "evidence", "example"):
        table.add_column(column, justify="right" if column == "count" else "left", overflow="fold")
    for decision in prepared.decisions:
        count = "" if decision.count is None else f"{decision.count:,}"
        cells = (decision.what, decision.value, count, decision.evidence, decision.example[:60])
        table.add_row(*(Text(cell) for cell in cells))
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
    path.write_text(json.dumps({"files": files}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_names(path: Path, prepared: Sequence[Prepared]) -> None:
    """Write the name of each sensor in the export and in the service."""
    lines = sorted({(file.component, new, old) for file in prepared for old, new in file.names})
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["component", "sensor", "name in the export"])
        writer.writerows(lines)
