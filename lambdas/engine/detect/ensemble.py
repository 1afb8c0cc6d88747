"""The ensemble of views: which of them count for a row, and how much.

The static views score the sensors as they are. A residual whose level has moved for good counts less
(`engine.detect.level_shift`). The more residuals have moved levels, the more the tracked views count, which
score the sensors relative to a slow baseline and so see fast faults whatever drifts. They do not count on a
plant that does not drift, nor on a row that is usual to the static view of the same features even with all
residuals counted: when a long fault is repaired, they would alarm until their baseline is back. They count
from the limits on, before these were widened, and in full from twice as much.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.detect.cross_prediction import Float32
from engine.detect.features import LONGEST_MEMORY, TRACKED, ViewName
from engine.detect.level_events import MOVED_SHARE, MovedLevels
from engine.detect.level_shift import MOVED_AVERAGE, level_weights
from engine.detect.pipeline import FeatureRows
from engine.detect.ramp import ramp
from engine.detect.rare_states import RareStates
from engine.detect.smoothing import newest_largest
from engine.detect.state import State
from engine.detect.trained_states import TrainedStates, confirmed_states
from engine.detect.view import View

Floats = NDArray[np.float64]

ENGAGED_SHARE = (0.02, 0.1)
"""Share of a view's residuals with moved levels from which the tracked views count in part, and in full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewEvaluation:
    """What the views find in consecutive rows.

    Attributes:
        ratios: ratio of score to limit per view, shape (rows,).
        excess: by how much the squared residuals of each sensor exceed their usual mean, shape (rows,
            sensors).
        moved: how far the level of each sensor has moved, shape (rows, sensors): the part that does not count
            for the sensor that moved most, less for those whose prediction it spoils; None where all counts.
        levels: which levels of sensors do not count; None where all do.

    """

    ratios: dict[ViewName, Floats]
    excess: Float32
    moved: Float32 | None
    levels: MovedLevels | None = None


def evaluate_views(
    views: Sequence[View],
    rows: FeatureRows,
    state: State,
    *,
    sensors: int,
    widening: float,
    rare: RareStates | None = None,
    trained: TrainedStates | None = None,
) -> ViewEvaluation:
    """Evaluate all views on consecutive rows, and move the level averages of the state behind them.

    Args:
        views: the fitted views, static and tracked.
        rows: features of the rows.
        state: where scoring stands; its `level_averages` and `evaluated` are changed.
        sensors: number of sensors.
        widening: factor by which the limits of the views were widened for drift.
        rare: how much wider they are in rare states; None for nowhere.
        trained: states of training, far from which they are wider; None for nowhere.

    """
    weighted, wider = _weighted(views, rows, state, rare, trained)
    count = rows.stop - rows.start
    share, uncounted = np.zeros(count), np.zeros(count)
    for _, _, weights in weighted:
        if weights is not None:
            np.maximum(share, 1 - weights.mean(axis=1), out=share)
            np.maximum(uncounted, 1 - weights.min(axis=1), out=uncounted)
    engaged = ramp(share, *ENGAGED_SHARE)
    moving = engaged.nonzero()[0]

    ratios: dict[ViewName, Floats] = {}
    excess, moved = np.zeros((count, sensors), np.float32), np.zeros((count, sensors), np.float32)
    as_trained: dict[ViewName, Floats] = {}
    levels = None
    for view, residuals, weights in weighted:
        ready = rows.ready(view.name)
        if len(moving) and view.name in TRACKED.values():
            full = ready[moving] * view.scores(_rows(residuals, moving)) / (view.limit * wider[moving])
            as_trained[view.name] = widening * full
        if weights is not None:
            if view.name == "lag":
                levels = _moved_levels(view, residuals, weights, state)
            _mark_moved(moved, residuals, weights)
            np.multiply(residuals, weights, out=residuals)
        ratios[view.name] = ready * view.scores(residuals) / (view.limit * wider)
        excess += view.excess(residuals, sensors) * ready[:, None]
    largest = _relative(moved, uncounted) if uncounted.any() else None
    if not len(moving):
        return ViewEvaluation(ratios=ratios, excess=excess, moved=largest, levels=levels)

    for view in (each for each in views if each.name in TRACKED):
        weight = rows.ready(view.name) * engaged
        weight[moving] *= ramp(as_trained[TRACKED[view.name]], 1, 2)
        at = np.flatnonzero(weight)
        if not len(at):
            continue
        blocks = [_rows(block, at) for block in rows.blocks(view.name)]
        residuals = view.residuals(blocks, None if rows.missing is None else rows.missing[at])
        np.abs(residuals, out=residuals)
        ratios[view.name] = np.zeros(count)
        ratios[view.name][at] = weight[at] * view.scores(residuals) / (view.limit * wider[at])
        excess[at] += (view.excess(residuals, sensors) * weight[at, None]).astype(np.float32)
    return ViewEvaluation(ratios=ratios, excess=excess, moved=largest, levels=levels)


