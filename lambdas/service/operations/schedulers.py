"""Inference schedulers: each runs its model on fresh files at a fixed frequency.

The record of a scheduler is PENDING or STOPPING while its EventBridge schedule is being changed. A request
that was cut short there is completed by repeating it.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from service.context import Context
from service.durations import seconds
from service.errors import ConflictError, QuotaError, ValidationError, name_taken, no_such
from service.idempotency import Plan, create_once
from service.kms_keys import key_arn
from service.names import MODEL, SCHEDULER, new_uuid, scheduler_prefix
from service.operations.models import require_model
from service.paging import paged
from service.pending_deletions import delete_pending, pending_deletion
from service.records import ModelRecord, SchedulerRecord
from service.retry_on_change import ATTEMPTS, retry_on_change
from service.roles import require_role
from service.schedules import Schedules, next_segment_end, segment_end_from
from service.store import Delete, NotFound, StateChanged, Update
from service.tagging import merged_tags
from service.time_zone import require_time_zone

_UPDATABLE = (
    "DataDelayOffsetInMinutes",
    "DataUploadFrequency",
    "DataInputConfiguration",
    "DataOutputConfiguration",
    "RoleArn",
)

_NEXT_STATUS = {"PENDING": "RUNNING", "STOPPING": "STOPPED"}
"""The status after the schedule was changed."""

_SCHEDULED = ("Status", "DataUploadFrequency", "DataDelayOffsetInMinutes")
"""The attributes that the schedule of a scheduler depends on."""


def create_inference_scheduler(context: Context, request: dict[str, Any]) -> Mapping[str, Any]:
    """Create a scheduler and start it."""
    require_role(context, request)
    _require_input(request["DataInputConfiguration"])
    tags = merged_tags(context, request.get("Tags", []))
    key = key_arn(context, request)

    def plan() -> Plan[SchedulerRecord]:
        model = require_model(context, request["ModelName"])
        if context.records.scheduler(request["InferenceSchedulerName"]) is not None:
            raise name_taken("inference scheduler", request["InferenceSchedulerName"])
        if model["Status"] != "SUCCESS":
            raise ConflictError(
                f"the model '{model['ModelName']}' is {model['Status']}, not SUCCESS: wait until a training "
                "has succeeded"
            )
        _require_frequency(request["DataUploadFrequency"], model)
        _require_room(context, model)
        scheduler = _scheduler(context, request, model, kms_key=key, tags=tags)
        fence = Update(  # what has just counted the schedulers of the model must count again
            MODEL,
            model["ModelName"],
            {"fence": scheduler["uuid"]},
            expect={"uuid": model["uuid"], "Status": "SUCCESS", "fence": model.get("fence")},
        )
        return Plan(record=scheduler, writes=[fence])

    scheduler = create_once(
        context,
        "CreateInferenceScheduler",
        request,
        identity="uuid",
        plan=plan,
        start=lambda record: _settle(context, record),
    )
    model = context.records.model(scheduler["ModelName"])
    if model is None or "ModelQuality" not in model:
        return scheduler
    return {**scheduler, "ModelQuality": model["ModelQuality"]}


def describe_inference_scheduler(context: Context, request: dict[str, Any]) -> SchedulerRecord:
    """Return a scheduler."""
    return require_scheduler(context, request["InferenceSchedulerName"])


def list_inference_schedulers(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return schedulers by name."""
    prefix = request.get("InferenceSchedulerNameBeginsWith", "")
    model, status = request.get("ModelName"), request.get("Status")

    def records(start: str | None) -> Iterator[tuple[str, SchedulerRecord]]:
        for scheduler in context.records.schedulers(prefix=prefix, start=start):
            if model in {None, scheduler["ModelName"]} and status in {None, scheduler["Status"]}:
                yield scheduler["sk"], scheduler

    return paged(context, "ListInferenceSchedulers", request, "InferenceSchedulerSummaries", records)


