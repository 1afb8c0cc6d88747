"""The store in memory: writes and conditions as in the table, one transaction at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from service.storage.store import (
    AlreadyExists,
    Create,
    Delete,
    Item,
    NotFound,
    Page,
    Put,
    Remove,
    StateChanged,
    Update,
    Write,
    _encoded,
    _plain,
)
from tests.aws_limits import ITEM_BYTES, TRANSACTION_ITEMS, item_bytes, require


class Killed(BaseException):
    """The process ends here: no handler of errors runs."""


@dataclass
class Life:
    """Writes that a process does before it is killed; None is without end."""

    left: int | None = None

    def spend(self) -> None:
        if self.left is not None:
            if self.left == 0:
                raise Killed
            self.left -= 1


@dataclass
class MemoryStore:
    """Records by their keys."""

    life: Life = field(default_factory=Life)
    records: dict[tuple[str, str], Item] = field(default_factory=dict)

    def get(self, pk: str, sk: str) -> Item | None:
        found = self.records.get((pk, sk))
        return None if found is None else dict(found)

    def create(self, item: Item) -> None:
        self.transact(Create(item))

    def update(self, pk: str, sk: str, set: Mapping[str, Any], **more: Any) -> Item:  # noqa: A002
        self.transact(Update(pk, sk, set, **more))
        return dict(self.records[pk, sk])

    def delete(self, pk: str, sk: str, *, expect: Mapping[str, Any] | None = None) -> None:
        self.transact(Delete(pk, sk, expect))

    def transact(self, *writes: Write) -> None:
        require("writes of a transaction", len(writes), TRANSACTION_ITEMS)
        for write in writes:
            self._check(write)
        self.life.spend()
        for write in writes:
            self._do(write)

    def clear(self, pk: str) -> None:
        for sk in [sk for found, sk in self.records if found == pk]:
            self.delete(pk, sk)

    def query(self, pk: str, **_: Any) -> Page:
        return Page(list(self.all(pk)), None)

    def all(
        self,
        pk: str,
        *,
        prefix: str = "",
        reverse: bool = False,
        where: Mapping[str, str] | None = None,
        **_: Any,
    ) -> Iterator[Item]:
        keys = sorted(key for key in self.records if key[0] == pk and key[1].startswith(prefix))
        found = [dict(self.records[key]) for key in (reversed(keys) if reverse else keys)]
        return iter([each for each in found if (where or {}).items() <= each.items()])

    def _check(self, write: Write) -> None:
        if isinstance(write, Put | Remove):
            return
        key = (write.item["pk"], write.item["sk"]) if isinstance(write, Create) else (write.pk, write.sk)
        found = self.records.get(key)
        if isinstance(write, Create):
            if found is not None:
                raise AlreadyExists(*key, dict(found))
            return
        if found is None:
            raise NotFound(*key)
        for name, wanted in (write.expect or {}).items():
            allowed = wanted if isinstance(wanted, tuple) else (wanted,)
            if found.get(name) not in [_plain(each) for each in allowed]:
                raise StateChanged(*key, dict(found))

    def _do(self, write: Write) -> None:
        if isinstance(write, Create | Put):
            item = _plain(write.item)
            self._put(item["pk"], item["sk"], item)
        elif isinstance(write, Delete | Remove):
            self.records.pop((write.pk, write.sk), None)
        else:
            record = dict(self.records[write.pk, write.sk])
            record |= _plain(write.set)
            for name in write.remove:
                record.pop(name, None)
            for name, number in write.add.items():
                record[name] = record.get(name, 0) + number
            self._put(write.pk, write.sk, record)

    def _put(self, pk: str, sk: str, record: Item) -> None:
        require("bytes of an item", item_bytes(_encoded(record)), ITEM_BYTES)
        self.records[pk, sk] = record
