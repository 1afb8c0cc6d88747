"""Readings far outside: how far spikes count, if at all, and what stays outside as far as it is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.frame.excursions import CLIP, FARTHEST, SPIKE_ROWS, in_proportion, limit_excursions
from engine.frame.scaling import Scaling

NAN = float("nan")


def limited(*readings: float, before: float = 0.0, spike: float = CLIP) -> tuple[list[float], float]:
    """Return what consecutive readings of one sensor count, and for how long it has been outside then."""
    scaled, outside = np.array(readings, float)[:, None], np.array([before])
    limit_excursions(scaled, outside, spike)
    return scaled[:, 0].tolist(), float(outside[0])


@pytest.mark.parametrize(
    ("readings", "counted"),
    [
        ((1, -29, 30, 2), (1, -29, 30, 2)),
        ((0, 500, 0), (0, 30, 0)),
        ((0, -500, 500, 0), (0, -30, 30, 0)),
        ((500,) * 7, (30, 30, 30, 60, 90, 120, 150)),
        ((80,) * 7, (30, 30, 30, 60, 80, 80, 80)),
        ((-80,) * 6, (-30, -30, -30, -60, -80, -80)),
        ((500, 500, 500, 500, 1, 500), (30, 30, 30, 60, 1, 30)),
        ((500, 500, 500, 500, -500, 500), (30, 30, 30, 60, -30, 30)),
    ],
    ids=["inside", "spike", "two spikes", "far", "less far", "below", "back", "other side"],
)
def test_a_reading_counts_the_farther_the_longer_it_stays(
    readings: tuple[float, ...], counted: tuple[float, ...]
) -> None:
    assert limited(*readings)[0] == list(counted)


def test_a_missing_reading_is_not_outside() -> None:
    counted, outside = limited(500, 500, 500, 500, NAN, 500)
    np.testing.assert_array_equal(counted, [30, 30, 30, 60, NAN, 30])
    assert outside == 1


def test_a_spike_may_be_no_value() -> None:
    counted, outside = limited(0, 500, -500, -500, -500, -500, 1, spike=NAN)
    np.testing.assert_array_equal(counted, [0, NAN, NAN, NAN, NAN, -60, 1])
    assert outside == 0


def test_what_was_outside_before_goes_on() -> None:
    assert limited(500, before=4) == ([90.0], 5)
    assert limited(-500, before=-4) == ([-90.0], -5)
    assert limited(500, before=-4) == ([30.0], 1)
    assert limited(1, before=4) == ([1.0], 0)
    assert limited(before=4) == ([], 4)


ROWS, SENSORS = 24, 3
PLACES = st.sampled_from([0.0, 12.0, -12.0, 31.0, -31.0, 70.0, -400.0, 599.0, NAN])


@given(
    scaled=arrays(np.float64, (ROWS, SENSORS), elements=PLACES),
    cut=st.integers(0, ROWS),
    spike=st.sampled_from([CLIP, NAN]),
)
def test_two_windows_agree_with_one_batch(scaled: np.ndarray, cut: int, spike: float) -> None:
    whole, parts, ends = scaled.copy(), scaled.copy(), [np.zeros(SENSORS), np.zeros(SENSORS)]
    limit_excursions(whole, ends[0], spike)
    for part in (parts[:cut], parts[cut:]):
        limit_excursions(part, ends[1], spike)
    np.testing.assert_array_equal(parts, whole)
    np.testing.assert_array_equal(*ends)


@given(scaled=arrays(np.float64, (ROWS, SENSORS), elements=PLACES))
def test_nothing_moves_farther_or_inside(scaled: np.ndarray) -> None:
    result = scaled.copy()
    limit_excursions(result, np.zeros(SENSORS), CLIP)
    inside = ~(np.abs(scaled) > CLIP)
    np.testing.assert_array_equal(result[inside], scaled[inside])
    assert (np.sign(result[~inside]) == np.sign(scaled[~inside])).all()
    assert (np.abs(result[~inside]) >= CLIP).all()
    assert (np.abs(result[~inside]) <= np.abs(scaled[~inside])).all()


def test_even_what_stays_counts_no_farther_than_any_reading_may() -> None:
    scaling = Scaling(center=np.zeros(1), scale=np.ones(1), constant=np.zeros(1, bool))
    values = np.full((100, 1), 1e300)
    assert scaling.follow(values, np.zeros(1))[-1, 0] == FARTHEST
    older = Scaling(center=np.zeros(1), scale=np.ones(1), constant=np.zeros(1, bool), follows=False)
    assert older.follow(values, np.zeros(1))[-1, 0] == CLIP
    assert SPIKE_ROWS < 100


@pytest.mark.parametrize(
    ("value", "predicted", "error"),
    [
        (10, 4, 6),
        (30, -30, 60),
        (60, 30, 30 * np.log(2)),
        (200, 100, 30 * np.log(2)),
        (100, 200, -30 * np.log(2)),
        (-200, -100, -30 * np.log(2)),
        (60, 0, 30 + 30 * np.log(2)),
        (0, 60, -30 - 30 * np.log(2)),
        (60, -60, 60 + 60 * np.log(2)),
    ],
    ids=["inside", "edges", "beyond", "far", "less", "below", "alone", "not there", "other side"],
)
def test_beyond_the_edge_errors_count_in_proportion(value: float, predicted: float, error: float) -> None:
    found = in_proportion(np.array([value, 0.0]), np.array([value - predicted, 0.0]))
    assert found.tolist() == pytest.approx([error, 0])
