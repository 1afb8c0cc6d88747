from dataclasses import replace

import numpy as np
import pytest

from engine import Detector, EventRules, Frame, Range, describe, fit, ranges
from tests.engine.plant import STEP, cut, pump


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


@pytest.fixture(scope="module")
def trained() -> tuple[Detector, Frame]:
    whole = pump(7000, seed=8)
    return fit(cut(whole, 0, 6000)), cut(whole, 6000, 7000)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("low", "Flow fell below what the other sensors predict, 3 h"),
        ("high", "Flow rose above what the other sensors predict, 3 h"),
        ("noisy", "Flow varied more than usual"),
    ],
)
def test_an_event_is_told_in_plain_words(trained: tuple[Detector, Frame], kind: str, words: str) -> None:
    detector, healthy = trained
    values = healthy.values.copy()
    noise = np.random.default_rng(1).normal(0, 4, 180)
    values[500:680, 1] += {"low": -8.0, "high": 8.0, "noisy": noise}[kind]
    frame = replace(healthy, values=values)
    event = max(
        EventRules(join=60 * STEP).apply(ranges(detector.score(frame), step=STEP)), key=lambda each: each.rows
    )
    assert describe(detector, frame, event).startswith(words)