def _weighted(
    views: Sequence[View],
    rows: FeatureRows,
    state: State,
    rare: RareStates | None,
    trained: TrainedStates | None,
) -> tuple[list[tuple[View, Float32, Float32 | None]], Floats]:
    """Return the static views with their absolute residuals and what these count; move the averages on.

    Also return by how much limits are wider at each row, shape (rows,).
    """
    static = [view for view in views if view.name not in TRACKED]
    ready = rows.ready(*(view.name for view in static))
    result, wider = [], np.ones(len(ready))
    for view in static:
        residuals = view.residuals(rows.blocks(view.name), rows.missing)
        if view.name == "lag" and (rare is not None or trained is not None):
            values = rows.blocks("lag")[0].astype(np.float32)
            states = confirmed_states(values, residuals / view.value_units())
            if rare is not None:
                wider = rare.factor(np.abs(states).max(axis=1))
            if trained is not None:
                wider = wider * trained.variance(states)
            wider, state.factors = newest_largest(wider, state.factors)
        weights, state.level_averages[view.name] = level_weights(
            residuals,
            ready,
            state.level_averages.get(view.name, view.level_averages),
            evaluated=state.evaluated,
            span=view.average_span,
            view=view,
            speed=rows.speed,
        )
        result.append((view, np.abs(residuals, out=residuals), weights))
    state.evaluated += int(ready.sum())
    return result, wider


def _moved_levels(view: View, residuals: Float32, weights: Float32, state: State) -> MovedLevels | None:
    """Return which levels do not count, and by how much they are away, from absolute residuals.

    Those whose newest rows are not away on average are left out: the fault is just over.
    """
    uncounted = 1 - weights > MOVED_SHARE
    if not uncounted.any():
        return None
    newest = residuals[-LONGEST_MEMORY:].mean(axis=0, dtype=np.float64)
    signs = np.sign(state.level_averages[view.name])
    away = np.where(newest > MOVED_AVERAGE[0], signs * newest / view.value_units(), 0)
    return MovedLevels(uncounted=uncounted, away=away)


def _mark_moved(moved: Float32, residuals: Float32, weights: Float32) -> None:
    """Raise `moved`, in place, to the part of each sensor's residuals that does not count."""
    sensors = moved.shape[1]
    far = residuals * (1 - weights)
    for start in range(0, far.shape[1], sensors):
        np.maximum(moved, far[:, start : start + sensors], out=moved)


def _rows(values: NDArray[Any], at: NDArray[np.intp]) -> NDArray[Any]:
    """Return the rows at these places; all of them without a copy."""
    return values if len(at) == len(values) else values[at]


def _relative(moved: Float32, uncounted: Floats) -> Float32:
    """Return how far each sensor moved: relative to the one that moved most, as far as that is uncounted."""
    most = moved.max(axis=1, keepdims=True)
    parts = np.divide(moved, most, out=np.zeros_like(moved), where=most > 0)
    result: Float32 = parts * uncounted[:, None].astype(np.float32)
    return result
