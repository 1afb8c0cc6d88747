"""Measure slow faults in the figures that an owner reads.

    python -m benchmarks.slow [--quick] [--seeds 1,2] [--steps 60,300,900] [--detectors 'engine;...']
                              [--json FILE]

Per fault: share of each fifth alarmed, hours from the first lasting alarm to its end, events, hours from
the repair until the alarms end. Per case: false events a week and false alarm hours a day outside of faults.
"engine, hold" and "engine, follow" are the same fit under the other two adaptations; the latter alarms as
the fast views alone do.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.baselines import BASELINES
from benchmarks.datasets import Case
from benchmarks.quality import Ratio, baseline
from benchmarks.trees import trees_ratio
from benchmarks.wear import wear_cases
from engine import Adaptation, Detector, EventRules, Interval, fit

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
HOUR = np.timedelta64(3600 * 10**6, "us")
VISIBLE = 0.1
"""Size below which a fault moves no sensor by more than its noise: nothing can see it."""
LASTING = 24 * HOUR
"""An alarm lasts if at least half of the rows of the next day alarm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultFigures:
    """What a detector made of one fault. `size` as in `Case`; `fifths` in percent of rows on; hours."""

    case: str
    kind: str
    days: float
    size: float
    fifths: tuple[int, ...]
    lead: float
    events: int
    quiet_after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFigures:
    """What a detector did outside of the faults of one case."""

    case: str
    group: str
    false_hours_per_day: float
    false_events_per_week: float
    false_events: int
    f1: float


def judge(case: Case, alarm: Mask) -> tuple[list[FaultFigures], CaseFigures]:
    """Return the figures of one case from the alarmed rows of its evaluation."""
    frame = case.part(case.train, None)
    times, on, truth = frame.times, ~frame.off, case.truth()
    step = frame.step
    alarm = alarm & on
    found = _events(times, alarm, EventRules.for_reports(step))
    faults = [_fault(case, at, alarm, found) for at, label in enumerate(case.labels) if label[0] > times[0]]
    false = [
        (first, last)
        for first, last in found
        if not any(start <= last and first <= end for start, end in case.labels)
    ]
    healthy = on & ~truth
    days = max(float(healthy.sum() * step / (24 * HOUR)), 1e-9)
    hit, wrong = int((alarm & truth).sum()), int((alarm & ~truth).sum())
    return faults, CaseFigures(
        case=case.name,
        group=case.group,
        false_hours_per_day=float(wrong * step / HOUR) / days,
        false_events_per_week=7 * len(false) / days,
        false_events=len(false),
        f1=2 * hit / max(1, hit + wrong + int((truth & on).sum())),
    )


def _events(times: NDArray[np.datetime64], alarm: Mask, rules: EventRules) -> list[Interval]:
    """Return the events of any detector, by the rules of the engine's reports."""
    rows = np.flatnonzero(alarm)
    if not len(rows):
        return []
    parts = np.split(rows, np.flatnonzero(np.diff(times[rows]) > rules.join) + 1)
    return [(times[part[0]], times[part[-1]]) for part in parts if len(part) >= rules.min_rows]


def _fault(case: Case, at: int, alarm: Mask, found: Sequence[Interval]) -> FaultFigures:
    """Return the figures of one fault, from alarmed rows with the machine on and the events they make."""
    times, on = case.frame.times[case.train :], ~case.frame.off[case.train :]
    start, end = case.labels[at]
    inside = (times >= start) & (times <= end)
    fifth = np.minimum((times - start) * 5 // (end - start), 4)
    shares = [
        100 * float(alarm[rows].mean()) if (rows := inside & on & (fifth == part)).any() else 0.0
        for part in range(5)
    ]
    touching = [(first, last) for first, last in found if first <= end and last >= start]
    last = max((last for _, last in touching), default=end)
    lead = 0.0
    for row in np.flatnonzero(alarm & inside):
        soon = inside & on & (times >= times[row]) & (times < times[row] + LASTING)
        if alarm[soon].mean() >= 0.5:
            lead = float((end - times[row]) / HOUR)
            break
    return FaultFigures(
        case=case.name,
        kind=case.roots[at][0],
        days=float((end - start) / (24 * HOUR)),
        size=case.sizes[at],
        fifths=tuple(round(share) for share in shares),
        lead=lead,
        events=len(touching),
        quiet_after=max(0.0, float((last - end) / HOUR)),
    )


def engine_ratios() -> dict[str, Ratio]:
    """Return the engine under each adaptation, fitted once to each case."""
    fitted: dict[str, Detector] = {}

    def ratio(case: Case, adaptation: Adaptation) -> Floats:
        if case.name not in fitted:
            fitted.clear()
            fitted[case.name] = fit(case.part(0, case.train), labels=case.training_labels())
        detector = replace(fitted[case.name], adaptation=adaptation)
        score = detector.score(case.part(case.train, None)).score
        return score / (1 - np.minimum(score, 1 - 1e-6))

    return {
        "engine": partial(ratio, adaptation="auto"),
        "engine, hold": partial(ratio, adaptation="hold"),
        "engine, follow": partial(ratio, adaptation="follow"),
    }


def run(case: Case, detectors: dict[str, Ratio]) -> dict[str, dict[str, Any]]:
    """Judge a case by the detectors, and print a line for each fault and each detector."""
    result = {}
    for name, ratio in detectors.items():
        began = time.perf_counter()
        faults, whole = judge(case, ratio(case) > 1)
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
                f"{sum(share >= 50 for share in late)}/{len(late)}",
                f"{_mean(visible):.0f}",
                f"{sum(share >= 50 for share in visible)}/{len(visible)}",
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
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    seeds = (1,) if options.quick else tuple(int(each) for each in options.seeds.split(","))
    steps = (300,) if options.quick else tuple(int(each) for each in options.steps.split(","))
    known = engine_ratios() | {name: baseline(name) for name in BASELINES} | {"boosted trees": trees_ratio}
    names = options.detectors.split(";") if options.detectors else known
    result: dict[str, list[dict[str, Any]]] = {}
    for make in wear_cases(seeds, steps):
        for name, row in run(make(), {name: known[name] for name in names}).items():
            result.setdefault(name, []).append(row)
    summary(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
