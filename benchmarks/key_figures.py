"""The figures by which a constant of the engine is judged: few, but of everything that it could touch.

    python -m benchmarks.key_figures DATA CASES       makes the cases, once, and keeps them in the file CASES
    python -m benchmarks.key_figures scores CASES     prints the figures of a part as JSON

Parts, by what a constant can touch: `scores`; `events` of reports; `units`, the notices of changed units;
`again`, what a retraining leaves out; `versions`, which of two versions is in use afterwards.
"""

import argparse
import json
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.datasets import Case, shared_cases
from benchmarks.generator import dirty, late, plant
from benchmarks.lasting import lasting
from benchmarks.quality import Floats, average_precision, measure, over_limit
from benchmarks.rootcause import named_roots
from benchmarks.slow import CaseFigures, FaultFigures, judge
from benchmarks.wear import FAMILIES, Fault, machine
from engine import Detector, Scores, UnconfirmedChange, fit
from engine.detect.batches import score_in_batches
from engine.detect.conversions import CONVERSIONS
from engine.evaluate.intervals import rows_inside
from engine.train.comparison import compare
from engine.train.known_faults import without_known_faults

Figures = dict[str, float]
SEED = 3
STEP = 900
WEAR = ("wear, linear", "wear, curved")
REPORTED_SEEDS = (3, 4, 5, 6)
PUBLIC = {"skab": "SKAB", "tep": "TEP", "nab_machine_temperature": "NAB", "synthpump": "pump"}
"""Short names of the groups of labelled series, of which there must be no others."""
UNITS = (
    "°F instead of °C",
    "K instead of °C",
    "psi instead of bar",
    "bar instead of MPa",
    "m3/h instead of l/s",
)
WINDOW = 256
"""Rows that are scored at once to look for notices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """Series: labelled ones of others, simulated ones with faults of minutes to hours, machines that wear."""

    public: Sequence[Case]
    simulated: Sequence[Case]
    worn: Sequence[Case]
    reported: Sequence[Case]
    young: Sequence[Case]
    short: Sequence[Case]
    healthy: Sequence[Case]

    @classmethod
    def made(cls, data: Path) -> "Cases":
        """Read and simulate them."""
        return cls(
            public=shared_cases(data),
            simulated=[
                plant(1, "none", modes=True, with_gaps=True),
                late(601, "walk"),
                lasting(1, "steps", "several"),
                dirty(801),
                slower(plant(201, "walk", modes=False, rows=24000, sensors=9)),
            ],
            worn=[FAMILIES[name](SEED, STEP) for name in WEAR],
            reported=[FAMILIES[name](seed, STEP) for name in WEAR for seed in REPORTED_SEEDS],
            young=[FAMILIES[name](SEED, STEP) for name in ("young, linear", "young, curved")],
            short=[short(SEED)],
            healthy=[FAMILIES["healthy, curved"](SEED, STEP)],
        )


def slower(case: Case) -> Case:
    """Return the case with a row in five minutes, where it had one a minute: days become weeks."""
    start = case.frame.times[0]

    def moved(time: np.datetime64) -> np.datetime64:
        return start + 5 * (time - start)

    frame = replace(case.frame, times=start + 5 * (case.frame.times - start), step=5 * case.frame.step)
    labels = tuple((moved(first), moved(last)) for first, last in case.labels)
    return replace(case, frame=frame, labels=labels)


def short(seed: int) -> Case:
    """Return a machine of a row in five minutes that was trained for 12 days, and two faults of it."""
    faults = [Fault(kind=kind, start=start, days=10, size=4.0) for kind, start in (("one", 20), ("pair", 40))]
    return machine(
        "short, linear", seed, "linear", train=12, evaluated=48, faults=faults, step=300, phase=0.3
    )


def detector_of(case: Case) -> Detector:
    """Return the detector of a case; labels of its training are withheld."""
    return fit(case.part(0, case.train))


def scores(cases: Cases) -> Figures:
    """Return F1 of the public series; AP, FAR and named roots of simulated ones; figures of slow faults."""
    found: dict[str, Scores] = {}

    def ratio(case: Case) -> Floats:
        found[case.name] = detector_of(case).score(case.part(case.train, None))
        return over_limit(found[case.name].score)

    public = measure(cases.public, ratio)
    simulated = measure(cases.simulated, ratio).values()
    named = [named_roots(case, found[case.name]) for case in (*cases.public, *cases.simulated) if case.roots]
    return {
        **{PUBLIC[group]: each.f1 for group, each in public.items()},
        "AP": float(np.mean([each.ap for each in simulated])),
        "FAR": float(np.mean([each.false_alarm_percent for each in simulated])),
        "roots": sum(first for first, _, _ in named) / sum(count for *_, count in named),
        **_slow("worn", cases.worn),
        **_slow("young", cases.young),
        **_slow("short", cases.short),
        **_slow("healthy", cases.healthy),
    }


def events(cases: Cases) -> Figures:
    """Return what reports make of alarms on machines that wear."""
    judged = [_judged(case) for case in cases.reported]
    per_fault = [each.events for faults, _ in judged for each in faults]
    return {
        "events a fault": float(np.mean(per_fault)),
        "false events a week": float(np.mean([whole.false_events_per_week for _, whole in judged])),
    }


def _slow(name: str, cases: Sequence[Case]) -> Figures:
    """Return alarmed percent of the last two fifths and hours of lead of faults, and false hours a day."""
    judged = [_judged(case) for case in cases]
    faults = [each for found, _ in judged for each in found]
    false = {f"{name} false": float(np.mean([whole.false_hours_per_day for _, whole in judged]))}
    if not faults:
        return false
    late = float(np.mean([np.mean(each.fifths[3:]) for each in faults]))
    return {f"{name} late": late, f"{name} lead": float(np.mean([each.lead for each in faults])), **false}


def _judged(case: Case) -> tuple[list[FaultFigures], CaseFigures]:
    scores = detector_of(case).score(case.part(case.train, None))
    return judge(case, scores.prediction == 1, scores.contributions)


def units(cases: Cases) -> Figures:
    """Return the percent of changed units that are named, and in how many windows of faults one is."""
    case = in_a_unit(cases.simulated[0])
    detector, later = detector_of(case), case.part(case.train, case.train + 200)
    named, tried = 0, 0
    for conversion in (each for each in CONVERSIONS if each.units in UNITS):
        for at, sensor in enumerate(case.frame.sensors):
            values = later.values.copy()
            values[100:, at] = conversion.factor * values[100:, at] + conversion.offset
            notices = detector.score(replace(later, values=values)).notices
            named += any(
                each.kind == "unit" and each.sensor == sensor and str(conversion) in each.text
                for each in notices
            )
            tried += 1
    faulty = [in_a_unit(each) for each in (cases.simulated[0], lasting(1, "none", "large"))]
    wrong = sum(
        any(notice.kind == "unit" for notice in window.notices)
        for each in faulty
        for window in score_in_batches(detector_of(each), each.part(each.train, None), rows=WINDOW)
    )
    return {"units named": 100 * named / tried, "wrongly named": float(wrong)}


def in_a_unit(case: Case) -> Case:
    """Return the case with its sensors around 60, with a spread of 5, as temperatures or pressures are."""
    values, training = case.frame.values, case.frame.values[: case.train]
    scaled = 60 + 5 * (values - np.nanmean(training, axis=0)) / np.nanstd(training, axis=0)
    return replace(case, frame=replace(case.frame, values=scaled))


def again(cases: Cases) -> Figures:
    """Return the percent of faulty and of healthy rows that a retraining does not learn, and levels told.

    A retraining that is refused learns nothing.
    """
    left: dict[bool, list[float]] = {True: [], False: []}
    told = 0
    for case in (*cases.simulated, cases.worn[0], *cases.short):
        prior, frame = detector_of(case), case.frame
        normal = ~frame.off
        try:
            kept = without_known_faults(frame, normal, prior, np.zeros(len(normal), bool))
        except UnconfirmedChange:
            kept = np.zeros(len(normal), bool)
        faulty = rows_inside(frame.times, case.labels)
        for inside, shares in left.items():
            shares.append(100 * float((~kept)[normal & (faulty == inside)].mean()))
        told += len(prior.score(case.part(case.train, None)).level_events)
    return {
        "faults left out": float(np.mean(left[True])),
        "healthy left out": float(np.mean(left[False])),
        "levels told": float(told),
    }


def versions(cases: Cases) -> Figures:
    """Return how many versions that were trained again take over, how many are undecided, and AP in use.

    Each is trained on the newest rows of the first half of the evaluation, and compared with the first one on
    the other half, with and without labels.
    """
    taken, undecided, precisions = 0, 0, []
    for case in (*cases.simulated, *cases.worn, *cases.young):
        middle = (case.train + len(case.frame.times)) // 2
        prior, newest, later = (
            detector_of(case),
            case.part(middle - case.train, middle),
            case.part(middle, None),
        )
        candidate = fit(newest)
        truth = rows_inside(later.times, case.labels)
        for labels in ((), case.labels):
            better = compare(prior, candidate, later, labels).better
            taken += better == "candidate"
            undecided += better is None
            used = candidate if better == "candidate" else prior
            precisions.append(average_precision(truth, used.score(later).score))
    return {"taken": float(taken), "undecided": float(undecided), "AP in use": float(np.mean(precisions))}


PARTS: dict[str, Callable[[Cases], Figures]] = {
    "scores": scores,
    "events": events,
    "units": units,
    "again": again,
    "versions": versions,
}


def main() -> None:
    """Make the cases, or print the figures of a part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", help="a part, or the directory of labelled series")
    parser.add_argument("cases", type=Path)
    options = parser.parse_args()
    if options.what in PARTS:
        cases = pickle.loads(options.cases.read_bytes())  # noqa: S301 - this module wrote it
        print(json.dumps(PARTS[options.what](cases)))
    else:
        options.cases.write_bytes(pickle.dumps(Cases.made(Path(options.what))))


if __name__ == "__main__":
    main()
