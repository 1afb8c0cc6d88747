"""How well a scorer does on a case, without point adjustment; also events and warning times."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import engine.detect.alarm
import engine.detect.baseline
import engine.detect.ensemble
import engine.detect.level_shift
import engine.train.cleaning
import engine.train.forward_validation
import engine.train.level_spans
from benchmarks.datasets import Case
from engine import fit

Floats = NDArray[np.float64]
COUNTED: tuple[str, ...] | None = None
"""Views that count, None for all; the others keep their part in replacing missing values."""
Ratio = Callable[[Case], Floats]
"""Score over threshold of the evaluation rows; above one is an alarm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Figures of one group: `ap` is the mean over its cases, the rest is pooled over rows and events.

    `false_ranges_per_day` counts runs of alarmed rows that touch no label, per healthy day; `delay_rows`
    is the median over the events found of the rows before their first alarm.
    """

    ap: float
    f1: float
    false_alarm_percent: float
    missed_percent: float
    found: int
    events: int
    false_hours_per_day: float
    false_ranges_per_day: float
    warning_hours: float
    delay_rows: float


def engine_ratio(*, labels: bool = True) -> Ratio:
    """Return the engine as a scorer. Without `labels`, those of its training data are withheld."""

    def ratio(case: Case) -> Floats:
        detector = fit(case.part(0, case.train), labels=case.training_labels() if labels else ())
        if COUNTED is not None:
            views = (each if each.name in COUNTED else replace(each, limit=np.inf) for each in detector.views)
            detector = replace(detector, views=tuple(views))
        return over_limit(detector.score(case.part(case.train, None)).score)

    return ratio


def over_limit(score: Floats) -> Floats:
    """Return score over threshold from scores of the engine."""
    ratio: Floats = score / (1 - np.minimum(score, 1 - 1e-6))
    return ratio


ABLATIONS: dict[str, list[tuple[Any, str, Any]]] = {
    "all parts": [],
    "only the lag view": [(sys.modules[__name__], "COUNTED", ("lag", "tracked lag"))],
    "only the window view": [(sys.modules[__name__], "COUNTED", ("window", "tracked window"))],
    "only the scale view": [(sys.modules[__name__], "COUNTED", ("scale",))],
    "trained levels always count": [(engine.detect.level_shift, "MOVED_AVERAGE", (2.0, 3.0))],
    "no level is taken over slowly": [
        (module, "SLOW_SPEED", 1.0) for module in (engine.detect.baseline, engine.detect.level_shift)
    ],
    "no tracked views": [(engine.train.level_spans, "LEAST_ROWS", 10**9)],
    "tracked views always count": [(engine.detect.ensemble, "ENGAGED_SHARE", (-2.0, -1.0))],
    "no widening of limits": [(engine.train.forward_validation, "MAX_WIDENING", 1.0)],
    "no cleaning of training data": [(engine.train.cleaning, "LEAST_ROWS", 10**9)],
    "no forgetting of faults that ended": [(engine.detect.alarm, "MEMORY_ROWS", {})],
    "single rows alarm": [(engine.detect.alarm, "_confirmed", lambda _, count: np.ones(count))],
    "alarms close at the limit": [(engine.detect.alarm, "CLOSING_RATIO", 1.0)],
}
"""What each ablation switches off: module, constant, value."""


@contextmanager
def without(changes: Iterable[tuple[Any, str, Any]]) -> Iterator[None]:
    """Change constants of the engine for the duration."""
    before = [(module, name, getattr(module, name)) for module, name, _ in changes]
    for module, name, value in changes:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


def measure(cases: Iterable[Case], ratio: Ratio) -> dict[str, Figures]:
    """Return the figures of every group of the cases."""
    groups: dict[str, list[tuple[Case, Floats]]] = {}
    for case in cases:
        groups.setdefault(case.group, []).append((case, ratio(case)))
    return {group: _figures(results) for group, results in groups.items()}


def _figures(results: list[tuple[Case, Floats]]) -> Figures:
    hit = false = missed = quiet = events = 0
    precisions, warnings, delays, ranges = [], [], [], 0
    days = hours = 0.0
    for case, ratio in results:
        on = ~case.frame.off[case.train :]
        truth, alarm = case.truth(), (ratio > 1) & on
        hit += int((alarm & truth & on).sum())
        false += int((alarm & ~truth).sum())
        missed += int((~alarm & truth & on).sum())
        quiet += int((~alarm & ~truth & on).sum())
        step = float(case.frame.step / np.timedelta64(1, "h"))
        hours += float((alarm & ~truth).sum()) * step
        days += float((~truth & on).sum()) * step / 24
        precisions.append(average_precision(truth[on], ratio[on]))
        for start, stop in _runs(truth):
            events += 1
            if alarm[start:stop].any():
                delays.append(int(alarm[start:stop].argmax()))
                warnings.append((stop - start - delays[-1]) * step)
        ranges += sum(not truth[start:stop].any() for start, stop in _runs(alarm))
    return Figures(
        ap=float(np.mean(precisions)),
        f1=2 * hit / max(1, 2 * hit + false + missed),
        false_alarm_percent=100 * false / max(1, false + quiet),
        missed_percent=100 * missed / max(1, hit + missed),
        found=len(warnings),
        events=events,
        false_hours_per_day=hours / max(days, 1e-9),
        false_ranges_per_day=ranges / max(days, 1e-9),
        warning_hours=float(np.mean(warnings)) if warnings else 0.0,
        delay_rows=float(np.median(delays)) if delays else 0.0,
    )


def _runs(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return start and stop of the runs of marked rows."""
    edges = np.diff(np.concatenate([[0], marked.astype(int), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))


def average_precision(truth: NDArray[np.bool_], score: Floats) -> float:
    """Return the area under precision over recall, ties in row order."""
    ordered = truth[np.argsort(-score, kind="stable")]
    precision = np.cumsum(ordered) / np.arange(1, len(ordered) + 1)
    return float((precision * ordered).sum() / max(1, ordered.sum()))
