"""Scoring a long frame part by part, so that nobody has to hold the contributions of all its rows."""

from collections.abc import Iterator

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
