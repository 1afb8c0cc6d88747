"""Measure one plant at several rates of its rows, from a row in a few seconds to one a minute.

    python -m benchmarks.rates [--seeds 31,32] [--step 10] [--steps 10,60] [--only "late walk;young, linear"]

A plant is made with a row in `step` seconds; slower rows are means of its rows, as `build_frame` makes them.
"Events" are those of reports that touch a fault, "ranges" the alarms that they join: how often it would ring.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import Case
from benchmarks.generator import late, plant
from benchmarks.lasting import Fault, Host, lasting
from benchmarks.quality import average_precision
from benchmarks.wear import FAMILIES
from engine import EventRules, Interval, Range, fit, ranges

Make = Callable[[int, int], Case]
"""From a seed and the rows of a minute to a plant."""


def _worn(seed: int, per_minute: int, family: str) -> Case:
    return FAMILIES[family](seed, 60 // per_minute)


def _lasting(seed: int, per_minute: int, host: Host, fault: Fault) -> Case:
    return lasting(seed, host, fault, per_minute=per_minute)


LASTING: tuple[tuple[Fault, Host], ...] = (
    ("several", "none"),
    ("several", "walk"),
    ("modest", "none"),
    ("large", "steps"),
    ("ramp", "walk"),
)
PLANTS: dict[str, Make] = {
    "none, modes": lambda seed, fine: plant(seed, "none", modes=True, per_minute=fine),
    "walk, modes": lambda seed, fine: plant(
        300 + seed, "walk", modes=True, rows=24000, lengths=(40, 500), sensors=9, per_minute=fine
    ),
    "late walk": lambda seed, fine: late(600 + seed, "walk", per_minute=fine),
    "late steps": lambda seed, fine: late(700 + seed, "steps", per_minute=fine),
    **{f"lasting, {fault}, {host}": partial(_lasting, host=host, fault=fault) for fault, host in LASTING},
    **{name: partial(_worn, family=name) for name in ("young, linear", "young, curved")},
}


def slower(case: Case, width: int) -> Case:
    """Return the plant with a row for so many of its rows: their means, off if one of them is."""
    whole = case.frame
    rows = len(whole.times) // width * width
    with np.errstate(invalid="ignore"):
        means = whole.values[:rows].reshape(-1, width, len(whole.sensors)).mean(axis=1)
    frame = replace(
        whole,
        times=whole.times[width - 1 : rows : width],
        values=means,
        off=np.any(whole.off[:rows].reshape(-1, width), axis=1),
        step=whole.step * width,
    )
    return replace(case, frame=frame, train=case.train // width)


def figures(case: Case) -> dict[str, float]:
    """Return what the engine makes of a case."""
    began = time.process_time()
    detector = fit(case.part(0, case.train))
    fitted = time.process_time()
    later = case.part(case.train, None)
    scores = detector.score(later)
    scored = time.process_time()
    truth, on, alarm = case.truth(), ~later.off, scores.prediction == 1
    found = ranges(scores, step=later.step)
    events = EventRules.for_reports(later.step).apply(found)
    healthy = on & ~truth
    hit, missed, false = (
        int(rows.sum()) for rows in (alarm & truth & on, ~alarm & truth & on, alarm & healthy)
    )
    weeks = float(healthy.sum() * later.step / np.timedelta64(7, "D"))
    outside = [each for each in events if not any(_touches(each, *label) for label in case.labels)]
    return {
        "AP": average_precision(truth[on], scores.score[on]),
        "F1": 2 * hit / max(1, 2 * hit + missed + false),
        "FAR %": 100 * false / int(healthy.sum()),
        "fault %": 100 * hit / max(1, hit + missed),
        "seen": float(np.mean(_counts(events, case.labels) > 0)),
        "events": float(np.mean(_counts(events, case.labels))),
        "ranges": float(np.mean(_counts(found, case.labels))),
        "false/week": len(outside) / weeks,
        "fit s": fitted - began,
        "us/row": 1e6 * (scored - fitted) / len(later.times),
    }


def _touches(event: Range, start: np.datetime64, end: np.datetime64) -> bool:
    return bool(event.start <= end and event.end >= start)


def _counts(events: Sequence[Range], labels: Sequence[Interval]) -> NDArray[np.int64]:
    """Return how many of the events touch each label."""
    return np.array([sum(_touches(each, *label) for each in events) for label in labels])


def cases(make: Make, seeds: Sequence[int], fine: int, steps: Sequence[int]) -> Iterator[tuple[int, Case]]:
    """Yield a plant of each seed at each of the steps, in seconds."""
    for seed in seeds:
        whole = make(seed, fine)
        for step in steps:
            yield step, slower(whole, step * fine // 60)


def main() -> None:
    """Print a line for each plant and rate."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="31,32")
    parser.add_argument("--step", type=int, default=10, help="seconds between the rows that are made")
    parser.add_argument("--steps", default="10,60", help="seconds between the rows that are judged")
    parser.add_argument("--only", default=";".join(PLANTS), help="separated by semicolons")
    options = parser.parse_args()
    seeds = [int(each) for each in options.seeds.split(",")]
    steps = [int(each) for each in options.steps.split(",")]
    for name in options.only.split(";"):
        found: dict[int, list[dict[str, float]]] = {}
        for step, case in cases(PLANTS[name], seeds, 60 // options.step, steps):
            found.setdefault(step, []).append(figures(case))
        for step, rows in found.items():
            means = {title: float(np.mean([each[title] for each in rows])) for title in rows[0]}
            print(f"{name:24}{step:4} s  " + "  ".join(f"{t} {v:.3g}" for t, v in means.items()), flush=True)


if __name__ == "__main__":
    main()
