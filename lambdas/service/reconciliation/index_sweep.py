"""The hourly sweep over all records, which brings those without entries into the indexes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from service.clock import moment
from service.context import Context
from service.storage.indexes import JOB_STATUSES, entries, swept
from service.storage.names import DATASET, INGESTION_JOB, MODEL, first_job_id, under_way, versions_of
from service.storage.records import IndexStateRecord, IngestionJobRecord
from service.storage.retry_on_change import retry_on_change
from service.storage.store import Put, Remove, Update

_CLOCKS = Decimal(600)
"""Seconds by which the clocks of two functions differ at most, with room to spare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSweep:
    """One sweep. What goes wrong is raised, and then the next sweep counts as the first."""

    context: Context
    before: IndexStateRecord | None
    began: Decimal

    @classmethod
    def begin(cls, context: Context) -> Self:
        """Begin a sweep. Each record that is read after this is to be given to `index`."""
        return cls(context=context, before=context.records.index_state(), began=context.timestamp())

    def index(self, record: Mapping[str, Any]) -> None:
        """Write the entries of a record that has none, or of the one that has taken its place meanwhile."""
        if "indexed" in record or not entries(record):
            return

        def attempt() -> None:
            found = self.context.store.get(record["pk"], record["sk"])
            if found is None or "indexed" in found:
                return
            same = {"uuid": found["uuid"]} if "uuid" in found else {}  # jobs have an id of their own
            self.context.store.transact(
                Update(found["pk"], found["sk"], {"indexed": True}, expect=same),
                *map(Put, entries(found)),
            )

        retry_on_change(attempt)

    def end(self) -> None:
        """Go over the ingestion jobs, forget what is not under way any more, and say that all was seen."""
        for job in self._jobs():
            self.index(job)
        self._forget(DATASET)
        self._forget(MODEL)
        self.context.store.transact(Put(swept(self.before, self.began)))

    def _jobs(self) -> Iterator[IngestionJobRecord]:
        """Yield the jobs that the sweep before this one cannot have seen, all if there was none."""
        since = Decimal(0) if self.before is None else self.before["latest"] - _CLOCKS
        return self.context.records.ingestion_jobs_since(first_job_id(moment(since)))

    def _forget(self, kind: str) -> None:
        """Remove entries of jobs that have ended. They never begin again."""
        store = self.context.store
        for entry in list(store.all(under_way(kind))):
            _, *owner, job = entry["sk"].split("/")
            record = store.get(versions_of(owner[0]) if owner else INGESTION_JOB, job)
            if record is None or record["Status"] not in JOB_STATUSES:
                store.transact(Remove(entry["pk"], entry["sk"]))
