"""Inference events in the store, each with a sentence that says what happened."""

import json
from dataclasses import dataclass
from decimal import Decimal

from engine import Frame, LevelMoved, Scores, describe, ranges
from service.clock import iso_seconds
from service.jobs.inference.active_model import ActiveModel
from service.jobs.inference.event_tracking import InferenceEvent, event_members, last_range
from service.jobs.runtime import Runtime, log
from service.jobs.times import seconds_of
from service.names import events_of
from service.store import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSummary:
    """A sentence about an event, and the highest score of the rows it is about."""

    text: str
    peak: Decimal


def summarize_event(
    active: ActiveModel, frame: Frame, scores: Scores, event: InferenceEvent, *, state: bytes | None
) -> EventSummary | None:
    """Return a sentence about an event from the rows of this execution; None when it ended before them.

    Args:
        active: the model that scored them.
        frame: the rows.
        scores: their scores.
        event: the event.
        state: the scoring state before the rows.
    """
    latest = last_range(event, ranges(scores, step=active.detector.step))
    if latest is None:
        return None
    text = describe(active.detector, frame, latest, state=state)
    return EventSummary(text=text, peak=Decimal(str(round(float(scores.score.max()), 5))))


def record_event(
    runtime: Runtime,
    scheduler: Item,
    active: ActiveModel,
    event: InferenceEvent,
    summary: EventSummary | None,
) -> None:
    """Write an event, or what has become of it since the execution before.

    It keeps the sentence of the execution in which it was strongest: when a fault is over, its event goes on
    for some rows that say little about it.
    """
    found = event_members(event, sensors=active.detector.sensors, step=active.step)
    pk, sk = events_of(scheduler["uuid"]), iso_seconds(found["EventStartTime"])
    known = runtime.store.get(pk, sk)
    if summary is not None:
        times = {"Start": event.start.isoformat(), "End": event.end.isoformat()}
        log("anomaly", Scheduler=scheduler["InferenceSchedulerName"], **times, Summary=summary.text)
        if known is None or summary.peak >= known.get("peak", 0):
            found |= {"summary": summary.text, "peak": summary.peak}
    if known is not None:
        runtime.store.update(pk, sk, found)
        return
    runtime.store.create(
        {
            "pk": pk,
            "sk": sk,
            "InferenceSchedulerName": scheduler["InferenceSchedulerName"],
            "InferenceSchedulerArn": scheduler["InferenceSchedulerArn"],
            **found,
        }
    )


def mark_moved_level(runtime: Runtime, scheduler: Item, level: LevelMoved) -> None:
    """Say in the diagnostics of the event during which a level stopped counting, that it did.

    Such an event may have ended because the level was taken over, and not because the fault was over.
    """
    pk, since = events_of(scheduler["uuid"]), seconds_of(level.since)
    event = next(runtime.store.all(pk, between=("0", iso_seconds(since)), reverse=True), None)
    if event is None or event["EventEndTime"] < since:
        return
    diagnostics = json.loads(event["Diagnostics"])
    for each in diagnostics:
        if each["name"] == level.sensor:
            each["level_moved_since"] = iso_seconds(since)
    runtime.store.update(pk, event["sk"], {"Diagnostics": json.dumps(diagnostics)})
