"""The function that brings records to an end when nobody reads them.

EventBridge calls it when the execution of a job ended badly, and once an hour. It is not the function that
failed, and Lambda tries for hours to run it: so it also records the failure of functions that are throttled.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

from service.api import current_context
from service.context import Context
from service.errors import NotFoundError
from service.ingestion_end import DATASET_STATUS
from service.names import version_key
from service.operations.schedulers import reconciled_scheduler
from service.pending_deletions import delete_pending
from service.reconcile import (
    reconcile_ingestion,
    reconcile_training,
    reconciled_dataset,
    reconciled_version,
)

_EVERY_VERSION = (version_key(1), version_key(10**10 - 1))
_AT_ONCE = Decimal(0)


def handler(event: Mapping[str, Any], _lambda_context: object) -> None:
    """Handle an event of EventBridge."""
    reconcile(event, current_context())


def reconcile(event: Mapping[str, Any], context: Context) -> None:
    """Look at the record whose execution ended, or at every record in progress and every schedule.

    What fails for one record is raised: Lambda tries again, and keeps the event in a queue in the end.
    """
    if event["source"] == "aws.states":
        _one(context, json.loads(event["detail"]["input"]))
    else:
        _all(context)


def _one(context: Context, job: Mapping[str, Any]) -> None:
    """Look at the record that the input of an execution names."""
    if "JobId" in job:
        ingestion = context.records.ingestion_job(job["JobId"])
        if ingestion is not None and ingestion["Status"] in DATASET_STATUS:
            reconcile_ingestion(context, ingestion, grace=_AT_ONCE)
        return
    model = context.records.model(job["ModelName"])
    version = None if model is None else context.records.version(model["uuid"], int(job["ModelVersion"]))
    if model is not None and version is not None and version["Status"] == "IN_PROGRESS":
        reconcile_training(context, model, version, grace=_AT_ONCE)


def _all(context: Context) -> None:
    """Look at records in progress and schedules, and remove what is left over; failures are logged."""
    for dataset in list(context.records.datasets()):
        reconciled_dataset(context, dataset)
    for model in list(context.records.models()):
        for version in list(context.records.versions(model["uuid"], between=_EVERY_VERSION)):
            reconciled_version(context, model, version)
    for scheduler in list(context.records.schedulers()):
        with suppress(NotFoundError):  # deleted meanwhile
            reconciled_scheduler(context, scheduler)
    delete_pending(context)
