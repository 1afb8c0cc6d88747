"""Scoring a long frame part by part, so that nobody has to hold the contributions of all its rows."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from engine.detector import Detector
from engine.frame import Frame
from engine.scores import Scores

PART_ROWS = 65_536


def score_in_parts(detector: Detector, frame: Frame, *, rows: int = PART_ROWS) -> Iterator[Scores]:
    """Yield the scores of consecutive parts of a frame, each continuing from the one before."""
    state = None
    for start in range(0, len(frame.times), rows):
        scores = detector.score(frame.part(start, start + rows), state=state)
        state = scores.state
        yield scores


def joined(parts: Iterable[Scores], frame: Frame) -> Scores:
    """Return the scores of the whole frame out of those of its parts.

    Only anomalous rows keep their contributions: the other rows have zeros, which take no memory.
    """
    kept = np.zeros((len(frame.times), len(frame.sensors)), np.float32)
    thin, rows = [], 0
    for part in parts:
        anomalous = np.flatnonzero(part.prediction)
        kept[rows + anomalous] = part.contributions[anomalous]
        rows += len(part.times)
        thin.append(replace(part, contributions=part.contributions[:0]))
    return replace(
        thin[-1],
        times=frame.times,
        off=frame.off,
        score=np.concatenate([part.score for part in thin]),
        prediction=np.concatenate([part.prediction for part in thin]),
        contributions=kept,
        notices=tuple(dict.fromkeys(notice for part in thin for notice in part.notices)),
    )
