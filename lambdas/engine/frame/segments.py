"""Cutting a frame into runs of rows that belong together, before features look back in time."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from engine.ingest.timestamps import Times

CHUNK = 1024
GAP_STEPS = 60


def segments(
    times: Times, off: NDArray[np.bool_], step: np.timedelta64, last: np.datetime64 | None
) -> Iterator[tuple[int, int, bool]]:
    """Yield (start, stop, fresh) of the runs of on rows, at most CHUNK rows each.

    ``fresh`` says that the run does not continue the rows before it: the machine was off in between, or the
    gap is longer than GAP_STEPS steps. ``last`` is the time of the on row before the frame, None when there
    is none.
    """
    on = np.flatnonzero(~off)
    if not len(on):
        return
    gap = GAP_STEPS * step
    apart = (np.diff(on) > 1) | (np.diff(times[on]) > gap)
    starts = np.append(0, np.flatnonzero(apart) + 1)
    stops = np.append(starts[1:], len(on))
    for start, stop in zip(on[starts], on[stops - 1] + 1, strict=True):
        continues = start == 0 and last is not None and times[0] - last <= gap
        for at in range(start, stop, CHUNK):
            yield int(at), int(min(at + CHUNK, stop)), at == start and not continues
