"""One file of the customer becomes one part of an ingestion: its columns in the service bucket."""

from engine import FileReport, convert_csv
from service.jobs.access import CustomerData
from service.jobs.files import SourceFile
from service.jobs.ingestion import Ingestion


def convert(
    job: Ingestion, customer: CustomerData, source: SourceFile, index: int, columns: tuple[str, ...] | None
) -> FileReport:
    """Stream a file into the part ``index`` of the job; returns its report."""
    with (
        job.vault.writing(job.keys.part(index, "parquet")) as sink,
        customer.open(job.bucket, source.key) as stream,
    ):
        return convert_csv(stream, sink, columns=columns, gzip=source.gzip)
