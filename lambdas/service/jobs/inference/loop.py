"""The due windows of a scheduler, inferred one by one."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from service.clock import iso_seconds
from service.durations import seconds
from service.failed_reason import clip
from service.jobs.failure import JobFailed
from service.jobs.inference.claim import claim, close
from service.jobs.inference.execution import infer
from service.jobs.inference.execution_end import ExecutionEnd
from service.jobs.inference.metrics import publish_metrics
from service.jobs.inference.windows import InferenceWindow, delay_seconds, due
from service.jobs.runtime import Runtime, log
from service.names import MODEL, SCHEDULER
from service.store import Item

_LOG = logging.getLogger(__name__)

_ATTEMPTS = 2
"""Calls that may begin a window: what ends them, time or memory, would end the next one too."""
_RESERVE_SECONDS = 120
"""Time a window may need; a further one is begun only while this much is left."""


def infer_due_windows(
    runtime: Runtime, event: Mapping[str, Any], *, seconds_left: Callable[[], float]
) -> dict[str, str]:
    """Infer the due windows of a scheduler, oldest first, and return the status of each by its start.

    A scheduler that does not run has none. `seconds_left` returns how long this call may still take.
    """
    done: dict[str, str] = {}
    while not done or seconds_left() > _RESERVE_SECONDS:
        scheduler = _running_scheduler(runtime, event)
        window = None if scheduler is None else _next_window(runtime, scheduler)
        if scheduler is None or window is None:
            break
        status = _infer_window(runtime, scheduler, window)
        if status is None:  # another call is at work on it
            break
        done[iso_seconds(window.start)] = status
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


def _next_window(runtime: Runtime, scheduler: Item) -> InferenceWindow | None:
    hours = runtime.settings.inference_catch_up_hours
    windows = due(
        next_end=int(scheduler["nextSegmentEnd"]),
        frequency=seconds(scheduler["DataUploadFrequency"]),
        delay=delay_seconds(scheduler),
        now=runtime.clock().timestamp(),
        catch_up=None if hours is None else hours * 3600,
    )
    return next(windows, None)


def _infer_window(runtime: Runtime, scheduler: Item, window: InferenceWindow) -> str | None:
    """Infer one window unless it was; return the status of its execution, None while another call has it."""
    model = runtime.store.get(MODEL, scheduler["ModelName"])
    execution = claim(runtime, scheduler, model, window)
    if execution is None:
        log("window is being inferred by another call", Window=str(window))
        return None
    if execution["Status"] != "IN_PROGRESS":  # inferred before, but the scheduler was not moved on
        close(runtime, scheduler, window, execution, {})
        return str(execution["Status"])
    if execution["attempts"] > _ATTEMPTS:
        reason = f"{_ATTEMPTS} calls ended before they were done (time or memory)"
        end = ExecutionEnd(failed_reason=_internal_error(window, reason))
    else:
        end = _attempt(runtime, scheduler, model, window)
    name = scheduler["InferenceSchedulerName"]
    log("window inferred", Scheduler=name, Window=str(window), **end.members, Notices=end.notices)
    latest = {}
    if end.result is not None:
        latest["LatestInferenceResult"] = "ANOMALOUS" if end.result.anomalous else "NORMAL"
    notices = {"notices": end.notices} if end.notices else {}
    close(runtime, scheduler, window, {**execution, **end.members, **notices}, latest)
    publish_metrics(runtime, scheduler, end)
    return str(end.members["Status"])


def _attempt(runtime: Runtime, scheduler: Item, model: Item | None, window: InferenceWindow) -> ExecutionEnd:
    try:
        return ExecutionEnd(result=infer(runtime, scheduler=scheduler, model=model, window=window))
    except JobFailed as failed:
        return ExecutionEnd(failed_reason=failed.reason, invalid_input=True)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the next window must get its turn
        _LOG.exception("inference failed")
        return ExecutionEnd(failed_reason=_internal_error(window, f"{type(error).__name__}: {error}"))


def _internal_error(window: InferenceWindow, problem: str) -> str:
    return clip(f"the service could not infer the window {window} because of an internal error: {problem}")
