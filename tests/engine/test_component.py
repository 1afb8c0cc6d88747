import io

import numpy as np
import pyarrow.parquet as pq
import pytest

from engine import ComponentReport, SensorStatistics, convert_csv, merge_component


def merge(*texts: str) -> tuple[ComponentReport, dict[str, list]]:
    parts, reports = [], []
    for text in texts:
        part = io.BytesIO()
        reports.append(convert_csv(io.BytesIO(text.encode()), part, columns=None))
        part.seek(0)
        parts.append(part)
    sink = io.BytesIO()
    report = merge_component(parts, reports, sink)
    sink.seek(0)
    return report, pq.read_table(sink).to_pydict()


def series(values: list[object], *, hours: float = 1) -> SensorStatistics:
    start = np.datetime64("2024-01-01T00:00:00")
    step = np.timedelta64(round(hours * 3600), "s")
    rows = "\n".join(f"{start + at * step},{value}" for at, value in enumerate(values))
    return merge(f"t,a\n{rows}")[0].sensors[0]


def test_rows_are_sorted_and_the_last_duplicate_wins() -> None:
    report, table = merge(
        "t,a\n2024-01-01 00:02:00,3\n2024-01-01 00:00:00,1\nbad,9\n",
        "t,a\n2024-01-01 00:02:00,4\n2024-01-01 00:01:00,\n",
    )
    assert table["a"] == [1, None, 4]
    assert (report.rows, report.duplicates, report.unsupported_timestamps) == (3, 1, 1)
    assert (report.start, report.end) == ("2024-01-01T00:00:00.000000", "2024-01-01T00:02:00.000000")
    sensor = report.sensors[0]
    assert (sensor.rows, sensor.missing, sensor.invalid_dates, sensor.duplicates) == (4, 1, 1, 1)


def test_files_with_other_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="columns"):
        merge("t,a\n2024-01-01,1\n", "t,b\n2024-01-01,1\n")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 1, 1, 1], "STATIC"),
        ([1, 2, 2, 3], "INCREASING"),
        ([3, 2, 2, 1], "DECREASING"),
        ([1, 3, 2, 4], None),
        ([5], None),
    ],
)
def test_monotonicity(values: list[object], expected: str | None) -> None:
    assert series(values).monotonicity == expected


def test_sensor_without_any_value() -> None:
    sensor = series(["", "x"])
    assert not sensor.data_exists
    assert (sensor.missing, sensor.invalid, sensor.start, sensor.short_span) == (1, 1, None, True)


def test_spans_and_gaps_skip_missing_values() -> None:
    sensor = series([1, *[""] * 31, 2, 5], hours=24)
    assert (sensor.large_gaps, sensor.max_gap_days, sensor.short_span) == (1, 32, False)
    assert series([1, *range(13)], hours=24).short_span
    assert series([1, *[""] * 29, 2], hours=24).large_gaps == 0


def test_categories_up_to_ten() -> None:
    assert series([at % 10 for at in range(40)]).categories == 10
    assert series([at % 11 for at in range(40)]).categories is None


def test_multiple_modes_need_a_valley() -> None:
    rng = np.random.default_rng(0)
    one, two = rng.normal(0, 1, 2000), np.concatenate([rng.normal(0, 1, 1200), rng.normal(8, 1, 800)])
    assert not series(one.tolist()).multiple_modes
    assert not series(rng.uniform(0, 1, 2000).tolist()).multiple_modes
    assert series(two.tolist()).multiple_modes
