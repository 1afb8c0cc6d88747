"""What a model shows of its active version, and of the one that was active before it. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from service.storage.names import version_arn

Record = Mapping[str, Any]
"""The record of a model or of a version."""

_OF_VERSION = (
    "Status",
    "TrainingDataStartTime",
    "TrainingDataEndTime",
    "EvaluationDataStartTime",
    "EvaluationDataEndTime",
    "TrainingExecutionStartTime",
    "TrainingExecutionEndTime",
    "DataPreProcessingConfiguration",
    "OffCondition",
    "ModelQuality",
    "schemaKey",
    "metricsKey",
    "priorMetricsKey",
    "SourceModelVersionArn",
    "ImportJobStartTime",
    "ImportJobEndTime",
)
_PREVIOUS = {
    "PreviousActiveModelVersion": "ActiveModelVersion",
    "PreviousActiveModelVersionArn": "ActiveModelVersionArn",
    "PreviousModelVersionActivatedAt": "ModelVersionActivatedAt",
}


def activated(model: Record, version: Record, *, now: Decimal) -> tuple[dict[str, Any], list[str]]:
    """Return the members that a model gets, and those that it loses, when one of its versions becomes active.

    Args:
        model: the record of the model as it is.
        version: the record of the version, as it is once it has succeeded.
        now: the time of the activation in epoch seconds.
    """
    number = int(version["ModelVersion"])
    members = {name: version[name] for name in _OF_VERSION if name in version} | {
        "ActiveModelVersion": number,
        "ActiveModelVersionArn": version_arn(model["ModelArn"], number),
        "ModelVersionActivatedAt": now,
        "LastUpdatedTime": now,
        **{name: model[current] for name, current in _PREVIOUS.items() if current in model},
    }
    return members, [name for name in _OF_VERSION if name in model and name not in members]
