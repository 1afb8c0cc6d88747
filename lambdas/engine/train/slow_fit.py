"""Fitting the slow channel: grid, ridge, units and limits, and how far training itself drifted."""

import numpy as np
from numpy.typing import NDArray

from engine.detect.additive_model import Additive, Columns, smoothed
from engine.detect.cross_prediction import Moments
from engine.detect.slow_drift import LEAST_NOISE, SlowDrift, Times, Walk
from engine.detect.time_bins import Grid, Sums
from engine.detect.view import row_scores
from engine.frame.frame import Frame
from engine.frame.scaling import Scaling

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

HOUR = 3_600_000_000
BINS, LONGEST_BIN = 600, HOUR // 2
"""Bins that training is cut into, as long as they are no longer than half an hour."""
LEAST_BINS = 200
LEAST_ROWS = 1250
AVERAGES = ((4 * HOUR, 150), (24 * HOUR, 25), (96 * HOUR, 6))
"""Spans that residuals are averaged over, and the parts of training that they may be at most."""
OPENING = (12 * HOUR, 12)
"""Time for which the ratio must lie above the limit to open an alarm: shorter faults are left to the fast views."""
INCREMENT = (168 * HOUR, 14)
SETTLING = 3 * HOUR
"""Time after a stop, an outage or a gap that is not judged."""
COLUMNS = 600
"""Columns of the model at most; the more sensors, the fewer hinges."""
HINGES = 5
RIDGES = (0.05, 0.02, 0.005, 0.002, 0.0005)
FOLDS = 6
UNIT_QUANTILE = 0.99
QUANTILE = 1 - 0.15 / 24
DRIFT = (1.15, 1.35)
"""Drift index of training, the median over sensors, up to which the channel counts in full, and from which not."""
SENSOR_DRIFT = (1.4, 1.7)
MOST_WIDENING = 3.0


