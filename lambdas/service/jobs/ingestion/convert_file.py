"""One file of the customer becomes one part of an ingestion: its columns in the service bucket."""

from contextlib import AbstractContextManager
from typing import BinaryIO

from engine import FileReport
from service.jobs.capacity import Capacity
from service.jobs.csv_reading import BLOCK_BYTES
from service.jobs.ingestion.job import Ingestion
from service.jobs.ingestion.selection import SourceFile
from service.jobs.runtime import Runtime
from service.jobs.storage.csv_objects import read_csv_object
from service.jobs.storage.customer_bucket import CustomerBuckets
from service.jobs.storage.s3_streams import read_anywhere, write_in_parts
from service.storage.service_bucket import encryption

_BLOCK_SHARE = 1 / 256


def convert(
    job: Ingestion,
    customer: CustomerBuckets,
    source: SourceFile,
    index: int,
    columns: tuple[str, ...] | None,
    *,
    runtime: Runtime,
    day_first: bool | None = None,
) -> FileReport:
    """Stream a file into the part `index` of the job, and return its report.

    Args:
        job: the ingestion.
        customer: the buckets that hold the file.
        source: the file.
        index: the number of the part.
        columns: the sensors to take, None for all.
        runtime: the memory of this process, which decides how much is read at a time, and the settings.
        day_first: whether dates like `1/2/2026` begin with the day; None decides by the file.

    Raises:
        UnusableFile: when the file cannot be read.
        IllegalHeader: when its header has a name that no schema may have.
        JobFailed: when the bucket refuses.
    """
    with object_writer(job, job.keys.part_columns(index)) as sink:
        return read_csv_object(
            customer,
            job.bucket,
            source.key,
            sink,
            columns=columns,
            settings=runtime.settings,
            block_bytes=_block_bytes(runtime.capacity),
            day_first=day_first,
        )


def object_writer(job: Ingestion, key: str) -> AbstractContextManager[BinaryIO]:
    """Return an object of the job to write as a file, whatever its size."""
    bucket = job.service_bucket
    return write_in_parts(bucket.s3, bucket.name, key, encryption(bucket.kms_key))


def object_reader(job: Ingestion, key: str) -> BinaryIO:
    """Return an object of the job to read as a file, whatever its size."""
    return read_anywhere(job.service_bucket.s3, job.service_bucket.name, key)


def _block_bytes(capacity: Capacity) -> int:
    """Return the bytes of CSV to read at a time: a 256th of the memory, at most 8 MiB.

    While they are read, they take ten times that.
    """
    return min(BLOCK_BYTES, int(capacity.memory * _BLOCK_SHARE))
