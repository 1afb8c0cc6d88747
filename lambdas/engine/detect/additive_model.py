"""Every sensor as a sum of curves of all others: a ridge regression on hinges, in closed form.

The columns per sensor are the mean of its scaled value over a bin, the exponential mean of these (slow
relations), and the means of its hinges without their straight part (bends). One inverse predicts all sensors,
as in `engine.detect.cross_prediction`; a sensor's own columns never help to predict it.

Where a bend lies beyond its range in training, nobody knows whether the curve goes on to bend: a valve may
have reached its stop. There, a residual counts as far as neither of two predictions explains it: the one
whose bends go on, and the one whose bends end where they did in training.

Far outside, where a seldom open valve is when it opens, a relation is known by a few hours: there an error
counts in proportion to how far the value and its prediction are.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.detect.cross_prediction import inverse
from engine.detect.nearer import nearer
from engine.frame.excursions import in_proportion

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MEMORY_BINS = 3
"""Span of the exponential mean among the columns."""
_TINY = 1e-4
"""A column that varies by less, in scales of its sensor, says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """How columns are made of bin means: `slopes` is the straight part of each hinge (hinges x sensors)."""

    slopes: Floats

    @classmethod
    def of(cls, means: Floats) -> "Columns":
        """Learn the straight parts from complete bins (bins x 1 + hinges x sensors)."""
        centred = means - means.mean(axis=0)
        variance = np.maximum((centred[:, 0] ** 2).mean(axis=0), 1e-12)
        return cls(slopes=(centred[:, 1:] * centred[:, :1]).mean(axis=0) / variance)

    def made(self, means: Floats, smooth: Floats) -> Floats:
        """Return the columns of bins, block after block: values, their exponential means, bends."""
        bends = means[:, 1:] - self.slopes * means[:, :1]
        return np.concatenate([means[:, 0], smooth, bends.reshape(len(means), self.slopes.size)], axis=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Additive:
    """Residual of each sensor: `(columns - mean) @ weights`.

    Attributes:
        mean: of the columns, shape (columns,).
        weights: shape (columns, sensors); a straight model has none for bends.
        precision: fills what is missing, of the columns with weights.
        bounds: lowest and highest bends that were learned, shape (2, bends).

    """

    mean: Floats
    weights: Floats
    precision: Floats
    bounds: Floats

    @classmethod
    def fit(cls, mean: Floats, covariance: Floats, trusted: Floats, ridge: float, used: int) -> "Additive":
        """Fit from the moments of the columns.

        Args:
            mean: of the columns.
            covariance: of the columns.
            trusted: how far each sensor helps to predict others, 0 to 1.
            ridge: added to the variance of every column, in units of it.
            used: columns to use, the first ones.

        """
        size, sensors = used, len(trusted)
        covariance = covariance[:used, :used]
        deviation = np.sqrt(np.maximum(np.diag(covariance), 0))
        deviation[deviation < _TINY] = np.inf
        correlation = covariance / deviation[:, None]
        correlation /= deviation
        counted = np.tile(trusted, size // sensors)
        if trusted.min() < 1:
            correlation *= counted[:, None] * counted
        correlation[np.diag_indices(size)] += ridge + (1 - counted**2)
        precision: Floats = inverse(correlation).astype(np.float64, copy=False)
        own = np.arange(0, size, sensors)[None, :] + np.arange(sensors)[:, None]
        inner = np.linalg.inv(precision[own[:, :, None], own[:, None, :]])
        weights: Floats = np.einsum("sb,sbc->cs", inner[:, 0], precision[own])
        weights[own.T, np.arange(sensors)] = 0
        weights[np.arange(sensors), np.arange(sensors)] = 1
        weights = weights / deviation[:, None] * np.where(np.isinf(deviation), 1, deviation)[:sensors]
        precision /= deviation[:, None]
        precision /= deviation
        return cls(mean=mean, weights=weights, precision=precision, bounds=unbounded(len(mean) - 2 * sensors))

    def with_bends(self) -> "Additive":
        """Return this model with weights for all columns, 0 for those that it does not use."""
        others = len(self.mean) - len(self.weights)
        return replace(
            self,
            weights=np.pad(self.weights, ((0, others), (0, 0))),
            precision=np.pad(self.precision, ((0, others), (0, others))),
        )

    def mixed(self, other: "Additive", share: float) -> "Additive":
        """Return the weighted mean of this model and, by this share, another one of the same columns."""
        return replace(
            self,
            weights=(1 - share) * self.weights + share * other.weights,
            precision=(1 - share) * self.precision + share * other.precision,
        )

    def bounded(self, bends: Floats) -> "Additive":
        """Return this model with the ranges of the bends that it learned; NaN is no value."""
        return replace(self, bounds=np.array([np.fmin.reduce(bends), np.fmax.reduce(bends)]))

    def residuals(self, columns: Floats) -> Floats:
        """Return the residuals in scales; 0 for a sensor that is missing, whose columns are NaN."""
        used = len(self.weights)
        centred = columns[:, :used] - self.mean[:used]
        missing = np.isnan(centred)
        incomplete = np.flatnonzero(missing.any(axis=1))
        if not len(incomplete):
            return self._unexplained(centred)
        centred[missing] = 0
        patterns, which = np.unique(missing[incomplete], axis=0, return_inverse=True)
        for at, pattern in enumerate(patterns):
            rows = incomplete[which.ravel() == at]
            among = self.precision[np.ix_(pattern, pattern)].copy()
            among[np.diag_indices(len(among))] += 1e-12
            likely = -np.linalg.solve(among, self.precision[pattern] @ centred[rows].T)
            centred[np.ix_(rows, np.flatnonzero(pattern))] = likely.T
        result = self._unexplained(centred)
        result[missing[:, : result.shape[1]]] = 0
        return result

    def _unexplained(self, centred: Floats) -> Floats:
        """Return the residuals of complete columns, which are relative to the mean."""
        errors = self._errors(centred)
        sensors = errors.shape[1]
        return in_proportion(centred[:, :sensors] + self.mean[:sensors], errors)

    def _errors(self, centred: Floats) -> Floats:
        """Return what the predictions of complete columns leave of the values."""
        result: Floats = centred @ self.weights
        at = 2 * result.shape[1]
        if len(self.weights) == at:
            return result
        low, high = self.bounds - self.mean[at:]
        bends = centred[:, at:]
        beyond = np.maximum(bends, low)
        np.subtract(bends, np.minimum(beyond, high, out=beyond), out=beyond)
        return nearer(result, result - beyond @ self.weights[at:])

    def effect(self, slopes: Floats) -> Floats:
        """Return what the shift of each sensor by one scale does to the residuals of all, sensors x sensors.

        Args:
            slopes: the straight part of each hinge, hinges x sensors; knots are evenly spaced quantiles.

        """
        hinges, sensors = slopes.shape
        value, smooth, *bends = self.weights.reshape(2 + hinges, sensors, sensors)
        result: Floats = value + smooth
        for at, bend in enumerate(bends):
            rise = 1 - (at + 1) / (hinges + 1)  # the share of rows above the knot
            result = result + (rise - slopes[at])[:, None] * bend
        return result


def unbounded(bends: int) -> Floats:
    """Return the bounds of bends of which no range is known."""
    return np.repeat([[-1.0], [1.0]], bends, axis=1) * np.finfo(np.float64).max


def smoothed(values: Floats, fresh: Mask, before: Floats) -> Floats:
    """Return exponential means of span MEMORY_BINS over bins; they start anew at `fresh` ones.

    A missing value has none, and the next one starts anew.
    """
    gain = 2 / (MEMORY_BINS + 1)
    result = np.empty_like(values)
    last = before
    for at, row in enumerate(values):
        if fresh[at]:
            result[at] = row
        else:
            result[at] = last + gain * (row - last)
            np.copyto(result[at], row, where=np.isnan(result[at]))
        last = result[at]
    return result
