"""Adjust the limits of all views to the labelled events, by one factor.

Labelled events are not learned, so they show how the detector responds to faults it has not seen. The factor
comes from a short list. It must raise the F1 score over all labelled events, each of equal weight, and again
with any one of them left out, so that one wrong label (late, too long, or of nothing) cannot decide.

Limits are lowered only while the alarms outside the labels, the tails of events included, stay within the
budget of false alarms. They are raised only while every event that was found stays found. Where the alarms
outside the labels exceed the budget, limits are raised towards it as far as that costs little.

Rows that cleaning left out count neither way: if they are faults that nobody labelled, they alarm under every
limit, and rightly.
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
from engine.evaluate.intervals import Interval, merge_intervals, rows_inside
from engine.frame.frame import Frame
from engine.train.fit_settings import FitSettings
from engine.train.sampling import sample_strips

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MIN_EVENTS = 3
FACTORS: tuple[float, ...] = tuple(1.08**power for power in range(-7, 6))
"""Candidates, from 0.58 to 1.47."""
GAIN = 0.01
"""Least gain of the balanced F1 score, with any one event left out."""
LOSS = 0.05
"""What the balanced F1 score may lose to bring the alarms outside the labels down to the budget."""
FALSE_WEIGHT = 2.0
"""Weight of a false alarm row: training rows were learned, so they alarm less than later rows will."""
MARGIN_ROWS = 40
"""Rows around an event whose alarms are not false for the score, but count for the budget."""

_SCORED_ROWS = 100_000
"""Rows outside the labels to score, about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _AlarmCounts:
    """Alarms under one factor.

    Attributes:
        event_shares: share of each event's rows with an alarm, shape (events,).
        false_rows: number of alarm rows far from events.
        outside_share: share of rows outside the labels with an alarm.

    """

    event_shares: Floats
    false_rows: int
    outside_share: float


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Score over limit of each view on rows `start:stop`, which have no restart between them."""

    start: int
    stop: int
    ratios: Mapping[ViewName, Floats]


def label_factor(
    detector: Detector, frame: Frame, labels: Sequence[Interval], settings: FitSettings, left_out: Mask
) -> float:
    """Return the factor by which the limits of all views should change.

    Args:
        detector: the detector with the limits of calibration.
        frame: the training rows, labelled ones included.
        labels: labelled events; overlapping ones count as one.
        settings: the budget of false alarms.
        left_out: mask of the rows outside the labels that look like faults, or may be some, shape (rows,).

    Returns:
        One of FACTORS; 1 for fewer than three labelled events with the machine on.

    """
    on = ~frame.off
    events = [rows_inside(frame.times, [event]) & on for event in merge_intervals(labels)]
    events = [event for event in events if event.any()]
    if len(events) < MIN_EVENTS:
        return 1.0
    near = rows_inside(frame.times, labels, margin=MARGIN_ROWS * frame.step)
    scored = on & (near | sample_strips(on, _SCORED_ROWS))
    outside, far = scored & ~left_out & ~np.any(events, axis=0), scored & ~left_out & ~near
    stretches = _stretches(detector, frame, scored)
    lengths = np.array([event.sum() for event in events], float)

    def alarm_counts(factor: float) -> _AlarmCounts:
        alarm = np.zeros(len(on), bool)
        for each in stretches:
            fused = Alarm.closed().fuse({name: ratio / factor for name, ratio in each.ratios.items()})
            alarm[each.start : each.stop] = fused > 1
        return _AlarmCounts(
            event_shares=np.array([alarm[event].mean() for event in events]),
            false_rows=int((alarm & far).sum()),
            outside_share=float((alarm & outside).sum() / max(1, outside.sum())),
        )

    return _best_factor({factor: alarm_counts(factor) for factor in FACTORS}, lengths, 1 - settings.quantile)


def _best_factor(counts: Mapping[float, _AlarmCounts], lengths: Floats, budget: float) -> float:
    """Return the factor that the events agree on.

    Args:
        counts: alarms under each factor, 1 among them.
        lengths: rows of each event, shape (events,).
        budget: share of rows outside the labels that may alarm.

    """
    found = counts[1.0].event_shares > 0
    allowed = [
        factor
        for factor, each in counts.items()
        if (each.outside_share <= budget if factor < 1 else (each.event_shares[found] > 0).all())
    ]
    masks = _all_and_all_but_one(len(lengths))
    scores = {
        factor: np.array([_balanced_f1(counts[factor], lengths, kept) for kept in masks])
        for factor in allowed
    }
    best, most = 1.0, GAIN
    for factor in allowed:
        gain = float((scores[factor] - scores[1.0]).min())
        if gain > most:
            best, most = factor, gain
    least = scores[best][0] - LOSS
    for factor in allowed:
        if counts[best].outside_share > budget and factor > best and scores[factor][0] >= least:
            best = factor
    return best


def _stretches(detector: Detector, frame: Frame, scored: Mask) -> list[_Stretch]:
    count = len(detector.sensors)
    state = State.start(count)
    starts: list[int] = []
    stops: list[int] = []
    parts: list[dict[ViewName, list[Floats]]] = []
    for rows in detector.pipeline.run(frame, state, wanted=scored, predictor=detector.lag_view):
        if not parts or rows.features.seen[0] == 1:
            starts.append(rows.start)
            stops.append(rows.start)
            parts.append({view.name: [] for view in detector.views})
        stops[-1] = rows.stop
        ratios = evaluate_views(detector.views, rows, state, sensors=count, widening=detector.widening).ratios
        silent = np.zeros(rows.stop - rows.start)
        for name, found in parts[-1].items():
            found.append(ratios.get(name, silent))
    return [
        _Stretch(start, stop, {name: np.concatenate(found) for name, found in part.items()})
        for start, stop, part in zip(starts, stops, parts, strict=True)
    ]


def _all_and_all_but_one(count: int) -> list[Mask]:
    """Return the mask of all events, and those that leave out each one of them."""
    return [np.ones(count, bool), *~np.eye(count, dtype=bool)]


def _balanced_f1(counts: _AlarmCounts, lengths: Floats, kept: Mask) -> float:
    """Return the F1 score of rows, each kept event of equal weight and the false rows in proportion."""
    rows = float(lengths[kept].sum())
    hit = float(counts.event_shares[kept].mean()) * rows
    false = FALSE_WEIGHT * counts.false_rows * float(kept.mean())
    return 2 * hit / (hit + rows + false)
