"""Does the top contribution name the faulty sensor? Faults of four kinds injected into healthy rows."""

from collections import defaultdict

import numpy as np

from benchmarks.datasets import Case
from benchmarks.generator import plant
from engine import Detector, Frame, fit

KINDS = ("bias", "drift", "stuck", "noise")
ROWS = 60


def root_figures(cases: list[Case], per_kind: int) -> dict[str, tuple[float, float]]:
    """Return top-1 and top-3 hit rate per fault kind and over all, on healthy hosts."""
    hosts = [case for case in cases if case.name == "fault01"] + [
        plant(seed, "none", modes=True) for seed in (31, 32)
    ]
    ranks: dict[str, list[int]] = defaultdict(list)
    for host in hosts:
        count = host.train * 3 // 5
        detector = fit(host.part(0, count))
        quiet = host.part(count, host.train)
        rng = np.random.default_rng(7)
        for kind in KINDS:
            for _ in range(per_kind):
                ranks[kind].append(_rank(detector, quiet, host.frame.values[:count].std(axis=0), kind, rng))
    ranks["all"] = [rank for kind in KINDS for rank in ranks[kind]]
    return {
        kind: (float(np.mean(np.array(r) < 1)), float(np.mean(np.array(r) < 3))) for kind, r in ranks.items()
    }


def _rank(detector: Detector, quiet: Frame, spread: np.ndarray, kind: str, rng: np.random.Generator) -> int:
    start = int(rng.integers(40, len(quiet.times) - ROWS))
    moving = np.flatnonzero(spread > 0)
    sensor = int(rng.choice(moving))
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
    faulty = Frame(times=quiet.times, values=values, sensors=quiet.sensors, off=quiet.off, step=quiet.step)
    mean = detector.score(faulty).contributions[rows].mean(axis=0)
    return int((mean > mean[sensor]).sum())


def event_roots(case: Case) -> tuple[float, float, int]:
    """Return top-1 and top-3 hit rate of the alarmed events with known root sensors, and their number."""
    detector = fit(case.part(0, case.train), labels=case.training_labels())
    scores = detector.score(case.part(case.train, None))
    first, third, count = 0, 0, 0
    for (start, end), roots in zip(case.labels, case.roots, strict=True):
        rows = (scores.times >= start) & (scores.times <= end) & (scores.prediction == 1)
        if not rows.any():
            continue
        order = np.argsort(-scores.contributions[rows].mean(axis=0))
        names = [case.frame.sensors[at] for at in order[:3]]
        count += 1
        first += names[0] in roots
        third += bool(set(names) & set(roots))
    return first / max(1, count), third / max(1, count), count