def fit_slow(frame: Frame, use: Mask, scaling: Scaling) -> SlowDrift | None:
    """Fit the channel to the marked rows; None if they are too few, or too short, to tell of slow faults."""
    rows = int(use.sum())
    step = int(frame.step / np.timedelta64(1, "us"))
    if rows < LEAST_ROWS:
        return None
    total = rows * step
    width = max(step, min(LONGEST_BIN, step * round(total / BINS / step)))
    sensors = len(frame.sensors)
    hinges = min(HINGES, max(0, COLUMNS // sensors - 2))
    grid = Grid(width=width, knots=_knots(frame, use, scaling, hinges))
    sums = grid.sums(frame, use, scaling)
    times = _times(total, width)
    complete = grid.complete(sums, frame.step)
    gap = np.diff(np.append(sums.bins[0] - 1, sums.bins)) > 1
    since = np.arange(len(gap)) - np.maximum.accumulate(np.where(gap | ~complete, np.arange(len(gap)), -(10**6)))
    valid = complete & (since >= times.settling)
    if valid.sum() < LEAST_BINS:
        return None
    means = sums.means()
    means[~complete] = np.nan
    smooth = smoothed(means[:, 0], gap, None)
    means, smooth = means[valid], smooth[valid]
    whole = np.isfinite(means[:, 0]).all(axis=1) & np.isfinite(smooth).all(axis=1)
    if whole.sum() < LEAST_BINS:
        return None
    columns = Columns.of(means[whole])
    made = columns.made(means, smooth)
    ridge, held = _chosen(made, whole, sensors, times.averages[1])
    moments = _moments(made[whole])
    model = Additive.fit(moments.mean(), moments.covariance(), sensors, ridge)
    shift = model.shifts(_above(grid.knots, sums, valid), columns.slopes)
    return _calibrated(SlowDrift(
        grid=grid, columns=columns, model=model, times=times, units=np.ones((1 + len(times.averages), sensors)),
        limits=np.ones(1 + len(times.averages)), shift=shift, usual=np.ones(sensors), noise=np.ones(sensors),
        trust=1.0, steady=np.ones(sensors)), held)


def _knots(frame: Frame, use: Mask, scaling: Scaling, hinges: int) -> Floats:
    picks = np.flatnonzero(use)
    picks = picks[:: max(1, len(picks) // 20_000)]
    scaled = scaling.apply(frame.values[picks].astype(np.float64))
    return np.nanquantile(scaled, (np.arange(hinges) + 1) / (hinges + 1), axis=0).reshape(hinges, -1)


def _above(knots: Floats, sums: Sums, valid: Mask) -> Floats:
    """Return the share of rows above each knot: by construction of the knots as quantiles."""
    hinges = len(knots)
    return np.repeat(1 - (np.arange(hinges)[:, None] + 1) / (hinges + 1), knots.shape[1], axis=1)


def _times(total: int, width: int) -> Times:
    def bins(most: tuple[int, int], least: int) -> int:
        return max(least, round(min(most[0], total / most[1]) / width))

    opening = bins(OPENING, 8)
    return Times(
        averages=tuple(bins(each, 2) for each in AVERAGES),
        opening=opening + 1,
        window=opening,
        increment=bins(INCREMENT, 4),
        settling=round(SETTLING / width),
    )


def _moments(rows: Floats) -> Moments:
    result = Moments(rows.shape[1])
    result.count, result.sums, result.products = float(len(rows)), rows.sum(axis=0), rows.T @ rows
    return result


def _chosen(made: Floats, whole: Mask, sensors: int, span: int) -> tuple[float, Floats]:
    """Return the ridge that predicts held-out blocks of time best, and the residuals of these."""
    fold = np.minimum(np.arange(len(made)) * FOLDS // len(made), FOLDS - 1)
    parts = [_moments(made[whole & (fold == each)]) for each in range(FOLDS)]
    total = parts[0]
    for part in parts[1:]:
        total = total.plus(part)
    best, chosen = np.inf, (RIDGES[0], np.zeros((len(made), sensors)))
    for ridge in RIDGES:
        held = np.empty((len(made), sensors))
        for each, part in enumerate(parts):
            others = total.plus(part, -1.0)
            model = Additive.fit(others.mean(), others.covariance(), sensors, ridge)
            held[fold == each] = model.residuals(made[fold == each])
        loss = _loss(_averaged(held, span))
        if loss < best:
            best, chosen = loss, (ridge, held)
    return chosen


def _loss(held: Floats) -> float:
    """Return how large a shift must be to be seen: the mean logarithm over sensors of the usual residual."""
    return float(np.log(np.maximum(np.quantile(np.abs(held), 0.9, axis=0), LEAST_NOISE)).mean())


def drift_index(held: Floats) -> Floats:
    """Return per sensor how much farther held-out residuals move over long than over short times; NaN if still.

    The square root of the mean squared difference over a twelfth to a quarter of training, over that of a
    sixtieth: 1 for a level that holds, however it cycles within that; above for one that drifts.
    """
    length = max(1, len(held) // 120)
    count = len(held) // length
    blocks = held[: count * length].reshape(count, length, -1).mean(axis=1)

    def distance(lag: int) -> Floats:
        result: Floats = ((blocks[lag:] - blocks[:-lag]) ** 2).mean(axis=0)
        return result

    short = distance(2)
    far = np.mean([distance(lag) for lag in (10, 20, 30)], axis=0)
    return np.where(short > 1e-12, np.sqrt(far / np.maximum(short, 1e-18)), np.nan)


def _part(value: Floats, bounds: tuple[float, float]) -> Floats:
    low, high = bounds
    return np.clip((high - value) / (high - low), 0, 1)


def _calibrated(drift: SlowDrift, held: Floats) -> SlowDrift:
    from dataclasses import replace

    index = drift_index(held)
    known = index[np.isfinite(index)]
    trust = float(_part(np.array(np.median(known)), DRIFT)) if len(known) else 1.0
    steady = np.where(np.isnan(index), 1.0, _part(np.nan_to_num(index), SENSOR_DRIFT))
    averages = [held, *(_averaged(held, span) for span in drift.times.averages)]
    units = np.array([np.quantile(np.abs(each), UNIT_QUANTILE, axis=0) for each in averages])
    units = np.maximum(units, LEAST_NOISE)
    limits = np.array([
        max(float(np.quantile(row_scores(np.abs(each / unit * steady)), QUANTILE)), 1e-9)
        for each, unit in zip(averages, units, strict=True)
    ])
    length = drift.times.increment
    count = max(2, len(held) // length)
    levels = np.array([part.mean(axis=0) for part in np.array_split(held, count)])
    noise = np.maximum(np.sqrt((np.diff(levels, axis=0) ** 2).mean(axis=0) / 2), LEAST_NOISE)
    usual = np.maximum(np.quantile(np.abs(held), 0.9, axis=0), LEAST_NOISE)
    drift = replace(drift, units=units, limits=limits, usual=usual, noise=noise, trust=trust, steady=steady)
    state, ratios = drift.start(), []
    walk = Walk(drift, state, adapting=False)
    for residual in held:
        walk.move(residual)
        ratios.append(state.ratio)
    return replace(drift, widening=float(np.clip(np.quantile(ratios, QUANTILE), 1, MOST_WIDENING)))


def _averaged(rows: Floats, span: int) -> Floats:
    from engine.detect.features import ewma

    start = rows[: max(1, span)].mean(axis=0)
    return ewma(rows, start, span)
