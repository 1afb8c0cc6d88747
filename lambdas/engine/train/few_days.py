"""How much wider a limit is that rests on few independent days.

A quantile of held-out scores looks as exact as it has rows, but neighbouring rows say the same. What counts
is how often the machine was in a state of its own. Of a quantity whose spread was learned from `n` of these,
a share `1 - q` lies beyond the quantile of Student's t with `n - 1` degrees of freedom, not of the normal
distribution.
"""

from statistics import NormalDist

import numpy as np

from engine.detect.trained_states import INDEPENDENT

WEEK = np.timedelta64(7 * 24 * 3600 * 10**6, "us")
"""Least time that a training counts as. From a week on the slow channel counts, and from two in full: then
every day of the week was seen twice."""


def few_days(quantile: float, time: np.timedelta64) -> float:
    """Return the factor for a limit on mean squares: 1.4 for two weeks, 1.02 for half a year.

    The quantile of Student's t over the normal one, squared; by the first three terms of its expansion
    (Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5).

    Args:
        quantile: of the scores, that the limit lies on.
        time: that the limit rests on.

    """
    square = NormalDist().inv_cdf((1 + quantile) / 2) ** 2
    freedom = float(max(time, WEEK) / INDEPENDENT) - 1
    first = (square + 1) / 4
    second = (5 * square**2 + 16 * square + 3) / 96
    return (1 + first / freedom + second / freedom**2) ** 2
