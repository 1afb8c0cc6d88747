"""Inference schedulers: each runs its model on fresh files at a fixed frequency.

A scheduler's record goes through PENDING or STOPPING while its schedule is being changed. A request that was
cut short there is completed by repeating it.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from service import pending_deletions
from service.context import Context
from service.errors import ConflictError, QuotaError, name_taken, no_such
from service.idempotency import Plan, create_once
from service.names import MODEL, SCHEDULER, new_uuid, scheduler_prefix
from service.operations.models import require_model
from service.paging import paged
from service.request_checks import (
    key_arn,
    require_frequency,
    require_role,
    require_time_zone,
    seconds,
    tag_map,
)
from service.retry_on_change import ATTEMPTS, retry_on_change
from service.schedules import Schedules, next_segment_end, segment_end_from
from service.store import Delete, Item, NotFound, StateChanged, Update

_UPDATABLE = (
    "DataDelayOffsetInMinutes",
    "DataUploadFrequency",
    "DataInputConfiguration",
    "DataOutputConfiguration",
    "RoleArn",
)

_GOALS = {"PENDING": "RUNNING", "STOPPING": "STOPPED"}
_SCHEDULED = ("Status", "DataUploadFrequency", "DataDelayOffsetInMinutes")
"""The members that the schedule of a scheduler depends on."""


def create_inference_scheduler(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Create a scheduler and start it."""
    require_role(context, request)
    require_time_zone(request["DataInputConfiguration"])
    tags = tag_map(context, request.get("Tags", []), {})
    key = key_arn(context, request)

    def plan() -> Plan:
        model = require_model(context, request["ModelName"])
        name = request["InferenceSchedulerName"]
        if context.store.get(SCHEDULER, name) is not None:
            raise name_taken("inference scheduler", name)
        if model["Status"] != "SUCCESS":
            raise ConflictError(
                f"the model '{model['ModelName']}' is {model['Status']}, not SUCCESS: wait until a training "
                "has succeeded"
            )
        require_frequency(request["DataUploadFrequency"], model)
        _require_room(context, model)
        uuid = new_uuid()
        now = context.timestamp()
        return Plan(
            item={
                **{member: request[member] for member in _UPDATABLE if member in request},
                "DataDelayOffsetInMinutes": request.get("DataDelayOffsetInMinutes", 0),
                "pk": SCHEDULER,
                "sk": name,
                "uuid": uuid,
                "modelUuid": model["uuid"],
                "InferenceSchedulerName": name,
                "InferenceSchedulerArn": context.place.scheduler_arn(name, uuid),
                "ModelName": model["ModelName"],
                "ModelArn": model["ModelArn"],
                "Status": "PENDING",
                "CreatedAt": now,
                "UpdatedAt": now,
                "ServerSideKmsKeyId": key,
                "nextSegmentEnd": next_segment_end(context.now(), request["DataUploadFrequency"]),
                "tags": tags,
            },
            writes=[
                Update(  # what has just counted the model's schedulers must count again
                    MODEL,
                    model["ModelName"],
                    {"fence": uuid},
                    expect={"uuid": model["uuid"], "Status": "SUCCESS", "fence": model.get("fence")},
                ),
            ],
        )

    scheduler = create_once(
        context,
        "CreateInferenceScheduler",
        request,
        identity="uuid",
        plan=plan,
        start=lambda record: _settle(context, record),
    )
    model = context.store.get(MODEL, scheduler["ModelName"])
    if model is not None and "ModelQuality" in model:
        scheduler["ModelQuality"] = model["ModelQuality"]
    return scheduler


def describe_inference_scheduler(context: Context, request: dict[str, Any]) -> Item:
    """Return a scheduler."""
    return require_scheduler(context, request["InferenceSchedulerName"])


