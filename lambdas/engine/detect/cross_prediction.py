"""Closed-form cross-prediction: every sensor from all others, by one regularised covariance matrix.

This is the leave-one-out identity of kriging (Dubrule, "Cross validation of kriging in a unique
neighborhood", Mathematical Geology, 1983): one inverse gives the prediction errors of all sensors.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Reals = NDArray[np.floating]
Float32 = NDArray[np.float32]
"""Feature rows as they are multiplied: half the bytes, twice the speed. Sums of them are kept in float64."""

BLOCK = 256
_SMALL, _SMALL_FACTOR = 128, 64
"""Sizes up to which a matrix is inverted, and factorised, at once instead of by parts."""

RIDGE = 0.05
"""Added to the diagonal of the correlation matrix: noise below which no prediction may rely on anything."""


class Moments:
    """Count, sums and product sums of feature rows.

    They add up: the moments of all rows but one block are the total minus those of the block.
    """

    __slots__ = ("count", "products", "sums")

    def __init__(self, count: float, sums: Floats, products: Floats) -> None:
        self.count, self.sums, self.products = count, sums, products

    @classmethod
    def none(cls, size: int) -> Self:
        """Return the moments of no rows of this many features."""
        return cls(0.0, np.zeros(size), np.zeros((size, size)))

    @classmethod
    def of(cls, rows: Floats) -> Self:
        """Return the moments of rows, shape (rows, features)."""
        return cls(float(len(rows)), rows.sum(axis=0), rows.T @ rows)

    @classmethod
    def total(cls, parts: Sequence["Moments"]) -> Self:
        """Return the moments of the rows of all parts together; there is at least one."""
        first, *others = parts
        result = cls(first.count, first.sums.copy(), first.products.copy())
        for part in others:
            result.count += part.count
            result.sums += part.sums
            result.products += part.products
        return result

    def add(self, rows: Float32) -> None:
        """Add rows, shape (rows, features)."""
        self.count += len(rows)
        self.sums += rows.sum(axis=0, dtype=np.float64)
        self.products += rows.T @ rows

    def without(self, other: "Moments") -> "Moments":
        """Return the moments of this set of rows without the other, a part of it."""
        return Moments(self.count - other.count, self.sums - other.sums, self.products - other.products)

    def mean(self) -> Floats:
        """Return the mean row, shape (features,)."""
        return self.sums / max(self.count, 1.0)

    def covariance(self) -> Floats:
        """Return the covariance of the rows, shape (features, features)."""
        mean = self.mean()
        result: Floats = self.products / max(self.count, 1.0)
        result -= np.outer(mean, mean)
        return result


def stack(blocks: Sequence[Floats]) -> Float32:
    """Return feature blocks, each of shape (rows, sensors), side by side: (rows, features)."""
    return np.concatenate(blocks, axis=1, dtype=np.float32, casting="same_kind")


def product(rows: Float32, weights: Float32) -> Float32:
    """Return `rows @ weights`, multiplied BLOCK rows at a time whatever their number.

    A product of another shape may add its terms in another order. With one shape, most kernels of OpenBLAS
    give a row the same product wherever it stands, and scoring at once and window by window agree to the last
    bit. The kernel for Haswell, which Zen takes too, does not: there they agree to rounding of float32.
    """
    (features, outputs), rest = weights.shape, len(rows) % BLOCK
    whole = len(rows) - rest
    result = np.empty((len(rows), outputs), np.float32)
    blocks = rows[:whole].reshape(-1, BLOCK, features)
    np.matmul(blocks, weights, out=result[:whole].reshape(-1, BLOCK, outputs))
    if rest:
        last = np.zeros((BLOCK, features), np.float32)
        last[:rest] = rows[whole:]
        result[whole:] = (last @ weights)[:rest]
    return result


def residual_map(covariance: Floats, sensors: int, outputs: int) -> Floats:
    """Return the matrix W with `residuals = (features - mean) @ W`, shape (features, outputs * sensors).

    Feature column `b * sensors + j` is block b of sensor j. With P the inverse covariance and S the columns
    of one sensor, the error of predicting x_S from all other columns is (P_SS)^-1 (P x)_S. A sensor's own
    blocks never predict it, so a sensor that is wrong consistently is not excused by its own past.

    Args:
        covariance: covariance of the features, shape (features, features).
        sensors: number of sensors.
        outputs: how many blocks of every sensor, the first ones, are predicted.

    """
    size = len(covariance)
    blocks = size // sensors
    deviation = np.sqrt(np.maximum(np.diag(covariance), 1e-12))
    correlation = np.outer(deviation, deviation)
    np.divide(covariance, correlation, out=correlation)
    correlation[np.diag_indices(size)] += RIDGE
    precision = inverse(correlation)
    own = np.arange(blocks)[None, :] * sensors + np.arange(sensors)[:, None]
    inner = np.linalg.inv(precision[own[:, :, None], own[:, None, :]])
    own_rows = precision.reshape(blocks, sensors, size).swapaxes(0, 1)
    rows = (inner[:, :outputs, :] @ own_rows).transpose(1, 0, 2)
    weights: Floats = (rows.reshape(outputs * sensors, size) / deviation).T * deviation[: outputs * sensors]
    return np.ascontiguousarray(weights)


def inverse(matrix: Reals) -> Reals:
    """Return the inverse of a symmetric positive definite matrix, or of one that rounding made indefinite.

    For a large matrix, the product of the inverted Cholesky factor with itself takes less than half the time
    of a general inverse.
    """
    size = len(matrix)
    if size <= _SMALL:
        return np.linalg.inv(matrix)
    try:
        factor = _inverse_factor(matrix)
    except np.linalg.LinAlgError:
        return np.linalg.inv(matrix)
    result = np.empty_like(factor)
    for start in range(0, size, _SMALL):  # the factor has only zeros above its diagonal
        stop = min(start + _SMALL, size)
        result[start:stop, :stop] = factor[start:, start:stop].T @ factor[start:, :stop]
        result[:start, start:stop] = result[start:stop, :start].T
    return result


def _inverse_factor(matrix: Reals) -> Reals:
    """Return the inverse of the lower Cholesky factor of a matrix, computed by quarters."""
    if len(matrix) <= _SMALL_FACTOR:
        return np.tril(np.linalg.inv(np.linalg.cholesky(matrix)))
    half = len(matrix) // 2
    result = np.empty_like(matrix)
    result[:half, half:] = 0
    upper = result[:half, :half] = _inverse_factor(matrix[:half, :half])
    beside = matrix[half:, :half] @ upper.T
    lower = result[half:, half:] = _inverse_factor(matrix[half:, half:] - beside @ beside.T)
    np.matmul(-lower, beside @ upper, out=result[half:, :half])
    return result
