"""The slow baseline that the tracked views look over, and when it follows slowly.

Drift does not take a sensor farther from its baseline than half of its training range. Where a sensor is
farther away, it jumped: the baseline follows at a twentieth of its usual speed, so that a large fault stays
visible. On the way back to the middle of training it follows at full speed.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.detect.ramp import ramp
from engine.detect.smoothing import ewma

Floats = NDArray[np.float64]

BEYOND_REACH = (1.0, 1.5)
"""Distance from the baseline, in half training ranges, from which it follows slower, and at SLOW_SPEED."""
SLOW_SPEED = 0.05
"""Share of the usual speed at which a level that looks like a fault is taken over as the new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The slow level of each scaled sensor: an exponentially weighted mean.

    Attributes:
        span: span of the mean in rows; 0 for no baseline.
        level: the mean at the end of training, shape (sensors,). Scoring of later rows without a state starts
            from it.
        end: the end of training.
        reach: half of the training range of each scaled sensor, shape (sensors,); infinite where it is
            unknown, and while training itself follows the baseline.

    """

    span: int
    level: Floats
    end: np.datetime64
    reach: Floats

    @classmethod
    def of(cls, span: int, sensors: int) -> Self:
        """Return a baseline of this span whose level and reach are still unknown."""
        unknown = np.datetime64("NaT", "us")
        return cls(span=span, level=np.zeros(sensors), end=unknown, reach=np.full(sensors, np.inf))

    def follow(self, scaled: Floats, before: Floats) -> tuple[Floats, Floats]:
        """Follow consecutive rows.

        Args:
            scaled: scaled values without gaps, shape (rows, sensors).
            before: the baseline before the rows, shape (sensors,).

        Returns:
            The baseline after each row, shape (rows, sensors), and the share of the usual speed at which its
            slowest sensor moves at each row, shape (rows,).

        """
        level = ewma(scaled, before, self.span)
        speed = np.ones(len(scaled))
        previous = np.concatenate([before[None], level[:-1]])
        gap = scaled - previous
        beyond = np.abs(gap, out=gap) > BEYOND_REACH[0] * self.reach
        jumped = beyond.any(axis=0)
        if jumped.any():
            first = int(beyond.any(axis=1).argmax())
            level[first:, jumped], speed[first:] = self._follow_slowly(
                scaled[first:, jumped], previous[first, jumped], self.reach[jumped]
            )
        return level, speed

    def _follow_slowly(self, scaled: Floats, before: Floats, reach: Floats) -> tuple[Floats, Floats]:
        """Follow sensors of which at least one row lies beyond reach, row after row."""
        level, speed = np.empty_like(scaled), np.empty(len(scaled))
        gain = 2 / (self.span + 1)
        near, far = BEYOND_REACH
        for place, row in enumerate(scaled):
            gap = row - before
            part = np.maximum(ramp(np.abs(gap) / reach, far, near), SLOW_SPEED)
            part[np.abs(row) < np.abs(before)] = 1
            before = before + gain * part * gap
            level[place], speed[place] = before, part.min()
        return level, speed
