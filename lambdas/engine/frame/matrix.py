"""Put columns side by side in one array of rows, as float32 where large data loses nothing by it."""

import numpy as np
from numpy.typing import NDArray

from engine.frame.scaling import robust_spread

Floats = NDArray[np.float64]

FLOAT64_VALUES = 2**27
"""Up to this many values (1 GiB) are always kept as float64."""
_MAX_ROUNDING = 1e-3
"""The most by which float32 may round a value, as a share of its sensor's scale."""
_SAMPLE_ROWS = 100_000
_COLUMNS_AT_ONCE = 16
_PENDING_VALUES = 2**25


class TooLarge(ValueError):  # noqa: N818 - named like NoData
    """A frame that needs more memory than it may take.

    Attributes:
        rows: Number of rows.
        sensors: Number of columns.
        size: Bytes needed.
    """

    def __init__(self, rows: int, sensors: int, size: int) -> None:
        super().__init__(f"{rows:,} rows x {sensors:,} sensors take {size:,} bytes")
        self.rows, self.sensors, self.size = rows, sensors, size


class ColumnMatrix:
    """An array of rows by sensors that is filled column by column, from the left.

    Above 1 GiB it is float32, until a sensor comes that this would round by more than a thousandth of its
    scale, such as a counter at 1e9 that moves by 1,000: then all columns become float64. Up to sixteen
    columns are written together, because writing a column touches every row.

    Args:
        rows: Number of rows.
        sensors: Number of columns.
        max_bytes: The most memory that the array may take; `None` sets no limit.

    Raises:
        TooLarge: When the array takes more than `max_bytes`.
    """

    __slots__ = ("_array", "_max_bytes", "_pending", "_pending_columns", "_written_columns")

    def __init__(self, rows: int, sensors: int, max_bytes: int | None = None) -> None:
        self._max_bytes = max_bytes
        self._array = np.empty((0, sensors))
        self._array = self._allocate(
            rows, sensors, np.float32 if rows * sensors > FLOAT64_VALUES else np.float64
        )
        at_once = min(_COLUMNS_AT_ONCE, sensors, max(1, _PENDING_VALUES // max(1, rows)))
        self._pending = np.empty((at_once, rows))
        self._written_columns = self._pending_columns = 0

    def append(self, column: Floats) -> None:
        """Append a copy of the next sensor's values.

        Args:
            column: One value per row, NaN where there is none.

        Raises:
            TooLarge: When the array has to become float64 and then takes more than `max_bytes`.
        """
        if self._pending_columns == len(self._pending):
            self._flush()
        self._pending[self._pending_columns] = column
        self._pending_columns += 1

    def array(self) -> Floats:
        """Return the array, after the last column was appended."""
        self._flush()
        return self._array

    def _flush(self) -> None:
        columns = self._pending[: self._pending_columns]
        if self._array.dtype == np.float32 and not all(_fits_float32(column) for column in columns):
            rows, sensors = self._array.shape
            wide = self._allocate(rows, sensors, np.float64)
            wide[:, : self._written_columns] = self._array[:, : self._written_columns]
            self._array = wide
        self._array[:, self._written_columns : self._written_columns + self._pending_columns] = columns.T
        self._written_columns += self._pending_columns
        self._pending_columns = 0

    def _allocate(self, rows: int, sensors: int, dtype: type[np.floating]) -> Floats:
        size = rows * sensors * np.dtype(dtype).itemsize + self._array.nbytes
        if self._max_bytes is not None and size > self._max_bytes:
            raise TooLarge(rows, sensors, size)
        return np.empty((rows, sensors), dtype)


def _fits_float32(column: Floats) -> bool:
    """Return whether float32 rounds the column little enough; one that never moves has nothing to lose."""
    column = column[np.isfinite(column)]
    largest = float(np.abs(column).max())
    if largest > float(np.finfo(np.float32).max):
        return False
    *_, scale = robust_spread(column[None, :: max(1, len(column) // _SAMPLE_ROWS)])
    return not scale[0] or bool(largest * np.finfo(np.float32).eps / 2 <= _MAX_ROUNDING * scale[0])
