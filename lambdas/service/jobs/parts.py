"""One file of the customer becomes one part of an ingestion: its columns in the service bucket."""

import csv
import zlib
from typing import BinaryIO

from engine import FileReport, UnusableFile, convert_csv
from service.jobs.access import CustomerData
from service.jobs.files import SourceFile
from service.jobs.ingestion import Ingestion

_HEADER_BYTES = 256 << 10


def convert(
    job: Ingestion, customer: CustomerData, source: SourceFile, index: int, columns: tuple[str, ...] | None
) -> tuple[list[str], FileReport]:
    """Stream a file into the part ``index`` of the job; returns its sensor columns and its report."""
    with (
        customer.open(job.bucket, source.key) as stream,
        job.vault.writing(job.keys.part(index, "parquet")) as sink,
    ):
        header = sensor_columns(stream, gzip=source.gzip)
        return header, convert_csv(stream, sink, columns=columns, gzip=source.gzip)


def sensor_columns(stream: BinaryIO, *, gzip: bool) -> list[str]:
    """The sensor names of the header line, without taking it from the stream."""
    start: bytes = stream.peek(_HEADER_BYTES)  # type: ignore[attr-defined] # open() gives a BufferedReader
    if gzip:
        try:
            start = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(start, _HEADER_BYTES)
        except zlib.error as error:
            raise UnusableFile(f"the file is not readable as gzip: {error}") from error
    line = start.decode("utf-8-sig", errors="replace").partition("\n")[0]
    return [name.strip() for name in next(csv.reader([line]), [])[1:]]
