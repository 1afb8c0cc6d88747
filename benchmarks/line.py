"""A simulated process line: nine sensors, a row a minute, strong drift in health, many short faults."""

from typing import Literal

import numpy as np

from benchmarks.datasets import Case, simulated
from benchmarks.signals import DAY, Floats, inject, set_points, steps, walk, wander

SENSORS = 9
TRAIN = 16000
EVALUATED = 60000
FAULTS = 50
_SLOPE_ROWS = 6000


def line(seed: int, drift: Literal["correlated", "uncorrelated"]) -> Case:
    """Return one line. Its sensors share a load; what drifts is several times as large as what a fault does.

    `correlated`: two hidden causes (fouling, weather) move all sensors; `uncorrelated`: each sensor goes
    its own way. Both have a daily cycle, slopes that change every few days, and recalibrations.
    """
    rng = np.random.default_rng(seed)
    rows = TRAIN + EVALUATED
    load = np.stack([set_points(rng, rows), wander(rng, rows, 200), wander(rng, rows, 30)], axis=1)
    values = load @ rng.normal(size=(3, SENSORS)) + rng.normal(size=(rows, SENSORS)) * rng.uniform(
        0.1, 0.3, SENSORS
    )
    spread = values[:TRAIN].std(axis=0)
    day = np.sin(2 * np.pi * np.arange(rows)[:, None] / DAY + rng.uniform(0, 6, SENSORS))
    values += day * rng.uniform(0, 0.7, SENSORS)
    causes = 2 if drift == "correlated" else SENSORS
    hidden = walk(rng, rows, causes, TRAIN // 3) + _slopes(rng, rows, causes)
    values += hidden @ rng.normal(size=(2, SENSORS)) if drift == "correlated" else hidden
    values += steps(rng, rows, SENSORS, 3 * DAY, 1.0)
    spans, roots = [], []
    for slot in np.linspace(TRAIN + 300, rows - 400, FAULTS).astype(int):
        length = int(np.exp(rng.uniform(*np.log((10, 300)))))
        spans.append((int(slot), int(slot) + length - 1))
        roots.append(inject(values, rng, int(slot), length, 2 * spread))
    return simulated(f"line, {drift} drift", seed, values, spans, roots, train=TRAIN)


def _slopes(rng: np.random.Generator, rows: int, causes: int) -> Floats:
    """Return trends whose slope changes every four days or so."""
    slopes = np.repeat(rng.normal(0, 1 / _SLOPE_ROWS, (rows // _SLOPE_ROWS + 1, causes)), _SLOPE_ROWS, axis=0)
    trend: Floats = slopes[:rows].cumsum(axis=0)
    return trend
