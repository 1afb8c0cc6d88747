"""Fit a detector: decide which rows are healthy, learn the views, and set their limits.

Everything is decided on rows that the model in question has not seen. Blocked cross-validation gives each
view the units of its residuals and its limit. A forward validation (fit on the first half of training, score
the second) shows how many false alarms the passing of time alone brings, where levels that have moved for
good no longer count; the limits are widened accordingly. It also shows which levels are moving when
training ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from engine.detect.alarm import Alarm
from engine.detect.baseline import Baseline
from engine.detect.cross_prediction import Float32
from engine.detect.detector import Detector
from engine.detect.discrete import discrete_values
from engine.detect.features import GAP_STEPS, LONGEST_MEMORY, TRACKED, VIEWS, ViewName
from engine.detect.pipeline import Pipeline
from engine.detect.ramp import ramp
from engine.detect.rare_states import RareStates
from engine.detect.slow_drift import SlowDrift
from engine.detect.state import State
from engine.detect.trained_states import TrainedStates
from engine.detect.training_range import TrainingRange
from engine.detect.view import View
from engine.evaluate.intervals import Interval, rows_inside
from engine.frame.frame import Frame
from engine.frame.scaling import Scaling
from engine.frame.segments import segments
from engine.train.calibration import calibrate, fitted_views
from engine.train.calibration_data import CalibrationData
from engine.train.cleaning import RUN_ROWS, without_suspicious
from engine.train.few_days import few_days
from engine.train.fit_settings import FitSettings
from engine.train.forward_validation import ForwardValidation, forward_validation
from engine.train.known_drift import with_known_drift
from engine.train.known_faults import without_known_faults
from engine.train.level_spans import baseline_span, memory_span
from engine.train.returning_states import rare_limits
from engine.train.row_runs import longest_stretches
from engine.train.silence import without_silent
from engine.train.slow_fit import fit_slow
from engine.train.state_errors import state_errors

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MIN_ROWS = 50
FAULTY_SHARE = 0.1
"""Share of training left out as faults from which fast views keep the whole budget of false alarms: where so
many were found, others were not, and have raised the limits already."""
_LEARNED_ROWS = 100_000
_FORGOTTEN = 32
"""Spans after which a row weighs 2e-28 in the baseline: less than rounding."""
_NAMED = 10
"""Stretches left out of training that are named."""


def fit(
    frame: Frame,
    *,
    labels: Sequence[Interval] = (),
    neutral: Sequence[Interval] = (),
    confirmed: Sequence[Interval] = (),
    settings: FitSettings | None = None,
    prior: Detector | None = None,
) -> Detector:
    """Fit a detector to the healthy rows of a frame.

    Rows with the machine off, and labelled rows with 30 rows on both sides, are not learned. Unlabelled
    faults are looked for and left out: by comparing blocks of time with each other, or, with `prior`, by the
    alarms of that detector on the same rows, and the levels that it stopped counting.

    Where periods overlap, `labels` go before `neutral` ones, and these before `confirmed` ones.

    Args:
        frame: the training rows.
        labels: labelled events, none by default.
        neutral: periods of which nobody knows what they were, none by default: not learned, and alarms in
            them count neither way.
        confirmed: periods that people called normal, none by default: learned, whatever they look like, and
            also beside an event.
        settings: the budget of false alarms; 0.15 hours a day by default.
        prior: the detector in use, when a model is trained again.

    Returns:
        A detector whose bytes are equal for equal arguments on equal machines.

    Raises:
        ValueError: when fewer than 50 rows are left, or `prior` has other sensors.
        UnconfirmedChange: when most rows have left what `prior` holds the plant to, or a sensor drifts.

    """
    settings = settings or FitSettings()
    margin = LONGEST_MEMORY * frame.step
    doubtful = rows_inside(frame.times, neutral)
    sure = rows_inside(frame.times, confirmed) & ~rows_inside(frame.times, labels) & ~doubtful
    normal = ~frame.off & ~doubtful & (sure | ~rows_inside(frame.times, labels, margin=margin))
    if normal.sum() < MIN_ROWS:
        raise ValueError(
            f"{int(normal.sum())} normal rows with the machine on; training needs at least {MIN_ROWS}"
        )
    normal = without_silent(frame, normal)
    change = None
    if prior is None:
        scaling = Scaling.of(frame.values, normal)
        healthy = without_suspicious(frame, normal, scaling, _LEARNED_ROWS) | (normal & sure)
    else:
        healthy, change = without_known_faults(frame, normal, prior, sure)
    if prior is not None or (healthy != normal).any():
        scaling = Scaling.of(frame.values, healthy)
    baseline = Baseline.of(baseline_span(int(healthy.sum()), frame.step), len(frame.sensors))
    pipeline = Pipeline(scaling=scaling, baseline=baseline)

    def channel(learned: Mask) -> SlowDrift | None:
        return fit_slow(frame, learned, scaling, settings.quantile)

    slow = channel(healthy) if prior is None else with_known_drift(channel, healthy, sure, prior)
    trimmed = float((normal & ~healthy).sum() / normal.sum())
    trust = slow.trust if slow else 0.0
    beside = settings.beside(trust * (1 - ramp(trimmed, 0, FAULTY_SHARE)))
    views, test, widening, rare, trained = _fit_views(frame, pipeline, healthy, beside, slow)
    training_range = TrainingRange.of(frame.values, healthy)
    pipeline = replace(pipeline, baseline=replace(baseline, reach=training_range.reach(scaling.scale)))
    return Detector(
        sensors=frame.sensors,
        step=frame.step,
        pipeline=_with_level(frame, pipeline),
        views=views,
        forward_false_alarms=test.false_alarms,
        widening=widening,
        trimmed=trimmed,
        training_range=training_range,
        discrete_values=discrete_values(frame.values, healthy),
        rare=rare,
        trained=trained,
        left_out=longest_stretches(frame.times, normal & ~healthy, gap=LONGEST_MEMORY, most=_NAMED),
        learned_change=change,
        slow=slow,
        adaptation="auto" if prior is None else prior.adaptation,
        fill_limits=frame.fill_limits,
    )


def _fit_views(
    frame: Frame, pipeline: Pipeline, healthy: Mask, settings: FitSettings, slow: SlowDrift | None
) -> tuple[tuple[View, ...], ForwardValidation, float, RareStates | None, TrainedStates | None]:
    """Return the views, and what the static ones say: forward validation, its factor for limits, states.

    Static and tracked views are calibrated apart: on a plant that drifts, one group says nothing of the
    other.
    """
    names = (*VIEWS, *(TRACKED if pipeline.baseline.span else ()))
    data = CalibrationData.collect(frame, pipeline, healthy, names, _LEARNED_ROWS)
    rows = int(healthy.sum())
    time = rows * frame.step
    trust, doubt = (slow.trust, slow.doubt) if slow else (0.0, 0.0)
    lag = data[0].held_out(slice(None))
    variance, trained = state_errors(data[0], lag, time, trust, doubt)
    group = partial(
        _fit_group,
        settings=settings,
        variance=variance,
        span=memory_span(rows, frame.step),
        wider=1 + trust * (few_days(settings.quantile, time) - 1),
    )
    static, test, widening, rare = group(data[: len(VIEWS)], known={"lag": lag})
    tracked = group(data[len(VIEWS) :])[0] if len(data) > len(VIEWS) else []
    return (*static, *tracked), test, widening, rare, trained


def _fit_group(
    data: Sequence[CalibrationData],
    *,
    settings: FitSettings,
    variance: Floats,
    span: int,
    wider: float,
    known: Mapping[ViewName, Float32] | None = None,
) -> tuple[list[View], ForwardValidation, float, RareStates | None]:
    test = forward_validation(data, settings, average_span=span)
    calibrations = calibrate(data, settings, variance=variance, known=known)
    widening = test.widening(settings.quantile)
    views = fitted_views(
        data,
        calibrations,
        widening=widening * wider,
        level_averages=test.level_averages,
        average_span=span,
    )
    distance = calibrations[0].distance
    if distance is None:
        return views, test, widening, None
    ratios = {
        view.name: calibration.scores / view.limit
        for view, calibration in zip(views, calibrations, strict=True)
    }
    fused = Alarm.closed().fuse(ratios)
    return views, test, widening, rare_limits(distance, fused, quantile=settings.quantile, apart=RUN_ROWS)


def _with_level(frame: Frame, pipeline: Pipeline) -> Pipeline:
    """Return the pipeline with the baseline's level at the end of training.

    Only the newest rows are followed, from a run of rows on before which nothing counts any more.
    """
    running = np.flatnonzero(~frame.off)
    latest = running[max(0, len(running) - _FORGOTTEN * pipeline.baseline.span - 1)]
    starts = (start for start, *_ in segments(frame.times, frame.off, GAP_STEPS * frame.step, None))
    complete = (at for at in starts if at <= latest and np.isfinite(frame.values[at]).all())
    newest = frame.part(max(complete, default=0), len(frame.times))
    state = State.start(len(frame.sensors))
    for _ in pipeline.run(newest, state, (), wanted=np.zeros(len(newest.times), bool)):
        pass
    level = state.level if state.level is not None else pipeline.baseline.level
    return replace(pipeline, baseline=replace(pipeline.baseline, level=level, end=frame.times[-1]))
