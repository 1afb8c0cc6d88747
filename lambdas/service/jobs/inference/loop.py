"""The due windows of a scheduler, inferred one by one."""

import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from service.clock import iso_seconds
from service.jobs.failure import JobFailed
from service.jobs.inference.bus_events import windows_missed
from service.jobs.inference.claim import SchedulerChanged, claim, close, miss, move_on, window_of
from service.jobs.inference.execution import infer
from service.jobs.inference.execution_end import ExecutionEnd
from service.jobs.inference.metrics import publish_metrics, publish_missed
from service.jobs.runtime import Runtime, log
from service.reconciliation.failed_reason import internal_error
from service.schedulers.inference_windows import InferenceWindow, is_due, missed_span, next_window, segments
from service.storage.names import MODEL, SCHEDULER
from service.storage.store import Item

_LOG = logging.getLogger(__name__)

_ATTEMPTS = 2
"""Calls that may begin a window: what ends them, time or memory, would end the next one too."""
_RESERVE_SECONDS = 120
"""Time a window may need; a further one is begun only while this much is left."""
_CHANGES = 5
"""Changes of a scheduler that a call looks at again; the next call goes on after more."""


def infer_due_windows(
    runtime: Runtime, event: Mapping[str, Any], *, seconds_left: Callable[[], float]
) -> dict[str, str]:
    """Infer the due windows of a scheduler, oldest first, and return the status of each by its start.

    A scheduler that does not run has none. `seconds_left` returns how long this call may still take.
    """
    done: dict[str, str] = {}
    changes = 0
    while changes <= _CHANGES and (not done or seconds_left() > _RESERVE_SECONDS):
        scheduler = _running_scheduler(runtime, event)
        if scheduler is None:
            break
        try:
            ended = _advance(runtime, scheduler)
        except SchedulerChanged:
            changes += 1
            continue
        if ended is None:
            break
        done |= ended
    return done


def _running_scheduler(runtime: Runtime, event: Mapping[str, Any]) -> Item | None:
    scheduler = runtime.store.get(SCHEDULER, event["InferenceSchedulerName"])
    if scheduler is None or scheduler["uuid"] != event["Uuid"]:
        log("scheduler is gone", **event)
        return None
    if scheduler["Status"] not in {"PENDING", "RUNNING"}:
        log("scheduler is not running", **event, Status=scheduler["Status"])
        return None
    return scheduler


def _advance(runtime: Runtime, scheduler: Item) -> dict[str, str] | None:
    """Bring the next execution of a scheduler to its end and return its start and status.

    None when nothing is due, or another call is at work on it.
    """
    now = runtime.clock().timestamp()
    hours = runtime.settings.inference_catch_up_hours
    span = missed_span(scheduler, now=now, catch_up=None if hours is None else hours * 3600)
    if span is not None and _miss(runtime, scheduler, span):
        return {iso_seconds(span.start): "FAILED"}
    window = next_window(scheduler)
    if not is_due(scheduler, window, now=now):
        return None
    return _infer_window(runtime, scheduler, window)


def _miss(runtime: Runtime, scheduler: Item, span: InferenceWindow) -> bool:
    """Record a span as missed, unless its first window was begun in time."""
    count = segments(span, scheduler["DataUploadFrequency"])
    windows = "1 window was" if count == 1 else f"{count:,} windows were"
    reason = (
        f"{windows} missed: nothing inferred the rows of {span} within the "
        f"{runtime.settings.inference_catch_up_hours} hours (setting 'inference_catch_up_hours') in which "
        "windows are caught up, and they will not be scored. The inference function was throttled or failed, "
        "or its schedule was disabled or missing: look at its log and its metrics of that time"
    )
    if not miss(runtime, scheduler, span, reason):
        return False
    log("windows missed", Scheduler=scheduler["sk"], Span=str(span), Windows=count)
    publish_missed(runtime, scheduler, count)
    runtime.event_bus.send([windows_missed(scheduler, span, reason, count)])
    return True


def _infer_window(runtime: Runtime, scheduler: Item, window: InferenceWindow) -> dict[str, str] | None:
    """Infer one window unless it was; None while another call has it."""
    model = runtime.store.get(MODEL, scheduler["ModelName"])
    execution = claim(runtime, scheduler, model, window)
    if execution is None:
        log("window is being inferred by another call", Window=str(window))
        return None
    window = window_of(execution)  # as it was begun
    if execution["Status"] != "IN_PROGRESS":  # it has ended, but the scheduler was not moved on
        move_on(runtime, scheduler, window)
        return {iso_seconds(window.start): str(execution["Status"])}
    if execution["attempts"] > _ATTEMPTS:
        end = ExecutionEnd(failed_reason=_exhausted(window))
    else:
        end = _attempt(runtime, scheduler, model, window)
    log("window inferred", Scheduler=scheduler["sk"], Window=str(window), **end.members, Notices=end.notices)
    if close(
        runtime,
        scheduler,
        execution,
        end=end.record,
        scheduler_members=end.scheduler_members,
        events=end.events,
    ):
        publish_metrics(runtime, scheduler, end)
        runtime.event_bus.send(end.bus_events(scheduler, window))
    return {iso_seconds(window.start): str(end.members["Status"])}


def _attempt(runtime: Runtime, scheduler: Item, model: Item | None, window: InferenceWindow) -> ExecutionEnd:
    try:
        return ExecutionEnd(result=infer(runtime, scheduler=scheduler, model=model, window=window))
    except JobFailed as failed:
        return ExecutionEnd(failed_reason=failed.reason, invalid_input=True)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the next window must get its turn
        fault = secrets.token_hex(8)
        _LOG.exception("inference failed: %s", fault)
        problem, place = f"{type(error).__name__}: {error}", f"'{fault}' in the log of the inference function"
        return ExecutionEnd(failed_reason=internal_error(f"infer the window {window}", problem, place))


def _exhausted(window: InferenceWindow) -> str:
    return (
        f"the window {window} was given up: {_ATTEMPTS} calls of the inference function ended before they "
        "were done, out of time (15 minutes) or memory. Upload fewer rows for a window (a shorter "
        "DataUploadFrequency), or train the model with a coarser TargetSamplingRate or fewer sensors. If the "
        "function was ended from outside, the next windows succeed again"
    )
