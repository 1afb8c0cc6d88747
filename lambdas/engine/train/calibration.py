"""Calibration of the views: the scale of their residuals and their limits, from held-out rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.detect.alarm import Alarm
from engine.detect.cross_prediction import Float32, residual_map
from engine.detect.features import ViewName
from engine.detect.rare_states import state_distance
from engine.detect.smoothing import smooth
from engine.detect.view import CAP, OUTPUTS, RESIDUAL_QUANTILE, View, row_scores
from engine.frame.transpose import transposed_parts
from engine.train.calibration_data import CalibrationData
from engine.train.fit_settings import FitSettings

Floats = NDArray[np.float64]

COMMON_FACTOR = 3.0
"""All limits together are multiplied or divided by this at most to meet the budget of false alarms."""
COMMON_STEPS = 8
STILL = 1e-4
"""A residual whose quantile is below this never moves. It is measured in scales of its sensor: in a smaller
unit, a view with a memory would see a change for hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewCalibration:
    """What held-out rows say about one view.

    Attributes:
        scale: 99 % quantile of each absolute residual, its unit; shape (outputs,).
        usual: mean square of each residual in that unit, capped as in the score, shape (outputs,).
        limit: row score that is the threshold.
        scores: row scores of the held-out rows, over the expected variance of their errors, shape (rows,).
        distance: how far these are from the usual state, shape (rows,); only from the lag view.

    """

    scale: Float32
    usual: Float32
    limit: float
    scores: Floats
    distance: Floats | None


def calibrate(
    data: Sequence[CalibrationData],
    settings: FitSettings,
    *,
    variance: Floats | float = 1.0,
    folds: slice = slice(None),
    known: Mapping[ViewName, Float32] | None = None,
) -> list[ViewCalibration]:
    """Return the calibration of each view from the residuals of held-out rows.

    The limit of a view is a quantile of its own row scores. Then all limits are multiplied by one factor, so
    that the alarms, after all their rules, meet the budget. Folds are blocks of time, because neighbouring
    rows are alike (Bergmeir and Benítez, On the use of cross-validation for time series predictor evaluation,
    2012).

    Args:
        data: data of the views, collected together.
        settings: the budget of false alarms.
        variance: how large squared errors are expected to be at the held-out rows; one for all by default.
        folds: folds to use, all by default; each is predicted from the others of them.
        known: residuals of the held-out rows of views, where they are known already; changed.

    """
    found, ratios = [], {}
    for each in data:
        residuals = known[each.name] if known and each.name in known else each.held_out(folds)
        lag = each.name == "lag"
        distance = state_distance(each.held_out_values(folds), residuals) if lag else None
        absolute = np.abs(residuals, out=residuals)
        scale = column_quantile(absolute, RESIDUAL_QUANTILE)
        scale[scale < STILL] = 1
        absolute /= scale
        scores = row_scores(absolute) / variance
        limit = max(float(np.quantile(smooth(scores, 0.0), settings.quantile)), 1e-9)
        squares = np.minimum(absolute, CAP, out=absolute)
        squares *= squares
        usual = squares.mean(axis=0, dtype=np.float64)
        found.append(
            ViewCalibration(
                scale=scale, usual=usual.astype(np.float32), limit=limit, scores=scores, distance=distance
            )
        )
        ratios[each.name] = scores / limit
    factor = _common_factor(ratios, settings.quantile)
    return [replace(each, limit=each.limit * factor) for each in found]


def _common_factor(ratios: Mapping[ViewName, Floats], quantile: float) -> float:
    """Return the factor for the limits of all views with which a quantile of the fused ratio is 1.

    Found by bisection between 1 / COMMON_FACTOR and COMMON_FACTOR.

    Args:
        ratios: score over limit of each view, shape (rows,), of the same rows.
        quantile: between 0 and 1.

    """
    low, high = 1 / COMMON_FACTOR, COMMON_FACTOR
    for _ in range(COMMON_STEPS):
        middle = float(np.sqrt(low * high))
        fused = Alarm.closed().fuse({name: ratio / middle for name, ratio in ratios.items()})
        if np.quantile(fused, quantile) > 1:
            low = middle
        else:
            high = middle
    return high


def fitted_views(
    data: Sequence[CalibrationData],
    calibrations: Sequence[ViewCalibration],
    *,
    widening: float,
    level_averages: Mapping[ViewName, Floats],
    average_span: int,
) -> list[View]:
    """Return the views fitted to all folds.

    Args:
        data: data of the views, collected together.
        calibrations: what held-out rows say about each of them.
        widening: factor for the limits that the held-out rows give.
        level_averages: average residual of each output at the end of the forward validation, shape (outputs,)
            per view; zeros for views that are not in it.
        average_span: span of these averages in rows.

    """
    views = []
    for each, calibration in zip(data, calibrations, strict=True):
        outputs = OUTPUTS[each.name]
        total = each.total_moments()
        weights = residual_map(total.covariance(), each.sensors, outputs)
        views.append(
            View(
                name=each.name,
                offset=(total.mean() @ weights / calibration.scale).astype(np.float32),
                weights=(weights / calibration.scale).astype(np.float32),
                usual=calibration.usual,
                limit=calibration.limit * widening,
                fourth_powers=True,
                level_averages=level_averages.get(each.name, np.zeros(outputs * each.sensors)),
                average_span=average_span,
            )
        )
    return views


def column_quantile(values: Float32, quantile: float) -> Float32:
    """Return the quantile of every column, interpolated linearly between the two nearest values.

    Args:
        values: shape (rows, columns), at least one row, none NaN.
        quantile: between 0 and 1.

    Returns:
        Shape (columns,).

    """
    place = quantile * (len(values) - 1)
    low = int(place)
    found = []
    for block in transposed_parts(values):
        block.partition(low, axis=1)
        below = block[:, low]
        above = block[:, low + 1 :].min(axis=1) if low + 1 < block.shape[1] else below
        found.append(below + (above - below) * np.float32(place - low))
    return np.concatenate(found)
