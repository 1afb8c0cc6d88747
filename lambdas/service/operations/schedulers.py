"""Inference schedulers: each runs its model on fresh files at a fixed frequency.

A scheduler's record goes through PENDING or STOPPING while its schedule is being changed. A request that was
cut short there is completed by repeating it.
"""

from collections.abc import Iterator
from typing import Any

from service import garbage
from service.context import Context
from service.errors import ApiError, ConflictError, QuotaError, name_taken, no_such
from service.idempotency import Plan, create_once
from service.inputs import key_arn, require_frequency, require_role, require_time_zone, seconds, tag_map
from service.names import MODEL, SCHEDULER, new_uuid, scheduler_prefix
from service.operations.models import require_model
from service.paging import paged
from service.schedules import Schedules, next_segment_end, segment_end_from
from service.store import Check, Delete, Item, NotFound, StateChanged, Update

_UPDATABLE = (
    "DataDelayOffsetInMinutes",
    "DataUploadFrequency",
    "DataInputConfiguration",
    "DataOutputConfiguration",
    "RoleArn",
)


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
                f"the model '{model['ModelName']}' is {model['Status']}, not SUCCESS: wait until a "
                "training has "
                "succeeded"
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
                Check(MODEL, model["ModelName"], {"uuid": model["uuid"], "Status": "SUCCESS"}),
            ],
        )

    scheduler = create_once(
        context,
        "CreateInferenceScheduler",
        request,
        identity="uuid",
        plan=plan,
        start=lambda record: _run(context, record),
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
    scheduler = require_scheduler(context, request["InferenceSchedulerName"])
    changes = {member: request[member] for member in _UPDATABLE if member in request}
    frequency: str = changes.get("DataUploadFrequency") or scheduler["DataUploadFrequency"]
    model = context.store.get(MODEL, scheduler["ModelName"])
    if model is not None and model["uuid"] == scheduler["modelUuid"]:
        require_frequency(frequency, model)
    expect = {"uuid": scheduler["uuid"], "Status": ("RUNNING", "STOPPED")}
    if frequency != scheduler["DataUploadFrequency"]:
        # What was inferred stays inferred once: the first new segment begins where the last old one ended.
        done = int(scheduler["nextSegmentEnd"]) - seconds(scheduler["DataUploadFrequency"])
        changes["nextSegmentEnd"] = segment_end_from(done, frequency)
        expect["nextSegmentEnd"] = scheduler["nextSegmentEnd"]
    try:
        updated = context.store.update(
            SCHEDULER,
            scheduler["sk"],
            {**changes, "UpdatedAt": context.timestamp()},
            expect=expect,
        )
    except (NotFound, StateChanged) as changed:
        raise _changed(scheduler, changed) from changed
    Schedules.of(context).put(updated, enabled=updated["Status"] == "RUNNING")
    return {}


def start_inference_scheduler(context: Context, request: dict[str, Any]) -> Item:
    """Start a stopped scheduler with the segment that ends next; the time it was stopped stays out."""
    scheduler = require_scheduler(context, request["InferenceSchedulerName"])
    if scheduler["Status"] == "RUNNING":
        return scheduler
    model = context.store.get(MODEL, scheduler["ModelName"])
    if model is None or model["uuid"] != scheduler["modelUuid"]:
        raise ConflictError(
            f"the model '{scheduler['ModelName']}' of the inference scheduler '{scheduler['sk']}' was "
            "deleted: "
            "delete the scheduler and create one for another model"
        )
    soon = next_segment_end(context.now(), scheduler["DataUploadFrequency"])
    try:
        pending = context.store.update(
            SCHEDULER,
            scheduler["sk"],
            {
                "Status": "PENDING",
                "nextSegmentEnd": max(soon, int(scheduler["nextSegmentEnd"])),
                "UpdatedAt": context.timestamp(),
            },
            expect={"uuid": scheduler["uuid"], "Status": ("STOPPED", "PENDING")},
        )
    except (NotFound, StateChanged) as changed:
        raise _changed(scheduler, changed) from changed
    _run(context, pending)
    return pending


def stop_inference_scheduler(context: Context, request: dict[str, Any]) -> Item:
    """Stop a scheduler; an execution that is running finishes."""
    scheduler = require_scheduler(context, request["InferenceSchedulerName"])
    if scheduler["Status"] == "STOPPED":
        return scheduler
    identity = {"uuid": scheduler["uuid"]}
    try:
        stopping = context.store.update(
            SCHEDULER,
            scheduler["sk"],
            {"Status": "STOPPING", "UpdatedAt": context.timestamp()},
            expect=identity,
        )
        Schedules.of(context).put(stopping, enabled=False)
        context.store.update(
            SCHEDULER, scheduler["sk"], {"Status": "STOPPED"}, expect={**identity, "Status": "STOPPING"}
        )
    except (NotFound, StateChanged) as changed:
        raise _changed(scheduler, changed) from changed
    return stopping


def delete_inference_scheduler(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a stopped scheduler. Its results in the customer's bucket stay."""
    scheduler = require_scheduler(context, request["InferenceSchedulerName"])
    uuid = scheduler["uuid"]
    if scheduler["Status"] == "STOPPED":
        Schedules.of(context).delete(scheduler)
    try:
        context.store.transact(
            Delete(SCHEDULER, scheduler["sk"], {"uuid": uuid, "Status": "STOPPED"}),
            garbage.record(context, prefixes=[scheduler_prefix(uuid)]),
        )
    except (NotFound, StateChanged) as changed:
        raise _changed(scheduler, changed, "stop it first, then delete it") from changed
    garbage.collect(context)
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


def _run(context: Context, scheduler: Item) -> None:
    """Enable the schedule of a PENDING scheduler, which is RUNNING then."""
    if scheduler["Status"] != "PENDING":
        return
    Schedules.of(context).put(scheduler, enabled=True)
    context.store.transact(
        Update(
            SCHEDULER,
            scheduler["sk"],
            {"Status": "RUNNING"},
            expect={"uuid": scheduler["uuid"], "Status": ("PENDING", "RUNNING")},
        )
    )


def _require_room(context: Context, model: Item) -> None:
    limit = context.settings.inference_schedulers_per_model
    present = [one["sk"] for one in context.store.all(SCHEDULER) if one["modelUuid"] == model["uuid"]]
    if limit is not None and len(present) >= limit:
        raise QuotaError(
            f"the model '{model['ModelName']}' has {len(present)} inference scheduler(s) ('{present[0]}'), "
            "and the "
            f"limit is {limit}: use or delete that one, or raise the setting "
            "'inference_schedulers_per_model' of "
            "the service"
        )


def _changed(
    scheduler: Item,
    changed: NotFound | StateChanged,
    advice: str = "wait until it is RUNNING or STOPPED and try again",
) -> ApiError:
    """Return the API's error for a scheduler that is not as an operation needs it."""
    if changed.item is None or changed.item["uuid"] != scheduler["uuid"]:
        return no_such("inference scheduler", scheduler["sk"])
    return ConflictError(f"the inference scheduler '{scheduler['sk']}' is {changed.item['Status']}: {advice}")


OPERATIONS = {
    "CreateInferenceScheduler": create_inference_scheduler,
    "DescribeInferenceScheduler": describe_inference_scheduler,
    "ListInferenceSchedulers": list_inference_schedulers,
    "UpdateInferenceScheduler": update_inference_scheduler,
    "StartInferenceScheduler": start_inference_scheduler,
    "StopInferenceScheduler": stop_inference_scheduler,
    "DeleteInferenceScheduler": delete_inference_scheduler,
}
