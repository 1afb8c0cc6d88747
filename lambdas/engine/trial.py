"""Training material of one view, and the tests it allows without a second pass over the data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.frame import Frame
from engine.linear import Moments, residual_map
from engine.pipeline import Pipeline, State
from engine.transform import BLOCKS, ViewName
from engine.view import ATTRIBUTION_CAP, OUTPUTS, RESIDUAL_QUANTILE, View, row_scores, smooth

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

FOLDS = 6
SAFETY = 1.15
"""The limit is this many times the held-out quantile."""
STRIP = 1024
"""Rows of data too long to use whole are taken in strips of this length."""
HELD_CELLS = 30_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Choices of the user.

    ``false_alarm_hours``: hours of false alarm per day that the limits aim at on held-out rows.
    """

    false_alarm_hours: float = 0.12

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
    """Training material of one view: moments per block of time, and a sample of rows of each block."""

    name: ViewName
    sensors: int
    folds: tuple[Moments, ...]
    held: tuple[Floats, ...]

    @classmethod
    def of(cls, frame: Frame, pipeline: Pipeline, normal: Mask, name: ViewName, max_rows: int) -> Self:
        """Gather the sampled normal rows of the frame."""
        sensors = len(frame.sensors)
        size = BLOCKS[name] * sensors
        use = normal & sampled(len(normal), normal, max_rows)
        held_rows = use & sampled(len(normal), normal, min(max_rows, max(STRIP, HELD_CELLS // size)))
        fold_of = folds_of(normal)
        folds = tuple(Moments(size) for _ in range(FOLDS))
        held: list[list[Floats]] = [[np.empty((0, size))] for _ in range(FOLDS)]
        state = State.start(sensors)
        for rows in pipeline.run(frame, state, (name,), use):
            at = slice(rows.start, rows.stop)
            chosen = use[at] & rows.ready(name)
            if not chosen.any():
                continue
            stacked = np.concatenate(rows.features.blocks[name], axis=1)
            for fold in np.unique(fold_of[at][chosen]):
                part = chosen & (fold_of[at] == fold)
                folds[fold].add(stacked[part])
                held[fold].append(stacked[part & held_rows[at]])
        return cls(name=name, sensors=sensors, folds=folds, held=tuple(np.concatenate(each) for each in held))

    def held_out(self, folds: slice) -> Floats:
        """Return residuals of the sampled rows of these blocks, each predicted from the other ones."""
        chosen = range(FOLDS)[folds]
        total = total_of([self.folds[fold] for fold in chosen])
        parts = [
            self.predictor(total.plus(self.folds[fold], -1.0))(self.held[fold])
            for fold in chosen
            if len(self.held[fold]) and total.count > self.folds[fold].count + 1
        ]
        return np.concatenate(parts) if parts else np.ones((1, OUTPUTS[self.name] * self.sensors))

    def predictor(self, moments: Moments) -> Callable[[Floats], Floats]:
        """Return the function from feature rows to their |residual|, predicted with these moments."""
        mean, weights = moments.mean(), residual_map(moments.covariance(), self.sensors, OUTPUTS[self.name])

        def judge(rows: Floats) -> Floats:
            result: Floats = np.abs((rows - mean) @ weights)
            return result

        return judge

    def forward(self) -> Floats:
        """Return residuals of the second half of the blocks, predicted from the first half."""
        half = FOLDS // 2
        first = total_of(self.folds[:half])
        later = np.concatenate(self.held[half:])
        if first.count <= 1:
            return np.empty((0, OUTPUTS[self.name] * self.sensors))
        return self.predictor(first)(later)

    def view(self, settings: Settings, widening: float) -> View:
        """Return the view fitted to all blocks."""
        total = total_of(self.folds)
        weights = residual_map(total.covariance(), self.sensors, OUTPUTS[self.name])
        absolute = self.held_out(slice(None))
        scale, limit = calibrate(absolute, settings)
        return View(
            name=self.name,
            offset=total.mean() @ weights,
            weights=weights,
            scale=scale,
            usual=(np.minimum(absolute / scale, ATTRIBUTION_CAP) ** 2).mean(axis=0),
            limit=limit * widening,
        )


def total_of(moments: Sequence[Moments]) -> Moments:
    """Return the moments of all rows together."""
    total = Moments(len(moments[0].sums))
    for each in moments:
        total = total.plus(each)
    return total


def calibrate(absolute: Floats, settings: Settings) -> tuple[Floats, float]:
    """Return the units of the residuals and the score limit, from residuals of held-out rows."""
    scale = np.maximum(np.quantile(absolute, RESIDUAL_QUANTILE, axis=0), 1e-6)
    scores = smooth(row_scores(absolute / scale), 0.0)
    return scale, max(SAFETY * float(np.quantile(scores, settings.quantile)), 1e-9)


def forward_ratio(trials: Sequence[Trial], settings: Settings) -> Floats:
    """Return the fused score ratio of the second half of training, judged by the first half alone."""
    ratios = []
    for trial in trials:
        scale, limit = calibrate(trial.held_out(slice(FOLDS // 2)), settings)
        ratios.append(smooth(row_scores(trial.forward() / scale), 0.0) / limit)
    rows = min(len(ratio) for ratio in ratios)
    fused: Floats = np.max([ratio[len(ratio) - rows :] for ratio in ratios], axis=0)
    return fused
