"""Faults while rows are still to come, by the rules that reports have for events."""

import json
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import EventRules, Faults, Range
from engine.evaluate.faults import Departure
from tests.engine.plant import START, STEP

SENSORS = ("Flow", "Speed")
HOUR = 60
DAY = 24 * HOUR
NONE = Faults(sensors=SENSORS, step=STEP)


def alarm(start: int, minutes: int, lead: float = 1.0) -> Range:
    """Alarm in every minute of some, from a minute on; the share of the first sensor is `lead`."""
    shares = np.array([lead, 1 - lead], np.float32)
    first = START + start * STEP
    return Range(start=first, end=first + (minutes - 1) * STEP, contributions=shares, rows=minutes)


def at(minute: int) -> np.datetime64:
    return START + minute * STEP


def played(ranges: Sequence[Range]) -> tuple[Faults, list[int]]:
    """Return the faults after the ranges, each cut to windows of five minutes, and when faults began."""
    faults, began = NONE, []
    for each in ranges:
        first = round((each.start - START) / STEP)
        for start in range(first, first + each.rows, 5):
            part = alarm(start, min(5, first + each.rows - start), float(each.contributions[0]))
            after = faults.followed([part], parts=[part.start] if start == first else ())
            began += [start] * len(after.began_since(faults))
            faults = Faults.from_json(json.loads(json.dumps(after.to_json())))
    return faults, began


@pytest.mark.parametrize(
    ("ranges", "began", "since", "parts"),
    [
        pytest.param([alarm(0, 29)], [], [], [], id="a blip"),
        pytest.param([alarm(0, 30)], [25], [0], [1], id="half an hour"),
        pytest.param(
            [alarm(0, 10), alarm(200, 10), alarm(550, 10)], [555], [0], [3], id="blips within hours"
        ),
        pytest.param([alarm(day * DAY, 29) for day in range(7)], [], [], [], id="a blip a day"),
        pytest.param(
            [alarm(day * DAY, 8 * HOUR) for day in range(7)], [25], [0], [7], id="by day, for a week"
        ),
        pytest.param(
            [alarm(0, 8 * HOUR), alarm(DAY, 8 * HOUR, 0.0)],
            [25, DAY + 25],
            [0, DAY],
            [1, 1],
            id="another sensor after a day",
        ),
        pytest.param([alarm(0, HOUR), alarm(7 * HOUR - 1, HOUR, 0.0)], [25], [0], [2], id="six hours"),
        pytest.param(
            [alarm(0, HOUR), alarm(7 * HOUR, HOUR, 0.0)],
            [25, 7 * HOUR + 25],
            [0, 7 * HOUR],
            [1, 1],
            id="more than six hours, another sensor",
        ),
        pytest.param(
            [alarm(0, HOUR), alarm(26 * HOUR, HOUR)],
            [25, 26 * HOUR + 25],
            [0, 26 * HOUR],
            [1, 1],
            id="a day without alarm",
        ),
        pytest.param(
            [alarm(0, 2 * DAY), alarm(4 * DAY - HOUR, HOUR)], [25], [0], [2], id="long, then a weekend"
        ),
        pytest.param(
            [alarm(0, HOUR), alarm(2 * DAY, 3 * DAY)],
            [25, 2 * DAY + 25],
            [0],
            [2],
            id="a first sign, which what lasts later bridges",
        ),
        pytest.param(
            [alarm(0, 8 * HOUR), alarm(20 * HOUR, 20), alarm(DAY + 7 * HOUR, 8 * HOUR)],
            [25],
            [0],
            [2],
            id="a blip between",
        ),
    ],
)
def test_one_fault_begins_once(
    ranges: list[Range], began: list[int], since: list[int], parts: list[int]
) -> None:
    faults, times = played(ranges)
    assert times == began
    assert [each.event.start for each in faults.counted] == [at(minute) for minute in since]
    assert [each.parts for each in faults.counted] == parts


