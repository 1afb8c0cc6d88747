"""Fitting: what is healthy, does it drift, and where the limits lie.

Everything is decided on rows the model in question has not seen. Blocked cross-validation gives each view the
units of its residuals and its limit. A forward test (fit on the first half, judge the second) tells how many
false alarms time itself brings: many of them mean drift, and then the slowest baseline that cures it is
subtracted; what remains widens the limit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.detector import Detector
from engine.frame import Frame
from engine.intervals import Interval, inside
from engine.linear import Moments, residual_map
from engine.pipeline import Baseline, Pipeline, State
from engine.scaling import Scaling
from engine.transform import BLOCKS, VIEWS, ViewName
from engine.view import ATTRIBUTION_CAP, OUTPUTS, RESIDUAL_QUANTILE, View, row_scores, smooth

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

FOLDS = 6
MIN_ROWS = 50
LABEL_MARGIN_ROWS = 30
SAFETY = 1.15
"""The limit is this many times the held-out quantile."""
MAX_WIDENING = 5.0
DRIFT_ALARMS = 0.1
"""Share of forward false alarms above which healthy operation is taken to drift."""
CURED_ALARMS = 0.03
SPANS = (8000, 4000, 2000, 1000, 500, 250, 120)
"""Baseline spans to try, in rows; at least eight of them must fit into training."""
SPANS_IN_TRAINING = 8
WANDER_PARTS = 4
WANDER_SHARE = 0.3
"""A sensor wanders when more than this share of its variance lies between the quarters of training."""
_STRIP = 512
_MOMENT_ROWS = 200_000
_TRIAL_ROWS = 50_000
_HELD_CELLS = 12_000_000


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


def fit(frame: Frame, *, labels: Sequence[Interval] = (), settings: Settings | None = None) -> Detector:
    """Fit a detector to the rows with the machine on and outside the labels (plus 30 rows on both sides).

    Raises:
        ValueError: fewer than 50 such rows.

    """
    settings = settings or Settings()
    margin = LABEL_MARGIN_ROWS * frame.step
    normal = ~frame.off & ~inside(frame.times, [(start - margin, end + margin) for start, end in labels])
    if normal.sum() < MIN_ROWS:
        raise ValueError(
            f"{int(normal.sum())} normal rows with the machine on; training needs at least {MIN_ROWS}"
        )
    scaling = Scaling.of(frame.values, normal)
    static = Pipeline(scaling=scaling, baseline=Baseline.none(len(frame.sensors)))
    pipeline = _choose_baseline(frame, static, normal, settings)
    trials = [_Trial.of(frame, pipeline, normal, name, _MOMENT_ROWS) for name in VIEWS]
    alarms = _forward(trials, settings)
    widening = float(np.clip(np.quantile(alarms, settings.quantile), 1, MAX_WIDENING)) if len(alarms) else 1.0
    return Detector(
        sensors=frame.sensors,
        step=frame.step,
        pipeline=_with_level(frame, pipeline),
        views=tuple(trial.view(settings, widening) for trial in trials),
        forward_false_alarms=float((alarms > 1).mean()) if len(alarms) else 0.0,
        widening=widening,
    )


def _choose_baseline(frame: Frame, static: Pipeline, normal: Mask, settings: Settings) -> Pipeline:
    """Return the pipeline with the least baseline that keeps the forward test quiet, often none.

    Otherwise the slowest one for all sensors that cures it. Training too short to prove any span has one for
    the sensors only that wander through it all, whose level therefore says nothing about what comes next.
    """

    def alarms(pipeline: Pipeline) -> float:
        trials = [_Trial.of(frame, pipeline, normal, name, _TRIAL_ROWS) for name in VIEWS]
        ratio = _forward(trials, settings)
        return float((ratio > 1).mean()) if len(ratio) else 0.0

    rows = int(normal.sum())
    without = alarms(static)
    if without <= DRIFT_ALARMS:
        return static
    spans = [span for span in SPANS if span * SPANS_IN_TRAINING <= rows]
    if not spans:
        wandering = _wandering(frame, static, normal)
        return static.with_baseline(max(1, rows // WANDER_PARTS), wandering) if wandering.any() else static
    best, fewest = static, without / 2
    for span in spans:
        trial = static.with_baseline(span, np.ones(len(frame.sensors), bool))
        share = alarms(trial)
        if share < fewest:
            best, fewest = trial, share
        if share <= CURED_ALARMS:
            break
    return best


def _wandering(frame: Frame, static: Pipeline, normal: Mask) -> Mask:
    """Mark the sensors with much of their variance between the quarters of training."""
    picks = np.flatnonzero(normal)
    values = static.scaling.apply(frame.values[picks[:: max(1, len(picks) // _TRIAL_ROWS)]])
    means = np.stack([np.nanmean(part, axis=0) for part in np.array_split(values, WANDER_PARTS)])
    total = np.nanvar(values, axis=0)
    marked: Mask = means.var(axis=0) > WANDER_SHARE * np.maximum(total, 1e-12)
    return marked


def _with_level(frame: Frame, pipeline: Pipeline) -> Pipeline:
    """Return the pipeline with the baseline's level at the end of training."""
    if not pipeline.baseline.span:
        return pipeline
    state = State.start(len(frame.sensors))
    for _ in pipeline.run(frame, state, ()):
        pass
    level = state.level if state.level is not None else pipeline.baseline.level
    return replace(pipeline, baseline=replace(pipeline.baseline, level=level, end=frame.times[-1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """Training material of one view: moments per block of time, and a sample of rows of each block."""

    name: ViewName
    sensors: int
    folds: tuple[Moments, ...]
    held: tuple[Floats, ...]

    @classmethod
    def of(cls, frame: Frame, pipeline: Pipeline, normal: Mask, name: ViewName, max_rows: int) -> "_Trial":
        sensors = len(frame.sensors)
        size = BLOCKS[name] * sensors
        order = np.cumsum(normal) - 1
        total = int(order[-1]) + 1
        fold_of = np.minimum(order * FOLDS // total, FOLDS - 1)
        strip_of = order // _STRIP
        every = max(1, total // max_rows)
        held_every = every * max(1, total * size // (every * _HELD_CELLS))
        folds = tuple(Moments(size) for _ in range(FOLDS))
        held: list[list[Floats]] = [[np.empty((0, size))] for _ in range(FOLDS)]
        state = State.start(sensors)
        for rows in pipeline.run(frame, state, (name,)):
            at = slice(rows.start, rows.stop)
            use = normal[at] & rows.ready(name) & (strip_of[at] % every == 0)
            if not use.any():
                continue
            stacked = np.concatenate(rows.features.blocks[name], axis=1)
            for fold in np.unique(fold_of[at][use]):
                part = use & (fold_of[at] == fold)
                folds[fold].add(stacked[part])
                held[fold].append(stacked[part & (strip_of[at] % held_every == 0)])
        return cls(name=name, sensors=sensors, folds=folds, held=tuple(np.concatenate(each) for each in held))

    def held_out(self, folds: slice) -> Floats:
        """Return residuals of the sampled rows of these blocks, each predicted from the other ones."""
        chosen = range(FOLDS)[folds]
        total = _sum([self.folds[fold] for fold in chosen])
        parts = []
        for fold in chosen:
            rest = total.plus(self.folds[fold], -1.0)
            if len(self.held[fold]) and rest.count > 1:
                parts.append((self.held[fold] - rest.mean()) @ self._map(rest))
        return np.abs(np.concatenate(parts)) if parts else np.ones((1, OUTPUTS[self.name] * self.sensors))

    def forward(self) -> Floats:
        """Return residuals of the second half of the blocks, predicted from the first half."""
        half = FOLDS // 2
        first = _sum(self.folds[:half])
        later = np.concatenate(self.held[half:])
        if first.count <= 1:
            return np.empty((0, OUTPUTS[self.name] * self.sensors))
        residuals: Floats = np.abs((later - first.mean()) @ self._map(first))
        return residuals

    def view(self, settings: Settings, widening: float) -> View:
        """Return the view fitted to all blocks."""
        total = _sum(self.folds)
        absolute = self.held_out(slice(None))
        scale, limit = _calibrate(absolute, settings)
        return View(
            name=self.name,
            mean=total.mean(),
            weights=self._map(total),
            scale=scale,
            usual=(np.minimum(absolute / scale, ATTRIBUTION_CAP) ** 2).mean(axis=0),
            limit=limit * widening,
        )

    def _map(self, moments: Moments) -> Floats:
        return residual_map(moments.covariance(), self.sensors, OUTPUTS[self.name])


def _sum(moments: Sequence[Moments]) -> Moments:
    total = Moments(len(moments[0].sums))
    for each in moments:
        total = total.plus(each)
    return total


def _calibrate(absolute: Floats, settings: Settings) -> tuple[Floats, float]:
    """Return the units of the residuals and the score limit, from residuals of held-out rows."""
    scale = np.maximum(np.quantile(absolute, RESIDUAL_QUANTILE, axis=0), 1e-6)
    scores = smooth(row_scores(absolute / scale), 0.0)
    return scale, max(SAFETY * float(np.quantile(scores, settings.quantile)), 1e-9)


def _forward(trials: Sequence[_Trial], settings: Settings) -> Floats:
    """Return the fused score ratio of the second half of training, judged by the first half alone."""
    ratios = []
    for trial in trials:
        scale, limit = _calibrate(trial.held_out(slice(FOLDS // 2)), settings)
        ratios.append(smooth(row_scores(trial.forward() / scale), 0.0) / limit)
    rows = min(len(ratio) for ratio in ratios)
    fused: Floats = np.max([ratio[len(ratio) - rows :] for ratio in ratios], axis=0)
    return fused
