"""The bank of views at work: which of them count for a row, and how much.

The static views judge the sensors as they are. A residual whose level has moved for good counts no more
(``engine.detect.level_shift``). The more of them are out, the more the tracked views count, which judge the
sensors over a slow baseline: they see faults that come fast, whatever drifts. They are silent on a plant that
does not drift, and where a row is usual by what was trained, all residuals counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.detect.cross_prediction import Halves
from engine.detect.features import TRACKED, ViewName
from engine.detect.level_shift import ENGAGED, trust
from engine.detect.pipeline import Rows, State
from engine.detect.view import ATTRIBUTION_CAP, View, row_scores

Floats = NDArray[np.float64]

UNUSUAL = (0.5, 1.0)
"""Ratio with all residuals counted from which a row is judged by the tracked views in part, and in full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Per row: score over limit per view, excess per sensor, and how far the level of each sensor moved.

    ``moved`` is 1 for the sensor that moved most and less for those whose prediction it spoils; None where no
    level moved.
    """

    ratios: dict[ViewName, Floats]
    excess: Halves
    moved: Halves | None


def judge(views: Sequence[View], rows: Rows, state: State, sensors: int) -> Judgement:
    """Judge consecutive rows and move the levels of the state behind them."""
    static = [view for view in views if view.name not in TRACKED]
    steady = np.all([rows.ready(view.name) for view in static], axis=0)
    count = rows.stop - rows.start
    ratios: dict[ViewName, Floats] = {}
    excess, moved = np.zeros((count, sensors), np.float32), np.zeros((count, sensors), np.float32)
    share, as_trained = np.zeros(count), np.zeros(count)

    trusted = []
    for view in static:
        units = view.units(rows.blocks(view.name), rows.missing)
        before = state.moved.get(view.name, view.moved)
        counts, state.moved[view.name] = trust(
            units, steady, before, seen=state.judged, span=view.memory, view=view, free=rows.free
        )
        if counts is not None:
            np.maximum(share, 1 - counts.mean(axis=1), out=share)
        trusted.append((view, np.abs(units, out=units), counts))
    state.judged += int(steady.sum())
    low, high = ENGAGED
    engaged = np.clip((share - low) / (high - low), 0, 1)
    at = np.flatnonzero(engaged)
    for view, units, counts in trusted:
        ready = rows.ready(view.name)
        if counts is not None:
            unsure = at[as_trained[at] < UNUSUAL[1]]  # of the others, enough is known
            full = ready[unsure] * row_scores(_rows(units, unsure)) / view.limit
            as_trained[unsure] = np.maximum(as_trained[unsure], full)
            far = np.minimum(units, np.float32(ATTRIBUTION_CAP))
            far *= 1 - counts
            for start in range(0, far.shape[1], sensors):
                np.maximum(moved, far[:, start : start + sensors], out=moved)
            np.multiply(units, counts, out=units)
        ratios[view.name] = ready * row_scores(units) / view.limit
        if counts is None:
            as_trained = np.maximum(as_trained, ratios[view.name])
        excess += view.excess(units, sensors) * ready[:, None]
    if not len(at):
        return Judgement(ratios=ratios, excess=excess, moved=None)
    low, high = UNUSUAL
    engaged_rows = engaged * np.clip((as_trained - low) / (high - low), 0, 1)
    for view in (each for each in views if each.name in TRACKED):
        weight = rows.ready(view.name) * engaged_rows
        at = np.flatnonzero(weight)
        if not len(at):
            continue
        blocks = [_rows(block, at) for block in rows.blocks(view.name)]
        units = view.units(blocks, None if rows.missing is None else rows.missing[at])
        np.abs(units, out=units)
        ratios[view.name] = np.zeros(count)
        ratios[view.name][at] = weight[at] * row_scores(units) / view.limit
        excess[at] += (view.excess(units, sensors) * weight[at, None]).astype(np.float32)
    return Judgement(ratios=ratios, excess=excess, moved=_relative(moved, engaged))


def _rows(values: NDArray[Any], at: NDArray[np.intp]) -> NDArray[Any]:
    """Return the rows at these places; all of them without a copy."""
    return values if len(at) == len(values) else values[at]


def _relative(moved: Halves, engaged: Floats) -> Halves:
    """Return what moved in parts of what moved most, as far as anything did."""
    most = moved.max(axis=1, keepdims=True)
    parts = np.divide(moved, most, out=np.zeros_like(moved), where=most > 0)
    result: Halves = parts * engaged[:, None].astype(np.float32)
    return result
