"""Simulated plants with faults that last: 800 to 6,000 rows, abrupt or ramped, with and without drift."""

from typing import Literal

import numpy as np

from benchmarks.datasets import Case, simulated
from benchmarks.signals import Floats, healthy, steps, walk

Host = Literal["none", "walk", "steps"]
Fault = Literal["large", "several", "modest", "stuck", "ramp"]
HOSTS: tuple[Host, ...] = ("none", "walk", "steps")
FAULTS: tuple[Fault, ...] = ("large", "several", "modest", "stuck", "ramp")
SENSORS = 12
TRAIN = 10_000
EVALUATED = 40_000
_LENGTHS = (800, 6000)
_REST = (1500, 3500)


def lasting_cases(seeds: tuple[int, ...]) -> list[Case]:
    """Return one case per seed, host and kind of fault."""
    return [lasting(seed, host, fault) for host in HOSTS for fault in FAULTS for seed in seeds]


def lasting(seed: int, host: Host, fault: Fault, *, per_minute: int = 1) -> Case:
    """Return a plant of so many rows a minute whose faults last for hours to days.

    Hosts: `none` does not drift, `walk` does so from the first row on, in `steps` single sensors are
    recalibrated from 3,000 rows after training on, once in 8,000 rows. Faults: `large` moves one sensor
    by 4 to 10 times its spread at once, `several` three to five sensors by 1 to 3 times, `modest` one
    sensor by 0.8 to 2 times; `stuck` holds one sensor, `ramp` moves one by 1.5 to 3 times, within a tenth
    to a half of the fault, and holds it there. All these are rows at a row a minute.
    """
    rng = np.random.default_rng([seed, HOSTS.index(host), FAULTS.index(fault)])
    train, rows = TRAIN * per_minute, (TRAIN + EVALUATED) * per_minute
    values = healthy(rng, rows, SENSORS, modes=True, per_minute=per_minute)
    if host == "walk":
        values += walk(rng, rows, SENSORS, train)
    elif host == "steps":
        begin = train + 3000 * per_minute
        values[begin:] += steps(rng, rows - begin, SENSORS, 8000 * per_minute, 1.5)
    spread = values[:train].std(axis=0)
    spans, roots = [], []
    start = train + int(rng.integers(300, 1500)) * per_minute
    while True:
        stop = start + int(np.exp(rng.uniform(*np.log(_LENGTHS)))) * per_minute
        if stop >= rows:
            break
        spans.append((start, stop - 1))
        roots.append(_act(rng, values[start:stop], spread, fault))
        start = stop + int(rng.integers(*_REST)) * per_minute
    name, step = f"lasting, {fault}, {host}", 60 // per_minute
    return simulated(name, seed, values, spans, roots, train=train, step=step)


def _act(rng: np.random.Generator, values: Floats, spread: Floats, fault: Fault) -> tuple[int, ...]:
    """Let one fault act on the rows, in place, and return its root sensors."""
    count = int(rng.integers(3, 6)) if fault == "several" else 1
    at = rng.choice(values.shape[1], count, replace=False)
    signs = rng.choice([-1, 1], count)
    if fault == "stuck":
        values[:, at] = values[0, at]
        return tuple(at.tolist())
    sizes = {"large": (4, 10), "several": (1, 3), "modest": (0.8, 2), "ramp": (1.5, 3)}[fault]
    by = signs * rng.uniform(*sizes, count) * spread[at]
    rise = np.ones(len(values))
    if fault == "ramp":
        climb = int(len(values) * rng.uniform(0.1, 0.5))
        rise[:climb] = np.linspace(0, 1, climb)
    values[:, at] += rise[:, None] * by
    return tuple(at.tolist())
