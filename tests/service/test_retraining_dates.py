"""Dates of retrainings: midnights in UTC, a period apart, none of them twice and none of the past."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.clock import moment
from service.schedulers.retraining_dates import (
    Frequency,
    WrongFrequencyError,
    midnight,
    next_date,
    next_midnight,
)
from tests.retraining_frequencies import TAKEN, TOO_LONG, TOO_SHORT


@pytest.mark.parametrize("text", TAKEN)
def test_frequencies_from_thirty_days_to_a_year(text: str) -> None:
    Frequency.parse(text)


@pytest.mark.parametrize("text", TOO_SHORT)
def test_too_short(text: str) -> None:
    with pytest.raises(WrongFrequencyError, match=f"'{text}' is shorter than 30 days: give P30D to P1Y"):
        Frequency.parse(text)


@pytest.mark.parametrize("text", TOO_LONG)
def test_too_long(text: str) -> None:
    with pytest.raises(WrongFrequencyError, match=f"'{text}' is longer than a year: give P30D to P1Y"):
        Frequency.parse(text)


@pytest.mark.parametrize(
    ("frequency", "dates"),
    [
        ("P1M", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        ("P30D", ["2026-01-31", "2026-03-02", "2026-04-01", "2026-05-01"]),
        ("P1Y", ["2026-01-31", "2027-01-31", "2028-01-31", "2029-01-31"]),
        ("P1M15D", ["2026-01-31", "2026-03-15", "2026-04-30", "2026-06-14"]),
    ],
)
def test_periods_are_counted_from_the_start(frequency: str, dates: list[str]) -> None:
    start, every = date.fromisoformat(dates[0]), Frequency.parse(frequency)
    assert [every.after(start, periods).isoformat() for periods in range(4)] == dates


def test_a_date_of_today_counts_and_one_of_yesterday_does_not() -> None:
    now = datetime(2026, 3, 10, 17, tzinfo=UTC)
    assert next_date(midnight(now), "P30D", now=now, begun=None) == midnight(now)
    yesterday = midnight(now - timedelta(1))
    assert moment(next_date(yesterday, "P30D", now=now, begun=None)).date() == date(2026, 4, 8)
    assert moment(next_date(midnight(now), "P30D", now=now, begun=midnight(now))).date() == date(2026, 4, 9)


def test_without_a_start_date_it_is_the_next_midnight() -> None:
    assert moment(next_midnight(datetime(2026, 12, 31, 23, 59, tzinfo=UTC))) == datetime(
        2027, 1, 1, tzinfo=UTC
    )


@given(
    start=st.dates(date(1990, 1, 1), date(2040, 1, 1)),
    today=st.dates(date(2000, 1, 1), date(2060, 1, 1)),
    frequency=st.sampled_from(TAKEN),
    again=st.booleans(),
)
def test_the_next_date_is_the_first_of_its_dates(
    start: date, today: date, frequency: str, *, again: bool
) -> None:
    now = datetime(today.year, today.month, today.day, 13, tzinfo=UTC)
    begun = midnight(now) if again else None
    found = moment(next_date(midnight(start), frequency, now=now, begun=begun)).date()
    earliest = today + timedelta(1) if again else today
    every = Frequency.parse(frequency)
    dates = [every.after(start, periods) for periods in range(860)]
    assert found == next(each for each in dates if each >= earliest)
