"""Write measured figures into the tables of docs/benchmarks.md, so that pages and measurements cannot differ.

    python -m benchmarks.docs_tables docs/benchmarks.md [--detection FILE] [--slow FILE ...]
                                [--lengths FILE]

The files are what `benchmarks.detection --only quality`, `benchmarks.slow` and `benchmarks.lengths` write
with `--json`. Only rows and columns that a file has are written; text around the tables is kept as it is.
"""

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.judged import SEEN

Cells = list[str]
Figures = dict[str, Any]
Change = Callable[[str, Cells], Cells | None]
"""From the heading of a row, its first cell or that of a row before, and its cells: new cells, or None."""

PUBLIC = {
    "skab": "SKAB valve 1 (16 series)",
    "tep": "Tennessee Eastman (11 faults)",
    "nab_machine_temperature": "NAB machine temperature",
    "synthpump": "synthpump 11, training labels used",
}
"""Titles of the groups of series of others."""
SHOWN = {
    "PCA T2+Q": "PCA T²+Q",
    "Mahalanobis LW": "Mahalanobis",
    "engine, follow": "fast views",
    "engine, monthly": "again monthly",
}
"""Names of detectors on the page, where they differ from those of the files."""
DETECTION = ("engine", "PCA T2+Q", "IsolationForest", "ECOD", "MLP autoencoder")
"""Columns of the tables of detection."""
YOUNG_MINUTES = 5
"""Minutes between the rows of the table of young machines."""
YOUNG = ("young, linear", "young, curved")
"""Machines of the table of lengths, in the order of its columns."""
LENGTH_COLUMNS = 10


