from dataclasses import replace

import numpy as np

from engine import fit, join_batches, score_in_batches
from tests.engine.plant import cut, pump


def test_parts_are_the_whole() -> None:
    whole = pump(5000, seed=1)
    detector = fit(cut(whole, 0, 3000))
    frame = cut(whole, 3000, 5000)
    parts = list(score_in_batches(detector, frame, rows=700))
    assert [len(part.times) for part in parts] == [700, 700, 600]
    at_once = detector.score(frame)
    np.testing.assert_array_equal(np.concatenate([part.times for part in parts]), at_once.times)
    np.testing.assert_allclose(np.concatenate([part.score for part in parts]), at_once.score, atol=2e-5)
    shares = np.concatenate([part.contributions for part in parts])
    np.testing.assert_allclose(shares, at_once.contributions, atol=1e-4)


def test_joined_parts_are_the_scores_of_the_whole() -> None:
    whole = pump(9000, seed=1)
    frame = cut(whole, 3000, 9000)
    values = frame.values.copy()
    values[2000:, 2] += 0.4 * values[:, 2].std()
    frame = replace(frame, values=values)
    detector = fit(cut(whole, 0, 3000))

    at_once, together = (
        detector.score(frame),
        join_batches(score_in_batches(detector, frame, rows=700), frame),
    )

    np.testing.assert_allclose(together.score, at_once.score, atol=2e-5)
    alarms = at_once.prediction == 1
    assert alarms.sum() > 100
    np.testing.assert_array_equal(together.prediction, at_once.prediction)
    np.testing.assert_allclose(together.contributions[alarms], at_once.contributions[alarms], atol=1e-4)
    assert not together.contributions[~alarms].any()
    assert together.moved is not None
    assert together.moved[2] > 0.3
    np.testing.assert_allclose(together.moved, at_once.moved, atol=1e-2)
