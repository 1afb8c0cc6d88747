"""What deleted resources leave behind in the bucket, the table and the schedules, until it is removed.

One transaction deletes the record of a resource and records what is still to be removed. The removal follows;
what one request could not remove, the next deletion of any resource does.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress

from botocore.exceptions import BotoCoreError, ClientError

from service.context import Context
from service.names import PENDING_DELETION, new_uuid
from service.records import PendingDeletionRecord
from service.schedules import Schedules
from service.store import Create, NotFound

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
        schedules: uuids of inference schedulers.
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


def delete_pending(context: Context) -> None:
    """Remove everything that is still to be removed. A failure is logged and left to the next deletion."""
    for record in context.records.pending_deletions():
        try:
            _delete(context, record)
        except (BotoCoreError, ClientError, OSError):
            _log.exception("could not remove yet what the pending deletion %s lists", record["sk"])


def _delete(context: Context, pending: PendingDeletionRecord) -> None:
    for schedule in pending["schedules"]:
        Schedules.of(context).delete(schedule)
    for prefix in pending["prefixes"]:
        context.service_bucket.delete_prefix(prefix)
    for partition in pending["partitions"]:
        for item in context.store.all(partition):
            _delete_record(context, partition, item["sk"])
    _delete_record(context, PENDING_DELETION, pending["sk"])


def _delete_record(context: Context, pk: str, sk: str) -> None:
    with suppress(NotFound):  # another deletion removed it first
        context.store.delete(pk, sk)
