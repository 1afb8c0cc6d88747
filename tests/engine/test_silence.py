"""Which training rows are left out because a sensor is silent, and what is told of it."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Frame, Silence
from engine.detect.features import LONGEST_MEMORY as MARGIN
from engine.detect.notices import SILENT_ROWS
from engine.train.silence import without_silent
from tests.engine.plant import pump

ROWS = 9000


@pytest.mark.parametrize(
    ("silent", "left_out"),
    [
        ((500, 500 + SILENT_ROWS - 1), None),
        ((500, 500 + SILENT_ROWS), (500 + SILENT_ROWS - 1 - MARGIN, 500 + SILENT_ROWS + MARGIN)),
        ((4000, 4300), (4000 + SILENT_ROWS - 1 - MARGIN, 4300 + MARGIN)),
        ((0, 40), (0, 40 + MARGIN)),
        ((8000, ROWS), (8000 + SILENT_ROWS - 1 - MARGIN, ROWS)),
        ((0, ROWS * 3 // 4), None),
        ((0, ROWS), None),
    ],
    ids=["short", "just silent", "across blocks", "at the start", "at the end", "mostly", "always"],
)
def test_rows_with_a_silent_sensor_are_not_learned(
    silent: tuple[int, int], left_out: tuple[int, int] | None
) -> None:
    whole = pump(ROWS, seed=4)
    values = whole.values.copy()
    values[slice(*silent), 2] = np.nan
    expected = np.ones(ROWS, bool)
    if left_out is not None:
        expected[slice(*left_out)] = False
    kept = without_silent(replace(whole, values=values), np.ones(ROWS, bool))
    assert np.array_equal(kept, expected)


def test_silence_where_nothing_is_learned_anyway_costs_no_row() -> None:
    whole = pump(ROWS, seed=4)
    values, normal = whole.values.copy(), np.ones(ROWS, bool)
    values[1000:8000, 2] = np.nan
    normal[1000:8000] = False
    assert np.array_equal(without_silent(replace(whole, values=values), normal), normal)


def test_single_missing_values_of_many_sensors_cost_no_row() -> None:
    whole = pump(ROWS, seed=4)
    values = np.where(np.random.default_rng(0).random(whole.values.shape) < 0.2, np.nan, whole.values)
    kept = without_silent(replace(whole, values=values), np.ones(ROWS, bool))
    assert kept.mean() > 0.99


def without_values(*spans: tuple[int, int, int]) -> Frame:
    """Return a pump of which a sensor has no value from one row up to another, for each span."""
    whole = pump(ROWS, seed=4)
    values = whole.values.copy()
    for start, stop, sensor in spans:
        values[start:stop, sensor] = np.nan
    return replace(whole, values=values)


def test_what_silence_costs_a_training_is_told_with_its_worst_sensor() -> None:
    frame = without_values((1000, 1100, 1), (3000, 3200, 2), (5000, 5080, 1))
    silence = Silence.of(frame)
    assert silence is not None
    lost = sum(length - (SILENT_ROWS - 1) + 2 * MARGIN for length in (100, 200, 80))
    assert silence.share == pytest.approx(lost / ROWS)
    assert (silence.sensor, silence.first, silence.last) == (
        frame.sensors[2],
        frame.times[3000],
        frame.times[3199],
    )


def test_silence_for_most_of_a_training_costs_no_row_and_is_told() -> None:
    silence = Silence.of(without_values((1000, ROWS, 0)))
    assert silence is not None
    assert silence.share == 0
    assert silence.sensor == pump(ROWS, seed=4).sensors[0]


@pytest.mark.parametrize("length", [0, SILENT_ROWS - 1])
def test_short_silence_is_not_told(length: int) -> None:
    assert Silence.of(without_values((1000, 1000 + length, 0))) is None


def test_silence_of_a_machine_that_is_off_is_not_told() -> None:
    frame = without_values((1000, 1500, 0))
    off = np.zeros(ROWS, bool)
    off[990:1510] = True
    assert Silence.of(replace(frame, off=off)) is None
