"""Measure what is seen of slow faults against false alarms, over a setting that trades one for the other.

    python -m benchmarks.frontier [--over waiting|budget|threshold] [--family 'wear, curved'] [--seeds 1,2]
                                  [--step 300]

`waiting` is how long an open alarm waits to close: ENDED of `engine.detect.slow_alarm`, which acts while
scoring. `budget` is the owner's: `FitSettings.false_alarm_hours`. `threshold` is that of a frozen Mahalanobis
model, in thresholds of `benchmarks.baselines`. Families are those of `benchmarks.wear`.
"""

import argparse
from collections.abc import Iterator

import numpy as np

import engine.detect.slow_alarm
from benchmarks.baselines import baseline
from benchmarks.datasets import Case
from benchmarks.judged import SEEN, FaultFigures, judge
from benchmarks.quality import without
from benchmarks.slow import VISIBLE, Alarms
from benchmarks.wear import FAMILIES
from engine import FitSettings, Scores, fit

WAITING = (0.0, 1.0, 2.0, 3.0, 4.0)
BUDGETS = (0.05, 0.1, 0.15, 0.3, 0.6)
THRESHOLDS = (1.0, 1.25, 1.5, 2.0)
Settings = Iterator[tuple[float, Alarms]]


def over_waiting(case: Case) -> Settings:
    """Yield each number of bins waited for, and the alarms under it."""
    detector = fit(case.part(0, case.train))
    for bins in WAITING:
        with without([(engine.detect.slow_alarm, "ENDED", bins)]):
            yield bins, _alarms(detector.score(case.part(case.train, None)))


def over_budget(case: Case) -> Settings:
    """Yield each budget of false alarm hours a day, and the alarms under it."""
    for hours in BUDGETS:
        detector = fit(case.part(0, case.train), settings=FitSettings(false_alarm_hours=hours))
        yield hours, _alarms(detector.score(case.part(case.train, None)))


def over_threshold(case: Case) -> Settings:
    """Yield each threshold of the baseline, and its alarms."""
    ratio = baseline("Mahalanobis LW")(case)
    for threshold in THRESHOLDS:
        yield threshold, (ratio > threshold, None)


def _alarms(scores: Scores) -> Alarms:
    return scores.prediction == 1, scores.contributions


OVER = {"waiting": over_waiting, "budget": over_budget, "threshold": over_threshold}


def main() -> None:
    """Print a line for each setting."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--over", choices=OVER, default="waiting")
    parser.add_argument("--family", choices=FAMILIES, default="wear, curved")
    parser.add_argument("--seeds", default="1,2")
    parser.add_argument("--step", type=int, default=300, help="seconds between rows")
    options = parser.parse_args()
    judged: dict[float, list[FaultFigures]] = {}
    false: dict[float, list[float]] = {}
    for seed in options.seeds.split(","):
        case = FAMILIES[options.family](int(seed), options.step)
        for setting, alarms in OVER[options.over](case):
            faults, whole = judge(case, *alarms)
            judged.setdefault(setting, []).extend(faults)
            false.setdefault(setting, []).append(whole.false_hours_per_day)
    print("setting  last 2/5  seen  visible: last 2/5  seen  lead h  events  quiet h  false h/day")
    for setting, faults in judged.items():
        share = np.array([np.mean(each.fifths[3:]) for each in faults])
        shown = share[[each.size >= VISIBLE for each in faults]]
        lead, events, quiet = np.mean([[each.lead, each.events, each.quiet_after] for each in faults], axis=0)
        print(
            f"{setting:7.2f} {share.mean():9.0f} {(share >= SEEN).sum():3d}/{len(share)} "
            f"{shown.mean():18.0f} {(shown >= SEEN).sum():3d}/{len(shown)} {lead:6.0f} {events:7.1f} "
            f"{quiet:8.1f} {np.mean(false[setting]):12.2f}"
        )


if __name__ == "__main__":
    main()
