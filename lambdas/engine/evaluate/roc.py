"""The area under the receiver operating characteristic (ROC)."""

import numpy as np
from numpy.typing import NDArray


def roc_auc(positive: NDArray[np.bool_], score: NDArray[np.float64]) -> float | None:
    """Return the area under the ROC curve: the chance that a positive row scores above a negative one.

    Computed from ranks (the Mann-Whitney U statistic); ties count half.

    Args:
        positive: mask of the rows that should score high, shape (rows,).
        score: score of every row, shape (rows,), none NaN.

    Returns:
        0.5 for scores that say nothing, 1 for a perfect order; None if all rows are positive or none is.

    """
    count = int(positive.sum())
    if count in {0, len(positive)}:
        return None
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(positive) - count)))
