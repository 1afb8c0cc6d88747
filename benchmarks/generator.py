"""Simulated plants: modes, lags, drift, gaps and faults unlike those of the public data.

`generated_cases` lists the families; each case is a few hundredths of a second to a second of work.
"""

import numpy as np

from benchmarks.datasets import Case, simulated
from benchmarks.line import line
from benchmarks.signals import (
    Drift,
    Floats,
    drifted,
    gaps,
    healthy,
    inject,
    inject_ramp,
    outages,
    steps,
    walk,
)
from benchmarks.waterworks import waterworks
from engine import Frame

_SHORT = (20, 200)


def generated_cases(seeds: tuple[int, ...]) -> list[Case]:
    """Return the families of plants, one case per seed and family."""
    cases = []
    for seed in seeds:
        cases += [
            plant(seed, "none", modes=True, with_gaps=True),
            plant(100 + seed, "none", modes=False),
            plant(200 + seed, "walk", modes=False, rows=24000, faults=30, lengths=_SHORT, sensors=9),
            plant(300 + seed, "walk", modes=True, rows=24000, with_gaps=True, lengths=(40, 500), sensors=9),
            plant(400 + seed, "two sensors", modes=True),
            plant(500 + seed, "season", modes=True, rows=24000, train=12000, faults=8, lengths=(200, 1200)),
            late(600 + seed, "walk"),
            late(700 + seed, "steps"),
            dirty(800 + seed),
            broken(900 + seed),
            slow(1000 + seed),
            waterworks(1100 + seed),
            line(1200 + seed, "correlated"),
            line(1300 + seed, "uncorrelated"),
        ]
    return cases


def plant(
    seed: int,
    drift: Drift,
    *,
    modes: bool,
    rows: int = 16000,
    train: int = 8000,
    sensors: int = 12,
    faults: int = 12,
    lengths: tuple[int, int] = (60, 400),
    with_gaps: bool = False,
    per_minute: int = 1,
) -> Case:
    """Return one plant: healthy in training, with faults afterwards.

    `rows`, `train` and `lengths` count minutes, of `per_minute` rows each.
    """
    rng = np.random.default_rng(seed)
    rows, train = rows * per_minute, train * per_minute
    values = healthy(rng, rows, sensors, modes=modes, per_minute=per_minute)
    values += drifted(rng, drift, rows, train, sensors)
    spans, roots = _faults(rng, values, train, faults, lengths, per_minute=per_minute)
    kept = gaps(rng, rows, spans) if with_gaps else np.ones(rows, bool)
    name, step = f"{drift}, {'modes' if modes else 'smooth'}", 60 // per_minute
    case = simulated(name, seed, values, spans, roots, train=train, step=step)
    whole = case.frame
    frame = Frame(
        times=whole.times[kept],
        values=whole.values[kept],
        sensors=whole.sensors,
        off=whole.off[kept],
        step=whole.step,
    )
    return Case(
        name=case.name,
        group=case.group,
        frame=frame,
        labels=case.labels,
        train=int(kept[:train].sum()),
        roots=case.roots,
    )


def late(seed: int, kind: str, *, rows: int = 40000, train: int = 10000, per_minute: int = 1) -> Case:
    """Return a plant that is steady in training and begins to drift later; all rows are minutes.

    `walk`: a quarter of the sensors wander from 3,000 rows after training on; `steps`: single sensors
    jump, once in 8,000 rows on average, and stay there.
    """
    rng = np.random.default_rng(seed)
    rows, train, begin = (minutes * per_minute for minutes in (rows, train, train + 3000))
    values = healthy(rng, rows, 12, modes=True, per_minute=per_minute)
    if kind == "walk":
        shift = walk(rng, rows - begin, 12, 8000 * per_minute) * (rng.random(12) < 0.25)
    else:
        shift = steps(rng, rows - begin, 12, 8000 * per_minute, 1.5)
    values[begin:] += shift
    spans, roots = _faults(rng, values, train, 20, (60, 400), per_minute=per_minute)
    return simulated(f"late {kind}", seed, values, spans, roots, train=train, step=60 // per_minute)


def dirty(seed: int) -> Case:
    """Return a plant with faults in a twelfth of its training rows that nobody labelled."""
    rng = np.random.default_rng(seed)
    train, rows = 12000, 20000
    values = healthy(rng, rows, 12, modes=True)
    spread = values.std(axis=0)
    for start in rng.choice(np.arange(300, train - 600, 700), 5, replace=False):
        inject(values, rng, int(start), int(rng.integers(60, 350)), spread)
    spans, roots = _faults(rng, values, train, 12, (60, 400))
    return simulated("unlabelled faults in training", seed, values, spans, roots, train=train)


def broken(seed: int) -> Case:
    """Return a plant with missing values, sensors that fall silent for hours, and one that dies."""
    rng = np.random.default_rng(seed)
    train, rows = 10000, 20000
    values = healthy(rng, rows, 12, modes=True)
    spans, roots = _faults(rng, values, train, 15, (60, 400))
    outages(values, rng, train)
    return simulated("outages", seed, values, spans, roots, train=train)


def slow(seed: int) -> Case:
    """Return a plant of a row in five minutes, without drift, whose faults creep up over one to four days."""
    rng = np.random.default_rng(seed)
    train, rows = 20000, 40000
    values = healthy(rng, rows, 12, modes=True)
    spans, roots = [], []
    spread = values[:train].std(axis=0)
    for slot in np.linspace(train + 500, rows - 1700, 9).astype(int):
        length = int(rng.uniform(288, 1152))
        spans.append((int(slot), int(slot) + length - 1))
        roots.append(inject_ramp(values, rng, int(slot), length, spread))
    return simulated("slow ramps", seed, values, spans, roots, train=train, step=300)


def _faults(
    rng: np.random.Generator,
    values: Floats,
    train: int,
    faults: int,
    lengths: tuple[int, int],
    *,
    per_minute: int = 1,
) -> tuple[list[tuple[int, int]], list[tuple[int, ...]]]:
    """Put faults into the rows after training; return their first and last rows, and their root sensors."""
    spread = values[:train].std(axis=0)
    spans, roots = [], []
    for slot in np.linspace(train + 200, len(values) - lengths[1] * per_minute - 60, faults).astype(int):
        length = int(np.exp(rng.uniform(*np.log(lengths)))) * per_minute
        start = int(slot + rng.integers(0, 50))
        spans.append((start, start + length - 1))
        roots.append(inject(values, rng, start, length, spread))
    return spans, roots
