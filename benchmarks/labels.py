"""What labels in the training data buy: plants whose training holds five labelled faults."""

from dataclasses import replace

import numpy as np

from benchmarks.datasets import Case

LABELLED = 5
_AFTER_ROWS = 100
"""Healthy rows of training after the last of its faults."""


def labelled(cases: list[Case]) -> list[Case]:
    """Return the cases with more than twice that many faults, with training reaching past the fifth one."""
    return [
        replace(
            case,
            train=int(np.searchsorted(case.frame.times, case.labels[LABELLED - 1][1])) + _AFTER_ROWS,
        )
        for case in cases
        if len(case.labels) > 2 * LABELLED
    ]
