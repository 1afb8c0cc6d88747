import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine import Frame, LastValue, NoData, OffCondition, build_frame, convert_csv
from engine.ingest.parquet import TIMESTAMP


def parquet(text: str) -> io.BytesIO:
    sink = io.BytesIO()
    convert_csv(io.BytesIO(text.encode()), sink, columns=None)
    sink.seek(0)
    return sink


def at(text: str) -> np.datetime64:
    return np.datetime64(f"2024-01-01T{text}", "us")


def build(components: dict[str, str], **options: object) -> Frame:
    sensors = options.pop("sensors", None) or [
        f"{name}\\{column}"
        for name, text in components.items()
        for column in text.split("\n")[0].split(",")[1:]
    ]
    settings = {"start": None, "end": None, "step_seconds": None, "off": None} | options
    return build_frame(
        {name: parquet(text) for name, text in components.items()}, sensors=sensors, **settings
    )


def day(*rows: tuple[str, object]) -> str:
    return "t,a\n" + "\n".join(f"2024-01-01T{stamp},{value}" for stamp, value in rows)


def test_union_of_stamps_is_filled_forward_and_starts_when_all_have_a_value() -> None:
    frame = build({"c": day(("00:00:00", 1), ("00:02:00", 2)), "d": day(("00:01:00", 5), ("00:03:00", ""))})
    assert frame.sensors == ("c\\a", "d\\a")
    assert [str(time)[11:19] for time in frame.times] == ["00:01:00", "00:02:00", "00:03:00"]
    np.testing.assert_array_equal(frame.values, [[1, 5], [2, 5], [2, 5]])
    assert frame.step == np.timedelta64(60, "s")


def test_buckets_hold_means_and_are_labelled_by_their_right_edge() -> None:
    text = day(("00:00:00", 9), ("00:00:01", 1), ("00:05:00", 3), ("00:05:01", 7), ("00:20:00", 8))
    frame = build({"c": text}, step_seconds=300)
    assert [str(time)[11:16] for time in frame.times] == ["00:00", "00:05", "00:10", "00:20"]
    assert frame.values[:, 0].tolist() == [9, 2, 7, 8]
    assert frame.step == np.timedelta64(300, "s")


def test_window_is_open_at_the_start_and_closed_at_the_end() -> None:
    text = day(("00:00:00", 1), ("00:01:00", 2), ("00:02:00", 3), ("00:03:00", 4))
    frame = build({"c": text}, start=at("00:00:00"), end=at("00:02:00"))
    assert frame.values[:, 0].tolist() == [2, 3]


def test_carry_fills_the_lead_and_absent_components() -> None:
    text = day(("00:00:00", ""), ("00:01:00", 2))
    frame = build(
        {"c": text},
        sensors=["c\\a", "d\\x"],
        carry={"c\\a": LastValue(7.0, at("00:00:00")), "d\\x": LastValue(3.0, at("00:00:00"))},
    )
    np.testing.assert_array_equal(frame.values, [[7, 3], [2, 3]])


def test_fill_limit_leaves_stale_values_missing() -> None:
    text = "t,a,b\n" + "\n".join(f"2024-01-01T00:0{i}:00,{1 if i == 0 else ''},{i}" for i in range(5))
    frame = build({"c": text}, fill_limits={"c\\a": np.timedelta64(120, "s")})
    np.testing.assert_array_equal(frame.values[:, 0], [1, 1, 1, np.nan, np.nan])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": at("05:00:00")}, r"component 'c' has no rows .*05:00:00"),
        ({"sensors": ["x\\a"]}, "component 'x' has no data"),
        ({"sensors": ["c\\z"]}, "no sensor 'z'"),
        (
            {"end": at("00:00:00")},
            r"sensor 'c\\\\a' has no value in the window .*, although it has 1 row",
        ),
        (
            {"end": at("00:00:00"), "step_seconds": 60},
            r"component 'c' has 1 row in the window .*, but no value of any sensor in them",
        ),
    ],
)
def test_nothing_in_the_window_is_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(NoData, match=message):
        build({"c": day(("00:00:00", ""), ("00:01:00", 1))}, **options)


def test_rows_are_off_by_the_latest_value() -> None:
    off = OffCondition(sensor="c\\a", operator="<", threshold=2.0)
    frame = build({"c": day(("00:00:00", 1), ("00:01:00", ""), ("00:02:00", 2))}, off=off)
    assert frame.off.tolist() == [True, True, False]


def test_off_sensor_need_not_be_a_column() -> None:
    off = OffCondition(sensor="c\\a", operator=">", threshold=1.5)
    frame = build({"c": "t,a,b\n2024-01-01,1,5\n2024-01-02,2,6\n"}, off=off, sensors=["c\\b"])
    assert frame.values.tolist() == [[5], [6]]
    assert frame.off.tolist() == [False, True]


def test_a_bucket_without_a_value_is_no_row() -> None:
    cells = ["1,1", "2,1", ",", ",", "5,", "6,1", "7,1", "8,1"]
    text = "t,a,b\n" + "\n".join(f"2024-01-01T00:0{at}:00,{each}" for at, each in enumerate(cells, 1))
    frame = build({"c": text}, step_seconds=120)
    assert [str(time)[11:16] for time in frame.times] == ["00:02", "00:06", "00:08"]
    np.testing.assert_array_equal(frame.values, [[1.5, 1], [5.5, 1], [7.5, 1]])


def test_a_file_of_many_row_groups_reads_like_a_small_one(tmp_path: Path) -> None:
    rows, names = 3000, [f"s{at}" for at in range(50)]
    rng = np.random.default_rng(4)
    values = np.where(rng.random((rows, 50)) < 0.1, np.nan, rng.normal(size=(rows, 50)))
    times = at("00:00:00") + np.arange(rows) * np.timedelta64(1, "m")
    table = pa.table({TIMESTAMP: times, **{name: values[:, k] for k, name in enumerate(names)}})
    pq.write_table(table, tmp_path / "c.parquet", row_group_size=700)
    options = {"start": times[499], "end": times[2499], "step_seconds": None, "off": None}
    options["fill_limits"] = {}
    with (tmp_path / "c.parquet").open("rb") as file:
        frame = build_frame({"c": file}, sensors=[f"c\\{name}" for name in names], **options)
    first = np.isfinite(values[500:]).argmax(axis=0).max()
    assert frame.times[0] == times[500 + first]
    assert frame.times[-1] == times[2499]
    for column, known in zip(frame.values.T, values[500:2500].T, strict=True):
        np.testing.assert_array_equal(column, filled_forward(known)[first:])


def filled_forward(column: np.ndarray) -> np.ndarray:
    """Fill forward, the slow way."""
    filled, last = [], np.nan
    for value in column.tolist():
        last = last if np.isnan(value) else value
        filled.append(last)
    return np.array(filled)
