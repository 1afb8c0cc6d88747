"""The end of a training in the records of its version and its model."""

from collections.abc import Mapping
from typing import Any

from service.jobs.failure import WaysOut, exhaustion_reason, is_customer_fault, reason_of
from service.jobs.runtime import Runtime, log
from service.jobs.training import promotion
from service.names import MODEL, version_arn, version_key, versions_of
from service.store import Item, NotFound, StateChanged, Update

_SMALLER = "Choose a coarser TargetSamplingRate, a shorter training window or fewer sensors, or"
WAYS_OUT = WaysOut(
    time=f"{_SMALLER} let larger ones run as tasks: large_jobs of the service",
    memory=f"{_SMALLER} give it more: training_memory or large_jobs of the service",
)
"""What to do about a training that is too large for its function."""


def record_failure(runtime: Runtime, model: Item, version: Item, error: Mapping[str, str]) -> Item:
    """Record why a training ended badly, and return the record of the version after that.

    `error` is what the state machine caught: `Error` and `Cause` of the failed step.
    """
    work = f"the training of model '{model['ModelName']}'"
    reason = exhaustion_reason(error, work=work, ways_out=WAYS_OUT) or reason_of(error, work=work)
    log(
        "training failed",
        ModelName=model["ModelName"],
        ModelVersion=int(version["ModelVersion"]),
        Reason=reason,
    )
    members = {"Status": "FAILED", "FailedReason": reason}
    version_only = {}
    if "priorModelVersion" in version:
        version_only = promotion.failed_members(reason, customer=is_customer_fault(error))
    return record_end(runtime, model, version, members, version_only=version_only)


def record_end(
    runtime: Runtime,
    model: Item,
    version: Item,
    members: Mapping[str, Any],
    *,
    version_only: Mapping[str, Any],
    promoted: bool = False,
) -> Item:
    """Write the end of a training to the version and its model in one transaction.

    A retraining that is not promoted leaves the model on the version it has.

    Args:
        runtime: the service.
        model: the record of the model.
        version: the record of the version, in progress.
        members: what the version shows of its end; its model shows the same.
        version_only: what the version shows and its model does not.
        promoted: whether the version becomes the active one.

    Returns:
        The record of the version after that.
    """
    now, number = runtime.clock(), int(version["ModelVersion"])
    ended = {**members, "TrainingExecutionEndTime": now, "LastUpdatedTime": now}
    retraining = "priorModelVersion" in version
    parent = dict(ended) if promoted or not retraining else {}
    if retraining:
        parent |= promotion.latest_retraining(version, members)
    if promoted:
        parent |= {
            "ActiveModelVersion": number,
            "ActiveModelVersionArn": version_arn(model["ModelArn"], number),
            "ModelVersionActivatedAt": now,
            **promotion.previous_version(model),
        }
    outdated = [name for name in promotion.outdated_members(parent, promoted=promoted) if name in model]
    pk, sk = versions_of(model["uuid"]), version_key(number)
    try:
        runtime.store.transact(
            Update(pk, sk, {**ended, **version_only}, expect={"Status": "IN_PROGRESS"}),
            Update(MODEL, model["ModelName"], parent, outdated, expect={"uuid": model["uuid"]}),
        )
    except (NotFound, StateChanged) as changed:  # ended or deleted by someone else meanwhile
        log("training ended already", ModelName=model["ModelName"], ModelVersion=number, Record=changed.pk)
    return runtime.store.get(pk, sk) or {**ended, **version_only, "Status": "DELETED"}
