"""Columns put side by side into one array of rows, in half the bytes where nothing is lost by it."""

import numpy as np
from numpy.typing import NDArray

from engine.frame.scaling import spread

Floats = NDArray[np.float64]

WIDE_CELLS = 2**27
"""Up to this many values (1 GiB) are kept in float64 whatever they are."""
ROUNDING = 1e-3
"""The most by which float32 may round a value, as a share of its sensor's scale."""
_SAMPLE_ROWS = 100_000
_TOGETHER = 16
_PENDING_CELLS = 2**25


class TooLarge(ValueError):  # noqa: N818 - named like NoData
    """Values that need more memory than there may be: ``rows`` times ``sensors``, ``size`` bytes."""

    def __init__(self, rows: int, sensors: int, size: int) -> None:
        super().__init__(f"{rows:,} rows x {sensors:,} sensors take {size:,} bytes")
        self.rows, self.sensors, self.size = rows, sensors, size


class Columns:
    """One array that is filled column by column, from the left.

    Above 1 GiB it is float32, until a sensor comes that this would round by more than a thousandth of its
    scale, such as a counter at 1e9 that moves by 1,000: then all is float64. Up to sixteen columns are
    written together, because each of them touches every row.
    """

    __slots__ = ("_array", "_done", "_max_bytes", "_pending", "_waiting")

    def __init__(self, rows: int, sensors: int, max_bytes: int | None = None) -> None:
        """Make room. Raises TooLarge when that takes more than ``max_bytes``."""
        self._max_bytes = max_bytes
        self._array = np.empty((0, sensors))
        self._array = self._room(rows, sensors, np.float32 if rows * sensors > WIDE_CELLS else np.float64)
        together = min(_TOGETHER, sensors, max(1, _PENDING_CELLS // max(1, rows)))
        self._pending = np.empty((together, rows))
        self._done = self._waiting = 0

    def append(self, column: Floats) -> None:
        """Write the column of the next sensor; a copy of it is taken."""
        if self._waiting == len(self._pending):
            self._flush()
        self._pending[self._waiting] = column
        self._waiting += 1

    def array(self) -> Floats:
        """Return the rows."""
        self._flush()
        return self._array

    def _flush(self) -> None:
        columns = self._pending[: self._waiting]
        if self._array.dtype == np.float32 and not all(_fits(column) for column in columns):
            rows, sensors = self._array.shape
            wide = self._room(rows, sensors, np.float64)
            wide[:, : self._done] = self._array[:, : self._done]
            self._array = wide
        self._array[:, self._done : self._done + self._waiting] = columns.T
        self._done += self._waiting
        self._waiting = 0

    def _room(self, rows: int, sensors: int, dtype: type[np.floating]) -> Floats:
        size = rows * sensors * np.dtype(dtype).itemsize + self._array.nbytes
        if self._max_bytes is not None and size > self._max_bytes:
            raise TooLarge(rows, sensors, size)
        return np.empty((rows, sensors), dtype)


def _fits(column: Floats) -> bool:
    """Tell whether float32 rounds the column little enough; one that never moves has nothing to lose."""
    column = column[np.isfinite(column)]
    largest = float(np.abs(column).max())
    if largest > float(np.finfo(np.float32).max):
        return False
    *_, scale = spread(column[None, :: max(1, len(column) // _SAMPLE_ROWS)])
    return not scale[0] or bool(largest * np.finfo(np.float32).eps / 2 <= ROUNDING * scale[0])