def list_inference_schedulers(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return schedulers by name."""
    prefix = request.get("InferenceSchedulerNameBeginsWith", "")
    model, status = request.get("ModelName"), request.get("Status")

    def records(start: str | None) -> Iterator[tuple[str, Item]]:
        for scheduler in context.store.all(SCHEDULER, prefix=prefix, start=start):
            if model in {None, scheduler["ModelName"]} and status in {None, scheduler["Status"]}:
                yield scheduler["sk"], scheduler

    return paged(context, "ListInferenceSchedulers", request, "InferenceSchedulerSummaries", records)


def update_inference_scheduler(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change the members that the request has, from the next wake on."""
    require_role(context, request)
    if "DataInputConfiguration" in request:
        require_time_zone(request["DataInputConfiguration"])

    def attempt() -> Item:
        scheduler = _require_state(context, request, "RUNNING", "STOPPED")
        changes = {member: request[member] for member in _UPDATABLE if member in request}
        expect = {"uuid": scheduler["uuid"], "Status": scheduler["Status"]}
        frequency: str = changes.get("DataUploadFrequency") or scheduler["DataUploadFrequency"]
        model = _model_of(context, scheduler)
        if model is not None:
            require_frequency(frequency, model)
        if frequency != scheduler["DataUploadFrequency"]:
            # No window is inferred twice: the first new segment begins where the last old one ended.
            done = int(scheduler["nextSegmentEnd"]) - seconds(scheduler["DataUploadFrequency"])
            changes["nextSegmentEnd"] = segment_end_from(done, frequency)
            expect["nextSegmentEnd"] = scheduler["nextSegmentEnd"]
        return context.store.update(
            SCHEDULER, scheduler["sk"], {**changes, "UpdatedAt": context.timestamp()}, expect=expect
        )

    _follow(context, retry_on_change(attempt))
    return {}


def start_inference_scheduler(context: Context, request: dict[str, Any]) -> Item:
    """Start a stopped scheduler with the segment that ends next; the time it was stopped stays out."""

    def attempt() -> Item:
        scheduler = _require_state(context, request, "RUNNING", "STOPPED", "PENDING")
        if scheduler["Status"] == "RUNNING":
            return scheduler
        if _model_of(context, scheduler) is None:
            raise ConflictError(
                f"the model '{scheduler['ModelName']}' of the inference scheduler '{scheduler['sk']}' was "
                "deleted: delete the scheduler and create one for another model"
            )
        soon = next_segment_end(context.now(), scheduler["DataUploadFrequency"])
        return context.store.update(
            SCHEDULER,
            scheduler["sk"],
            {
                "Status": "PENDING",
                "nextSegmentEnd": max(soon, int(scheduler["nextSegmentEnd"])),
                "UpdatedAt": context.timestamp(),
            },
            expect={"uuid": scheduler["uuid"], "Status": scheduler["Status"]},
        )

    started = retry_on_change(attempt)
    _settle(context, started)
    return started


def stop_inference_scheduler(context: Context, request: dict[str, Any]) -> Item:
    """Stop a scheduler; an execution that is running finishes."""

    def attempt() -> Item:
        scheduler = require_scheduler(context, request["InferenceSchedulerName"])
        if scheduler["Status"] == "STOPPED":
            return scheduler
        return context.store.update(
            SCHEDULER,
            scheduler["sk"],
            {"Status": "STOPPING", "UpdatedAt": context.timestamp()},
            expect={"uuid": scheduler["uuid"], "Status": scheduler["Status"]},
        )

    stopped = retry_on_change(attempt)
    _settle(context, stopped)
    return stopped


def delete_inference_scheduler(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a stopped scheduler. Its results in the customer's bucket stay."""

    def attempt() -> None:
        scheduler = require_scheduler(context, request["InferenceSchedulerName"])
        name, uuid, status = scheduler["sk"], scheduler["uuid"], scheduler["Status"]
        if status != "STOPPED":
            raise ConflictError(
                f"the inference scheduler '{name}' is {status}: stop it first, then delete it"
            )
        context.store.transact(
            Delete(SCHEDULER, name, {"uuid": uuid, "Status": status}),
            pending_deletions.note(context, prefixes=[scheduler_prefix(uuid)], schedules=[uuid]),
        )

    retry_on_change(attempt)
    pending_deletions.collect(context)
    return {}


def require_scheduler(context: Context, name: str) -> Item:
    """Return the inference scheduler called `name`.

    Raises:
        NotFoundError: when there is none.
    """
    scheduler = context.store.get(SCHEDULER, name)
    if scheduler is None:
        raise no_such("inference scheduler", name)
    return scheduler


def _require_state(context: Context, request: dict[str, Any], *states: str) -> Item:
    """Return the scheduler of a request, which must be in one of the `states`."""
    scheduler = require_scheduler(context, request["InferenceSchedulerName"])
    if scheduler["Status"] not in states:
        raise ConflictError(
            f"the inference scheduler '{scheduler['sk']}' is {scheduler['Status']}: wait until it is RUNNING "
            "or STOPPED, or repeat the request that started or stopped it"
        )
    return scheduler


def _model_of(context: Context, scheduler: Item) -> Item | None:
    """Return the model of a scheduler, None when it was deleted."""
    model = context.store.get(MODEL, scheduler["ModelName"])
    return model if model is not None and model["uuid"] == scheduler["modelUuid"] else None


def _settle(context: Context, scheduler: Item) -> None:
    """Lead a scheduler that is PENDING or STOPPING to where it goes; leave others alone."""
    goal = _GOALS.get(scheduler["Status"])
    if goal is None:
        return
    _follow(context, scheduler)
    with suppress(NotFound, StateChanged):  # another request has led it on
        context.store.update(
            SCHEDULER,
            scheduler["sk"],
            {"Status": goal},
            expect={"uuid": scheduler["uuid"], "Status": scheduler["Status"]},
        )


def _follow(context: Context, scheduler: Item) -> None:
    """Make the schedule what the record of its scheduler says, also when that is being changed meanwhile."""
    schedules = Schedules.of(context)
    for _ in range(ATTEMPTS):
        schedules.put(scheduler)
        latest = context.store.get(SCHEDULER, scheduler["sk"])
        if latest is None or latest["uuid"] != scheduler["uuid"]:
            schedules.delete(scheduler["uuid"])
            return
        if all(latest.get(member) == scheduler.get(member) for member in _SCHEDULED):
            return
        scheduler = latest


def _require_room(context: Context, model: Item) -> None:
    limit = context.settings.inference_schedulers_per_model
    present = [one["sk"] for one in context.store.all(SCHEDULER) if one["modelUuid"] == model["uuid"]]
    if limit is not None and len(present) >= limit:
        raise QuotaError(
            f"the model '{model['ModelName']}' has {len(present)} inference scheduler(s) ('{present[0]}'), "
            f"and the limit is {limit}: use or delete that one, or raise the setting "
            "'inference_schedulers_per_model' of the service"
        )


OPERATIONS = {
    "CreateInferenceScheduler": create_inference_scheduler,
    "DescribeInferenceScheduler": describe_inference_scheduler,
    "ListInferenceSchedulers": list_inference_schedulers,
    "UpdateInferenceScheduler": update_inference_scheduler,
    "StartInferenceScheduler": start_inference_scheduler,
    "StopInferenceScheduler": stop_inference_scheduler,
    "DeleteInferenceScheduler": delete_inference_scheduler,
}
