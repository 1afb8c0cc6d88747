"""Documents of resources in the service bucket, which a deletion may remove while they are read."""

from botocore.exceptions import ClientError

from service.context import Context
from service.storage.store import NotFound


def read_document(context: Context, key: str, *, kind: str, name: str, uuid: str) -> str:
    """Return a document of a dataset or a model.

    Args:
        context: the context of the service.
        key: where it lies in the service bucket.
        kind: partition of the resource.
        name: name of the resource.
        uuid: its uuid.

    Raises:
        NotFound: when the resource was deleted since its record was read.
    """
    try:
        return context.service_bucket.get_text(key)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        owner = context.store.get(kind, name)
        if owner is not None and owner["uuid"] == uuid:
            raise
        raise NotFound(kind, name, owner) from error