def main() -> None:
    """Write the figures of the files that are given."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("page", type=Path)
    parser.add_argument("--detection", type=Path)
    parser.add_argument("--slow", type=Path, nargs="*", default=())
    parser.add_argument("--lengths", type=Path)
    options = parser.parse_args()
    page = options.page.read_text()
    if options.detection:
        page = rewritten(page, detection_cells(json.loads(options.detection.read_text())["quality"]))
    for file in options.slow:
        page = rewritten(page, slow_cells(json.loads(file.read_text())))
    if options.lengths:
        page = rewritten(page, length_cells(json.loads(options.lengths.read_text())))
    options.page.write_text(page)


def rewritten(page: str, change: Change) -> str:
    """Return the page with the rows of its tables changed."""
    heading, lines = "", []
    for line in page.splitlines():
        cells = [each.strip() for each in line.strip()[1:-1].split("|")] if line.startswith("| ") else []
        heading = (cells[0] or heading) if cells else ""
        changed = change(heading, cells) if cells else None
        lines.append(line if changed is None else _line(changed))
    return "\n".join(lines) + "\n"


def _line(cells: Cells) -> str:
    return "|" + "|".join(f" {each} " if each else " " for each in cells) + "|"


def detection_cells(quality: dict[str, dict[str, Figures]]) -> Change:
    """Return the change to the tables of detection: a column for each detector, the best AP in bold."""
    groups = {
        PUBLIC.get(group, group.removeprefix("own: ").removeprefix("lasting, ")): group
        for group in quality["engine"]
    }

    def change(heading: str, cells: Cells) -> Cells | None:
        if heading not in groups or len(cells) != len(DETECTION) + 2 or cells[1] not in MEASURES:
            return None
        shown = MEASURES[cells[1]]
        values = [
            shown(quality[name][groups[heading]]) if name in quality else old.strip("*")
            for name, old in zip(DETECTION, cells[2:], strict=True)
        ]
        best = max(values, key=float) if cells[1] == "AP" else None
        return [*cells[:2], *(f"**{each}**" if each == best else each for each in values)]

    return change


def slow_cells(result: dict[str, list[Figures]]) -> Change:
    """Return the change to the tables of slow faults; young machines have one of their own, for one rate."""
    found: dict[tuple[str, ...], Cells] = {}
    for detector, cases in result.items():
        groups: dict[tuple[str, int], list[Figures]] = {}
        for each in cases:
            step = re.search(r" at (\d+) s", each["case"])
            groups.setdefault((each["group"], int(step[1]) // 60 if step else 1), []).append(each)
        for (group, minutes), rows in groups.items():
            name, young = SHOWN.get(detector, detector), group.startswith("young")
            if not young:
                found[group, f"{minutes} min", name] = _slow_row(rows)
            elif minutes == YOUNG_MINUTES:
                found[group, name] = [_late(rows), *_slow_row(rows)[1:]]

    def change(_: str, cells: Cells) -> Cells | None:
        keys = (key for size in (2, 3) if (key := tuple(cells[:size])) in found)
        return next(([*key, *found[key]] for key in keys if len(cells) == len(key) + len(found[key])), None)

    return change


def _slow_row(rows: list[Figures]) -> Cells:
    faults = _faults(rows)
    false = f"{_mean(rows, 'false_hours_per_day'):.2f}", f"{_mean(rows, 'false_events_per_week'):.1f}"
    if not faults:
        return ["", "", "", "", "", *false, ""]
    return [
        " ".join(f"{share:.0f}" for share in np.mean([fault["fifths"] for fault in faults], axis=0)),
        _seen(faults),
        f"{_mean(faults, 'lead'):.0f}",
        f"{_mean(faults, 'events'):.1f}",
        f"{_mean(faults, 'quiet_after'):.1f}",
        *false,
        f"{_mean(rows, 'f1'):.3f}",
    ]


def length_cells(result: dict[str, list[Figures]]) -> Change:
    """Return the change to the table of lengths of training: linear machines, then curved ones."""
    found: dict[tuple[str, str], dict[str, list[Figures]]] = {}
    for detector, cases in result.items():
        for each in cases:
            group, days = each["group"].rsplit(",", 1)
            by_kind = found.setdefault((days.split()[0], SHOWN.get(detector, detector)), {})
            by_kind.setdefault(group, []).append(each)

    for (days, detector), by_kind in found.items():
        if missing := [group for group in YOUNG if group not in by_kind]:
            raise SystemExit(
                f"{detector} at {days} days lacks {' and '.join(missing)}: measure both families, as the rows"
                " of the table have both (benchmarks.lengths)"
            )

    def change(heading: str, cells: Cells) -> Cells | None:
        kinds = found.get((heading, cells[1])) if len(cells) == LENGTH_COLUMNS else None
        if kinds is None:
            return None
        return [*cells[:2], *(cell for group in YOUNG for cell in _length_row(kinds[group]))]

    return change


def _length_row(rows: list[Figures]) -> Cells:
    false = f"{_mean(rows, 'false_hours_per_day'):.2f}".removeprefix("0")
    return [_seen(_faults(rows)), f"{_mean(_faults(rows), 'lead'):.0f}", false, _short(_mean(rows, "f1"))]


def _faults(rows: list[Figures]) -> list[Figures]:
    return [fault for each in rows for fault in each["faults"]]


def _late(rows: list[Figures]) -> str:
    return f"{np.mean([fault['fifths'][3:] for fault in _faults(rows)]):.0f}"


def _seen(faults: list[Figures]) -> str:
    return f"{sum(np.mean(fault['fifths'][3:]) >= SEEN for fault in faults)} of {len(faults)}"


def _mean(rows: list[Figures], name: str) -> float:
    return float(np.mean([each[name] for each in rows]))


def _short(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


MEASURES: dict[str, Callable[[Figures], str]] = {
    "AP": lambda of: _short(of["ap"]),
    "F1 / FAR %": lambda of: f"{_short(of['f1'])} / {of['false_alarm_percent']:.1f}",
    "events": lambda of: f"{of['found']} of {of['events']}",
    "false alarm h/day": lambda of: f"{of['false_hours_per_day']:.2f}",
}
"""What the rows of the tables of detection show."""


if __name__ == "__main__":
    main()
