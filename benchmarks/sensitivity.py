"""Measure what changes when a constant of the slow channel or of rare states is halved or doubled.

    python -m benchmarks.sensitivity [DATA] [--seeds 1,2,3] [--only NAME,...]

Per constant and change: alarmed share of the last two fifths on the curved machine of `benchmarks.wear`, its
false alarm hours a day, those in an unseen season, all at a row in five minutes, and F1 of synthpump.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import engine.detect.additive_model
import engine.detect.slow_drift
import engine.detect.time_bins
import engine.train.rare_states
import engine.train.slow_fit
from benchmarks.datasets import Case, shared_cases
from benchmarks.quality import engine_ratio, measure, without
from benchmarks.slow import engine_ratios, judge
from benchmarks.wear import FAMILIES

STEP = 300
Change = tuple[Any, str, Any]


def scaled(module: Any, name: str, *factors: float) -> dict[str, list[Change]]:
    """Return a constant, or the first of several, multiplied by each factor; whole numbers stay whole."""
    value = getattr(module, name)
    first, rest = (value[0], value[1:]) if isinstance(value, tuple) else (value, None)
    changed = [type(first)(round(first * by) if isinstance(first, int) else first * by) for by in factors]
    return {
        f"{name} x {by:g}": [(module, name, each if rest is None else (each, *rest))]
        for by, each in zip(factors, changed, strict=True)
    }


def changes() -> Iterator[tuple[str, list[Change]]]:
    """Yield the name of each change, and what it sets."""
    fit, drift = engine.train.slow_fit, engine.detect.slow_drift
    model, bins, rare = engine.detect.additive_model, engine.detect.time_bins, engine.train.rare_states
    yield "default", []
    for module, names in (
        (fit, ("LONGEST_BIN", "FOLDS", "AVERAGE", "OPENING", "SETTLING", "HINGES")),
        (drift, ("NOW", "COMES_BACK", "FORGET")),
        (bins, ("ENOUGH_ROWS",)),
        (rare, ("RARE", "VISITS")),
    ):
        for name in names:
            yield from scaled(module, name, 0.5, 2).items()
    memory = {by: engine.detect.additive_model.MEMORY_BINS * by for by in (0.5, 2)}
    yield from ((f"MEMORY_BINS x {by:g}", [(model, "MEMORY_BINS", each)]) for by, each in memory.items())
    yield from ((f"KNOWN {each}", [(bins, "KNOWN", each)]) for each in (0.25, 1.0))
    yield from ((f"UNIT_QUANTILE {each}", [(fit, "UNIT_QUANTILE", each)]) for each in (0.98, 0.995))
    yield from ((f"USUAL_SHARE {each}", [(rare, "USUAL_SHARE", each)]) for each in (0.8, 0.95))
    yield from ((f"RIDGES {each:g}", [(fit, "RIDGES", (each,))]) for each in fit.RIDGES)


def figures(worn: list[Case], healthy: list[Case], pump: list[Case]) -> str:
    """Return the figures of the engine as it is now."""
    ratio = engine_ratios()["engine"]
    judged = [judge(case, ratio(case) > 1) for case in worn]
    late = [np.mean(fault.fifths[3:]) for faults, _ in judged for fault in faults]
    false = np.mean([whole.false_hours_per_day for _, whole in judged])
    season = np.mean([judge(case, ratio(case) > 1)[1].false_hours_per_day for case in healthy])
    f1 = measure(pump, engine_ratio())["synthpump"].f1
    return f"{np.mean(late):.0f} % / {false:.2f} / {season:.2f} / {f1:.3f}"


def main() -> None:
    """Print a line for each change."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", type=Path, default=Path("../shared/data"))
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--only", help="constants, separated by commas; all by default")
    options = parser.parse_args()
    seeds = [int(each) for each in options.seeds.split(",")]
    worn, healthy = (
        [FAMILIES[family](seed, STEP) for seed in seeds] for family in ("wear, curved", "healthy, curved")
    )
    pump = [case for case in shared_cases(options.data) if case.group == "synthpump"]
    for name, change in changes():
        if options.only and name != "default" and name.split()[0] not in options.only.split(","):
            continue
        with without(change):
            print(f"{name:24} {figures(worn, healthy, pump)}", flush=True)


if __name__ == "__main__":
    main()
