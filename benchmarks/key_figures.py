"""The figures by which a constant of the engine is judged: few, but of everything that it could touch.

    python -m benchmarks.key_figures scores CASES [--fitted]

prints the figures of a part as JSON. CASES is a file of `benchmarks.sensitivity`: the cases, and the bytes
of their detectors. Parts, by what a constant can touch: `scores`; `weeks`, where there is a slow channel;
`gaps`, where rows come from files; `events` of reports; `season`, which training did not hold; `units`, the
notices of changed units; `again`, what a retraining leaves out; `versions`, which of two versions is in use
afterwards.
"""

import argparse
import json
import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.datasets import Case
from benchmarks.judged import CaseFigures, FaultFigures, judge, named_roots
from benchmarks.key_cases import SEED, Cases
from benchmarks.outages import on_change, without
from benchmarks.outages import scored as read_and_scored
from benchmarks.quality import average_precision, measure, over_limit
from engine import Detector, Scores, UnconfirmedChange, fit
from engine.detect.batches import score_in_batches
from engine.evaluate.intervals import rows_inside
from engine.ingest.conversions import CONVERSIONS
from engine.train.comparison import compare
from engine.train.known_faults import without_known_faults

Figures = dict[str, float]
Fitting = Callable[[Case], Detector]
PUBLIC = {"skab": "SKAB", "tep": "TEP", "nab_machine_temperature": "NAB"}
"""Short names of the groups of public series."""
UNITS = (
    "°F instead of °C",
    "K instead of °C",
    "psi instead of bar",
    "bar instead of MPa",
    "m3/h instead of l/s",
)
WINDOW = 256
"""Rows that are scored at once to look for notices."""


def fitting(case: Case) -> Detector:
    """Return the detector of a case; labels of its training are withheld."""
    return fit(case.part(0, case.train))


def scored(case: Case, fitted: Fitting) -> Scores:
    """Return the scores of what comes after the training of a case."""
    return fitted(case).score(case.part(case.train, None))


def scores(cases: Cases, fitted: Fitting) -> Figures:
    """Return F1 of the public series; AP, FAR and named roots of simulated ones; what `weeks` returns."""
    found = {case.name: scored(case, fitted) for case in (*cases.public, *cases.simulated)}
    public, simulated = (
        measure(each, lambda case: over_limit(found[case.name].score))
        for each in (cases.public, cases.simulated)
    )
    named = [named_roots(case, found[case.name]) for case in cases.simulated]
    return {
        **{PUBLIC[group]: each.f1 for group, each in public.items()},
        "AP": float(np.mean([each.ap for each in simulated.values()])),
        "FAR": float(np.mean([each.false_alarm_percent for each in simulated.values()])),
        "roots": sum(first for first, _, _ in named) / sum(count for *_, count in named),
        **weeks(cases, fitted),
    }


def weeks(cases: Cases, fitted: Fitting) -> Figures:
    """Return figures of what is trained for more than a week: elsewhere, the slow channel does not count."""
    pump, drifts = measure(
        [*cases.pump, *cases.drifting], lambda case: over_limit(scored(case, fitted).score)
    ).values()
    return {
        "pump": pump.f1,
        "drifts AP": drifts.ap,
        "drifts FAR": drifts.false_alarm_percent,
        **_slow(fitted, "worn", cases.worn),
        **_slow(fitted, "young", cases.young),
        **_slow(fitted, "short", cases.short),
        **_slow(fitted, "healthy", cases.healthy),
    }


def events(cases: Cases, fitted: Fitting) -> Figures:
    """Return what reports make of alarms on machines that wear."""
    judged = [_judged(case, fitted) for case in cases.reported]
    per_fault = [each.events for faults, _ in judged for each in faults]
    return {
        "events a fault": float(np.mean(per_fault)),
        "false events a week": float(np.mean([whole.false_events_per_week for _, whole in judged])),
    }


