"""The ends of ingestions, trainings, retrainings and imports, as events. Pure."""

from collections.abc import Mapping
from typing import Any

from service.event_bus.bus_event import BusEvent
from service.storage.names import version_arn

INGESTION_STATE_CHANGE = "Ingestion State Change"
MODEL_VERSION_STATE_CHANGE = "Model Version State Change"

_ENDED = frozenset({"SUCCESS", "FAILED", "CANCELED"})
_OF_INGESTION = ("JobId", "DatasetName", "DatasetArn", "SourceDatasetArn", "Status", "FailedReason")
_OF_VERSION = (
    "ModelName",
    "ModelArn",
    "SourceType",
    "SourceModelVersionArn",
    "Status",
    "FailedReason",
    "ModelQuality",
    "AutoPromotionResult",
    "AutoPromotionResultReason",
)


def ingestion_end(job: Mapping[str, Any]) -> list[BusEvent]:
    """Return the event that an ingestion, or the import of a dataset, has ended; none while it has not."""
    if job["Status"] not in _ENDED:
        return []
    return [
        BusEvent(
            detail_type=INGESTION_STATE_CHANGE,
            resources=(job["DatasetArn"],),
            occurrence=f"{job['JobId']}/{job['Status']}",
            detail={name: job[name] for name in _OF_INGESTION if name in job},
        )
    ]


def version_end(version: Mapping[str, Any]) -> list[BusEvent]:
    """Return the event that the training or the import of a version has ended; none while it has not."""
    if version["Status"] not in _ENDED:
        return []
    number = int(version["ModelVersion"])
    arn = version_arn(version["ModelArn"], number)
    return [
        BusEvent(
            detail_type=MODEL_VERSION_STATE_CHANGE,
            resources=(version["ModelArn"], arn),
            occurrence=f"{number}/{version['Status']}",
            detail={
                **{name: version[name] for name in _OF_VERSION if name in version},
                "ModelVersion": number,
                "ModelVersionArn": arn,
            },
        )
    ]
