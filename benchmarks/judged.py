"""What an owner reads of the alarms of a case: each of its faults, what is false, and who is to blame."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import Case
from engine import EventRules, Frame, Range, Scores, ranges

Mask = NDArray[np.bool_]
HOUR = np.timedelta64(3600 * 10**6, "us")
LASTING = 24 * HOUR
"""An alarm lasts if at least half of the rows of the next day alarm."""
SEEN = 50
"""Share of the last two fifths of a fault, in %, from which it counts as seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultFigures:
    """What a detector made of one fault. `size` as in `Case`; `fifths` in percent of rows on; hours."""

    case: str
    kind: str
    days: float
    size: float
    fifths: tuple[int, ...]
    lead: float
    events: int
    quiet_after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFigures:
    """What a detector did outside of the faults of one case."""

    case: str
    group: str
    false_hours_per_day: float
    false_events_per_week: float
    false_events: int
    f1: float


def judge(
    case: Case, alarm: Mask, contributions: NDArray[np.float32] | None = None
) -> tuple[list[FaultFigures], CaseFigures]:
    """Return the figures of one case from the alarmed rows of its evaluation, and who led them."""
    frame = case.part(case.train, None)
    times, on, truth = frame.times, ~frame.off, case.truth()
    step = frame.step
    alarm = alarm & on
    alarms, rules = _ranges(frame, alarm, contributions), EventRules.for_reports(step)
    found, unbroken = rules.apply(alarms), EventRules(join=rules.join, min_rows=rules.min_rows).apply(alarms)
    faults = [
        _fault(case, at, alarm, found, unbroken)
        for at, label in enumerate(case.labels)
        if label[0] > times[0]
    ]
    false = [each for each in found if not any(_touching([each], start, end) for start, end in case.labels)]
    healthy = on & ~truth
    days = max(float(healthy.sum() * step / (24 * HOUR)), 1e-9)
    hit, wrong = int((alarm & truth).sum()), int((alarm & ~truth).sum())
    return faults, CaseFigures(
        case=case.name,
        group=case.group,
        false_hours_per_day=float(wrong * step / HOUR) / days,
        false_events_per_week=7 * len(false) / days,
        false_events=len(false),
        f1=2 * hit / max(1, hit + wrong + int((truth & on).sum())),
    )


def _touching(events: Sequence[Range], start: np.datetime64, end: np.datetime64) -> list[Range]:
    return [each for each in events if each.start <= end and each.end >= start]


def _ranges(frame: Frame, alarm: Mask, contributions: NDArray[np.float32] | None) -> list[Range]:
    scores = Scores(
        times=frame.times,
        off=frame.off,
        score=alarm.astype(float),
        prediction=alarm.astype(np.int8),
        contributions=np.ones((len(alarm), 1), np.float32) if contributions is None else contributions,
        state=b"",
    )
    return ranges(scores, step=frame.step)


def _fault(
    case: Case, at: int, alarm: Mask, found: Sequence[Range], unbroken: Sequence[Range]
) -> FaultFigures:
    """Return the figures of one fault.

    Args:
        case: the case.
        at: which of its faults.
        alarm: alarmed rows with the machine on.
        found: the events they make.
        unbroken: those without a longer pause, which tell when the machine was quiet after a repair.

    """
    times, on = case.frame.times[case.train :], ~case.frame.off[case.train :]
    start, end = case.labels[at]
    inside = (times >= start) & (times <= end)
    fifth = np.minimum((times - start) * 5 // (end - start), 4)
    shares = [
        100 * float(alarm[rows].mean()) if (rows := inside & on & (fifth == part)).any() else 0.0
        for part in range(5)
    ]
    last = max((each.end for each in _touching(unbroken, start, end)), default=end)
    lead = 0.0
    for row in np.flatnonzero(alarm & inside):
        soon = inside & on & (times >= times[row]) & (times < times[row] + LASTING)
        if alarm[soon].mean() >= 0.5:
            lead = float((end - times[row]) / HOUR)
            break
    return FaultFigures(
        case=case.name,
        kind=case.roots[at][0],
        days=float((end - start) / (24 * HOUR)),
        size=case.sizes[at],
        fifths=tuple(round(share) for share in shares),
        lead=lead,
        events=len(_touching(found, start, end)),
        quiet_after=max(0.0, float((last - end) / HOUR)),
    )


def named_roots(case: Case, scores: Scores) -> tuple[int, int, int]:
    """Return how often a root sensor is the first, and one of the first three, of how many alarmed events."""
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
    return first, third, count


def in_words(faults: Sequence[FaultFigures], cases: Sequence[CaseFigures]) -> str:
    """Return faults seen, their mean lead in hours, and mean false hours a day and F1 of the cases."""
    seen = sum(float(np.mean(each.fifths[3:])) >= SEEN for each in faults)
    false = np.mean([each.false_hours_per_day for each in cases])
    lead, f1 = np.mean([each.lead for each in faults]), np.mean([each.f1 for each in cases])
    return f"{seen} of {len(faults)}, {lead:.0f}, {false:.2f}, {f1:.3f}"
