"""A flexible frozen detector to compare with: boosted trees per sensor on half-hour means, over a day."""

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from benchmarks.datasets import Case
from benchmarks.signals import Floats, ewma

BIN = np.timedelta64(1800, "s")
FOLDS = 6
SPAN = 48
QUANTILE = 1 - 0.15 / 24


def trees_ratio(case: Case) -> Floats:
    """Return the largest day's mean residual of a sensor over its held-out 99.4 % quantile, a row each."""
    frame = case.frame
    place = (frame.times - frame.times[0]) // max(BIN, frame.step)
    starts = np.flatnonzero(np.append(True, np.diff(place) > 0))
    on = np.isfinite(frame.values) & ~frame.off[:, None]
    counts = np.add.reduceat(on, starts, axis=0)
    sums = np.add.reduceat(np.where(on, frame.values, 0), starts, axis=0)
    means = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    usable = np.isfinite(means).any(axis=1)
    rows = means[usable]
    train = int((starts[usable] < case.train).sum())
    features = np.concatenate([rows, ewma(np.nan_to_num(rows, nan=0.0), 3)], axis=1)
    ratio = np.zeros(len(rows))
    fold = np.minimum(np.arange(train) * FOLDS // train, FOLDS - 1)
    for at in range(rows.shape[1]):
        inputs = np.delete(features, [at, rows.shape[1] + at], axis=1)
        known = np.isfinite(rows[:train, at])
        held = np.zeros(train)
        for part in range(FOLDS):
            model = _model().fit(
                inputs[:train][known & (fold != part)], rows[:train, at][known & (fold != part)]
            )
            held[fold == part] = model.predict(inputs[:train][fold == part])
        model = _model().fit(inputs[:train][known], rows[:train, at][known])
        usual = ewma(np.nan_to_num(rows[:train, at] - held)[:, None], SPAN)[:, 0]
        late = ewma(np.nan_to_num(rows[train:, at] - model.predict(inputs[train:]))[:, None], SPAN)[:, 0]
        limit = np.quantile(np.abs(usual), 1 - (1 - QUANTILE) / rows.shape[1])
        ratio[train:] = np.maximum(ratio[train:], np.abs(late) / limit)
    per_bin = np.zeros(len(starts))
    per_bin[usable] = ratio
    result: Floats = np.repeat(per_bin, np.diff(np.append(starts, len(place))))[case.train :]
    return result


def _model() -> HistGradientBoostingRegressor:
    return HistGradientBoostingRegressor(max_iter=100, early_stopping=False, random_state=0)
