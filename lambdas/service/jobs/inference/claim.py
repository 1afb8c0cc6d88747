"""The execution record of a window: claimed by one call at a time, and closed with what came of it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from service.clock import iso_seconds, timestamp
from service.durations import seconds
from service.jobs.inference.windows import InferenceWindow, delay_seconds
from service.jobs.runtime import Runtime, log
from service.names import SCHEDULER, executions_of, version_arn
from service.store import AlreadyExists, Item, NotFound, StateChanged, Update

_LEASE_SECONDS = 16 * 60
"""An older claim is of a function that has ended: Lambda ends them after 15 minutes."""


def claim(runtime: Runtime, scheduler: Item, model: Item | None, window: InferenceWindow) -> Item | None:
    """Return the execution record of a window, made or taken over for this call; None if another call has it.

    The record of a window that was inferred before is returned as it is.
    """
    now = timestamp(runtime.clock())
    new = _new_execution(runtime, scheduler, model, window, now)
    try:
        runtime.store.create(new)
    except AlreadyExists as existing:
        held = existing.item or {}
        if held["Status"] != "IN_PROGRESS":
            return held
        if now - held["claimedAt"] < _LEASE_SECONDS:
            return None
        try:
            return runtime.store.update(
                new["pk"],
                new["sk"],
                {"claimedAt": now, "attempts": held["attempts"] + 1},
                expect={"claimedAt": held["claimedAt"]},
            )
        except (NotFound, StateChanged):
            return None
    return new


def close(
    runtime: Runtime,
    scheduler: Item,
    window: InferenceWindow,
    execution: Mapping[str, Any],
    scheduler_members: Mapping[str, Any],
) -> None:
    """Write the end of an execution and move the scheduler to the next window, in one transaction.

    Args:
        runtime: the service.
        scheduler: the record of the scheduler.
        window: the window that was inferred.
        execution: the claimed record with the members of its end.
        scheduler_members: what changes in the record of the scheduler beside its next window.
    """
    ended = Update(
        execution["pk"],
        execution["sk"],
        {
            name: execution[name]
            for name in ("Status", "CustomerResultObject", "FailedReason", "notices")
            if name in execution
        },
        expect={"claimedAt": execution["claimedAt"]},
    )
    moved = Update(
        SCHEDULER,
        scheduler["InferenceSchedulerName"],
        {"nextSegmentEnd": window.end + seconds(scheduler["DataUploadFrequency"]), **scheduler_members},
        expect={"uuid": scheduler["uuid"], "nextSegmentEnd": scheduler["nextSegmentEnd"]},
    )
    try:
        runtime.store.transact(ended, moved)
    except (NotFound, StateChanged) as changed:
        if changed.pk == SCHEDULER:
            # Deleted, or stopped and started meanwhile: then it has its own next window.
            runtime.store.transact(ended)
        else:
            log("execution was taken over", Window=str(window))


def _new_execution(
    runtime: Runtime, scheduler: Item, model: Item | None, window: InferenceWindow, now: Decimal
) -> Item:
    days = runtime.settings.execution_retention_days
    copied = (
        "ModelName",
        "ModelArn",
        "InferenceSchedulerName",
        "InferenceSchedulerArn",
        "DataInputConfiguration",
        "DataOutputConfiguration",
    )
    return {
        "pk": executions_of(scheduler["uuid"]),
        "sk": iso_seconds(window.start),
        **{member: scheduler[member] for member in copied},
        "ScheduledStartTime": window.end + delay_seconds(scheduler),
        "DataStartTime": window.start,
        "DataEndTime": window.end,
        "Status": "IN_PROGRESS",
        "claimedAt": now,
        "attempts": 1,
        "ExpiresAt": None if days is None else int(float(now) + days * 86_400),
        **_active_version(model),
    }


def _active_version(model: Item | None) -> dict[str, Any]:
    if model is None or "ActiveModelVersion" not in model:
        return {}
    number = int(model["ActiveModelVersion"])
    return {"ModelVersion": number, "ModelVersionArn": version_arn(model["ModelArn"], number)}
