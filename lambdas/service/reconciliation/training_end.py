"""The end of a training in the records of its version and its model."""

import logging
from collections.abc import Mapping
from typing import Any

from service.clock import timestamp
from service.members.active_version import Record, activated
from service.reconciliation.failed_reason import (
    Error,
    WaysOut,
    clip,
    exhaustion_reason,
    is_customer_fault,
    reason_of,
)
from service.storage.names import MODEL, training_name, version_key, versions_of
from service.storage.store import Item, NotFound, StateChanged, Store, Update

_SMALLER = "Choose a coarser TargetSamplingRate, a shorter training window or fewer sensors, or"
WAYS_OUT = WaysOut(
    time=f"{_SMALLER} let larger ones run as tasks: large_jobs of the service",
    memory=f"{_SMALLER} give it more: training_memory or large_jobs of the service",
)
"""What to do about a training that is too large for its function."""

PROMOTION_REASON_LENGTH = 256
"""Longest AutoPromotionResultReason."""

_FAILED_REASON = "LatestScheduledRetrainingFailedReason"
_DAYS = "LatestScheduledRetrainingAvailableDataInDays"
_log = logging.getLogger(__name__)


class ActivatedMeanwhile(Exception):  # noqa: N818 - reads as what it is
    """Another version than the prior one of a retraining is active; `active` is its number."""

    def __init__(self, active: int) -> None:
        """Keep the number of the active version."""
        super().__init__(f"version {active} is active")
        self.active = active


def training_reason(version: Record, error: Error, *, memory_mib: int | None) -> str:
    """Return the `FailedReason` of a training whose execution failed.

    Args:
        version: the record of the version.
        error: `Error` and `Cause` of the execution.
        memory_mib: memory of the function; None if it is not known.
    """
    work = f"the training of model '{version['ModelName']}'"
    return exhaustion_reason(error, work=work, ways_out=WAYS_OUT, memory_mib=memory_mib) or reason_of(
        error, work=work, execution=training_name(version["uuid"], int(version["ModelVersion"]))
    )


def record_failed_training(
    store: Store, model: Record, version: Record, reason: str, *, customer: bool
) -> Item:
    """Record why a training ended badly, and return the record of the version after that.

    Args:
        store: the records.
        model: the record of the model.
        version: the record of the version.
        reason: the `FailedReason`.
        customer: whether it is the customer's fault.
    """
    version_only = {}
    if "priorModelVersion" in version:
        result = "RETRAINING_CUSTOMER_ERROR" if customer else "RETRAINING_INTERNAL_ERROR"
        version_only = {
            "AutoPromotionResult": result,
            "AutoPromotionResultReason": clip(reason, PROMOTION_REASON_LENGTH),
        }
    members = {"Status": "FAILED", "FailedReason": reason}
    return record_end(store, model, version, members, version_only=version_only)


def record_failure(
    store: Store, model: Record, version: Record, error: Error, *, memory_mib: int | None
) -> Item:
    """Record the failure of the execution of a training, and return the record of the version after that."""
    reason = training_reason(version, error, memory_mib=memory_mib)
    return record_failed_training(store, model, version, reason, customer=is_customer_fault(error))


def record_canceled_retraining(store: Store, model: Record, version: Record, reason: str) -> Item:
    """Record that a retraining was stopped, and return the record of the version after that."""
    version_only = {
        "AutoPromotionResult": "RETRAINING_CANCELLED",
        "AutoPromotionResultReason": clip(reason, PROMOTION_REASON_LENGTH),
    }
    return record_end(store, model, version, {"Status": "CANCELED"}, version_only=version_only)


def record_end(
    store: Store,
    model: Record,
    version: Record,
    members: Mapping[str, Any],
    *,
    version_only: Mapping[str, Any],
    promoted: bool = False,
) -> Item:
    """Write the end of a training to the version and its model in one transaction.

    A retraining that is not promoted leaves the model on the version it has. A version that has ended, or was
    deleted, stays as it is.

    Args:
        store: the records.
        model: the record of the model.
        version: the record of the version, in progress.
        members: what the version shows of its end; its model shows the same.
        version_only: what the version shows and its model does not.
        promoted: whether the version becomes the active one.

    Returns:
        The record of the version after that.

    Raises:
        ActivatedMeanwhile: when a retraining is promoted, and its prior version is not the active one any
            more. Nothing was written then.
    """
    now, number = store.clock(), int(version["ModelVersion"])
    ended = {**members, "TrainingExecutionEndTime": now, "LastUpdatedTime": now}
    retraining = "priorModelVersion" in version
    parent = dict(ended) if promoted or not retraining else {}
    outdated: list[str] = []
    expect = {"uuid": model["uuid"]}
    if retraining:
        parent |= _latest_retraining(version, {**members, **version_only})
        outdated += [name for name in (_FAILED_REASON, _DAYS) if name in model and name not in parent]
    if promoted:
        shown, hidden = activated(model, {**version, **ended}, now=timestamp(now))
        parent |= shown
        outdated += hidden
        if retraining:
            expect["ActiveModelVersion"] = int(version["priorModelVersion"])
    pk, sk = versions_of(model["uuid"]), version_key(number)
    try:
        store.transact(
            Update(pk, sk, {**ended, **version_only}, expect={"Status": "IN_PROGRESS"}),
            Update(MODEL, model["ModelName"], parent, outdated, expect=expect),
        )
    except (NotFound, StateChanged) as changed:
        if changed.pk == MODEL and changed.item is not None and changed.item["uuid"] == model["uuid"]:
            raise ActivatedMeanwhile(int(changed.item["ActiveModelVersion"])) from changed
        _log.info("version %d of model %s has ended already", number, model["ModelName"])
    return store.get(pk, sk) or {**ended, **version_only, "Status": "DELETED"}


def _latest_retraining(version: Record, members: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a model shows of its latest retraining; `members` are those of the new version."""
    shown = {
        _FAILED_REASON: members.get("FailedReason"),
        _DAYS: members.get("RetrainingAvailableDataInDays"),
    }
    return {
        "LatestScheduledRetrainingModelVersion": int(version["ModelVersion"]),
        "LatestScheduledRetrainingStatus": members["Status"],
        **{name: value for name, value in shown.items() if value is not None},
    }
