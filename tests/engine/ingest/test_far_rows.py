"""Rows years away from all others are named, and are no history."""

import io
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

import numpy as np
import pyarrow.parquet as pq
import pytest

from engine import ComponentReport, FileReport, convert_csv, decade_gap, far_rows, merge_component

START = datetime(2026, 3, 1, tzinfo=UTC)


def days(*each: float) -> list[str]:
    return [f"{START + timedelta(days=day):%Y-%m-%d %H:%M:%S}" for day in each]


def steady(count: int = 500) -> list[str]:
    return days(*(at / 24 for at in range(count)))


def read(times: list[str], sink: BinaryIO | None = None, *, block_bytes: int = 8 << 20) -> FileReport:
    """Read a file of one row per timestamp."""
    text = "Timestamp,a\n" + "".join(f"{time},{at}\n" for at, time in enumerate(times))
    source = io.BytesIO(text.encode())
    return convert_csv(source, sink or io.BytesIO(), columns=None, block_bytes=block_bytes)


def ingest(*files: list[str], block_bytes: int = 8 << 20) -> tuple[ComponentReport, list[np.datetime64]]:
    """Return the report and the timestamps of a component of some files, one row per timestamp."""
    parts, reports, sink = [], [], io.BytesIO()
    for times in files:
        part = io.BytesIO()
        reports.append(read(times, part, block_bytes=block_bytes))
        parts.append(part)
    report = merge_component(parts, reports, sink, far=far_rows([each.periods for each in reports]))
    sink.seek(0)
    return report, list(pq.read_table(sink).column(0).to_numpy())


@pytest.mark.parametrize("block_bytes", [60, 8 << 20])
@pytest.mark.parametrize(
    "time", ["1970-01-01 00:00:05", "2926-03-01", "1899-12-30", "9999-12-31", "0001-01-01"]
)
@pytest.mark.parametrize("at", [0, 7, 500])
def test_a_single_row_of_another_century_is_left_out_and_named(time: str, at: int, block_bytes: int) -> None:
    times = steady()
    report, kept = ingest([*times[:at], time, *times[at:]], block_bytes=block_bytes)
    assert len(kept) == report.rows == 500
    assert (report.start, report.unsupported_timestamps, report.duplicates) == (
        "2026-03-01T00:00:00.000000",
        1,
        0,
    )
    assert report.sensors[0].large_gaps == 0
    assert report.far is not None
    assert (report.far.count, report.far.file, report.far.files, report.far.line) == (1, 0, 1, at + 2)
    assert report.far.time == np.datetime64(time.replace(" ", "T"), "us")


def test_a_slip_in_the_year_is_far() -> None:
    report, kept = ingest([*steady(), "2025-03-10 00:00:00"])
    assert report.far is not None
    assert (len(kept), str(report.far.time)) == (500, "2025-03-10T00:00:00.000000")


def test_rows_of_a_clock_that_is_not_set_may_be_more() -> None:
    report, kept = ingest([*(f"1970-01-01 00:00:{second:02d}" for second in range(20)), *steady()])
    assert report.far is not None
    assert (len(kept), report.far.count, report.far.line) == (500, 20, 2)


def test_rows_of_several_files_are_judged_together() -> None:
    report, kept = ingest(steady(), ["1970-01-01"], [*days(21, 22), "1970-01-02", "1970-01-02"])
    assert len(kept) == 502
    assert report.far is not None
    assert (report.far.count, report.far.files, report.far.file, report.far.line) == (3, 2, 1, 2)
    assert (report.unsupported_timestamps, report.duplicates) == (3, 0)


@pytest.mark.parametrize(
    "files",
    [
        pytest.param([steady()], id="steady"),
        pytest.param([days(*range(0, 4000, 7))], id="a row a week for ten years"),
        pytest.param([days(*range(0, 4000, 400))], id="rows more than a year apart"),
        pytest.param([[*days(-1000), *days(*range(1500))]], id="longer than its distance"),
        pytest.param([[*steady(), *days(200)]], id="some months away"),
        pytest.param([[*steady(99), *days(700, 701)]], id="two of a hundred"),
        pytest.param([days(*range(-2000, -1980)), steady()], id="an earlier test of some days"),
        pytest.param([days(0, 1, 4000)], id="too few rows to know which are far"),
    ],
)
def test_rows_that_may_be_history_stay(files: list[list[str]]) -> None:
    report, kept = ingest(*files)
    assert (len(kept), report.far) == (sum(map(len, files)), None)


def gap(*files: list[str]) -> tuple[int, int, int, str] | None:
    """Return rows, files, line and time of what is kept though it is ten years away."""
    report, _ = ingest(*files)
    periods = [read(times).periods for times in files]
    found = decade_gap(periods, report.far)
    return None if found is None else (found.count, found.file, found.line, str(found.time)[:19])


def test_many_rows_of_a_clock_that_began_again_are_told() -> None:
    reset = [f"2000-01-01 {at // 60:02d}:{at % 60:02d}:17" for at in range(100)]
    times = [*steady()[:200], *reset, *steady()[200:]]
    assert gap(times) == (100, 0, 202, "2000-01-01T00:00:17")
    assert gap(steady(), reset, reset[:50]) == (150, 1, 2, "2000-01-01T00:00:17")
    assert gap(["1970-01-01", *times]) == (101, 0, 2, "1970-01-01T00:00:00")


def test_rows_that_are_left_out_are_told_once() -> None:
    long = days(*range(-4000, -3990), *range(0, 4500, 7))
    assert gap(["1899-12-30", *long]) == (10, 0, 3, "2015-03-19T00:00:00")


def test_the_fewer_rows_are_those_in_question() -> None:
    assert gap([*steady(), *days(*range(9000, 9100))]) == (100, 0, 502, "2050-10-21T00:00:00")


@pytest.mark.parametrize(
    "files",
    [
        pytest.param([steady()], id="steady"),
        pytest.param([["2000-01-01", *steady()]], id="left out"),
        pytest.param([[f"2000-01-01 00:{at:02d}:00" for at in range(60)]], id="all of them"),
        pytest.param([days(*range(-9000, 0, 300))], id="long, with gaps"),
        pytest.param([days(-3500, -3499, -3498), steady()[:9]], id="nine years"),
        pytest.param([days(-9000, 0, 1)], id="too few rows"),
    ],
)
def test_other_histories_have_no_gap_of_a_decade(files: list[list[str]]) -> None:
    assert gap(*files) is None


def test_a_report_of_before_says_nothing_about_periods() -> None:
    assert FileReport.from_json(MEMBERS).periods == ()


MEMBERS = {
    "rows": 1,
    "header": ["t", "a"],
    "columns": ["a"],
    "bytes_read": 1,
    "unsupported_timestamps": 0,
    "unsupported_examples": [],
    "missing": {},
    "invalid": {},
    "start": None,
    "end": None,
}