def gaps(cases: Cases, _: Fitting) -> Figures:
    """Return F1 where sensors fail for hours, and where some report on change; rows come from files."""
    failing = next(case for case in cases.simulated if case.group == "own: outages")
    found = {"outages": failing, "on change": without(cases.worn[0], on_change, SEED)}
    return {f"{name} F1": _f1(*read_and_scored(case, "usual")) for name, case in found.items()}


def _f1(case: Case, found: Scores) -> float:
    return measure([case], lambda _: over_limit(found.score))[case.group].f1


def season(cases: Cases, fitted: Fitting) -> Figures:
    """Return figures of reactors in a season that training did not hold."""
    return _slow(fitted, "reactor", cases.season)


def _slow(fitted: Fitting, name: str, cases: Sequence[Case]) -> Figures:
    """Return alarmed percent of the last two fifths and hours of lead of faults, and false hours a day."""
    judged = [_judged(case, fitted) for case in cases]
    faults = [each for found, _ in judged for each in found]
    false = {f"{name} false": float(np.mean([whole.false_hours_per_day for _, whole in judged]))}
    if not faults:
        return false
    late = float(np.mean([np.mean(each.fifths[3:]) for each in faults]))
    return {f"{name} late": late, f"{name} lead": float(np.mean([each.lead for each in faults])), **false}


def _judged(case: Case, fitted: Fitting) -> tuple[list[FaultFigures], CaseFigures]:
    found = scored(case, fitted)
    return judge(case, found.prediction == 1, found.contributions)


def units(cases: Cases, fitted: Fitting) -> Figures:
    """Return the percent of changed units that are named, and in how many windows of faults one is."""
    case = cases.in_units[0]
    detector, later = fitted(case), case.part(case.train, case.train + 200)
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
    wrong = sum(
        any(notice.kind == "unit" for notice in window.notices)
        for each in cases.in_units
        for window in score_in_batches(fitted(each), each.part(each.train, None), rows=WINDOW)
    )
    return {"units named": 100 * named / tried, "wrongly named": float(wrong)}


def again(cases: Cases, fitted: Fitting) -> Figures:
    """Return the percent of faulty and of healthy rows that a retraining does not learn, and levels told.

    A retraining that is refused learns nothing.
    """
    left: dict[bool, list[float]] = {True: [], False: []}
    told = 0
    for case in (*cases.simulated, *cases.drifting, cases.worn[0], *cases.short):
        prior, frame = fitted(case), case.frame
        normal = ~frame.off
        try:
            kept, _ = without_known_faults(frame, normal, prior, np.zeros(len(normal), bool))
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


def versions(cases: Cases, fitted: Fitting) -> Figures:
    """Return how many versions that were trained again take over, how many are undecided, and AP in use.

    Each is trained on the newest rows of the first half of the evaluation, and compared with the first one on
    the other half, with and without labels.
    """
    taken, undecided, precisions = 0, 0, []
    for case in (*cases.simulated, *cases.young):
        middle = (case.train + len(case.frame.times)) // 2
        prior, newest, later = (
            fitted(case),
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


PARTS: dict[str, Callable[[Cases, Fitting], Figures]] = {
    "scores": scores,
    "weeks": weeks,
    "events": events,
    "gaps": gaps,
    "season": season,
    "units": units,
    "again": again,
    "versions": versions,
}


def main() -> None:
    """Print the figures of a part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("cases", type=Path)
    parser.add_argument(
        "--fitted", action="store_true", help="take the detectors in CASES, and fit none again"
    )
    options = parser.parse_args()
    cases, known = pickle.loads(options.cases.read_bytes())  # noqa: S301 - benchmarks.sensitivity wrote it

    def read(case: Case) -> Detector:
        return Detector.from_bytes(known[case.name])

    print(json.dumps(PARTS[options.part](cases, read if options.fitted else fitting)))


if __name__ == "__main__":
    main()
