"""Inference schedulers: each runs its model on fresh files at a fixed frequency.

The record of a scheduler is PENDING or STOPPING while its EventBridge schedule is being changed. What a
request that was cut short has left undone is completed by the next one that reads the record.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from service.context import Context
from service.customer.kms_keys import key_arn
from service.customer.roles import require_role
from service.errors import (
    ApiError,
    ConflictError,
    NotFoundError,
    QuotaError,
    ValidationError,
    name_taken,
    no_such,
)
from service.members.durations import seconds
from service.members.locations import require_short_key
from service.members.results_place import results_key
from service.members.tagging import merged_tags
from service.members.time_zone import require_time_zone
from service.operations.models import require_model
from service.reconciliation.pending_deletions import delete_pending, pending_deletion
from service.requests.idempotency import Plan, create_once
from service.requests.paging import paged
from service.schedulers.access_trial import require_access
from service.schedulers.inference_windows import (
    inferred_until,
    pauses_when_started,
    pauses_when_stopped,
    segment_start,
)
from service.schedulers.schedules import NEXT_STATUS, Schedules
from service.storage.indexes import deletion
from service.storage.names import MODEL, SCHEDULER, events_of, new_uuid, scheduler_prefix
from service.storage.records import ModelRecord, SchedulerRecord
from service.storage.retry_on_change import retry_on_change
from service.storage.store import NotFound, StateChanged, Update

_log = logging.getLogger(__name__)

_UPDATABLE = (
    "DataDelayOffsetInMinutes",
    "DataUploadFrequency",
    "DataInputConfiguration",
    "DataOutputConfiguration",
    "RoleArn",
)

_ACCESSED = {"DataInputConfiguration", "DataOutputConfiguration", "RoleArn"}
"""The attributes that say which role accesses what."""


def create_inference_scheduler(context: Context, request: dict[str, Any]) -> Mapping[str, Any]:
    """Create a scheduler and start it."""
    require_role(context, request)
    _require_input(request["DataInputConfiguration"])
    _require_output(request["DataOutputConfiguration"])
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
        require_access(context, scheduler)
        fence = Update(  # what has just counted the schedulers of the model must count again
            MODEL,
            model["ModelName"],
            {"fence": scheduler["uuid"]},
            expect={"uuid": model["uuid"], "Status": "SUCCESS", "fence": model.get("fence")},
        )
        return Plan(
            record=scheduler,
            writes=[fence],
            undo=[pending_deletion(context, schedules=[scheduler["uuid"]])],
        )

    try:
        scheduler = create_once(
            context,
            "CreateInferenceScheduler",
            request,
            identity="uuid",
            plan=plan,
            start=lambda record: _settle(context, record),
        )
    except (BotoCoreError, ClientError):
        delete_pending(context)  # the creation was undone, and may have left a schedule
        raise
    model = context.records.model(scheduler["ModelName"])
    if model is None or "ModelQuality" not in model:
        return scheduler
    return {**scheduler, "ModelQuality": model["ModelQuality"]}


def describe_inference_scheduler(context: Context, request: dict[str, Any]) -> SchedulerRecord:
    """Return a scheduler."""
    return _reconciled(context, request)


def list_inference_schedulers(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return schedulers by name."""
    prefix = request.get("InferenceSchedulerNameBeginsWith", "")
    model, status = request.get("ModelName"), request.get("Status")

    def records(start: str | None) -> Iterator[tuple[str, SchedulerRecord]]:
        for scheduler in context.records.schedulers(prefix=prefix, model_name=model, start=start):
            if scheduler["Status"] in NEXT_STATUS:
                with suppress(NotFoundError):  # deleted meanwhile: shown as it was
                    scheduler = reconciled_scheduler(context, scheduler)  # noqa: PLW2901
            if status in {None, scheduler["Status"]}:
                yield scheduler["sk"], scheduler

    return paged(context, "ListInferenceSchedulers", request, "InferenceSchedulerSummaries", records)


