"""Measure what changes when a constant of the engine is halved or doubled.

    python -m benchmarks.sensitivity [DATA] [--part slow|fast] [--seeds 1,2,3] [--only NAME,...] [--quick]

Constants of the slow channel and of rare states ("slow"): alarmed share of the last two fifths on the curved
machine of `benchmarks.wear`, its false alarm hours a day, those in an unseen season, all at a row in five
minutes, and F1 of synthpump. Constants of the fast views and of training ("fast"): F1 of the labelled series
by group, then mean AP, F1 and false alarm rate of eight families of own plants. Training labels count.
`--quick` leaves out synthpump and five of the eight families.
"""

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import engine.detect.additive_model
import engine.detect.alarm
import engine.detect.baseline
import engine.detect.cross_prediction
import engine.detect.ensemble
import engine.detect.features
import engine.detect.level_shift
import engine.detect.pipeline
import engine.detect.rare_states
import engine.detect.slow_alarm
import engine.detect.slow_drift
import engine.detect.smoothing
import engine.detect.time_bins
import engine.detect.view
import engine.frame.scaling
import engine.train.cleaning
import engine.train.fit
import engine.train.forward_validation
import engine.train.returning_states
import engine.train.sampling
import engine.train.slow_fit
from benchmarks.datasets import shared_cases
from benchmarks.generator import generated_cases
from benchmarks.lasting import Host, lasting
from benchmarks.quality import engine_ratio, measure, without
from benchmarks.slow import engine_alarms, judge
from benchmarks.wear import FAMILIES

STEP = 300
FAST_FAMILIES = (
    "own: none, modes",
    "own: walk, smooth",
    "own: late walk",
    "own: late steps",
    "own: slow ramps",
    "own: waterworks",
)
"""With two lasting ones: families that differ in what they ask of the fast views."""
QUICK_FAMILIES = ("own: none, modes", "own: late walk")
"""The same with --quick, with one lasting one."""
Change = tuple[Any, str, Any]


def set_to(module: Any, name: str, value: Any) -> list[Change]:
    """Return the changes that set a constant where it is defined and wherever it was imported by name."""
    defined = re.compile(rf"^{name}\b.*=", re.MULTILINE)
    importing = [
        each
        for path, each in sys.modules.items()
        if path.startswith("engine.")
        and getattr(each, name, None) is getattr(module, name)
        and not defined.search(inspect.getsource(each))
    ]
    return [(each, name, value) for each in (module, *importing)]


def scaled(module: Any, name: str, *factors: float) -> dict[str, list[Change]]:
    """Return a constant, or the first of several, multiplied by each factor; whole numbers stay whole."""
    value = getattr(module, name)
    first, rest = (value[0], value[1:]) if isinstance(value, tuple) else (value, None)
    changed = [type(first)(round(first * by) if isinstance(first, int) else first * by) for by in factors]
    return {
        f"{name} x {by:g}": set_to(module, name, each if rest is None else (each, *rest))
        for by, each in zip(factors, changed, strict=True)
    }


def among(module: Any, name: str, *values: Any) -> dict[str, list[Change]]:
    """Return a constant with each of these values instead."""
    return {f"{name} {value}": set_to(module, name, value) for value in values}


def remembering(window: int, spans: tuple[int, int]) -> list[Change]:
    """Return the changes that give the window and scale views another memory, in rows."""
    features, alarm = engine.detect.features, engine.detect.alarm
    block, context = features.BLOCK_ROWS, window - 1
    band = np.tri(block, block + context, context) - np.tri(block, block + context, -1)
    silent = {"window": context, "scale": spans[-1], "tracked window": context}
    memory = {"window": window, "scale": spans[-1], "tracked window": window}
    return [
        *set_to(features, "WINDOW", window),
        *set_to(features, "SPANS", spans),
        *set_to(features, "CONTEXT", context),
        *set_to(features, "WARM_UP", features.WARM_UP | silent),
        (features, "_BAND", band),
        (alarm, "MEMORY_ROWS", memory),
        (alarm, "HISTORY_ROWS", max(memory.values()) - 1),
    ]


