"""Which metrics an execution sends: whether it succeeded, and else what is not zero."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from engine import Notice
from service.event_bus.bus_event import BusEvent
from service.jobs.inference.bus_events import ANOMALY_BEGAN
from service.jobs.inference.execution import InferenceResult
from service.jobs.inference.execution_end import ExecutionEnd
from service.jobs.inference.metrics import publish_metrics, publish_missed

BEGAN = BusEvent(detail_type=ANOMALY_BEGAN, resources=("arn",), occurrence="1", detail={})
SCHEDULER = {"ModelName": "wear", "InferenceSchedulerName": "watch"}


@dataclass
class Metrics:
    """CloudWatch, as far as metrics are sent."""

    sent: dict[str, float] = field(default_factory=dict)

    def put_metric_data(self, **request: Any) -> None:
        assert request["Namespace"] == "Plant"
        for each in request["MetricData"]:
            assert {one["Name"]: one["Value"] for one in each["Dimensions"]} == SCHEDULER
            self.sent[each["MetricName"]] = each["Value"]


def runtime(metrics: Metrics) -> Any:
    return SimpleNamespace(cloudwatch=metrics, metric_namespace="Plant")


def succeeded(*kinds: str, anomalous: bool = False, faults: int = 0) -> ExecutionEnd:
    notices = tuple(Notice(kind=kind, sensor=None, text=kind) for kind in kinds)
    return ExecutionEnd(
        result=InferenceResult(
            location={"Bucket": "b", "Key": "k"},
            anomalous=anomalous,
            notices=notices,
            events=(),
            bus_events=(BEGAN,) * faults,
        )
    )


@pytest.mark.parametrize(
    ("end", "others"),
    [
        (succeeded(), {}),
        (succeeded(anomalous=True), {"AnomalyDetected": 1}),
        (succeeded(anomalous=True, faults=1), {"AnomalyDetected": 1, "FaultBegan": 1}),
        (succeeded("gap", "no-values"), {"InferenceWarning": 2}),
        (succeeded("level"), {}),
        (succeeded("level-moved", "level-moved"), {"AnomalyDetected": 1, "LevelMoved": 2}),
        (
            succeeded("level-moved", "unit", anomalous=True),
            {"AnomalyDetected": 1, "LevelMoved": 1, "InferenceWarning": 1},
        ),
        (ExecutionEnd(failed_reason="x"), {"InferenceFailed": 1}),
        (
            ExecutionEnd(failed_reason="x", invalid_input=True),
            {"InferenceFailed": 1, "InferenceInvalidInput": 1},
        ),
    ],
)
def test_metrics_of_an_execution(end: ExecutionEnd, others: dict[str, float]) -> None:
    metrics = Metrics()
    publish_metrics(runtime(metrics), SCHEDULER, end)
    assert metrics.sent == {"InferenceSucceeded": float(end.result is not None), **others}


def test_metrics_of_missed_windows() -> None:
    metrics = Metrics()
    publish_missed(runtime(metrics), SCHEDULER, 7)
    assert metrics.sent == {"InferenceSucceeded": 0, "InferenceFailed": 1, "InferenceMissed": 7}
