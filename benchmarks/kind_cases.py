"""Machines of many kinds with faults.

Machines of `benchmarks.kinds` are trained on two to six months and then have five faults, each repaired: one
of hours, one that comes at once and stays for eight days, wear of 5, 15 (three sensors) and 30 days, to 2 to
4 spreads of training.
"""

import numpy as np

from benchmarks.datasets import Case
from benchmarks.kinds import KINDS, Clock
from benchmarks.wear import START
from engine import Frame

PLAN = ((0.3, 1), (8, 1), (5, 1), (15, 3), (30, 1))
"""Days and sensors of each fault; the first two come at once."""
ABRUPT = 2
FIRST, PAUSE = 12, (6, 9)
"""Healthy days before the first fault, and after each."""


def case(kind: str, seed: int, healthy: int = 0) -> Case:
    """Return a machine of a kind, with its faults in an order of its own, or with healthy days instead."""
    make, step, train = KINDS[kind]
    rng = np.random.default_rng([seed, 11])
    plan = () if healthy else PLAN
    days = train + (healthy or FIRST) + sum(int(np.ceil(each)) + PAUSE[1] for each, _ in plan)
    clock = Clock(rng, days, step)
    made, learned = make(clock), train * 1440 // step
    sensors = {name: values.astype(float).copy() for name, values in made.sensors.items()}
    at, labels, roots, sizes = float(train + FIRST), [], [], []
    microseconds = 24 * 3600 * 10**6
    for which in rng.permutation(len(plan)):
        length, several = plan[which]
        names = rng.choice(list(made.wearing), min(several, len(made.wearing) - 1), replace=False).tolist()
        past, size = (clock.day - at) / length, float(rng.uniform(2, 3 if which < ABRUPT else 4))
        course = ((past >= 0) & (past < 1)) * (1 if which < ABRUPT else past) * size
        for name in names:
            on = next((shown for end, shown in made.running.items() if name.endswith(end)), 1.0)
            spread = made.sensors[name][:learned].std()
            sensors[name] += rng.choice([-1, 1]) * course * spread * on
        bounds = (np.timedelta64(int(day * microseconds), "us") for day in (at, at + length))
        labels.append(tuple(START + each for each in bounds))
        roots.append(tuple(names))
        sizes.append(size)
        at += length + rng.uniform(*PAUSE)
    made.recorded(sensors)
    minutes = np.timedelta64(step * 60, "s")
    frame = Frame(
        times=START + (np.arange(clock.rows) + 1) * minutes,
        values=np.stack(list(sensors.values()), axis=1),
        sensors=tuple(sensors),
        off=np.zeros(clock.rows, bool),
        step=minutes,
    )
    return Case(
        name=f"{kind} {seed}",
        group=kind,
        frame=frame,
        labels=tuple((start, end) for start, end in labels),
        train=learned,
        roots=tuple(roots),
        sizes=tuple(sizes),
    )
