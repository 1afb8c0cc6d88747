"""Which windows a scheduler infers: the rules. Sequences of changes: test_window_sequences."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.members.durations import seconds
from service.schedulers.execution_claims import is_abandoned
from service.schedulers.inference_windows import (
    InferenceWindow,
    frequency_for,
    is_due,
    missed_span,
    next_window,
    pauses_when_started,
    pauses_when_stopped,
    segment_start,
    segments,
)

FREQUENCIES = ("PT5M", "PT10M", "PT15M", "PT30M", "PT1H")
HOURS = 3600


def at(time: str) -> int:
    return int(datetime.fromisoformat(f"2026-11-20T{time}+00:00").timestamp())


def clock(moment: float) -> str:
    return f"{datetime.fromtimestamp(float(moment), UTC):%H:%M}"


def scheduler(
    until: str = "09:00", frequency: str = "PT5M", delay: int = 0, **members: Any
) -> dict[str, Any]:
    return {
        "inferredUntil": at(until),
        "DataUploadFrequency": frequency,
        "DataDelayOffsetInMinutes": delay,
        **members,
    }


def shown(window: InferenceWindow | None) -> str:
    return "-" if window is None else f"{clock(window.start)}-{clock(window.end)}"


@pytest.mark.parametrize(
    ("now", "delay", "wakes"),
    [
        ("09:00:01", 0, ("09:05", "09:10", "09:15", "09:30", "10:00")),
        ("09:00:01", 5, ("09:10", "09:15", "09:20", "09:35", "10:05")),
        ("09:00:00", 0, ("09:05", "09:10", "09:15", "09:30", "10:00")),
        ("09:59:59", 0, ("10:00", "10:00", "10:00", "10:00", "10:00")),
        ("23:58:00", 0, ("00:00", "00:00", "00:00", "00:00", "00:00")),
    ],
)
def test_the_first_wake_of_a_new_scheduler(now: str, delay: int, wakes: tuple[str, ...]) -> None:
    for frequency, wake in zip(FREQUENCIES, wakes, strict=True):
        new = {**scheduler(frequency=frequency), "inferredUntil": segment_start(at(now), frequency)}
        assert clock(next_window(new).end + delay * 60) == wake, frequency


def test_a_first_window_may_begin_before_the_scheduler_was_created() -> None:
    new = {**scheduler(frequency="PT10M", delay=5), "inferredUntil": segment_start(at("09:08"), "PT10M")}
    assert shown(next_window(new)) == "09:00-09:10"
    assert not is_due(new, next_window(new), now=at("09:14:59"))
    assert is_due(new, next_window(new), now=at("09:15"))


@pytest.mark.parametrize(
    ("until", "frequency", "windows"),
    [
        ("09:05", "PT10M", "09:05-09:10"),
        ("09:05", "PT1H", "09:05-10:00"),
        ("09:00", "PT1H", "09:00-10:00"),
        ("09:45", "PT10M", "09:45-09:50"),
        ("09:30", "PT15M", "09:30-09:45"),
    ],
)
def test_a_new_frequency_goes_on_where_the_old_one_ended(until: str, frequency: str, windows: str) -> None:
    assert shown(next_window(scheduler(until, frequency))) == windows


def test_a_record_of_an_earlier_release_names_the_end_of_its_next_window() -> None:
    earlier = {"nextSegmentEnd": at("09:10"), "DataUploadFrequency": "PT10M"}
    assert shown(next_window(earlier)) == "09:00-09:10"


@pytest.mark.parametrize(
    ("now", "delay", "span"),
    [
        ("10:05", 0, "-"),
        ("10:05:01", 0, "09:00-09:05"),
        ("10:07", 0, "09:00-09:05"),
        ("10:10:01", 0, "09:00-09:10"),
        ("10:10", 5, "-"),
        ("10:10:01", 5, "09:00-09:05"),
    ],
)
def test_windows_are_missed_an_hour_after_they_were_due(now: str, delay: int, span: str) -> None:
    late = scheduler(delay=delay)
    assert shown(missed_span(late, now=at(now), catch_up=HOURS)) == span
    assert missed_span(late, now=at(now), catch_up=None) is None


def test_a_span_that_was_missed_ends_before_a_pause() -> None:
    pauses = [{"start": at("09:20"), "end": at("09:40")}]
    late = scheduler(pauses=pauses)
    assert shown(missed_span(late, now=at("11:03"), catch_up=HOURS)) == "09:00-09:20"
    after = scheduler("09:20", pauses=pauses)
    assert shown(missed_span(after, now=at("11:03"), catch_up=HOURS)) == "09:40-10:00"
    slow = scheduler(frequency="PT1H", pauses=pauses)
    assert shown(missed_span(slow, now=at("10:30"), catch_up=HOURS)) == "09:00-09:20"


@pytest.mark.parametrize(
    ("span", "frequency", "count"),
    [("09:00-09:10", "PT5M", 2), ("09:05-10:00", "PT1H", 1), ("09:05-11:00", "PT1H", 2)],
)
def test_the_number_of_windows_in_a_span(span: str, frequency: str, count: int) -> None:
    start, end = span.split("-")
    assert segments(InferenceWindow(start=at(start), end=at(end)), frequency) == count


@pytest.mark.parametrize(
    ("stop", "start", "delay", "pauses"),
    [
        ("09:00:30", "10:03", 0, ["09:00-10:00"]),
        ("09:07", "09:08", 0, []),  # no window was due between: none is left out
        ("09:07", "09:12", 0, ["09:05-09:10"]),
        ("09:07", "09:12", 5, ["09:00-09:05"]),  # (09:00, 09:05] was due while it was stopped
        ("09:07", "08:00", 0, []),  # the clock was set back
    ],
)
def test_what_a_stop_leaves_out(stop: str, start: str, delay: int, pauses: list[str]) -> None:
    record = scheduler(delay=delay)
    stopped = {**record, "pauses": pauses_when_stopped(record, now=at(stop))}
    found = pauses_when_started(stopped, now=at(start))
    assert [f"{clock(one['start'])}-{clock(one['end'])}" for one in found] == pauses


def test_windows_that_were_due_before_a_stop_are_inferred_after_it() -> None:
    record = scheduler("08:30")
    stopped = {**record, "pauses": pauses_when_stopped(record, now=at("09:01"))}
    started = {**stopped, "pauses": pauses_when_started(stopped, now=at("10:01"))}
    assert shown(next_window(started)) == "08:30-08:35"
    assert shown(next_window({**started, "inferredUntil": at("08:55")})) == "08:55-09:00"
    assert shown(next_window({**started, "inferredUntil": at("09:00")})) == "10:00-10:05"


def test_a_window_that_was_begun_is_next_whatever_was_left_out_since() -> None:
    pauses = [{"start": at("09:00"), "end": at("10:00")}]
    assert shown(next_window(scheduler(pauses=pauses))) == "10:00-10:05"
    assert shown(next_window(scheduler(pauses=pauses, begun=at("09:00")))) == "09:00-09:05"


def test_stops_without_a_window_between_them_are_one_pause() -> None:
    record = scheduler()
    for stop, start in (("09:06", "09:16"), ("09:17", "09:27"), ("09:28", "09:41")):
        record["pauses"] = pauses_when_stopped(record, now=at(stop))
        record["pauses"] = pauses_when_started(record, now=at(start))
    assert record["pauses"] == [{"start": at("09:05"), "end": at("09:40")}]


def test_a_scheduler_that_an_earlier_release_stopped_goes_on_after_its_start() -> None:
    earlier = {"nextSegmentEnd": at("09:10"), "DataUploadFrequency": "PT10M"}
    started = {**earlier, "pauses": pauses_when_started(earlier, now=at("11:08"))}
    assert shown(next_window(started)) == "11:00-11:10"


@pytest.mark.parametrize(
    ("span", "frequency"), [("09:00-09:05", "PT5M"), ("09:00-09:20", "PT30M"), ("09:00-11:00", "PT1H")]
)
def test_the_limits_of_a_window_follow_from_its_length(span: str, frequency: str) -> None:
    start, end = span.split("-")
    window = InferenceWindow(start=at(start), end=at(end))
    assert frequency_for(window, ("PT1H", "PT5M", "PT30M")) == frequency


@pytest.mark.parametrize(
    ("later", "abandoned"), [(0, False), (959, False), (960, True), (-959, False), (-960, True)]
)
def test_a_claim_is_abandoned_after_16_minutes(later: int, *, abandoned: bool) -> None:
    assert is_abandoned(1000.0, now=1000.0 + later) is abandoned


@given(
    until=st.integers(0, 10**6).map(lambda n: n * 300),
    late=st.floats(0, 10**6),
    delay=st.integers(0, 60),
    frequency=st.sampled_from(FREQUENCIES),
)
def test_windows_and_missed_spans_follow_each_other(
    until: int, late: float, delay: int, frequency: str
) -> None:
    record = {**scheduler(frequency=frequency, delay=delay), "inferredUntil": until}
    now = until + late
    span = missed_span(record, now=now, catch_up=86_400)
    if span is not None:
        assert span.start == until
        assert span.end + delay * 60 < now - 86_400
        record["inferredUntil"] = span.end
    window = next_window(record)
    assert missed_span(record, now=now, catch_up=86_400) is None
    assert window.start == record["inferredUntil"]
    assert window.end % seconds(frequency) == 0
    assert 0 < window.end - window.start <= seconds(frequency)
    assert window.end + delay * 60 >= now - 86_400
