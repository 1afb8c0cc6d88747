import io
from itertools import pairwise

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import ComponentReport, RepairLimits, SensorStatistics, convert_csv, merge_component
from engine.ingest.merge import Turns
from engine.ingest.ordered import Repetition
from engine.ingest.statistics import RunningStatistics


def merge(
    *texts: str, block_bytes: int = 1 << 20, columns: list[str] | None = None, **options: int
) -> tuple[ComponentReport, dict[str, list]]:
    parts, reports = [], []
    for text in texts:
        part = io.BytesIO()
        source, limits = io.BytesIO(text.encode()), RepairLimits.lifted()
        reports.append(convert_csv(source, part, columns=columns, block_bytes=block_bytes, limits=limits))
        part.seek(0)
        parts.append(part)
    sink = io.BytesIO()
    report = merge_component(parts, reports, sink, **options)
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


EPOCH = np.datetime64("2024-01-01T00:00:00")
FILES = st.lists(st.lists(st.integers(0, 400), min_size=1, max_size=120), min_size=1, max_size=6)


@pytest.mark.parametrize(
    "pair",
    [
        (0.3, 0.30000000000000004),
        (1e16, 1e16 + 2),
        (-1e308, 1e308),
        (1.7e308, 1.6e308),
        (0.0, 5e-324),
        (0.0, 0.0),
        (1e-300, -1e-300),
    ],
)
def test_a_statistic_never_fails_the_job(pair: tuple[float, float]) -> None:
    running = RunningStatistics()
    values = np.tile(pair, 200)
    running.add(np.arange(400).astype("datetime64[m]").astype("datetime64[us]"), values)
    found = running.statistics("s", missing=0, invalid=0, invalid_dates=0, duplicates=0, rows=400)
    assert found.data_exists
    assert found.categories == len(set(pair))
    assert found.multiple_modes == (pair in {(-1e308, 1e308), (1.7e308, 1.6e308), (1e-300, -1e-300)})


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=6), st.integers(0, 300)
)
def test_any_numbers_have_statistics(values: list[float], count: int) -> None:
    running = RunningStatistics()
    column = np.resize(values, 200 + count)
    running.add(np.arange(len(column)).astype("datetime64[m]").astype("datetime64[us]"), column)
    found = running.statistics("s", missing=0, invalid=0, invalid_dates=0, duplicates=0, rows=len(column))
    assert found.categories == len(set(values))


def file(minutes: list[int], first: int) -> str:
    return "t,a,b\n" + "\n".join(
        f"{EPOCH + np.timedelta64(minute, 'm')},{first + at},{'' if at % 7 == 0 else at % 3}"
        for at, minute in enumerate(minutes)
    )


@settings(max_examples=60)
@given(
    FILES, st.booleans(), st.sampled_from([64, 500, 1 << 20]), st.sampled_from([1, 2_000, 20_000, 1 << 28])
)
def test_neither_memory_nor_blocks_change_the_result(
    files: list[list[int]],
    tidy: bool,  # noqa: FBT001
    block_bytes: int,
    memory_bytes: int,
) -> None:
    texts = [file(sorted(each) if tidy else each, 1000 * at) for at, each in enumerate(files)]
    report, table = merge(*texts, block_bytes=block_bytes, memory_bytes=memory_bytes)
    kept = {
        minute: 1000 * at + row
        for at, each in enumerate(files)
        for row, minute in enumerate(sorted(each) if tidy else each)
    }
    assert table["a"] == [kept[minute] for minute in sorted(kept)]
    assert table["Timestamp"] == [
        EPOCH.item().replace() + np.timedelta64(m, "m").item() for m in sorted(kept)
    ]
    assert report == merge(*texts)[0]
    assert (report.rows, report.duplicates) == (len(kept), sum(map(len, files)) - len(kept))


def test_files_that_all_cover_the_same_time_go_through_a_temporary_file() -> None:
    rng = np.random.default_rng(1)
    minutes = rng.permutation(20_000)
    text = file(minutes.tolist(), 0)
    report, table = merge(text, text, block_bytes=20_000, memory_bytes=100_000)
    assert table["a"] == np.argsort(minutes).tolist()
    assert (report.rows, report.duplicates) == (20_000, 20_000)
    assert report == merge(text, text)[0]


@given(
    st.lists(st.sampled_from([np.nan, 0.0, 1.0, 1.0 + 1e-12, 2.0, -3.0, 1e300]), min_size=1, max_size=60),
    st.lists(st.integers(0, 60), max_size=5),
)
def test_the_pieces_of_a_column_do_not_change_its_statistics(values: list[float], cuts: list[int]) -> None:
    times = EPOCH.astype("datetime64[us]") + np.arange(len(values)) ** 3 * np.timedelta64(1, "h")
    whole, pieces = RunningStatistics(), RunningStatistics()
    whole.add(times, np.array(values))
    ends = sorted({0, len(values), *(min(cut, len(values)) for cut in cuts)})
    for start, end in pairwise(ends):
        pieces.add(times[start:end], np.array(values[start:end]))
    counts = {"missing": 0, "invalid": 0, "invalid_dates": 0, "duplicates": 0, "rows": len(values)}
    assert pieces.statistics("s", **counts) == whole.statistics("s", **counts)
    found = [value for value in values if not np.isnan(value)]
    result = whole.statistics("s", **counts)
    assert result.categories == (len(set(found)) or None)
    if len(found) > 1 and max(found) - min(found) > 1:
        rising, falling = found == sorted(found), found == sorted(found, reverse=True)
        assert result.monotonicity == ("INCREASING" if rising else "DECREASING" if falling else None)


