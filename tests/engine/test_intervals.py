"""Labelled intervals: when two are one event, and which rows lie inside."""

import numpy as np
import pytest

from engine.evaluate.intervals import merge_intervals, rows_inside

DAY = np.datetime64("2026-01-01", "us")


def hours(*spans: tuple[int, int]) -> list[tuple[np.datetime64, np.datetime64]]:
    return [(DAY + np.timedelta64(start, "h"), DAY + np.timedelta64(end, "h")) for start, end in spans]


@pytest.mark.parametrize(
    ("given", "merged"),
    [
        ([], []),
        ([(4, 5), (1, 2)], [(1, 2), (4, 5)]),
        ([(1, 3), (2, 4)], [(1, 4)]),
        ([(1, 3), (3, 4)], [(1, 4)]),
        ([(1, 9), (2, 3), (8, 9)], [(1, 9)]),
        ([(1, 1), (1, 1)], [(1, 1)]),
        ([(1, 2), (3, 4), (2, 3)], [(1, 4)]),
    ],
    ids=["none", "apart", "overlapping", "touching", "one inside", "of one instant", "a chain"],
)
def test_labels_that_overlap_or_touch_are_one(
    given: list[tuple[int, int]], merged: list[tuple[int, int]]
) -> None:
    assert merge_intervals(hours(*given)) == hours(*merged)


@pytest.mark.parametrize(
    ("margin", "inside"), [(0, [2, 3, 4, 7]), (1, [1, 2, 3, 4, 5, 6, 7, 8])], ids=["none", "an hour"]
)
def test_both_ends_of_an_interval_are_inside(margin: int, inside: list[int]) -> None:
    times = DAY + np.arange(10) * np.timedelta64(1, "h")
    mask = rows_inside(times, hours((7, 7), (2, 4)), margin=np.timedelta64(margin, "h"))
    assert np.flatnonzero(mask).tolist() == inside
