"""What `l4e doctor` shows, on a terminal, in a log, and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from l4e_cli.doctor.finding import Finding, Status
from l4e_cli.terminal import Terminal
from l4e_cli.words import count

_STYLES: dict[Status, str] = {"ok": "green", "problem": "bold red", "not checked": "yellow"}
_WIDTH = max(map(len, _STYLES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """What was found in one area."""

    name: str
    findings: Sequence[Finding]

    def of(self, status: Status) -> list[Finding]:
        """Return the findings of one status."""
        return [finding for finding in self.findings if finding.status == status]


def show(terminal: Terminal, area: Area) -> None:
    """Show an area: a line for each check, and what to do below it."""
    terminal.heading(area.name)
    for finding in area.findings:
        terminal.out.print(
            f"  {finding.status:{_WIDTH}}", style=_STYLES[finding.status], markup=False, end="  "
        )
        terminal.line(f"{finding.check}: {finding.text}")
        if finding.fix is not None:
            terminal.line(f"  {'':{_WIDTH}}  -> {finding.fix}")


def conclude(terminal: Terminal, areas: Sequence[Area]) -> None:
    """Show how many checks ended how."""
    problems, unknown = (sum(len(area.of(status)) for area in areas) for status in ("problem", "not checked"))
    good = sum(len(area.of("ok")) for area in areas)
    counts = f"{good} ok, {count(problems, 'problem')}, {unknown} not checked"
    terminal.line()
    terminal.line(counts, style="bold red" if problems else "green")


def document(areas: Sequence[Area]) -> dict[str, Any]:
    """Return what was found in types that JSON has."""
    return {
        "ok": not any(area.of("problem") for area in areas),
        "checks": [{"area": area.name, **asdict(finding)} for area in areas for finding in area.findings],
    }
