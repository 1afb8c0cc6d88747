"""Which request may act on a resource: the latest that CloudFormation sent, and none that it has given up.

CloudFormation can send a Delete while the Create still runs, cancel an Update and roll it back, and deliver
any event twice. Every step of a request therefore claims its resource first. A request that a later one has
superseded is refused the claim, also when the later one came first: a Create that a Delete has overtaken
creates nothing.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from custom_resources.errors import NotFoundError, NotYetError, RefusedError, call_error
from custom_resources.request import PhysicalId, Request

if TYPE_CHECKING:  # the stubs are not in the function's package
    from mypy_boto3_dynamodb.service_resource import Table

# No request, nor a repeat of it, lives longer than the ServiceTimeout of an hour.
_REQUEST_LIFE: Final = 3600
# The framework can still deliver a Create this long after the Delete that overtook it.
_OVERTAKING: Final = 900
_RECORD_LIFE: Final = 24 * 3600
_ATTEMPTS: Final = 5


class RecordTable(Protocol):
    """Small JSON documents by key, which are written only when nobody else has written in between."""

    def read(self, key: str) -> tuple[Mapping[str, Any], int] | None:
        """Return the document and its version, None when there is none."""

    def write(self, key: str, value: Mapping[str, Any], *, version: int, expires_at: int | None) -> bool:
        """Store a document after `version` (0: none), and return False when that is not the stored one."""

    def remove(self, key: str) -> None:
        """Remove the document, if there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Whether a request may act.

    Attributes:
        successor: type of the request that superseded it; None when it may act.
        wanted: physical id that the successor works towards.
        finished: whether it had done its work before, so that CloudFormation may rely on the result.
        leftovers: physical ids that updates which this one rolls back worked towards, each with its request;
            CloudFormation may not know of them.
        troubled: whether its last poll ended in an internal error of the service.
    """

    successor: str | None = None
    wanted: str | None = None
    finished: bool = False
    leftovers: Sequence[Sequence[str]] = ()
    troubled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    request: str = ""
    type: str = ""
    wanted: str | None = None
    begun: float = 0
    overtook: bool = False  # a Delete was seen before its Create
    past: dict[str, float] = field(default_factory=dict)
    finished: list[str] = field(default_factory=list)
    leftovers: list[list[str]] = field(default_factory=list)
    trouble: str | None = None  # the error that every poll since `troubled_since` has ended in
    troubled_since: float = 0

    def next(self, request: Request, wanted: PhysicalId | None, now: float) -> tuple[Claim, "_Record"]:
        """Return the claim of `request`, and the record after it."""
        if request.request_id == self.request:
            granted = Claim(leftovers=self.leftovers, troubled=self.trouble is not None)
            return granted, replace(self, wanted=str(wanted) if wanted else None)
        past = {name: since for name, since in self.past.items() if now - since < _REQUEST_LIFE}
        if request.request_id in past:
            finished = request.request_id in self.finished
            return Claim(successor=self.type, wanted=self.wanted, finished=finished), self
        begun = now if request.begun is None else request.begun
        expected = request.type == "Create" and self.overtook and now - self.begun < _OVERTAKING
        # The first claim of a request older than the latest one: CloudFormation no longer waits for it.
        if expected or begun < self.begun:
            past[request.request_id] = now
            record = replace(self, past=past, overtook=False)
            return Claim(successor=self.type, wanted=self.wanted), record
        if self.request:
            past[self.request] = now
        record = _Record(
            request=request.request_id,
            type=request.type,
            wanted=str(wanted) if wanted else None,
            begun=begun,
            overtook=request.type == "Delete"
            and self.type != "Create"
            and not PhysicalId.parse(request.physical_id),
            past=past,
            finished=[name for name in self.finished if name in past],
            leftovers=self._left_by_updates(request, wanted),
        )
        return Claim(leftovers=record.leftovers), record

    def _left_by_updates(self, request: Request, wanted: PhysicalId | None) -> list[list[str]]:
        if not self.type == request.type == "Update":
            return []
        known = {str(wanted), request.incoming_id}
        return [pair for pair in [*self.leftovers, [str(self.wanted), self.request]] if pair[0] not in known]


def _stored_record(stored: tuple[Mapping[str, Any], int] | None) -> tuple[_Record, int]:
    """Return a record and its version, without what only a later release knows."""
    if stored is None:
        return _Record(), 0
    known = {each.name for each in fields(_Record)}
    return _Record(**{name: value for name, value in stored[0].items() if name in known}), stored[1]


def claim(table: RecordTable, request: Request, wanted: PhysicalId | None, now: float) -> Claim:
    """Claim the resource of a request.

    Args:
        table: where claims are recorded.
        request: the request.
        wanted: physical id that it works towards; None for a Delete.
        now: epoch seconds.

    Raises:
        NotYetError: when other requests of the resource are being recorded.
    """
    key = f"claim/{request.owner}"
    for _ in range(_ATTEMPTS):
        stored = table.read(key)
        before, version = _stored_record(stored)
        granted, after = before.next(request, wanted, now)
        if after == before:
            return granted
        if table.write(key, asdict(after), version=version, expires_at=int(now) + _RECORD_LIFE):
            return granted
    raise NotYetError("other requests of this resource are being recorded")


def finish(table: RecordTable, request: Request, now: float) -> None:
    """Record that a request has done its work: its result is kept when it is superseded later.

    Raises:
        NotYetError: when another request of the resource is being recorded.
    """
    key = f"claim/{request.owner}"
    stored = table.read(key)
    record, version = _stored_record(stored)
    if record.request != request.request_id or request.request_id in record.finished:
        return
    after = replace(record, finished=[*record.finished, request.request_id])
    if not table.write(key, asdict(after), version=version, expires_at=int(now) + _RECORD_LIFE):
        raise NotYetError("another request of this resource is being recorded")


def note_trouble(table: RecordTable, request: Request, trouble: str | None, now: float) -> float:
    """Record the internal error that a poll ended in, and return for how many seconds all polls have.

    Args:
        table: where claims are recorded.
        request: the request.
        trouble: the error; None when the poll ended without one.
        now: epoch seconds.
    """
    key = f"claim/{request.owner}"
    stored = table.read(key)
    record, version = _stored_record(stored)
    if record.request != request.request_id:
        return 0
    if record.trouble == trouble:
        return now - record.troubled_since
    after = replace(record, trouble=trouble, troubled_since=now)
    # When somebody else has written in between, counting begins with the next poll.
    table.write(key, asdict(after), version=version, expires_at=int(now) + _RECORD_LIFE)
    return 0


class DynamoRecords:
    """Records in a DynamoDB table with partition key `id` and TTL attribute `ExpiresAt`."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def read(self, key: str) -> tuple[Mapping[str, Any], int] | None:
        """Return the document and its version, None when there is none."""
        try:
            item = self._table.get_item(Key={"id": key}, ConsistentRead=True).get("Item")
        except (BotoCoreError, ClientError) as error:
            raise _table_error("dynamodb:GetItem", error) from error
        if item is None:
            return None
        return json.loads(str(item["value"])), int(str(item["version"]))

    def write(self, key: str, value: Mapping[str, Any], *, version: int, expires_at: int | None) -> bool:
        """Store a document after `version` (0: none), and return False when that is not the stored one."""
        item: dict[str, Any] = {"id": key, "value": json.dumps(value), "version": version + 1}
        if expires_at is not None:
            item["ExpiresAt"] = expires_at
        try:
            if version:
                self._table.put_item(
                    Item=item,
                    ConditionExpression="version = :version",
                    ExpressionAttributeValues={":version": version},
                )
            else:
                self._table.put_item(Item=item, ConditionExpression="attribute_not_exists(id)")
        except self._table.meta.client.exceptions.ConditionalCheckFailedException:
            return False
        except (BotoCoreError, ClientError) as error:
            raise _table_error("dynamodb:PutItem", error) from error
        return True

    def remove(self, key: str) -> None:
        """Remove the document, if there is one."""
        try:
            self._table.delete_item(Key={"id": key})
        except (BotoCoreError, ClientError) as error:
            raise _table_error("dynamodb:DeleteItem", error) from error


def _table_error(operation: str, error: BotoCoreError | ClientError) -> Exception:
    found = call_error(operation, error)
    # A missing table is a broken installation, never a missing resource.
    return RefusedError(operation, found.code, found.text) if isinstance(found, NotFoundError) else found
