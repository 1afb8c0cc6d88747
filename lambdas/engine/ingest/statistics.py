"""Sensor statistics: the grades a customer sees about each sensor of an ingested component."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.ingest.timestamps import Times, iso

Floats = NDArray[np.float64]

Monotonicity = Literal["INCREASING", "DECREASING", "STATIC"]

CATEGORY_LIMIT = 10
LARGE_GAP_DAYS = 30
SHORT_SPAN_DAYS = 14
_DAY = np.timedelta64(86_400_000_000, "us")
_STATIC_SHARE = 1e-9
_BINS = 48
_MIN_MODE_MASS = 0.1
_VALLEY = 0.35
_SAMPLE = 8_192


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


class Grader:
    """Grades one sensor from its values in order of time, piece by piece (NaN = no value).

    All findings are exact but one: above 16,384 values, several operating modes are judged by a sample of at
    least 8,192, one of each run of neighbours. How the column is cut into pieces does not matter.
    """

    def __init__(self) -> None:
        self._start: np.datetime64 | None = None
        self._end: np.datetime64 | None = None
        self._large_gaps, self._longest = 0, np.timedelta64(0, "us")
        self._low, self._high, self._last, self._count = np.inf, -np.inf, np.nan, 0
        self._rises = self._falls = False
        self._distinct: Floats | None = np.zeros(0)
        self._sample = _Sample()

    def add(self, times: Times, values: Floats) -> None:
        """Take note of later values."""
        valid = np.isfinite(values)
        if not valid.all():
            times, values = times[valid], values[valid]
        if not len(values):
            return
        self._measure_gaps(times)
        self._low, self._high = min(self._low, values.min()), max(self._high, values.max())
        if not (self._rises and self._falls):
            steps = np.diff(values, prepend=self._last if self._count else values[0])
            self._rises |= bool(steps.max() > 0)
            self._falls |= bool(steps.min() < 0)
        self._last, self._count = values[-1], self._count + len(values)
        self._distinct = _distinct(self._distinct, values)
        self._sample.add(values)

    def statistics(
        self, sensor: str, *, missing: int, invalid: int, invalid_dates: int, duplicates: int, rows: int
    ) -> SensorStatistics:
        """Return the findings, with the counts of the reading pass."""
        span = None if self._start is None or self._end is None else self._end - self._start
        return SensorStatistics(
            sensor=sensor,
            data_exists=self._count > 0,
            missing=missing,
            invalid=invalid,
            invalid_dates=invalid_dates,
            duplicates=duplicates,
            rows=rows,
            categories=len(self._distinct) if self._count and self._distinct is not None else None,
            multiple_modes=has_multiple_modes(self._sample.values()),
            large_gaps=self._large_gaps,
            max_gap_days=int(self._longest // _DAY),
            monotonicity=self._monotonicity(),
            start=iso(self._start),
            end=iso(self._end),
            short_span=span is None or bool(span < SHORT_SPAN_DAYS * _DAY),
        )

    def _measure_gaps(self, times: Times) -> None:
        gaps = np.diff(times, prepend=times[:1] if self._end is None else self._end)
        self._large_gaps += int(np.count_nonzero(gaps > LARGE_GAP_DAYS * _DAY))
        self._longest = max(self._longest, gaps.max())
        self._start, self._end = times[0] if self._start is None else self._start, times[-1]

    def _monotonicity(self) -> Monotonicity | None:
        if self._count < 2:
            return None
        scale = max(abs(self._low), abs(self._high), np.finfo(float).tiny)
        if self._high - self._low < _STATIC_SHARE * scale or self._high == self._low:
            return "STATIC"
        if self._rises and self._falls:
            return None
        return "INCREASING" if self._rises else "DECREASING"


class _Sample:
    """One value of each ``stride`` neighbours, the stride doubled as the column grows.

    Which of them is drawn by a hash of their place, so that no cycle of the machine falls in step with it.
    """

    def __init__(self) -> None:
        self._kept: list[Floats] = []
        self._seen, self._stride = 0, 1

    def add(self, values: Floats) -> None:
        while len(values):
            full = 2 * _SAMPLE * self._stride
            piece, values = values[: full - self._seen], values[full - self._seen :]
            runs = np.arange(self._seen // self._stride, (self._seen + len(piece) - 1) // self._stride + 1)
            at = runs * self._stride + _drawn(runs, self._stride) - self._seen
            self._kept.append(piece[at[(at >= 0) & (at < len(piece))]])
            self._seen += len(piece)
            if self._seen == full:
                pairs = self.values().reshape(-1, 2)
                self._kept = [pairs[np.arange(_SAMPLE), _drawn(np.arange(_SAMPLE), 2)]]
                self._stride *= 2

    def values(self) -> Floats:
        return np.concatenate(self._kept) if self._kept else np.zeros(0)


def _drawn(places: NDArray[np.int64], below: int) -> NDArray[np.int64]:
    """Return a number below a limit for each place, without pattern and always the same."""
    mixed = places.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return ((mixed >> np.uint64(33)) % np.uint64(below)).astype(np.int64)


def has_multiple_modes(values: Floats) -> bool:
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


def _distinct(known: Floats | None, values: Floats) -> Floats | None:
    """Return the distinct values so far, None when there are more than categories may have."""
    if known is None or len(np.unique(values[:1000])) > CATEGORY_LIMIT:
        return None
    found = np.union1d(known, values)
    return found if len(found) <= CATEGORY_LIMIT else None
