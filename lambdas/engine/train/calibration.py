"""Training material of one view, and the tests it allows without a second pass over the data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.detect.alarm import Alarm
from engine.detect.cross_prediction import Float32, Moments, product, residual_map, stack
from engine.detect.features import BLOCKS, TRACKED, VIEWS, ViewName
from engine.detect.level_shift import average_span, corrected_averages, level_weights
from engine.detect.pipeline import Pipeline
from engine.detect.smoothing import smooth
from engine.detect.state import State
from engine.detect.view import ATTRIBUTION_CAP, OUTPUTS, RESIDUAL_QUANTILE, View, row_scores
from engine.frame.frame import Frame

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

FOLDS = 6
COMMON_FACTOR = 3.0
"""The limits of all views together move this far at most to meet the budget of false alarms."""
COMMON_STEPS = 8
STILL = 1e-4
"""A residual that stays below this never moves. Its unit is one scale of its sensor: with a smaller one, the
memory of a view would hold on to a change for hours."""
_COLUMNS = 64
STEADY = 0.05
"""Share of rows of the forward test above the limits up to which a plant is steady."""
STRIP = 1024
"""Rows of data too long to use whole are taken in strips of this length."""
HELD_CELLS = 12_000_000
"""Feature values of held-out rows to keep per view."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Choices of the user.

    ``false_alarm_hours``: hours of false alarm per day that the limits aim at on held-out rows.
    """

    false_alarm_hours: float = 0.15

    def __post_init__(self) -> None:
        if not 0 < self.false_alarm_hours < 24:
            raise ValueError(f"false_alarm_hours is {self.false_alarm_hours}; it must lie between 0 and 24")

    @property
    def quantile(self) -> float:
        """Quantile of healthy scores that the limit lies on."""
        return 1 - self.false_alarm_hours / 24


def sampled(rows: int, normal: Mask, max_rows: int) -> Mask:
    """Return the rows of evenly spaced strips that hold about ``max_rows`` normal rows at most.

    A smaller ``max_rows`` takes a subset of the strips of a larger one.
    """
    stride = 1
    while int(normal.sum()) > stride * max_rows:
        stride *= 2
    taken: Mask = np.arange(rows) // STRIP % stride == 0
    return taken


def folds_of(normal: Mask) -> NDArray[np.int64]:
    """Return the block of time, out of FOLDS with equally many normal rows, that each row falls into."""
    order = np.cumsum(normal)
    folds: NDArray[np.int64] = np.clip((order - 1) * FOLDS // max(1, int(order[-1])), 0, FOLDS - 1)
    return folds


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Training material of one view: moments per block of time, and a sample of rows of each block.

    Trials gathered together hold the same rows.
    """

    name: ViewName
    sensors: int
    folds: tuple[Moments, ...]
    held: tuple[Float32, ...]

    @classmethod
    def gather(
        cls, frame: Frame, pipeline: Pipeline, normal: Mask, views: Sequence[ViewName], max_rows: int
    ) -> list[Self]:
        """Gather the sampled normal rows of the frame for every view, in one pass."""
        sensors = len(frame.sensors)
        use = normal & sampled(len(normal), normal, max_rows)
        fold_of = folds_of(normal)
        sizes = {name: BLOCKS[name] * sensors for name in views}
        held_rows = use & sampled(
            len(normal), normal, min(max_rows, max(STRIP, HELD_CELLS // max(sizes.values())))
        )
        folds = {name: tuple(Moments(size) for _ in range(FOLDS)) for name, size in sizes.items()}
        held: dict[ViewName, list[list[Float32]]] = {
            name: [[np.empty((0, size), np.float32)] for _ in range(FOLDS)] for name, size in sizes.items()
        }
        for rows in pipeline.run(frame, State.start(sensors), VIEWS, use):
            at = slice(rows.start, rows.stop)
            kept_rows = held_rows[at] & np.all([rows.ready(name) for name in views], axis=0)
            for name in views:
                chosen = use[at] & rows.ready(name)
                if not chosen.any():
                    continue
                stacked = stack(rows.blocks(name))
                for fold in np.unique(fold_of[at][chosen]):
                    part = chosen & (fold_of[at] == fold)
                    folds[name][fold].add(stacked if part.all() else stacked[part])
                    kept = part & kept_rows
                    if kept.any():
                        held[name][fold].append(stacked[kept])
        return [
            cls(
                name=name,
                sensors=sensors,
                folds=folds[name],
                held=tuple(np.concatenate(each) for each in held[name]),
            )
            for name in views
        ]

    def held_out(self, folds: slice) -> Float32:
        """Return residuals of the sampled rows of these blocks, each predicted from the other ones."""
        chosen = range(FOLDS)[folds]
        total = total_of([self.folds[fold] for fold in chosen])
        parts = [
            self.predictor(total.plus(self.folds[fold], -1.0))(self.held[fold])
            for fold in chosen
            if len(self.held[fold]) and total.count > self.folds[fold].count + 1
        ]
        return np.concatenate(parts) if parts else self._rows(1) + 1

    def predictor(self, moments: Moments) -> Callable[[Float32], Float32]:
        """Return the function from feature rows to their residuals, predicted with these moments."""
        exact = residual_map(moments.covariance(), self.sensors, OUTPUTS[self.name])
        offset, weights = (moments.mean() @ exact).astype(np.float32), exact.astype(np.float32)

        def judge(rows: Float32) -> Float32:
            result = product(rows, weights)
            result -= offset
            return result

        return judge

    def forward(self) -> Float32:
        """Return residuals of the second half of the blocks, predicted from the first half."""
        half = FOLDS // 2
        first = total_of(self.folds[:half])
        later = np.concatenate(self.held[half:])
        if first.count <= 1:
            return self._rows(0)
        return self.predictor(first)(later)

    def view(self, units: "Units", limit: float, moved: Floats, average_span: int) -> View:
        """Return the view fitted to all blocks."""
        total = total_of(self.folds)
        weights = residual_map(total.covariance(), self.sensors, OUTPUTS[self.name])
        return View(
            name=self.name,
            offset=(total.mean() @ weights / units.scale).astype(np.float32),
            weights=(weights / units.scale).astype(np.float32),
            usual=units.usual,
            limit=limit,
            level_averages=moved,
            average_span=average_span,
        )

    @property
    def rows(self) -> int:
        """Rows that were learned from."""
        return int(sum(fold.count for fold in self.folds))

    def _rows(self, count: int) -> Float32:
        return np.zeros((count, OUTPUTS[self.name] * self.sensors), np.float32)


def total_of(moments: Sequence[Moments]) -> Moments:
    """Return the moments of all rows together."""
    total = Moments(len(moments[0].sums))
    for each in moments:
        total = total.plus(each)
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What held-out rows say about one view: the units of its residuals, their mean square, and its limit."""

    scale: Float32
    usual: Float32
    limit: float


def calibrate(trials: Sequence[Trial], folds: slice, settings: Settings) -> list[Units]:
    """Return the units and limits of the views, from their residuals of held-out rows of these blocks.

    The limits of single views weigh them against each other. Then all are moved together until the alarms,
    with all their rules, meet the budget.
    """
    found, scores = [], {}
    for trial in trials:
        absolute = np.abs(trial.held_out(folds))
        scale = column_quantile(absolute, RESIDUAL_QUANTILE)
        scale[scale < STILL] = 1
        absolute /= scale
        raw = row_scores(absolute)
        limit = max(float(np.quantile(smooth(raw, 0.0), settings.quantile)), 1e-9)
        usual = np.square(np.minimum(absolute, ATTRIBUTION_CAP)).mean(axis=0, dtype=np.float64)
        found.append(Units(scale=scale, usual=usual.astype(np.float32), limit=limit))
        scores[trial.name] = raw / limit
    factor = common_factor(scores, settings.quantile)
    return [replace(units, limit=units.limit * factor) for units in found]


def common_factor(ratios: Mapping[ViewName, Floats], quantile: float) -> float:
    """Return by how much the limits of all views must move for this quantile of the fused ratio to be 1."""
    low, high = 1 / COMMON_FACTOR, COMMON_FACTOR
    for _ in range(COMMON_STEPS):
        middle = float(np.sqrt(low * high))
        fused = Alarm.closed().fuse({name: ratio / middle for name, ratio in ratios.items()})
        if np.quantile(fused, quantile) > 1:
            low = middle
        else:
            high = middle
    return high


def column_quantile(values: Float32, quantile: float) -> Float32:
    """Return the quantile of every column, between the two nearest values in proportion.

    A few columns at a time are laid along memory: several times as fast as all of them, or none.
    """
    place = quantile * (len(values) - 1)
    low = int(place)
    result = np.empty(values.shape[1], np.float32)
    for start in range(0, values.shape[1], _COLUMNS):
        block = np.ascontiguousarray(values[:, start : start + _COLUMNS].T)
        block.partition(low, axis=1)
        below = block[:, low]
        above = block[:, low + 1 :].min(axis=1) if low + 1 < block.shape[1] else below
        result[start : start + _COLUMNS] = below + (above - below) * np.float32(place - low)
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """The forward test of some views: the fused score ratio of the second half of training, judged by the
    first half alone, the averages of levels it ended with, and the ratio if all levels counted for ever.
    """

    ratio: Floats
    moved: dict[ViewName, Floats]
    as_trained: Floats

    def steady(self, widening: float) -> bool:
        """Tell whether the plant held its levels: few rows would have alarmed, had none been taken over."""
        return len(self.as_trained) > 0 and float((self.as_trained > widening).mean()) <= STEADY


def forward_test(trials: Sequence[Trial], settings: Settings) -> Forward:
    """Judge the second half of training by the first half, as scoring would."""
    ratios, moved, as_trained = {}, {}, []
    test_span = average_span(trials[0].rows)
    for trial, units in zip(trials, calibrate(trials, slice(FOLDS // 2), settings), strict=True):
        later = trial.forward() / units.scale
        if not len(later):
            return Forward(ratio=np.zeros(0), moved={}, as_trained=np.zeros(0))
        moved[trial.name] = corrected_averages(later, test_span)
        as_trained.append(row_scores(np.abs(later)) / units.limit)
        if trial.name not in TRACKED:
            nothing = np.zeros(later.shape[1])
            counts, _ = level_weights(later, np.ones(len(later), bool), nothing, evaluated=0, span=test_span)
            later = later if counts is None else later * counts
        ratios[trial.name] = row_scores(np.abs(later)) / units.limit
    return Forward(ratio=Alarm.closed().fuse(ratios), moved=moved, as_trained=np.max(as_trained, axis=0))


def fitted_views(
    trials: Sequence[Trial], settings: Settings, widening: float, forward: Forward
) -> list[View]:
    """Return the views fitted to all blocks, their limits ``widening`` times what the held-out rows say."""
    none = {trial.name: np.zeros(OUTPUTS[trial.name] * trial.sensors) for trial in trials}
    moved = none | forward.moved
    return [
        trial.view(units, units.limit * widening, moved[trial.name], average_span(trial.rows))
        for trial, units in zip(trials, calibrate(trials, slice(None), settings), strict=True)
    ]
