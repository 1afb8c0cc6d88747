"""Measure what training again buys after drift, with and without the help of the detector in use.

    python -m benchmarks.retraining [--seeds 11,12,13,14]

A plant has run for half of its evaluation rows. Then it is trained again without labels, on all rows so far
or on the newest, as many as in its first training, and judged on the other half: with the prior detector
kept, with a new fit, and with a new fit that the prior detector helps, under `auto` and after the owner has
confirmed the change by `follow`.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from benchmarks.datasets import Case
from benchmarks.generator import late, plant
from benchmarks.quality import Floats, average_precision
from engine import Adaptation, Detector, UnconfirmedChange, fit

FAMILIES: dict[str, Callable[[int], Case]] = {
    "late walk": lambda seed: late(600 + seed, "walk"),
    "late steps": lambda seed: late(700 + seed, "steps"),
    "no drift": lambda seed: plant(seed, "none", modes=True, rows=40_000, train=10_000, faults=20),
}
"""Plants of the same names in `benchmarks.generator`."""


ADAPTATIONS: tuple[Adaptation, ...] = ("auto", "follow")


def trainings(case: Case, middle: int) -> Iterator[tuple[str, Detector | None]]:
    """Yield what may score the rows from `middle` on; None where a training refuses to learn the change."""
    prior = fit(case.part(0, case.train))
    yield "prior kept", prior
    for window, first in (("all", 0), ("newest", middle - case.train)):
        rows = case.part(first, middle)
        yield f"{window}: new", fit(rows)
        for adaptation in ADAPTATIONS:
            try:
                yield f"{window}: {adaptation}", fit(rows, prior=replace(prior, adaptation=adaptation))
            except UnconfirmedChange:
                yield f"{window}: {adaptation}", None


def judged(case: Case) -> Iterator[tuple[str, float]]:
    """Yield the area under precision over recall of each."""
    middle = (case.train + len(case.frame.times)) // 2
    truth = case.truth()[middle - case.train :]
    for name, detector in trainings(case, middle):
        if detector is None:
            yield name, np.nan
            continue
        start = case.train if name == "prior kept" else middle
        score: Floats = detector.score(case.part(start, None)).score[middle - start :]
        yield name, average_precision(truth, score)


def main() -> None:
    """Print a line for each family: mean over the seeds, and how many trainings refused."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="11,12,13,14")
    seeds = [int(seed) for seed in parser.parse_args().seeds.split(",")]
    for family, make in FAMILIES.items():
        found: dict[str, list[float]] = {}
        for seed in seeds:
            for name, figure in judged(make(seed)):
                found.setdefault(name, []).append(figure)
        print(family, end=":")
        for name, each in found.items():
            refused = int(np.isnan(each).sum())
            print(f"  {name} {np.nanmean(each):.3f}" + f" ({refused} refused)" * bool(refused), end="")
        print(flush=True)


if __name__ == "__main__":
    main()
