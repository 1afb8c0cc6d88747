"""The states of training rows, and how large errors of the fast views are expected to be in them."""

import numpy as np
from numpy.typing import NDArray

from engine.detect.alarm import HISTORY_ROWS
from engine.detect.cross_prediction import Float32
from engine.detect.smoothing import newest_largest
from engine.detect.trained_states import TrainedStates, confirmed_states
from engine.train.calibration_data import CalibrationData

Floats = NDArray[np.float64]


def state_errors(
    lag: CalibrationData, residuals: Float32, time: np.timedelta64, trust: float, doubt: float
) -> tuple[Floats, TrainedStates | None]:
    """Return how large squared errors are expected to be at each held-out row, and the states of all rows.

    Args:
        lag: data of the lag view.
        residuals: of its held-out rows of all folds.
        time: that the learned rows stand for.
        trust: how far states are to count, 0 to 1.
        doubt: how far relations may end beyond training, 0 to 1: as far, a season is few states.

    Returns:
        Shape (rows,), and the states; ones of shape (1,) and None where states do not count.

    """
    if trust == 0:
        return np.ones(1), None
    states = confirmed_states(lag.held_out_values(slice(None)), residuals)
    ends = np.cumsum([len(block) for block in lag.samples])
    means = [block.mean(axis=0) for block in np.split(states, ends[:-1]) if len(block)]
    trained = TrainedStates.of(states, time, trust, np.array(means), doubt)
    return newest_largest(trained.variance(states), np.ones(HISTORY_ROWS))[0], trained
