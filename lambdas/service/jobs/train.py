"""Training of a model version: columns of a dataset become a detector, its metrics and its verdict (9)."""

from collections.abc import Mapping
from typing import Any

from service.jobs.exhausted import exhausted
from service.jobs.failure import is_customer_fault, reason_of
from service.jobs.runtime import Runtime, current_runtime, log
from service.jobs.storage.service_bucket import artefact_key
from service.jobs.training import promotion
from service.jobs.training.learn import Learned, learn
from service.jobs.training.promotion import Prior
from service.jobs.training.size import Size
from service.jobs.training.version import Training
from service.names import INGESTION_JOB, MODEL, document_key, version_arn, version_key, versions_of
from service.store import Item, NotFound, StateChanged, Update


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda passes it
    """Run one step of a training; see ``run``."""
    return run(current_runtime(), event)


def run(runtime: Runtime, event: Mapping[str, Any]) -> dict[str, Any]:
    """Train a model version, tell its size, or record why it failed. A version that has ended is left alone.

    Raises JobFailed when the customer has to act.
    """
    name, number = event["ModelName"], int(event["ModelVersion"])
    found = _version(runtime, name, number)
    if found is None:
        return {"ModelName": name, "ModelVersion": number, "Status": "DELETED"}
    model, version = found
    size: dict[str, int] = {}
    if version["Status"] == "IN_PROGRESS":
        match event["Step"]:
            case "fail":
                work = f"the training of model '{name}'"
                reason = exhausted(event["Error"], work=work) or reason_of(event["Error"], work=work)
                log("training failed", ModelName=name, ModelVersion=number, Reason=reason)
                facts = {"Status": "FAILED", "FailedReason": reason}
                if "priorModelVersion" in version:
                    facts |= promotion.failed(reason, customer=is_customer_fault(event["Error"]))
                version = _record(runtime, model, version, facts)
            case "plan":
                size = _size(runtime, Training.load(runtime, version, number))
                log("training planned", ModelName=name, ModelVersion=number, **size)
            case _:
                version = _train(runtime, model, number, version)
    return {"ModelName": name, "ModelVersion": number, "Status": version["Status"], **size}


def _version(runtime: Runtime, name: str, number: int) -> tuple[Item, Item] | None:
    model = runtime.store.get(MODEL, name)
    version = None if model is None else runtime.store.get(versions_of(model["uuid"]), version_key(number))
    return None if model is None or version is None else (model, version)


def _size(runtime: Runtime, training: Training) -> dict[str, int]:
    """What a state machine chooses by; raises JobFailed for windows that cannot be trained on."""
    job = runtime.store.get(INGESTION_JOB, training.record["ingestionJobId"]) or {}
    rows = job.get("rows")
    size = Size.of(
        training.spans(minimum_days=runtime.settings.minimum_training_days),
        sensors=len(training.sensors),
        data=training.data,
        data_rows=None if rows is None else int(rows),
        step_seconds=training.step_seconds,
    )
    return {"Rows": size.rows, "Sensors": size.sensors, "Cells": size.cells}


def _train(runtime: Runtime, model: Item, number: int, version: Item) -> Item:
    started = version.get("TrainingExecutionStartTime", runtime.clock())
    training = Training.load(runtime, version, number)
    prior = None if training.prior is None else Prior.load(runtime, training)
    learned = learn(runtime, training, None if prior is None else prior.detector)
    training.vault.put(artefact_key(training.model_uuid, number), learned.artefact)
    facts: dict[str, Any] = {
        "Status": "SUCCESS",
        "TrainingExecutionStartTime": started,
        "ModelQuality": learned.quality,
        **_windows(learned),
    }
    if learned.metrics is not None:
        facts["metricsKey"] = document_key(training.model_uuid, f"metrics-{number}.json")
        runtime.documents.put(facts["metricsKey"], learned.metrics, training.vault.kms_key)
    if learned.prior_metrics is not None:
        facts["priorMetricsKey"] = document_key(training.model_uuid, f"prior-metrics-{number}.json")
        runtime.documents.put(facts["priorMetricsKey"], learned.prior_metrics, training.vault.kms_key)
    promoted = True
    if prior is not None:
        verdict = promotion.judged(training, learned, prior)
        facts |= verdict.members
        promoted = verdict.promoted
        model = runtime.store.get(MODEL, model["ModelName"]) or model  # another version may be active by now
    if learned.diagnostics is not None:
        facts["ModelDiagnosticsOutputConfiguration"] = learned.diagnostics.configuration
    log("training succeeded", ModelName=model["ModelName"], ModelVersion=number, Rows=learned.rows)
    return _record(runtime, model, version, facts, learned, promoted=promoted)


def _windows(learned: Learned) -> dict[str, Any]:
    spans = learned.spans
    windows = {"TrainingDataStartTime": spans.training.start, "TrainingDataEndTime": spans.training.end}
    if spans.evaluation is not None:
        windows["EvaluationDataStartTime"] = spans.evaluation.start
        windows["EvaluationDataEndTime"] = spans.evaluation.end
    return {name: round(value, 3) for name, value in windows.items()}


def _record(
    runtime: Runtime,
    model: Item,
    version: Item,
    facts: Mapping[str, Any],
    learned: Learned | None = None,
    *,
    promoted: bool = False,
) -> Item:
    """Write the end of a training to the version and its model in one transaction.

    A retraining that is not promoted leaves the model on the version it has.
    """
    now, number = runtime.clock(), int(version["ModelVersion"])
    own = {**facts, "TrainingExecutionEndTime": now, "LastUpdatedTime": now}
    parent = dict(own)
    if "priorModelVersion" in version:
        parent = {} if not promoted else {name: own[name] for name in own if name not in promotion.OWN}
        parent |= promotion.latest(version, facts)
    if promoted:
        parent |= {
            "ActiveModelVersion": number,
            "ActiveModelVersionArn": version_arn(model["ModelArn"], number),
            "ModelVersionActivatedAt": now,
            **promotion.previous(model),
        }
    if learned is not None and learned.diagnostics is not None:
        own["ModelDiagnosticsResultsObject"] = learned.diagnostics.location
    pk, sk = versions_of(model["uuid"]), version_key(number)
    gone = [name for name in promotion.gone(parent, promoted=promoted) if name in model]
    try:
        runtime.store.transact(
            Update(pk, sk, own, expect={"Status": "IN_PROGRESS"}),
            Update(MODEL, model["ModelName"], parent, gone, expect={"uuid": model["uuid"]}),
        )
    except (NotFound, StateChanged) as changed:  # ended or deleted by someone else meanwhile
        log("training ended already", ModelName=model["ModelName"], ModelVersion=number, Record=changed.pk)
    return runtime.store.get(pk, sk) or {**own, "Status": "DELETED"}
