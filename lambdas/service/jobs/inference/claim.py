"""The execution record of a window: claimed by one call at a time, and closed with what came of it.

Every write is one transaction with the record of the scheduler. So nothing is begun for a scheduler that was
stopped, and nothing is written of one that was deleted.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from service.clock import iso_seconds, timestamp
from service.jobs.runtime import Runtime, log
from service.schedulers.execution_claims import is_abandoned
from service.schedulers.inference_windows import InferenceWindow, delay_seconds, inferred_until
from service.storage.names import SCHEDULER, executions_of, scheduler_prefix
from service.storage.store import AlreadyExists, Create, Item, StoreError, Update, Write

_ATTEMPTS = 5


class SchedulerChanged(Exception):  # noqa: N818 - reads as what it is
    """The scheduler was stopped, deleted or moved on by another call since it was read."""


def claim(runtime: Runtime, scheduler: Item, model: Item | None, window: InferenceWindow) -> Item | None:
    """Return the execution record that begins where a window does; None if another call has it.

    It is made or taken over for this call. One that was begun before keeps its window, also when the
    frequency of the scheduler has changed since then, and one that has ended is returned as it is.

    Raises:
        SchedulerChanged: when the window is not the next one of a running scheduler any more.
    """
    now = timestamp(runtime.clock())
    new = {**_execution(runtime, scheduler, model, window, now), **_claimed(now, attempts=1)}
    try:
        runtime.store.transact(Create(new), _begun(scheduler, window))
    except AlreadyExists as existing:
        return _taken_over(runtime, scheduler, existing.item or {}, now)
    except StoreError as changed:
        raise SchedulerChanged from changed
    return new


def window_of(execution: Mapping[str, Any]) -> InferenceWindow:
    """Return the window of an execution."""
    return InferenceWindow(start=int(execution["DataStartTime"]), end=int(execution["DataEndTime"]))


def miss(runtime: Runtime, scheduler: Item, span: InferenceWindow, reason: str) -> bool:
    """Record windows that were missed as one failed execution, and move on; False if the first was begun.

    Raises:
        SchedulerChanged: when they are not the next ones of a running scheduler any more.
    """
    now = timestamp(runtime.clock())
    missed = {
        **_execution(runtime, scheduler, None, span, now),
        "Status": "FAILED",
        "FailedReason": reason,
    }
    try:
        runtime.store.transact(Create(missed), _moved(scheduler, span))
    except AlreadyExists:
        return False
    except StoreError as changed:
        raise SchedulerChanged from changed
    return True


def move_on(runtime: Runtime, scheduler: Item, window: InferenceWindow) -> None:
    """Move the scheduler past a window whose execution has ended.

    Raises:
        SchedulerChanged: when another call has done it.
    """
    try:
        runtime.store.transact(_moved(scheduler, window))
    except StoreError as changed:
        raise SchedulerChanged from changed


def close(
    runtime: Runtime,
    scheduler: Item,
    execution: Mapping[str, Any],
    *,
    end: Mapping[str, Any],
    scheduler_members: Mapping[str, Any],
    events: Sequence[Write],
) -> bool:
    """Write the end of an execution and its events, and move the scheduler past its window.

    Args:
        runtime: the service.
        scheduler: the record of the scheduler.
        execution: the claimed record.
        end: the members that its end gives it.
        scheduler_members: what changes in the record of the scheduler beside that.
        events: the writes of the events of its rows.

    Returns:
        False when nothing was written: another call has taken the window over, or the scheduler was deleted.
    """
    window = window_of(execution)
    ended = Update(
        execution["pk"],
        execution["sk"],
        end,
        expect={"Status": "IN_PROGRESS", "claimedAt": execution["claimedAt"]},
    )
    for _ in range(_ATTEMPTS):
        moved = _moved(scheduler, window, scheduler_members)
        try:
            runtime.store.transact(moved, ended, *events)
        except StoreError as changed:
            if changed.pk != SCHEDULER:
                log("execution was taken over", Window=str(window), Record=changed.pk)
                return False
        else:
            return True
        latest = runtime.store.get(SCHEDULER, scheduler["sk"])
        if latest is None or latest["uuid"] != scheduler["uuid"]:
            log("scheduler was deleted", Scheduler=scheduler["sk"], Window=str(window))
            runtime.service_bucket.delete_prefix(scheduler_prefix(scheduler["uuid"]))
            return False
        scheduler = latest
    raise SchedulerChanged


def _taken_over(runtime: Runtime, scheduler: Item, held: Item, now: Decimal) -> Item | None:
    if held["Status"] != "IN_PROGRESS":
        return held
    if not is_abandoned(float(held["claimedAt"]), now=float(now)):
        return None
    claimed = _claimed(now, attempts=int(held["attempts"]) + 1)
    again = Update(held["pk"], held["sk"], claimed, expect={"claimedAt": held["claimedAt"]})
    try:
        runtime.store.transact(again, _begun(scheduler, window_of(held)))
    except StoreError as changed:
        raise SchedulerChanged from changed
    return {**held, **claimed}


def _claimed(now: Decimal, *, attempts: int) -> dict[str, Any]:
    return {"claimedAt": now, "attempts": attempts}


def _begun(scheduler: Item, window: InferenceWindow) -> Update:
    return Update(
        SCHEDULER,
        scheduler["sk"],
        {"begun": window.start},
        expect={**_unmoved(scheduler), "Status": ("PENDING", "RUNNING")},
    )


def _moved(scheduler: Item, window: InferenceWindow, members: Mapping[str, Any] | None = None) -> Update:
    return Update(
        SCHEDULER,
        scheduler["sk"],
        {"inferredUntil": max(window.end, inferred_until(scheduler)), **(members or {})},
        remove=("begun",),
        expect=_unmoved(scheduler),
    )


def _unmoved(scheduler: Item) -> dict[str, Any]:
    return {"uuid": scheduler["uuid"], "inferredUntil": scheduler.get("inferredUntil")}


def _execution(
    runtime: Runtime, scheduler: Item, model: Item | None, window: InferenceWindow, now: Decimal
) -> Item:
    """Return the record of an execution, without what its scheduler and model say: it is written twice.

    Configurations may change until it is shown; names and ARNs cannot.
    """
    days = runtime.settings.execution_retention_days
    return {
        "pk": executions_of(scheduler["uuid"]),
        "sk": iso_seconds(window.start),
        "DataInputConfiguration": scheduler["DataInputConfiguration"],
        "DataOutputConfiguration": scheduler["DataOutputConfiguration"],
        "ScheduledStartTime": window.end + delay_seconds(scheduler),
        "DataStartTime": window.start,
        "DataEndTime": window.end,
        "Status": "IN_PROGRESS",
        "ExpiresAt": None if days is None else int(float(now) + days * 86_400),
        "ModelVersion": None if model is None else model.get("ActiveModelVersion"),
    }
