"""Sensor statistics: the grades a customer sees about each sensor of an ingested component."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.timestamps import Times, iso

Monotonicity = Literal["INCREASING", "DECREASING", "STATIC"]

CATEGORY_LIMIT = 10
LARGE_GAP_DAYS = 30
SHORT_SPAN_DAYS = 14
_DAY = np.timedelta64(86_400_000_000, "us")
_STATIC_SHARE = 1e-9
_BINS = 48
_MIN_MODE_MASS = 0.1
_VALLEY = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorStatistics:
    """Findings about one sensor of a component.

    ``missing``, ``invalid``, ``invalid_dates`` and ``duplicates`` are counts; ``rows`` is what they are a
    share of: the rows read for the component. ``categories`` is set for at most ten distinct values.
    ``large_gaps`` counts gaps above 30 days between valid values, ``max_gap_days`` is the longest gap in
    whole days. ``start`` and ``end`` are the first and last valid stamps. ``short_span`` means less than 14
    days between them.
    """

    sensor: str
    data_exists: bool
    missing: int
    invalid: int
    invalid_dates: int
    duplicates: int
    rows: int
    categories: int | None
    multiple_modes: bool
    large_gaps: int
    max_gap_days: int
    monotonicity: Monotonicity | None
    start: str | None
    end: str | None
    short_span: bool


def sensor_statistics(
    sensor: str,
    times: Times,
    values: NDArray[np.float64],
    *,
    missing: int,
    invalid: int,
    invalid_dates: int,
    duplicates: int,
    rows: int,
) -> SensorStatistics:
    """Grade one sensor from its time-ordered values (NaN = no value) and the counts of the reading pass."""
    valid = np.isfinite(values)
    if not valid.all():
        times, values = times[valid], values[valid]
    gaps = np.diff(times)
    longest = gaps.max() if len(gaps) else np.timedelta64(0, "us")
    return SensorStatistics(
        sensor=sensor,
        data_exists=bool(len(values)),
        missing=missing,
        invalid=invalid,
        invalid_dates=invalid_dates,
        duplicates=duplicates,
        rows=rows,
        categories=_categories(values),
        multiple_modes=has_multiple_modes(values),
        large_gaps=int(np.count_nonzero(gaps > LARGE_GAP_DAYS * _DAY)),
        max_gap_days=int(longest // _DAY),
        monotonicity=_monotonicity(values),
        start=iso(times[0]) if len(times) else None,
        end=iso(times[-1]) if len(times) else None,
        short_span=not len(times) or bool(times[-1] - times[0] < SHORT_SPAN_DAYS * _DAY),
    )


def has_multiple_modes(values: NDArray[np.float64]) -> bool:
    """Return whether the histogram falls into two parts with a clear valley between two peaks.

    Both parts hold at least a tenth of the values, and the valley is below 35 % of the lower peak.
    """
    if len(values) < 4 * _BINS:
        return False
    low, high = np.quantile(values, (0.005, 0.995))
    if not high > low:
        return False
    counts, _ = np.histogram(values, bins=_BINS, range=(low, high))
    smooth = np.convolve(counts, (0.25, 0.5, 0.25), mode="same")
    mass = np.cumsum(counts) / max(1, counts.sum())
    left, right = np.maximum.accumulate(smooth), np.maximum.accumulate(smooth[::-1])[::-1]
    eligible = (mass > _MIN_MODE_MASS) & (mass < 1 - _MIN_MODE_MASS)
    return bool(np.any(eligible & (smooth < _VALLEY * np.minimum(left, right))))


def _categories(values: NDArray[np.float64]) -> int | None:
    if not len(values):
        return None
    head = np.unique(values[:1000])
    if len(head) > CATEGORY_LIMIT:
        return None
    distinct = len(np.unique(values))
    return distinct if distinct <= CATEGORY_LIMIT else None


def _monotonicity(values: NDArray[np.float64]) -> Monotonicity | None:
    if len(values) < 2:
        return None
    scale = max(float(np.abs(values).max()), np.finfo(float).tiny)
    if values.max() - values.min() < _STATIC_SHARE * scale or values.max() == values.min():
        return "STATIC"
    steps = np.diff(values)
    if np.all(steps >= 0):
        return "INCREASING"
    return "DECREASING" if np.all(steps <= 0) else None
