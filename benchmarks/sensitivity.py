"""Measure what changes when a constant of the engine is halved, and when it is doubled.

    python -m benchmarks.sensitivity [DATA] [--only view,slow_fit.DRIFT] [--jobs 2] [--json FILE]
                                     [--docs docs/method.md]

All choices of `benchmarks.constants` by the figures of `benchmarks.key_figures`, each change in a process of
its own. Printed is how far figures move that move by more than their tolerance, else "same". With `--json`,
figures are kept as they come, and what is there of the same engine is not measured again. `--docs` writes
them into the tables of a page: the last two cells of rows about a constant, the last one of rows about a
figure.
"""

import argparse
import hashlib
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

import engine
from benchmarks.constants import Constant, choices
from benchmarks.key_cases import Cases
from benchmarks.key_figures import fitting

PART_OF = {
    "additive_model": "weeks",
    "comparison": "versions",
    "events": "events",
    "few_days": "weeks",
    "filling": "gaps",
    "known_faults": "again",
    "level_events.MOVED_SHARE": "again",
    "outermost": "season",
    "slow_alarm": "weeks",
    "slow_fit": "weeks",
    "time_bins": "weeks",
    "trained_states": "weeks",
    "training_range.NEARLY_ALL": "units",
    "unit_changes": "units",
}
"""The only figures that some constants, or all of a module, can touch; for others those of scores."""
SCORING = {
    "comparison",
    "ensemble",
    "events",
    "known_faults",
    "level_events",
    "level_shift.FAR_RATIO",
    "level_shift.SINGLE_SENSOR_SHARE",
    "slow_alarm.ENDED",
    "slow_alarm.MEMORY",
    "slow_alarm.NEIGHBOURS",
    "slow_drift",
    "training_range.NEARLY_ALL",
    "unit_changes",
}
"""Constants, or all of a module, that a first training does not look at: its detectors are kept."""
TOLERANCES = {
    "FAR": 1.0,
    "roots": 0.03,
    "late": 3.0,
    "lead": 48.0,
    "false": 0.1,
    "events a fault": 0.1,
    "false events a week": 0.1,
    "units named": 2.0,
    "wrongly named": 0.5,
    "faults left out": 2.0,
    "healthy left out": 1.0,
    "levels told": 2.0,
    "taken": 0.5,
    "undecided": 0.5,
}
"""By how much a figure may move and still be the same, by how its name ends; the others by .01."""
ROW = re.compile(r"\| (?:[^|]*`(?P<constant>[a-z_]+\.[\w.]+)`|(?P<figure>[^|`]+)) \|")
Figures = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Figures of one engine, by part as it is, and by change; none where it does not run with a change."""

    engine: str
    usual: dict[str, Figures] = field(default_factory=dict)
    changed: dict[str, Figures] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path | None) -> "Results":
        """Read what is known of this engine."""
        sources = sorted(Path(engine.__path__[0]).rglob("*.py"))
        digest = hashlib.sha256(b"".join(each.read_bytes() for each in sources)).hexdigest()
        known = json.loads(file.read_text()) if file and file.exists() else {}
        return cls(**known) if known.get("engine") == digest else cls(engine=digest)

    def moved(self, constant: Constant, size: str) -> str:
        """Say how far figures moved, the farthest first; nothing if that is not known."""
        usual, figures = self.usual.get(part_of(constant)), self.changed.get(f"{constant.name} {size}")
        if usual is None or figures is None:
            return ""
        if not figures:
            return "does not run"
        by = {name: figures[name] - each for name, each in usual.items()}
        far = sorted(by, key=lambda name: -abs(by[name]) / tolerance(name))
        words = [
            f"{name} {_signed(by[name], tolerance(name))}" for name in far if abs(by[name]) > tolerance(name)
        ]
        return ", ".join(words) or "same"


def part_of(constant: Constant) -> str:
    """Return which figures a constant can touch."""
    return next((PART_OF[each] for each in names(constant) if each in PART_OF), "scores")


def names(constant: Constant) -> tuple[str, str]:
    """Return how a constant may be called: by its name, or by its module."""
    return constant.name, constant.name.partition(".")[0]


def tolerance(name: str) -> float:
    """Return by how much a figure may move and still be the same."""
    return next((each for end, each in TOLERANCES.items() if name.endswith(end)), 0.01)


def _shown(value: float, within: float) -> str:
    digits = 3 if within < 0.05 else 2 if within < 0.5 else 1 if within == 1 else 0
    return re.sub(r"^(-?)0\.", r"\1.", f"{value:.{digits}f}")


def _signed(by: float, within: float) -> str:
    return ("+" if by > 0 else "") + _shown(by, within)


def measured(part: str, cases: Path, change: str | None = None, *, fitted: bool = False) -> Figures:
    """Return the figures of a part, after a change of the engine; none if the engine does not run then."""
    altered = ["benchmarks.altered", change] if change else []
    figures_of = ["benchmarks.key_figures", part, str(cases), *(["--fitted"] if fitted else [])]
    command = [sys.executable, "-m", *altered, *figures_of]
    alone = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=alone)  # noqa: S603 - this interpreter
    if done.returncode:
        print(f"{change or part}: {done.stderr.strip()}", file=sys.stderr, flush=True)
    figures: Figures = json.loads(done.stdout) if not done.returncode else {}
    return figures


def measure_all(
    results: Results, constants: list[Constant], cases: Path, jobs: int, file: Path | None
) -> None:
    """Measure what is not known yet, and print and keep it as it comes."""
    todo = [
        (each, size, value)
        for each in constants
        for size, value in (("halved", each.smaller), ("doubled", each.larger))
        if f"{each.name} {size}" not in results.changed
    ]

    parts = sorted({part_of(each) for each, *_ in todo} - results.usual.keys())

    def change(task: tuple[Constant, str, object]) -> Figures:
        constant, _, value = task
        changed = f"{constant.module}:{constant.attribute}={value!r}"
        fitted = not SCORING.isdisjoint(names(constant))
        return measured(part_of(constant), cases, changed, fitted=fitted)

    with ThreadPoolExecutor(jobs) as pool:
        results.usual.update(zip(parts, pool.map(lambda part: measured(part, cases), parts), strict=True))
        if not all(results.usual.values()):
            raise SystemExit("the engine does not run as it is")
        for (constant, size, _), figures in zip(todo, pool.map(change, todo), strict=True):
            results.changed[f"{constant.name} {size}"] = figures
            print(f"{constant.name:42} {size:8} {results.moved(constant, size)}", flush=True)
            if file:
                file.write_text(json.dumps(asdict(results), indent=1, sort_keys=True) + "\n")


def with_figures(page: str, results: Results, constants: list[Constant]) -> str:
    """Return a page with the figures in its tables."""
    usual = {name: each for figures in results.usual.values() for name, each in figures.items()}
    changes = {each.name: [results.moved(each, size) for size in ("halved", "doubled")] for each in constants}
    lines = []
    for line in page.splitlines():
        row = ROW.match(line)
        cells = changes.get(row["constant"], [""]) if row else [""]
        if row and row["figure"] in usual:
            cells = [_shown(usual[row["figure"]], tolerance(row["figure"]))]
        kept = line.removesuffix(" |").split(" | ")[: -len(cells)]
        lines.append(" | ".join([*kept, *cells]) + " |" if all(cells) else line)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and print a line for each change."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", type=Path, default="../shared/data")
    parser.add_argument("--only", help="constants or modules, separated by commas; all by default")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--docs", type=Path)
    options = parser.parse_args()
    wanted = set(options.only.split(",")) if options.only else None
    constants = [each for each in choices() if wanted is None or not wanted.isdisjoint(names(each))]
    results = Results.read(options.json)
    with tempfile.TemporaryDirectory() as folder:
        cases = Path(folder) / "cases"
        made = Cases.made(options.data)
        cases.write_bytes(pickle.dumps((made, {each.name: fitting(each).to_bytes() for each in made.all()})))
        measure_all(results, constants, cases, options.jobs, options.json)
    for part, figures in results.usual.items():
        print(
            f"{part}: "
            + ", ".join(f"{name} {_shown(each, tolerance(name))}" for name, each in figures.items())
        )
    if options.docs:
        options.docs.write_text(with_figures(options.docs.read_text(), results, constants))


if __name__ == "__main__":
    main()
