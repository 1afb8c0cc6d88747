"""Calls of AWS that are counted, whichever client makes them, with what DynamoDB bills for them."""

import math
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.client import BaseClient

_READ_UNIT, _WRITE_UNIT = 4096, 1024
"""Bytes of an item that a unit reads or writes.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request to AWS, when it began and ended (seconds of a clock), and the units that DynamoDB bills."""

    service: str
    operation: str
    request: Mapping[str, Any]
    begun: float
    ended: float
    read_units: int = 0
    write_units: int = 0


@dataclass(slots=True)
class CountedCalls:
    """The calls of a block, in the order of their ends."""

    calls: list[Call] = field(default_factory=list)

    def by_operation(self) -> Counter[str]:
        """Return how often each operation was called."""
        return Counter(call.operation for call in self.calls)

    def in_bucket(self, operation: str, bucket: str) -> list[Call]:
        """Return the calls of an operation of S3 on a bucket."""
        return [
            call for call in self.calls if call.operation == operation and call.request["Bucket"] == bucket
        ]

    @property
    def read_units(self) -> int:
        """Read request units of DynamoDB."""
        return sum(call.read_units for call in self.calls)

    @property
    def write_units(self) -> int:
        """Write request units of DynamoDB."""
        return sum(call.write_units for call in self.calls)


@contextmanager
def counted_calls() -> Iterator[CountedCalls]:
    """Count the calls that are made in the block by any client of this process."""
    counted, lock = CountedCalls(), threading.Lock()
    make = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: Any, operation: str, request: dict[str, Any]) -> Any:
        service = client.meta.service_model.service_name
        before = _items(make, client, operation, request) if service == "dynamodb" else []
        begun = time.perf_counter()
        reply: dict[str, Any] = {}
        try:
            reply = make(client, operation, request)
        finally:
            ended = time.perf_counter()
            read, write = 0, 0
            if service == "dynamodb":
                after = _items(make, client, operation, request)
                read, write = _read_units(operation, reply), _write_units(operation, before, after)
            done = Call(
                service=service,
                operation=operation,
                request=request,
                begun=begun,
                ended=ended,
                read_units=read,
                write_units=write,
            )
            with lock:
                counted.calls.append(done)
        return reply

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", call)
        yield counted


def item_bytes(item: Mapping[str, Any]) -> int:
    """Return the size of an item as DynamoDB counts it: of its names and values as they travel.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(typed: Mapping[str, Any]) -> int:
    ((kind, value),) = typed.items()
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            return len(value.replace("-", "").replace(".", "").strip("0")) // 2 + 2
        case "L":
            return 3 + sum(1 + _value_bytes(each) for each in value)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_bytes(each) for name, each in value.items())
    return 1  # BOOL and NULL, the only others that the service writes


def _items(make: Any, client: Any, operation: str, request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the items that a write is about as they are in the table, empty for those that do not exist."""
    return [
        make(client, "GetItem", {"TableName": table, "Key": key}).get("Item", {})
        for table, key in _written(operation, request)
    ]


def _written(operation: str, request: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    if operation in {"UpdateItem", "DeleteItem"}:
        yield request["TableName"], request["Key"]
    for write in request.get("TransactItems", ()):
        ((_, one),) = write.items()
        yield one["TableName"], one.get("Key") or {name: one["Item"][name] for name in ("pk", "sk")}


def _read_units(operation: str, reply: Mapping[str, Any]) -> int:
    """Return the units of a consistent read: of each item that is got, of all together in a query."""
    if operation == "GetItem":
        return max(1, math.ceil(item_bytes(reply.get("Item", {})) / _READ_UNIT))
    if operation == "BatchGetItem":
        items = (item for of_table in reply.get("Responses", {}).values() for item in of_table)
        return max(1, sum(math.ceil(item_bytes(item) / _READ_UNIT) for item in items))
    if operation == "Query":
        return max(1, math.ceil(sum(item_bytes(item) for item in reply.get("Items", ())) / _READ_UNIT))
    return 0


def _write_units(
    operation: str, before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]
) -> int:
    """Return the units of a write: of the larger of the item before and after it, twice in a transaction."""
    times = 2 if operation == "TransactWriteItems" else 1
    return times * sum(
        max(1, math.ceil(max(item_bytes(old), item_bytes(new)) / _WRITE_UNIT))
        for old, new in zip(before, after, strict=True)
    )
