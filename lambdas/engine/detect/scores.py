"""The result of scoring a frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.detect.level_events import LevelMoved
from engine.detect.notices import Notice
from engine.ingest.timestamps import Times


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """One result per row.

    Attributes:
        times: time of each row, shape (rows,).
        off: rows with the machine off, shape (rows,).
        score: 0 to 1 with five decimals, shape (rows,).
        prediction: 1 where the score is above 0.5 and the machine is on, else 0, shape (rows,).
        contributions: share of each sensor in the score, shape (rows, sensors); rows sum to one.
        state: bytes from which the next window continues.
        notices: what was noticed about the rows.
        moved: share of the rows on which the level of each sensor counted as moved for good, shape
            (sensors,): near 1, retraining is due. None where it is unknown.
        level_events: levels that stopped counting as an anomaly.

    """

    times: Times
    off: NDArray[np.bool_]
    score: NDArray[np.float64]
    prediction: NDArray[np.int8]
    contributions: NDArray[np.float32]
    state: bytes
    notices: tuple[Notice, ...] = ()
    moved: NDArray[np.float64] | None = None
    level_events: tuple[LevelMoved, ...] = ()
