"""The limits of AWS that all tests are held to: a check that refuses nothing would prove nothing."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.aws_limits import (
    ITEM_BYTES,
    LAMBDA_BYTES,
    STATE_BYTES,
    OverLimitError,
    held,
    item_bytes,
    require_answer,
    require_state,
    through_gateway,
)
from tests.embedded import SESSION

KEY = {"pk": {"S": "p"}, "sk": {"S": "s"}}


def put(size: int, sk: str = "s") -> dict[str, Any]:
    return {"Put": {"TableName": "t", "Item": {"pk": {"S": "p"}, "sk": {"S": sk}, "text": {"S": "x" * size}}}}


def update(size: int) -> dict[str, Any]:
    return {"TableName": "t", "Key": KEY, "ExpressionAttributeValues": {":v": {"S": "x" * size}}}


def schedule(size: int) -> dict[str, Any]:
    return {
        "Name": "n",
        "ScheduleExpression": "cron(0 * * * ? *)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": "a", "RoleArn": "r", "Input": "x" * size},
    }


def metric(**more: Any) -> dict[str, Any]:
    return {"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1.0, **more}]}


@pytest.mark.parametrize(
    ("service", "operation", "allowed", "refused", "what"),
    [
        (
            "dynamodb",
            "transact_write_items",
            {"TransactItems": [put(ITEM_BYTES - 20)]},
            {"TransactItems": [put(ITEM_BYTES)]},
            "bytes of an item: 409,610, and AWS takes 409,600 at most",
        ),
        (
            "dynamodb",
            "transact_write_items",
            {"TransactItems": [put(10, str(number)) for number in range(100)]},
            {"TransactItems": [put(10, str(number)) for number in range(101)]},
            "writes of a transaction: 101,",
        ),
        (
            "dynamodb",
            "transact_write_items",
            {"TransactItems": [put(400_000, str(number)) for number in range(10)]},
            {"TransactItems": [put(400_000, str(number)) for number in range(11)]},
            "bytes of a transaction: 4,400,",
        ),
        ("dynamodb", "update_item", update(400_000), update(ITEM_BYTES), "bytes of an item"),
        (
            "stepfunctions",
            "start_execution",
            {"stateMachineArn": "a", "input": "x" * STATE_BYTES},
            {"stateMachineArn": "a", "input": "x" * (STATE_BYTES + 1)},
            "bytes of the input of an execution: 262,145, and AWS takes 262,144 at most",
        ),
        (
            "scheduler",
            "create_schedule",
            schedule(262_144),
            schedule(262_145),
            "bytes of the input of a schedule",
        ),
        (
            "scheduler",
            "update_schedule",
            {**schedule(1), "Description": "d" * 512},
            {**schedule(1), "Description": "d" * 513},
            "characters of the description of a schedule",
        ),
        (
            "cloudwatch",
            "put_metric_data",
            {**metric(), "MetricData": 1000 * metric()["MetricData"]},
            {**metric(), "MetricData": 1001 * metric()["MetricData"]},
            "metrics of a request: 1,001,",
        ),
        (
            "cloudwatch",
            "put_metric_data",
            metric(Dimensions=[{"Name": "n", "Value": "v" * 1024}]),
            metric(Dimensions=[{"Name": "n", "Value": "v" * 1025}]),
            "characters of a dimension's value: 1,025,",
        ),
    ],
)
def test_a_client_refuses_what_aws_would_refuse(
    service: str, operation: str, allowed: dict[str, Any], refused: dict[str, Any], what: str
) -> None:
    made: Any = SESSION.client(  # type: ignore[call-overload]  # any service
        service, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    sent = []

    def answer(request: Any, **_: Any) -> None:
        sent.append(request)
        raise ConnectionError("the test sends nothing")

    client = held(made)
    client.meta.events.register("before-send", answer)
    with pytest.raises(OverLimitError, match=what):
        getattr(client, operation)(**refused)
    assert not sent
    with pytest.raises(ConnectionError):
        getattr(client, operation)(**allowed)
    assert sent


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "é"}, 2),
        ({"N": "0"}, 1),
        ({"N": "1767225600.123"}, 8),
        ({"N": "-0.00333"}, 4),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}, {"N": "12"}]}, 3 + 3 + 3),
        ({"M": {"k": {"S": "ab"}}}, 3 + 1 + 1 + 2),
    ],
)
def test_items_are_counted_as_dynamodb_does(value: dict[str, Any], size: int) -> None:
    assert item_bytes({"name": value}) == len("name") + size


def test_what_a_step_is_given_and_returns_is_limited() -> None:
    require_state("output of a step", "x" * (STATE_BYTES - 2))
    with pytest.raises(OverLimitError, match="bytes of the output of a step in Step Functions: 262,145,"):
        require_state("output of a step", "x" * (STATE_BYTES - 1))


def test_answers_that_came_through_api_gateway_are_limited() -> None:
    require_answer(SimpleNamespace(text="x" * (LAMBDA_BYTES - 40)))
    with pytest.raises(OverLimitError, match="bytes of an answer of the API function"):
        require_answer(SimpleNamespace(text="x" * LAMBDA_BYTES))


def test_answers_and_events_of_the_api_function_are_limited() -> None:
    told: list[str] = []

    def answer(event: dict[str, Any]) -> dict[str, Any]:
        return {"statusCode": 200, "body": "x" * event["size"]}

    gateway = through_gateway(answer, told.append)
    fits = {"body": "{}", "size": LAMBDA_BYTES - len('{"statusCode": 200, "body": ""}')}
    assert gateway(fits)["statusCode"] == 200
    assert not told
    assert gateway({**fits, "size": LAMBDA_BYTES})["statusCode"] == 502
    assert gateway({"body": "x" * LAMBDA_BYTES, "size": 1})["statusCode"] == 502
    assert [text.partition(":")[0] for text in told] == [
        "bytes of an answer of the API function",
        "bytes of an event for the API function",
    ]
