"""What is equal between two fits of the same data.

Bytes are, in every process with as many BLAS threads: how a product is cut among threads decides in which
order it adds. Across thread counts, predictions are equal and scores differ by rounding.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import Detector, Frame, fit
from tests.engine.plant import frame
from tests.engine.rounding import assert_windows_agree

ROOT = Path(__file__).parents[2]
SENSORS, TRAIN, ROWS = 60, 1200, 1500


def wide() -> Frame:
    rng = np.random.default_rng(4)
    hidden = rng.normal(size=(ROWS, 4)).cumsum(axis=0) * 0.05
    values = hidden @ rng.normal(size=(4, SENSORS)) + rng.normal(0, 0.3, (ROWS, SENSORS))
    values[-100:, :9] += 2
    return frame(values, sensors=tuple(f"line\\s{at}" for at in range(SENSORS)))


def fingerprint() -> dict[str, Any]:
    whole = wide()
    detector = fit(whole.part(0, TRAIN))
    scores = detector.score(whole.part(TRAIN, ROWS))
    return {
        "bytes": hashlib.sha256(detector.to_bytes()).hexdigest(),
        "score": scores.score.tolist(),
        "prediction": scores.prediction.tolist(),
    }


def on_threads(count: int) -> dict[str, str]:
    """Return the variables for as many threads, which sleep when they wait: busily, it doubles the work."""
    patience = {"OPENBLAS_THREAD_TIMEOUT": "4"}
    return {"OMP_NUM_THREADS": str(count), "OPENBLAS_NUM_THREADS": str(count)} | patience


def elsewhere(environment: dict[str, str]) -> dict[str, Any]:
    code = (
        "import json; from tests.engine.test_determinism import fingerprint; print(json.dumps(fingerprint()))"
    )
    environment = environment | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "lambdas")])}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_equal_data_gives_equal_bytes_again() -> None:
    first, second = fingerprint(), fingerprint()
    assert first["bytes"] == second["bytes"]


def test_processes_with_as_many_threads_give_equal_bytes_and_others_equal_predictions() -> None:
    one, again, two = (elsewhere(os.environ | on_threads(count)) for count in (1, 1, 2))
    assert one == again
    assert one["prediction"] == two["prediction"]
    assert 50 < sum(one["prediction"]) < 150, "there is something to agree on"
    np.testing.assert_allclose(one["score"], two["score"], atol=1e-4)


@pytest.fixture(scope="module")
def very_wide() -> tuple[Detector, Frame]:
    rng = np.random.default_rng(5)
    hidden = rng.normal(size=(350, 5)).cumsum(axis=0) * 0.05
    values = (hidden @ rng.normal(size=(5, 300)) + rng.normal(0, 0.3, (350, 300))).astype(np.float32)
    values[325:, :40] += 2
    whole = frame(values, sensors=tuple(f"c\\s{at}" for at in range(300)))
    return fit(whole.part(0, 300)), whole.part(300, 350)


@pytest.mark.parametrize("size", [1, 7])
def test_300_sensors_window_by_window_equal_one_batch(very_wide: tuple[Detector, Frame], size: int) -> None:
    detector, later = very_wide
    at_once, state, pieces = detector.score(later), None, []
    for start in range(0, 50, size):
        pieces.append(detector.score(later.part(start, start + size), state=state))
        state = pieces[-1].state
    assert_windows_agree(detector, pieces, at_once)
    contributions = np.concatenate([piece.contributions for piece in pieces])
    np.testing.assert_allclose(contributions, at_once.contributions, atol=1e-6)
    assert at_once.prediction[30:].mean() > 0.9
