"""What executions of a scheduler tell others, as events for the event bus. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine import Fault, LevelMoved
from service.clock import iso_seconds
from service.event_bus.bus_event import BusEvent
from service.jobs.inference.event_tracking import fault_since
from service.jobs.result_lines import named_shares
from service.jobs.times import seconds_of
from service.schedulers.inference_windows import InferenceWindow
from service.storage.store import Item

EXECUTION_FAILED = "Inference Execution Failed"
WINDOWS_MISSED = "Inference Windows Missed"
ANOMALY_BEGAN = "Anomaly Began"
ANOMALY_ENDED = "Anomaly Ended"
LEVEL_MOVED = "Level Moved"

_SENSORS = 20
"""Most sensors in the diagnostics of an event, those with the largest shares: ten events share a request."""
_OF_SCHEDULER = ("InferenceSchedulerName", "InferenceSchedulerArn", "ModelName", "ModelArn")


def execution_failed(scheduler: Item, window: InferenceWindow, reason: str) -> BusEvent:
    """Return the event that a window could not be inferred."""
    return _event(EXECUTION_FAILED, scheduler, iso_seconds(window.start), _failure(window, reason))


def windows_missed(scheduler: Item, span: InferenceWindow, reason: str, windows: int) -> BusEvent:
    """Return the event that nothing inferred a span of so many windows in time."""
    detail = {**_failure(span, reason), "Windows": windows}
    return _event(WINDOWS_MISSED, scheduler, iso_seconds(span.start), detail)


def anomaly_began(
    scheduler: Item, fault: Fault, *, sensors: Sequence[str], model_version: int, summary: str | None
) -> BusEvent:
    """Return the event that a fault began to count.

    Args:
        scheduler: the record of the scheduler.
        fault: the fault.
        sensors: those that it has shares of.
        model_version: the version of the model that found it.
        summary: a sentence about it, None without one.
    """
    detail = {
        "ModelVersion": model_version,
        **_fault(fault, sensors),
        **({} if summary is None else {"Summary": summary}),
    }
    return _event(ANOMALY_BEGAN, scheduler, fault_since(fault), detail)


def anomaly_ended(scheduler: Item, fault: Fault, *, sensors: Sequence[str]) -> BusEvent:
    """Return the event that a fault will not go on any more."""
    until = iso_seconds(seconds_of(fault.event.end))
    return _event(
        ANOMALY_ENDED, scheduler, fault_since(fault), {**_fault(fault, sensors), "FaultUntil": until}
    )


def level_moved(scheduler: Item, level: LevelMoved) -> BusEvent:
    """Return the event that the level of a sensor stopped counting as an anomaly."""
    since = iso_seconds(seconds_of(level.since))
    detail = {
        "Sensor": level.sensor,
        "LevelMovedSince": since,
        "Expected": _about(level.expected),
        "Reads": _about(level.reads),
    }
    return _event(LEVEL_MOVED, scheduler, f"{level.sensor}/{since}", detail)


def _event(detail_type: str, scheduler: Item, occurrence: str, detail: Mapping[str, Any]) -> BusEvent:
    return BusEvent(
        detail_type=detail_type,
        resources=(scheduler["InferenceSchedulerArn"], scheduler["ModelArn"]),
        occurrence=occurrence,
        detail={**{name: scheduler[name] for name in _OF_SCHEDULER}, **detail},
    )


def _failure(window: InferenceWindow, reason: str) -> Mapping[str, Any]:
    return {
        "DataStartTime": iso_seconds(window.start),
        "DataEndTime": iso_seconds(window.end),
        "Status": "FAILED",
        "FailedReason": reason,
    }


def _fault(fault: Fault, sensors: Sequence[str]) -> Mapping[str, Any]:
    shares = named_shares(sensors, [round(share, 5) for share in fault.event.contributions.tolist()])
    largest = sorted(shares, key=lambda share: -share["value"])[:_SENSORS]
    return {"FaultSince": fault_since(fault), "Diagnostics": largest}


def _about(value: float) -> float:
    """Return a value as sentences say it: with four digits."""
    return float(f"{value:.4g}")
