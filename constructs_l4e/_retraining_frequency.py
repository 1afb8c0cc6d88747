"""The rule of `RetrainingFrequency`, which the service model does not say: 30 days to one year."""

import calendar
import datetime as dt
import re

import aws_cdk as cdk

from constructs_l4e import _validate

_FORM = re.compile(r"P(?:(\d)Y)?(?:(\d{1,2})M)?(?:(\d{1,3})D)?", re.ASCII)
_SHORTEST_DAYS = 30
_FIX = 'use "P30D" to "P1Y", such as "P2M" or "P150D", or cdk.Duration.days(30) to cdk.Duration.days(365)'


def retraining_frequency(value: str | cdk.Duration) -> str:
    """Return a frequency as the API takes it.

    Raises:
        ValueError: when it is not known at synthesis, has another form, or is too short or too long.
    """
    if isinstance(value, cdk.Duration):
        if value.is_unresolved():
            raise ValueError(f"retraining frequency is a token, and must be known at synthesis: {_FIX}")
        days = value.to_days(integral=False)
        if days != int(days):
            raise ValueError(f'retraining frequency "{value.to_iso_string()}" has no whole days: {_FIX}')
        value = f"P{int(days)}D"
    match = _FORM.fullmatch(_validate.known(value, what="retraining frequency", fix=_FIX))
    years, months, days = (int(group or 0) for group in match.groups()) if match else (0, 0, 0)
    months += 12 * years
    if match is None or (months == 0 and days < _SHORTEST_DAYS) or _is_over_a_year(months, days):
        raise ValueError(f'retraining frequency "{value}" is not between 30 days and one year: {_FIX}')
    return value


def _is_over_a_year(months: int, days: int) -> bool:
    start = dt.date(2001, 1, 1)
    year, month = divmod(months, 12)
    last = calendar.monthrange(start.year + year, month + 1)[1]
    day = dt.date(start.year + year, month + 1, min(start.day, last))
    return day + dt.timedelta(days) > start.replace(year=start.year + 1)
