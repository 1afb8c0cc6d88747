"""Read one file of the customer: ingestion and inference do it by the one reader of the engine."""

from typing import BinaryIO

from engine import FileReport
from service.jobs.csv_reading import BLOCK_BYTES, read_csv
from service.jobs.storage.customer_bucket import CustomerBuckets
from service.settings import Settings


def read_csv_object(
    customer: CustomerBuckets,
    bucket: str,
    key: str,
    sink: BinaryIO,
    *,
    columns: tuple[str, ...] | None,
    settings: Settings,
    block_bytes: int = BLOCK_BYTES,
    day_first: bool | None = None,
) -> FileReport:
    """Write the columns of a file to `sink`, and return what was read, counted and put right.

    Args:
        customer: the buckets of the customer.
        bucket: the bucket that holds the file.
        key: the key of the file; one that ends in `.gz` is compressed.
        sink: receives the columns as Parquet.
        columns: the sensors to take; None for all, of which a schema is made.
        settings: the quota of columns, and how much of a file may need to be put right.
        block_bytes: bytes of CSV to read at a time; while they are read, they take ten times that.
        day_first: whether dates like `1/2/2026` begin with the day; None decides by the file.

    Raises:
        UnusableFile: when the file cannot be read, or too much of it had to be put right.
        IllegalHeader: when its header has a name that no schema may have.
        JobFailed: when the bucket refuses.
    """
    return read_csv(
        lambda: customer.open(bucket, key),
        sink,
        columns=columns,
        gzip=key.lower().endswith(".gz"),
        settings=settings,
        block_bytes=block_bytes,
        day_first=day_first,
    )
