"""The source of an import as its job sees it, and what can be wrong with it."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError

from service.errors import ApiError
from service.jobs.failure import JobFailed
from service.jobs.runtime import Runtime
from service.sharing.import_source import ImportSource, source_of
from service.sharing.shared import Owner
from service.storage.names import ArnBuilder
from service.storage.typed_store import TypedStore

_GONE = frozenset({"404", "NoSuchKey"})
_CLOSED = ("AccessDenied", "KMS", "Kms")
"""Beginnings of the codes of S3 for a key that may not be used."""


@contextmanager
def source_for(runtime: Runtime, arn: str, *, into: str) -> Iterator[ImportSource]:
    """Yield the service that shares a dataset or a model version; what it refuses fails the job.

    Args:
        runtime: the service that imports.
        arn: ARN of the dataset or model version.
        into: ARN of what it is imported into.

    Raises:
        JobFailed: when it is not shared any more, its objects are gone, or a KMS key cannot be used.
    """
    home = ArnBuilder.beside(into)
    here = Owner(
        records=TypedStore(runtime.store),
        service_bucket=runtime.service_bucket,
        account=home.account,
        region=home.region,
    )
    try:
        yield source_of(arn, here, runtime.import_sources)
    except ApiError as error:
        raise JobFailed(str(error)) from error
    except ClientError as error:
        code, text = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        if code in _GONE:
            raise JobFailed(
                f"'{arn}' was deleted, or got other data, while it was imported: import it again"
            ) from error
        if code.startswith(_CLOSED):
            raise JobFailed(
                f"'{arn}' cannot be copied ({code}: {text}): are the KMS keys of source and target enabled, "
                "and do their policies allow the roles of the service?"
            ) from error
        raise
