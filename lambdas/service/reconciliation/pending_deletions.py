"""What deleted resources leave behind in the bucket, the table and the schedules, until it is removed.

One transaction deletes the record of a resource and records what is still to be removed. The removal follows;
what one request could not remove, the next deletion of any resource does, or the hourly reconciliation. After
`LINGER` it is removed once more, because a function may still have been at work for the deleted resource.

A resource is created the other way round: its documents are to be removed until its record exists. So neither
a lost race nor a function that ends in between leaves documents without a record.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from typing import cast

from botocore.exceptions import BotoCoreError, ClientError

from service.context import Context
from service.errors import ConflictError
from service.schedulers.schedules import Schedules
from service.storage.names import PENDING_DELETION, new_uuid
from service.storage.records import PendingDeletionRecord
from service.storage.store import Create, Delete, NotFound

LINGER = Decimal(3600)
"""Seconds: longer than any function runs."""

_log = logging.getLogger(__name__)


def pending_deletion(
    context: Context,
    *,
    prefixes: Sequence[str] = (),
    partitions: Sequence[str] = (),
    schedules: Sequence[str] = (),
) -> Create:
    """Return the write that records what is to be removed.

    Args:
        context: the context of the service.
        prefixes: prefixes of objects in the service bucket.
        partitions: partitions of the table.
        schedules: uuids of inference schedulers and of retraining schedulers.
    """
    record: PendingDeletionRecord = {
        "pk": PENDING_DELETION,
        "sk": new_uuid(),
        "prefixes": list(prefixes),
        "partitions": list(partitions),
        "schedules": list(schedules),
        "CreatedAt": context.timestamp(),
    }
    return Create(record)


def reserve(context: Context, prefix: str) -> Delete:
    """Record that documents are to be removed unless the record they belong to is created.

    Args:
        context: the context of the service.
        prefix: prefix of the documents in the service bucket.

    Returns:
        The write that keeps them. It belongs into the transaction that creates their record.
    """
    reservation = {**pending_deletion(context, prefixes=[prefix]).item, "reserved": True}
    context.store.create(reservation)
    return Delete(PENDING_DELETION, reservation["sk"])


def release(context: Context, reservation: Delete) -> None:
    """Remove documents whose record was not created. What cannot be removed now is removed later."""
    record = context.store.get(reservation.pk, reservation.sk)
    if record is not None:
        _delete_quietly(context, cast("PendingDeletionRecord", record), forget=True)


def delete_pending(context: Context) -> None:
    """Remove everything that is still to be removed. A failure is logged and left to the next call."""
    for record in list(context.records.pending_deletions()):
        lingered = context.timestamp() - record["CreatedAt"] >= LINGER
        if lingered or not ("reserved" in record or "removedAt" in record):
            _delete_quietly(context, record, forget=lingered)


def _delete_quietly(context: Context, record: PendingDeletionRecord, *, forget: bool) -> None:
    try:
        _delete(context, record)
        if forget:
            _delete_record(context, PENDING_DELETION, record["sk"])
        else:
            _note(context, record)
    except (BotoCoreError, ClientError, ConflictError, OSError):
        _log.exception("could not remove yet what the pending deletion %s lists", record["sk"])


def _delete(context: Context, pending: PendingDeletionRecord) -> None:
    for schedule in pending["schedules"]:
        Schedules.of(context).delete(schedule)
    for prefix in pending["prefixes"]:
        context.service_bucket.delete_prefix(prefix)
    for partition in pending["partitions"]:
        context.store.clear(partition)


def _note(context: Context, pending: PendingDeletionRecord) -> None:
    with suppress(NotFound):  # another deletion removed it first
        context.store.update(PENDING_DELETION, pending["sk"], {"removedAt": context.timestamp()})


def _delete_record(context: Context, pk: str, sk: str) -> None:
    with suppress(NotFound):
        context.store.delete(pk, sk)
