"""The `read` step of an ingestion: one file becomes columns, or a reason why not."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from engine import IllegalHeader, UnusableFile
from service.jobs.failure import JobFailed, some
from service.jobs.ingestion.convert_file import convert
from service.jobs.ingestion.job import Ingestion
from service.jobs.ingestion.selection import SourceFile
from service.jobs.runtime import Runtime, log


def read(runtime: Runtime, job: Ingestion, item: Mapping[str, Any]) -> dict[str, Any]:
    """Turn one file into columns. A file that cannot be used is reported, and so is one that fails the job.

    The report, not an exception, carries the failure to `finish`: a Distributed Map would replace its text by
    "tolerated failure threshold exceeded".
    """
    key = job.keys.part_report(item["Index"])
    if job.service_bucket.find(key) is None:
        job.service_bucket.put_json(key, _convert_and_report(runtime, job, item))
    return {"Index": item["Index"]}


def _convert_and_report(runtime: Runtime, job: Ingestion, item: Mapping[str, Any]) -> dict[str, Any]:
    """Return `Report` of a converted file, or the reason under `Discarded` or, for the job, `Failed`."""
    source = SourceFile(key=item["Key"], size=item["Size"], component=item["Component"])
    columns = None if job.columns is None else job.columns[source.component]
    try:
        report = convert(job, job.customer_buckets(runtime), source, item["Index"], columns, runtime=runtime)
    except IllegalHeader as error:
        return {
            "Failed": f"file 's3://{job.bucket}/{source.key}': {error}; correct the header and ingest again"
        }
    except (UnusableFile, JobFailed) as error:
        reason = error.reason if isinstance(error, JobFailed) else str(error)
        log("file discarded", JobId=job.id, Key=source.key, Reason=reason)
        return {"Discarded": reason}
    sensors = report.header[1:]
    if columns is not None and not set(sensors) & set(columns):
        return {
            "Failed": f"file 's3://{job.bucket}/{source.key}' has none of the columns of the schema for "
            f"component '{source.component}': the schema has {some(columns)}, the file {some(sensors)}; "
            "names must match the header exactly, case included: correct the header, or create the dataset "
            "with these columns"
        }
    return {"Report": asdict(report)}
