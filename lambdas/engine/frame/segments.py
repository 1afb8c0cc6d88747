"""Cut a frame into runs of rows that belong together, before features look back in time."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from engine.ingest.timestamps import Times

CHUNK_ROWS = 1024
"""Most rows in a run."""


def segments(
    times: Times, off: NDArray[np.bool_], gap: np.timedelta64, last: np.datetime64 | None
) -> Iterator[tuple[int, int, bool]]:
    """Yield the runs of rows in which the machine is on, at most 1,024 rows each.

    Args:
        times: UTC instants of the rows, increasing.
        off: For each row, whether the machine is off.
        gap: Time without a row after which a run ends.
        last: Time of the last row before the frame with the machine on, `None` when there is none.

    Returns:
        For each run its first row, the row after its last, and whether it is fresh. A fresh run does not
        continue the rows before it: the machine was off in between, or rows are missing for longer.
    """
    on = (~off).nonzero()[0]  # np.flatnonzero and np.diff take longer for few rows
    if not len(on):
        return
    instants = times[on]
    apart = (on[1:] - on[:-1] > 1) | (instants[1:] - instants[:-1] > gap)
    starts = np.append(0, apart.nonzero()[0] + 1)
    stops = np.append(starts[1:], len(on))
    for start, stop in zip(on[starts], on[stops - 1] + 1, strict=True):
        continues = start == 0 and last is not None and times[0] - last <= gap
        for at in range(start, stop, CHUNK_ROWS):
            yield int(at), int(min(at + CHUNK_ROWS, stop)), at == start and not continues
