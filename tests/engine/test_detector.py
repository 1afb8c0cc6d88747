from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from engine import BadArtefact, Detector, FitSettings, Frame, Scores, evaluate, fit, ranges
from tests.engine.plant import STEP, cut, frame, pump
from tests.engine.rounding import assert_windows_agree

TRAIN = 6000


@pytest.fixture(scope="module")
def healthy() -> Frame:
    return pump(TRAIN + 3000, seed=1)


@pytest.fixture(scope="module")
def detector(healthy: Frame) -> Detector:
    return fit(cut(healthy, 0, TRAIN))


def later(healthy: Frame) -> Frame:
    return cut(healthy, TRAIN, TRAIN + 3000)


def impeller_fault(healthy: Frame, start: int) -> Frame:
    """Flow no longer follows speed: it stays at a value that is quite usual for it at other speeds."""
    values = later(healthy).values.copy()
    flow = healthy.values[:TRAIN, 1]
    rng = np.random.default_rng(9)
    values[start:, 1] = np.clip(
        0.65 * values[start:, 1] + rng.normal(0, 0.4, len(values) - start), flow.min(), flow.max()
    )
    return replace(later(healthy), values=values)


def test_healthy_operation_raises_almost_no_alarm(detector: Detector, healthy: Frame) -> None:
    assert detector.score(later(healthy)).prediction.mean() < 0.02


def test_impeller_fault_inside_the_usual_range_of_every_sensor_is_found(
    detector: Detector, healthy: Frame
) -> None:
    faulty = impeller_fault(healthy, 1500)
    trained = healthy.values[:TRAIN]
    beyond = (faulty.values < trained.min(axis=0)) | (faulty.values > trained.max(axis=0))
    assert beyond[1500:, 1].sum() == 0, "a threshold on flow cannot see this fault"
    assert beyond[1500:].any(axis=1).mean() < 0.01, "nor can one on any other sensor"

    scores = detector.score(faulty)

    assert scores.prediction[:1500].mean() < 0.03
    assert scores.prediction[1530:].mean() > 0.9
    fault = max(ranges(scores, step=STEP), key=lambda each: each.rows)
    assert detector.sensors[int(fault.contributions.argmax())] == "pump\\Flow"
    label = (faulty.times[1500], faulty.times[-1])
    result = evaluate(scores, [label], step=STEP)
    assert (result.identified, result.recall) == (1, 1.0)
    assert result.auc is not None
    assert result.auc > 0.95


@pytest.mark.parametrize("sensor", range(5))
@pytest.mark.parametrize("kind", ["bias", "stuck", "noise"])
def test_the_faulty_sensor_leads_the_contributions(
    detector: Detector, healthy: Frame, sensor: int, kind: str
) -> None:
    values = later(healthy).values.copy()
    spread = healthy.values[:TRAIN].std(axis=0)[sensor]
    rng = np.random.default_rng(4)
    rows = slice(2000, 2120)
    if kind == "bias":
        values[rows, sensor] += 2 * spread
    elif kind == "stuck":
        values[rows, sensor] = values[2000, sensor]
    else:
        values[rows, sensor] += rng.normal(0, 1.5 * spread, 120)
    scores = detector.score(replace(later(healthy), values=values))
    mean = scores.contributions[2030:2120].mean(axis=0)
    assert mean.argmax() == sensor


def test_scores_are_probabilistic_rounded_and_match_their_predictions(
    detector: Detector, healthy: Frame
) -> None:
    scores = detector.score(impeller_fault(healthy, 1500))
    assert ((scores.score >= 0) & (scores.score <= 1)).all()
    np.testing.assert_array_equal(scores.score, np.round(scores.score, 5))
    np.testing.assert_array_equal(scores.prediction, scores.score > 0.5)
    np.testing.assert_allclose(scores.contributions.sum(axis=1), 1, atol=1e-5)
    assert (scores.contributions >= 0).all()


