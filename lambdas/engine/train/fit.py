"""Fitting: what is healthy, does it drift, and where the limits lie.

Everything is decided on rows the model in question has not seen. Blocked cross-validation gives each view the
units of its residuals and its limit. A forward test (fit on the first half, judge the second) tells how many
false alarms time itself brings where levels that moved for good no longer count: these widen the limits. It
also tells which levels are moving when training ends.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.detect.baseline import Baseline
from engine.detect.detector import Detector
from engine.detect.discrete import discrete_values
from engine.detect.features import TRACKED, VIEWS
from engine.detect.pipeline import Pipeline
from engine.detect.state import State
from engine.detect.training_range import TrainingRange
from engine.detect.view import View
from engine.evaluate.evaluation import Interval, inside
from engine.frame.frame import Frame
from engine.frame.scaling import Scaling
from engine.train.calibration import Forward, Settings, Trial, fitted_views, forward_test
from engine.train.cleaning import without_silent, without_suspicious
from engine.train.known_faults import without_faults
from engine.train.label_limits import label_factor

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MIN_ROWS = 50
LABEL_MARGIN_ROWS = 30
MAX_WIDENING = 5.0
SPANS = (1000, 500, 250)
"""Spans of the baseline of the tracked views, in rows; the first is used of which five fit into training."""
SPANS_IN_TRAINING = 5
STEADY_TRIMMED = 0.1
"""Share of training rows that look like faults up to which a plant can be called steady."""
LEVEL_SPANS = 10
"""Spans before the end of training through which the baseline is followed for its level there."""
_MOMENT_ROWS = 100_000


def fit(
    frame: Frame,
    *,
    labels: Sequence[Interval] = (),
    settings: Settings | None = None,
    prior: Detector | None = None,
) -> Detector:
    """Fit a detector to the rows with the machine on and outside the labels (plus 30 rows on both sides).

    Unlabelled faults are looked for and left out: by what the rows say of each other, or, when a model is
    trained again, by what the ``prior`` detector says of them.

    Raises:
        ValueError: fewer than 50 such rows, or the prior detector has other sensors.

    """
    settings = settings or Settings()
    margin = LABEL_MARGIN_ROWS * frame.step
    normal = ~frame.off & ~inside(frame.times, [(start - margin, end + margin) for start, end in labels])
    if normal.sum() < MIN_ROWS:
        raise ValueError(
            f"{int(normal.sum())} normal rows with the machine on; training needs at least {MIN_ROWS}"
        )
    normal = without_silent(frame, normal)
    if prior is None:
        healthy = without_suspicious(frame, normal, _MOMENT_ROWS)
    else:
        healthy = without_faults(frame, normal, prior)
    left_out, normal = normal & ~healthy, healthy
    scaling = Scaling.of(frame.values, normal)
    baseline = Baseline.of(_span(int(normal.sum())), len(frame.sensors))
    pipeline = Pipeline(scaling=scaling, baseline=baseline)
    views, forward, widening = _fitted(frame, pipeline, normal, settings)
    training_range = TrainingRange.of(frame.values, normal)
    trimmed = float(left_out.sum() / (left_out | normal).sum())
    if trimmed <= STEADY_TRIMMED and forward.steady(widening):
        pipeline = replace(
            pipeline, baseline=replace(pipeline.baseline, reach=training_range.reach(scaling.scale))
        )
    detector = Detector(
        sensors=frame.sensors,
        step=frame.step,
        pipeline=pipeline,
        views=views,
        forward_false_alarms=float((forward.ratio > 1).mean()) if len(forward.ratio) else 0.0,
        widening=widening,
        trimmed=trimmed,
        training_range=training_range,
        discrete_values=discrete_values(frame.values, normal),
    )
    factor = label_factor(detector, frame, labels, settings, left_out)
    return replace(
        detector,
        pipeline=_with_level(frame, detector.pipeline),
        views=tuple(replace(view, limit=view.limit * factor) for view in detector.views),
        widening=widening * factor,
    )


def _fitted(
    frame: Frame, pipeline: Pipeline, normal: Mask, settings: Settings
) -> tuple[tuple[View, ...], Forward, float]:
    """Return the views, the forward test of the static ones, and the factor it widened their limits by.

    Static and tracked views are calibrated apart: on a plant that drifts the ones say nothing of the others.
    """
    names = (*VIEWS, *(TRACKED if pipeline.baseline.span else ()))
    trials = Trial.gather(frame, pipeline, normal, names, _MOMENT_ROWS)
    static, forward, widening = _fitted_bank(trials[: len(VIEWS)], settings)
    tracked = _fitted_bank(trials[len(VIEWS) :], settings)[0] if len(trials) > len(VIEWS) else []
    return (*static, *tracked), forward, widening


def _fitted_bank(trials: Sequence[Trial], settings: Settings) -> tuple[list[View], Forward, float]:
    test = forward_test(trials, settings)
    widening = 1.0
    if len(test.ratio):
        widening = float(np.clip(np.quantile(test.ratio, settings.quantile), 1, MAX_WIDENING))
    return fitted_views(trials, settings, widening, test), test, widening


def _span(rows: int) -> int:
    """Return the longest baseline span that training can prove, 0 if it is too short for any."""
    return next((span for span in SPANS if span * SPANS_IN_TRAINING <= rows), 0)


def _with_level(frame: Frame, pipeline: Pipeline) -> Pipeline:
    """Return the pipeline with the baseline's level at the end of training."""
    span = pipeline.baseline.span
    if not span:
        return pipeline
    state = State.start(len(frame.sensors))
    rows = len(frame.times)
    for _ in pipeline.run(frame.part(max(0, rows - LEVEL_SPANS * span), rows), state, ()):
        pass
    level = state.level if state.level is not None else pipeline.baseline.level
    return replace(pipeline, baseline=replace(pipeline.baseline, level=level, end=frame.times[-1]))
