"""Sensors that spike: rows of nonsense, in training and after, while other sensors wear.

    python -m benchmarks.spikes [--seeds 5,6,7,8] [--step 300]

Three sensors of a machine of `benchmarks.wear` have spikes of 25 to 450 interquartile ranges, up or down, at
random rows. Beside the engine a frozen Mahalanobis model.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.baselines import baseline
from benchmarks.datasets import Case
from benchmarks.judged import CaseFigures, FaultFigures, in_words, judge
from benchmarks.slow import Alarming, alarms_of, engine_alarms
from benchmarks.wear import FAMILIES

SENSORS = 3
PARTS = (0.5, 1.5)
"""Smallest and largest of the spikes of a kind, in parts of their size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spikes:
    """Share of the rows that have a spike, its size in interquartile ranges, and how many rows it takes."""

    name: str
    share: float = 0.0
    size: float = 0.0
    rows: int = 1

    def added(self, case: Case, seed: int) -> Case:
        """Return a case with such spikes on some sensors."""
        rng, values = np.random.default_rng([seed, 13]), case.frame.values.copy()
        low, high = np.nanquantile(values, (0.25, 0.75), axis=0)
        for sensor in rng.permutation(values.shape[1])[:SENSORS]:
            for start in np.flatnonzero(rng.random(len(values)) < self.share / self.rows):
                size = self.size * rng.uniform(*PARTS) * rng.choice([-1, 1])
                values[start : start + self.rows, sensor] += size * (high - low)[sensor]
        return replace(case, frame=replace(case.frame, values=values))


KINDS = (
    Spikes(name="none"),
    Spikes(name="one row in 5,000, 50 ranges", share=0.0002, size=50),
    Spikes(name="one row in 500, 50 ranges", share=0.002, size=50),
    Spikes(name="one row in 500, 300 ranges", share=0.002, size=300),
    Spikes(name="one row in 500, 300 ranges, four rows each", share=0.002, size=300, rows=4),
)


def figures(family: str, seeds: Sequence[int], step: int, spikes: Spikes, alarms: Alarming) -> str:
    """Return the cells of a detector: faults seen, hours of lead, false hours a day, F1."""
    faults, whole = list[FaultFigures](), list[CaseFigures]()
    for seed in seeds:
        case = spikes.added(FAMILIES[family](seed, step), seed)
        found, of_case = judge(case, *alarms(replace(case, name=f"{case.name}, {spikes.name}")))
        faults += found
        whole.append(of_case)
    return in_words(faults, whole)


def main() -> None:
    """Print the rows of the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="5,6,7,8")
    parser.add_argument("--step", type=int, default=300, help="seconds between rows")
    options = parser.parse_args()
    seeds = [int(each) for each in options.seeds.split(",")]
    detectors = {"engine": engine_alarms()["engine"], "Mahalanobis": alarms_of(baseline("Mahalanobis LW"))}
    print(f"| | spikes | {' | '.join(detectors)} |")
    for family in ("wear, linear", "wear, curved"):
        for spikes in KINDS:
            cells = (figures(family, seeds, options.step, spikes, alarms) for alarms in detectors.values())
            print(f"| {family} | {spikes.name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
