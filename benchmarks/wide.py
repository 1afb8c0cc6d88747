"""Wide data of any length, made block by block: twenty slow drivers behind all sensors, noise, and drift."""

from collections.abc import Iterator
from typing import cast

import numpy as np
from numpy.typing import NDArray

from engine import Frame

STEP = np.timedelta64(60, "s")
START = np.datetime64("2025-01-01", "us")
BLOCK = 10_000
_DRIVERS = 20
_WALK = 5.0
"""How far a drifting sensor walks over all rows (standard deviation); noise has 0.5."""


def wide_rows(rows: int, columns: range, *, drift: bool = False) -> Iterator[NDArray[np.float32]]:
    """Yield the rows of some columns in blocks; the drivers are the same for all columns.

    With `drift` every sensor walks at random, on its own.
    """
    count = len(columns)
    mixing = np.random.default_rng([0, columns.start]).normal(size=(_DRIVERS, count)).astype(np.float32)
    own = np.random.default_rng([1, columns.start])
    level = np.zeros(count, np.float32)
    for start in range(0, rows, BLOCK):
        size = min(BLOCK, rows - start)
        shared = np.random.default_rng([2, start])
        path = shared.normal(size=(size, _DRIVERS)).cumsum(axis=0)
        drivers: NDArray[np.float32] = path.astype(np.float32) * np.float32(0.02)
        block = drivers @ mixing
        block += np.float32(0.5) * own.standard_normal((size, count), np.float32)
        if drift:
            steps = own.standard_normal((size, count), np.float32) * np.float32(_WALK / np.sqrt(rows))
            walk = level + steps.cumsum(axis=0)
            block += walk
            level = walk[-1]
        yield block


def wide_frame(rows: int, sensors: int, *, drift: bool = False) -> Frame:
    """Return a float32 frame of such rows, one a minute."""
    values = np.empty((rows, sensors), np.float32)
    for at, block in enumerate(wide_rows(rows, range(sensors), drift=drift)):
        values[at * BLOCK : at * BLOCK + len(block)] = block
    return Frame(
        times=START + np.arange(rows) * STEP,
        values=cast("NDArray[np.float64]", values),  # which may be float32, as those of large data are
        sensors=tuple(f"c\\s{at}" for at in range(sensors)),
        off=np.zeros(rows, bool),
        step=STEP,
    )
