"""The events of an execution, and the faults that they are part of."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine import Faults, Frame, Range, Scores, departure, ranges
from service.event_bus.bus_event import BusEvent
from service.jobs.inference.active_model import ActiveModel
from service.jobs.inference.bus_events import anomaly_began, anomaly_ended, level_moved
from service.jobs.inference.event_records import event_write, mark_moved_levels, summarize_event
from service.jobs.inference.event_tracking import InferenceEvent, follow, newly_recorded
from service.jobs.inference.scheduler_state import SchedulerState
from service.jobs.runtime import Runtime
from service.jobs.times import instant, instant_of
from service.schedulers.inference_windows import InferenceWindow
from service.storage.store import Item, Write


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEvents:
    """The writes of the events of an execution, and what the next one needs to know.

    `open` is the event that its last row leaves open, `faults` are those that may go on, and `bus_events`
    say which of them began to count or ended for good in this execution, and which levels moved.
    """

    writes: tuple[Write, ...]
    open: InferenceEvent | None
    faults: Faults
    bus_events: tuple[BusEvent, ...]


def find_events(
    runtime: Runtime,
    scheduler: Item,
    active: ActiveModel,
    frame: Frame,
    scores: Scores,
    *,
    window: InferenceWindow,
    before: SchedulerState | None,
    state: bytes | None,
) -> FoundEvents:
    """Return the events of an execution.

    Args:
        runtime: what jobs work with.
        scheduler: the record of the scheduler.
        active: the model that scored the rows.
        frame: the rows.
        scores: their scores.
        window: the window that they are of.
        before: the state of the scheduler before it, if there is one.
        state: the scoring state before the rows.
    """
    found = ranges(scores, step=active.detector.step)
    open_before = _open_event(active, before, window)
    followed = follow(scores, before=open_before, step=active.step)
    known = _known_faults(active, before)
    counted = open_before if known.known else None  # faults that begin anew have counted none
    recorded = newly_recorded(followed.events, before=counted, step=active.step)
    faults = known.followed(found, parts=[instant_of(event.end) for event in recorded])
    faults = _with_first_departure(faults, active, frame, found, state=state)
    faults = faults.until(instant(window.end))
    writes, summaries = [], {}
    for event in followed.events:
        if event.recorded(active.step):
            fault = faults.at(instant_of(event.end))
            summary = summarize_event(active, frame, scores, event, found=found, fault=fault, state=state)
            writes.append(event_write(runtime, scheduler, active, event, summary=summary, fault=fault))
            if fault is not None and summary is not None:
                summaries[fault] = summary.text
    began = [
        anomaly_began(
            scheduler,
            fault,
            sensors=faults.sensors,
            model_version=active.number,
            summary=summaries.get(fault),
        )
        for fault in faults.began_since(known)
    ]
    return FoundEvents(
        writes=mark_moved_levels(runtime, scheduler, writes, scores.level_events),
        open=followed.open,
        faults=faults,
        bus_events=(
            *_ended(scheduler, faults, before),
            *began,
            *(level_moved(scheduler, level) for level in scores.level_events),
        ),
    )


def _ended(scheduler: Item, faults: Faults, before: SchedulerState | None) -> list[BusEvent]:
    """Return the events that faults have ended: also those of sensors that the model has no more."""
    if before is None or before.faults is None:
        return []
    sensors = before.faults.sensors
    return [anomaly_ended(scheduler, fault, sensors=sensors) for fault in faults.ended_since(before.faults)]


def _open_event(
    active: ActiveModel, before: SchedulerState | None, window: InferenceWindow
) -> InferenceEvent | None:
    """Return the event that may go on: of the window right before this one, and of the same sensors."""
    if before is None or before.open is None or before.end != window.start:
        return None
    sensors = active.detector.sensors
    if before.faults is None:  # a state of an earlier release
        return before.open if len(before.open.sums) == len(sensors) else None
    return before.open if before.faults.sensors == sensors else None


def _known_faults(active: ActiveModel, before: SchedulerState | None) -> Faults:
    """Return the faults before a window: those of other sensors, or of another step, do not go on."""
    none = Faults(sensors=active.detector.sensors, step=active.detector.step)
    if before is None or before.faults is None:
        return none
    known = before.faults
    return known if (known.sensors, known.step) == (none.sensors, none.step) else none


def _with_first_departure(
    faults: Faults, active: ActiveModel, frame: Frame, found: Sequence[Range], *, state: bytes | None
) -> Faults:
    """Keep of a fault that began to count in these rows how far its leading sensor was off."""
    fault = faults.at(found[-1].end) if found else None
    if fault is None or fault.first is not None:
        return faults
    return faults.with_first(fault, departure(active.detector, frame, found[-1], state=state))