@pytest.mark.parametrize("cycle", [2, 32, 1024])
def test_modes_of_a_long_column_are_found_whatever_its_cycle(cycle: int) -> None:
    rng = np.random.default_rng(0)
    rows = 300_000
    values = np.where(np.arange(rows) % cycle < cycle // 2, 0.0, 8.0) + rng.normal(0, 1, rows)
    times = EPOCH.astype("datetime64[us]") + np.arange(rows) * np.timedelta64(1, "s")
    counts = {"missing": 0, "invalid": 0, "invalid_dates": 0, "duplicates": 0, "rows": rows}
    for column, expected in ((values, True), (rng.normal(0, 1, rows), False)):
        results = []
        for piece in (rows, 1777):
            running = RunningStatistics()
            for start in range(0, rows, piece):
                running.add(times[start : start + piece], column[start : start + piece])
            results.append(running.statistics("s", **counts))
        assert results[0] == results[1]
        assert results[0].multiple_modes == expected


def test_a_gap_between_two_pieces_is_a_gap() -> None:
    running = RunningStatistics()
    for start in ("2024-01-01", "2024-03-01"):
        running.add(np.datetime64(start, "us") + np.arange(3) * np.timedelta64(1, "h"), np.arange(3.0))
    found = running.statistics("s", missing=0, invalid=0, invalid_dates=0, duplicates=0, rows=6)
    assert (found.large_gaps, found.max_gap_days) == (1, 59)


def test_a_timestamp_of_two_files_is_told() -> None:
    """Also when many small pieces are merged; and not one that a file repeats itself."""
    files = [file(minutes, 1000 * at) for at, minutes in enumerate(([5, 1, 1], [8, 5, 9], [9, 2]))]
    expected = Repetition(time=EPOCH + np.timedelta64(5, "m"), dropped_file=0, kept_file=1)
    for options in ({}, {"block_bytes": 64, "memory_bytes": 1}):
        assert merge(*files, **options)[0].repetition == expected
    assert merge(files[0])[0].repetition is None
    assert merge(files[0], file([2, 3], 0))[0].repetition is None


@pytest.mark.parametrize("options", [{}, {"block_bytes": 64, "memory_bytes": 1}])
def test_files_that_hold_a_sensor_each_become_one_row_per_time(options: dict[str, int]) -> None:
    texts = [
        "t,a\n" + "".join(f"{EPOCH + np.timedelta64(minute, 'm')},{minute}\n" for minute in range(40)),
        "t,b\n" + "".join(f"{EPOCH + np.timedelta64(minute, 'm')},{-minute}\n" for minute in range(10, 50)),
        "t,b,c\n" + "".join(f"{EPOCH + np.timedelta64(minute, 'm')},,{minute}\n" for minute in (45, 12, 45)),
    ]
    report, table = merge(*texts, columns=["a", "b", "c"], **options)
    assert table["a"] == [*range(40), *[None] * 10]
    assert table["b"] == [*[None] * 10, -10, -11, None, *range(-13, -45, -1), None, *range(-46, -50, -1)]
    assert [value for value in table["c"] if value is not None] == [12, 45]
    # One row is repeated by its own file; two of the second file are replaced by rows that leave b empty.
    assert (report.rows, report.duplicates) == (50, 3)
    assert [(sensor.missing, sensor.rows) for sensor in report.sensors] == [(10, 53), (13, 53), (48, 53)]
    assert report.repetition == Repetition(time=EPOCH + np.timedelta64(12, "m"), dropped_file=1, kept_file=2)


@pytest.mark.parametrize("options", [{}, {"block_bytes": 64, "memory_bytes": 1}])
def test_files_with_the_same_columns_in_turns_are_told(options: dict[str, int]) -> None:
    """Those of two sensors or machines; not those of a sensor each, of days, or of a correction."""
    fast, slow = file(list(range(0, 400, 2)), 0), file(list(range(1, 400, 20)), 1000)
    assert merge(fast, slow, **options)[0].turns == Turns(files=1, file=1, other=0)
    even, odd = file(list(range(0, 100, 2)), 0), file(list(range(1, 100, 2)), 1000)
    assert merge(even, odd, **options)[0].turns == Turns(files=2, file=0, other=1)
    days = [file(list(range(at, at + 32)), 0) for at in (60, 0, 30)]
    assert merge(*days, **options)[0].turns is None
    correction = file(list(range(100, 140, 2)), 0)
    assert merge(fast, correction, **options)[0].turns is None
    other = odd.replace("t,a,b", "t,c,d")
    assert merge(even, other, columns=["a", "b", "c", "d"], **options)[0].turns is None
