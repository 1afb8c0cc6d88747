"""Which stretch of a recording a demo plays as its new data."""

import dataclasses

import numpy as np
import pytest

from l4e_cli.demo.findings import Evaluation, PredictedRange
from l4e_cli.demo.recording import ComponentRecording, Recording
from l4e_cli.demo.replay import sensors_without_values, shift_to, with_last_values
from l4e_cli.demo.scenario import replay_scenario
from l4e_cli.errors import CliError
from l4e_cli.interval import Interval

START = np.datetime64("2026-01-01", "us")
MINUTE, HOUR = np.timedelta64(1, "m"), np.timedelta64(1, "h")
WINDOW = Interval(start=np.datetime64("2026-11-21T10:05", "us"), end=np.datetime64("2026-11-21T10:10", "us"))
NOTHING = Evaluation(labels=(), ranges=(), identified=0, warning_seconds=0, unknown=0, unknown_seconds=0)


def part(name: str, every: int, *, minutes: int = 6000) -> ComponentRecording:
    times = START + np.arange(0, minutes, every) * MINUTE
    return ComponentRecording(name=name, sensors=("A", "B"), times=times, values=np.ones((len(times), 2)))


def without(recorded: ComponentRecording, sensor: int, first: int, last: int) -> ComponentRecording:
    values = recorded.values.copy()
    minutes = (recorded.times - START) // MINUTE
    values[(minutes >= first) & (minutes < last), sensor] = np.nan
    return dataclasses.replace(recorded, values=values)


def found(*hours: tuple[int, int]) -> Evaluation:
    ranges = (
        PredictedRange(period=Interval(start=START + a * HOUR, end=START + b * HOUR), shares={})
        for a, b in hours
    )
    return dataclasses.replace(NOTHING, ranges=tuple(ranges))


EVALUATED = Interval(start=START + 50 * HOUR, end=START + 100 * HOUR)


def source(history: Recording, evaluation: Evaluation) -> Interval:
    """The stretch of the history that is moved into the window."""
    moved = shift_to(WINDOW, history, evaluation, EVALUATED, np.timedelta64(20, "s"))
    return Interval(start=WINDOW.start - moved, end=WINDOW.end - moved)


def test_the_longest_event_begins_after_a_third() -> None:
    played = source(Recording(components=(part("p", 1),)), found((60, 62), (70, 80)))
    assert played.start < START + 70 * HOUR < played.end
    assert (START + 70 * HOUR - played.start) == (WINDOW.end - WINDOW.start) // 3


def test_another_event_takes_the_place_of_one_in_a_gap() -> None:
    whole = part("p", 1)
    minutes = (whole.times - START) // MINUTE
    kept = (minutes < 69 * 60) | (minutes > 81 * 60)
    gap = dataclasses.replace(whole, times=whole.times[kept], values=whole.values[kept])
    played = source(Recording(components=(gap,)), found((60, 62), (70, 80)))
    assert played.start < START + 60 * HOUR < played.end


def test_the_window_has_a_row_of_every_component() -> None:
    slow = part("slow", 60)
    history = Recording(components=(part("fast", 1), slow))
    played = source(history, NOTHING)
    assert slow.between(played).times.size == 1
    assert EVALUATED.start <= played.start


def test_the_window_has_a_row_of_a_slow_component_near_the_event() -> None:
    slow = part("slow", 60)
    evaluation = dataclasses.replace(
        NOTHING,
        ranges=(
            PredictedRange(
                period=Interval(start=START + 70 * HOUR + 30 * MINUTE, end=START + 75 * HOUR), shares={}
            ),
        ),
    )
    played = source(Recording(components=(part("fast", 1), slow)), evaluation)
    assert slow.between(played).times.tolist() in ([START + 70 * HOUR], [START + 71 * HOUR])


def test_a_silent_sensor_begins_with_its_last_value() -> None:
    recorded = without(part("p", 1), 1, 1000, 6000)
    stretch = Interval(start=START + 2000 * MINUTE, end=START + 2010 * MINUTE)
    rows = with_last_values(recorded, stretch, START + 2005 * MINUTE)
    assert rows.times[0] < stretch.start
    np.testing.assert_array_equal(rows.values[0], [np.nan, 1])
    np.testing.assert_array_equal(rows.times[1:], recorded.between(stretch).times)


def test_without_silent_sensors_rows_are_as_recorded() -> None:
    recorded = part("p", 1)
    stretch = Interval(start=START + 2000 * MINUTE, end=START + 2010 * MINUTE)
    rows = with_last_values(recorded, stretch, stretch.end)
    np.testing.assert_array_equal(rows.times, recorded.between(stretch).times)


def test_sensors_without_values_in_a_window_are_left_out() -> None:
    recorded = Recording(components=(without(part("p", 1), 1, 0, 3000), part("q", 1)))
    halves = [
        Interval(start=START, end=START + 2999 * MINUTE),
        Interval(start=START + 3000 * MINUTE, end=START + 6000 * MINUTE),
    ]
    assert sensors_without_values(recorded, halves) == ("p\\B",)
    scenario = replay_scenario(recorded, name="x", train_until=START + 2900 * MINUTE, off_condition=None)
    assert scenario.left_out == ("p\\B",)
    assert scenario.history.sensor_ids == ("p\\A", "q\\A", "q\\B")
    assert '"p" = ["A"]' in (scenario.assets_file or "")


def test_a_recording_without_any_usable_sensor_is_refused() -> None:
    empty = part("p", 1)
    empty = dataclasses.replace(empty, values=np.full_like(empty.values, np.nan))
    with pytest.raises(CliError, match="no sensor has a value both before and after"):
        replay_scenario(Recording(components=(empty,)), name="x", train_until=None, off_condition=None)
