"""A retraining that is due becomes the next version of its model, and one that was stopped is cancelled.

The schedule of a retraining scheduler wakes the service every midnight, and the hourly reconciliation looks
as well. Whoever comes first begins the retraining, in one transaction with the date of the next one: it is
begun once, and one whose wake was lost is begun later.
"""

import logging
from datetime import UTC
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from service.context import Context
from service.members.diagnostics_place import requested_diagnostics
from service.members.schema import parse_schema
from service.members.sensor_span import ingested_span
from service.members.training_windows import TimeSpan
from service.reconciliation.job_starts import start_training, stop_training
from service.reconciliation.reconcile import reconciled_version
from service.reconciliation.training_end import record_canceled_retraining
from service.schedulers.retraining_dates import LOOKBACK_DAYS, midnight, next_date
from service.schedulers.retraining_windows import retraining_windows
from service.storage.indexes import JOB_STATUSES, creation
from service.storage.names import (
    MODEL,
    RETRAINING_SCHEDULER,
    accumulated_day,
    accumulated_prefix,
    report_key,
    version_arn,
    version_key,
    versions_of,
)
from service.storage.records import DatasetRecord, ModelRecord, ModelVersionRecord, RetrainingSchedulerRecord
from service.storage.store import StoreError, Update

KEPT_DAYS = max(LOOKBACK_DAYS.values()) + 366
"""Days that rows of inference are kept: the longest look-back and the longest period."""

_FROM_MODEL = (
    "uuid",
    "ModelName",
    "ModelArn",
    "DatasetName",
    "DatasetArn",
    "datasetUuid",
    "ingestionJobId",
    "schemaKey",
    "ServerSideKmsKeyId",
    "LabelsInputConfiguration",
    "RoleArn",
    "DataPreProcessingConfiguration",
    "OffCondition",
)
_UNREADABLE = ("AccessDenied", "KMS", "Kms", "NoSuchKey")
"""Beginnings of the codes of S3 for what no later attempt will read either."""

_log = logging.getLogger(__name__)


def retrain_if_due(context: Context, scheduler: RetrainingSchedulerRecord) -> bool:
    """Begin the retraining of a running scheduler if its date has come, and return whether it was begun.

    While a version is in training, the next one waits. Dates that pass meanwhile are not made up for.
    """
    if scheduler["Status"] != "RUNNING" or context.timestamp() < scheduler["nextDate"]:
        return False
    model = context.records.model(scheduler["ModelName"])
    if model is None or model["uuid"] != scheduler["modelUuid"]:
        return False
    latest = context.records.latest_version(model["uuid"])
    if latest is None or reconciled_version(context, model, latest)["Status"] in JOB_STATUSES:
        _log.info("the retraining of model '%s' waits for the version in training", model["ModelName"])
        return False
    version = _next_version(context, scheduler, model, int(latest["ModelVersion"]) + 1)
    if version is None:
        return False
    begun = midnight(context.now().astimezone(UTC))
    following = next_date(
        scheduler["RetrainingStartDate"], scheduler["RetrainingFrequency"], now=context.now(), begun=begun
    )
    number = int(version["ModelVersion"])
    try:
        context.store.transact(
            *creation(version),
            Update(
                RETRAINING_SCHEDULER,
                scheduler["sk"],
                {"begunDate": begun, "nextDate": following},
                expect={"uuid": scheduler["uuid"], "Status": "RUNNING", "nextDate": scheduler["nextDate"]},
            ),
            Update(
                MODEL,
                model["ModelName"],
                {
                    "LatestScheduledRetrainingModelVersion": number,
                    "LatestScheduledRetrainingStatus": "IN_PROGRESS",
                    "LatestScheduledRetrainingStartTime": context.timestamp(),
                    "NextScheduledRetrainingStartDate": following,
                },
                (
                    "LatestScheduledRetrainingFailedReason",
                    "LatestScheduledRetrainingAvailableDataInDays",
                ),
                expect={"uuid": model["uuid"], "ActiveModelVersion": model.get("ActiveModelVersion")},
            ),
        )
    except StoreError:
        _log.info("the retraining of model '%s' was begun or changed by another call", model["ModelName"])
        return False
    _log.info("retraining of model '%s' begun as version %d", model["ModelName"], number)
    start_training(context, version)
    _trim(context, model)
    return True


