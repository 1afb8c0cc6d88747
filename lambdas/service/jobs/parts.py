"""One file of the customer becomes one part of an ingestion: its columns in the service bucket."""

import csv
import zlib
from io import BufferedReader
from typing import Any

from engine import FileReport, UnusableFile, convert_csv
from service.jobs.access import CustomerData
from service.jobs.files import SourceFile
from service.jobs.ingestion import Ingestion

_HEADER_BYTES = 1 << 20


def convert(
    job: Ingestion, customer: CustomerData, source: SourceFile, index: int, columns: tuple[str, ...] | None
) -> tuple[list[str], FileReport]:
    """Stream a file into the part ``index`` of the job; returns the names in its header and its report."""
    with (
        job.vault.writing(job.keys.part(index, "parquet")) as sink,
        customer.open(job.bucket, source.key) as stream,
    ):
        header = read_header(stream, gzip=source.gzip)
        return header, convert_csv(stream, sink, columns=columns, gzip=source.gzip)


def read_header(stream: "BufferedReader[Any]", *, gzip: bool) -> list[str]:
    """The names in the header line, that of the timestamps first, without taking the line from the stream."""
    start = stream.peek(_HEADER_BYTES)
    if gzip:
        try:
            start = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(start, _HEADER_BYTES)
        except zlib.error as error:
            raise UnusableFile(f"the file is not readable as gzip: {error}") from error
    line = start.partition(b"\n")[0].decode("utf-8-sig", errors="replace")
    return [name.strip() for name in next(csv.reader([line]), [])]
