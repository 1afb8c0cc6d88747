"""Inference events: runs of consecutive anomalous rows, across executions. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine import Fault, Range, Scores
from service.clock import iso_seconds
from service.jobs.result_lines import named_shares
from service.jobs.times import instant, instant_of, seconds_of
from service.members.shortening import shortened_diagnostics

_SHORTEST = timedelta(minutes=5)
"""Only events that last longer are recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceEvent:
    """A run of anomalous rows: first and last stamp (naive UTC) and the sum of their contributions."""

    start: datetime
    end: datetime
    rows: int
    sums: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the event as JSON members, to be continued by the next execution."""
        return {
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "rows": self.rows,
            "sums": list(self.sums),
        }

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> "InferenceEvent":
        """Return the event that `to_json` wrote."""
        return cls(
            start=datetime.fromisoformat(members["start"]),
            end=datetime.fromisoformat(members["end"]),
            rows=members["rows"],
            sums=tuple(members["sums"]),
        )

    def joined(self, time: datetime, shares: list[float]) -> "InferenceEvent":
        """Return the event with one more row."""
        sums = tuple(total + share for total, share in zip(self.sums, shares, strict=True))
        return InferenceEvent(start=self.start, end=time, rows=self.rows + 1, sums=sums)

    def duration(self, step: timedelta) -> timedelta:
        """Return end minus start, and one step more if rows are five minutes or more apart.

        Such a row stands for all the time since the row before it, so a single one lasts one step.
        """
        return self.end - self.start + (step if step >= _SHORTEST else timedelta(0))

    def recorded(self, step: timedelta) -> bool:
        """Return whether the event is long enough to be listed."""
        return step >= _SHORTEST or self.duration(step) > _SHORTEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """The events of an execution in time order, and the one that its last row leaves open."""

    events: tuple[InferenceEvent, ...]
    open: InferenceEvent | None


def follow(scores: Scores, *, before: InferenceEvent | None, step: timedelta) -> Followed:
    """Continue the open event `before` with the rows of an execution, and find the events that begin in it.

    A normal row, a row with the machine off and a gap end an event; a gap is longer than one and a half
    steps, and longer than the five minutes that an event must last to be recorded.
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
                InferenceEvent(start=time, end=time, rows=1, sums=tuple(row))
                if current is None
                else current.joined(time, row)
            )
    if current is not None:
        events.append(current)
    return Followed(events=tuple(events), open=current)


def newly_recorded(
    events: Sequence[InferenceEvent], *, before: InferenceEvent | None, step: timedelta
) -> list[InferenceEvent]:
    """Return the events that are long enough to be listed, and were not when `before` was open."""
    known = before.start if before is not None and before.recorded(step) else None
    return [event for event in events if event.recorded(step) and event.start != known]


def event_members(
    event: InferenceEvent, *, sensors: tuple[str, ...], step: timedelta, fault: Fault | None
) -> dict[str, Any]:
    """Return the members of an `InferenceEventSummary` that the event itself decides.

    Args:
        event: the event.
        sensors: the sensors of the model.
        step: time from row to row.
        fault: the fault that it belongs to, if any. If that began before the event, the entry of the leading
            sensor says since when.
    """
    total = sum(event.sums) or 1.0
    shares = named_shares(sensors, [round(value / total, 5) for value in event.sums])
    if fault is not None and fault.event.start < instant_of(event.start):
        shares[event.sums.index(max(event.sums))]["fault_since"] = fault_since(fault)
    return {
        "EventStartTime": _epoch(event.start),
        "EventEndTime": _epoch(event.end),
        "EventDurationInSeconds": int(event.duration(step).total_seconds()),
        "Diagnostics": shortened_diagnostics(json.dumps(shares)),
    }


def last_range(event: InferenceEvent, found: Sequence[Range]) -> Range | None:
    """Return the range of the rows in which an event was last seen, begun where the event began."""
    for each in reversed(found):
        if each.end.astype("datetime64[us]").item() == event.end:
            return replace(each, start=instant(event.start.replace(tzinfo=UTC).timestamp()))
    return None


def fault_since(fault: Fault) -> str:
    """Return when a fault began, as the API writes times."""
    return iso_seconds(seconds_of(fault.event.start))


def _epoch(time: datetime) -> Decimal:
    return Decimal(str(round(time.replace(tzinfo=UTC).timestamp(), 3)))
