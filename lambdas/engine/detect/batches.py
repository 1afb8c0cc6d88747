"""Scoring a long frame part by part, so that nobody has to hold the contributions of all its rows."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.detect.detector import Detector
from engine.detect.scores import Scores
from engine.frame.frame import Frame


def score_in_parts(detector: Detector, frame: Frame, *, rows: int) -> Iterator[Scores]:
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
        moved=_moved(thin),
        times=frame.times,
        off=frame.off,
        score=np.concatenate([part.score for part in thin]),
        prediction=np.concatenate([part.prediction for part in thin]),
        contributions=kept,
        notices=tuple(dict.fromkeys(notice for part in thin for notice in part.notices)),
    )


def _moved(parts: Sequence[Scores]) -> NDArray[np.float64] | None:
    """Return the share of rows with a moved level over all parts, None where one does not know it."""
    known = [(part.moved, int((~part.off).sum())) for part in parts if part.moved is not None]
    if len(known) < len(parts):
        return None
    total: NDArray[np.float64] = np.sum([moved * rows for moved, rows in known], axis=0)
    return total / max(1, sum(rows for _, rows in known))
