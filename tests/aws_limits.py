"""What AWS takes at most, as far as neither the embedded AWS nor objects in memory refuse more.

Sources: "Lambda quotas", "Quotas for REST APIs" of API Gateway, "Quotas in DynamoDB" with the page on sizes
of items, "Step Functions service quotas"; CreateSchedule of EventBridge Scheduler; PutMetricData of
CloudWatch.
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

KIB = 1024
LAMBDA_BYTES = 6 * 1024 * KIB + 100
"""Of the event and of the answer of a function that is called synchronously."""
GATEWAY_BYTES = 10 * 1024 * KIB
VARIABLES_BYTES = 4 * KIB
ITEM_BYTES = 400 * KIB
TRANSACTION_ITEMS = 100
TRANSACTION_BYTES = 4 * 1024 * KIB
STATE_BYTES = 256 * KIB
"""Input and output of an execution, of a state and of an item of a map."""
SCHEDULE_INPUT_BYTES = 256 * KIB
METRIC_DATA = 1000
METRIC_DATA_BYTES = 1024 * KIB
DIMENSIONS = 30

Request = Mapping[str, Any]
Answer = Callable[..., dict[str, Any]]


class OverLimitError(BaseException):
    """AWS would refuse this. No handler of errors in the code under test may hide it."""


def require(what: str, size: float, limit: float) -> None:
    """Fail the test when something is larger than AWS takes."""
    if size > limit:
        raise OverLimitError(f"{what}: {size:,.0f}, and AWS takes {limit:,.0f} at most")


def require_state(what: str, value: Any) -> None:
    """Hold what Step Functions hands on, a JSON value, to its limit."""
    require(f"bytes of the {what} in Step Functions", len(json.dumps(value)), STATE_BYTES)


def through_gateway(answer: Answer, refused: Callable[[str], None]) -> Answer:
    """Return the API function as API Gateway calls it.

    What is too large is told to `refused`, and the caller gets the answer of API Gateway: no function is
    there to word it.
    """

    def limited(event: Request, *more: Any) -> dict[str, Any]:
        try:
            require("bytes of the body of a request", len(event.get("body") or ""), GATEWAY_BYTES)
            require("bytes of an event for the API function", len(json.dumps(event)), LAMBDA_BYTES)
            reply = answer(event, *more)
            require("bytes of an answer of the API function", len(json.dumps(reply)), LAMBDA_BYTES)
        except OverLimitError as error:
            refused(str(error))
            body = json.dumps({"message": "Internal server error"})
            return {"statusCode": 502, "headers": {"Content-Type": "application/json"}, "body": body}
        return reply

    return limited


def held(client: Any) -> Any:
    """Return a boto3 client, which now refuses what AWS would refuse."""
    model = client.meta.service_model
    for (service, operation), check in CHECKS.items():
        if service == model.service_name:
            client.meta.events.register(
                f"provide-client-params.{model.service_id.hyphenize()}.{operation}",
                lambda params, check=check, **_: check(params),
            )
    return client


def require_answer(http_response: Any, **_: Any) -> None:
    """Hold an answer that a client got through API Gateway to the limit of the function that gave it."""
    size = len(json.dumps({"statusCode": 200, "body": http_response.text}))
    require("bytes of an answer of the API function", size, LAMBDA_BYTES)


def require_deployed(functions: Any, machines: Any) -> None:
    """Hold what was deployed and has run to its limits, by clients of Lambda and Step Functions."""
    for page in functions.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            variables = function.get("Environment", {}).get("Variables", {})
            size = len(json.dumps(variables))
            require(f"bytes of the variables of {function['FunctionName']}", size, VARIABLES_BYTES)
    for machine in machines.list_state_machines()["stateMachines"]:
        arn = machine["stateMachineArn"]
        for execution in machines.list_executions(stateMachineArn=arn)["executions"]:
            history = machines.get_execution_history(executionArn=execution["executionArn"])
            for event in history["events"]:
                for details in event.values():
                    for part in ("input", "output"):
                        text = details.get(part, "") if isinstance(details, dict) else ""
                        require(f"bytes of the {part} of a state of {arn}", len(text.encode()), STATE_BYTES)


def item_bytes(item: Request) -> int:
    """Return the size of an item in the form of DynamoDB's API, as DynamoDB counts it."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Request) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":  # two significant digits a byte, one for the exponent, and one for a minus sign
            digits = content.removeprefix("-").replace(".", "").strip("0")
            return math.ceil(len(digits) / 2) + 1 + content.startswith("-")
        case "B":
            return len(content)
        case "M":
            return 3 + item_bytes(content) + len(content)
        case "L":
            return 3 + sum(1 + _value_bytes(one) for one in content)
        case _:
            return 1


def require_transaction(params: Request) -> None:
    """Hold the items of TransactWriteItems to their limits."""
    writes = [write for one in params["TransactItems"] for write in one.values()]
    require("writes of a transaction", len(writes), TRANSACTION_ITEMS)
    sizes = [_written_bytes(write) for write in writes]
    for size in sizes:
        require("bytes of an item", size, ITEM_BYTES)
    require("bytes of a transaction", sum(sizes), TRANSACTION_BYTES)


def require_update(params: Request) -> None:
    """Hold what UpdateItem brings to the limit of an item."""
    require("bytes of an item", _written_bytes(params), ITEM_BYTES)


def _written_bytes(write: Request) -> int:
    """Return the bytes that a write brings; an update adds them to the item that is there."""
    return item_bytes(write.get("Item") or {**write["Key"], **write.get("ExpressionAttributeValues", {})})


def require_execution(params: Request) -> None:
    """Hold the input of StartExecution to its limit."""
    size = len(params.get("input", "").encode())
    require("bytes of the input of an execution", size, STATE_BYTES)


def require_schedule(params: Request) -> None:
    """Hold a schedule to its limits."""
    require("bytes of the input of a schedule", len(params["Target"]["Input"].encode()), SCHEDULE_INPUT_BYTES)
    require("characters of the description of a schedule", len(params.get("Description", "")), 512)
    require("characters of the expression of a schedule", len(params["ScheduleExpression"]), 256)


def _require_metrics(params: Request) -> None:
    data = params["MetricData"]
    require("metrics of a request", len(data), METRIC_DATA)
    require("bytes of the metrics of a request", len(json.dumps(data)), METRIC_DATA_BYTES)
    require("characters of a namespace", len(params["Namespace"]), 255)
    for metric in data:
        require("dimensions of a metric", len(metric.get("Dimensions", ())), DIMENSIONS)
        require("characters of a metric's name", len(metric["MetricName"]), 255)
        if "Value" in metric:
            require("the value of a metric", abs(metric["Value"]), 2.0**360)
        for dimension in metric.get("Dimensions", ()):
            require("characters of a dimension's name", len(dimension["Name"]), 255)
            require("characters of a dimension's value", len(dimension["Value"]), 1024)


CHECKS: Mapping[tuple[str, str], Callable[[Request], None]] = {
    ("dynamodb", "TransactWriteItems"): require_transaction,
    ("dynamodb", "UpdateItem"): require_update,
    ("stepfunctions", "StartExecution"): require_execution,
    ("scheduler", "CreateSchedule"): require_schedule,
    ("scheduler", "UpdateSchedule"): require_schedule,
    ("cloudwatch", "PutMetricData"): _require_metrics,
}
"""What is looked at before a client of boto3 sends it, by the name of the service in boto3 and operation."""
