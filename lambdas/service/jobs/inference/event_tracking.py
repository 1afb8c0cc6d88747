"""Inference events: runs of consecutive anomalous rows, across executions (11.6). Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine import Range, Scores
from service.jobs.times import instant
from service.jobs.training.model_metrics import diagnostics

_SHORTEST = timedelta(minutes=5)
"""Only events that last longer are recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A run of anomalous rows: first and last stamp (naive UTC) and the sum of their contributions."""

    start: datetime
    end: datetime
    rows: int
    sums: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """The event as JSON members, to be continued by the next execution."""
        return {
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "rows": self.rows,
            "sums": list(self.sums),
        }

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> "Event":
        """The event written by ``to_json``."""
        return cls(
            start=datetime.fromisoformat(members["start"]),
            end=datetime.fromisoformat(members["end"]),
            rows=members["rows"],
            sums=tuple(members["sums"]),
        )

    def joined(self, time: datetime, shares: list[float]) -> "Event":
        """The event with one more row."""
        sums = tuple(total + share for total, share in zip(self.sums, shares, strict=True))
        return Event(start=self.start, end=time, rows=self.rows + 1, sums=sums)

    def duration(self, step: timedelta) -> timedelta:
        """End minus start; a single row of a coarse model lasts one step."""
        return step if self.start == self.end and step >= _SHORTEST else self.end - self.start

    def recorded(self, step: timedelta) -> bool:
        """Whether the event is long enough to be listed."""
        return step >= _SHORTEST or self.duration(step) > _SHORTEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """The events of an execution in time order, and the one that its last row leaves open."""

    events: tuple[Event, ...]
    open: Event | None


def follow(scores: Scores, *, before: Event | None, step: timedelta) -> Followed:
    """Continue the open event ``before`` with the rows of an execution, and find the events that begin in it.

    A normal row, a row with the machine off and a gap end an event; a gap is more than one and a half steps,
    and more than the five minutes that events are worth counting by.
    """
    current, events = before, []
    gap = max(step * 1.5, _SHORTEST)
    for time, anomalous, shares in zip(
        scores.times.tolist(), scores.prediction.tolist(), scores.contributions, strict=True
    ):
        if current is not None and (not anomalous or time - current.end > gap):
            events.append(current)
            current = None
        if anomalous:
            row = shares.astype("float64").tolist()
            current = (
                Event(start=time, end=time, rows=1, sums=tuple(row))
                if current is None
                else current.joined(time, row)
            )
    if current is not None:
        events.append(current)
    return Followed(events=tuple(events), open=current)


def members(event: Event, *, sensors: tuple[str, ...], step: timedelta) -> dict[str, Any]:
    """The members of an ``InferenceEventSummary`` that the event itself decides."""
    total = sum(event.sums) or 1.0
    shares = [round(value / total, 5) for value in event.sums]
    return {
        "EventStartTime": _epoch(event.start),
        "EventEndTime": _epoch(event.end),
        "EventDurationInSeconds": int(event.duration(step).total_seconds()),
        "Diagnostics": json.dumps(diagnostics(sensors, shares)),
    }


def last_range(event: Event, found: Sequence[Range]) -> Range | None:
    """The range of the rows in which an event was last seen, begun where the event began."""
    for each in reversed(found):
        if each.end.astype("datetime64[us]").item() == event.end:
            return replace(each, start=instant(event.start.replace(tzinfo=UTC).timestamp()))
    return None


def _epoch(time: datetime) -> Decimal:
    return Decimal(str(round(time.replace(tzinfo=UTC).timestamp(), 3)))
