"""What deleted resources leave behind in the bucket, the table and the schedules.

The record of a resource and a note of what it leaves are exchanged in one transaction; the rest is removed
afterwards. What one request could not remove, the next deletion does.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress

from botocore.exceptions import BotoCoreError, ClientError

from service.context import Context
from service.names import PENDING_DELETION, new_uuid
from service.schedules import Schedules
from service.store import Create, Item, NotFound

_log = logging.getLogger(__name__)


def note(
    context: Context,
    *,
    prefixes: Sequence[str] = (),
    partitions: Sequence[str] = (),
    schedules: Sequence[str] = (),
) -> Create:
    """Return the write that notes bucket prefixes, table partitions and schedules for removal."""
    return Create(
        {
            "pk": PENDING_DELETION,
            "sk": new_uuid(),
            "prefixes": list(prefixes),
            "partitions": list(partitions),
            "schedules": list(schedules),
            "CreatedAt": context.timestamp(),
        }
    )


def collect(context: Context) -> None:
    """Remove everything noted. A failure is logged and left to the next deletion."""
    for noted in context.store.all(PENDING_DELETION):
        try:
            _remove(context, noted)
        except (BotoCoreError, ClientError, OSError):
            _log.exception("could not remove what note %s lists yet", noted["sk"])


def _remove(context: Context, noted: Item) -> None:
    for schedule in noted["schedules"]:
        Schedules.of(context).delete(schedule)
    for prefix in noted["prefixes"]:
        context.service_bucket.delete_prefix(prefix)
    for partition in noted["partitions"]:
        for item in context.store.all(partition):
            _forget(context, partition, item["sk"])
    _forget(context, PENDING_DELETION, noted["sk"])


def _forget(context: Context, pk: str, sk: str) -> None:
    with suppress(NotFound):  # another deletion removed it first
        context.store.delete(pk, sk)
