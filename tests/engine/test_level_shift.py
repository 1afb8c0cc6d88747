import numpy as np
import pytest

from engine.detect.baseline import SLOW_SPEED
from engine.detect.level_shift import _pace
from engine.detect.view import View


def pace(*, fourth_powers: bool) -> float:
    """Return the speed where one of 50 sensors has shifted, far above the limit, and the others are quiet."""
    identity = np.eye(50, dtype=np.float32)
    view = View(
        name="lag",
        offset=np.zeros(50, np.float32),
        weights=identity,
        usual=np.ones(50, np.float32),
        limit=0.1,
        fourth_powers=fourth_powers,
        level_averages=np.zeros(50),
        average_span=2000,
    )
    residuals = np.full(50, 0.3, np.float32)
    residuals[7] = 5
    return _pace(residuals, np.ones(50, np.float32), view, identity, identity)


def test_quiet_sensors_do_not_hide_that_a_single_one_has_shifted() -> None:
    assert pace(fourth_powers=True) == 1


def test_in_models_of_before_quiet_sensors_count_by_their_squares_as_they_did() -> None:
    assert pace(fourth_powers=False) == pytest.approx(SLOW_SPEED)