def same(one: Scores, other: Scores) -> None:
    np.testing.assert_allclose(one.score, other.score, atol=1e-6)
    np.testing.assert_allclose(one.contributions, other.contributions, atol=1e-6)
    np.testing.assert_array_equal(one.prediction, other.prediction)


def in_windows(detector: Detector, whole: Frame, size: int) -> Scores:
    state, parts = None, []
    for start in range(0, len(whole.times), size):
        parts.append(detector.score(cut(whole, start, min(start + size, len(whole.times))), state=state))
        state = parts[-1].state
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("times", "off", "score", "prediction", "contributions")
    }
    return Scores(**joined, state=parts[-1].state)


@pytest.mark.parametrize("size", [1, 5, 7, 60, 999])
def test_window_by_window_equals_one_batch(detector: Detector, healthy: Frame, size: int) -> None:
    whole = cut(impeller_fault(healthy, 300), 0, 600)
    off = np.zeros(600, bool)
    off[[0, 1, 200, 201, 202, 203, 204, 420]] = True
    values = whole.values.copy()
    values[100:140, 2] = np.nan
    times = whole.times.copy()
    times[350:] += np.timedelta64(3, "D")
    whole = replace(whole, off=off, values=values, times=times)
    joined, at_once = in_windows(detector, whole, size), detector.score(whole)
    assert_windows_agree(detector, [joined], at_once)
    np.testing.assert_allclose(joined.contributions, at_once.contributions, atol=1e-6)


def test_off_rows_never_alarm_and_missing_values_do_not_either(detector: Detector, healthy: Frame) -> None:
    faulty = impeller_fault(healthy, 0)
    assert not detector.score(replace(faulty, off=np.ones(3000, bool))).score.any()
    values = later(healthy).values.copy()
    values[1000:1040, 1] = np.nan
    assert detector.score(replace(later(healthy), values=values)).contributions[1005:1040, 1].max() < 0.9


def test_labelled_rows_are_not_learned(healthy: Frame) -> None:
    values = healthy.values[:TRAIN].copy()
    values[2000:3500, 1] *= 0.65
    dirty = replace(cut(healthy, 0, TRAIN), values=values)
    label = (dirty.times[2000], dirty.times[3499])
    scores = fit(dirty, labels=[label]).score(impeller_fault(healthy, 1500))
    assert scores.prediction[1530:2130].mean() > 0.8
    assert scores.prediction[:1500].mean() < 0.02


def test_one_sensor() -> None:
    rng = np.random.default_rng(2)
    values = (np.sin(np.arange(4000) / 60) + rng.normal(0, 0.1, 4000))[:, None]
    values[3500:, 0] += 4
    scores = fit(frame(values[:3000])).score(frame(values[3000:]))
    assert scores.prediction[:500].mean() < 0.02
    assert scores.prediction[510:].mean() > 0.9
    assert (scores.contributions == 1).all()


def test_few_rows() -> None:
    whole = pump(260, seed=3)
    scores = fit(cut(whole, 0, 200)).score(cut(whole, 200, 260))
    assert len(scores.score) == 60
    with pytest.raises(ValueError, match="40 normal rows"):
        fit(cut(whole, 0, 40))


def test_constant_sensor_is_harmless_until_it_moves() -> None:
    whole = pump(8000, seed=5)
    values = np.concatenate([whole.values, np.full((8000, 1), 7.0)], axis=1)
    values[7700:, 5] = 8.0
    sensors = (*whole.sensors, "pump\\Valve")
    fitted = fit(frame(values[:7000], sensors=sensors))
    scores = fitted.score(frame(values[7000:], sensors=sensors))
    assert scores.prediction[:700].mean() < 0.02
    assert scores.prediction[710:].mean() > 0.9
    assert scores.contributions[750:].mean(axis=0).argmax() == 5


def test_equal_data_gives_equal_bytes_and_bytes_give_the_detector_back(
    detector: Detector, healthy: Frame
) -> None:
    data = detector.to_bytes()
    assert fit(cut(healthy, 0, TRAIN)).to_bytes() == data
    restored = Detector.from_bytes(data)
    assert restored.sensors == detector.sensors
    assert restored.step == STEP
    same(restored.score(later(healthy)), detector.score(later(healthy)))
    assert restored.to_bytes() == data


