"""Simulated plants: operating modes, lags, drift, gaps and faults unlike those of the public data."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import Case
from engine import Frame

Floats = NDArray[np.float64]
Drift = Literal["none", "walk", "season", "two sensors"]
KINDS = ("bias", "ramp", "stuck", "noise", "gain", "pair")

STEP_SECONDS = 60
_DAY = 1440


def generated_cases(seeds: tuple[int, ...]) -> list[Case]:
    """Return the families of plants, one case per seed and family."""
    cases = []
    for seed in seeds:
        cases += [
            plant(seed, "none", modes=True, gaps=True),
            plant(100 + seed, "none", modes=False),
            plant(
                200 + seed,
                "walk",
                modes=False,
                rows=24000,
                train=8000,
                faults=30,
                lengths=(20, 200),
                sensors=9,
            ),
            plant(
                300 + seed,
                "walk",
                modes=True,
                rows=24000,
                train=8000,
                gaps=True,
                lengths=(40, 500),
                sensors=9,
            ),
            plant(400 + seed, "two sensors", modes=True),
            plant(500 + seed, "season", modes=True, rows=24000, train=12000, faults=8, lengths=(200, 1200)),
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
    gaps: bool = False,
) -> Case:
    """Return one plant: healthy in training, with faults afterwards."""
    rng = np.random.default_rng(seed)
    values = _healthy(rng, rows, sensors, modes=modes) + _drift(rng, drift, rows, train, sensors)
    spread = values[:train].std(axis=0)
    spans, roots = [], []
    for slot in np.linspace(train + 200, rows - lengths[1] - 60, faults).astype(int):
        length = int(np.exp(rng.uniform(*np.log(lengths))))
        start = int(slot + rng.integers(0, 50))
        spans.append((start, start + length - 1))
        roots.append(tuple(f"s{at}" for at in inject(values, rng, start, length, spread)))
    kept = _gaps(rng, rows, spans) if gaps else np.ones(rows, bool)
    times = np.datetime64("2026-01-01", "us") + np.arange(rows) * np.timedelta64(STEP_SECONDS, "s")
    frame = Frame(
        times=times[kept],
        values=values[kept],
        sensors=tuple(f"s{at}" for at in range(sensors)),
        off=np.zeros(int(kept.sum()), bool),
        step=np.timedelta64(STEP_SECONDS, "s"),
    )
    return Case(
        name=f"{drift} {'modes' if modes else 'smooth'} {seed}",
        group=f"own: {drift}, {'modes' if modes else 'smooth'}",
        frame=frame,
        labels=tuple((times[start], times[end]) for start, end in spans),
        train=int(kept[:train].sum()),
        roots=tuple(roots),
    )


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


def _healthy(rng: np.random.Generator, rows: int, sensors: int, *, modes: bool) -> Floats:
    drivers = np.empty((rows, 3))
    drivers[:, 0] = _set_points(rng, rows) if modes else _wander(rng, rows, _DAY / 10)
    phase = rng.uniform(0, 6)
    drivers[:, 1] = np.sin(2 * np.pi * np.arange(rows) / _DAY + phase) + 0.5 * _wander(rng, rows, _DAY / 4)
    drivers[:, 2] = _ewma(rng.normal(size=(rows, 1)), 30)[:, 0] * 4
    linear = rng.normal(size=(sensors, 3)) * (rng.random((sensors, 3)) < 0.7)
    curved = rng.normal(0, 0.35, (sensors, 3)) * modes
    values = drivers @ linear.T + drivers**2 @ curved.T
    for at, span in enumerate(rng.choice([1, 1, 4, 15, 40], sensors)):
        values[:, at : at + 1] = _ewma(values[:, at : at + 1], float(span))
    return values + rng.normal(size=values.shape) * rng.uniform(0.05, 0.25, sensors)


def _set_points(rng: np.random.Generator, rows: int) -> Floats:
    levels = np.empty(rows)
    at = 0
    while at < rows:
        length = int(rng.exponential(_DAY / 4)) + 20
        levels[at : at + length] = rng.choice([-1.2, -0.3, 0.5, 1.3]) + rng.normal(0, 0.1)
        at += length
    return _ewma(levels[:, None], 8)[:, 0]


def _wander(rng: np.random.Generator, rows: int, span: float) -> Floats:
    return _ewma(rng.normal(size=(rows, 1)), span)[:, 0] * np.sqrt(span)


def _drift(rng: np.random.Generator, drift: Drift, rows: int, train: int, sensors: int) -> Floats:
    shift = np.zeros((rows, sensors))
    if drift == "walk":
        steps = rng.normal(size=(rows, sensors)) * rng.uniform(0.2, 1.2, sensors)
        shift = steps.cumsum(axis=0) / np.sqrt(train / 4)
    elif drift == "two sensors":
        for at in rng.choice(sensors, 2, replace=False):
            shift[:, at] = rng.choice([-1, 1]) * np.arange(rows) / train * 1.5
    elif drift == "season":
        wave = np.sin(2 * np.pi * np.arange(rows) / (3 * rows) + rng.uniform(0, 6))
        shift = np.outer(wave, rng.normal(0, 0.8, sensors) * (rng.random(sensors) < 0.5))
    return shift


def _gaps(rng: np.random.Generator, rows: int, spans: list[tuple[int, int]]) -> NDArray[np.bool_]:
    kept = np.ones(rows, bool)
    for _ in range(8):
        start = int(rng.integers(0, rows - 2000))
        length = int(rng.integers(5, 300))
        if not any(begin - 50 < start + length and start < end for begin, end in spans):
            kept[start : start + length] = False
    return kept


def _ewma(rows: Floats, span: float) -> Floats:
    gain = 2 / (span + 1)
    result = np.empty_like(rows)
    level = rows[0]
    for at, row in enumerate(rows):
        level = level + gain * (row - level)
        result[at] = level
    return result
