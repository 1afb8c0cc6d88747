"""Periods of time, and what a person reads when one is wrong."""

import datetime as dt

import pytest

from constructs_l4e import TimeRange

UTC = dt.UTC
JANUARY = dt.datetime(2026, 1, 1, tzinfo=UTC)


def test_time_range_is_in_utc() -> None:
    berlin = dt.timezone(dt.timedelta(hours=1))
    period = TimeRange(
        start=dt.datetime(2026, 1, 1, 1, tzinfo=berlin), end=dt.datetime(2026, 2, 1, tzinfo=UTC)
    )

    assert period.to_api("Training") == {
        "TrainingDataStartTime": "2026-01-01T00:00:00Z",
        "TrainingDataEndTime": "2026-02-01T00:00:00Z",
    }
    assert period == TimeRange.between("2026-01-01T01:00:00+01:00", "2026-02-01T00:00:00Z")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: TimeRange(start=dt.datetime(2026, 1, 1), end=JANUARY),  # noqa: DTZ001 - the mistake under test
            'start of time range "2026-01-01T00:00:00" has no time zone: add tzinfo=',
        ),
        (
            lambda: TimeRange.between("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"),
            'starts at "2026-01-02T00:00:00Z", which is not before its end "2026-01-01T00:00:00Z": swap them',
        ),
        (lambda: TimeRange(start=JANUARY, end=JANUARY), "which is not before its end"),
        (
            lambda: TimeRange.between("2026-01-01T00:00:00Z", "soon"),
            'end of time range "soon" is not ISO 8601: write for example 2026-01-01T00:00:00Z',
        ),
    ],
)
def test_wrong_time_range(build, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_a_date_is_no_text() -> None:
    with pytest.raises(
        TypeError, match=r"^start of time range is datetime.date\(2026, 1, 1\): write a text such"
    ):
        TimeRange.between(dt.date(2026, 1, 1), dt.date(2026, 7, 1))  # type: ignore[arg-type]  # what is tested
