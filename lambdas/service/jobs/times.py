"""From epoch seconds to the engine's instants, without the numeric libraries in this room."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from engine import parse_timestamps

if TYPE_CHECKING:
    from numpy import datetime64


def instant(seconds: float) -> "datetime64":
    """The engine's form of a point in time, to the microsecond."""
    moment = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    found: datetime64 = parse_timestamps([moment.isoformat(timespec="microseconds")])[0]
    return found
