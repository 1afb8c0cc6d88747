"""What a report says of events."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from engine import Detector, Frame, Scores, Summary, fit, summaries
from engine.explain.sentence import growth
from tests.engine.plant import STEP, cut, pump

FLOW = 1
START, END = 500, 1000
"""First row of the fault, and the row after its last."""


@pytest.fixture(scope="module")
def trained() -> tuple[Detector, Frame]:
    whole = pump(7500, seed=8)
    return fit(cut(whole, 0, 6000)), cut(whole, 6000, 7500)


def reported(trained: tuple[Detector, Frame], by: Sequence[float]) -> tuple[Summary, Scores]:
    """Return the longest event when Flow departs by this much, and the scores."""
    detector, healthy = trained
    values = healthy.values.copy()
    values[START:END, FLOW] += by
    rows = replace(healthy, values=values)
    scores = detector.score(rows)
    (found,) = summaries(detector, rows, scores, most=1)
    return found, scores


@pytest.mark.parametrize(
    ("first", "last", "grew"), [(-4, -16, "grew"), (16, 4, "shrank"), (-8, -8, ""), (4, 5, "")]
)
def test_a_report_says_how_an_event_grew(
    trained: tuple[Detector, Frame], first: float, last: float, grew: str
) -> None:
    found, _ = reported(trained, np.linspace(first, last, END - START))
    assert found.text.startswith("Flow ")
    if not grew:
        assert "the departure" not in found.text
        return
    before, after = found.text.split(f"; the departure {grew} from ")[1].split(" to ")
    width = (last - first) / 10
    assert float(before) == pytest.approx(abs(first + width), rel=0.2)
    assert float(after) == pytest.approx(abs(last - width), rel=0.2)


def test_a_few_rows_do_not_tell_how_an_event_grew(trained: tuple[Detector, Frame]) -> None:
    detector, healthy = trained
    values = healthy.values.copy()
    values[START:END, FLOW] -= np.linspace(4, 16, END - START)
    rows = replace(healthy, values=values)
    (found,) = summaries(detector, rows, detector.score(rows), most=1)
    few = replace(found.event, rows=24)
    assert growth(detector, rows, rows, few) == ""
    assert growth(detector, rows, rows, replace(few, rows=25)).startswith("; the departure grew from ")


def test_a_report_says_how_sure_an_event_is(trained: tuple[Detector, Frame]) -> None:
    found, scores = reported(trained, np.full(END - START, -12.0))
    inside = slice(START, END)
    assert found.peak == scores.score[inside].max()
    assert 0.95 < found.alarmed <= 1
    half = np.where(np.arange(END - START) % 100 < 50, -12.0, 0.0)
    pausing, scores = reported(trained, half)
    assert pausing.event.end - pausing.event.start > 440 * STEP
    on = (scores.times >= pausing.event.start) & (scores.times <= pausing.event.end)
    assert pausing.alarmed == pytest.approx(scores.prediction[on].mean())
    assert pausing.alarmed < 0.8


def test_rows_with_the_machine_off_count_for_nothing(trained: tuple[Detector, Frame]) -> None:
    detector, healthy = trained
    values, off = healthy.values.copy(), healthy.off.copy()
    values[START:END, FLOW] -= 12
    off[600:700] = True
    rows = replace(healthy, values=values, off=off)
    scores = detector.score(rows)
    (found,) = summaries(detector, rows, scores, most=1)
    inside = (scores.times >= found.event.start) & (scores.times <= found.event.end)
    assert found.alarmed == pytest.approx(scores.prediction[inside & ~off].mean())


def test_the_longest_events_are_told_in_order(trained: tuple[Detector, Frame]) -> None:
    detector, healthy = trained
    values = healthy.values.copy()
    for sensor, start, stop in ((FLOW, 100, 160), (4, 600, 900), (FLOW, 1300, 1450)):
        values[start:stop, sensor] += 12
    rows = replace(healthy, values=values)
    found = summaries(detector, rows, detector.score(rows), most=2)
    assert [each.event.start >= rows.times[599] for each in found] == [True, True]
    assert found[0].event.start < found[1].event.start