def slow_changes() -> Iterator[tuple[str, list[Change]]]:
    """Yield the name of each change, and what it sets."""
    fit, drift = engine.train.slow_fit, engine.detect.slow_drift
    model, bins, rare = engine.detect.additive_model, engine.detect.time_bins, engine.train.returning_states
    for module, names in (
        (fit, ("LONGEST_BIN", "AVERAGE", "AVERAGE_LIMIT", "OPENING", "SETTLING", "HINGES", "AXES")),
        (drift, ("NOW",)),
        (engine.detect.slow_alarm, ("ENDED", "NEIGHBOURS", "MEMORY")),
        (bins, ("ENOUGH_ROWS",)),
        (engine.detect.rare_states, ("RARE",)),
        (rare, ("VISITS",)),
        (engine.train.sampling, ("FOLDS",)),
    ):
        for name in names:
            yield from scaled(module, name, 0.5, 2).items()
    memory = {by: engine.detect.additive_model.MEMORY_BINS * by for by in (0.5, 2)}
    yield from ((f"MEMORY_BINS x {by:g}", [(model, "MEMORY_BINS", each)]) for by, each in memory.items())
    yield from among(bins, "KNOWN", 0.25, 1.0).items()
    yield from among(rare, "USUAL_SHARE", 0.8, 0.95).items()
    yield from ((f"RIDGES {each:g}", [(fit, "RIDGES", (each,))]) for each in fit.RIDGES)


def fast_changes() -> Iterator[tuple[str, list[Change]]]:
    """Yield the name of each change, and what it sets."""
    level, base, alarm = engine.detect.level_shift, engine.detect.baseline, engine.detect.alarm
    fit, cleaning, forward = engine.train.fit, engine.train.cleaning, engine.train.forward_validation
    ensemble, view, drift = engine.detect.ensemble, engine.detect.view, engine.detect.slow_drift
    yield from among(alarm, "CLOSING_RATIO", 1.0, 0.6).items()
    yield from scaled(level, "SPAN", 0.5, 2).items()
    yield from among(level, "MOVED_AVERAGE", (0.225, 0.275), (0.7, 0.8)).items()
    yield from among(level, "FAR_RATIO", (2.0, 4.0), (8.0, 16.0)).items()
    yield from among(level, "SINGLE_SENSOR_SHARE", (0.8, 0.9), (0.95, 0.98)).items()
    yield from among(base, "BEYOND_REACH", (0.5, 0.75), (2.0, 3.0)).items()
    yield from scaled(base, "SLOW_SPEED", 0.5, 2).items()
    yield from among(ensemble, "ENGAGED_SHARE", (0.01, 0.05), (0.04, 0.2)).items()
    yield from among(ensemble, "UNUSUAL_RATIO", (0.375, 0.625), (1.5, 2.5)).items()
    yield from scaled(fit, "SPANS_IN_TRAINING", 0.5, 2).items()
    yield from scaled(engine.train.sampling, "LEAST_ROWS", 0.5, 2).items()
    yield from scaled(forward, "MAX_WIDENING", 0.5, 2).items()
    yield from scaled(engine.detect.cross_prediction, "RIDGE", 0.5, 2).items()
    yield from scaled(view, "CAP", 0.5, 2).items()
    yield from scaled(view, "TOP_SHARE", 0.5, 2).items()
    yield from among(view, "RESIDUAL_QUANTILE", 0.98, 0.995).items()
    yield from among(engine.detect.smoothing, "NEWEST_ROWS", 2, 6).items()
    yield from among(alarm, "CALM_RATIO", 0.3, 0.9).items()
    yield from among(alarm, "MUTED_RATIO", 0.35, 0.95).items()
    yield from among(alarm, "SEEN_SHARE", 0.25, 0.75).items()
    yield from scaled(alarm, "EDGE", 0.5, 2).items()
    for name in ("FAR_ABOVE", "RUN_ROWS", "JOIN_ROWS", "MAX_SHARE", "SILENT_ROWS", "ROUNDS"):
        yield from scaled(cleaning, name, 0.5, 2).items()
    window, spans = engine.detect.features.WINDOW, engine.detect.features.SPANS
    for by in (0.5, 2):
        yield f"WINDOW x {by:g}", remembering(round(window * by), spans)
        yield f"SPANS x {by:g}", remembering(window, (round(spans[0] * by), round(spans[1] * by)))
    yield from scaled(level, "SPAN_PER_TRAINING_ROW", 0.5, 2).items()
    yield from scaled(engine.frame.scaling, "CLIP", 0.5, 2).items()
    yield from scaled(engine.detect.pipeline, "GRACE_SECONDS", 0.5, 2).items()
    yield from scaled(drift, "GENTLE", 0.5, 2).items()


