"""When a model is retrained: at midnight UTC, from a start date on, once in every period. Pure."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Self

from service.clock import moment, timestamp

SHORTEST_DAYS = 30
LOOKBACK_DAYS = {f"P{days}D": days for days in (180, 360, 540, 720)}
"""Days of data by `LookbackWindow`."""

_FREQUENCY = re.compile(r"P(?:(\d)Y)?(?:(\d{1,2})M)?(?:(\d{1,3})D)?", re.ASCII)
_ORDINARY_YEAR = date(2001, 1, 1)


class WrongFrequencyError(ValueError):
    """A `RetrainingFrequency` that nothing can be retrained at; the text says what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequency:
    """A `RetrainingFrequency`: calendar months, and days after them."""

    months: int
    days: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the frequency that `text` says, as in `P2M`, `P3M15D` or `P1Y`.

        Raises:
            WrongFrequencyError: when it has another form, or is shorter than 30 days or longer than a year.
        """
        match = _FREQUENCY.fullmatch(text)
        years, months, days = (int(group or 0) for group in match.groups()) if match else (0, 0, 0)
        found = cls(months=12 * years + months, days=days)
        if match is None or (found.months == 0 and found.days < SHORTEST_DAYS):
            raise WrongFrequencyError(
                f"RetrainingFrequency '{text}' is shorter than {SHORTEST_DAYS} days: give P30D to P1Y, as in "
                "P2M or P150D"
            )
        if found.after(_ORDINARY_YEAR, 1) > _ORDINARY_YEAR.replace(year=_ORDINARY_YEAR.year + 1):
            raise WrongFrequencyError(
                f"RetrainingFrequency '{text}' is longer than a year: give P30D to P1Y, as in P2M or P150D"
            )
        return found

    def after(self, start: date, periods: int) -> date:
        """Return the date so many periods after a start. Of a month without that day it is the last day."""
        months = start.year * 12 + start.month - 1 + periods * self.months
        year, month = divmod(months, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return date(year, month + 1, min(start.day, last)) + timedelta(periods * self.days)


def midnight(moment_or_date: datetime | date) -> Decimal:
    """Return the start of a day in UTC, in epoch seconds."""
    return timestamp(datetime(moment_or_date.year, moment_or_date.month, moment_or_date.day, tzinfo=UTC))


def next_midnight(now: datetime) -> Decimal:
    """Return the first start of a day in UTC after `now`."""
    return midnight(now.astimezone(UTC).date() + timedelta(1))


def next_date(start: Decimal, frequency: str, *, now: datetime, begun: Decimal | None) -> Decimal:
    """Return the date of the next retraining: the first one from today on that was not begun yet.

    Dates that have passed are not made up for.

    Args:
        start: `RetrainingStartDate`.
        frequency: `RetrainingFrequency`.
        now: the time.
        begun: the date of the latest retraining that was begun, if there was one.
    """
    every, first, today = Frequency.parse(frequency), moment(start).date(), now.astimezone(UTC).date()
    earliest = today if begun is None else max(today, moment(begun).date() + timedelta(1))
    periods = max(0, (earliest - first).days // 367)  # a period has at most 366 days, so none is passed over
    while every.after(first, periods) < earliest:
        periods += 1
    return midnight(every.after(first, periods))
