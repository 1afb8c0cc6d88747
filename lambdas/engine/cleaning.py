"""Training data that nobody labelled: leave out what the rest of it says is no healthy operation.

Each block of time is judged by the others with robust units. Runs of rows far above the bulk of all scores
are left out, with a margin; twice, as the first round still learned from them. Healthy data loses little:
bursts are too short, and if much of it looked suspicious, then that would be how the machine is.
"""

import numpy as np
from numpy.typing import NDArray

from engine.frame import Frame
from engine.pipeline import Baseline, Pipeline, State
from engine.scaling import Scaling
from engine.transform import VIEWS, ViewName
from engine.trial import FOLDS, Trial, folds_of, sampled, total_of
from engine.view import row_scores, smooth

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

ROUNDS = 2
FAR_ABOVE = 4.0
"""How many times the 75 % quantile of all scores is suspicious."""
RUN_ROWS = 96
"""Three times the longest memory of a view: a change of operating mode is over by then, a fault is not."""
JOIN_ROWS = 24
MARGIN_ROWS = 30
MAX_SHARE = 0.35
MIN_ROWS = 1000
"""Shorter training data is taken as it is."""
_TRIAL_ROWS = 60_000
_NORMAL_99 = 2.5758 / 0.6745
"""99 % quantile of |residual| over its median, for normal residuals."""


def without_suspicious(frame: Frame, normal: Mask, max_rows: int) -> Mask:
    """Return the normal rows without those that look like unlabelled faults."""
    kept = normal
    if normal.sum() < MIN_ROWS:
        return kept
    judged = sampled(len(normal), normal, max_rows)
    for _ in range(ROUNDS):
        suspicious = _margin(_runs((_ratio(frame, kept, judged) > FAR_ABOVE) & normal))
        share = (normal & judged & suspicious).sum() / (normal & judged).sum()
        if not 0 < share <= MAX_SHARE:
            break
        kept = normal & ~suspicious
    return kept


def _ratio(frame: Frame, normal: Mask, judged: Mask) -> Floats:
    """Return for each judged row the largest score of a view, over the 75 % quantile of the view's scores."""
    scaling = Scaling.of(frame.values, normal)
    pipeline = Pipeline(scaling=scaling, baseline=Baseline.none(len(frame.sensors)))
    ratio = np.zeros(len(frame.times))
    for name in VIEWS:
        np.maximum(ratio, _view_ratio(frame, pipeline, normal, judged, name), out=ratio)
    return ratio


def _view_ratio(frame: Frame, pipeline: Pipeline, normal: Mask, judged: Mask, name: ViewName) -> Floats:
    trial = Trial.of(frame, pipeline, normal, name, _TRIAL_ROWS)
    everything = total_of(trial.folds)
    fold_of = folds_of(normal)
    judges = [trial.predictor(everything.plus(trial.folds[fold], -1.0)) for fold in range(FOLDS)]
    absolute = np.concatenate([judge(held) for judge, held in zip(judges, trial.held, strict=True)])
    units = np.maximum(np.median(absolute, axis=0) * _NORMAL_99, 1e-6)
    bulk = max(float(np.quantile(smooth(row_scores(absolute / units), 0.0), 0.75)), 1e-9)
    ratio = np.zeros(len(frame.times))
    for rows in pipeline.run(frame, State.start(len(frame.sensors)), (name,), judged):
        at = slice(rows.start, rows.stop)
        chosen = judged[at] & rows.ready(name)
        stacked = np.concatenate(rows.features.blocks[name], axis=1)
        for fold in np.unique(fold_of[at][chosen]):
            part = chosen & (fold_of[at] == fold)
            scores = smooth(row_scores(judges[fold](stacked[part]) / units), 0.0)
            ratio[rows.start + np.flatnonzero(part)] = scores / bulk
    return ratio


def _runs(marked: Mask) -> Mask:
    """Return the runs of at least RUN_ROWS marked rows; gaps up to JOIN_ROWS belong to them."""
    result = np.zeros_like(marked)
    rows = np.flatnonzero(marked)
    if not len(rows):
        return result
    for run in np.split(rows, np.flatnonzero(np.diff(rows) > JOIN_ROWS) + 1):
        length = run[-1] - run[0] + 1
        if length >= RUN_ROWS and len(run) >= length / 2:
            result[run[0] : run[-1] + 1] = True
    return result


def _margin(marked: Mask) -> Mask:
    """Return the marked rows and MARGIN_ROWS on both sides."""
    steps = np.diff(np.concatenate([[0], marked.astype(np.int8), [0]]))
    result = marked.copy()
    for start, stop in zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True):
        result[max(0, start - MARGIN_ROWS) : stop + MARGIN_ROWS] = True
    return result
