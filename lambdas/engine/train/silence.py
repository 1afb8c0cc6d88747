"""Training rows on which a sensor is silent: before there is a model, only its last value can stand in."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from engine.detect.features import LONGEST_MEMORY
from engine.detect.notices import SILENT_ROWS
from engine.frame.frame import Frame, SensorId
from engine.train.cleaning import MAX_SHARE
from engine.train.row_runs import longest_stretches, with_margin
from engine.train.sampling import LEAST_ROWS

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_BLOCK_ROWS = 4096


def without_silent(frame: Frame, normal: Mask) -> Mask:
    """Return the normal rows without those on which a sensor is silent, with a margin of 30 rows.

    A sensor is silent on rows that end a stretch of at least 20 rows without a value. All normal rows are
    returned if less than 35 % of them or fewer than 1,250 would be left.

    Args:
        frame: the training rows.
        normal: mask of the rows that may be learned, shape (rows,).

    """
    return _without(_silent(frame.values), normal)


def _without(silent: Mask, normal: Mask) -> Mask:
    kept = normal & ~with_margin(silent & normal, LONGEST_MEMORY)
    return kept if kept.sum() >= max(LEAST_ROWS, MAX_SHARE * normal.sum()) else normal


def _silent(values: Floats) -> Mask:
    """Mark the rows on which some sensor has had no value for SILENT_ROWS rows, this one included."""
    result = np.zeros(len(values), bool)
    for start in range(SILENT_ROWS - 1, len(values), _BLOCK_ROWS):
        missing = np.isnan(values[start - SILENT_ROWS + 1 : start + _BLOCK_ROWS])
        missing = missing[:, missing.sum(axis=0) >= SILENT_ROWS]
        windows = sliding_window_view(missing, SILENT_ROWS, axis=0)
        result[start : start + _BLOCK_ROWS] = np.any(np.all(windows, axis=-1), axis=1)
    return result


def _missing(values: Floats, on: Mask) -> NDArray[np.int64]:
    """Return on how many of the marked rows each sensor has no value."""
    result = np.zeros(values.shape[1], np.int64)
    for start in range(0, len(values), _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        result += np.isnan(values[rows])[on[rows]].sum(axis=0)
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What silent sensors mean for a training.

    Attributes:
        share: of the rows with the machine on that are not learned, as a sensor is silent there; 0 if these
            were so many that all are learned.
        sensor: the one without values on most rows.
        first, last: the first and the last row of its longest stretch without one.

    """

    share: float
    sensor: SensorId
    first: np.datetime64
    last: np.datetime64

    @classmethod
    def of(cls, frame: Frame) -> Self | None:
        """Return it; None where no sensor is silent.

        Args:
            frame: the training rows.

        """
        silent, on = _silent(frame.values), ~frame.off
        if not (silent & on).any():
            return None
        kept = _without(silent, on)
        worst = int(np.argmax(_missing(frame.values, on)))
        ((first, last),) = longest_stretches(
            frame.times, np.isnan(frame.values[:, worst]) & on, gap=1, most=1
        )
        return cls(
            share=1 - float(kept.sum() / on.sum()), sensor=frame.sensors[worst], first=first, last=last
        )
