"""Where rows stop belonging together."""

import numpy as np
import pytest

from engine.frame.segments import CHUNK_ROWS, segments

STEP = np.timedelta64(60, "s")
START = np.datetime64("2026-01-01", "us")
GAP_STEPS = 60


def runs(minutes: list[int], off: list[int] = [], last: int | None = None) -> list[tuple[int, int, bool]]:  # noqa: B006
    mask = np.zeros(len(minutes), bool)
    mask[off] = True
    before = None if last is None else START + last * STEP
    return list(segments(START + np.array(minutes) * STEP, mask, GAP_STEPS * STEP, before))


@pytest.mark.parametrize(
    ("minutes", "off", "last", "expected"),
    [
        ([0, 1, 2], [], None, [(0, 3, True)]),
        ([0, 1, 2], [], -GAP_STEPS, [(0, 3, False)]),
        ([0, 1, 2], [], -GAP_STEPS - 1, [(0, 3, True)]),
        ([0, GAP_STEPS, 2 * GAP_STEPS + 1], [], None, [(0, 2, True), (2, 3, True)]),
        ([0, 1, 2, 3], [1], -1, [(0, 1, False), (2, 4, True)]),
        ([0, 1, 2, 3], [0], -1, [(1, 4, True)]),
        ([0, 1], [0, 1], None, []),
        ([], [], None, []),
    ],
    ids=["new", "goes on", "too late", "a gap", "off between", "off first", "off", "no rows"],
)
def test_runs_end_at_gaps_and_where_the_machine_is_off(
    minutes: list[int], off: list[int], last: int | None, expected: list[tuple[int, int, bool]]
) -> None:
    assert runs(minutes, off, last) == expected


def test_long_runs_are_cut_but_go_on() -> None:
    cut = [
        (0, CHUNK_ROWS, True),
        (CHUNK_ROWS, 2 * CHUNK_ROWS, False),
        (2 * CHUNK_ROWS, 2 * CHUNK_ROWS + 1, False),
    ]
    assert runs(list(range(2 * CHUNK_ROWS + 1))) == cut
