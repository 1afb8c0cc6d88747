"""Conversions of points in time and sampling rates. Pure, and without importing the numeric libraries."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from engine import parse_timestamps
from service.durations import seconds

if TYPE_CHECKING:
    from numpy import datetime64


def instant(time: float) -> "datetime64":
    """Return epoch seconds as the engine's `datetime64`, to the microsecond."""
    moment = datetime.fromtimestamp(time, UTC).replace(tzinfo=None)
    found: datetime64 = parse_timestamps([moment.isoformat(timespec="microseconds")])[0]
    return found


def epoch(stamp: str) -> float:
    """Return a stamp of the engine's reports (ISO 8601, UTC when it has no zone) as epoch seconds."""
    time = datetime.fromisoformat(stamp)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def step_seconds(version: Mapping[str, Any]) -> int | None:
    """Return `TargetSamplingRate` of a model version in seconds, None when it keeps the rate of the data."""
    rate = version.get("DataPreProcessingConfiguration", {}).get("TargetSamplingRate")
    return None if rate is None else seconds(rate)
