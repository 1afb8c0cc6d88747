"""What is said about an event."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine import BadArtefact, Detector, EventRules, Frame, Range, describe, fit, grown, ranges
from engine.evaluate.faults import Departure
from engine.explain import sentence
from tests.engine.plant import STEP, cut, frame, pump

AT = 500
"""First row of each event."""


@pytest.fixture(scope="module")
def trained() -> tuple[Detector, Frame]:
    whole = pump(7000, seed=8)
    return fit(cut(whole, 0, 6000)), cut(whole, 6000, 7000)


def told(detector: Detector, rows: Frame) -> str:
    return describe(detector, rows, longest(detector, rows))


def longest(detector: Detector, rows: Frame) -> Range:
    found = EventRules(join=60 * STEP).apply(ranges(detector.score(rows), step=STEP))
    return max(found, key=lambda each: each.rows)


def event(rows: Frame, start: int, stop: int, *shares: float) -> Range:
    return Range(
        start=rows.times[start], end=rows.times[stop - 1], contributions=np.array(shares, np.float32), rows=1
    )


@pytest.mark.parametrize(
    ("shift", "words"),
    [(-8.0, "Flow fell 1"), (8.0, "Flow rose 1")],
)
def test_a_departed_level_is_told_with_what_was_seen_and_what_was_expected(
    trained: tuple[Detector, Frame], shift: float, words: str
) -> None:
    detector, healthy = trained
    values = healthy.values.copy()
    values[AT:680, 1] += shift
    text = told(detector, replace(healthy, values=values))
    assert text.startswith(words)
    assert " % below what the other sensors predict (" in text or " % above what the other" in text
    assert "), 3 h" in text
    seen, expected = (
        float(part.split()[-1])
        for part in text.split("(")[1].split(")")[0].replace(",", "").split(" expected ")
    )
    assert seen == pytest.approx(np.median(values[AT:680, 1]), abs=0.6)
    assert seen - expected == pytest.approx(shift, rel=0.15)
    percent = float(text.split(" %")[0].split()[-1])
    assert percent == pytest.approx(100 * abs(seen / expected - 1), abs=1.5)


def test_a_noisy_and_a_stuck_sensor(trained: tuple[Detector, Frame]) -> None:
    detector, healthy = trained
    values = healthy.values.copy()
    values[AT:680, 1] += np.random.default_rng(1).normal(0, 4, 180)
    text = told(detector, replace(healthy, values=values))
    assert text.startswith("Flow varied ")
    assert " times as much as usual" in text
    values = healthy.values.copy()
    values[AT:680, 4] = values[AT, 4]
    stuck = replace(healthy, values=values)
    text = describe(detector, stuck, event(stuck, AT + 20, 680, 0, 0, 0, 0, 1))
    assert text.startswith(f"Temperature stood still at {values[AT, 4]:.6g}, ")


def switched(rows: int) -> Frame:
    """A pump with a valve that never moved and one with two positions that follow speed."""
    whole = pump(rows, seed=5)
    gate = (whole.values[:, 0] > 1000).astype(float)
    values = np.concatenate([whole.values, np.zeros((rows, 1)), gate[:, None]], axis=1)
    return frame(values, sensors=(*whole.sensors, "pump\\Valve", "pump\\Gate"))


def test_constant_and_few_valued_sensors_are_told_by_their_values() -> None:
    whole = switched(7000)
    detector = fit(cut(whole, 0, 6000))
    assert detector.discrete_values[5:] == ((0.0,), (0.0, 1.0))
    later = cut(whole, 6000, 7000)
    values = later.values.copy()
    values[AT:680, 5] = 1.0
    assert told(detector, replace(later, values=values)).startswith("Valve was 1, always 0 in training, ")
    values = later.values.copy()
    values[AT:680, 6] = 2.0
    assert told(detector, replace(later, values=values)).startswith(
        "Gate was 2, only ever 0 and 1 in training, "
    )
    values = later.values.copy()
    shown = 1 - np.median(values[AT:560, 6])
    values[AT:560, 6] = shown
    wrong = replace(later, values=values)
    text = describe(detector, wrong, event(wrong, AT, 560, 0, 0, 0, 0, 0, 0, 1))
    assert text.startswith(f"Gate was {shown:.0f} where the other sensors speak for {1 - shown:.0f}, 60 min")
    restored = Detector.from_bytes(detector.to_bytes())
    assert restored.discrete_values == detector.discrete_values


@pytest.mark.parametrize(
    ("expected", "value"), [(0.7, 1), (1.3, 0), (-0.2, 1), (0.2, 0)], ids=["1", "0", "below", "above"]
)
def test_a_switch_with_usual_values_is_told_by_the_one_that_it_has_too_often(
    expected: float, value: int
) -> None:
    """What others expect on average is none of its values, and nothing rose or fell by a number."""
    detector = fit(switched(6000))
    observed = float(round(expected))
    deviation = sentence._Deviation(
        observed=observed,
        expected=expected,
        level=observed - expected,
        noise=None,
        noise_ratio=None,
        values=np.full(5, observed),
    )
    text = sentence._predicate(detector, 6, deviation)
    assert text == f"was {value} more often than the other sensors speak for"
    assert grown(detector, Departure(sensor=6, by=0.1), Departure(sensor=6, by=9.0)) == ""


def test_others_that_share_the_blame_are_named(trained: tuple[Detector, Frame]) -> None:
    detector, healthy = trained
    text = describe(detector, healthy, event(healthy, AT, AT + 30, 0.2, 0.5, 0.05, 0.25, 0))
    assert text.endswith(", 30 min; Current and Speed moved with it")
    assert "moved with it" not in describe(
        detector, healthy, event(healthy, AT, AT + 30, 0.1, 0.8, 0.05, 0.05, 0)
    )


def test_an_event_that_began_before_the_window(trained: tuple[Detector, Frame]) -> None:
    detector, healthy = trained
    values = healthy.values.copy()
    values[AT:680, 1] -= 8
    rows = replace(healthy, values=values)
    found = longest(detector, rows)
    before = detector.score(cut(rows, 0, 600))
    window = cut(rows, 600, 605)
    for text in (describe(detector, window, found), describe(detector, window, found, state=before.state)):
        assert text.startswith("Flow fell ")
        assert "expected" in text
    elsewhere = describe(detector, cut(rows, 900, 950), found)
    assert elsewhere.startswith("Flow departed from its usual pattern, 3 h"), "no rows, no numbers"
    assert describe(detector, cut(rows, 0, 0), found).startswith("Flow departed")
    with pytest.raises(BadArtefact):
        describe(detector, window, found, state=b"x")


def test_equal_names_are_told_apart() -> None:
    whole = pump(700, seed=1)
    sensors = ("a\\Speed", "b\\Speed", "b\\Flow")
    rows = frame(whole.values[:, :3], sensors=sensors)
    detector = fit(cut(rows, 0, 600))
    assert describe(detector, rows, event(rows, 620, 640, 0.1, 0.8, 0.1)).startswith("b\\Speed ")
    assert describe(detector, rows, event(rows, 620, 640, 0.1, 0.1, 0.8)).startswith("Flow ")


@example(start=0, rows=5, lead=0, spike=np.inf, cut_at=5)
@example(start=0, rows=2, lead=0, spike=np.finfo(np.float64).max, cut_at=2)
@settings(max_examples=40)
@given(
    start=st.integers(0, 390),
    rows=st.integers(1, 60),
    lead=st.integers(0, 4),
    spike=st.floats(allow_nan=True, allow_infinity=True),
    cut_at=st.integers(0, 400),
)
def test_there_is_always_something_to_say(
    start: int, rows: int, lead: int, spike: float, cut_at: int
) -> None:
    values = LATER.values.copy()
    values[start : start + rows, lead] = spike
    some = replace(LATER, values=values)
    shares = np.full(5, 0.1)
    shares[lead] = 0.6
    text = describe(SMALL, cut(some, 0, cut_at), event(some, start, min(start + rows, 400), *shares))
    assert text
    assert "nan" not in text.lower()


WHOLE = pump(1600, seed=12)
SMALL = fit(cut(WHOLE, 0, 1200))
LATER = cut(WHOLE, 1200, 1600)


@pytest.mark.parametrize(
    ("length", "text"),
    [("40 s", "40 s"), ("80 min", "80 min"), ("90 min", "2 h"), ("2879 min", "48 h"), ("3000 min", "2 d")],
)
def test_lengths_of_time(length: str, text: str) -> None:
    number, unit = length.split()
    assert sentence._duration(np.timedelta64(int(number), {"s": "s", "min": "m"}[unit])) == text


@pytest.mark.parametrize(
    ("value", "difference", "text"),
    [
        (12.34567, 2.0, "12.3"),
        (12.34567, 0.02, "12.346"),
        (1234.5, 200.0, "1234"),
        (3e9, 1.0, "3e+09"),
        (7.5, 0, "7.5"),
    ],
)
def test_numbers_show_their_difference(value: float, difference: float, text: str) -> None:
    assert sentence._number(value, difference) == text


@pytest.mark.parametrize(
    ("low", "expected", "text"), [(5.0, 10.0, "20 % "), (-5.0, 10.0, ""), (5.0, -10.0, "")]
)
def test_a_percentage_needs_a_fixed_zero(low: float, expected: float, text: str) -> None:
    deviation = sentence._Deviation(
        observed=1.2 * expected, expected=expected, level=2, noise=None, noise_ratio=None, values=np.zeros(1)
    )
    assert sentence._percent(deviation, low, 20.0) == text
