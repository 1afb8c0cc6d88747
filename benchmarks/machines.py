"""Faults on machines of many kinds: what alarms, how long, and who is named.

    python -m benchmarks.machines [--kinds 'sixty sensors;counters'] [--seeds 1,2] [--adaptation hold]
        [--retrain 30 [--lookback 360] [--answers all] [--healthy 180]]

Machines of `benchmarks.kinds` with the faults of `benchmarks.kind_cases`. A line a kind is a row of the
documentation.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.baselines import baseline
from benchmarks.judged import SEEN, FaultFigures, judge, named_roots
from benchmarks.kind_cases import case
from benchmarks.kinds import KINDS
from benchmarks.versions import ANSWERS, Schedule, trained_again
from engine import ADAPTATIONS, Adaptation, fit

SLOW = 10
"""Days from which a fault is slow wear."""


def figures(kind: str, seeds: Sequence[int], adaptation: Adaptation) -> str:
    """Return a row of the table: the engine, and a frozen Mahalanobis distance."""
    reference, named, led = baseline("Mahalanobis LW"), 0, 0
    faults: tuple[list[FaultFigures], list[FaultFigures]] = ([], [])
    false: tuple[list[float], list[float]] = ([], [])
    for seed in seeds:
        made = case(kind, seed)
        detector = replace(fit(made.part(0, made.train)), adaptation=adaptation)
        scores = detector.score(made.part(made.train, None))
        first, _, count = named_roots(made, scores)
        led, named = led + first, named + count
        for at, (alarm, shares) in enumerate(
            ((scores.prediction == 1, scores.contributions), (reference(made) > 1, None))
        ):
            found, whole = judge(made, alarm, shares)
            faults[at].extend(found)
            false[at].append(whole.false_hours_per_day)
    engine, other = (_cells(each, hours) for each, hours in zip(faults, false, strict=True))
    return f"| {kind} | {engine} | {led} of {named} | {other} |"


def kept_and_retrained(
    kind: str, seeds: Sequence[int], adaptation: Adaptation, schedule: Schedule, healthy: int
) -> str:
    """Return a row of the table of retrainings: a model that is kept, and one that is trained again."""
    faults: tuple[list[FaultFigures], list[FaultFigures]] = ([], [])
    false: tuple[list[float], list[float]] = ([], [])
    refused, trainings = 0, 0
    for seed in seeds:
        made = case(kind, seed, healthy)
        first = replace(fit(made.part(0, made.train)), adaptation=adaptation)
        history = trained_again(made, first, schedule)
        refused, trainings = refused + history.refused, trainings + history.trainings
        for at, scores in enumerate((first.score(made.part(made.train, None)), history.scores)):
            found, whole = judge(made, scores.prediction == 1, scores.contributions)
            faults[at].extend(found)
            false[at].append(whole.false_hours_per_day)
    before, after = (
        f"{np.mean(hours):.2f}" if healthy else f"{_slow(each)} | {_cells(each, hours)}"
        for each, hours in zip(faults, false, strict=True)
    )
    return f"| {kind} | {before} | {after} | {refused} of {trainings} |"


def _slow(faults: Sequence[FaultFigures]) -> str:
    return f"{np.mean([np.mean(each.fifths[3:]) for each in faults if each.days > SLOW]):.0f}"


def _cells(faults: Sequence[FaultFigures], false: Sequence[float]) -> str:
    late = [float(np.mean(each.fifths[3:])) for each in faults]
    seen = sum(share >= SEEN for share in late)
    events = float(np.mean([each.events for each in faults]))
    return f"{np.mean(late):.0f} | {seen} of {len(late)} | {events:.1f} | {np.mean(false):.2f}"


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kinds", default=";".join(KINDS), help="separated by semicolons")
    parser.add_argument("--seeds", default="1,2")
    parser.add_argument("--adaptation", default="auto", choices=ADAPTATIONS)
    parser.add_argument("--retrain", type=int, help="days from one training to the next")
    parser.add_argument("--lookback", type=int, default=360, help="days of data that a retraining uses")
    parser.add_argument("--answers", default="none", choices=ANSWERS, help="what the owner labels")
    parser.add_argument("--healthy", type=int, default=0, help="days without a fault, instead of faults")
    options = parser.parse_args()
    seeds = [int(each) for each in options.seeds.split(",")]
    for kind in options.kinds.split(";"):
        if options.retrain:
            schedule = Schedule(days=options.retrain, lookback=options.lookback, answers=options.answers)
            row = kept_and_retrained(kind, seeds, options.adaptation, schedule, options.healthy)
        else:
            row = figures(kind, seeds, options.adaptation)
        print(row, flush=True)


if __name__ == "__main__":
    main()
