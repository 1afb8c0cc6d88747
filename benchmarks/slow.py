"""Measure slow faults in the figures that an owner reads.

    python -m benchmarks.slow [--quick] [--seeds 1,2] [--steps 60,300,900] [--detectors 'engine;...']
                              [--json FILE]

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
from engine import Adaptation, Detector, EventRules, Frame, Range, Scores, fit, ranges

Mask = NDArray[np.bool_]
Alarms = tuple[Mask, NDArray[np.float32] | None]
"""Alarmed rows, and the share of each sensor in each row, of detectors that tell it."""
Alarming = Callable[[Case], Alarms]
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


def judge(
    case: Case, alarm: Mask, contributions: NDArray[np.float32] | None = None
) -> tuple[list[FaultFigures], CaseFigures]:
    """Return the figures of one case from the alarmed rows of its evaluation, and who led them."""
    frame = case.part(case.train, None)
    times, on, truth = frame.times, ~frame.off, case.truth()
    step = frame.step
    alarm = alarm & on
    alarms, rules = _ranges(frame, alarm, contributions), EventRules.for_reports(step)
    found, unbroken = rules.apply(alarms), EventRules(join=rules.join, min_rows=rules.min_rows).apply(alarms)
    faults = [
        _fault(case, at, alarm, found, unbroken)
        for at, label in enumerate(case.labels)
        if label[0] > times[0]
    ]
    false = [each for each in found if not any(_touching([each], start, end) for start, end in case.labels)]
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


def _touching(events: Sequence[Range], start: np.datetime64, end: np.datetime64) -> list[Range]:
    return [each for each in events if each.start <= end and each.end >= start]


def _ranges(frame: Frame, alarm: Mask, contributions: NDArray[np.float32] | None) -> list[Range]:
    scores = Scores(
        times=frame.times,
        off=frame.off,
        score=alarm.astype(float),
        prediction=alarm.astype(np.int8),
        contributions=np.ones((len(alarm), 1), np.float32) if contributions is None else contributions,
        state=b"",
    )
    return ranges(scores, step=frame.step)


def _fault(
    case: Case, at: int, alarm: Mask, found: Sequence[Range], unbroken: Sequence[Range]
) -> FaultFigures:
    """Return the figures of one fault.

    Args:
        case: the case.
        at: which of its faults.
        alarm: alarmed rows with the machine on.
        found: the events they make.
        unbroken: those without a longer pause, which tell when the machine was quiet after a repair.

    """
    times, on = case.frame.times[case.train :], ~case.frame.off[case.train :]
    start, end = case.labels[at]
    inside = (times >= start) & (times <= end)
    fifth = np.minimum((times - start) * 5 // (end - start), 4)
    shares = [
        100 * float(alarm[rows].mean()) if (rows := inside & on & (fifth == part)).any() else 0.0
        for part in range(5)
    ]
    last = max((each.end for each in _touching(unbroken, start, end)), default=end)
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
        events=len(_touching(found, start, end)),
        quiet_after=max(0.0, float((last - end) / HOUR)),
    )


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
    ratios = {name: baseline(name) for name in BASELINES} | {"boosted trees": trees_ratio}
    known = engine_alarms() | {name: alarms_of(ratio) for name, ratio in ratios.items()}
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
