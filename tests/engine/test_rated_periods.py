"""What periods that people have rated do to a training: faults, neutral ones, and those that are normal."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Frame, Interval, fit
from tests.engine.plant import cut, pump

ROWS, START, STOP = 4000, 2000, 2200
FLOW = 1


def period(rows: Frame, start: int = START, stop: int = STOP) -> list[Interval]:
    return [(rows.times[start], rows.times[stop - 1])]


def odd_pump() -> Frame:
    """A pump whose flow is far above all else for 200 rows: long enough to be taken for a fault."""
    rows = pump(ROWS, seed=5)
    values = rows.values.copy()
    values[START:STOP, FLOW] += 200
    return replace(rows, values=values)


@pytest.fixture(scope="module")
def odd() -> Frame:
    return odd_pump()


def highest_flow(rows: Frame, **rated: list[Interval]) -> float:
    """The highest flow that a fit of the rows calls usual."""
    return float(fit(rows, **rated).training_range.high[FLOW])  # type: ignore[arg-type]  # the periods alone


def test_what_looks_like_a_fault_is_learned_when_it_is_confirmed(odd: Frame) -> None:
    assert highest_flow(odd) < 90
    assert highest_flow(odd, confirmed=period(odd)) > 200


def test_a_neutral_period_is_not_learned_whatever_it_looks_like() -> None:
    rows = pump(ROWS, seed=5)
    values = rows.values.copy()
    values[START : START + 20, FLOW] += 200  # too short to be taken for a fault
    short = replace(rows, values=values)

    assert highest_flow(short) > 200
    assert highest_flow(short, neutral=period(short)) < 90


@pytest.mark.parametrize("other", ["labels", "neutral"])
def test_doubt_goes_before_a_confirmation(odd: Frame, other: str) -> None:
    both = {"confirmed": period(odd), other: period(odd)}

    assert highest_flow(odd, **both) < 90


def test_rows_beside_a_fault_are_learned_when_they_are_confirmed(odd: Frame) -> None:
    fault = period(odd, START + 20, STOP)

    assert highest_flow(odd, labels=fault) < 90
    assert highest_flow(odd, labels=fault, confirmed=period(odd, START, START + 20)) > 200


def test_alarms_in_neutral_periods_do_not_move_limits() -> None:
    """Three faults ask for lower limits, which alarms outside them forbid; neutral ones do not count."""
    rows = pump(6000, seed=9)
    values = rows.values.copy()
    events = [(at, at + 60) for at in (1500, 2500, 3500)]
    for start, stop in events:
        values[start:stop, FLOW] *= np.linspace(1, 0.93, stop - start)
    for at in range(4000, 5800, 90):
        values[at : at + 12, FLOW] *= 0.9
    noisy = replace(rows, values=values)
    labels = [each for start, stop in events for each in period(noisy, start, stop)]

    strict = fit(noisy, labels=labels)
    lenient = fit(noisy, labels=labels, neutral=period(noisy, 3900, 6000))
    clean = fit(cut(noisy, 0, 3900), labels=labels)

    assert lenient.widening < strict.widening
    assert lenient.widening == pytest.approx(clean.widening, rel=0.5)


def test_without_periods_nothing_changes(odd: Frame) -> None:
    assert fit(odd).to_bytes() == fit(odd, neutral=(), confirmed=()).to_bytes()
