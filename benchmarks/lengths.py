"""How long a training must be: one machine trained on more or fewer days, and judged on the same days after.

    python -m benchmarks.lengths [--seeds 5,6,7,8] [--step 300] [--days 10,14,21,30,40,60]
                                 [--detectors 'engine;engine, monthly;Mahalanobis LW'] [--json FILE]

Machines are young ones of `benchmarks.wear`: two faults of two weeks in 90 days, from the end of winter until
summer. A shorter training is the end of the longest one. "engine, monthly" is trained again every 30 days,
on all rows until then, as a retraining scheduler does; nobody labels or confirms anything. Columns as in
`benchmarks.slow`.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.baselines import BASELINES, baseline
from benchmarks.datasets import Case
from benchmarks.slow import Alarms, alarms_of, engine_alarms, run, summary
from benchmarks.versions import Schedule, trained_again
from benchmarks.wear import KINDS, young
from engine import fit

DETECTORS = "engine;engine, monthly;Mahalanobis LW"
MONTHLY = Schedule(days=30, lookback=180, answers="none")
"""The shortest period and look-back of a retraining scheduler."""
DAY = np.timedelta64(24 * 3600 * 10**6, "us")


def trained_on(case: Case, days: int) -> Case:
    """Return the case trained on so many days only, the newest ones."""
    times = case.frame.times
    first = int(np.searchsorted(times, times[case.train - 1] - days * DAY, side="right"))
    group = f"{case.group}, {days:3d} days"
    return replace(
        case,
        name=f"{case.name}, {days} days",
        group=group,
        frame=case.part(first, None),
        train=case.train - first,
    )


def cases(seeds: Sequence[int], step: int, days: Sequence[int]) -> Iterator[Case]:
    """Yield every machine under every length of training, shortest first."""
    for make in KINDS:
        for seed in seeds:
            longest = young(seed, step, make, max(days))
            yield from (trained_on(longest, each) for each in sorted(days))


def monthly(case: Case) -> Alarms:
    """Return the alarms of an engine that is trained again every month."""
    first = fit(case.part(0, case.train), labels=case.training_labels())
    scores = trained_again(case, first, MONTHLY).scores
    return scores.prediction == 1, scores.contributions


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="5,6,7,8")
    parser.add_argument("--step", type=int, default=300, help="seconds between rows")
    parser.add_argument("--days", default="10,14,21,30,40,60")
    parser.add_argument(
        "--detectors", default="engine;engine, monthly;Mahalanobis LW", help="separated by semicolons"
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    seeds, days = ([int(each) for each in text.split(",")] for text in (options.seeds, options.days))
    known = (
        engine_alarms()
        | {"engine, monthly": monthly}
        | {name: alarms_of(baseline(name)) for name in BASELINES}
    )
    detectors = {name: known[name] for name in options.detectors.split(";")}
    result: dict[str, list[dict[str, Any]]] = {name: [] for name in detectors}
    for case in cases(seeds, options.step, days):
        for name, row in run(case, detectors).items():
            result[name].append(row)
    summary(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
