"""The records of the service in one DynamoDB table, changed by conditional writes only.

`records` lists the attributes of each kind of record, `names` says which record has which keys.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from service.clock import Clock, timestamp, utc_now

if TYPE_CHECKING:  # the stubs exist where types are checked, not in the function
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]

_TRANSACTION = 100
"""Writes that DynamoDB does in one transaction at most."""

_BATCH = 100
"""Records that DynamoDB returns by their keys at once, at most."""

_ATTEMPTS = 8
_FIRST_WAIT = 0.04
"""Attempts of a write that meets a transaction on the same record, or of a read that is answered in part, and
seconds before the second attempt. Each wait is twice as long as the one before; together they take about
5 s."""

_FIRST_PAGE, _GROWTH, _LARGEST_PAGE = 60, 4, 1_000
"""Records that `all` asks for at once: first little more than a list shows, as what is read is paid for, then
four times as many each time, as waiting is paid for too. A page has 1 MB at most, whatever is asked for."""


class StoreError(Exception):
    """A write that the state of a record did not allow."""

    def __init__(self, pk: str, sk: str, item: Item | None = None) -> None:
        """Keep the keys of the record, and the record itself as it is in the table if there is one."""
        super().__init__(f"{type(self).__name__}: {pk} {sk}")
        self.pk = pk
        self.sk = sk
        self.item = item


class NotFound(StoreError):  # noqa: N818  named for what it says, like the API's exceptions
    """The record does not exist."""


class AlreadyExists(StoreError):  # noqa: N818
    """A record with that key exists."""


class StateChanged(StoreError):  # noqa: N818
    """The record exists, but not with the expected values; `item` is how it is."""


@dataclass(frozen=True, slots=True)
class Create:
    """Write a record that must not exist yet."""

    item: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Update:
    """Change attributes of a record that must exist and have the expected values.

    In `expect` a tuple stands for any of its values, None for an absent attribute. Numbers to `add` are added
    to what is there, to zero if nothing is: two updates at once both count.
    """

    pk: str
    sk: str
    set: Mapping[str, Any] = field(default_factory=dict)
    remove: Sequence[str] = ()
    expect: Mapping[str, Any] | None = None
    add: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a record that must exist and have the expected values."""

    pk: str
    sk: str
    expect: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """Write a record, whether or not there is one with its keys."""

    item: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove a record, whether or not there is one."""

    pk: str
    sk: str


Write = Create | Update | Delete | Put | Remove


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of a partition, and the `start` of the next page (None on the last one)."""

    items: list[Item]
    next: str | None


