"""Metrics of retrainings in CloudWatch: a point for each that ended, by the name of the model."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:  # the stubs exist where types are checked, not in the function
    from mypy_boto3_cloudwatch import CloudWatchClient

_log = logging.getLogger(__name__)


def publish_retraining(cloudwatch: "CloudWatchClient", namespace: str, version: Mapping[str, Any]) -> None:
    """Publish how a retraining ended; what cannot be published fails nothing.

    A first training has no metric, nor has a retraining that somebody cancelled.
    """
    name = _metric(version)
    if name is None:
        return
    try:
        cloudwatch.put_metric_data(
            Namespace=namespace,
            MetricData=[
                {
                    "MetricName": name,
                    "Dimensions": [{"Name": "ModelName", "Value": version["ModelName"]}],
                    "Value": 1.0,
                    "Unit": "Count",
                }
            ],
        )
    except (BotoCoreError, ClientError):
        _log.warning(
            "the metric %s of model '%s' was not published", name, version["ModelName"], exc_info=True
        )


def _metric(version: Mapping[str, Any]) -> str | None:
    if "priorModelVersion" not in version:
        return None
    if version["Status"] == "SUCCESS":
        promoted = version.get("AutoPromotionResult") == "MODEL_PROMOTED"
        return "VersionPromoted" if promoted else "VersionNotPromoted"
    return "RetrainingFailed" if version["Status"] == "FAILED" else None
