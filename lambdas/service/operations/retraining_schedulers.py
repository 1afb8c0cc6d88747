"""Retraining schedulers: each trains its model anew, on its latest data, at midnight UTC of its dates.

As with inference schedulers, the record is PENDING or STOPPING while its EventBridge schedule is being
changed, and what a request that was cut short has left undone is completed by the next one that reads it.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from service.clock import iso_seconds, moment, timestamp
from service.context import Context
from service.errors import ApiError, ConflictError, NotFoundError, ValidationError, no_such
from service.operations.models import require_model
from service.reconciliation.pending_deletions import delete_pending, pending_deletion
from service.requests.idempotency import Plan, create_once
from service.requests.paging import paged
from service.schedulers.retraining import cancel_retraining
from service.schedulers.retraining_dates import (
    Frequency,
    WrongFrequencyError,
    midnight,
    next_date,
    next_midnight,
)
from service.schedulers.schedules import NEXT_STATUS, Schedules
from service.storage.names import MODEL, RETRAINING_SCHEDULER, new_uuid
from service.storage.records import ModelRecord, RetrainingSchedulerRecord
from service.storage.retry_on_change import retry_on_change
from service.storage.store import Delete, NotFound, StateChanged, Update

_log = logging.getLogger(__name__)

_LATEST_DAYS = 3652
_SHOWN_BY_MODEL = ("RetrainingSchedulerStatus", "NextScheduledRetrainingStartDate")


def create_retraining_scheduler(context: Context, request: dict[str, Any]) -> RetrainingSchedulerRecord:
    """Create the retraining scheduler of a model and start it."""
    _require_frequency(request)

    def plan() -> Plan[RetrainingSchedulerRecord]:
        model = require_model(context, request["ModelName"])
        if context.records.retraining_scheduler(model["ModelName"]) is not None:
            raise ConflictError(
                f"the model '{model['ModelName']}' has a retraining scheduler already: update that one, or "
                "stop and delete it first"
            )
        if model["Status"] != "SUCCESS":
            raise ConflictError(
                f"the model '{model['ModelName']}' is {model['Status']}, not SUCCESS: wait until a training "
                "has succeeded"
            )
        scheduler = _scheduler(context, request, model)
        shown, _ = _shown_by_model(scheduler)
        return Plan(
            record=scheduler,
            writes=[
                Update(
                    MODEL,
                    model["ModelName"],
                    shown,
                    expect={"uuid": model["uuid"], "Status": "SUCCESS", "RetrainingSchedulerStatus": None},
                )
            ],
            undo=[
                Update(MODEL, model["ModelName"], {}, _SHOWN_BY_MODEL, {"uuid": model["uuid"]}),
                pending_deletion(context, schedules=[scheduler["uuid"]]),
            ],
        )

    try:
        return create_once(
            context,
            "CreateRetrainingScheduler",
            request,
            identity="uuid",
            plan=plan,
            start=lambda record: _settle(context, record),
        )
    except (BotoCoreError, ClientError):
        delete_pending(context)  # the creation was undone, and may have left a schedule
        raise


def describe_retraining_scheduler(context: Context, request: dict[str, Any]) -> RetrainingSchedulerRecord:
    """Return the retraining scheduler of a model."""
    return _reconciled(context, request)


def list_retraining_schedulers(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return retraining schedulers by the name of their model."""
    prefix, status = request.get("ModelNameBeginsWith", ""), request.get("Status")

    def records(start: str | None) -> Iterator[tuple[str, RetrainingSchedulerRecord]]:
        for found in context.records.retraining_schedulers(prefix=prefix, start=start):
            scheduler = found
            if found["Status"] in NEXT_STATUS:
                with suppress(NotFoundError):  # deleted meanwhile: shown as it was
                    scheduler = reconciled_retraining_scheduler(context, found)
            if status in {None, scheduler["Status"]}:
                yield scheduler["sk"], scheduler

    return paged(context, "ListRetrainingSchedulers", request, "RetrainingSchedulerSummaries", records)


