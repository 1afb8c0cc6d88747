"""Does the top contribution name the faulty sensor? Faults of four kinds injected into healthy rows."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from benchmarks.datasets import Case
from benchmarks.generator import plant
from benchmarks.judged import named_roots
from engine import Frame, fit

KINDS = ("bias", "drift", "stuck", "noise")
ROWS = 60


Shares = Callable[[Frame], NDArray[np.float64]]
"""What a method gives per row and sensor: the larger, the more the sensor is to blame."""
METHODS = ("engine", "PCA T2+Q")


def root_figures(cases: list[Case], per_kind: int) -> dict[str, dict[str, tuple[float, float]]]:
    """Return per method the top-1 and top-3 hit rate per fault kind and over all, on healthy hosts."""
    hosts = [case for case in cases if case.name == "fault01"] + [
        plant(seed, "none", modes=True) for seed in (31, 32)
    ]
    ranks: dict[str, dict[str, list[int]]] = {name: defaultdict(list) for name in METHODS}
    for host in hosts:
        count = host.train * 3 // 5
        train, quiet = host.part(0, count), host.part(count, host.train)
        methods = dict(zip(METHODS, (_engine(train), _pca(train)), strict=True))
        rng = np.random.default_rng(7)
        for kind in KINDS:
            for _ in range(per_kind):
                faulty, rows, sensor = _injected(quiet, train.values.std(axis=0), kind, rng)
                for name, shares in methods.items():
                    mean = shares(faulty)[rows].mean(axis=0)
                    ranks[name][kind].append(int((mean > mean[sensor]).sum()))
    for found in ranks.values():
        found["all"] = [rank for kind in KINDS for rank in found[kind]]
    return {
        name: {kind: (_share(each, 1), _share(each, 3)) for kind, each in found.items()}
        for name, found in ranks.items()
    }


def _share(ranks: list[int], top: int) -> float:
    return float(np.mean(np.array(ranks) < top))


def _engine(train: Frame) -> Shares:
    detector = fit(train)
    return lambda frame: detector.score(frame).contributions.astype(np.float64)


def _pca(train: Frame) -> Shares:
    """Return the usual contributions to T2 (z_j times its share of the score) and Q, each over its limit."""
    center, scale = train.values.mean(axis=0), np.maximum(train.values.std(axis=0), 1e-9)
    model = PCA(0.95).fit((train.values - center) / scale)
    inner = (model.components_.T / model.explained_variance_) @ model.components_

    def parts(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        rows = (values - center) / scale
        rest = rows - model.inverse_transform(model.transform(rows))
        return np.maximum(rows * (rows @ inner), 0), rest**2

    limits = [max(float(np.quantile(part.sum(axis=1), 0.995)), 1e-9) for part in parts(train.values)]

    def shares(frame: Frame) -> NDArray[np.float64]:
        t2, q = parts(frame.values)
        return t2 / limits[0] + q / limits[1]

    return shares


def _injected(
    quiet: Frame, spread: NDArray[np.float64], kind: str, rng: np.random.Generator
) -> tuple[Frame, slice, int]:
    """Return the frame with a fault, its rows, and the sensor."""
    start = int(rng.integers(40, len(quiet.times) - ROWS))
    sensor = int(rng.choice(np.flatnonzero(spread > 0)))
    values = quiet.values.copy()
    rows = slice(start, start + ROWS)
    if kind == "bias":
        values[rows, sensor] += 3 * spread[sensor]
    elif kind == "drift":
        values[rows, sensor] += np.linspace(0, 4.5, ROWS) * spread[sensor]
    elif kind == "stuck":
        values[rows, sensor] = values[start, sensor]
    else:
        values[rows, sensor] += rng.normal(0, 2.1 * spread[sensor], ROWS)
    return replace(quiet, values=values), rows, sensor


def event_roots(case: Case) -> tuple[float, float, int]:
    """Return top-1 and top-3 hit rate of the alarmed events with known root sensors, and their number."""
    detector = fit(case.part(0, case.train), labels=case.training_labels())
    first, third, count = named_roots(case, detector.score(case.part(case.train, None)))
    return first / max(1, count), third / max(1, count), count
