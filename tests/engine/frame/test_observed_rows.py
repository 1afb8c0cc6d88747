"""Rows as they were measured: resampled without filling, kept, and laid under those of a dataset."""

import io

import numpy as np

from engine import FrameWindow, ObservedRows, convert_csv, join_rows, observed_rows, overlay_component
from engine.frame.component_reader import ComponentReader

PUMP = """t,flow,speed
2024-01-01T00:00:10,1,
2024-01-01T00:00:50,3,7
2024-01-01T00:01:30,,
2024-01-01T00:02:00,5,9
2024-01-01T00:05:00,8,8
"""
MOTOR = """t,heat
2024-01-01T00:01:40,20
"""
SENSORS = ("pump\\flow", "pump\\speed", "motor\\heat", "motor\\none")
WHOLE = FrameWindow(None, None)


def at(text: str) -> np.datetime64:
    return np.datetime64(f"2024-01-01T{text}", "us")


def columns(text: str) -> io.BytesIO:
    sink = io.BytesIO()
    convert_csv(io.BytesIO(text.encode()), sink, columns=None)
    return sink


def rows(*times: str, **values: list[float]) -> ObservedRows:
    return ObservedRows(
        np.array([at(time) for time in times]),
        tuple(f"pump\\{name}" for name in values),
        np.array(list(values.values()), float).T,
    )


def file_of(*parts: ObservedRows) -> io.BytesIO:
    files = []
    for part in parts:
        files.append(io.BytesIO())
        part.write(files[-1])
        files[-1].seek(0)
    sink = io.BytesIO()
    join_rows(files, ["pump\\flow", "pump\\speed"], sink)
    return sink


def overlaid(base: str | None, *parts: ObservedRows, window: FrameWindow = WHOLE) -> dict[str, list[float]]:
    sink = io.BytesIO()
    dataset = None if base is None else columns(base)
    overlay_component(dataset, file_of(*parts), "pump", names=["flow", "speed"], window=window, sink=sink)
    sink.seek(0)
    reader = ComponentReader.open(sink, "pump", ["flow", "speed"], WHOLE, None)
    values = np.stack(list(reader.columns(["flow", "speed"])), axis=1)
    return {str(time)[11:19]: row for time, row in zip(reader.times, values.tolist(), strict=True)}


def test_rows_are_resampled_and_not_filled() -> None:
    found = observed_rows(
        {"pump": columns(PUMP), "motor": columns(MOTOR)},
        sensors=SENSORS,
        start=at("00:00:00"),
        end=at("00:02:00"),
        step_seconds=60,
    )
    assert found.times.tolist() == [at("00:01:00").item(), at("00:02:00").item()]
    np.testing.assert_equal(found.values, [[2, 7, np.nan, np.nan], [5, 9, 20, np.nan]])


def test_without_a_step_they_keep_their_times() -> None:
    found = observed_rows(
        {"pump": columns(PUMP)}, sensors=SENSORS, start=at("00:00:10"), end=at("00:02:00"), step_seconds=None
    )
    assert found.times.tolist() == [at("00:00:50").item(), at("00:02:00").item()], "one has no value"


def test_a_window_without_rows_has_none() -> None:
    found = observed_rows(
        {"pump": columns(PUMP)}, sensors=SENSORS, start=at("01:00:00"), end=at("02:00:00"), step_seconds=60
    )
    assert found.values.shape == (0, 4)


def test_rows_of_a_span_are_replaced() -> None:
    before = rows("00:01:00", "00:02:00", "00:03:00", flow=[1, 2, 3], speed=[1, 2, 3])
    found = rows("00:02:30", flow=[9]).replacing(before, at("00:01:00"), at("00:02:30"))
    assert found.sensors == ("pump\\flow",)
    assert found.times.tolist() == [at(time).item() for time in ("00:01:00", "00:02:30", "00:03:00")]
    assert found.values[:, 0].tolist() == [1, 9, 3]


def test_what_is_written_is_read() -> None:
    before = rows("00:01:00", "00:02:00", flow=[1, np.nan], speed=[0.1, 2])
    sink = io.BytesIO()
    before.write(sink)
    sink.seek(0)
    after = ObservedRows.read(sink)
    assert (after.sensors, after.times.tolist()) == (before.sensors, before.times.tolist())
    np.testing.assert_equal(after.values, before.values)


def test_rows_of_the_dataset_go_before_kept_ones() -> None:
    found = overlaid(
        PUMP,
        rows("00:00:50", "00:03:00", flow=[100, 30], speed=[100, 40]),
        rows("00:02:00", "00:06:00", flow=[200, 60]),
    )
    assert found["00:00:50"] == [3, 7]
    assert found["00:03:00"] == [30, 40]
    assert found["00:02:00"] == [5, 9]
    np.testing.assert_equal(found["00:06:00"], [60, np.nan])
    assert list(found) == sorted(found)
    assert len(found) == 7


def test_only_rows_of_the_window_are_taken_and_none_without_values() -> None:
    kept = rows("00:01:00", "00:04:00", "00:07:00", flow=[1, np.nan, 7], speed=[1, np.nan, 7])
    found = overlaid(PUMP, kept, window=FrameWindow(at("00:00:50"), at("00:05:00")))
    assert list(found) == ["00:01:00", "00:01:30", "00:02:00", "00:05:00"]


def test_a_component_that_the_dataset_lacks_has_kept_rows_alone() -> None:
    assert overlaid(None, rows("00:03:00", flow=[30], speed=[40])) == {"00:03:00": [30, 40]}
