"""Indexes: the records of a kind that belong to another one, or that a job works on.

An entry is a key and nothing else. It is written in the transaction that creates the record, and says where
to look; the record decides whether it is what is looked for. So an entry too many does no harm, and a change
of a record changes no entry.

Records of earlier releases, and of one that was rolled back to, have no entries. The hourly sweep adds them,
and until it has gone over all records twice, everything is read as those releases did.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from service.storage.names import (
    DATASET,
    INDEX_STATE,
    INGESTION_JOB,
    MODEL,
    SCHEDULER,
    jobs_of_dataset,
    models_of_dataset,
    schedulers_of_model,
    under_way,
    under_way_key,
    versions_of,
)
from service.storage.records import IndexEntryRecord, IndexStateRecord
from service.storage.store import Create, Delete, Put, Remove, Write

Record = Mapping[str, Any]

JOB_STATUSES = frozenset({"IN_PROGRESS", "IMPORT_IN_PROGRESS"})
"""The statuses of jobs and model versions that something works on."""

SETTLED = Decimal(1800)
"""Seconds between two sweeps of which the second finds all that functions of an earlier release have written:
more than the update of a stack leaves them."""

_GAP = Decimal(2 * 3600)
"""Seconds after which a sweep is missing. An earlier release that was rolled back to sweeps nothing."""


def entries(record: Record) -> list[IndexEntryRecord]:
    """Return the entries of a record in the indexes."""
    kind, sk = record["pk"], record["sk"]
    if kind == INGESTION_JOB:
        found = [_entry(jobs_of_dataset(record["datasetUuid"]), sk)]
        if record["Status"] in JOB_STATUSES:
            found.append(_entry(under_way(DATASET), under_way_key(record["DatasetName"], sk)))
        return found
    if kind == MODEL:
        return [_entry(models_of_dataset(record["datasetUuid"]), sk)]
    if kind == SCHEDULER:
        return [_entry(schedulers_of_model(record["ModelName"]), sk)]
    if kind.startswith(versions_of("")) and record["Status"] in JOB_STATUSES:
        return [_entry(under_way(MODEL), under_way_key(record["ModelName"], record["uuid"], sk))]
    return []


def creation(record: Record) -> list[Write]:
    """Return the writes that create a record with its entries."""
    found = entries(record)
    return [Create({**record, "indexed": True} if found else record), *map(Put, found)]


def deletion(record: Record, expect: Mapping[str, Any] | None = None) -> list[Write]:
    """Return the writes that remove a record, which must have the expected values, and its entries."""
    found = (Remove(entry["pk"], entry["sk"]) for entry in entries(record))
    return [Delete(record["pk"], record["sk"], expect), *found]


def is_trusted(state: IndexStateRecord | None) -> bool:
    """Return whether the indexes have every record; `state` is None when it has expired."""
    return state is not None and state["latest"] - state["since"] >= SETTLED


def swept(state: IndexStateRecord | None, began: Decimal) -> IndexStateRecord:
    """Return the state after a sweep that began at a time; `state` is None when it is the first one."""
    return {
        "pk": INDEX_STATE,
        "sk": INDEX_STATE,
        "since": began if state is None else state["since"],
        "latest": began,
        "ExpiresAt": int(began + _GAP),
    }


def _entry(pk: str, sk: str) -> IndexEntryRecord:
    return {"pk": pk, "sk": sk}
