"""How fast the slow baseline follows a sensor."""

import numpy as np
import pytest

from engine.detect.baseline import SLOW_SPEED, Baseline
from engine.detect.pipeline import Pipeline
from engine.detect.state import State
from engine.frame.frame import Frame
from engine.frame.scaling import Scaling
from engine.train.fit import _with_level

SPAN = 99
GAIN = 2 / (SPAN + 1)


def followed(*values: float, before: float = 0.0, reach: float = 1.0) -> tuple[list[float], list[float]]:
    """Return where the baseline stands after each value of its only sensor, and its speed there."""
    end = np.datetime64("2026-01-01", "us")
    baseline = Baseline(span=SPAN, level=np.zeros(1), end=end, reach=np.array([reach]))
    level, speed = baseline.follow(np.array(values)[:, None], np.array([before]))
    return level[:, 0].tolist(), speed.tolist()


@pytest.mark.parametrize(("value", "speed"), [(1.0, 1.0), (1.25, 0.5), (1.5, SLOW_SPEED), (9.0, SLOW_SPEED)])
def test_the_farther_a_sensor_is_out_of_reach_the_slower_it_is_followed(value: float, speed: float) -> None:
    level, speeds = followed(value)
    assert speeds == pytest.approx([speed])
    assert level == pytest.approx([value * GAIN * speed])


def test_on_the_way_back_a_baseline_follows_at_full_speed() -> None:
    assert followed(0.5, before=3.0) == (pytest.approx([3 - 2.5 * GAIN]), pytest.approx([1.0]))


def test_only_the_rows_out_of_reach_are_followed_slowly() -> None:
    assert followed(0.5, 3.0, 0.5)[1] == pytest.approx([1.0, SLOW_SPEED, 1.0])


def test_a_sensor_of_unknown_reach_is_followed_at_full_speed() -> None:
    assert followed(50.0, reach=np.inf) == (pytest.approx([50 * GAIN]), pytest.approx([1.0]))


@pytest.mark.parametrize("silent", [0, 1_000, 9_000])
def test_the_level_at_the_end_of_training_is_that_of_all_rows(silent: int) -> None:
    """The last value of a sensor that is silent until the end counts, however long ago it was."""
    rows = 12_000
    values = np.random.default_rng(6).normal(size=(rows, 2)).cumsum(axis=0)
    values[rows - silent :, 1] = np.nan
    off = np.zeros(rows, bool)
    off[rows - 2_000 : rows - 300] = True
    times = np.datetime64("2026-01-01", "us") + np.arange(rows) * np.timedelta64(60, "s")
    frame = Frame(times=times, values=values, sensors=("a", "b"), off=off, step=np.timedelta64(60, "s"))
    pipeline = Pipeline(scaling=Scaling.of(values, ~off), baseline=Baseline.of(SPAN, 2))
    state = State.start(2)
    for _ in pipeline.run(frame, state, (), wanted=np.zeros(rows, bool)):
        pass
    assert state.level is not None
    assert _with_level(frame, pipeline).baseline.level.tolist() == state.level.tolist()
