"""What the simulated plants are made of: healthy signals, drift, faults, gaps."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.detect.smoothing import ewma as engine_ewma

Floats = NDArray[np.float64]
Drift = Literal["none", "walk", "season", "two sensors"]
KINDS = ("bias", "ramp", "stuck", "noise", "gain", "pair")
DAY = 1440
"""Rows of a day at one row a minute."""


def healthy(rng: np.random.Generator, rows: int, sensors: int, *, modes: bool, per_minute: int = 1) -> Floats:
    """Return sensors that follow three hidden drivers with different lags; curved relations with modes."""
    day = DAY * per_minute
    drivers = np.empty((rows, 3))
    drivers[:, 0] = set_points(rng, rows, per_minute) if modes else wander(rng, rows, day / 10)
    phase = rng.uniform(0, 6)
    drivers[:, 1] = np.sin(2 * np.pi * np.arange(rows) / day + phase) + 0.5 * wander(rng, rows, day / 4)
    noise = rng.normal(size=(rows, 1)) * 4 * np.sqrt(per_minute)
    drivers[:, 2] = ewma(noise, 30 * per_minute)[:, 0]
    linear = rng.normal(size=(sensors, 3)) * (rng.random((sensors, 3)) < 0.7)
    curved = rng.normal(0, 0.35, (sensors, 3)) * modes
    values = drivers @ linear.T + drivers**2 @ curved.T
    for at, span in enumerate(rng.choice([1, 1, 4, 15, 40], sensors)):
        values[:, at : at + 1] = ewma(values[:, at : at + 1], int(span) * per_minute)
    return values + rng.normal(size=values.shape) * rng.uniform(0.05, 0.25, sensors)


def set_points(rng: np.random.Generator, rows: int, per_minute: int = 1) -> Floats:
    """Return a level that jumps between four set points, six hours each on average."""
    levels = np.empty(rows)
    at = 0
    while at < rows:
        length = (int(rng.exponential(DAY / 4)) + 20) * per_minute
        levels[at : at + length] = rng.choice([-1.2, -0.3, 0.5, 1.3]) + rng.normal(0, 0.1)
        at += length
    return ewma(levels[:, None], 8 * per_minute)[:, 0]


def wander(rng: np.random.Generator, rows: int, span: float) -> Floats:
    """Return smooth noise of unit size that forgets within `span` rows."""
    noise: Floats = ewma(rng.normal(size=(rows, 1)), int(span))[:, 0] * np.sqrt(span)
    return noise


def walk(rng: np.random.Generator, rows: int, sensors: int, unit: int) -> Floats:
    """Return a random walk per sensor that has a size of 0.4 to 2.4 after `unit` rows."""
    steps = rng.normal(size=(rows, sensors)) * rng.uniform(0.2, 1.2, sensors)
    levels: Floats = steps.cumsum(axis=0) / np.sqrt(unit / 4)
    return levels


def drifted(rng: np.random.Generator, drift: Drift, rows: int, train: int, sensors: int) -> Floats:
    """Return the drift of every sensor."""
    shift = np.zeros((rows, sensors))
    if drift == "walk":
        shift = walk(rng, rows, sensors, train)
    elif drift == "two sensors":
        for at in rng.choice(sensors, 2, replace=False):
            shift[:, at] = rng.choice([-1, 1]) * np.arange(rows) / train * 1.5
    elif drift == "season":
        wave = np.sin(2 * np.pi * np.arange(rows) / (3 * rows) + rng.uniform(0, 6))
        shift = np.outer(wave, rng.normal(0, 0.8, sensors) * (rng.random(sensors) < 0.5))
    return shift


def steps(rng: np.random.Generator, rows: int, sensors: int, every: int, size: float) -> Floats:
    """Return jumps of single sensors that last, as after a recalibration: one about every `every` rows."""
    shift = np.zeros((rows, sensors))
    at = int(rng.exponential(every))
    while at < rows:
        shift[at:, rng.integers(sensors)] += rng.normal(0, size)
        at += int(rng.exponential(every)) + 1
    return shift


def inject(
    values: Floats, rng: np.random.Generator, start: int, length: int, spread: Floats
) -> tuple[int, ...]:
    """Put one random fault into the rows and return its root sensors."""
    kind = rng.choice(KINDS)
    at = int(rng.integers(values.shape[1]))
    rows, sign = slice(start, start + length), rng.choice([-1, 1])
    if kind == "bias":
        values[rows, at] += sign * rng.uniform(0.7, 1.6) * spread[at]
    elif kind == "ramp":
        values[rows, at] += sign * np.linspace(0, rng.uniform(1.2, 2.5), length) * spread[at]
    elif kind == "stuck":
        values[rows, at] = values[start, at]
    elif kind == "noise":
        values[rows, at] += rng.normal(0, rng.uniform(0.5, 1) * spread[at], length)
    elif kind == "gain":
        values[rows, at] *= rng.uniform(0.3, 0.6)
    else:
        other = int((at + 1 + rng.integers(values.shape[1] - 1)) % values.shape[1])
        ramp = np.linspace(0, rng.uniform(0.8, 1.6), length)
        values[rows, at] += ramp * spread[at]
        values[rows, other] -= ramp * spread[other]
        return at, other
    return (at,)


def inject_ramp(
    values: Floats, rng: np.random.Generator, start: int, length: int, spread: Floats
) -> tuple[int, ...]:
    """Let one to three sensors leave their place slowly, together, and return them."""
    roots = tuple(int(at) for at in rng.choice(values.shape[1], rng.integers(1, 4), replace=False))
    for at in roots:
        end = rng.choice([-1, 1]) * rng.uniform(0.8, 2.0) * spread[at]
        values[start : start + length, at] += np.linspace(0, end, length)
    return roots


def gaps(rng: np.random.Generator, rows: int, spans: list[tuple[int, int]]) -> NDArray[np.bool_]:
    """Mark the rows that are left when eight stretches outside the faults are missing."""
    kept = np.ones(rows, bool)
    for _ in range(8):
        start = int(rng.integers(0, rows - 2000))
        length = int(rng.integers(5, 300))
        if not any(begin - 50 < start + length and start < end for begin, end in spans):
            kept[start : start + length] = False
    return kept


def outages(values: Floats, rng: np.random.Generator, train: int) -> None:
    """Blank values: single ones, stretches of single sensors, and one sensor for good late in evaluation."""
    rows, sensors = values.shape
    values[rng.random(values.shape) < 0.03] = np.nan
    for _ in range(20):
        start = int(rng.integers(0, rows - 400))
        values[start : start + int(rng.integers(20, 400)), rng.integers(sensors)] = np.nan
    values[train + (rows - train) * 2 // 3 :, rng.integers(sensors)] = np.nan


def ewma(rows: Floats, span: int) -> Floats:
    """Return exponentially weighted means that start at the first row."""
    return engine_ewma(rows, rows[0], span)
