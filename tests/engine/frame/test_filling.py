"""How long last values stand in: for as long as their sensors usually pause."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import Frame, LastValue, OffCondition, build_frame
from engine.frame.filling import ENOUGH_PAUSES, FilledColumn, usual_limit
from engine.ingest.parquet import TIMESTAMP

MINUTE = np.timedelta64(60, "s").astype("timedelta64[us]")
START = np.datetime64("2026-01-01T00:00", "us")
ROWS = 2000


def at(minute: int) -> np.datetime64:
    return START + minute * MINUTE


def component(**missing: np.ndarray) -> io.BytesIO:
    """Two thousand minutes of sensors whose value is the row, without those that are missing."""
    columns = {name: np.where(gone, np.nan, np.arange(ROWS)) for name, gone in missing.items()}
    sink = io.BytesIO()
    pq.write_table(pa.table({TIMESTAMP: at(0) + np.arange(ROWS) * MINUTE, **columns}), sink)
    return sink


def built(source: io.BytesIO, *sensors: str, **options: object) -> Frame:
    settings = {"start": None, "end": None, "step_seconds": None, "off": None} | options
    return build_frame({"c": source}, sensors=[f"c\\{name}" for name in sensors], **settings)


def rows(*spans: tuple[int, int]) -> np.ndarray:
    marked = np.zeros(ROWS, bool)
    for start, stop in spans:
        marked[start:stop] = True
    return marked


ALWAYS = rows()
OUTAGE = rows((500, 800))
HOURLY = np.arange(ROWS) % 10 != 0
"""Reports every ten minutes."""


def test_a_sensor_of_every_row_has_no_value_in_an_outage() -> None:
    frame = built(component(a=ALWAYS, b=OUTAGE), "a", "b")
    assert frame.fill_limits == {"c\\a": 2 * MINUTE, "c\\b": 2 * MINUTE}
    assert frame.values[499:503, 1].tolist()[:3] == [499, 499, 499]
    assert np.isnan(frame.values[502:800, 1]).all()
    assert frame.values[800:, 1].tolist() == list(range(800, ROWS))


def test_a_sensor_that_reports_seldom_has_its_last_value_in_between() -> None:
    frame = built(component(a=ALWAYS, b=HOURLY | OUTAGE), "a", "b")
    assert frame.fill_limits["c\\b"] == 20 * MINUTE
    assert frame.values[:500, 1].tolist() == [row // 10 * 10 for row in range(500)]
    assert np.isfinite(frame.values[:511, 1]).all()
    assert np.isnan(frame.values[511:800, 1]).all()


def test_what_reports_on_change_is_missing_only_after_a_pause_unlike_all_others() -> None:
    reports = np.cumsum(np.random.default_rng(1).integers(1, 15, ROWS))
    missing = np.ones(ROWS, bool)
    missing[np.append(0, reports[reports < ROWS])] = False
    frame = built(component(a=ALWAYS, b=missing), "a", "b")
    assert frame.fill_limits["c\\b"] == 28 * MINUTE
    assert np.isfinite(frame.values).all()
    assert np.isnan(built(component(a=ALWAYS, b=missing | OUTAGE), "a", "b").values[530:800, 1]).all()


def test_few_reports_do_not_tell_what_is_usual() -> None:
    frame = built(component(a=ALWAYS, b=rows((30, ROWS))), "a", "b")
    assert frame.fill_limits.keys() == {"c\\a"}
    assert (frame.values[29:, 1] == 29).all()


@pytest.mark.parametrize(
    ("reports", "limit"),
    [(ENOUGH_PAUSES, None), (ENOUGH_PAUSES + 1, 2 * MINUTE)],
)
def test_a_hundred_pauses_are_enough(reports: int, limit: np.timedelta64 | None) -> None:
    assert usual_limit(np.zeros(reports), at(0) + np.arange(reports) * MINUTE) == limit


DAYS = 20
LONG = np.arange(DAYS * 1440)
TIMES = at(0) + LONG * MINUTE
HOUR = LONG // 60 % 24


@pytest.mark.parametrize(
    ("missing", "values", "limit"),
    [
        (LONG // 720 % 23 == 5, np.sin(LONG / 300), 2 * MINUTE),
        (HOUR < 6, np.sin(LONG / 300), None),
        (HOUR == 3, np.sin(LONG / 300), None),
        ((HOUR == 3) & (LONG // 1440 % 4 == 0), np.sin(LONG / 300), 2 * MINUTE),
        (LONG > 8000, np.sin(LONG / 300), 2 * MINUTE),
        ((LONG > 8000) & (LONG < 25_000), np.sin(LONG / 4000), 2 * MINUTE),
        (np.sin(LONG / 4000) < 0, np.maximum(np.sin(LONG / 4000), 0), None),
        (LONG % 300 > 200, np.sin(LONG / 300), None),
    ],
    ids=["half a day", "nights", "an hour a day", "an hour in four days", "dead", "back", "valve", "bursts"],
)
def test_longer_pauses_are_failures_unless_it_is_recorded_so(
    missing: np.ndarray, values: np.ndarray, limit: np.timedelta64 | None
) -> None:
    assert usual_limit(np.where(missing, np.nan, values), TIMES) == limit


def test_time_without_any_row_is_no_pause() -> None:
    by_day = HOUR >= 6
    assert usual_limit(np.zeros(by_day.sum()), TIMES[by_day]) == 2 * MINUTE


def test_limits_of_a_training_hold_for_other_rows() -> None:
    source = component(a=ALWAYS, b=rows((3, ROWS)))
    given_limits = {"c\\b": 5 * MINUTE}
    frame = built(source, "a", "b", fill_limits=given_limits)
    assert frame.fill_limits == given_limits
    assert np.isfinite(frame.values[:8, 1]).all()
    assert np.isnan(frame.values[8:, 1]).all()
    assert np.isfinite(built(source, "a", "b", fill_limits={}).values).all()


@pytest.mark.parametrize(("before", "known"), [(-1, 2), (-3, 0)])
def test_a_value_from_before_the_rows_is_as_old_as_it_is(before: int, known: int) -> None:
    """One that is too old for all rows leaves its sensor without a value, and is no error."""
    frame = built(
        component(a=ALWAYS, b=rows((0, ROWS))),
        "a",
        "b",
        carry={"c\\b": LastValue(7.0, at(before))},
        fill_limits={"c\\b": 2 * MINUTE},
    )
    assert len(frame.times) == ROWS
    assert np.isfinite(frame.values[:, 1]).sum() == known
    assert (frame.values[:known, 1] == 7).all()


def test_whether_a_machine_is_off_is_asked_of_the_latest_value_however_old() -> None:
    off = OffCondition(sensor="c\\b", operator=">", threshold=400.0)
    frame = built(component(a=ALWAYS, b=OUTAGE), "a", "b", off=off)
    assert np.isnan(frame.values[600, 1])
    assert frame.off[401:].all()
    assert not frame.off[:401].any()


@given(
    known=st.lists(st.booleans(), min_size=1, max_size=30),
    limit=st.integers(0, 8),
    before=st.none() | st.integers(1, 8),
)
def test_each_value_is_the_last_one_as_long_as_it_is_young_enough(
    known: list[bool], limit: int, before: int | None
) -> None:
    column = np.where(known, np.arange(len(known)), np.nan)
    last = None if before is None else LastValue(-1.0, at(-before))
    filled = FilledColumn.of(column, at(0) + np.arange(len(known)) * MINUTE, last)
    expected, value, seen = [], None if before is None else -1.0, -(before or 0)
    for row, has in enumerate(known):
        if has:
            value, seen = float(row), row
        expected.append(np.nan if value is None or row - seen > limit else value)
    np.testing.assert_array_equal(filled.within(limit * MINUTE), expected)
