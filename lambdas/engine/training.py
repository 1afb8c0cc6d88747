"""Fitting: what is healthy, does it drift, and where the limits lie.

Everything is decided on rows the model in question has not seen. Blocked cross-validation gives each view the
units of its residuals and its limit. A forward test (fit on the first half, judge the second) tells how many
false alarms time itself brings: many of them mean drift, and then the slowest baseline that cures it is
subtracted; what remains widens the limit.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.cleaning import without_suspicious
from engine.detector import Detector
from engine.frame import Frame, narrow_frame
from engine.intervals import Interval, inside, merge_intervals
from engine.parts import score_in_parts
from engine.pipeline import Baseline, Pipeline, State
from engine.scaling import Scaling
from engine.transform import VIEWS
from engine.trial import FOLDS, Settings, Trial, forward_ratio, total_of
from engine.units import Span

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MIN_ROWS = 50
LABEL_MARGIN_ROWS = 30
MAX_WIDENING = 5.0
DRIFT_ALARMS = 0.06
"""Share of forward false alarms above which healthy operation is taken to drift."""
CURED_ALARMS = 0.03
SPANS = (8000, 4000, 3000, 2000, 1500, 1000, 500, 250, 120)
"""Baseline spans to try, in rows; at least five of them must fit into training."""
SPANS_IN_TRAINING = 5
WANDER_PARTS = 4
WANDER_SHARE = 0.3
"""A sensor wanders when more than this share of its variance lies between the quarters of training."""
MIN_EVENTS = 3
EVENT_RESERVE = 1.05
MAX_RAISE = 1.5
SEARCH_SENSORS = 64
"""A baseline is chosen on this many sensors: those that time changes most, and as many in even spacing."""
_MOMENT_ROWS = 100_000
_TRIAL_ROWS = 30_000


def fit(frame: Frame, *, labels: Sequence[Interval] = (), settings: Settings | None = None) -> Detector:
    """Fit a detector to the rows with the machine on and outside the labels (plus 30 rows on both sides).

    Raises:
        ValueError: fewer than 50 such rows.

    """
    settings = settings or Settings()
    margin = LABEL_MARGIN_ROWS * frame.step
    normal = ~frame.off & ~inside(frame.times, [(start - margin, end + margin) for start, end in labels])
    if normal.sum() < MIN_ROWS:
        raise ValueError(
            f"{int(normal.sum())} normal rows with the machine on; training needs at least {MIN_ROWS}"
        )
    healthy = without_suspicious(frame, normal, _MOMENT_ROWS)
    trimmed = 1 - healthy.sum() / normal.sum()
    normal = healthy
    scaling = Scaling.of(frame.values, normal)
    static = Pipeline(scaling=scaling, baseline=Baseline.none(len(frame.sensors)))
    pipeline, trials, alarms = _choose_baseline(frame, static, normal, settings)
    widening = float(np.clip(np.quantile(alarms, settings.quantile), 1, MAX_WIDENING)) if len(alarms) else 1.0
    detector = Detector(
        sensors=frame.sensors,
        step=frame.step,
        pipeline=pipeline,
        views=tuple(trial.view(settings, widening) for trial in trials),
        forward_false_alarms=float((alarms > 1).mean()) if len(alarms) else 0.0,
        widening=widening,
        trimmed=float(trimmed),
        span=Span.of(frame.values, normal),
    )
    raised = _raised_by_labels(detector, frame, labels)
    return replace(
        detector,
        pipeline=_with_level(frame, pipeline),
        views=tuple(replace(view, limit=view.limit * raised) for view in detector.views),
        widening=widening * raised,
    )


def _raised_by_labels(detector: Detector, frame: Frame, labels: Sequence[Interval]) -> float:
    """Return by how much the limits may rise without losing a labelled event that they find now, at most 1.5.

    Events keep a small reserve. Fewer than three labelled events say nothing.
    """
    events = [event for event in merge_intervals(labels) if inside(frame.times, [event]).any()]
    if len(events) < MIN_EVENTS:
        return 1.0
    score = np.concatenate([part.score for part in score_in_parts(detector, frame)])
    peaks = np.array([float(score[inside(frame.times, [event])].max()) for event in events])
    ratios = peaks / (1 - np.minimum(peaks, 1 - 1e-5))
    found = ratios[ratios > 1]
    return float(np.clip(found.min() / EVENT_RESERVE, 1, MAX_RAISE)) if len(found) else 1.0


def _choose_baseline(
    frame: Frame, static: Pipeline, normal: Mask, settings: Settings
) -> tuple[Pipeline, list[Trial], Floats]:
    """Return the pipeline with the least baseline that keeps the forward test quiet, its training material
    and its forward test.

    That is often none. Otherwise the slowest one for all sensors that cures it. Training too short to prove
    any span has one only for the sensors that wander through it all, whose level therefore says nothing about
    what comes next.
    """

    material = Trial.gather(frame, static, normal, VIEWS, _MOMENT_ROWS)
    forward = forward_ratio(material, settings)
    if _alarms(forward) <= DRIFT_ALARMS:
        return static, material, forward
    columns = _changed(material[0]) if len(frame.sensors) > 2 * SEARCH_SENSORS else None
    del material  # as large as what is gathered next
    best = static
    rows = int(normal.sum())
    spans = [span for span in SPANS if span * SPANS_IN_TRAINING <= rows]
    wandering = _wandering(frame, static, normal)
    if spans:
        span = _slowest_cure(
            frame, static, normal, settings, spans=spans, alarms=_alarms(forward), columns=columns
        )
        best = static.with_baseline(span, np.ones(len(frame.sensors), bool)) if span else static
    elif wandering.any():
        best = static.with_baseline(max(1, rows // WANDER_PARTS), wandering)
    material = Trial.gather(frame, best, normal, VIEWS, _MOMENT_ROWS)
    return best, material, forward if best is static else forward_ratio(material, settings)


def _alarms(ratio: Floats) -> float:
    return float((ratio > 1).mean()) if len(ratio) else 0.0


def _slowest_cure(
    frame: Frame,
    static: Pipeline,
    normal: Mask,
    settings: Settings,
    *,
    spans: Sequence[int],
    alarms: float,
    columns: NDArray[np.intp] | None,
) -> int:
    """Return the slowest span that cures the forward ``alarms``, else the best that halves them, else 0.

    ``columns`` are the sensors to look at, None for all: a wide plant costs no more than one of 64 sensors.
    """

    def share(pipeline: Pipeline) -> float:
        return _alarms(forward_ratio(Trial.gather(frame, pipeline, normal, VIEWS, _TRIAL_ROWS), settings))

    if columns is not None:
        frame, static = narrow_frame(frame, columns), static.narrow(columns)
        alarms = share(static)
    best, fewest = 0, alarms / 2
    for span in spans:
        found = share(static.with_baseline(span, np.ones(len(frame.sensors), bool)))
        if found < fewest:
            best, fewest = span, found
        if found <= CURED_ALARMS:
            break
    return best


def _changed(trial: Trial) -> NDArray[np.intp]:
    """Return the sensors whose residuals grew most from the half of training that was learned to the other
    one, and as many in even spacing; SEARCH_SENSORS together.
    """
    half = FOLDS // 2
    judge = trial.predictor(total_of(trial.folds[:half]))
    learned, later = (
        np.square(judge(np.concatenate(part))).mean(axis=0, dtype=np.float64)[: trial.sensors]
        for part in (trial.held[:half], trial.held[half:])
    )
    order = np.argsort(-later / np.maximum(learned, 1e-12), kind="stable")
    most, rest = order[: SEARCH_SENSORS // 2], np.sort(order[SEARCH_SENSORS // 2 :])
    even = rest[np.linspace(0, len(rest) - 1, SEARCH_SENSORS // 2).astype(int)]
    return np.sort(np.concatenate([most, even]))


def _wandering(frame: Frame, static: Pipeline, normal: Mask) -> Mask:
    """Mark the sensors with much of their variance between the quarters of training."""
    picks = np.flatnonzero(normal)
    values = static.scaling.apply(frame.values[picks[:: max(1, len(picks) // _TRIAL_ROWS)]])
    means = np.stack([np.nanmean(part, axis=0) for part in np.array_split(values, WANDER_PARTS)])
    total = np.nanvar(values, axis=0)
    marked: Mask = means.var(axis=0) > WANDER_SHARE * np.maximum(total, 1e-12)
    return marked


def _with_level(frame: Frame, pipeline: Pipeline) -> Pipeline:
    """Return the pipeline with the baseline's level at the end of training."""
    if not pipeline.baseline.span:
        return pipeline
    state = State.start(len(frame.sensors))
    for _ in pipeline.run(frame, state, ()):
        pass
    level = state.level if state.level is not None else pipeline.baseline.level
    return replace(pipeline, baseline=replace(pipeline.baseline, level=level, end=frame.times[-1]))
