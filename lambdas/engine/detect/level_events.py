"""Levels that stop counting as an anomaly, as events: nothing is taken over silently.

The fast views stop counting a residual that stays away for hours (`engine.detect.level_shift`). As long as an
alarm is on, nothing is lost by that. Where none is, the level has moved, and that is an event of its own,
once each time a level moves.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engine.frame.frame import SensorId
from engine.ingest.timestamps import Times

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MOVED_SHARE = 0.5
"""A level has moved where more than this much of it does not count."""
NOT_AWAY = np.datetime64("NaT", "us")
"""Since when a level is away that counts; numpy 2.5 warns of a time without a unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelMoved:
    """A level that no longer counts as an anomaly.

    Attributes:
        sensor: the sensor.
        since: when its level stopped counting.
        expected: about what the other sensors say that it should read, in its own unit.
        reads: about what it reads instead.

    """

    sensor: SensorId
    since: np.datetime64
    expected: float
    reads: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedLevels:
    """Which levels do not count in consecutive rows.

    Attributes:
        uncounted: where a level does not count, shape (rows, sensors).
        away: by how much it is away on the newest rows, in scales, shape (sensors,); 0 where it is back.

    """

    uncounted: Mask
    away: Floats


@dataclass(slots=True, kw_only=True)
class LevelMemory:
    """When each level stopped counting (NaT: it counts), and whether that was told."""

    since: Times
    told: Mask

    @classmethod
    def start(cls, sensors: int) -> Self:
        """Return the memory before the first row."""
        return cls(since=np.full(sensors, NOT_AWAY), told=np.zeros(sensors, bool))

    def follow(self, times: Times, moved: MovedLevels | None) -> None:
        """Move behind consecutive rows; None where all levels count."""
        if moved is None:
            self.since[:], self.told[:] = NOT_AWAY, False
            return
        away = moved.uncounted[-1]
        self.since[~away], self.told[~away] = NOT_AWAY, False
        for at in np.flatnonzero(away & np.isnat(self.since)):
            counted = np.flatnonzero(~moved.uncounted[:, at])
            self.since[at] = times[counted[-1] + 1 if len(counted) else 0]

    def untold(self, moved: MovedLevels) -> NDArray[np.intp]:
        """Return the sensors whose level is away and was not told yet, and mark them as told."""
        found = np.flatnonzero(~np.isnat(self.since) & ~self.told & (moved.away != 0))
        self.told[found] = True
        return found