def update_inference_scheduler(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change the members that the request has, from the next wake on."""
    require_role(context, request)
    if "DataInputConfiguration" in request:
        _require_input(request["DataInputConfiguration"])

    def attempt() -> SchedulerRecord:
        scheduler = _require_state(context, request, "RUNNING", "STOPPED")
        changes = {member: request[member] for member in _UPDATABLE if member in request}
        expect: dict[str, Any] = {"Status": scheduler["Status"]}
        frequency: str = changes.get("DataUploadFrequency") or scheduler["DataUploadFrequency"]
        model = _model_of(context, scheduler)
        if model is not None:
            _require_frequency(frequency, model)
        if frequency != scheduler["DataUploadFrequency"]:
            # No window is inferred twice: the first new segment begins where the last old one ended.
            done = int(scheduler["nextSegmentEnd"]) - seconds(scheduler["DataUploadFrequency"])
            changes["nextSegmentEnd"] = segment_end_from(done, frequency)
            expect["nextSegmentEnd"] = scheduler["nextSegmentEnd"]
        return context.records.update_scheduler(
            scheduler, {**changes, "UpdatedAt": context.timestamp()}, expect=expect
        )

    _put_schedule(context, retry_on_change(attempt))
    return {}


def start_inference_scheduler(context: Context, request: dict[str, Any]) -> SchedulerRecord:
    """Start a stopped scheduler with the segment that ends next; the time it was stopped is left out."""

    def attempt() -> SchedulerRecord:
        scheduler = _require_state(context, request, "RUNNING", "STOPPED", "PENDING")
        if scheduler["Status"] == "RUNNING":
            return scheduler
        if _model_of(context, scheduler) is None:
            raise ConflictError(
                f"the model '{scheduler['ModelName']}' of the inference scheduler '{scheduler['sk']}' was "
                "deleted: delete the scheduler and create one for another model"
            )
        soon = next_segment_end(context.now(), scheduler["DataUploadFrequency"])
        return context.records.update_scheduler(
            scheduler,
            {
                "Status": "PENDING",
                "nextSegmentEnd": max(soon, int(scheduler["nextSegmentEnd"])),
                "UpdatedAt": context.timestamp(),
            },
            expect={"Status": scheduler["Status"]},
        )

    started = retry_on_change(attempt)
    _settle(context, started)
    return started


def stop_inference_scheduler(context: Context, request: dict[str, Any]) -> SchedulerRecord:
    """Stop a scheduler; an execution that is running finishes."""

    def attempt() -> SchedulerRecord:
        scheduler = require_scheduler(context, request["InferenceSchedulerName"])
        if scheduler["Status"] == "STOPPED":
            return scheduler
        return context.records.update_scheduler(
            scheduler,
            {"Status": "STOPPING", "UpdatedAt": context.timestamp()},
            expect={"Status": scheduler["Status"]},
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
            pending_deletion(context, prefixes=[scheduler_prefix(uuid)], schedules=[uuid]),
        )

    retry_on_change(attempt)
    delete_pending(context)
    return {}


def require_scheduler(context: Context, name: str) -> SchedulerRecord:
    """Return the inference scheduler called `name`.

    Raises:
        NotFoundError: when there is none.
    """
    scheduler = context.records.scheduler(name)
    if scheduler is None:
        raise no_such("inference scheduler", name)
    return scheduler


def _require_state(context: Context, request: dict[str, Any], *states: str) -> SchedulerRecord:
    """Return the scheduler of a request, which must be in one of the `states`."""
    scheduler = require_scheduler(context, request["InferenceSchedulerName"])
    if scheduler["Status"] not in states:
        raise ConflictError(
            f"the inference scheduler '{scheduler['sk']}' is {scheduler['Status']}: wait until it is RUNNING "
            "or STOPPED, or repeat the request that started or stopped it"
        )
    return scheduler


def _model_of(context: Context, scheduler: SchedulerRecord) -> ModelRecord | None:
    """Return the model of a scheduler, None when it was deleted."""
    model = context.records.model(scheduler["ModelName"])
    return model if model is not None and model["uuid"] == scheduler["modelUuid"] else None


def _settle(context: Context, scheduler: SchedulerRecord) -> None:
    """Change the schedule and the status of a scheduler that is PENDING or STOPPING; leave others alone."""
    status = _NEXT_STATUS.get(scheduler["Status"])
    if status is None:
        return
    _put_schedule(context, scheduler)
    with suppress(NotFound, StateChanged):  # another request has done it
        context.records.update_scheduler(
            scheduler, {"Status": status}, expect={"Status": scheduler["Status"]}
        )


def _put_schedule(context: Context, scheduler: SchedulerRecord) -> None:
    """Make the schedule what the record of its scheduler says, also when that is being changed meanwhile."""
    schedules = Schedules.of(context)
    for _ in range(ATTEMPTS):
        schedules.put(scheduler)
        latest = context.records.scheduler(scheduler["sk"])
        if latest is None or latest["uuid"] != scheduler["uuid"]:
            schedules.delete(scheduler["uuid"])
            return
        if all(latest.get(name) == scheduler.get(name) for name in _SCHEDULED):
            return
        scheduler = latest


def _scheduler(
    context: Context,
    request: dict[str, Any],
    model: ModelRecord,
    *,
    kms_key: str | None,
    tags: dict[str, str],
) -> SchedulerRecord:
    """Return the record of a new scheduler."""
    name, uuid, now = request["InferenceSchedulerName"], new_uuid(), context.timestamp()
    return {
        "pk": SCHEDULER,
        "sk": name,
        "uuid": uuid,
        "modelUuid": model["uuid"],
        "InferenceSchedulerName": name,
        "InferenceSchedulerArn": context.arns.scheduler_arn(name, uuid),
        "ModelName": model["ModelName"],
        "ModelArn": model["ModelArn"],
        "DataUploadFrequency": request["DataUploadFrequency"],
        "DataDelayOffsetInMinutes": request.get("DataDelayOffsetInMinutes", 0),
        "DataInputConfiguration": request["DataInputConfiguration"],
        "DataOutputConfiguration": request["DataOutputConfiguration"],
        "RoleArn": request["RoleArn"],
        "Status": "PENDING",
        "CreatedAt": now,
        "UpdatedAt": now,
        "ServerSideKmsKeyId": kms_key,
        "nextSegmentEnd": next_segment_end(context.now(), request["DataUploadFrequency"]),
        "tags": tags,
    }


def _require_input(configuration: Mapping[str, Any]) -> None:
    """Require an input bucket, and a time zone that exists, in a `DataInputConfiguration`."""
    if "S3InputConfiguration" not in configuration:
        raise ValidationError(
            "DataInputConfiguration has no S3InputConfiguration: give the Bucket (and Prefix) of the input "
            "files"
        )
    require_time_zone(configuration.get("InputTimeZoneOffset"))


def _require_frequency(frequency: str, model: ModelRecord) -> None:
    """Require that each execution gets at least one row of the `model`."""
    rate = model.get("DataPreProcessingConfiguration", {}).get("TargetSamplingRate")
    if rate is not None and seconds(frequency) < seconds(rate):
        raise ValidationError(
            f"DataUploadFrequency '{frequency}' is shorter than the sampling rate '{rate}' of the model "
            f"'{model['ModelName']}': use {rate} or a longer one"
        )


def _require_room(context: Context, model: ModelRecord) -> None:
    limit = context.settings.inference_schedulers_per_model
    present = [one["sk"] for one in context.records.schedulers() if one["modelUuid"] == model["uuid"]]
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