def update_retraining_scheduler(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change the members that the request has. A retraining that runs is not affected."""
    _require_frequency(request)

    def attempt() -> None:
        scheduler = _reconciled(context, request)
        if scheduler["Status"] in NEXT_STATUS:
            raise _changing(scheduler)
        changes: dict[str, Any] = {
            member: request[member]
            for member in ("RetrainingFrequency", "LookbackWindow", "PromoteMode")
            if member in request
        }
        if "RetrainingStartDate" in request:
            changes["RetrainingStartDate"] = _day(context, request["RetrainingStartDate"])
        if changes.keys() & {"RetrainingStartDate", "RetrainingFrequency"}:
            changes["nextDate"] = _next_date(context, cast("Any", {**scheduler, **changes}))
        _change(context, scheduler, changes)

    retry_on_change(attempt)
    return {}


def start_retraining_scheduler(context: Context, request: dict[str, Any]) -> RetrainingSchedulerRecord:
    """Start a stopped scheduler with its first date from today on; those before it are left out."""

    def attempt() -> RetrainingSchedulerRecord:
        scheduler = _reconciled(context, request)
        if scheduler["Status"] == "STOPPING":
            raise _changing(scheduler)
        if scheduler["Status"] != "STOPPED":
            return scheduler
        changes = {"Status": "PENDING", "nextDate": _next_date(context, scheduler)}
        return _change(context, scheduler, changes)

    started = retry_on_change(attempt)
    _settle(context, started)
    return started


def stop_retraining_scheduler(context: Context, request: dict[str, Any]) -> RetrainingSchedulerRecord:
    """Stop a scheduler, and cancel its retraining if one is under way. Rows of inference are still kept."""

    def attempt() -> RetrainingSchedulerRecord:
        scheduler = _reconciled(context, request)
        if scheduler["Status"] in {"STOPPED", "STOPPING"}:
            return scheduler
        return _change(context, scheduler, {"Status": "STOPPING"})

    stopped = retry_on_change(attempt)
    _settle(context, stopped)
    return stopped


def delete_retraining_scheduler(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a stopped scheduler. The versions that it made stay, and so do the rows kept so far."""

    def attempt() -> None:
        scheduler = _reconciled(context, request)
        name, status = scheduler["sk"], scheduler["Status"]
        if status != "STOPPED":
            raise ConflictError(
                f"the retraining scheduler of the model '{name}' is {status}: stop it first, then delete it"
            )
        context.store.transact(
            Delete(RETRAINING_SCHEDULER, name, {"uuid": scheduler["uuid"], "Status": status}),
            Update(MODEL, name, {}, _SHOWN_BY_MODEL, {"uuid": scheduler["modelUuid"]}),
            pending_deletion(context, schedules=[scheduler["uuid"]]),
        )

    try:
        retry_on_change(attempt)
    except NotFoundError:
        delete_pending(context)  # an earlier request may have been cut short
        raise
    delete_pending(context)
    return {}


def reconciled_retraining_scheduler(
    context: Context, scheduler: RetrainingSchedulerRecord
) -> RetrainingSchedulerRecord:
    """Return a scheduler once its schedule is what the record says; where it was not, it is made so.

    What fails is left to the next request that reads the record.
    """
    try:
        if scheduler["Status"] in NEXT_STATUS:
            _settle(context, scheduler)
        elif not Schedules.of(context).fits(scheduler):
            _log.warning("the schedule of the retraining of '%s' was made anew", scheduler["sk"])
            _put_schedule(context, scheduler)
        else:
            return scheduler
    except (ApiError, BotoCoreError, ClientError):
        _log.exception("the schedule of the retraining of '%s' is not as it must be", scheduler["sk"])
    return _require_scheduler(context, scheduler["sk"])


def _require_scheduler(context: Context, model: str) -> RetrainingSchedulerRecord:
    scheduler = context.records.retraining_scheduler(model)
    if scheduler is None:
        raise no_such("retraining scheduler of model", model)
    return scheduler


def _reconciled(context: Context, request: dict[str, Any]) -> RetrainingSchedulerRecord:
    return reconciled_retraining_scheduler(context, _require_scheduler(context, request["ModelName"]))


def _changing(scheduler: RetrainingSchedulerRecord) -> ConflictError:
    return ConflictError(
        f"the retraining scheduler of the model '{scheduler['sk']}' is {scheduler['Status']}: wait until it "
        "is RUNNING or STOPPED, or repeat the request that started or stopped it"
    )


def _settle(context: Context, scheduler: RetrainingSchedulerRecord) -> None:
    """Change the schedule and the status of a scheduler that is PENDING or STOPPING; leave others alone."""
    status = NEXT_STATUS.get(scheduler["Status"])
    if status is None:
        return
    _put_schedule(context, scheduler)
    if status == "STOPPED":
        cancel_retraining(context, scheduler)
    with suppress(NotFound, StateChanged):  # another request has done it
        _change(context, scheduler, {"Status": status}, touched=False)


def _put_schedule(context: Context, scheduler: RetrainingSchedulerRecord) -> None:
    Schedules.of(context).put_latest(scheduler, lambda: context.records.retraining_scheduler(scheduler["sk"]))


def _change(
    context: Context,
    scheduler: RetrainingSchedulerRecord,
    changes: Mapping[str, Any],
    *,
    touched: bool = True,
) -> RetrainingSchedulerRecord:
    """Change a scheduler, and what its model shows of it, and return it as it is then.

    Args:
        context: the context of the service.
        scheduler: the scheduler, as it must still be.
        changes: the new values.
        touched: whether somebody asked for the change.

    Raises:
        NotFound: when scheduler or model do not exist any more.
        StateChanged: when the scheduler is in another state, or a retraining was begun meanwhile.
    """
    changed = {**scheduler, **changes, **({"UpdatedAt": context.timestamp()} if touched else {})}
    record = cast("RetrainingSchedulerRecord", changed)
    shown, hidden = _shown_by_model(record)
    context.store.transact(
        Update(
            RETRAINING_SCHEDULER,
            scheduler["sk"],
            {name: value for name, value in changed.items() if name not in {"pk", "sk"}},
            expect={name: scheduler[name] for name in ("uuid", "Status", "nextDate", "UpdatedAt")},
        ),
        Update(MODEL, scheduler["ModelName"], shown, hidden, {"uuid": scheduler["modelUuid"]}),
    )
    return record


def _shown_by_model(scheduler: RetrainingSchedulerRecord) -> tuple[dict[str, Any], list[str]]:
    """Return the members that the model shows of its scheduler, and those that it does not."""
    shown: dict[str, Any] = {"RetrainingSchedulerStatus": scheduler["Status"]}
    if scheduler["Status"] in {"PENDING", "RUNNING"}:
        shown["NextScheduledRetrainingStartDate"] = scheduler["nextDate"]
    return shown, [name for name in _SHOWN_BY_MODEL if name not in shown]


def _scheduler(context: Context, request: dict[str, Any], model: ModelRecord) -> RetrainingSchedulerRecord:
    """Return the record of a new scheduler."""
    now = context.timestamp()
    start = request.get("RetrainingStartDate")
    first = next_midnight(context.now()) if start is None else _day(context, start)
    frequency = request["RetrainingFrequency"]
    return {
        "pk": RETRAINING_SCHEDULER,
        "sk": model["ModelName"],
        "uuid": new_uuid(),
        "ModelName": model["ModelName"],
        "ModelArn": model["ModelArn"],
        "modelUuid": model["uuid"],
        "RetrainingStartDate": first,
        "RetrainingFrequency": frequency,
        "LookbackWindow": request["LookbackWindow"],
        "PromoteMode": request.get("PromoteMode", "MANAGED"),
        "Status": "PENDING",
        "CreatedAt": now,
        "UpdatedAt": now,
        "nextDate": next_date(first, frequency, now=context.now(), begun=None),
    }


def _day(context: Context, time: Decimal) -> Decimal:
    """Return the start of the day (UTC) of a `RetrainingStartDate`."""
    latest = context.now() + timedelta(_LATEST_DAYS)
    if time > timestamp(latest):
        raise ValidationError(
            f"RetrainingStartDate {iso_seconds(time)} is more than ten years ahead: give a date before "
            f"{latest:%Y-%m-%d}, in epoch seconds"
        )
    return midnight(moment(time))


def _next_date(context: Context, scheduler: RetrainingSchedulerRecord) -> Decimal:
    return next_date(
        scheduler["RetrainingStartDate"],
        scheduler["RetrainingFrequency"],
        now=context.now(),
        begun=scheduler.get("begunDate"),
    )


def _require_frequency(request: Mapping[str, Any]) -> None:
    if "RetrainingFrequency" not in request:
        return
    try:
        Frequency.parse(request["RetrainingFrequency"])
    except WrongFrequencyError as error:
        raise ValidationError(str(error)) from error


OPERATIONS = {
    "CreateRetrainingScheduler": create_retraining_scheduler,
    "DescribeRetrainingScheduler": describe_retraining_scheduler,
    "ListRetrainingSchedulers": list_retraining_schedulers,
    "UpdateRetrainingScheduler": update_retraining_scheduler,
    "StartRetrainingScheduler": start_retraining_scheduler,
    "StopRetrainingScheduler": stop_retraining_scheduler,
    "DeleteRetrainingScheduler": delete_retraining_scheduler,
}
