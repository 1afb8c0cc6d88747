"""Training rows to leave out although nobody labelled them: those that look unlike the rest of the data.

Each block of time is scored by the others, in robust
units; runs of rows far above the bulk of all scores are left out, with a margin. This is done twice, as the
first round still learned from the faults that it found. Healthy data loses little: bursts are too short to be
left out, rare states of the plant that come back are kept (`engine.train.returning_states`), as are hours in
which relations bend (`engine.train.bends`), and if much of the data looks suspicious, that is how the machine
runs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.detect.baseline import Baseline
from engine.detect.cross_prediction import Float32, stack
from engine.detect.features import LONGEST_MEMORY, VIEWS
from engine.detect.pipeline import Pipeline
from engine.detect.rare_states import state_distance
from engine.detect.smoothing import smooth
from engine.detect.state import State
from engine.detect.view import row_scores
from engine.frame.frame import Frame
from engine.frame.scaling import Scaling
from engine.train.bends import unexplained
from engine.train.calibration import column_quantile
from engine.train.calibration_data import CalibrationData, taken
from engine.train.returning_states import came_back, usual_distance
from engine.train.row_runs import joined_runs, marked_runs, with_margin
from engine.train.sampling import FOLDS, LEAST_ROWS, sample_strips, time_folds

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

ROUNDS = 2
"""Rounds of the search: the first one still learned from the faults."""
FAR_ABOVE = 4.0
"""A row is suspicious from this many times the 75 % quantile of all scores."""
JOIN_ROWS = 24
"""Most rows between two that belong to the same run."""
RUN_ROWS = 96
"""Three times the longest memory of a view: a change of operating mode is over by then, a fault is not."""
MAX_SHARE = 0.35
"""Share of training: if more looks suspicious, that is how the machine runs."""
_LEARNED_ROWS = 60_000
_NORMAL_99 = 2.5758 / 0.6745
"""99 % quantile of |residual| over its median, for normal residuals."""


def without_suspicious(frame: Frame, normal: Mask, scaling: Scaling, max_rows: int) -> Mask:
    """Return the normal rows without those that look like unlabelled faults.

    Args:
        frame: the training rows.
        normal: mask of the rows that may be learned, shape (rows,).
        scaling: learned from them.
        max_rows: normal rows to score, about, at most; see `sample_strips`.

    """
    kept = normal
    if normal.sum() < LEAST_ROWS:
        return kept
    scored = sample_strips(normal, max_rows)
    for _ in range(ROUNDS):
        of_kept = scaling if kept is normal else Scaling.of(frame.values, kept)
        ratio, distance = _judged(frame, kept, of_kept, scored)
        runs = _long_runs((ratio > FAR_ABOVE) & normal)
        usual = usual_distance(distance[scored & normal])
        odd = [run for run in runs if not came_back(distance, run, usual=usual, apart=RUN_ROWS)]
        faults = unexplained(frame, kept, odd, _LEARNED_ROWS)
        suspicious = with_margin(marked_runs(faults, len(normal)), LONGEST_MEMORY)
        share = (normal & scored & suspicious).sum() / (normal & scored).sum()
        if not 0 < share <= MAX_SHARE:
            break
        kept = normal & ~suspicious
    return kept


def _judged(frame: Frame, normal: Mask, scaling: Scaling, scored: Mask) -> tuple[Floats, Floats]:
    """Return for each scored row the largest score of a view, and how far the plant is from its usual state.

    A score is in parts of the 75 % quantile of the view's scores. All is predicted from the other folds.
    """
    pipeline = Pipeline(scaling=scaling, baseline=Baseline.of(0, len(frame.sensors)))
    ratio, distance = np.zeros(len(frame.times)), np.zeros(len(frame.times))
    sensors = len(frame.sensors)
    fold_of = time_folds(normal)
    data = CalibrationData.collect(frame, pipeline, normal, VIEWS, _LEARNED_ROWS)
    scorers = {each.name: _scorer(each) for each in data}
    for rows in pipeline.run(frame, State.start(len(frame.sensors)), VIEWS, scored):
        at = slice(rows.start, rows.stop)
        for name, scorer in scorers.items():
            chosen = scored[at] & rows.ready(name)
            stacked = stack(rows.blocks(name))
            for fold in np.unique(fold_of[at][chosen]):
                part = chosen & (fold_of[at] == fold)
                places = rows.start + np.flatnonzero(part)
                features = taken(stacked, part)
                residuals = scorer.residuals[fold](features)
                if name == "lag":
                    distance[places] = state_distance(features[:, :sensors], residuals)
                ratio[places] = np.maximum(ratio[places], scorer.scores(residuals))
    return ratio, distance


@dataclass(frozen=True, slots=True)
class _Scorer:
    """Scores the rows of each fold by the others; `bulk` is the 75 % quantile of all scores."""

    residuals: list[Callable[[Float32], Float32]]
    units: Float32
    bulk: float

    def scores(self, residuals: Float32) -> Floats:
        """Return the scores of consecutive rows, in parts of the bulk, from their residuals, which change."""
        absolute = np.abs(residuals, out=residuals)
        absolute /= self.units
        return smooth(row_scores(absolute), 0.0) / self.bulk


def _scorer(data: CalibrationData) -> _Scorer:
    total = data.total_moments()
    residuals = [data.residual_function(total.without(data.moments[fold])) for fold in range(FOLDS)]
    absolute = data.residuals(data.samples, residuals)
    np.abs(absolute, out=absolute)
    units = np.maximum(column_quantile(absolute, 0.5) * np.float32(_NORMAL_99), np.float32(1e-6))
    absolute /= units
    bulk = max(float(np.quantile(smooth(row_scores(absolute), 0.0), 0.75)), 1e-9)
    return _Scorer(residuals, units, bulk)


def _long_runs(marked: Mask) -> list[tuple[int, int]]:
    """Return the runs of at least RUN_ROWS rows of which at least half are marked, gaps included."""
    return [
        (start, stop)
        for start, stop in joined_runs(marked, gap=JOIN_ROWS)
        if stop - start >= RUN_ROWS and marked[start:stop].sum() >= (stop - start) / 2
    ]
