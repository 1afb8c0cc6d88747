import numpy as np
import pytest

from engine import EventRules, Range
from tests.engine.plant import STEP


def span(start: int, end: int, rows: int, lead: float) -> Range:
    base = np.datetime64("2026-01-01", "us")
    shares = np.array([lead, 1 - lead], np.float32)
    return Range(start=base + start * STEP, end=base + end * STEP, contributions=shares, rows=rows)


def test_the_default_rules_change_nothing() -> None:
    found = [span(0, 1, 2, 1.0), span(3, 3, 1, 0.0)]
    assert EventRules().apply(found) == found


def test_near_ranges_join_and_short_ones_are_dropped() -> None:
    rules = EventRules(join=5 * STEP, min_rows=3)
    events = rules.apply([span(0, 2, 3, 1.0), span(6, 6, 1, 0.0), span(20, 21, 2, 1.0)])
    assert [(event.start, event.end, event.rows) for event in events] == [
        (span(0, 0, 1, 1).start, span(6, 6, 1, 1).end, 4)
    ]
    assert events[0].contributions.tolist() == [0.75, 0.25]


def test_the_rules_of_reports_count_in_time() -> None:
    rules = EventRules.for_reports(STEP)
    found = [
        span(0, 19, 20, 1.0),
        span(370, 379, 10, 0.0),
        span(800, 810, 11, 1.0),
        span(2000, 2029, 30, 0.0),
    ]
    assert [(event.start, event.rows) for event in rules.apply(found)] == [
        (found[0].start, 30),
        (found[3].start, 30),
    ]
    hours = np.timedelta64(1, "h")
    for step, min_rows in ((15 * STEP, 3), (STEP, 30), (np.timedelta64(1, "s"), 30)):
        assert EventRules.for_reports(step) == EventRules(
            join=6 * hours, min_rows=min_rows, pause=24 * hours, longest_pause=60 * hours
        )


def hours(start: float, end: float, lead: float) -> Range:
    return span(round(60 * start), round(60 * end), round(60 * (end - start)), lead)


@pytest.mark.parametrize(
    ("first", "second", "events"),
    [
        pytest.param(hours(0, 8, 1.0), hours(24, 32, 1.0), 1, id="a fault by day"),
        pytest.param(hours(0, 48, 1.0), hours(108, 109, 1.0), 2, id="short after a weekend"),
        pytest.param(hours(0, 60, 1.0), hours(120, 121, 1.0), 1, id="long, then a weekend"),
        pytest.param(hours(0, 1, 1.0), hours(61, 121, 1.0), 1, id="its first sign, a weekend before"),
        pytest.param(hours(0, 90, 1.0), hours(150.5, 240, 1.0), 2, id="longer than a weekend apart"),
        pytest.param(hours(0, 1, 1.0), hours(26, 27, 1.0), 2, id="two blips, more than a day apart"),
        pytest.param(hours(0, 90, 1.0), hours(100, 190, 0.0), 2, id="another sensor"),
        pytest.param(
            hours(0, 90, 0.84), hours(100, 190, 0.16), 1, id="each leads, and takes part in the other"
        ),
        pytest.param(hours(0, 90, 0.86), hours(100, 190, 0.4), 2, id="one takes no part in the other"),
        pytest.param(hours(0, 90, 0.4), hours(100, 190, 0.86), 2, id="nor the other way round"),
        pytest.param(hours(0, 90, 1.0), hours(94, 190, 0.0), 1, id="hours apart, whoever leads"),
    ],
)
def test_a_fault_is_one_event_through_its_pauses(first: Range, second: Range, events: int) -> None:
    found = EventRules.for_reports(STEP).apply([first, second])
    assert len(found) == events
    assert (found[0].start, found[-1].end) == (first.start, second.end)


def test_first_signs_belong_to_what_grows_out_of_them() -> None:
    """However a fault came and went at first: its parts join whatever was found first."""
    signs = [hours(0, 6, 1.0), hours(60, 66, 1.0), hours(100, 110, 1.0), hours(130, 260, 1.0)]
    (event,) = EventRules.for_reports(STEP).apply(signs)
    assert (event.start, event.end, event.rows) == (signs[0].start, signs[-1].end, 152 * 60)


def test_blips_do_not_lengthen_an_event() -> None:
    fault, blip = hours(0, 48, 1.0), hours(60, 60.3, 1.0)
    found = EventRules.for_reports(STEP).apply([fault, blip, hours(70, 70.4, 1.0)])
    assert [(event.start, event.end) for event in found] == [(fault.start, fault.end)]


def test_two_faults_stay_two_though_each_comes_and_goes() -> None:
    found = EventRules.for_reports(STEP).apply(
        [hours(0, 20, 1.0), hours(30, 60, 1.0), hours(80, 100, 0.0), hours(115, 140, 0.0)]
    )
    assert [event.contributions.tolist() for event in found] == [[1, 0], [0, 1]]


@pytest.mark.parametrize(("distance", "events"), [(5, 1), (6, 2)])
def test_ranges_at_most_the_distance_apart_are_one(distance: int, events: int) -> None:
    found = EventRules(join=5 * STEP).apply([span(0, 2, 3, 1.0), span(2 + distance, 9, 1, 0.0)])
    assert len(found) == events
