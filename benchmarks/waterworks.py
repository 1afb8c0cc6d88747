"""A simulated water supply, a row an hour: tanks, pumps that switch, daily and weekly demand.

Level controllers switch pairs of pumps; pressures follow flows and levels. Faults last 10 to 100 hours and
act on the plant, so that several sensors move a little: leaks, worn pumps, level sensors that lie to their
controller, changed switching levels; in some the most affected sensor shows values of the week before.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import Case
from engine import Frame

Floats = NDArray[np.float64]

TANKS = 6
PUMPS = 2 * TANKS
PRESSURES = 9
TRAIN = 8760
EVALUATED = 6000
FAULTS = 14
KINDS = ("leak", "worn pump", "level sensor", "switching level")
SENSORS = (
    *(f"tank{at}\\Level" for at in range(TANKS)),
    *(f"pump{at}\\Flow" for at in range(PUMPS)),
    *(f"pump{at}\\On" for at in range(PUMPS)),
    *(f"node{at}\\Pressure" for at in range(PRESSURES)),
)
_WEEK = 168


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plant:
    """What stays the same: tank areas, pump strengths, demand shares, and how pressures mix."""

    area: Floats
    strength: Floats
    demand: Floats
    mix: Floats


@dataclass(slots=True, kw_only=True)
class _Faults:
    """What acts on each row: leaks, wear of pumps, lies of level sensors, shifted switching levels."""

    leak: Floats
    wear: Floats
    lie: Floats
    shift: Floats

    @classmethod
    def none(cls, rows: int) -> "_Faults":
        tanks = np.zeros((3, rows, TANKS))
        return cls(leak=tanks[0], wear=np.ones((rows, PUMPS)), lie=tanks[1], shift=tanks[2])


def waterworks(seed: int) -> Case:
    """Return a year of healthy hours and the months after it, with faults."""
    rng = np.random.default_rng(seed)
    rows = TRAIN + EVALUATED
    demand = rng.uniform(0.7, 1.3, TANKS)
    plant = _Plant(
        area=rng.uniform(3, 6, TANKS),
        strength=np.repeat(demand, 2) * rng.uniform(1.0, 1.7, PUMPS),
        demand=demand,
        mix=rng.normal(0, 1, (TANKS + PUMPS, PRESSURES)) * (rng.random((TANKS + PUMPS, PRESSURES)) < 0.25),
    )
    faults, spans, roots, hidden = _Faults.none(rows), [], [], []
    for slot in np.linspace(TRAIN + 100, rows - 150, FAULTS).astype(int):
        length = int(np.exp(rng.uniform(*np.log((10, 100)))))
        sensor = _place(rng, faults, slice(int(slot), int(slot) + length), plant)
        spans.append((int(slot), int(slot) + length - 1))
        roots.append((SENSORS[sensor],))
        if rng.random() < 0.3:
            hidden.append((slice(int(slot), int(slot) + length), sensor))
    values = _run(rng, plant, faults, rows)
    for span, sensor in hidden:
        values[span, sensor] = values[span.start - _WEEK : span.stop - _WEEK, sensor]
    times = np.datetime64("2025-01-01", "us") + np.arange(rows) * np.timedelta64(3600, "s")
    return Case(
        name=f"waterworks {seed}",
        group="own: waterworks",
        frame=Frame(
            times=times,
            values=values,
            sensors=SENSORS,
            off=np.zeros(rows, bool),
            step=np.timedelta64(3600, "s"),
        ),
        labels=tuple((times[start], times[end]) for start, end in spans),
        train=TRAIN,
        roots=tuple(roots),
    )


def _place(rng: np.random.Generator, faults: _Faults, span: slice, plant: _Plant) -> int:
    """Let one random fault act on the rows of the span; return the column of its root sensor."""
    kind, tank = rng.choice(KINDS), int(rng.integers(TANKS))
    if kind == "leak":
        faults.leak[span, tank] = rng.uniform(0.15, 0.4) * plant.demand[tank]
    elif kind == "worn pump":
        pump = 2 * tank
        faults.wear[span, pump] = rng.uniform(0.6, 0.85)
        return TANKS + pump
    elif kind == "level sensor":
        faults.lie[span, tank] = rng.choice([-1, 1]) * rng.uniform(0.4, 1.2)
    else:
        faults.shift[span, tank] = rng.choice([-1, 1]) * rng.uniform(0.5, 1.2)
    return tank


def _run(rng: np.random.Generator, plant: _Plant, faults: _Faults, rows: int) -> Floats:
    """Return the sensors hour by hour: two pumps fill each tank, switched by level, in weekly turns."""
    hours = np.arange(rows)
    daily = 1 + 0.35 * np.sin(2 * np.pi * (hours - 7) / 24) + 0.15 * np.sin(4 * np.pi * hours / 24)
    weekly = np.where(hours // 24 % 7 >= 5, 0.85, 1.0)
    restless = np.exp(rng.normal(0, 0.08, (rows, TANKS)))
    drawn = (daily * weekly)[:, None] * restless * plant.demand + faults.leak
    low, high = np.array([1.8, 1.0]), np.array([4.2, 3.0])  # the second pump of a pair helps when it is low
    on = np.zeros((TANKS, 2), bool)
    level = np.full(TANKS, 3.0)
    levels, flows = np.empty((rows, TANKS)), np.empty((rows, PUMPS))
    running = np.empty((rows, PUMPS))
    strength = plant.strength * faults.wear
    for at in range(rows):
        seen = level + faults.lie[at]
        asked = (seen - faults.shift[at])[:, None]
        turn = slice(None, None, 1 if at // _WEEK % 2 else -1)
        on = (on & (asked < high[turn])) | (asked < low[turn])
        flow = on.ravel() * (strength[at] - 0.03 * np.repeat(level, 2))
        level = np.clip(level + (flow.reshape(TANKS, 2).sum(axis=1) - drawn[at]) / plant.area, 0.05, 6.0)
        levels[at], flows[at], running[at] = seen, flow, on.ravel()
    levels += rng.normal(0, 0.02, levels.shape)
    flows += (flows > 0) * rng.normal(0, 0.02, flows.shape)
    pressures = 20 + np.concatenate([levels, flows], axis=1) @ plant.mix
    pressures += rng.normal(0, 0.1, pressures.shape)
    return np.concatenate([levels, flows, running, pressures], axis=1)
