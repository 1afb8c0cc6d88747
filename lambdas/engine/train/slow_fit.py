"""Fit the slow channel: its grid, its model, its limits, and how far training vouches for it.

Spans are times; where training is short, they are parts of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.detect.additive_model import MEMORY_BINS, Additive, Columns, smoothed
from engine.detect.cross_prediction import Moments
from engine.detect.pipeline import grace_rows
from engine.detect.ramp import ramp
from engine.detect.slow_alarm import OPENING
from engine.detect.slow_drift import SlowDrift, Spans, bin_scores, running
from engine.detect.smoothing import ewma_of_all
from engine.detect.time_bins import Grid
from engine.detect.trained_states import INDEPENDENT, TrainedStates, confirmed_states
from engine.detect.view import RESIDUAL_QUANTILE, row_scores
from engine.frame.frame import Frame
from engine.frame.scaling import Scaling
from engine.frame.transpose import transposed_parts
from engine.train.chance import beyond_chance
from engine.train.few_days import WEEK, few_days
from engine.train.outermost import error_growth
from engine.train.sampling import FOLDS

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

HOUR = 3_600_000_000
BINS, LONGEST_BIN = 600, HOUR // 2
"""Bins that training is cut into, as long as they are no longer than half an hour."""
MOST_BINS = 20_000
"""More than that, 14 months, makes them longer instead: it bounds the memory of a fit."""
LEAST_BINS = 200
DAY = int(INDEPENDENT / np.timedelta64(1, "us"))
"""Time that residuals are averaged over: a cycle of load and weather."""
AVERAGES = 25
"""So many averages must fit into training: in a short one, they are over less than a day."""
SETTLING = 2 * MEMORY_BINS
"""Bins after a stop, an outage or a gap that are not judged: twice the memory of the model."""
COLUMNS, HINGES = 600, 5
"""Columns of the model, and hinges of a sensor, at most; the more sensors, the fewer hinges."""
RIDGES = (0.05, 0.005, 0.0005, 0.00005, 0.000005)
AVERAGE_LIMIT, NEWEST_LIMIT = 0.55, 0.45
"""Parts of their quantiles that are the limits of the average and of the newest bin: an alarm needs half a
day above both, and ends with the newest bins."""
AXES = 3
"""Directions in which healthy bins vary most, which tell operating points apart."""
DRIFT = (1.15, 1.35)
"""Drift index of training (median over sensors) up to which levels held, and from which they drifted."""
SENSOR_DRIFT = (1.4, 1.7)
"""The same for a single sensor."""
NEXT_BLOCK = 4.032 * (1 + 1 / FOLDS) ** 0.5
"""Spreads of the levels of six blocks within which 99 % (RESIDUAL_QUANTILE) of the levels of a seventh lie:
the quantile of Student's t with five degrees of freedom, for the spread and the mean of six."""
BY_CHANCE = 3.02
"""Times the variance that noise alone gives the levels of blocks: in 99 % of all cases they vary by no more
(an F quantile, five degrees of freedom)."""
_LEAST_UNIT = 1e-4
_KNOT_ROWS = 20_000


