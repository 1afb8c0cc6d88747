"""The alarms on inference schedulers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from l4e_cli.doctor.finding import Finding, ok, problem
from l4e_cli.doctor.reading import Account, Unread, pages, read
from l4e_cli.words import count

AREA = "Alarms"
_DIMENSION = "InferenceSchedulerName"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm; `description` says which scheduler it watches, and for what."""

    name: str
    description: str
    state: str
    reason: str = ""
    metric: str = ""


def collect(account: Account, *, namespace: str | None) -> Sequence[Alarm] | Unread:
    """Read the alarms on metrics of schedulers in `namespace`, in any if it is not known."""
    client = account.client("cloudwatch")
    found = read("cloudwatch:DescribeAlarms", lambda: list(pages(client, "describe_alarms", "MetricAlarms")))
    if isinstance(found, Unread):
        return found
    return [_alarm(each) for each in found or () if metric_of(each, namespace) is not None]


def _alarm(found: Any) -> Alarm:
    metric = metric_of(found, None)
    return Alarm(
        name=found["AlarmName"],
        description=found.get("AlarmDescription", ""),
        state=found["StateValue"],
        reason=found.get("StateReason", ""),
        metric="" if metric is None else metric["MetricName"],
    )


def metric_of(alarm: Any, namespace: str | None) -> Any:
    """Return the metric of a scheduler that an alarm is on, by itself or in an expression; None if none."""
    metrics = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", ()) if "MetricStat" in query]
    return next(
        (
            metric
            for metric in (alarm, *metrics)
            if any(each["Name"] == _DIMENSION for each in metric.get("Dimensions", ()))
            and namespace in {None, metric["Namespace"]}
        ),
        None,
    )


def check(alarms: Sequence[Alarm] | Unread) -> Iterator[Finding]:
    """Yield what the facts mean. An alarm without data has nothing to say yet."""
    if isinstance(alarms, Unread):
        yield alarms.finding("alarms")
        return
    raised = [each for each in alarms if each.state == "ALARM"]
    for alarm in raised:
        yield problem("alarms", f"{alarm.description or alarm.name}: {alarm.reason}", fix=_fix(alarm))
    if not raised:
        waiting = sum(each.state == "INSUFFICIENT_DATA" for each in alarms)
        yield ok(
            "alarms", f"{count(len(alarms), 'alarm')} on schedulers, none raised, {waiting} without data yet"
        )


def _fix(alarm: Alarm) -> str:
    if alarm.metric in {"AnomalyDetected", "FaultBegan"}:
        return "look at the equipment: ListInferenceEvents says which sensors"
    if alarm.metric == "LevelMoved":
        return "find out why the level moved: the log of the inference function names the sensor"
    return "ListInferenceExecutions says what failed, and why (FailedReason)"
