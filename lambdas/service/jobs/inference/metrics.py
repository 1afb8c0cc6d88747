"""Metrics of executions in CloudWatch."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from service.jobs.inference.execution_end import ExecutionEnd
from service.jobs.runtime import Runtime, log
from service.store import Item

if TYPE_CHECKING:  # the stubs exist where types are checked, not in the function
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef


def publish_metrics(runtime: Runtime, scheduler: Item, end: ExecutionEnd) -> None:
    """Publish the metrics of an execution; one that cannot be published fails nothing.

    Each has a point for every execution, except `LevelMoved`: moved levels are rare.
    """
    kinds = Counter(notice["kind"] for notice in end.notices)
    values = {
        "InferenceSucceeded": end.result is not None,
        "InferenceFailed": end.result is None,
        "InferenceInvalidInput": end.invalid_input,
        "InferenceWarning": kinds.total() - kinds["level"] - kinds["level-moved"],
    }
    if end.result is not None:
        values["AnomalyDetected"] = end.result.anomalous
    if kinds["level-moved"]:
        values["LevelMoved"] = kinds["level-moved"]
    _publish(runtime, scheduler, values)


def publish_missed(runtime: Runtime, scheduler: Item, windows: int) -> None:
    """Publish that windows were missed: one failed execution, and how many windows it stands for."""
    values = {
        "InferenceSucceeded": 0,
        "InferenceFailed": 1,
        "InferenceInvalidInput": 0,
        "InferenceMissed": windows,
    }
    _publish(runtime, scheduler, values)


def _publish(runtime: Runtime, scheduler: Item, values: Mapping[str, float]) -> None:
    dimensions: list[DimensionTypeDef] = [
        {"Name": "ModelName", "Value": scheduler["ModelName"]},
        {"Name": "InferenceSchedulerName", "Value": scheduler["InferenceSchedulerName"]},
    ]
    try:
        runtime.cloudwatch.put_metric_data(
            Namespace=runtime.metric_namespace,
            MetricData=[
                {
                    "MetricName": name,
                    "Dimensions": dimensions,
                    "Value": float(value),
                    "Unit": "Count",
                }
                for name, value in values.items()
            ],
        )
    except (BotoCoreError, ClientError) as error:
        log("metrics were not published", Error=str(error))
