"""How many rows levels are remembered for, and followed by the baseline.

An average is as sure as it has rows, so both are numbers of rows. Where rows come faster than one a minute,
they are as many minutes: a level is taken over no sooner than somebody can look. No span of minutes is longer
than a block of the cross-validation: limits beside it would not be known.
"""

import numpy as np

from engine.detect.features import LONGEST_MEMORY
from engine.detect.level_shift import SPAN
from engine.train.sampling import FOLDS, LEAST_ROWS

SPAN_PER_TRAINING_ROW = 3
"""Most rows of the memory of levels per row of training that all views judge, where training is short."""


def memory_span(rows: int, step: np.timedelta64) -> int:
    """Return the span of the averages of levels in rows: SPAN, or as many minutes where rows come faster.

    Args:
        rows: rows of training.
        step: the distance of rows.

    """
    minutes = int(SPAN * np.timedelta64(60, "s") / step)
    return min(max(SPAN, min(minutes, rows // FOLDS)), SPAN_PER_TRAINING_ROW * (rows - LONGEST_MEMORY))


def baseline_span(rows: int, step: np.timedelta64) -> int:
    """Return the span of the baseline in rows, 0 if training is too short for one.

    At most half of what levels are remembered for: the tracked views see what lasts a few hundred rows.

    Args:
        rows: rows of training.
        step: the distance of rows.

    """
    return min(memory_span(rows, step) // 2, rows // FOLDS) if rows >= LEAST_ROWS else 0
