"""The clock that callers pass in, and points in time in the form of the API."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

Clock = Callable[[], datetime]
"""Returns the current time, with a time zone."""

MILLISECOND = Decimal("0.001")


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> Decimal:
    """Return `moment`, which has a time zone, as epoch seconds in whole milliseconds."""
    return Decimal(repr(moment.timestamp())).quantize(MILLISECOND)


def moment(timestamp: Decimal | float) -> datetime:
    """Return the epoch seconds `timestamp` as a time in UTC."""
    return datetime.fromtimestamp(float(timestamp), UTC)


def iso_seconds(timestamp: Decimal | float) -> str:
    """Return epoch seconds as `YYYY-MM-DDTHH:MM:SSZ`, the sort key of executions and events."""
    return f"{moment(timestamp):%Y-%m-%dT%H:%M:%SZ}"
