"""What a fit decides on plants too wide to try everything on every sensor."""

import numpy as np
import pytest

from engine import fit
from engine.training import SEARCH_SENSORS
from tests.engine.plant import frame


def wide(*, drifting: int, rows: int = 4000, sensors: int = 140) -> np.ndarray:
    """Four drivers behind all sensors, and a random walk of its own on the first ``drifting`` ones."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=(rows, 4)) @ rng.normal(size=(4, sensors))
    values += rng.normal(0, 0.3, values.shape)
    values[:, :drifting] += rng.normal(0, 0.1, (rows, drifting)).cumsum(axis=0)
    return values.astype(np.float32)


@pytest.mark.parametrize("drifting", [6, 140])
def test_drift_of_a_wide_plant_is_cured_though_few_sensors_are_looked_at(drifting: int) -> None:
    values = wide(drifting=drifting)
    assert values.shape[1] > 2 * SEARCH_SENSORS
    named = tuple(f"c\\s{at}" for at in range(values.shape[1]))

    detector = fit(frame(values, sensors=named))

    assert detector.pipeline.baseline.span > 0
    assert detector.forward_false_alarms < 0.1
