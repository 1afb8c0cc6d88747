"""Windows of a deployed scheduler that are due at once, and the calls that infer them."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from botocore.exceptions import ClientError

from l4e_cli.demo.pump import Pump
from l4e_cli.demo.recording import Interval
from tests.e2e.cloud import SERVICE, Cloud
from tests.waiting import awaited

MINUTE = timedelta(minutes=1)


def client(cloud: Cloud, service: str) -> Any:
    made: Any = cloud.aws.session.client(service, endpoint_url=cloud.instance.endpoint)  # type: ignore[call-overload]
    return made


def table(cloud: Cloud) -> Any:
    """The table of the service."""
    found = client(cloud, "dynamodb").list_tables()["TableNames"]
    (name,) = (each for each in found if SERVICE in each and "State" in each)
    return name


def change(cloud: Cloud, key: Mapping[str, str], attribute: str, value: float, **condition: Any) -> None:
    """Set a number in a record of the service, as if time had passed."""
    client(cloud, "dynamodb").update_item(
        TableName=table(cloud),
        Key={name: {"S": text} for name, text in key.items()},
        UpdateExpression="SET #a = :v",
        ExpressionAttributeNames={"#a": attribute},
        ExpressionAttributeValues={":v": {"N": str(value)}},
        **condition,
    )


def infer_from(cloud: Cloud, scheduler: Any, start: datetime) -> None:
    """Have the windows of a scheduler from `start` on inferred next.

    A window that a call of the schedule is at work on ends before: its end moves the scheduler on.
    """
    key = {"pk": "inference-scheduler", "sk": scheduler["InferenceSchedulerName"]}
    idle = {"ConditionExpression": "attribute_not_exists(begun)"}

    def is_done() -> bool:
        try:
            change(cloud, key, "inferredUntil", int(start.timestamp()), **idle)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    awaited(is_done, bool)


def infer_function(cloud: Cloud) -> str:
    functions = client(cloud, "lambda").list_functions()["Functions"]
    (name,) = (one["FunctionName"] for one in functions if one["Handler"] == "service.jobs.infer.handler")
    return str(name)


def wake(cloud: Cloud, scheduler: Any, kind: str) -> Any:
    """Call the inference function as EventBridge Scheduler does; `kind` is the type of the invocation."""
    event = {
        "InferenceSchedulerName": scheduler["InferenceSchedulerName"],
        "Uuid": scheduler["InferenceSchedulerArn"].rpartition("/")[2],
    }
    reply = client(cloud, "lambda").invoke(
        FunctionName=infer_function(cloud), InvocationType=kind, Payload=json.dumps(event)
    )
    return reply["Payload"].read()


def executions(cloud: Cloud, scheduler: Any, **wanted: Any) -> list[Any]:
    listed = cloud.aws.equipment.list_inference_executions(
        InferenceSchedulerName=scheduler["InferenceSchedulerName"], **wanted
    )
    return list(listed["InferenceExecutionSummaries"])


def inferred(
    cloud: Cloud, scheduler: Any, starts: list[datetime], again: Callable[[], object] = lambda: None
) -> list[Any]:
    """Wait until the windows that begin at `starts` have been inferred, and return their executions.

    Also after a call that infers has returned: it leaves a window to another call that is at work on it, and
    the schedule may call at any moment. `again` is called before each look.
    """

    def look() -> dict[datetime, Any]:
        again()
        found = {one["DataStartTime"].astimezone(UTC): one for one in executions(cloud, scheduler)}
        return {start: found[start] for start in starts if start in found}

    def is_done(found: dict[datetime, Any]) -> bool:
        return len(found) == len(starts) and all(one["Status"] != "IN_PROGRESS" for one in found.values())

    found = awaited(look, is_done)
    return [found[start] for start in starts]


def due(cloud: Cloud, scheduler: Any, minutes: int) -> list[datetime]:
    """Make the windows of the last `minutes` due, with files for them; return their starts."""
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    end -= timedelta(minutes=end.minute % 5)
    start = end - timedelta(minutes=minutes)
    span = Interval(
        start=np.datetime64(start.replace(tzinfo=None), "s"), end=np.datetime64(end.replace(tzinfo=None), "s")
    )
    source = scheduler["DataInputConfiguration"]["S3InputConfiguration"]
    text = Pump().record(Interval(start=span.start, end=span.end + np.timedelta64(1, "m")), []).to_csv()
    for first in (start + n * 5 * MINUTE for n in range(minutes // 5)):
        cloud.upload(f"{source['Prefix']}pump_{first:%Y%m%d%H%M%S}.csv", text)
    infer_from(cloud, scheduler, start)
    return [start + n * 5 * MINUTE for n in range(minutes // 5)]
