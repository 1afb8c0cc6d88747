"""One file of the customer becomes one part of an ingestion: its columns in the service bucket."""

from contextlib import AbstractContextManager
from typing import BinaryIO

from engine import FileReport, convert_csv
from service.jobs.capacity import MIB, Capacity
from service.jobs.ingestion.job import Ingestion
from service.jobs.ingestion.selection import SourceFile
from service.jobs.storage.customer_bucket import CustomerData, encryption
from service.jobs.storage.s3_streams import stored, uploading

_BLOCK_SHARE, _BLOCK_MOST = 1 / 256, 8 * MIB
_MERGE_SHARE, _MERGE_MOST = 1 / 6, 1024 * MIB


def block_bytes(capacity: Capacity) -> int:
    """Bytes of CSV to read at a time, which take ten times that: a 256th of the memory, at most 8 MiB."""
    return min(_BLOCK_MOST, int(capacity.memory * _BLOCK_SHARE))


def merge_bytes(capacity: Capacity) -> int:
    """Bytes of rows to merge at a time: a sixth of the memory, at most 1 GiB."""
    return min(_MERGE_MOST, int(capacity.memory * _MERGE_SHARE))


def convert(
    job: Ingestion,
    customer: CustomerData,
    source: SourceFile,
    index: int,
    columns: tuple[str, ...] | None,
    *,
    capacity: Capacity,
) -> FileReport:
    """Stream a file into the part ``index`` of the job; returns its report."""
    with (
        written(job, job.keys.part(index, "parquet")) as sink,
        customer.open(job.bucket, source.key) as stream,
    ):
        return convert_csv(stream, sink, columns=columns, gzip=source.gzip, block_bytes=block_bytes(capacity))


def written(job: Ingestion, key: str) -> AbstractContextManager[BinaryIO]:
    """An object of the job to write as a file, whatever its size."""
    vault = job.vault
    return uploading(vault.s3, vault.bucket, key, encryption(vault.kms_key))


def opened(job: Ingestion, key: str) -> BinaryIO:
    """An object of the job to read as a file, whatever its size."""
    return stored(job.vault.s3, job.vault.bucket, key)
