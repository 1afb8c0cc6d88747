"""Metrics of executions in CloudWatch."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from service.jobs.inference.bus_events import ANOMALY_BEGAN
from service.jobs.inference.execution_end import ExecutionEnd
from service.jobs.runtime import Runtime, log
from service.storage.store import Item

if TYPE_CHECKING:  # the stubs exist where types are checked, not in the function
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef


def publish_metrics(runtime: Runtime, scheduler: Item, end: ExecutionEnd) -> None:
    """Publish the metrics of an execution; one that cannot be published fails nothing.

    `InferenceSucceeded` has a point for every execution: where points are missing, nothing was inferred. The
    others have points only when they say something: a metric is paid for by the hours in which it is sent.
    """
    kinds = Counter(notice["kind"] for notice in end.notices)
    told = () if end.result is None else end.result.bus_events
    found = end.result is not None and (end.result.anomalous or kinds["level-moved"] > 0)
    _publish(
        runtime,
        scheduler,
        succeeded=end.result is not None,
        others={
            "InferenceFailed": end.result is None,
            "InferenceInvalidInput": end.invalid_input,
            "InferenceWarning": kinds.total() - kinds["level"] - kinds["level-moved"],
            "AnomalyDetected": found,
            "LevelMoved": kinds["level-moved"],
            "FaultBegan": sum(event.detail_type == ANOMALY_BEGAN for event in told),
        },
    )


def publish_missed(runtime: Runtime, scheduler: Item, windows: int) -> None:
    """Publish that windows were missed: one failed execution, and how many windows it stands for."""
    others = {"InferenceFailed": 1, "InferenceMissed": windows}
    _publish(runtime, scheduler, succeeded=False, others=others)


def _publish(runtime: Runtime, scheduler: Item, *, succeeded: bool, others: Mapping[str, float]) -> None:
    """Publish whether an execution succeeded, and of the `others` what is not zero."""
    values = {"InferenceSucceeded": succeeded, **{name: value for name, value in others.items() if value}}
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
