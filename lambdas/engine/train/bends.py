"""Suspicious runs that are no faults: lines err there because relations bend.

A valve that is nearly always closed opens wide on hot days, a bearing shakes at one speed: the relations that
hold in all other hours break for a while, as with a fault. The views predict sensors by lines and cannot tell
the two apart. Curves can: learned in other hours of the kind, they predict such a run, but a fault no better
than lines do.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.detect.baseline import Baseline
from engine.detect.cross_prediction import Float32, Moments, product, residual_map, stack
from engine.detect.pipeline import Pipeline
from engine.detect.state import State
from engine.frame.frame import Frame
from engine.frame.scaling import Scaling
from engine.train.calibration import STILL
from engine.train.row_runs import marked_runs
from engine.train.sampling import FOLDS, sample_strips, time_folds
from engine.train.slow_fit import HINGES, hinge_knots

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Run = tuple[int, int]

UNEXPLAINED = 0.5
"""A run is a fault if curves leave more than this share of the squared errors of lines."""


def unexplained(frame: Frame, normal: Mask, runs: Sequence[Run], max_rows: int) -> list[Run]:
    """Return the runs that curves do not predict much better than lines do.

    Each row is predicted from the other blocks of time. Both models predict the value of a sensor from the
    values of all others in the same row, one by lines, one by sums of curves.

    Args:
        frame: the training rows.
        normal: mask of the rows that may be learned, shape (rows,).
        runs: first row of each, and the row after its last one.
        max_rows: normal rows to learn from, about, at most; see `sample_strips`.

    """
    if not runs:
        return []
    sensors = len(frame.sensors)
    pipeline = Pipeline(scaling=Scaling.of(frame.values, normal), baseline=Baseline.of(0, sensors))
    learned, fold_of = normal & sample_strips(normal, max_rows), time_folds(normal)
    knots = hinge_knots(frame, learned, pipeline.scaling, HINGES)
    parts = [Moments.none((1 + HINGES) * sensors) for _ in range(FOLDS)]
    for rows in pipeline.run(frame, State.start(sensors), ("lag",), learned):
        at = slice(rows.start, rows.stop)
        columns = _hinged(rows.blocks("lag")[0], knots)
        for fold, part in enumerate(parts):
            part.add(columns[learned[at] & rows.ready("lag") & (fold_of[at] == fold)])
    models = [_lines_and_curves(parts, fold, sensors) for fold in range(FOLDS)]
    errors = np.zeros((len(normal), 2))
    suspicious = marked_runs(runs, len(normal))
    for rows in pipeline.run(frame, State.start(sensors), ("lag",), suspicious):
        at = slice(rows.start, rows.stop)
        columns = _hinged(rows.blocks("lag")[0], knots)
        for fold, (mean, weights) in enumerate(models):
            chosen = suspicious[at] & (fold_of[at] == fold)
            if chosen.any():
                squares = np.square(product(columns[chosen] - mean, weights))
                errors[at][chosen] = squares.reshape(len(squares), 2, sensors).sum(axis=2)
    sums = [errors[start:stop].sum(axis=0) for start, stop in runs]
    return [run for run, (lines, curves) in zip(runs, sums, strict=True) if curves > UNEXPLAINED * lines]


def _hinged(values: Floats, knots: Floats) -> Float32:
    """Return the values and their hinges, block after block: (rows, 1 + hinges times sensors)."""
    return stack([values, *(np.maximum(values - knot, 0) for knot in knots)])


def _lines_and_curves(parts: Sequence[Moments], fold: int, sensors: int) -> tuple[Float32, Float32]:
    """Return mean and weights of both models of all parts but one; residuals count in units of the lines'."""
    others = Moments.total([*parts[:fold], *parts[fold + 1 :]])
    covariance = others.covariance()
    lines = np.zeros((len(covariance), sensors))
    lines[:sensors] = residual_map(covariance[:sensors, :sensors], sensors, 1)
    curves = residual_map(covariance, sensors, 1)
    variance = np.einsum("cs,cs->s", lines, covariance @ lines)
    weights = np.concatenate([lines, curves], axis=1) / np.tile(np.sqrt(np.maximum(variance, STILL**2)), 2)
    return others.mean().astype(np.float32), weights.astype(np.float32)
