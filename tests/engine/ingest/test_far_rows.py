"""Rows years away from all others are named, and are no history."""

import io
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest

from engine import ComponentReport, FileReport, convert_csv, far_rows, merge_component

START = datetime(2026, 3, 1, tzinfo=UTC)


def days(*each: float) -> list[str]:
    return [f"{START + timedelta(days=day):%Y-%m-%d %H:%M:%S}" for day in each]


def steady(count: int = 500) -> list[str]:
    return days(*(at / 24 for at in range(count)))


def ingest(*files: list[str], block_bytes: int = 8 << 20) -> tuple[ComponentReport, list[np.datetime64]]:
    """Return the report and the timestamps of a component of some files, one row per timestamp."""
    parts, reports, sink = [], [], io.BytesIO()
    for times in files:
        text = "Timestamp,a\n" + "".join(f"{time},{at}\n" for at, time in enumerate(times))
        part = io.BytesIO()
        report = convert_csv(io.BytesIO(text.encode()), part, columns=None, block_bytes=block_bytes)
        reports.append(report)
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
