"""The `train` step of a training: columns become a detector, its metrics and its quality."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from service.jobs.runtime import Runtime, log
from service.jobs.training import promotion
from service.jobs.training.learn import Learned, learn
from service.jobs.training.promotion import Prior, Verdict
from service.jobs.training.version import Training
from service.members.shortening import shortened_metrics
from service.members.training_windows import ADVISED_DAYS
from service.reconciliation.training_end import ActivatedMeanwhile, record_end
from service.schedulers.retraining_metrics import publish_retraining
from service.storage.names import MODEL, artefact_key, document_key
from service.storage.store import Item


def train_version(runtime: Runtime, model: Item, version: Item) -> Item:
    """Train a version, keep its artefact and documents, and return its record after that.

    Raises:
        JobFailed: when the customer has to act.
    """
    started = version.get("TrainingExecutionStartTime", runtime.clock())
    training = Training.load(runtime, version, int(version["ModelVersion"]))
    prior = None if training.prior is None else Prior.load(runtime, training, model)
    learned = learn(runtime, training, model, None if prior is None else prior.detector)
    training.service_bucket.put(artefact_key(training.model_uuid, training.number), learned.artefact)
    members: dict[str, Any] = {
        "Status": "SUCCESS",
        "TrainingExecutionStartTime": started,
        "ModelQuality": learned.quality,
        **_window_members(learned),
        **_put_documents(training, learned),
    }
    version_only: dict[str, Any] = {}
    if learned.diagnostics is not None:
        members["ModelDiagnosticsOutputConfiguration"] = learned.diagnostics.configuration
        version_only["ModelDiagnosticsResultsObject"] = learned.diagnostics.location
    log(
        "training succeeded",
        ModelName=model["ModelName"],
        ModelVersion=training.number,
        Rows=learned.rows,
    )
    if learned.windows.training.days < ADVISED_DAYS:
        log(
            "short training history",
            ModelName=model["ModelName"],
            ModelVersion=training.number,
            Days=round(learned.windows.training.days, 1),
            AdvisedDays=ADVISED_DAYS,
            Advice="train the model again every month (CreateRetrainingScheduler) until it has them",
        )
    if prior is None:
        return record_end(runtime.store, model, version, members, version_only=version_only, promoted=True)
    version_only["RetrainingAvailableDataInDays"] = int(training.data_days(learned.windows.whole))
    verdict = promotion.decide(training, learned, prior)

    def record(verdict: Verdict) -> Item:
        return record_end(
            runtime.store,
            runtime.store.get(MODEL, model["ModelName"]) or model,  # more may have changed since it began
            version,
            members,
            version_only={**version_only, **verdict.members},
            promoted=verdict.promoted,
        )

    try:
        ended = record(verdict)
    except ActivatedMeanwhile as other:
        ended = record(promotion.overtaken(other.active))
    publish_retraining(runtime.cloudwatch, runtime.metric_namespace, ended)
    return ended


def _window_members(learned: Learned) -> Mapping[str, Decimal]:
    windows = learned.windows
    members = {
        "TrainingDataStartTime": windows.training.start,
        "TrainingDataEndTime": windows.training.end,
    }
    if windows.evaluation is not None:
        members["EvaluationDataStartTime"] = windows.evaluation.start
        members["EvaluationDataEndTime"] = windows.evaluation.end
    return {name: round(value, 3) for name, value in members.items()}


def _put_documents(training: Training, learned: Learned) -> Mapping[str, str]:
    """Write the metrics, if there are any, and return their keys. Long ones are kept complete as well."""
    bucket, number = training.service_bucket, training.number
    documents = {
        "metricsKey": (f"metrics-{number}", learned.metrics),
        "priorMetricsKey": (f"prior-metrics-{number}", learned.prior_metrics),
    }
    keys = {}
    for member, (name, text) in documents.items():
        if text is None:
            continue
        complete = document_key(training.model_uuid, f"{name}-complete.json")
        shown = shortened_metrics(text, complete=bucket.uri(complete))
        if shown != text:
            bucket.put_text(complete, text)
        keys[member] = document_key(training.model_uuid, f"{name}.json")
        bucket.put_text(keys[member], shown)
    return keys
