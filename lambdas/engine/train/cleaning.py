"""Training data that nobody labelled: leave out what would teach the detector something wrong.

First, rows on which a sensor is silent: before there is a model, nothing but its last value stands in for it.
Then what the rest of the data says is no healthy operation. Each block of time is judged by the others with
robust units. Runs of rows far above the bulk of all scores are left out, with a margin; twice, as the first
round still learned from them. Healthy data loses little: bursts are too short, and if much of it looked
suspicious, then that would be how the machine is.
"""

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from engine.detect.baseline import Baseline
from engine.detect.cross_prediction import Float32, stack
from engine.detect.features import VIEWS
from engine.detect.pipeline import Pipeline
from engine.detect.smoothing import smooth
from engine.detect.state import State
from engine.detect.view import row_scores
from engine.frame.frame import Frame
from engine.frame.scaling import Scaling
from engine.train.calibration import FOLDS, Trial, column_quantile, folds_of, sampled, total_of

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
"""If more looks suspicious, that is how the machine is."""
SILENT_ROWS = 8
"""Rows without a value after which a sensor is silent; its last value is no guess then."""
LEAST_SHARE = 1 / 3
"""Rows without a silent sensor that are enough to learn from."""
MIN_ROWS = 1000
"""Shorter training data is taken as it is."""
_TRIAL_ROWS = 60_000
_BLOCK_ROWS = 4096
_NORMAL_99 = 2.5758 / 0.6745
"""99 % quantile of |residual| over its median, for normal residuals."""


def without_silent(frame: Frame, normal: Mask) -> Mask:
    """Return the normal rows without those on which a sensor is silent, with a margin.

    All of them, if less than a third or 1,000 would be left: then the model has to live with it.
    """
    kept = normal & ~_margin(_silent(frame.values) & normal)
    return kept if kept.sum() >= max(MIN_ROWS, LEAST_SHARE * normal.sum()) else normal


def _silent(values: Floats) -> Mask:
    """Mark the rows up to which a sensor had no value for SILENT_ROWS rows."""
    result = np.zeros(len(values), bool)
    for start in range(SILENT_ROWS - 1, len(values), _BLOCK_ROWS):
        missing = np.isnan(values[start - SILENT_ROWS + 1 : start + _BLOCK_ROWS])
        missing = missing[:, missing.sum(axis=0) >= SILENT_ROWS]
        windows = sliding_window_view(missing, SILENT_ROWS, axis=0)
        result[start : start + _BLOCK_ROWS] = np.any(np.all(windows, axis=-1), axis=1)
    return result


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
    pipeline = Pipeline(scaling=scaling, baseline=Baseline.of(0, len(frame.sensors)))
    ratio = np.zeros(len(frame.times))
    fold_of = folds_of(normal)
    judges = {
        trial.name: _judge(trial) for trial in Trial.gather(frame, pipeline, normal, VIEWS, _TRIAL_ROWS)
    }
    for rows in pipeline.run(frame, State.start(len(frame.sensors)), VIEWS, judged):
        at = slice(rows.start, rows.stop)
        for name, judge in judges.items():
            chosen = judged[at] & rows.ready(name)
            stacked = stack(rows.blocks(name))
            for fold in np.unique(fold_of[at][chosen]):
                part = chosen & (fold_of[at] == fold)
                places = rows.start + np.flatnonzero(part)
                ratio[places] = np.maximum(ratio[places], judge(fold, stacked[part]))
    return ratio


def _judge(trial: Trial) -> Callable[[int, Float32], Floats]:
    """Return the function from a fold and its feature rows to their scores over the usual, by other folds."""
    everything = total_of(trial.folds)
    judges = [trial.predictor(everything.plus(trial.folds[fold], -1.0)) for fold in range(FOLDS)]
    absolute = np.abs(np.concatenate([judge(held) for judge, held in zip(judges, trial.held, strict=True)]))
    units = np.maximum(column_quantile(absolute, 0.5) * np.float32(_NORMAL_99), np.float32(1e-6))
    bulk = max(float(np.quantile(smooth(row_scores(absolute / units), 0.0), 0.75)), 1e-9)

    def judge(fold: int, rows: Float32) -> Floats:
        return smooth(row_scores(np.abs(judges[fold](rows)) / units), 0.0) / bulk

    return judge


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
