"""How long the last value of a sensor stands in for one that is missing.

A sensor that reports on change, or once an hour, still has the value that it had last. One that reports with
every row and is then silent for hours has none: its last value would be learned, and scored, as that of a
sensor that stands still. So a value stands in for as long as its sensor usually pauses.

Longer pauses are no failures where they come again and again, as at night, nor where the sensor is found
where it was, as a closed valve that is written on change. There a value stands in without limit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.ingest.timestamps import Times

Floats = NDArray[np.float64]
FillLimits = Mapping[str, np.timedelta64]
"""How long the last value of a sensor stands in; for sensors that are not named without limit."""

USUAL_PAUSE = 0.99
"""Share of the pauses of a sensor that are no longer than its usual ones."""
PAUSES = 2
"""A value stands in for so many times the longest usual pause."""
ENOUGH_PAUSES = 100
"""With fewer, nobody knows what is usual."""
AGAIN = np.timedelta64(2, "D")
"""Longer pauses are no failures if one follows another within this time, on average."""
QUIET_SHARE = 0.1
"""Nor are they, from this share of the time on, if the sensor is mostly found where it was."""
STAYED = 0.1
"""Part of its interquartile range by which a sensor may have moved to be found where it was."""
_SAMPLE_PAUSES = 20_000
"""Of long data, about so many are looked at, evenly spaced."""


@dataclass(frozen=True, slots=True)
class LastValue:
    """A value and the time of the row it was last seen in, as `datetime64[us]` in UTC."""

    value: float
    time: np.datetime64


def usual_limit(column: Floats, times: Times) -> np.timedelta64 | None:
    """Return how long a value of a sensor stands in; None for no limit.

    Args:
        column: values of the rows, NaN where there is none.
        times: of the rows.

    """
    reports = np.flatnonzero(np.isfinite(column))
    pauses = np.diff(times[reports])
    if len(pauses) < ENOUGH_PAUSES:
        return None
    some = pauses[:: max(1, len(pauses) // _SAMPLE_PAUSES)].view(np.int64)
    usual = np.quantile(some, USUAL_PAUSE, method="higher").astype("timedelta64[us]")
    limit: np.timedelta64 = PAUSES * usual
    longer = np.flatnonzero((pauses > limit) & (np.diff(reports) > 1))  # others have rows meanwhile
    whole = times[-1] - times[0]
    if (len(longer) - 1) * AGAIN > whole or _stays(column[reports], longer, pauses[longer].sum() / whole):
        return None
    return limit


def _stays(values: Floats, longer: NDArray[np.intp], share: float) -> bool:
    """Return whether a sensor is mostly found where it was, after longer pauses of a share of the time."""
    if share < QUIET_SHARE:
        return False
    low, high = np.quantile(values, (0.25, 0.75))
    return bool(np.median(np.abs(values[longer + 1] - values[longer])) <= STAYED * (high - low))


@dataclass(frozen=True, slots=True)
class FilledColumn:
    """The values of a sensor, each filled forward.

    Attributes:
        values: with the last value wherever one is missing, shape (rows,); NaN before the first.
        age: how old each is, shape (rows,); None where every row has its own.

    """

    values: Floats
    age: NDArray[np.timedelta64] | None

    @classmethod
    def of(cls, column: Floats, times: Times, before: LastValue | None) -> Self:
        """Fill a column forward, in place.

        Args:
            column: values of the rows, NaN where there is none.
            times: of the rows.
            before: the last value before the rows, if any.

        """
        known = np.isfinite(column)
        if known.all():
            return cls(column, None)
        last = np.maximum.accumulate(np.where(known, np.arange(len(column)), -1))
        seen = times[np.maximum(last, 0)]
        column[:] = column[np.maximum(last, 0)]
        leading = last < 0
        column[leading] = np.nan if before is None else before.value
        seen[leading] = np.datetime64("NaT", "us") if before is None else before.time
        return cls(column, times - seen)

    def within(self, limit: np.timedelta64 | None) -> Floats:
        """Return the values that are no older than a limit, in place; NaN for others."""
        if limit is not None and self.age is not None:
            self.values[self.age > limit] = np.nan
        return self.values
