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
        span(2000, 2029, 30, 0.5),
    ]
    assert [(event.start, event.rows) for event in rules.apply(found)] == [
        (found[0].start, 30),
        (found[3].start, 30),
    ]
    assert EventRules.for_reports(15 * STEP) == EventRules(join=360 * STEP, min_rows=3)
    assert EventRules.for_reports(np.timedelta64(1, "s")) == EventRules(
        join=np.timedelta64(360, "s"), min_rows=30
    )


@pytest.mark.parametrize(("distance", "events"), [(5, 1), (6, 2)])
def test_ranges_at_most_the_distance_apart_are_one(distance: int, events: int) -> None:
    found = EventRules(join=5 * STEP).apply([span(0, 2, 3, 1.0), span(2 + distance, 9, 1, 0.0)])
    assert len(found) == events