def test_what_was_fitted_to_float32_is_read_back_as_what_was_fitted_to_float64(healthy: Frame) -> None:
    small = replace(cut(healthy, 0, 1000), values=healthy.values[:1000].astype(np.float32))
    fitted = fit(small)
    known = Detector.from_bytes(fitted.to_bytes())
    assert known.to_bytes() == fitted.to_bytes()
    state = fitted.score(small).state
    assert known.score(later(healthy).part(0, 50), state=state).score.shape == (50,)


def test_foreign_frames_and_states_are_refused(detector: Detector, healthy: Frame) -> None:
    with pytest.raises(ValueError, match="trained on"):
        detector.score(replace(later(healthy), sensors=tuple("abcde")))
    rng = np.random.default_rng(0)
    other = fit(frame(rng.normal(size=(300, 2)))).score(frame(rng.normal(size=(50, 2)))).state
    with pytest.raises(BadArtefact, match="for 2 sensors"):
        detector.score(later(healthy), state=other)
    with pytest.raises(BadArtefact, match="not a 'scoring-state'"):
        detector.score(later(healthy), state=detector.to_bytes())


def test_unlabelled_faults_in_training_do_not_teach_the_detector(healthy: Frame) -> None:
    values = healthy.values[:TRAIN].copy()
    values[1000:1400, 1] *= 0.65
    values[4000:4500, 2] += 0.6
    fitted = fit(replace(cut(healthy, 0, TRAIN), values=values))
    assert 0.1 < fitted.trimmed < 0.25
    assert_left_out(fitted, healthy.times[[1000, 1399]], healthy.times[[4000, 4499]])
    assert_left_out(Detector.from_bytes(fitted.to_bytes()), *fitted.left_out)
    scores = fitted.score(impeller_fault(healthy, 1500))
    assert scores.prediction[1530:2130].mean() > 0.8
    assert scores.prediction[:1500].mean() < 0.03


def assert_left_out(detector: Detector, *faults: NDArray[np.datetime64]) -> None:
    """Assert that what the detector names as left out are these faults, with at most two hours around."""
    assert len(detector.left_out) == len(faults)
    margin = np.timedelta64(2, "h")
    for (first, last), (start, end) in zip(detector.left_out, faults, strict=True):
        assert start - margin <= first <= start + margin
        assert end - margin <= last <= end + margin


@pytest.mark.parametrize(
    ("every", "length"), [(600, 120), (TRAIN, TRAIN // 2)], ids=["for hours", "half of the time"]
)
def test_a_sensor_that_falls_silent_in_training_blinds_nobody(
    healthy: Frame, every: int, length: int
) -> None:
    values = healthy.values[:TRAIN].copy()
    for start in range(300, TRAIN, every):
        values[start : start + length, 1] = np.nan
    scores = fit(replace(cut(healthy, 0, TRAIN), values=values)).score(impeller_fault(healthy, 1500))
    assert scores.prediction[1530:2130].mean() > 0.8
    assert scores.prediction[:1500].mean() < 0.03


def test_changes_of_operating_mode_are_not_taken_for_faults(detector: Detector) -> None:
    assert detector.trimmed < 0.02


def test_a_larger_false_alarm_budget_lowers_the_limits(healthy: Frame) -> None:
    strict = fit(cut(healthy, 0, TRAIN), settings=FitSettings(false_alarm_hours=0.05)).score(later(healthy))
    loose = fit(cut(healthy, 0, TRAIN), settings=FitSettings(false_alarm_hours=1.2)).score(later(healthy))
    assert loose.prediction.sum() > strict.prediction.sum()
    assert 24 * loose.prediction.mean() < 3
    with pytest.raises(ValueError, match="between 0 and 24"):
        FitSettings(false_alarm_hours=0)
