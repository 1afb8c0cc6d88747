"""Runs of marked rows."""

import numpy as np

from engine.train.row_runs import longest_stretches


def test_the_longest_stretches_are_named_in_order_of_time() -> None:
    minutes = np.datetime64("2026-01-01T00:00", "us") + np.arange(100) * np.timedelta64(60, "s")
    marked = np.zeros(100, bool)
    for start, stop in ((5, 7), (20, 40), (43, 50), (60, 61), (70, 90)):
        marked[start:stop] = True
    found = longest_stretches(minutes, marked, gap=5, most=2)
    assert found.tolist() == minutes[[[20, 49], [70, 89]]].tolist()
    assert longest_stretches(minutes, np.zeros(100, bool), gap=5, most=2).shape == (0, 2)
