"""How fast the slow baseline follows a sensor."""

import numpy as np
import pytest

from engine.detect.baseline import SLOW_SPEED, Baseline

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
