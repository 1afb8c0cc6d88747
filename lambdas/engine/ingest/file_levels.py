"""Between which values the sensors of a file mostly are, from a sample of its rows."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_ROWS = 256
"""Rows of a sample, at most; of a longer file at least half as many."""
_FEWEST_VALUES = 30
"""Values that show between which a sensor is, at least."""
_SHARES = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
_STORED = np.dtype("<f4")
_GOLDEN, _ALL = np.uint32(0x9E3779B1), (1 << 32) - 1
"""Multiples of the golden ratio, modulo 1, are spread evenly and are in step with no cycle of the machine."""

Levels = NDArray[np.float64]
"""Five values of a sensor: 5, 25, 50, 75 and 95 % of its values are no higher."""
UNKNOWN: Levels = np.full(len(_SHARES), np.nan)
_DEVIATION = 0.25
"""Share of the wider of two ranges by which levels that are alike may differ."""
_ALIKE = 0.5
"""Share of it that the other range takes, at least."""


def alike(levels: Levels, others: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which other levels may be those of the same sensor at another time.

    Args:
        levels: Levels of a sensor. Those of a constant are like no others, and so are unknown ones.
        others: A row of levels for each of some others.
    """
    widths = others[:, -1] - others[:, 0], levels[-1] - levels[0]
    narrow, wide = np.minimum(*widths), np.maximum(*widths)
    far = abs(others - levels).max(axis=1)
    found: NDArray[np.bool_] = (narrow >= _ALIKE * wide) & (wide > 0) & (far <= _DEVIATION * wide)
    return found


def levels_of_columns(columns: Sequence[str], text: str) -> dict[str, Levels]:
    """Return the levels of the sensors that have enough values, by name.

    Args:
        columns: All sensors that were written.
        text: Their levels, as `RowSample.levels` returns them.
    """
    table = np.frombuffer(base64.b64decode(text), _STORED).reshape(-1, len(_SHARES)).astype(float)
    known = np.isfinite(table).all(axis=1).tolist()
    return {name: levels for name, levels, told in zip(columns, table, known, strict=False) if told}


@dataclass(slots=True)
class RowSample:
    """A sample of the rows of one file. The places of its rows decide which are in it."""

    _places: list[NDArray[np.uint32]] = field(default_factory=list)
    _values: list[NDArray[np.float64]] = field(default_factory=list)
    _seen: int = 0
    _halvings: int = 0

    def add(self, table: Any) -> None:
        """Add the next rows of the file: an Arrow table, the timestamps first."""
        places = np.arange(self._seen, self._seen + table.num_rows).astype(np.uint32)
        self._seen += table.num_rows
        before = self._halvings
        while self._seen >> self._halvings > _MOST_ROWS:
            self._halvings += 1
        if self._halvings > before:
            chosen = [self._chosen(each) for each in self._places]
            self._places = [each[at] for each, at in zip(self._places, chosen, strict=True)]
            self._values = [each[:, at] for each, at in zip(self._values, chosen, strict=True)]
        at = self._chosen(places)
        self._places.append(places[at])
        values = [column.to_numpy()[at] for column in table.columns[1:]]
        self._values.append(np.array(values).reshape(len(values), len(at)))

    def levels(self) -> str:
        """Return the levels of all sensors as a short text: many files have many; empty for few rows."""
        if self._seen < _FEWEST_VALUES:
            return ""
        values = np.sort(np.concatenate(self._values, axis=1), axis=1)
        counts = np.count_nonzero(~np.isnan(values), axis=1)  # the others are at the end
        at = np.rint(_SHARES * np.maximum(counts - 1, 0)[:, None]).astype(np.intp)
        levels = np.take_along_axis(values, at, axis=1)
        levels[counts < _FEWEST_VALUES] = np.nan
        with np.errstate(over="ignore"):  # no sensor has such values
            return base64.b64encode(levels.astype(_STORED).tobytes()).decode()

    def _chosen(self, places: NDArray[np.uint32]) -> NDArray[np.intp]:
        """Return which rows are in the sample."""
        return np.flatnonzero(places * _GOLDEN <= _ALL >> self._halvings)
