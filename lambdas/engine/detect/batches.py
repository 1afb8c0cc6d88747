"""Scoring a long frame in batches, so that the contributions of all its rows are never in memory at once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.detect.detector import Detector
from engine.detect.scores import Scores
from engine.frame.frame import Frame


def score_in_batches(detector: Detector, frame: Frame, *, rows: int) -> Iterator[Scores]:
    """Yield the scores of consecutive batches of a frame, each continuing from the one before.

    Args:
        detector: the detector.
        frame: the rows to score.
        rows: rows of a batch.

    """
    state = None
    for start in range(0, len(frame.times), rows):
        scores = detector.score(frame.part(start, start + rows), state=state)
        state = scores.state
        yield scores


def join_batches(batches: Iterable[Scores], frame: Frame) -> Scores:
    """Return the scores of the whole frame from those of its batches.

    Only anomalous rows keep their contributions; all other rows have zeros, for which the operating system
    allots no memory.

    Args:
        batches: scores of consecutive rows, as `score_in_batches` yields them.
        frame: all rows.

    """
    kept = np.zeros((len(frame.times), len(frame.sensors)), np.float32)
    thin, rows = [], 0
    for batch in batches:
        anomalous = np.flatnonzero(batch.prediction)
        kept[rows + anomalous] = batch.contributions[anomalous]
        rows += len(batch.times)
        thin.append(replace(batch, contributions=batch.contributions[:0]))
    return replace(
        thin[-1],
        moved=_moved(thin),
        times=frame.times,
        off=frame.off,
        score=np.concatenate([batch.score for batch in thin]),
        prediction=np.concatenate([batch.prediction for batch in thin]),
        contributions=kept,
        level_events=tuple(event for batch in thin for event in batch.level_events),
        notices=tuple(dict.fromkeys(notice for batch in thin for notice in batch.notices)),
    )


def _moved(batches: Sequence[Scores]) -> NDArray[np.float64] | None:
    """Return the share of rows with a moved level over all batches; None where it is unknown for one."""
    known = [(batch.moved, int((~batch.off).sum())) for batch in batches if batch.moved is not None]
    if len(known) < len(batches):
        return None
    total: NDArray[np.float64] = np.sum([moved * rows for moved, rows in known], axis=0)
    return total / max(1, sum(rows for _, rows in known))