def test_a_fault_that_goes_on_says_since_when() -> None:
    faults, _ = played([alarm(0, 8 * HOUR), alarm(DAY, HOUR)])
    for minute in (0, 8 * HOUR, DAY + 59):
        found = faults.at(at(minute))
        assert found is not None
        assert found.event.start == START
    assert faults.at(at(DAY + 60)) is None
    blip = faults.followed([alarm(2 * DAY, 10)])
    assert blip.at(at(2 * DAY)) is None, "not yet"
    longer = blip.followed([alarm(2 * DAY + 10, 20)])
    found = longer.at(at(2 * DAY))
    assert found is not None
    assert found.event.start == START


def test_what_has_ended_for_good_is_forgotten() -> None:
    """A fault a day of another sensor each time: as many are known as one of two and a half days reaches."""
    faults, _ = played([alarm(day * DAY, HOUR, day % 2) for day in range(30)])
    assert len(faults.known) == 3
    assert len(faults.counted) == 3


def test_a_fault_has_ended_once_nothing_can_be_part_of_it() -> None:
    known = NONE.followed([alarm(0, HOUR), alarm(DAY, 10)])
    assert known.until(at(2 * DAY + 12 * HOUR)).ended_since(known) == (), "two and a half days"
    after = known.until(at(2 * DAY + 13 * HOUR))
    (ended,) = after.ended_since(known)
    assert (ended.event.start, ended.event.end) == (START, at(59))
    assert [each.event.start for each in after.known] == [at(DAY)], "the blip may grow yet"
    assert after.until(at(9 * DAY)).ended_since(after) == (), "which was no fault"


def test_a_fault_that_becomes_part_of_another_has_not_ended() -> None:
    before = NONE.followed([alarm(0, HOUR), alarm(2 * DAY, HOUR)])
    assert len(before.counted) == 2
    after = before.followed([alarm(2 * DAY + 2 * HOUR, 2 * DAY)])
    assert len(after.counted) == 1
    assert after.ended_since(before) == ()


def test_faults_of_sensors_that_are_gone_have_ended() -> None:
    before = NONE.followed([alarm(0, HOUR)])
    others = Faults(sensors=("Flow", "Pressure"), step=STEP).followed([alarm(0, HOUR)])
    assert [each.event.start for each in others.ended_since(before)] == [START]


def test_the_departure_at_first_stays_with_a_fault() -> None:
    first = NONE.followed([alarm(0, HOUR)])
    (fault,) = first.known
    known = first.with_first(fault, Departure(sensor=0, by=-2.5))
    later = Faults.from_json(json.loads(json.dumps(known.to_json()))).followed([alarm(20 * HOUR, HOUR)])
    (fault,) = later.counted
    assert fault.first == Departure(sensor=0, by=-2.5)
    other = later.followed([alarm(5 * DAY, HOUR)])
    assert [each.first for each in other.counted] == [None]


def test_nothing_new_changes_nothing() -> None:
    faults = NONE.followed([alarm(0, HOUR)])
    again = faults.followed([])
    assert again.to_json() == faults.to_json()
    assert again.began_since(faults) == ()
    assert NONE.followed([]) is NONE


@st.composite
def sequences(draw: st.DrawFn) -> list[Range]:
    at, found = 0, []
    for _ in range(draw(st.integers(1, 8))):
        at += draw(st.sampled_from([2, 90, 361, 800, 1500, 2500, 3700, 5000]))
        rows = draw(st.integers(1, 3000))
        found.append(alarm(at, rows, draw(st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0]))))
        at += rows
    return found


@settings(max_examples=200)
@given(sequences(), st.integers(0, 8))
def test_rules_of_reports_hold_however_rows_arrive(ranges: list[Range], cut: int) -> None:
    """What a report says of all rows is what is known after each part, but for what is out of reach."""
    rules = EventRules.for_reports(STEP)
    reported = rules.apply(ranges)
    in_parts = rules.apply([*rules.so_far(ranges[:cut]), *ranges[cut:]])
    assert sum(each.rows for each in reported) == sum(each.rows for each in in_parts)
    known = NONE.followed(ranges[:cut]).followed(ranges[cut:])
    starts = [each.event.start for each in known.counted]
    assert starts == [each.start for each in in_parts][len(in_parts) - len(starts) :]
