"""Columns that count time or rows are told from sensors, counters of running hours among them."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import FileReport, common_clock, convert_csv

START = datetime(2026, 3, 28, 22, tzinfo=UTC)
SINCE_1970 = START.timestamp()

Cell = Callable[[int, float], object]
"""Returns a cell from the number of its row and the seconds since the first row."""


def convert(
    cell: Cell,
    *,
    rows: int = 300,
    step: float = 600.0,
    block_bytes: int = 8 << 20,
    form: str = "%Y-%m-%dT%H:%M:%S",
) -> FileReport:
    """Read a file with the sensor `a` and the column `clock`."""
    times = [START + timedelta(seconds=row * step) for row in range(rows)]
    lines = [f"{time:{form}},{row % 17}.5,{cell(row, row * step)}" for row, time in enumerate(times)]
    text = "\n".join(["Timestamp,a,clock", *lines, ""])
    return convert_csv(io.BytesIO(text.encode()), io.BytesIO(), columns=None, block_bytes=block_bytes)


def told(*reports: FileReport) -> list[tuple[str, float]]:
    """Return what the column counts in all files, as one would tell it."""
    assert {clock.name for report in reports for clock in report.clocks} <= {"clock"}
    clock = common_clock([each for report in reports for each in report.clocks])
    return [] if clock is None else [(clock.unit, clock.first)]


@pytest.mark.parametrize("block_bytes", [90, 4_000, 8 << 20])
@pytest.mark.parametrize(
    ("cell", "unit"),
    [
        pytest.param(lambda row, _: row, "rows", id="row from 0"),
        pytest.param(lambda row, _: row + 1.0, "rows", id="row from 1"),
        pytest.param(lambda _, s: SINCE_1970 + s, "seconds since 1970", id="seconds"),
        pytest.param(lambda _, s: int(1000 * (SINCE_1970 + s)) + 789, "milliseconds since 1970", id="ms"),
        pytest.param(lambda _, s: int(1e6 * (SINCE_1970 + s)), "microseconds since 1970", id="us"),
        pytest.param(lambda _, s: int(1e9 * (SINCE_1970 + s)), "nanoseconds since 1970", id="ns"),
        pytest.param(lambda _, s: SINCE_1970 + s + 7200, "seconds since 1970", id="another zone"),
        pytest.param(
            lambda _, s: SINCE_1970 + s + (3600 if s < 11_000 else 7200),
            "seconds since 1970",
            id="put forward",
        ),
        pytest.param(lambda _, s: f"{46_109 + 22 / 24 + s / 86400:.9f}", "days since 1900", id="Excel"),
        pytest.param(lambda _, s: s, "seconds", id="seconds since the start"),
        pytest.param(lambda row, s: 9e9 + 1000 * s + row % 7, "milliseconds", id="uptime in ms"),
    ],
)
def test_a_clock_is_named_with_what_it_counts(cell: Cell, unit: str, block_bytes: int) -> None:
    assert told(convert(cell, block_bytes=block_bytes)) == [(unit, float(str(cell(0, 0))))]


@pytest.mark.parametrize("step", [60, 600])
@pytest.mark.parametrize("block_bytes", [90, 8 << 20])
@pytest.mark.parametrize(
    "cell",
    [
        pytest.param(lambda row, _: 350_000 + row, id="a cycle per row"),
        pytest.param(lambda _, s: 7_000 + s, id="running seconds that never stop"),
        pytest.param(lambda _, s: 12_000 + s / 3600, id="running hours that never stop"),
        pytest.param(lambda _, s: round(s / 3600, 1), id="running hours of a new machine"),
        pytest.param(lambda _, s: 500 + s / 86400, id="running days"),
        pytest.param(lambda row, _: row // 2, id="a counter that stands now and then"),
        pytest.param(lambda row, _: row + (row > 200), id="a counter that misses one"),
        pytest.param(lambda row, _: row if row != 150 else "", id="a number of the row that is missing once"),
        pytest.param(lambda _, s: SINCE_1970 + s + 90_000, id="seconds since a day that is not 1970"),
        pytest.param(lambda _, s: SINCE_1970, id="a time that stays"),
        pytest.param(lambda _, s: SINCE_1970 + s * 0.9, id="a counter near the seconds since 1970"),
        pytest.param(lambda _, s: 46_109.5, id="a constant near the days since 1900"),
        pytest.param(lambda _, s: 46_109 + s / 400_000, id="an energy near the days since 1900"),
        pytest.param(lambda row, _: "", id="nothing"),
        pytest.param(lambda row, _: 1.7e308 * (-1) ** row, id="the largest numbers"),
    ],
)
def test_a_counter_is_no_clock(cell: Cell, block_bytes: int, step: float) -> None:
    assert told(convert(cell, block_bytes=block_bytes, step=step)) == []


def test_hours_of_a_new_machine_are_no_number_of_the_row() -> None:
    assert told(convert(lambda row, _: row, step=3600)) == []


def test_lines_without_a_usable_time_are_counted() -> None:
    """A table that is numbered before its rows are checked counts them, too."""
    text = "".join(
        f"{'' if row == 77 else START + timedelta(seconds=row)},{row % 7}.5,{row}\n" for row in range(99)
    )
    text = "Timestamp,a,clock\n" + text.replace("+00:00,", ",")
    report = convert_csv(io.BytesIO(text.encode()), io.BytesIO(), columns=None)
    assert (report.rows, told(report)) == (98, [("rows", 0.0)])


def test_files_decide_together() -> None:
    from_0, later, counter = (
        convert(cell) for cell in (lambda row, _: row, lambda row, _: 300 + row, lambda row, _: row // 2)
    )
    assert told(from_0, later) == [("rows", 0.0)]
    assert told(later, from_0) == [("rows", 300.0)]
    assert told(later, later) == []
    assert told(later, convert(lambda _, s: SINCE_1970 + s)) == []
    assert not counter.clocks


def test_times_without_seconds_are_behind_a_clock_that_has_them() -> None:
    report = convert(lambda _, s: int(1000 * s), step=37, form="%Y-%m-%d %H:%M")
    assert told(report) == [("milliseconds", 0.0)]


@given(
    unit=st.sampled_from([1, 1e3, 1e6, 1e9]),
    zone=st.integers(-12, 14),
    gaps=st.lists(st.integers(1, 90_000), min_size=60, max_size=90),
    block_bytes=st.sampled_from([70, 999, 8 << 20]),
)
def test_a_time_since_1970_is_known_by_any_rows(
    unit: float, zone: int, gaps: list[int], block_bytes: int
) -> None:
    """Whatever lies between the rows, and in whichever zone the clock is set."""
    seconds = list(accumulate(gaps))

    def stamp(row: int) -> str:
        return f"{START + timedelta(seconds=seconds[row]):%Y-%m-%d %H:%M:%S}"

    lines = [
        f"{stamp(row)},{row % 3},{round((SINCE_1970 + 3600 * zone + seconds[row]) * unit)}"
        for row in range(len(gaps))
    ]
    text = "\n".join(["Timestamp,a,clock", *lines, ""])
    report = convert_csv(io.BytesIO(text.encode()), io.BytesIO(), columns=None, block_bytes=block_bytes)
    assert [clock.dated for clock in report.clocks] == [True]
