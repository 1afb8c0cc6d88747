"""Inference events in the store, each with a sentence that says what happened."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from engine import REPORT_JOIN, Fault, Frame, LevelMoved, Range, Scores, departure, describe, grown
from service.clock import iso_seconds
from service.jobs.inference.active_model import ActiveModel
from service.jobs.inference.event_tracking import InferenceEvent, event_members, fault_since, last_range
from service.jobs.runtime import Runtime, log
from service.jobs.times import seconds_of
from service.members.shortening import shortened_diagnostics
from service.storage.names import events_of
from service.storage.store import Create, Item, Update

EventWrite = Create | Update

_SOON: int = REPORT_JOIN.astype("timedelta64[s]").astype("int64").item()
"""Seconds from the end of an event in which a level that stops counting may be why it ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSummary:
    """A sentence about an event, and the highest score of the rows it is about."""

    text: str
    peak: Decimal


def summarize_event(
    active: ActiveModel,
    frame: Frame,
    scores: Scores,
    event: InferenceEvent,
    *,
    found: Sequence[Range],
    fault: Fault | None,
    state: bytes | None,
) -> EventSummary | None:
    """Return a sentence about an event from the rows of this execution; None when it ended before them.

    Args:
        active: the model that scored them.
        frame: the rows.
        scores: their scores.
        event: the event.
        found: the alarm ranges of the rows.
        fault: the fault that the event belongs to, if any; the sentence says how it has grown.
        state: the scoring state before the rows.
    """
    latest = last_range(event, found)
    if latest is None:
        return None
    text = describe(active.detector, frame, latest, state=state)
    if fault is not None and fault.first is not None:
        now = departure(active.detector, frame, latest, state=state)
        growth = "" if now is None else grown(active.detector, fault.first, now)
        text += f"{growth} since {fault_since(fault)}" if growth else ""
    return EventSummary(text=text, peak=Decimal(str(round(float(scores.score.max()), 5))))


def event_write(
    runtime: Runtime,
    scheduler: Item,
    active: ActiveModel,
    event: InferenceEvent,
    *,
    summary: EventSummary | None,
    fault: Fault | None,
) -> EventWrite:
    """Return the write of an event, or of what has become of it since the execution before.

    It keeps the sentence of the execution in which it was strongest: when a fault is over, its event goes on
    for some rows that say little about it.
    """
    found = event_members(event, sensors=active.detector.sensors, step=active.step, fault=fault)
    pk, sk = events_of(scheduler["uuid"]), iso_seconds(found["EventStartTime"])
    known = runtime.store.get(pk, sk)
    if summary is not None:
        facts: dict[str, Any] = {"Start": event.start.isoformat(), "End": event.end.isoformat()}
        if fault is not None:
            facts |= {"FaultSince": fault_since(fault), "FaultEvents": fault.parts}
        log("anomaly", Scheduler=scheduler["InferenceSchedulerName"], **facts, Summary=summary.text)
        if known is None or summary.peak >= known.get("peak", 0):
            found |= {"summary": summary.text, "peak": summary.peak}
    if known is not None:
        return Update(pk, sk, found)
    return Create(
        {
            "pk": pk,
            "sk": sk,
            "InferenceSchedulerName": scheduler["InferenceSchedulerName"],
            "InferenceSchedulerArn": scheduler["InferenceSchedulerArn"],
            **found,
        }
    )


def mark_moved_levels(
    runtime: Runtime,
    scheduler: Item,
    writes: Sequence[EventWrite],
    levels: Sequence[LevelMoved],
) -> tuple[EventWrite, ...]:
    """Say in the diagnostics of events during which a level stopped counting, or soon after, that it did.

    Such an event may have ended because the level was taken over, and not because the fault was over. A level
    is taken over little by little, so the alarm may end before: soon is the time that reports join over.

    Args:
        runtime: what jobs work with.
        scheduler: the record of the scheduler.
        writes: the writes of the events of an execution.
        levels: the levels that stopped counting, told in this execution.

    Returns:
        The writes with the marks, and those of marks in events that were recorded before.
    """
    pk = events_of(scheduler["uuid"])
    marked = {_sort_key(write): write for write in writes}
    for level in levels:
        since = seconds_of(level.since)
        latest = iso_seconds(since)
        stored = next(runtime.store.all(pk, between=("0", latest), reverse=True), None)
        known: dict[str, EventWrite] = (
            {} if stored is None else {stored["sk"]: Update(pk, stored["sk"], stored)}
        )
        known |= {sk: write for sk, write in marked.items() if sk <= latest}
        if not known:
            continue
        sk = max(known)
        members = _members(known[sk])
        if float(members["EventEndTime"]) < since - _SOON:
            continue
        diagnostics = _with_moved_level(members["Diagnostics"], level.sensor, latest)
        marked[sk] = _with(marked.get(sk, Update(pk, sk)), Diagnostics=diagnostics)
    return tuple(marked.values())


def _with_moved_level(diagnostics: str, sensor: str, since: str) -> str:
    shares = {each["name"]: each for each in json.loads(diagnostics)}
    # Of very many sensors, those with the smallest shares are not in the diagnostics.
    known = shares.get(sensor, {"name": sensor, "value": 0.0})
    shares[sensor] = {**known, "level_moved_since": since}
    return shortened_diagnostics(json.dumps(list(shares.values())))


def _sort_key(write: EventWrite) -> str:
    return str(write.item["sk"]) if isinstance(write, Create) else write.sk


def _members(write: EventWrite) -> Mapping[str, Any]:
    return write.item if isinstance(write, Create) else write.set


def _with(write: EventWrite, **members: Any) -> EventWrite:
    if isinstance(write, Create):
        return replace(write, item={**write.item, **members})
    return replace(write, set={**write.set, **members})
