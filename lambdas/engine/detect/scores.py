"""The result of scoring a frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.detect.notices import Notice
from engine.ingest.timestamps import Times


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """One result per row.

    ``score`` lies in 0..1 with five decimals; ``prediction`` is 1 exactly where it is above 0.5 and the
    machine is on. ``contributions`` has one column per sensor, rows sum to one. ``state`` continues the
    scoring in the next window. ``notices`` say what was noticed about the rows scored. ``moved`` is per
    sensor the share of the rows on which its level counted as moved for good: near 1, retraining is due.
    """

    times: Times
    off: NDArray[np.bool_]
    score: NDArray[np.float64]
    prediction: NDArray[np.int8]
    contributions: NDArray[np.float32]
    state: bytes
    notices: tuple[Notice, ...] = ()
    moved: NDArray[np.float64] | None = None
