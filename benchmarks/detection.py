"""Measure the engine: detection against baselines, ablations, root sensors, speed.

    python -m benchmarks.detection [DATA] [--json FILE] [--only quality,labels,ablations,roots,speed]
                                [--seeds 1,2] [--detectors 'engine;...'] [--large]

DATA is a directory of labelled series (default `../shared/data`), which benchmarks/datasets.py describes.
"""

import argparse
import datetime as dt
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.baselines import scorers
from benchmarks.datasets import Case, shared_cases
from benchmarks.generator import generated_cases
from benchmarks.ingest import measure_ingest
from benchmarks.labels import labelled
from benchmarks.lasting import lasting_cases
from benchmarks.quality import ABLATIONS, Figures, engine_ratio, measure, without
from benchmarks.rootcause import event_roots, root_figures
from benchmarks.speed import end_to_end, measure_speed, versus

SEEDS = "1,2"
SENSORS = 300
PACKAGES = ("numpy", "pyarrow", "scikit-learn", "pyod")
PARTS = ("quality", "labels", "ablations", "roots", "speed")


def main() -> None:
    """Run the parts asked for and print their tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", type=Path, default=Path("../shared/data"))
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts to run, of {','.join(PARTS)}")
    parser.add_argument("--seeds", default=SEEDS, help=f"seeds of the generated plants (default {SEEDS})")
    parser.add_argument("--detectors", help="of the quality, separated by semicolons; all by default")
    parser.add_argument(
        "--large", action="store_true", help="also fit 1.5 million rows of 300 sensors (minutes)"
    )
    options = parser.parse_args()
    parts = set(options.only.split(","))
    if not parts <= set(PARTS):
        parser.error(f"--only {options.only!r}: parts are {', '.join(PARTS)}")
    names = options.detectors.split(";") if options.detectors else None
    if unknown := {*(names or ())} - scorers().keys():
        parser.error(f"--detectors {'; '.join(sorted(unknown))}: detectors are {'; '.join(scorers())}")
    seeds = tuple(int(seed) for seed in options.seeds.split(","))
    cases = shared_cases(options.data)
    result: dict[str, Any] = {"run": run_facts() | {"seeds": seeds}}
    print(", ".join(f"{name} {value}" for name, value in result["run"].items()), flush=True)
    if "quality" in parts:
        result["quality"] = quality(cases + generated_cases(seeds) + lasting_cases(seeds), names)
    if "labels" in parts:
        with_labels = [case for case in cases if case.training_labels()]
        result["labels"] = labels(with_labels + labelled(generated_cases(seeds)))
    if "ablations" in parts:
        result["ablations"] = ablations(cases + generated_cases(seeds[:1]) + lasting_cases(seeds[:1]))
    if "roots" in parts:
        result["roots"] = roots(cases)
    if "speed" in parts:
        result["speed"] = speed(large=options.large)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")


def run_facts() -> dict[str, Any]:
    """Return date, machine and versions."""
    return {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="minutes"),
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
    } | {name: _version(name) for name in PACKAGES}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def quality(cases: list[Case], names: Sequence[str] | None = None) -> dict[str, Any]:
    """Compare the engine with the baselines on every group; only detectors of these names, if given."""
    result = {}
    known = scorers()
    for name, ratio in [(name, known[name]) for name in names or known]:
        print(f"\nmeasuring {name} on {len(cases)} cases", flush=True)
        figures = measure(cases, ratio)
        result[name] = {group: asdict(each) for group, each in figures.items()}
        _print(name, figures)
    blind = measure([case for case in cases if case.training_labels()], engine_ratio(labels=False))
    result["engine, training labels withheld"] = {group: asdict(each) for group, each in blind.items()}
    _print("engine, training labels withheld", blind)
    return result


def labels(cases: list[Case]) -> dict[str, Any]:
    """Measure what labels of training faults contribute."""
    result = {}
    for name, used in (("labels used", True), ("labels withheld", False)):
        figures = measure(cases, engine_ratio(labels=used))
        result[name] = {group: asdict(each) for group, each in figures.items()}
        _print(f"five labelled faults in training: {name}", figures)
    return result


def ablations(cases: list[Case]) -> dict[str, Any]:
    """Measure the engine with one part switched off at a time, training labels withheld."""
    result = {}
    for name, changes in ABLATIONS.items():
        with without(changes):
            figures = measure(cases, engine_ratio(labels=False))
        result[name] = {group: asdict(each) for group, each in figures.items()}
        _print(f"ablation: {name}", figures)
    return result


def roots(cases: list[Case]) -> dict[str, Any]:
    """Measure how often contributions name the faulty sensor."""
    injected = root_figures(cases, per_kind=24)
    for name, figures in injected.items():
        for kind, (first, third) in figures.items():
            print(f"root sensor by {name:8}, {kind:6} top-1 {first:.2f}  top-3 {third:.2f}", flush=True)
    events = {case.name: event_roots(case) for case in cases if case.roots}
    for name, (first, third, count) in events.items():
        print(f"root sensor, {count} events of {name}: top-1 {first:.2f}  top-3 {third:.2f}")
    return {"injected": injected, "events": events}


def speed(*, large: bool) -> dict[str, Any]:
    """Measure time and memory."""
    whole = end_to_end(432_000, 30)
    print(
        f"432,000 x 30, CSV to metrics: {whole['seconds']:.1f} s; CSV {whole['csv_mb_per_second']:.0f} MB/s"
    )
    fits = []
    for rows, drift in product((300_000, *([1_500_000] if large else [])), (False, True)):
        each = measure_speed(rows, SENSORS, drift=drift)
        fits.append(asdict(each))
        print(
            f"{rows:,} x {SENSORS}{', all drift' if drift else ''}: fit {each.fit_seconds:.1f} s, "
            f"peak {each.peak_mib:.0f} MiB (data {each.data_mib:.0f}), "
            f"score {each.score_microseconds_per_row:.0f} us/row, "
            f"5-row window {each.window_milliseconds:.1f} ms"
        )
    return {
        "end_to_end": whole,
        "fits": fits,
        "versus": versus(300_000, SENSORS),
        "ingest": measure_ingest(),
    }


def _print(title: str, figures: dict[str, Figures]) -> None:
    names = ("AP", "F1", "FAR %", "MAR %", "events", "fah/d", "rng/d", "warn h", "delay")
    print(f"\n{title}\n{'group':34}" + "".join(f"{name:>8}" for name in names))
    for group, each in figures.items():
        numbers = (
            f"{each.ap:.3f}",
            f"{each.f1:.3f}",
            f"{each.false_alarm_percent:.2f}",
            f"{each.missed_percent:.1f}",
            f"{each.found}/{each.events}",
            f"{each.false_hours_per_day:.2f}",
            f"{each.false_ranges_per_day:.2f}",
            f"{each.warning_hours:.1f}",
            f"{each.delay_rows:.0f}",
        )
        print(f"{group:34}" + "".join(f"{number:>8}" for number in numbers), flush=True)


if __name__ == "__main__":
    main()
