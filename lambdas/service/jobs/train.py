"""Training of a model version: columns of a dataset become a detector, its metrics and its quality.

The state machine calls `plan` (how large it is) and `train`. When a step fails, the execution fails, and
`service.reconciliation.reconcile` records why.
"""

from collections.abc import Mapping
from typing import Any

from service.event_bus.job_ends import version_end
from service.jobs.capacity import MIB
from service.jobs.runtime import Runtime, current_runtime, log
from service.jobs.training.plan_version import plan
from service.jobs.training.train_version import train_version
from service.jobs.training.version import Training
from service.reconciliation.failed_reason import Error
from service.reconciliation.training_end import record_failure
from service.storage.names import MODEL, version_key, versions_of
from service.storage.store import Item


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda passes it
    """Run one step of a training."""
    return run(current_runtime(), event)


def run(runtime: Runtime, event: Mapping[str, Any]) -> dict[str, Any]:
    """Run the `Step` of the training of a model version. A version that has ended is left alone.

    Raises:
        JobFailed: when the customer has to act.
        ValueError: for a step of another release.
    """
    name, number = event["ModelName"], int(event["ModelVersion"])
    found = _records(runtime, name, number)
    if found is None:
        return {"ModelName": name, "ModelVersion": number, "Status": "DELETED"}
    model, version = found
    size: dict[str, int] = {}
    if version["Status"] == "IN_PROGRESS":
        match event["Step"]:
            case "plan":
                size = plan(runtime, Training.load(runtime, version, number))
            case "train":
                version = train_version(runtime, model, version)
            case step:
                raise ValueError(f"a training has no step '{step}'")
    runtime.event_bus.send(version_end(version))
    return {"ModelName": name, "ModelVersion": number, "Status": version["Status"], **size}


def fail(runtime: Runtime, event: Mapping[str, Any], error: Error) -> None:
    """Record why a training ended badly, in the process in which it did, unless it has ended already."""
    found = _records(runtime, event["ModelName"], int(event["ModelVersion"]))
    if found is not None and found[1]["Status"] == "IN_PROGRESS":
        ended = record_failure(runtime.store, *found, error, memory_mib=runtime.capacity.memory // MIB)
        log("training failed", **event, Reason=ended.get("FailedReason"))


def _records(runtime: Runtime, name: str, number: int) -> tuple[Item, Item] | None:
    """Return model and version, None when one of them is no longer there."""
    model = runtime.store.get(MODEL, name)
    version = None if model is None else runtime.store.get(versions_of(model["uuid"]), version_key(number))
    return None if model is None or version is None else (model, version)
