"""Measure slow faults in the figures that an owner reads.

    python -m benchmarks.slow [--quick] [--seeds 1,2] [--steps 60,300,900] [--detectors 'engine;...']
                              [--families 'wear, linear;...'] [--json FILE]

Per fault: share of each fifth alarmed, hours from the first lasting alarm to its end, events, hours from
the repair until the alarms end. Per case: false events a week and false alarm hours a day outside of faults.
Events are those of reports; baselines name no sensors, so theirs join as if one sensor led them all.
"engine, hold" and "engine, follow" are the same fit under the other two adaptations; the latter alarms as
the fast views alone do.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.baselines import BASELINES, baseline
from benchmarks.datasets import Case
from benchmarks.judged import SEEN, Mask, judge
from benchmarks.quality import Ratio
from benchmarks.trees import trees_ratio
from benchmarks.wear import CREEPS, FAMILIES, wear_cases
from engine import Adaptation, Detector, fit

Alarms = tuple[Mask, NDArray[np.float32] | None]
"""Alarmed rows, and the share of each sensor in each row, of detectors that tell it."""
Alarming = Callable[[Case], Alarms]
VISIBLE = 0.1
"""Size below which a fault moves no sensor by more than its noise: nothing can see it."""


def engine_alarms() -> dict[str, Alarming]:
    """Return the engine under each adaptation, fitted once to each case."""
    fitted: dict[str, Detector] = {}

    def alarms(case: Case, adaptation: Adaptation) -> Alarms:
        if case.name not in fitted:
            fitted.clear()
            fitted[case.name] = fit(case.part(0, case.train), labels=case.training_labels())
        scores = replace(fitted[case.name], adaptation=adaptation).score(case.part(case.train, None))
        return scores.prediction == 1, scores.contributions

    return {
        "engine": partial(alarms, adaptation="auto"),
        "engine, hold": partial(alarms, adaptation="hold"),
        "engine, follow": partial(alarms, adaptation="follow"),
    }


def alarms_of(ratio: Ratio) -> Alarming:
    """Return the alarms of a baseline."""

    def alarms(case: Case) -> Alarms:
        return ratio(case) > 1, None

    return alarms


def run(case: Case, detectors: dict[str, Alarming]) -> dict[str, dict[str, Any]]:
    """Judge a case by the detectors, and print a line for each fault and each detector."""
    result = {}
    for name, alarms in detectors.items():
        began = time.perf_counter()
        faults, whole = judge(case, *alarms(case))
        took = time.perf_counter() - began
        result[name] = asdict(whole) | {"faults": [asdict(each) for each in faults]}
        for each in faults:
            shares = " ".join(f"{share:3d}" for share in each.fifths)
            print(
                f"{case.name:26} {name:16} {each.kind:11}{each.days:5.1f} d  size {each.size:.2f}  "
                f"{shares}  lead {each.lead:4.0f} h  events {each.events:3d}  "
                f"quiet after {each.quiet_after:4.1f} h"
            )
        print(
            f"{case.name:26} {name:16} false {whole.false_hours_per_day:.2f} h/day, "
            f"{whole.false_events_per_week:.2f} events/week ({whole.false_events}), "
            f"F1 {whole.f1:.3f}, {took:.1f} s",
            flush=True,
        )
    return result


def summary(result: dict[str, list[dict[str, Any]]]) -> None:
    """Print per family and detector the means over faults and over cases, "visible" ones apart."""
    titles = ["last 2/5", "seen", "visible", "seen", "lead", "events", "quiet", "h/day", "ev/week", "F1"]
    print(f"\n{'family':20} {'detector':16}" + "".join(f"{title:>11}" for title in titles))
    for group in sorted({each["group"] for rows in result.values() for each in rows}):
        for name, rows in result.items():
            mine = [each for each in rows if each["group"] == group]
            faults = [fault for each in mine for fault in each["faults"]]
            late = [float(np.mean(fault["fifths"][3:])) for fault in faults]
            visible = [share for share, fault in zip(late, faults, strict=True) if fault["size"] >= VISIBLE]
            figures = (
                f"{_mean(late):.0f}",
                f"{sum(share >= SEEN for share in late)}/{len(late)}",
                f"{_mean(visible):.0f}",
                f"{sum(share >= SEEN for share in visible)}/{len(visible)}",
                f"{_mean([fault['lead'] for fault in faults]):.0f}",
                f"{_mean([fault['events'] for fault in faults]):.1f}",
                f"{_mean([fault['quiet_after'] for fault in faults]):.1f}",
                f"{_mean([each['false_hours_per_day'] for each in mine]):.2f}",
                f"{_mean([each['false_events_per_week'] for each in mine]):.2f}",
                f"{_mean([each['f1'] for each in mine]):.3f}",
            )
            print(f"{group:20} {name:16}" + "".join(f"{figure:>11}" for figure in figures))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one seed, a row in five minutes")
    parser.add_argument("--seeds", default="1,2")
    parser.add_argument("--steps", default="60,300,900", help="seconds between rows")
    parser.add_argument("--detectors", help="separated by semicolons")
    parser.add_argument("--families", help="separated by semicolons; all by default")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    seeds = (1,) if options.quick else tuple(int(each) for each in options.seeds.split(","))
    steps = (300,) if options.quick else tuple(int(each) for each in options.steps.split(","))
    ratios = {name: baseline(name) for name in BASELINES} | {"boosted trees": trees_ratio}
    known = engine_alarms() | {name: alarms_of(ratio) for name, ratio in ratios.items()}
    names = options.detectors.split(";") if options.detectors else known
    result: dict[str, list[dict[str, Any]]] = {}
    families = options.families.split(";") if options.families else None
    if unknown := {*(families or ())} - {*FAMILIES, CREEPS}:
        parser.error(
            f"--families {', '.join(sorted(unknown))}: families are {'; '.join((*FAMILIES, CREEPS))}"
        )
    for make in wear_cases(seeds, steps, families):
        for name, row in run(make(), {name: known[name] for name in names}).items():
            result.setdefault(name, []).append(row)
    summary(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
