"""What labelled events say about the limits: moved together, where every event but one would agree.

The events were never learned, so they show what the detector makes of faults it has not seen. A factor for
the limits of all views is taken from a short list. It must gain on the labelled events taken together, each
of equal weight, and again with any one of them left out: one wrong label (late, too long, of nothing) decides
nothing. Limits fall only while all alarms outside the labels, tails of events included, stay within the
budget; they rise only while every event that was found stays found. Where these alarms exceed the budget,
limits rise towards it as far as that costs little. Rows that cleaning left out count as neither: faults that
nobody labelled alarm under every limit, and their alarms are no false ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.detect.alarm import Alarm
from engine.detect.detector import Detector
from engine.detect.ensemble import evaluate_views
from engine.detect.features import ViewName
from engine.detect.state import State
from engine.evaluate.evaluation import Interval, inside, merge_intervals
from engine.frame.frame import Frame
from engine.train.calibration import Settings, sampled

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MIN_EVENTS = 3
FACTORS: tuple[float, ...] = tuple(1.08**power for power in range(-7, 6))
"""Candidates, from 0.58 to 1.47."""
GAIN = 0.01
"""Least gain of the balanced F1 score, with any one event left out."""
LOSS = 0.05
"""What the balanced F1 score may lose for alarms outside the labels to come down to the budget."""
FALSE_WEIGHT = 2.0
"""Weight of a false alarm row: training rows were learned, and alarm less than others will."""
MARGIN_ROWS = 40
"""Rows around an event whose alarms are no false ones for the score, but are for the budget."""


_JUDGED_ROWS = 100_000
"""Rows outside the labels to judge, about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What alarms under one factor do.

    ``shares`` of each event's rows with an alarm, ``far``: the number of false rows far from events, and
    ``outside``: the share of rows outside the labels with an alarm.
    """

    shares: Floats
    far: int
    outside: float


@dataclass(frozen=True, slots=True)
class _Run:
    """Ratios per view of rows ``start:stop`` without a restart between them."""

    start: int
    stop: int
    ratios: Mapping[ViewName, Floats]


def label_factor(
    detector: Detector, frame: Frame, labels: Sequence[Interval], settings: Settings, left_out: Mask
) -> float:
    """Return by how much the limits of all views should move; 1 for fewer than three labelled events.

    ``frame`` is the training data with the labelled rows in it, and ``left_out`` its rows outside the labels
    that look like faults.
    """
    on = ~frame.off
    events = [inside(frame.times, [event]) & on for event in merge_intervals(labels)]
    events = [event for event in events if event.any()]
    if len(events) < MIN_EVENTS:
        return 1.0
    margin = MARGIN_ROWS * frame.step
    near = inside(frame.times, [(start - margin, end + margin) for start, end in labels])
    judged = on & (near | sampled(len(on), on, _JUDGED_ROWS))
    free, far = judged & ~left_out & ~np.any(events, axis=0), judged & ~left_out & ~near
    runs = _runs(detector, frame, judged)
    lengths = np.array([event.sum() for event in events], float)

    def outcome(factor: float) -> _Outcome:
        alarm = np.zeros(len(on), bool)
        for run in runs:
            fused = Alarm.closed().fuse({name: ratio / factor for name, ratio in run.ratios.items()})
            alarm[run.start : run.stop] = fused > 1
        return _Outcome(
            shares=np.array([alarm[event].mean() for event in events]),
            far=int((alarm & far).sum()),
            outside=float((alarm & free).sum() / max(1, free.sum())),
        )

    budget = 1 - settings.quantile
    outcomes = {factor: outcome(factor) for factor in FACTORS}
    found = outcomes[1.0].shares > 0
    allowed = [
        factor
        for factor, then in outcomes.items()
        if (then.outside <= budget if factor < 1 else (then.shares[found] > 0).all())
    ]
    masks = _with_and_without(len(events))
    scores = {
        factor: np.array([_balanced(outcomes[factor], lengths, kept) for kept in masks]) for factor in allowed
    }
    best, most = 1.0, GAIN
    for factor in allowed:
        gain = float((scores[factor] - scores[1.0]).min())
        if gain > most:
            best, most = factor, gain
    least = scores[best][0] - LOSS
    for factor in allowed:
        if outcomes[best].outside > budget and factor > best and scores[factor][0] >= least:
            best = factor
    return best


def _runs(detector: Detector, frame: Frame, judged: Mask) -> list[_Run]:
    count = len(detector.sensors)
    state = State.start(count)
    starts: list[int] = []
    stops: list[int] = []
    parts: list[dict[ViewName, list[Floats]]] = []
    for rows in detector.pipeline.run(frame, state, wanted=judged, predictor=detector.lag_view):
        if not parts or rows.features.seen[0] == 1:
            starts.append(rows.start)
            stops.append(rows.start)
            parts.append({view.name: [] for view in detector.views})
        stops[-1] = rows.stop
        ratios = evaluate_views(detector.views, rows, state, count).ratios
        silent = np.zeros(rows.stop - rows.start)
        for name, found in parts[-1].items():
            found.append(ratios.get(name, silent))
    return [
        _Run(start, stop, {name: np.concatenate(found) for name, found in part.items()})
        for start, stop, part in zip(starts, stops, parts, strict=True)
    ]


def _with_and_without(count: int) -> list[Mask]:
    """Return the masks of all events, and of all but one."""
    return [np.ones(count, bool), *~np.eye(count, dtype=bool)]


def _balanced(outcome: _Outcome, lengths: Floats, kept: Mask) -> float:
    """Return the F1 score of rows, each kept event of equal weight and the false rows in proportion."""
    rows = float(lengths[kept].sum())
    hit = float(outcome.shares[kept].mean()) * rows
    false = FALSE_WEIGHT * outcome.far * float(kept.mean())
    return 2 * hit / (hit + rows + false)
