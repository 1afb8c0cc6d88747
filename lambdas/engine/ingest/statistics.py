"""Statistics of the sensors of an ingested component, by which a user judges their data."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.ingest.timestamps import Times, isoformat

Floats = NDArray[np.float64]

Monotonicity = Literal["INCREASING", "DECREASING", "STATIC"]

_MAX_CATEGORIES = 10
_LARGE_GAP_DAYS = 30
_SHORT_SPAN_DAYS = 14
_DAY = np.timedelta64(86_400_000_000, "us")
_STATIC_RANGE = 1e-9
_MODE_BINS = 48
_MIN_MODE_SHARE = 0.1
_MAX_VALLEY = 0.35
_SAMPLE_SIZE = 8_192
_STAND_INS = frozenset(
    {-999.0, -999.25, -9999.0, -99999.0, -999999.0}
    | {2.0**bits - 1 for bits in (15, 16, 31, 32)}
    | {-(2.0**bits) for bits in (15, 31)}
)
_ABSURD = 1e30
"""What historians and loggers write where they have no value: these numbers, or some beyond this size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorStatistics:
    """Statistics of one sensor of a component.

    Attributes:
        sensor: Name of the sensor within its component.
        data_exists: Whether it has any value.
        missing: Number of cells that are empty or a spelling of NaN.
        invalid: Number of cells that are not numbers.
        invalid_dates: Rows of the component that were dropped for an unreadable timestamp.
        duplicates: Rows of the component that were dropped for a repeated timestamp.
        rows: Rows of the component with a readable timestamp, before duplicates were dropped.
        categories: Number of distinct values, `None` when there are more than ten or none.
        multiple_modes: Whether the values fall into several operating modes.
        large_gaps: Number of gaps above 30 days between values.
        max_gap_days: The longest gap in whole days.
        monotonicity: Whether the values only rise, only fall or stay the same; `None` otherwise.
        start: Timestamp of the first value, ISO 8601 in UTC with microseconds; `None` without values.
        end: Timestamp of the last value, likewise.
        short_span: Whether `start` and `end` are less than 14 days apart.
        stand_in: A number that likely stands for a missing value, and how many cells have it; `None` without.
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
    stand_in: tuple[float, int] | None = None


class RunningStatistics:
    """Statistics of one sensor, computed from its values piece by piece in order of time.

    All are exact but one: above 16,384 values, operating modes are found in a sample of at least 8,192, one
    of each run of neighbours. How the column is cut into pieces does not change the result.
    """

    def __init__(self) -> None:
        self._start: np.datetime64 | None = None
        self._end: np.datetime64 | None = None
        self._large_gaps, self._longest = 0, np.timedelta64(0, "us")
        self._low, self._high, self._last, self._count = np.inf, -np.inf, np.nan, 0
        self._rises = self._falls = False
        self._distinct: Floats | None = np.zeros(0)
        self._sample = _Sample()
        self._stand_ins: Counter[float] = Counter()

    def add(self, times: Times, values: Floats) -> None:
        """Add values later than all before.

        Args:
            times: Their timestamps, increasing.
            values: As many values, NaN or infinite where there is none.
        """
        valid = np.isfinite(values)
        if not valid.all():
            times, values = times[valid], values[valid]
        if not len(values):
            return
        self._measure_gaps(times)
        low, high = values.min(), values.max()
        self._low, self._high = min(self._low, low), max(self._high, high)
        for extreme in {float(low), float(high)}:
            if extreme in _STAND_INS or abs(extreme) >= _ABSURD:
                self._stand_ins[extreme] += int(np.count_nonzero(values == extreme))
        if not (self._rises and self._falls):
            before = np.append(self._last if self._count else values[0], values[:-1])
            self._rises |= bool((values > before).any())
            self._falls |= bool((values < before).any())
        self._last, self._count = values[-1], self._count + len(values)
        self._distinct = _distinct(self._distinct, values)
        self._sample.add(values)

    def statistics(
        self, sensor: str, *, missing: int, invalid: int, invalid_dates: int, duplicates: int, rows: int
    ) -> SensorStatistics:
        """Return the statistics of all values added.

        Args:
            sensor: Name of the sensor.
            missing: Count to report, as the other counts, which only those who read the files know.
            invalid: Count to report.
            invalid_dates: Count to report.
            duplicates: Count to report.
            rows: Count to report.
        """
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
            multiple_modes=_has_multiple_modes(self._sample.values()),
            large_gaps=self._large_gaps,
            max_gap_days=int(self._longest // _DAY),
            monotonicity=self._monotonicity(),
            start=isoformat(self._start),
            end=isoformat(self._end),
            short_span=span is None or bool(span < _SHORT_SPAN_DAYS * _DAY),
            stand_in=self._stand_in(),
        )

    def _stand_in(self) -> tuple[float, int] | None:
        """Return the most frequent stand-in that occurs more than once, beside other values."""
        value, count = max(self._stand_ins.items(), key=lambda item: item[1], default=(0.0, 0))
        return (value, count) if 1 < count < self._count else None

    def _measure_gaps(self, times: Times) -> None:
        gaps = np.diff(times, prepend=times[:1] if self._end is None else self._end)
        self._large_gaps += int(np.count_nonzero(gaps > _LARGE_GAP_DAYS * _DAY))
        self._longest = max(self._longest, gaps.max())
        self._start, self._end = times[0] if self._start is None else self._start, times[-1]

    def _monotonicity(self) -> Monotonicity | None:
        if self._count < 2:
            return None
        scale = max(abs(self._low), abs(self._high), np.finfo(float).tiny)
        if self._high / scale - self._low / scale < _STATIC_RANGE or self._high == self._low:
            return "STATIC"
        if self._rises and self._falls:
            return None
        return "INCREASING" if self._rises else "DECREASING"


class _Sample:
    """A sample of a column: one value of each run of `stride` neighbours.

    The stride is doubled as the column grows. Which neighbour is drawn depends on a hash of the place of the
    run, so that the sample cannot fall in step with a cycle of the machine.
    """

    def __init__(self) -> None:
        self._kept: list[Floats] = []
        self._seen, self._stride = 0, 1

    def add(self, values: Floats) -> None:
        while len(values):
            full = 2 * _SAMPLE_SIZE * self._stride
            piece, values = values[: full - self._seen], values[full - self._seen :]
            runs = np.arange(self._seen // self._stride, (self._seen + len(piece) - 1) // self._stride + 1)
            at = runs * self._stride + _hashed(runs, self._stride) - self._seen
            self._kept.append(piece[at[(at >= 0) & (at < len(piece))]])
            self._seen += len(piece)
            if self._seen == full:
                pairs = self.values().reshape(-1, 2)
                self._kept = [pairs[np.arange(_SAMPLE_SIZE), _hashed(np.arange(_SAMPLE_SIZE), 2)]]
                self._stride *= 2

    def values(self) -> Floats:
        return np.concatenate(self._kept) if self._kept else np.zeros(0)


def _hashed(places: NDArray[np.int64], below: int) -> NDArray[np.int64]:
    """Return a pseudo-random number below a limit for each place, always the same."""
    mixed = places.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return ((mixed >> np.uint64(33)) % np.uint64(below)).astype(np.int64)


def _has_multiple_modes(values: Floats) -> bool:
    """Return whether the histogram has two peaks with a clear valley between them.

    The parts on both sides of the valley hold at least a tenth of the values each, and the valley is below
    35 % of the lower peak.
    """
    if len(values) < 4 * _MODE_BINS:
        return False
    largest = np.abs(values).max()
    if not largest >= np.finfo(float).tiny:
        return False
    values = values / largest  # so that no difference overflows
    low, high = np.quantile(values, (0.005, 0.995))
    if not high - low > _MODE_BINS * np.finfo(float).eps * max(abs(low), abs(high)):
        return False  # as good as constant: the bins would be narrower than the distance of two numbers
    counts, _ = np.histogram(values, bins=_MODE_BINS, range=(low, high))
    smoothed = np.convolve(counts, (0.25, 0.5, 0.25), mode="same")
    share = np.cumsum(counts) / max(1, counts.sum())
    left, right = np.maximum.accumulate(smoothed), np.maximum.accumulate(smoothed[::-1])[::-1]
    eligible = (share > _MIN_MODE_SHARE) & (share < 1 - _MIN_MODE_SHARE)
    return bool(np.any(eligible & (smoothed < _MAX_VALLEY * np.minimum(left, right))))


def _distinct(known: Floats | None, values: Floats) -> Floats | None:
    """Return the distinct values so far, `None` when they are too many for categories."""
    if known is None or len(np.unique(values[:1000])) > _MAX_CATEGORIES:
        return None
    found = np.union1d(known, values)
    return found if len(found) <= _MAX_CATEGORIES else None