def slow_figures(data: Path, seeds: list[int]) -> Callable[[], str]:
    """Return what measures the slow channel as it is at the time."""
    worn, healthy = (
        [FAMILIES[family](seed, STEP) for seed in seeds] for family in ("wear, curved", "healthy, curved")
    )
    pump = [case for case in shared_cases(data) if case.group == "synthpump"]

    def figures() -> str:
        alarms = engine_alarms()["engine"]
        judged = [judge(case, *alarms(case)) for case in worn]
        late = [np.mean(fault.fifths[3:]) for faults, _ in judged for fault in faults]
        false = np.mean([whole.false_hours_per_day for _, whole in judged])
        season = np.mean([judge(case, *alarms(case))[1].false_hours_per_day for case in healthy])
        f1 = measure(pump, engine_ratio())["synthpump"].f1
        return f"{np.mean(late):.0f} % / {false:.2f} / {season:.2f} / {f1:.3f}"

    return figures


def fast_figures(data: Path, seeds: list[int], *, quick: bool) -> Callable[[], str]:
    """Return what measures the fast views as they are at the time."""
    families = QUICK_FAMILIES if quick else FAST_FAMILIES
    hosts: tuple[Host, ...] = ("steps",) if quick else ("none", "steps")
    own = [case for case in generated_cases(tuple(seeds)) if case.group in families]
    own += [lasting(seed, host, "several") for host in hosts for seed in seeds]
    public = [case for case in shared_cases(data) if not (quick and case.group == "synthpump")]

    def figures() -> str:
        named = measure(public, engine_ratio())
        rest = measure(own, engine_ratio()).values()
        series = " ".join(f"{name} {each.f1:.3f}" for name, each in named.items())
        means = [np.mean([getattr(each, name) for each in rest]) for name in ("ap", "f1")]
        false = np.mean([each.false_alarm_percent for each in rest])
        return f"{series} | {means[0]:.3f} {means[1]:.3f} {false:.1f} %"

    return figures


def main() -> None:
    """Print a line for each change."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", type=Path, default=Path("../shared/data"))
    parser.add_argument("--part", choices=("slow", "fast"), default="slow")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--quick", action="store_true", help="fewer series, for the fast views")
    parser.add_argument("--only", help="constants, separated by commas; all by default")
    options = parser.parse_args()
    seeds = [int(each) for each in options.seeds.split(",")]
    if options.part == "slow":
        changes, figures = slow_changes(), slow_figures(options.data, seeds)
    else:
        changes, figures = fast_changes(), fast_figures(options.data, seeds, quick=options.quick)
    print(f"{'default':36} {figures()}", flush=True)
    for name, change in changes:
        if options.only and name.split()[0] not in options.only.split(","):
            continue
        with without(change):
            print(f"{name:36} {figures()}", flush=True)


if __name__ == "__main__":
    main()
