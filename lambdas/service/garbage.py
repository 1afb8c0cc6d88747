"""What deleted resources leave behind in the bucket and the table.

The record of a resource and a note of what it leaves are exchanged in one transaction; the rest is removed
afterwards. What one request could not remove, the next deletion does.
"""

import logging
from collections.abc import Sequence

from botocore.exceptions import ClientError

from service.context import Context
from service.names import GARBAGE, new_uuid
from service.store import Create, NotFound

_log = logging.getLogger(__name__)


def record(context: Context, *, prefixes: Sequence[str] = (), partitions: Sequence[str] = ()) -> Create:
    """Return the write that notes bucket prefixes and table partitions for removal."""
    return Create(
        {
            "pk": GARBAGE,
            "sk": new_uuid(),
            "prefixes": list(prefixes),
            "partitions": list(partitions),
            "CreatedAt": context.timestamp(),
        }
    )


def collect(context: Context) -> None:
    """Remove everything noted. A failure is logged and left to the next deletion."""
    for note in context.store.all(GARBAGE):
        try:
            for prefix in note["prefixes"]:
                context.documents.delete_prefix(prefix)
            for partition in note["partitions"]:
                for item in context.store.all(partition):
                    _forget(context, partition, item["sk"])
        except (ClientError, OSError):
            _log.exception("could not remove %s yet", note["prefixes"])
        else:
            _forget(context, GARBAGE, note["sk"])


def _forget(context: Context, pk: str, sk: str) -> None:
    try:
        context.store.delete(pk, sk)
    except NotFound:
        _log.debug("another deletion removed %s %s first", pk, sk)
