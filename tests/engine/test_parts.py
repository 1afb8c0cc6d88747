import numpy as np

from engine import fit, score_in_parts
from tests.engine.plant import cut, pump


def test_parts_are_the_whole() -> None:
    whole = pump(5000, seed=1)
    detector = fit(cut(whole, 0, 3000))
    frame = cut(whole, 3000, 5000)
    parts = list(score_in_parts(detector, frame, rows=700))
    assert [len(part.times) for part in parts] == [700, 700, 600]
    at_once = detector.score(frame)
    np.testing.assert_array_equal(np.concatenate([part.times for part in parts]), at_once.times)
    np.testing.assert_allclose(np.concatenate([part.score for part in parts]), at_once.score, atol=2e-5)
    shares = np.concatenate([part.contributions for part in parts])
    np.testing.assert_allclose(shares, at_once.contributions, atol=1e-4)
