"""Conversions of points in time and sampling rates. Pure, and without importing the numeric libraries."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from engine import parse_timestamps
from service.members.durations import seconds

if TYPE_CHECKING:
    from numpy import datetime64


def instant(time: float) -> "datetime64":
    """Return epoch seconds as the engine's `datetime64`, to the microsecond."""
    return instant_of(datetime.fromtimestamp(time, UTC))


def instant_of(moment: datetime) -> "datetime64":
    """Return a time in UTC as the engine's `datetime64`."""
    found: datetime64 = parse_timestamps([moment.replace(tzinfo=None).isoformat(timespec="microseconds")])[0]
    return found


def epoch(stamp: str) -> float:
    """Return a stamp of the engine's reports (ISO 8601, UTC when it has no zone) as epoch seconds."""
    time = datetime.fromisoformat(stamp)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def seconds_of(time: "datetime64") -> float:
    """Return a point in time of the engine as epoch seconds."""
    micros: int = time.astype("datetime64[us]").astype("int64").item()
    return micros / 1e6


def step_seconds(version: Mapping[str, Any]) -> int | None:
    """Return `TargetSamplingRate` of a model version in seconds, None when it keeps the rate of the data."""
    rate = version.get("DataPreProcessingConfiguration", {}).get("TargetSamplingRate")
    return None if rate is None else seconds(rate)