@dataclass(frozen=True, slots=True)
class Store:
    """The table. A record whose `ExpiresAt` (epoch seconds) has passed counts as absent."""

    client: "DynamoDBClient"
    table: str
    clock: Clock = utc_now

    def get(self, pk: str, sk: str) -> Item | None:
        """Return a record as it is now, None when there is none."""
        answer = self.client.get_item(TableName=self.table, Key=_key(pk, sk), ConsistentRead=True)
        item = _decoded(answer.get("Item"))
        return item if item is not None and not self._expired(item) else None

    def get_all(self, pk: str, sks: Sequence[str]) -> list[Item]:
        """Return those of these records of a partition that exist, in the order of `sks`, each given once."""
        found: dict[str, Item] = {}
        for start in range(0, len(sks), _BATCH):
            for raw in self._batch([_key(pk, sk) for sk in sks[start : start + _BATCH]]):
                item = _decoded(raw)
                if item is not None and not self._expired(item):
                    found[item["sk"]] = item
        return [found[sk] for sk in sks if sk in found]

    def _batch(self, keys: list[Any]) -> Iterator[Any]:
        """Yield the items that have the keys; DynamoDB leaves out what is too much for one answer."""
        for attempt in range(_ATTEMPTS):
            request: Any = {self.table: {"Keys": keys, "ConsistentRead": True}}
            answer = self.client.batch_get_item(RequestItems=request)
            yield from answer["Responses"].get(self.table, ())
            if self.table not in answer["UnprocessedKeys"]:
                return
            keys = list(answer["UnprocessedKeys"][self.table]["Keys"])
            time.sleep(_FIRST_WAIT * 2**attempt)
        raise ClientError(
            {"Error": {"Code": "ThrottlingException", "Message": f"{len(keys)} records were not read"}},
            "BatchGetItem",
        )

    def create(self, *items: Mapping[str, Any]) -> None:
        """Write new records, all or none.

        Raises:
            AlreadyExists: when one of them exists.
        """
        self.transact(*(Create(item) for item in items))

    def update(
        self,
        pk: str,
        sk: str,
        set: Mapping[str, Any],  # noqa: A002  the word of the expression language
        *,
        remove: Sequence[str] = (),
        expect: Mapping[str, Any] | None = None,
    ) -> Item:
        """Change a record and return it as it is after that. `expect` is that of `Update`.

        Raises:
            NotFound: when it does not exist.
            StateChanged: when an expected value is not there.
        """
        write = self._request(Update(pk, sk, set, remove, expect))["Update"]
        try:
            answer = _without_collision(lambda: self.client.update_item(**write, ReturnValues="ALL_NEW"))
        except self.client.exceptions.ConditionalCheckFailedException as error:
            raise _refused(Update(pk, sk), _decoded(error.response.get("Item"))) from error
        return _decoded(answer["Attributes"]) or {}

    def delete(self, pk: str, sk: str, *, expect: Mapping[str, Any] | None = None) -> None:
        """Remove a record.

        Raises:
            NotFound: when it does not exist.
            StateChanged: when an expected value is not there.
        """
        self.transact(Delete(pk, sk, expect))

    def transact(self, *writes: Write) -> None:
        """Do all `writes`, or none of them. The error is that of the first write that could not be done.

        Raises:
            AlreadyExists: when a record to create exists.
            NotFound: when a record to change or remove does not exist.
            StateChanged: when an expected value is not there.
        """
        requests = [self._request(write) for write in writes]
        try:
            _without_collision(lambda: self.client.transact_write_items(TransactItems=requests))
        except self.client.exceptions.TransactionCanceledException as error:
            for write, reason in zip(writes, _reasons(error), strict=True):
                if reason.get("Code") == "ConditionalCheckFailed":
                    raise _refused(write, _decoded(reason.get("Item"))) from error
            raise

    def clear(self, pk: str) -> None:
        """Remove all records of a partition, also while another call does the same."""
        while items := self.query(pk, limit=_TRANSACTION).items:
            self.transact(*(Remove(pk, item["sk"]) for item in items))

    def query(
        self,
        pk: str,
        *,
        prefix: str = "",
        between: tuple[str, str] | None = None,
        reverse: bool = False,
        limit: int | None = 100,
        start: str | None = None,
        where: Mapping[str, str] | None = None,
    ) -> Page:
        """Return up to `limit` records of a partition, ordered by sort key.

        Args:
            pk: the partition.
            prefix: beginning of the sort keys.
            between: first and last sort key, inclusive; overrides `prefix`.
            reverse: whether the last record comes first.
            limit: most records of the page, counting those that have expired or are left out; None is as many
                as DynamoDB reads at once, 1 MB.
            start: the page begins after this sort key: the `next` of the page before, or any other.
            where: values of attributes; records with others are read and paid for, but left out by DynamoDB.
        """
        names, values, condition = {"#p": "pk"}, {":p": pk}, "#p = :p"
        for number, (attribute, value) in enumerate((where or {}).items()):
            names[f"#w{number}"], values[f":w{number}"] = attribute, value
        kept = " AND ".join(f"#w{number} = :w{number}" for number in range(len(where or {})))
        if between is not None:
            names["#s"], values[":a"], values[":b"] = "sk", between[0], between[1]
            condition += " AND #s BETWEEN :a AND :b"
        elif prefix:
            names["#s"], values[":a"] = "sk", prefix
            condition += " AND begins_with(#s, :a)"
        narrowed: dict[str, Any] = {} if limit is None else {"Limit": limit}
        if kept:
            narrowed["FilterExpression"] = kept
        if start is not None:
            narrowed["ExclusiveStartKey"] = _key(pk, start)
        answer = self.client.query(
            TableName=self.table,
            KeyConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=_encoded(values),
            ScanIndexForward=not reverse,
            ConsistentRead=True,
            **narrowed,
        )
        last = _decoded(answer.get("LastEvaluatedKey"))
        items = [item for raw in answer["Items"] if (item := _decoded(raw)) and not self._expired(item)]
        return Page(items, last["sk"] if last else None)

    def all(
        self,
        pk: str,
        *,
        prefix: str = "",
        between: tuple[str, str] | None = None,
        reverse: bool = False,
        start: str | None = None,
        where: Mapping[str, str] | None = None,
    ) -> Iterator[Item]:
        """Yield the records that `query` would return on all its pages."""
        limit = _FIRST_PAGE
        while True:
            page = self.query(
                pk,
                prefix=prefix,
                between=between,
                reverse=reverse,
                limit=None if where else limit,
                start=start,
                where=where,
            )
            yield from page.items
            if page.next is None:
                return
            start, limit = page.next, min(_GROWTH * limit, _LARGEST_PAGE)

    def _expired(self, item: Item) -> bool:
        return "ExpiresAt" in item and item["ExpiresAt"] <= self.clock().timestamp()

    def _request(self, write: Write) -> Any:
        """Return `write` as an entry of TransactWriteItems."""
        if isinstance(write, Create):
            return {
                "Put": {
                    "TableName": self.table,
                    "Item": _encoded(write.item),
                    "ConditionExpression": "attribute_not_exists(pk) OR ExpiresAt <= :now",
                    "ExpressionAttributeValues": _encoded({":now": int(self.clock().timestamp())}),
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            }
        if isinstance(write, Put):
            return {"Put": {"TableName": self.table, "Item": _encoded(write.item)}}
        if isinstance(write, Remove):
            return {"Delete": {"TableName": self.table, "Key": _key(write.pk, write.sk)}}
        expression = _Expression()
        request: dict[str, Any] = {"TableName": self.table, "Key": _key(write.pk, write.sk)}
        if isinstance(write, Update):
            request["UpdateExpression"] = expression.update(write.set, write.remove, write.add)
        request["ConditionExpression"] = expression.condition(write.expect or {})
        request |= expression.placeholders()
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return {type(write).__name__: request}


class _Expression:
    """The expressions of one write and their placeholders."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: dict[str, Any] = {}

    def _name(self, attribute: str) -> str:
        return self._names.setdefault(attribute, f"#n{len(self._names)}")

    def _value(self, value: Any) -> str:
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = value
        return placeholder

    def update(self, changes: Mapping[str, Any], remove: Sequence[str], add: Mapping[str, int]) -> str:
        """Return the expression that sets, removes and adds to attributes."""
        parts = []
        if changes:
            parts.append(
                "SET " + ", ".join(f"{self._name(k)} = {self._value(v)}" for k, v in changes.items())
            )
        if remove:
            parts.append("REMOVE " + ", ".join(self._name(k) for k in remove))
        if add:
            parts.append("ADD " + ", ".join(f"{self._name(k)} {self._value(v)}" for k, v in add.items()))
        return " ".join(parts)

    def condition(self, expect: Mapping[str, Any]) -> str:
        """Return the expression that requires the record to exist with the expected values."""
        parts = [f"attribute_exists({self._name('pk')})"]
        for attribute, value in expect.items():
            if value is None:
                parts.append(f"attribute_not_exists({self._name(attribute)})")
            elif isinstance(value, tuple):
                parts.append(f"{self._name(attribute)} IN ({', '.join(self._value(one) for one in value)})")
            else:
                parts.append(f"{self._name(attribute)} = {self._value(value)}")
        return " AND ".join(parts)

    def placeholders(self) -> dict[str, Any]:
        """Return the members that define the placeholders used so far."""
        found: dict[str, Any] = {"ExpressionAttributeNames": {v: k for k, v in self._names.items()}}
        if self._values:
            found["ExpressionAttributeValues"] = _encoded(self._values)
        return found


def _refused(write: Write, item: Item | None) -> StoreError:
    if isinstance(write, Create | Put):
        return AlreadyExists(str(write.item["pk"]), str(write.item["sk"]), item)
    return (NotFound if item is None else StateChanged)(write.pk, write.sk, item)


def _without_collision(write: Callable[[], Any]) -> Any:
    """Return what `write` returns, repeating it while another transaction changes the same records."""
    for attempt in range(_ATTEMPTS - 1):
        try:
            return write()
        except ClientError as error:
            if not _collided(error):
                raise
        time.sleep(_FIRST_WAIT * 2**attempt)
    return write()


def _collided(error: ClientError) -> bool:
    codes = {reason.get("Code") for reason in _reasons(error)}
    return error.response["Error"]["Code"] == "TransactionConflictException" or (
        "TransactionConflict" in codes and "ConditionalCheckFailed" not in codes
    )


def _reasons(error: ClientError) -> Sequence[Mapping[str, Any]]:
    """Return the outcome of each write of a cancelled transaction."""
    reasons: Sequence[Mapping[str, Any]] = error.response.get("CancellationReasons", ())
    return reasons


def _key(pk: str, sk: str) -> Any:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _encoded(item: Mapping[str, Any]) -> Any:
    serialize = TypeSerializer().serialize
    return {name: serialize(_plain(value)) for name, value in item.items() if value is not None}


def _decoded(raw: Any) -> Item | None:
    if raw is None:
        return None
    deserialize = TypeDeserializer().deserialize
    return {name: deserialize(value) for name, value in raw.items()}


def _plain(value: Any) -> Any:
    """Return `value` with times and floats as the decimals that DynamoDB stores, without None members."""
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {name: _plain(member) for name, member in value.items() if member is not None}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return value