def cancel_retraining(context: Context, scheduler: RetrainingSchedulerRecord) -> None:
    """Cancel the retraining of a scheduler that is being stopped, if one is under way."""
    model = context.records.model(scheduler["ModelName"])
    if model is None or model["uuid"] != scheduler["modelUuid"]:
        return
    number = model.get("LatestScheduledRetrainingModelVersion")
    version = None if number is None else context.records.version(model["uuid"], int(number))
    if version is None or version["Status"] != "IN_PROGRESS":
        return
    reason = "the retraining scheduler was stopped"
    record_canceled_retraining(context.store, model, version, reason)
    try:
        stop_training(context, version, reason)
    except (BotoCoreError, ClientError):  # it works for nothing, and ends by itself
        _log.warning("the execution of a cancelled retraining could not be stopped", exc_info=True)


def _next_version(
    context: Context, scheduler: RetrainingSchedulerRecord, model: ModelRecord, number: int
) -> dict[str, Any] | None:
    """Return the record of the version to train; None when the active version is not known any more."""
    now, active = context.timestamp(), int(model.get("ActiveModelVersion", 1))
    prior = context.records.version(model["uuid"], active)
    if prior is None:
        _log.error("version %d of model '%s' is not there", active, model["ModelName"])
        return None
    sources, data = _data(context, model, prior)
    return {
        **{name: value for name, value in model.items() if name in _FROM_MODEL},
        **sources,
        **retraining_windows(prior, data=data, lookback=scheduler["LookbackWindow"], now=now),
        **requested_diagnostics(model),
        "pk": versions_of(model["uuid"]),
        "sk": version_key(number),
        "ModelVersion": number,
        "ModelVersionArn": version_arn(model["ModelArn"], number),
        "SourceType": "RETRAINING",
        "Status": "IN_PROGRESS",
        "CreatedAt": now,
        "LastUpdatedTime": now,
        "TrainingExecutionStartTime": now,
        "priorModelVersion": active,
        "promoteMode": scheduler["PromoteMode"],
    }


def _data(context: Context, model: ModelRecord, prior: ModelVersionRecord) -> tuple[dict[str, Any], TimeSpan]:
    """Return what the record of a retraining says of its data, and when the sensors of the model have data.

    The dataset has the content of its latest ingestion. If it was deleted, the training says so.
    """
    sources: dict[str, Any] = {}
    data = TimeSpan(start=prior["TrainingDataStartTime"], end=prior["TrainingDataEndTime"])
    dataset = context.records.dataset(model["DatasetName"])
    if dataset is not None and dataset["uuid"] == model["datasetUuid"] and "DataStartTime" in dataset:
        sources["ingestionJobId"] = dataset["ingestionJobId"]
        data = _ingested(context, model, dataset)
    if "AccumulatedInferenceDataStartTime" in model:
        kept = TimeSpan(
            start=model["AccumulatedInferenceDataStartTime"], end=model["AccumulatedInferenceDataEndTime"]
        )
        sources |= {"accumulatedStart": kept.start, "accumulatedEnd": kept.end}
        data = data.joined(kept)
    return sources, data


def _ingested(context: Context, model: ModelRecord, dataset: DatasetRecord) -> TimeSpan:
    """Return when the sensors of the model have data in the dataset.

    Where that cannot be read, as under a KMS key that was disabled, it is all data of the dataset: the
    training begins, and says what it cannot read either.
    """
    bucket, whole = context.service_bucket, TimeSpan.of_data(dataset)
    statistics = report_key(dataset["uuid"], dataset["ingestionJobId"])
    try:
        sensors = parse_schema(bucket.get_text(model["schemaKey"])).sensors
        return ingested_span(bucket, statistics, sensors, whole=whole)
    except ClientError as error:
        if not error.response["Error"]["Code"].startswith(_UNREADABLE):
            raise
        _log.warning("schema or statistics of model '%s' cannot be read", model["ModelName"], exc_info=True)
        return whole


def _trim(context: Context, model: ModelRecord) -> None:
    """Remove rows of inference that no retraining will read any more. What fails, the next one does."""
    oldest = context.timestamp() - KEPT_DAYS * 86_400
    start = model.get("AccumulatedInferenceDataStartTime")
    if start is None or start >= oldest:
        return
    try:
        prefix = accumulated_prefix(model["uuid"])
        context.service_bucket.delete_prefix(prefix, before=accumulated_day(model["uuid"], oldest))
        context.store.update(
            MODEL,
            model["ModelName"],
            {"AccumulatedInferenceDataStartTime": oldest},
            expect={"uuid": model["uuid"], "AccumulatedInferenceDataStartTime": start},
        )
    except (BotoCoreError, ClientError, OSError, StoreError):
        _log.warning("old rows of model '%s' were not removed", model["ModelName"], exc_info=True)
