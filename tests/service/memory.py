"""The engines of the service in memory, for tests that send thousands of requests.

They do what the service asks of DynamoDB, S3, Step Functions and EventBridge Scheduler, and raise the
exceptions of boto3. They refuse what AWS would refuse: keys and names by an exception, sizes by failing the
test (`tests.aws_limits`). Other services are those of the embedded AWS.
"""
# ruff: noqa: N803  the names of AWS

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

from tests.aws_limits import (
    ITEM_BYTES,
    item_bytes,
    require,
    require_execution,
    require_schedule,
    require_transaction,
    require_update,
)
from tests.embedded import SESSION

Item = dict[str, Any]

_KEY_BYTES = {"pk": 2048, "sk": 1024}
_OBJECT_KEY_BYTES = 1024
_PAGE = 1000
_BATCH = 100
QUERY_BYTES = 2**20
_plain = TypeDeserializer().deserialize


@cache
def client(service: str) -> Any:
    """Return a boto3 client that is asked for its exceptions only."""
    made: Any = SESSION.client(  # type: ignore[call-overload]  # any service
        service, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    return made


def refused(operation: str, code: str, message: str) -> ClientError:
    """Return the error that AWS answers."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@dataclass
class Table:
    """A table of DynamoDB with the keys `pk` and `sk`, as far as `service.storage.store` uses it."""

    items: dict[tuple[str, str], Item] = field(default_factory=dict)
    exceptions: Any = field(default_factory=lambda: client("dynamodb").exceptions)

    def get_item(self, *, Key: Item, **_: Any) -> Item:
        """Return an item."""
        found = self.items.get(_key(Key))
        return {} if found is None else {"Item": dict(found)}

    def batch_get_item(self, *, RequestItems: Item) -> Item:
        """Return items, in the order of the table."""
        ((table, request),) = RequestItems.items()
        keys = [_key(key) for key in request["Keys"]]
        if not 0 < len(set(keys)) == len(keys) <= _BATCH:
            raise refused("BatchGetItem", "ValidationException", f"{len(keys)} keys, or one of them twice")
        found = [dict(self.items[key]) for key in sorted(keys) if key in self.items]
        return {"Responses": {table: found}, "UnprocessedKeys": {}}

    def update_item(self, **request: Any) -> Item:
        """Change an item and return it."""
        require_update(request)
        key = _key(request["Key"])
        if not _holds(request, self.items.get(key)):
            error = self.exceptions.ConditionalCheckFailedException(
                {"Error": {"Code": "ConditionalCheckFailedException"}, "Item": self.items.get(key)},
                "UpdateItem",
            )
            raise error
        self.items[key] = _updated(request, self.items.get(key))
        return {"Attributes": dict(self.items[key])}

    def transact_write_items(self, *, TransactItems: list[Item]) -> Item:
        """Do all writes or none."""
        require_transaction({"TransactItems": TransactItems})
        writes = [next(iter(one.items())) for one in TransactItems]
        keys = [_key(request.get("Key") or request["Item"]) for _, request in writes]
        if len(set(keys)) < len(keys):
            raise refused("TransactWriteItems", "ValidationException", "two writes of one item")
        reasons = [
            {"Code": "None"}
            if "ConditionExpression" not in request or _holds(request, self.items.get(key))
            else {"Code": "ConditionalCheckFailed", "Item": self.items.get(key)}
            for key, (_, request) in zip(keys, writes, strict=True)
        ]
        if any(reason["Code"] != "None" for reason in reasons):
            raise self.exceptions.TransactionCanceledException(
                {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons},
                "TransactWriteItems",
            )
        after: dict[tuple[str, str], Item | None] = {}
        for key, (kind, request) in zip(keys, writes, strict=True):
            if kind == "Put":
                after[key] = _checked(request["Item"])
            else:
                after[key] = _updated(request, self.items.get(key)) if kind == "Update" else None
        for key, item in after.items():
            if item is None:
                self.items.pop(key, None)
            else:
                self.items[key] = item
        return {}

    def query(self, *, Limit: int | None = None, ScanIndexForward: bool, **request: Any) -> Item:
        """Return a page of the items of a partition."""
        values = request["ExpressionAttributeValues"]
        partition = values[":p"]["S"]
        condition = request["KeyConditionExpression"].removeprefix("#p = :p")
        if "ExclusiveStartKey" in request:
            start: str | None = _key(request["ExclusiveStartKey"])[1]
        else:
            start = None
        found = []
        for sk in sorted((sk for pk, sk in self.items if pk == partition), reverse=not ScanIndexForward):
            behind = start is None or (sk > start if ScanIndexForward else sk < start)
            if behind and _in_range(sk, condition, values):
                found.append(self.items[partition, sk])
        read = found[: _read_at_once(found) if Limit is None else Limit]
        more = len(found) > len(read)
        last = {"LastEvaluatedKey": {name: read[-1][name] for name in _KEY_BYTES}} if more else {}
        kept = [dict(item) for item in read if _kept(request, item)]
        return {"Items": kept, **last}


def _read_at_once(items: list[Item]) -> int:
    """Return how many items a query without Limit reads: 1 MB of them."""
    sizes = accumulate(item_bytes(item) for item in items)
    return 1 + sum(size < QUERY_BYTES for size in sizes)


def _kept(request: Item, item: Item) -> bool:
    """Return whether the FilterExpression of a query keeps an item."""
    terms = request["FilterExpression"].split(" AND ") if "FilterExpression" in request else ()
    return all(_term(term, request, item) for term in terms)


def _key(key: Item) -> tuple[str, str]:
    for name, most in _KEY_BYTES.items():
        size = len(key[name]["S"].encode())
        if not 0 < size <= most:
            raise refused("GetItem", "ValidationException", f"the key {name} has {size} bytes")
    return key["pk"]["S"], key["sk"]["S"]


def _checked(item: Item) -> Item:
    require("bytes of an item", item_bytes(item), ITEM_BYTES)
    return item


def _in_range(sk: str, condition: str, values: Item) -> bool:
    if not condition:
        return True
    if "BETWEEN" in condition:
        return bool(values[":a"]["S"] <= sk <= values[":b"]["S"])
    assert "begins_with(#s, :a)" in condition, condition
    return sk.startswith(values[":a"]["S"])


_TERMS: Mapping[str, Callable[[Any, list[Any]], bool]] = {
    r"attribute_exists\((\S+)\)": lambda value, _: value is not None,
    r"attribute_not_exists\((\S+)\)": lambda value, _: value is None,
    r"(\S+) = (\S+)": lambda value, others: value is not None and value == others[0],
    r"(\S+) <= (\S+)": lambda value, others: value is not None and value <= others[0],
    r"(\S+) IN \((.+)\)": lambda value, others: value in others,
}


def _holds(request: Item, item: Item | None) -> bool:
    """Return whether the ConditionExpression of a write holds: terms joined by AND, these by OR."""
    return any(
        all(_term(term, request, item or {}) for term in some.split(" AND "))
        for some in request["ConditionExpression"].split(" OR ")
    )


def _term(term: str, request: Item, item: Item) -> bool:
    for pattern, holds in _TERMS.items():
        found = re.fullmatch(pattern, term)
        if found:
            name, *values = found.groups()
            raw = item.get(_name(name, request))
            others = [_plain(_value(each, request)) for text in values for each in text.split(", ")]
            return holds(None if raw is None else _plain(raw), others)
    raise AssertionError(f"the table in memory does not know the condition {term!r}")


def _updated(request: Item, item: Item | None) -> Item:
    """Return an item after the UpdateExpression of a write."""
    expression = request["UpdateExpression"]
    expression, _, added = expression.partition("ADD ")
    changes, _, removed = expression.partition("REMOVE ")
    after = {**(item or request["Key"])}
    for change in filter(None, changes.removeprefix("SET ").strip().split(", ")):
        name, _, value = change.partition(" = ")
        after[_name(name, request)] = _value(value, request)
    for name in filter(None, removed.strip().split(", ")):
        after.pop(_name(name, request), None)
    for addition in filter(None, added.split(", ")):
        name, _, value = addition.partition(" ")
        present = after.get(_name(name, request), {"N": "0"})
        after[_name(name, request)] = {"N": str(_plain(present) + _plain(_value(value, request)))}
    return _checked(after)


def _name(text: str, request: Item) -> str:
    return request.get("ExpressionAttributeNames", {}).get(text, text)


def _value(text: str, request: Item) -> Any:
    return request["ExpressionAttributeValues"][text]


@dataclass
class Bucket:
    """Buckets of S3, as far as `service.storage.service_bucket` uses them."""

    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    exceptions: Any = field(default_factory=lambda: client("s3").exceptions)

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: Any) -> Item:
        """Write an object."""
        if not 0 < len(Key.encode()) <= _OBJECT_KEY_BYTES:
            raise refused("PutObject", "KeyTooLongError", Key[:100])
        self.objects[Bucket, Key] = bytes(Body)
        return {}

    def get_object(self, *, Bucket: str, Key: str, **_: Any) -> Item:
        """Return an object."""
        if (Bucket, Key) not in self.objects:
            raise refused("GetObject", "NoSuchKey", "The specified key does not exist.")
        return {"Body": io.BytesIO(self.objects[Bucket, Key])}

    def head_object(self, *, Bucket: str, Key: str, **_: Any) -> Item:
        """Return the size of an object."""
        if (Bucket, Key) not in self.objects:
            raise refused("HeadObject", "404", "Not Found")
        return {"ContentLength": len(self.objects[Bucket, Key])}

    def list_objects_v2(self, *, Bucket: str, Prefix: str = "", **_: Any) -> Item:
        """Return keys."""
        keys = sorted(key for bucket, key in self.objects if bucket == Bucket and key.startswith(Prefix))
        found = [{"Key": key, "Size": len(self.objects[Bucket, key])} for key in keys[:_PAGE]]
        return {"Contents": found, "KeyCount": len(found)}

    def delete_objects(self, *, Bucket: str, Delete: Item, **_: Any) -> Item:
        """Delete objects."""
        for one in Delete["Objects"]:
            self.objects.pop((Bucket, one["Key"]), None)
        return {}

    def get_paginator(self, operation: str) -> "Bucket":
        """Return what lists all keys, as a paginator."""
        assert operation == "list_objects_v2"
        return self

    def paginate(self, **request: Any) -> list[Item]:
        """Return the pages of a list."""
        return [self.list_objects_v2(**request)]


@dataclass
class Machines:
    """Executions of Step Functions, all of which run for ever."""

    executions: dict[str, Item] = field(default_factory=dict)
    exceptions: Any = field(default_factory=lambda: client("stepfunctions").exceptions)

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> Item:  # noqa: A002  AWS's name
        """Start an execution."""
        require_execution({"input": input})
        if not re.fullmatch(r"[\w-]{1,80}", name):
            raise refused("StartExecution", "InvalidName", name)
        arn = f"{stateMachineArn.replace(':stateMachine:', ':execution:')}:{name}"
        if arn in self.executions:
            raise self.exceptions.ExecutionAlreadyExists(
                {"Error": {"Code": "ExecutionAlreadyExists"}}, "StartExecution"
            )
        self.executions[arn] = {"executionArn": arn, "status": "RUNNING", "input": input}
        return {"executionArn": arn}

    def stop_execution(self, *, executionArn: str, cause: str) -> Item:
        """Stop an execution."""
        execution = self.describe_execution(executionArn=executionArn)
        if execution["status"] == "RUNNING":
            execution |= {"status": "ABORTED", "cause": cause}
        return {}

    def describe_execution(self, *, executionArn: str) -> Item:
        """Return an execution."""
        if executionArn not in self.executions:
            raise self.exceptions.ExecutionDoesNotExist(
                {"Error": {"Code": "ExecutionDoesNotExist"}}, "DescribeExecution"
            )
        return self.executions[executionArn]


@dataclass
class ScheduleGroup:
    """Schedules of EventBridge Scheduler."""

    schedules: dict[str, Item] = field(default_factory=dict)
    exceptions: Any = field(default_factory=lambda: client("scheduler").exceptions)

    def create_schedule(self, **definition: Any) -> Item:
        """Create a schedule."""
        if definition["Name"] in self.schedules:
            raise self.exceptions.ConflictException(
                {"Error": {"Code": "ConflictException"}}, "CreateSchedule"
            )
        return self._put("CreateSchedule", definition)

    def update_schedule(self, **definition: Any) -> Item:
        """Change a schedule."""
        self.get_schedule(Name=definition["Name"])
        return self._put("UpdateSchedule", definition)

    def get_schedule(self, *, Name: str, **_: Any) -> Item:
        """Return a schedule."""
        if Name not in self.schedules:
            raise self.exceptions.ResourceNotFoundException(
                {"Error": {"Code": "ResourceNotFoundException"}}, "GetSchedule"
            )
        return self.schedules[Name]

    def delete_schedule(self, *, Name: str, **_: Any) -> Item:
        """Delete a schedule."""
        self.get_schedule(Name=Name)
        del self.schedules[Name]
        return {}

    def _put(self, operation: str, definition: Item) -> Item:
        if not re.fullmatch(r"[\w.-]{1,64}", definition["Name"]):
            raise refused(operation, "ValidationException", definition["Name"])
        require_schedule(definition)
        self.schedules[definition["Name"]] = definition
        return {}


def in_memory(others: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return the clients of one deployment; `others` returns those of services that are not in memory."""
    made = {"dynamodb": Table(), "s3": Bucket(), "stepfunctions": Machines(), "scheduler": ScheduleGroup()}
    return lambda service: made.get(service) or others(service)
