"""The end of an import in the records of a model version and its model, and the reason of a bad one."""

import logging
from collections.abc import Mapping
from typing import Any

from service.clock import timestamp
from service.members.active_version import activated
from service.reconciliation.failed_reason import Error, WaysOut, exhaustion_reason, reason_of
from service.storage.names import MODEL, versions_of
from service.storage.retry_on_change import retry_on_change
from service.storage.store import NotFound, StateChanged, Store, Update

_INGEST = "Ingest the files and train here instead, or import a dataset of fewer columns"
_WAYS_OUT = WaysOut(time=_INGEST, memory=_INGEST)
_log = logging.getLogger(__name__)

Version = Mapping[str, Any]
"""The record of a model version."""


def import_reason(work: str, error: Error, *, execution: str, memory_mib: int | None) -> str:
    """Return the `FailedReason` of an import whose execution failed.

    Args:
        work: the import, as messages name it.
        error: `Error` and `Cause` of the execution.
        execution: name of the execution.
        memory_mib: memory of the function; None if it is not known.
    """
    exhausted = exhaustion_reason(error, work=work, ways_out=_WAYS_OUT, memory_mib=memory_mib)
    return exhausted or reason_of(error, work=work, execution=execution)


def record_imported_version(
    store: Store,
    version: Version,
    *,
    members: Mapping[str, Any],
    size: int,
    accumulated: Mapping[str, Any],
) -> None:
    """End an import that succeeded. The version becomes the active one of a model that has none.

    Args:
        store: the records.
        version: the record of the version, being imported.
        members: what it has of its documents.
        size: bytes that were copied.
        accumulated: what its model says of the rows that came along; nothing when none did.
    """
    now = timestamp(store.clock())
    ended = {**members, "Status": "SUCCESS", "ImportJobEndTime": now, "LastUpdatedTime": now}

    def attempt() -> None:
        model = store.get(MODEL, version["ModelName"])
        if model is None or model["uuid"] != version["uuid"]:
            _log.info("model '%s' was deleted while it was imported", version["ModelName"])
            return
        shown, hidden = dict(accumulated), ["importing"]
        if "ActiveModelVersion" not in model:
            active, outdated = activated(model, {**version, **ended}, now=now)
            shown |= active
            hidden += [*outdated, "FailedReason"]
        expected = {"uuid": model["uuid"], "ActiveModelVersion": model.get("ActiveModelVersion")}
        _end(
            store,
            version,
            {**ended, "ImportedDataSizeInBytes": size},
            Update(MODEL, model["ModelName"], {"LastUpdatedTime": now, **shown}, hidden, expected),
        )

    retry_on_change(attempt)


def record_failed_version_import(store: Store, version: Version, reason: str) -> None:
    """End an import with its reason. A model that has no other version has failed with it."""
    now = timestamp(store.clock())
    ended = {"Status": "FAILED", "FailedReason": reason, "ImportJobEndTime": now, "LastUpdatedTime": now}

    def attempt() -> None:
        model = store.get(MODEL, version["ModelName"])
        if model is None or model["uuid"] != version["uuid"]:
            return
        status = model["Status"]
        shown = ended if status == "IMPORT_IN_PROGRESS" else {"LastUpdatedTime": now}
        expected = {"uuid": model["uuid"], "Status": status}
        _end(store, version, ended, Update(MODEL, model["ModelName"], shown, ["importing"], expected))

    retry_on_change(attempt)


def _end(store: Store, version: Version, members: Mapping[str, Any], model: Update) -> None:
    """Write the end of a version together with its model. A version that has ended stays as it is."""
    pk, sk = versions_of(version["uuid"]), version["sk"]
    try:
        store.transact(Update(pk, sk, members, expect={"Status": "IMPORT_IN_PROGRESS"}), model)
    except (NotFound, StateChanged) as changed:
        if changed.pk != pk:
            raise
        _log.info("version %d of model '%s' has ended already", version["ModelVersion"], version["ModelName"])
