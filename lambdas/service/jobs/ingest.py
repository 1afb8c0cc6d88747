"""Ingestion: files below a prefix become columns of a dataset (service-behaviour 7).

The state machine calls ``plan`` (which files), ``read`` for each file in parallel, and ``finish`` (merge,
report, publish), or ``fail`` when a step failed. Every step may run again: it then finds its own work done.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from engine import IllegalHeader, UnusableFile
from service.jobs.failure import JobFailed, some
from service.jobs.ingestion.finish import fail, finish
from service.jobs.ingestion.job import Ingestion
from service.jobs.ingestion.read import convert
from service.jobs.ingestion.selection import (
    FileLimits,
    KeyPattern,
    Selection,
    SourceFile,
    check_limits,
    select,
)
from service.jobs.runtime import Runtime, current_runtime, log
from service.jobs.storage.customer_bucket import CustomerData

_NEAR = 5


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda passes it
    """Run one step of an ingestion job; see the module."""
    return run(current_runtime(), event)


def run(runtime: Runtime, event: Mapping[str, Any]) -> dict[str, Any]:
    """Run one step of an ingestion job; raises JobFailed when the customer has to act."""
    step, job_id = event["Step"], event["JobId"]
    if step == "fail":
        return fail(runtime, job_id, event["Error"])
    job = Ingestion.load(runtime, job_id)
    if step == "plan":
        return plan(runtime, job)
    if step == "read":
        return read(runtime, job, event["Item"])
    return finish(runtime, job)


def plan(runtime: Runtime, job: Ingestion) -> dict[str, Any]:
    """Find the files of every component, write the manifest of the Distributed Map and say where it is."""
    customer = job.customer(runtime)
    pattern = KeyPattern.parse(job.key_pattern)
    known = None if job.columns is None else job.columns.keys()
    selection = select(
        customer.objects(job.bucket, job.prefix), prefix=job.prefix, pattern=pattern, known=known
    )
    if not selection.files:
        raise JobFailed(_nothing_found(job, customer, pattern, selection))
    limits = runtime.settings
    check_limits(
        selection.files,
        FileLimits(
            files_per_component=limits.files_per_component,
            file_bytes=limits.file_bytes,
            dataset_bytes=limits.dataset_bytes,
            components=limits.components_per_dataset,
        ),
    )
    job.vault.put_json(
        job.keys.plan,
        {"Total": selection.total, "Discarded": [asdict(file) for file in selection.discarded]},
    )
    job.vault.put_json(
        job.keys.manifest,
        [
            {"Index": index, "Key": file.key, "Size": file.size, "Component": file.component}
            for index, file in enumerate(selection.files)
        ],
    )
    log("ingestion planned", JobId=job.id, Files=len(selection.files), Discarded=len(selection.discarded))
    return {
        "JobId": job.id,
        "Manifest": {"Bucket": job.vault.bucket, "Key": job.keys.manifest},
        "Items": len(selection.files),
    }


def read(runtime: Runtime, job: Ingestion, item: Mapping[str, Any]) -> dict[str, Any]:
    """Turn one file into columns. A file that cannot be used is reported, and so is one that fails the job.

    The report, not an exception, carries the failure to ``finish``: a Distributed Map would replace its text
    by "tolerated failure threshold exceeded".
    """
    key = job.keys.part(item["Index"], "json")
    if job.vault.get(key) is None:
        job.vault.put_json(key, _converted(runtime, job, item))
    return {"Index": item["Index"]}


def _converted(runtime: Runtime, job: Ingestion, item: Mapping[str, Any]) -> dict[str, Any]:
    source = SourceFile(key=item["Key"], size=item["Size"], component=item["Component"])
    columns = None if job.columns is None else job.columns[source.component]
    try:
        report = convert(
            job, job.customer(runtime), source, item["Index"], columns, capacity=runtime.capacity
        )
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


def _nothing_found(job: Ingestion, customer: CustomerData, pattern: KeyPattern, selection: Selection) -> str:
    location = f"s3://{job.bucket}/{job.prefix}"
    wanted = (
        f"no file to ingest below '{location}': looked for '{pattern.located(job.bucket, job.prefix)}.csv'"
    )
    if job.columns is not None:
        wanted += f" with <component> one of {some(job.columns)}"
    if selection.discarded:
        found = "; ".join(f"'{file.key}': {file.reason}" for file in selection.discarded[:_NEAR])
        wanted += f", but found {selection.total} unusable: {found}"
        return f"{wanted}; rename the files or choose another KeyPattern"
    above = job.prefix.rstrip("/").rpartition("/")[0]
    try:
        near = [item.key for item in customer.objects(job.bucket, f"{above}/" if above else "", limit=50)]
    except JobFailed:  # the role may list only below the prefix; the hint is all that is lost
        near = []
    hint = f"; found near it: {some(near)}" if near else f"; bucket '{job.bucket}' has no objects near it"
    return f"{wanted}, but the prefix is empty{hint}; upload the files there or correct Bucket and Prefix"