def fit_slow(frame: Frame, healthy: Mask, scaling: Scaling, quantile: float) -> SlowDrift | None:
    """Fit the channel to the healthy rows; None if they are too few to tell of slow faults.

    Args:
        frame: training rows.
        healthy: mask of the rows to learn, shape (rows,).
        scaling: of the sensors.
        quantile: of healthy scores, that the limits lie on.

    """
    use = healthy & running(frame, grace_rows(frame.step) * frame.step, None)[0]
    rows, step = int(use.sum()), int(frame.step / np.timedelta64(1, "us"))
    if rows < LEAST_BINS:
        return None
    total, sensors = rows * step, len(frame.sensors)
    longest = max(LONGEST_BIN, total // MOST_BINS)
    width = max(step, min(longest, step * round(total / BINS / step)))
    spans = _spans(total, width)
    hinges = min(HINGES, max(0, COLUMNS // sensors - 2))
    grid = Grid(width=width, knots=hinge_knots(frame, use, scaling, hinges))
    sums = grid.sums(frame, use, scaling, np.zeros(sensors))
    complete = grid.complete(sums, frame.step)
    gap = np.diff(np.append(sums.bins[0] - 1, sums.bins)) > max(1, spans.settling)
    means = sums.means()
    means[~complete] = np.nan
    smooth = smoothed(means[:, 0], gap, np.full(sensors, np.nan))
    means, smooth = means[complete], smooth[complete]
    whole: Mask = np.asarray(np.isfinite(means[:, 0]).all(axis=1))
    if whole.sum() < LEAST_BINS:
        return None
    columns = Columns.of(means[whole])
    made = columns.made(means, smooth)
    blocks = _Blocks.of(made, whole, sensors, width)
    form = _Form.of(blocks, sensors, max(2, DAY // width))
    held, states = blocks.counted(blocks.residuals(partial(form.model, np.ones(sensors))))
    levels_held, steady = trusted(drift_index(held))
    if steady.min() < 1:
        held, states = blocks.counted(blocks.residuals(partial(form.model, steady)))
    averaged = ewma_of_all(held, spans.average)
    units, limits = _calibrated(held, averaged, steady, quantile)
    numbers = sums.bins[complete]
    time = np.timedelta64(total, "us")
    limits *= few_days(quantile, time)
    moments = Moments.of(made[whole])
    covariance = moments.covariance()
    model = form.model(steady, moments.mean(), covariance).with_bends().bounded(made[whole, 2 * sensors :])
    axes = _axes(covariance[:sensors, :sensors])
    places = ewma_of_all(states @ axes, spans.average)
    growth = _growth(blocks, partial(form.model, steady), averaged, places, spans.average)
    return SlowDrift(
        grid=grid,
        columns=columns,
        model=model,
        spans=spans,
        units=units,
        limits=limits,
        largest=True,
        fourth_powers=True,
        effect=model.effect(columns.slopes),
        trained=blocks.trained(states),
        axes=axes,
        reach=np.array([places.min(axis=0), places.max(axis=0)]),
        growth=levels_held * growth,
        held=levels_held,
        trust=levels_held * ramp(float(time / WEEK), 1, 2),
        steady=steady,
        drift=blocks.drift(held, averaged, spans.average),
        end=int(numbers[-1]),
        walk=_walk(int(numbers[-1] - numbers[0]) + 1, width),
    )


def _walk(bins: int, width: int) -> float:
    """Return by how much the mean square of drift grows per bin after training, over what it was at its end.

    The mean square of how far a walk is from its mean over training is a third of what it covers in training
    when that ends, and then grows by all that it covers. The shorter blocks are than a week, the more they
    differ by their weekdays, which do not walk.

    Args:
        bins: of training, from its first to its last.
        width: of a bin in us.

    """
    block = np.timedelta64(bins * width // FOLDS, "us")
    return 3 / bins * min(1.0, float(block / WEEK))


def _spans(total: int, width: int) -> Spans:
    """Return the times of the channel in bins of this width, for a training of this total time."""
    average = min(DAY, total / AVERAGES)
    opening = min(OPENING / np.timedelta64(1, "us"), 2 * average)
    return Spans(
        average=max(2, round(average / width)), opening=max(8, round(opening / width)) + 1, settling=SETTLING
    )


def hinge_knots(frame: Frame, use: Mask, scaling: Scaling, hinges: int) -> Floats:
    """Return quantiles of every sensor, evenly spaced, as knots (hinges x sensors).

    Args:
        frame: training rows.
        use: mask of the rows to learn, shape (rows,).
        scaling: of the sensors.
        hinges: knots per sensor.

    """
    if not hinges:
        return np.zeros((0, frame.values.shape[1]))
    picks = np.flatnonzero(use)
    scaled = scaling.apply(frame.values[picks[:: max(1, len(picks) // _KNOT_ROWS)]])
    places = (np.arange(hinges) + 1) / (hinges + 1)
    knots: Floats = np.nan_to_num(np.nanquantile(scaled, places, axis=0)).reshape(hinges, scaled.shape[1])
    return knots


@dataclass(frozen=True, slots=True)
class _Learned:
    """What some bins say: mean and covariance of their columns, and rows that hold the extremes of bends."""

    mean: Floats
    covariance: Floats
    extremes: Floats


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Blocks of time, each predicted from the others.

    Columns of all bins, which of them are learned, the first column of bends, the bins of each block, what
    the others of each say, the moments of all, and the width of a bin in us.
    """

    made: Floats
    whole: Mask
    bends: int
    bins: list[slice]
    others: list[_Learned]
    total: Moments
    width: int

    @classmethod
    def of(cls, made: Floats, whole: Mask, sensors: int, width: int) -> Self:
        """Cut the bins into blocks; `whole` bins are learned."""
        bends = made[:, 2 * sensors :]
        ends = [-(-at * len(made) // FOLDS) for at in range(FOLDS + 1)]
        bins = [slice(*each) for each in pairwise(ends)]
        parts = [Moments.of(made[each][whole[each]]) for each in bins]
        total = Moments.total(parts)
        extremes = [np.array([np.fmin.reduce(bends[each]), np.fmax.reduce(bends[each])]) for each in bins]
        others = []
        for at, part in enumerate(parts):
            moments = total.without(part)
            ranges = np.concatenate(extremes[:at] + extremes[at + 1 :])
            others.append(_Learned(moments.mean(), moments.covariance(), ranges))
        return cls(made, whole, 2 * sensors, bins, others, total, width)

    def residuals(self, model: Callable[[Floats, Floats], Additive]) -> Floats:
        """Return the residuals of all bins, shape (bins, sensors), each block by a model of the others.

        Args:
            model: returns the model of a mean and covariance of columns.

        """
        found = [
            model(learned.mean, learned.covariance).bounded(learned.extremes).residuals(self.made[bins])
            for bins, learned in zip(self.bins, self.others, strict=True)
        ]
        return np.concatenate(found)

    def unlearned(self, bins: Mask, model: Callable[[Floats, Floats], Additive]) -> Floats:
        """Return how far residuals count, by a model that has learned all but some bins."""
        moments = self.total.without(Moments.of(self.made[bins & self.whole]))
        fitted = model(moments.mean(), moments.covariance()).bounded(self.made[~bins, self.bends :])
        return self.counted(fitted.residuals(self.made), ~bins)[0]

    def counted(self, residuals: Floats, learned: Mask | slice = slice(None)) -> tuple[Floats, Floats]:
        """Return how far residuals count, by the states of the bins that were learned, and all states."""
        states = confirmed_states(self.made[:, : residuals.shape[1]], residuals)
        return residuals / np.sqrt(self.trained(states[learned]).variance(states))[:, None], states

    def drift(self, held: Floats, averaged: Floats, span: int) -> Floats:
        """Return how far the level of each held-out residual may lie from that of training, shape (sensors,).

        Blocks of time have levels of their own, and what comes is one more. What noise alone may make of them
        is deducted: an average over `span` bins has one independent value in so many.
        """
        between = np.var([held[bins].mean(axis=0) for bins in self.bins], axis=0, ddof=1)
        noise = np.mean([averaged[bins].var(axis=0) for bins in self.bins], axis=0) * span * FOLDS / len(held)
        result: Floats = NEXT_BLOCK * np.sqrt(np.maximum(between - BY_CHANCE * noise, 0))
        return result

    def trained(self, states: Floats) -> TrainedStates:
        """Return where the states of some bins lay."""
        return TrainedStates.of(states, np.timedelta64(len(states) * self.width, "us"))


@dataclass(frozen=True, slots=True)
class _Form:
    """The form of the model: the ridges of one without and of one with bends, and how far bends count."""

    straight: float
    bent: float
    bends: float

    @classmethod
    def of(cls, blocks: _Blocks, sensors: int, span: int) -> Self:
        """Return the form that predicts held-out blocks of time best, on average over so many bins."""
        columns = blocks.made.shape[1]
        straight, without = _best_ridge(blocks, sensors, 2 * sensors, span)
        if columns == 2 * sensors:
            return cls(straight, straight, 0.0)
        bent, with_bends = _best_ridge(blocks, sensors, columns, span)
        gains = [_loss(without[bins]) - _loss(with_bends[bins]) for bins in blocks.bins]
        return cls(straight, bent, beyond_chance(np.array(gains)))

    def model(self, trusted: Floats, mean: Floats, covariance: Floats) -> Additive:
        """Return the model of these moments, whose sensors help to predict others as far as trusted."""
        known = mean, covariance, trusted
        straight = Additive.fit(*known, self.straight, 2 * len(trusted))
        if self.bends == 0:
            return straight
        return straight.with_bends().mixed(Additive.fit(*known, self.bent, len(mean)), self.bends)


def _best_ridge(blocks: _Blocks, sensors: int, used: int, span: int) -> tuple[float, Floats]:
    """Return the ridge under which held-out blocks need the smallest shifts, and the averaged residuals."""
    best, chosen = np.inf, (RIDGES[0], np.zeros((len(blocks.made), sensors)))
    for ridge in RIDGES:

        def model(mean: Floats, covariance: Floats, ridge: float = ridge) -> Additive:
            return Additive.fit(mean, covariance, np.ones(sensors), ridge, used)

        averaged = ewma_of_all(blocks.residuals(model), span)
        loss = _loss(averaged)
        if loss < best:
            best, chosen = loss, (ridge, averaged)
    return chosen


def _loss(averaged: Floats) -> float:
    """Return the mean logarithm, over sensors, of how far averaged residuals go."""
    return float(np.log(_quantiles(averaged)).mean())


def drift_index(held: Floats) -> Floats:
    """Return per sensor how much farther its held-out residual moves in long than in short times.

    The square root of the mean squared difference over a twelfth to a quarter of training, over that of a
    sixtieth: about 1 for a level that holds, however it cycles within that, and more for one that drifts.
    NaN for a residual that is always the same.
    """
    length = max(1, len(held) // 120)
    count = len(held) // length
    blocks = held[: count * length].reshape(count, length, -1).mean(axis=1)

    def distance(lag: int) -> Floats:
        result: Floats = ((blocks[lag:] - blocks[:-lag]) ** 2).mean(axis=0)
        return result

    short, far = distance(2), np.mean([distance(lag) for lag in (10, 20, 30)], axis=0)
    return np.where(short > 1e-12, np.sqrt(far / np.maximum(short, 1e-18)), np.nan)


def trusted(index: Floats) -> tuple[float, Floats]:
    """Return how far levels held in training, and how far to count each sensor, 0 to 1.

    Args:
        index: drift index of each sensor; NaN tells nothing.

    """
    known = index[np.isfinite(index)]
    plant = float(np.median(known)) if len(known) else 1.0
    # Where the whole plant drifted, an owner who holds it wants all of it held, but for what drifted more.
    relative = np.nan_to_num(index) / max(1.0, plant / DRIFT[1])
    return 1 - ramp(plant, *DRIFT), 1 - ramp(relative, *SENSOR_DRIFT)


def _calibrated(held: Floats, averaged: Floats, steady: Floats, quantile: float) -> tuple[Floats, Floats]:
    """Return the units of single bins and of their average, and their limits."""
    both = (held, averaged)
    units = np.array([_quantiles(each) for each in both])
    singles, averages = (np.abs(each / unit * steady) for each, unit in zip(both, units, strict=True))
    scores = (bin_scores(singles), row_scores(averages))
    limits = np.array([max(float(np.quantile(each, quantile)), 1e-9) for each in scores])
    return units, limits * (NEWEST_LIMIT, AVERAGE_LIMIT)


def _growth(
    blocks: _Blocks,
    model: Callable[[Floats, Floats], Additive],
    averaged: Floats,
    places: Floats,
    span: int,
) -> Floats:
    """Return how squared errors grow beyond the places of training, by averages over so many bins."""
    usual = _mean_squares(averaged)

    def squares(bins: Mask) -> float:
        averages = ewma_of_all(blocks.unlearned(bins, model), span)[bins]
        return float(np.exp(np.log(_mean_squares(averages) / usual).mean()))

    return error_growth(places, squares, len(places) * blocks.width / DAY)


def _axes(covariance: Floats) -> Floats:
    """Return the leading principal axes of the scaled sensors, each of unit variance: (sensors, axes)."""
    deviation = np.sqrt(np.maximum(np.diag(covariance), 0))
    deviation[deviation < _LEAST_UNIT] = np.inf
    directions = np.linalg.eigh(covariance / deviation[:, None] / deviation)[1]
    result: Floats = directions[:, -AXES:] / deviation[:, None]
    return result


def _mean_squares(rows: Floats) -> Floats:
    squares: Floats = np.maximum((rows**2).mean(axis=0), _LEAST_UNIT**2)
    return squares


def _quantiles(rows: Floats) -> Floats:
    parts = (np.abs(part, out=part) for part in transposed_parts(rows))
    found = [np.quantile(part, RESIDUAL_QUANTILE, axis=1, overwrite_input=True) for part in parts]
    result: Floats = np.maximum(np.concatenate(found), _LEAST_UNIT)
    return result
