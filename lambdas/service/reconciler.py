"""The function that goes on with records when nobody reads them: it ends jobs, and begins retrainings.

EventBridge calls it when the execution of a job ended badly, at midnight for each retraining scheduler, and
once an hour. It is not the function that failed, and Lambda tries for hours to run it: so it also records the
failure of functions that are throttled.
"""

import json
import logging
import math
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from service.api import current_context
from service.context import Context
from service.errors import NotFoundError
from service.event_bus.job_ends import ingestion_end, version_end
from service.operations.retraining_schedulers import reconciled_retraining_scheduler
from service.operations.schedulers import reconciled_scheduler
from service.reconciliation.index_sweep import IndexSweep
from service.reconciliation.ingestion_end import DATASET_STATUS
from service.reconciliation.pending_deletions import delete_pending
from service.reconciliation.reconcile import (
    job_under_way,
    reconcile_ingestion,
    reconcile_version,
    reconciled_job,
    reconciled_version,
    versions_under_way,
)
from service.schedulers import schedules
from service.schedulers.retraining import retrain_if_due
from service.schedulers.retraining_metrics import publish_retraining
from service.storage.names import SCHEDULER
from service.storage.records import ModelVersionRecord, RetrainingSchedulerRecord, SchedulerRecord

_AT_ONCE = Decimal(0)
_SPARE = 20
"""Seconds left in which no further schedule is looked at: more than one takes."""

_log = logging.getLogger(__name__)


def handler(event: Mapping[str, Any], lambda_context: Any) -> None:
    """Handle an event of EventBridge."""
    context = _waking(current_context(), lambda_context.invoked_function_arn)
    reconcile(event, context, seconds_left=lambda: lambda_context.get_remaining_time_in_millis() / 1000)


def _waking(context: Context, function: str) -> Context:
    """Return the context for schedules that wake this function: a template cannot give it its own ARN."""
    environment = replace(context.environment, retraining_function=function)
    return Context.create(environment, context.client, context.clock)


def reconcile(
    event: Mapping[str, Any], context: Context, *, seconds_left: Callable[[], float] = lambda: math.inf
) -> None:
    """Look at the record whose execution ended, or at every record in progress and every schedule.

    What fails for one record is raised: Lambda tries again, and keeps the event in a queue in the end.
    """
    match event["source"]:
        case "aws.states":
            _one(context, json.loads(event["detail"]["input"]))
        case schedules.RETRAINING_EVENT:
            scheduler = context.records.retraining_scheduler(event["ModelName"])
            if scheduler is not None and scheduler["uuid"] == event["Uuid"]:
                _retrain(context, scheduler)
        case _:
            _all(context)
            _look_at_schedules(context, seconds_left)


def _one(context: Context, job: Mapping[str, Any]) -> None:
    """Look at the record that the input of an execution names."""
    if "JobId" in job:
        ingestion = context.records.ingestion_job(job["JobId"])
        if ingestion is None:
            return
        if ingestion["Status"] in DATASET_STATUS and reconcile_ingestion(context, ingestion, grace=_AT_ONCE):
            ingestion = context.records.ingestion_job(job["JobId"]) or ingestion
        context.event_bus.send(ingestion_end(ingestion))  # also of one that was ended by whoever read it
        return
    model = context.records.model(job["ModelName"])
    version = None if model is None else context.records.version(model["uuid"], int(job["ModelVersion"]))
    if model is None or version is None:
        return
    if reconcile_version(context, model, version, grace=_AT_ONCE):
        version = context.records.version(model["uuid"], int(job["ModelVersion"])) or version
    _publish(context, version)  # also of one that was ended by whoever read it


def _all(context: Context) -> None:
    """Look at records in progress, remove what is left over, and bring the indexes up to date.

    Failures of records are logged.
    """
    sweep = IndexSweep.begin(context)
    for dataset in list(context.records.datasets()):
        job = job_under_way(context, dataset)
        ended_job = None if job is None else reconciled_job(context, job)
        if ended_job is not None and ended_job is not job:
            context.event_bus.send(ingestion_end(ended_job))
    for model in list(context.records.models()):
        sweep.index(model)
        for version in versions_under_way(context, model):
            sweep.index(version)
            ended = reconciled_version(context, model, version)
            if ended is not version:
                _publish(context, ended)
    for scheduler in list(context.records.schedulers()):
        sweep.index(scheduler)
    for retraining in list(context.records.retraining_schedulers()):
        try:
            retrain_if_due(context, retraining)
        except (BotoCoreError, ClientError):
            _log.exception("the retraining of model '%s' was not looked at", retraining["ModelName"])
    delete_pending(context)
    sweep.end()


def _look_at_schedules(context: Context, seconds_left: Callable[[], float]) -> None:
    """Look at the schedule of every scheduler, with a call each, as long as there is time.

    They come in another order each time, so that a later sweep looks at what this one does not come to.
    """
    schedulers = [*context.records.schedulers(), *context.records.retraining_schedulers()]
    random.shuffle(schedulers)
    for seen, scheduler in enumerate(schedulers):
        if seconds_left() < _SPARE:
            _log.warning(
                "%d of %d schedules were not looked at in this hour", len(schedulers) - seen, len(schedulers)
            )
            return
        with suppress(NotFoundError):  # deleted meanwhile
            if scheduler["pk"] == SCHEDULER:
                reconciled_scheduler(context, cast("SchedulerRecord", scheduler))
            else:
                reconciled_retraining_scheduler(context, cast("RetrainingSchedulerRecord", scheduler))


def _publish(context: Context, version: ModelVersionRecord) -> None:
    publish_retraining(context.client("cloudwatch"), context.environment.metric_namespace, version)
    context.event_bus.send(version_end(version))


def _retrain(context: Context, scheduler: RetrainingSchedulerRecord) -> None:
    with suppress(NotFoundError):  # deleted meanwhile
        retrain_if_due(context, reconciled_retraining_scheduler(context, scheduler))