def update_inference_scheduler(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change the members that the request has, from the next wake on."""
    require_role(context, request)
    if "DataInputConfiguration" in request:
        _require_input(request["DataInputConfiguration"])
    if "DataOutputConfiguration" in request:
        _require_output(request["DataOutputConfiguration"])

    def attempt() -> SchedulerRecord:
        scheduler = _require_state(context, request, "RUNNING", "STOPPED")
        changes = {member: request[member] for member in _UPDATABLE if member in request}
        expect: dict[str, Any] = {"Status": scheduler["Status"]}
        frequency: str = changes.get("DataUploadFrequency") or scheduler["DataUploadFrequency"]
        model = _model_of(context, scheduler)
        if model is not None:
            _require_frequency(frequency, model)
        if "inferredUntil" not in scheduler:  # what an earlier release kept depends on the frequency
            changes["inferredUntil"] = inferred_until(scheduler)
            expect |= {"inferredUntil": None, "nextSegmentEnd": scheduler["nextSegmentEnd"]}
        if changes.keys() & _ACCESSED:
            require_access(context, {**scheduler, **changes})
        return context.records.update_scheduler(
            scheduler, {**changes, "UpdatedAt": context.timestamp()}, expect=expect
        )

    _put_schedule(context, retry_on_change(attempt))
    return {}


def start_inference_scheduler(context: Context, request: dict[str, Any]) -> SchedulerRecord:
    """Start a stopped scheduler with the first window that is due after now; those before it are left out."""

    def attempt() -> SchedulerRecord:
        scheduler = _require_state(context, request, "RUNNING", "STOPPED", "PENDING")
        if scheduler["Status"] != "STOPPED":
            return scheduler
        if _model_of(context, scheduler) is None:
            raise ConflictError(
                f"the model '{scheduler['ModelName']}' of the inference scheduler '{scheduler['sk']}' was "
                "deleted: delete the scheduler and create one for another model"
            )
        return context.records.update_scheduler(
            scheduler,
            {
                "Status": "PENDING",
                "pauses": pauses_when_started(scheduler, now=context.now().timestamp()),
                "UpdatedAt": context.timestamp(),
            },
            expect=_unmoved(scheduler),
        )

    started = retry_on_change(attempt)
    _settle(context, started)
    return started


def stop_inference_scheduler(context: Context, request: dict[str, Any]) -> SchedulerRecord:
    """Stop a scheduler; an execution that is running finishes, and windows that are due wait for a start."""

    def attempt() -> SchedulerRecord:
        scheduler = _reconciled(context, request)
        if scheduler["Status"] in {"STOPPED", "STOPPING"}:
            return scheduler
        return context.records.update_scheduler(
            scheduler,
            {
                "Status": "STOPPING",
                "pauses": pauses_when_stopped(scheduler, now=context.now().timestamp()),
                "UpdatedAt": context.timestamp(),
            },
            expect=_unmoved(scheduler),
        )

    stopped = retry_on_change(attempt)
    _settle(context, stopped)
    return stopped


def delete_inference_scheduler(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a stopped scheduler with its events. Its results in the customer's bucket stay."""

    def attempt() -> None:
        scheduler = _reconciled(context, request)
        name, uuid, status = scheduler["sk"], scheduler["uuid"], scheduler["Status"]
        if status != "STOPPED":
            raise ConflictError(
                f"the inference scheduler '{name}' is {status}: stop it first, then delete it"
            )
        context.store.transact(
            *deletion(scheduler, {"uuid": uuid, "Status": status}),
            pending_deletion(
                context,
                prefixes=[scheduler_prefix(uuid)],
                partitions=[events_of(uuid)],  # executions, up to 50,000 in half a year, expire by themselves
                schedules=[uuid],
            ),
        )

    try:
        retry_on_change(attempt)
    except NotFoundError:
        delete_pending(context)  # an earlier request may have been cut short
        raise
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
    scheduler = _reconciled(context, request)
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


def _unmoved(scheduler: SchedulerRecord) -> dict[str, Any]:
    """Return the values that the pauses of a scheduler follow from."""
    members = ("Status", "inferredUntil", "pauses", "DataUploadFrequency", "DataDelayOffsetInMinutes")
    return {member: scheduler.get(member) for member in members}


def _reconciled(context: Context, request: dict[str, Any]) -> SchedulerRecord:
    """Return the scheduler of a request once its schedule is what the record says."""
    return reconciled_scheduler(context, require_scheduler(context, request["InferenceSchedulerName"]))


def reconciled_scheduler(context: Context, scheduler: SchedulerRecord) -> SchedulerRecord:
    """Return a scheduler once its schedule is what the record says; where it was not, it is made so.

    A request that was cut short, a lost call of EventBridge Scheduler or somebody's hand can be the reason.
    What fails is left to the next request that reads the record.
    """
    try:
        if scheduler["Status"] in NEXT_STATUS:
            _settle(context, scheduler)
        elif not Schedules.of(context).fits(scheduler):
            _log.warning("the schedule of the inference scheduler '%s' was made anew", scheduler["sk"])
            _put_schedule(context, scheduler)
        else:
            return scheduler
    except (ApiError, BotoCoreError, ClientError):
        _log.exception("the schedule of the inference scheduler '%s' is not as it must be", scheduler["sk"])
    return require_scheduler(context, scheduler["sk"])


def _settle(context: Context, scheduler: SchedulerRecord) -> None:
    """Change the schedule and the status of a scheduler that is PENDING or STOPPING; leave others alone."""
    status = NEXT_STATUS.get(scheduler["Status"])
    if status is None:
        return
    _put_schedule(context, scheduler)
    with suppress(NotFound, StateChanged):  # another request has done it
        context.records.update_scheduler(
            scheduler, {"Status": status}, expect={"Status": scheduler["Status"]}
        )


def _put_schedule(context: Context, scheduler: SchedulerRecord) -> None:
    Schedules.of(context).put_latest(scheduler, lambda: context.records.scheduler(scheduler["sk"]))


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
        "inferredUntil": segment_start(context.now().timestamp(), request["DataUploadFrequency"]),
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


def _require_output(configuration: Mapping[str, Any]) -> None:
    """Require that the results have keys that S3 allows."""
    prefix = configuration["S3OutputConfiguration"].get("Prefix", "")
    require_short_key(results_key(prefix, 0), prefix=prefix, member="DataOutputConfiguration")


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
    if limit is None:
        return
    of_name = context.records.schedulers(model_name=model["ModelName"])
    present = [one["sk"] for one in of_name if one["modelUuid"] == model["uuid"]]
    if len(present) >= limit:
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
