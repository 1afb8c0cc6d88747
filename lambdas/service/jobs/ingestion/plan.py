"""The `plan` step of an ingestion: which files to read, as the manifest of a Distributed Map."""

from dataclasses import asdict
from typing import Any

from service.jobs.failure import JobFailed, some
from service.jobs.ingestion.job import Ingestion
from service.jobs.ingestion.selection import FileLimits, Selection, check_limits, read_key_pattern, select
from service.jobs.runtime import Runtime, log
from service.jobs.storage.customer_bucket import CustomerBuckets
from service.members.key_pattern import KeyPattern
from service.members.locations import prefix_mistake
from service.settings import Settings

_SHOWN = 5
_NEAR_LISTED = 50


def plan(runtime: Runtime, job: Ingestion) -> dict[str, Any]:
    """Find the files of every component, write the manifest of the Distributed Map and say where it is.

    Raises:
        JobFailed: when there is no file to ingest, or more than the limits allow.
    """
    customer = job.customer_buckets(runtime)
    pattern = read_key_pattern(job.key_pattern)
    known = None if job.columns is None else job.columns.keys()
    selection = select(
        customer.objects(job.bucket, job.prefix), prefix=job.prefix, pattern=pattern, known=known
    )
    if not selection.files:
        raise JobFailed(_nothing_found(job, customer, pattern, selection))
    check_limits(selection.files, _limits(runtime.settings))
    job.service_bucket.put_json(
        job.keys.plan,
        {"Total": selection.total, "Discarded": [asdict(file) for file in selection.discarded]},
    )
    job.service_bucket.put_json(
        job.keys.manifest,
        [
            {"Index": index, "Key": file.key, "Size": file.size, "Component": file.component}
            for index, file in enumerate(selection.files)
        ],
    )
    log("ingestion planned", JobId=job.id, Files=len(selection.files), Discarded=len(selection.discarded))
    return {
        "JobId": job.id,
        "Manifest": {"Bucket": job.service_bucket.name, "Key": job.keys.manifest},
        "Items": len(selection.files),
    }


def _limits(settings: Settings) -> FileLimits:
    return FileLimits(
        files_per_component=settings.files_per_component,
        file_bytes=settings.file_bytes,
        dataset_bytes=settings.dataset_bytes,
        components=settings.components_per_dataset,
    )


def _nothing_found(
    job: Ingestion, customer: CustomerBuckets, pattern: KeyPattern, selection: Selection
) -> str:
    """Return the reason of a job without files: what was looked for, and what is there instead."""
    location = f"s3://{job.bucket}/{job.prefix}"
    wanted = (
        f"no file to ingest below '{location}': looked for '{pattern.located(job.bucket, job.prefix)}.csv'"
    )
    if job.columns is not None:
        wanted += f" with <component> one of {some(job.columns)}"
    if selection.discarded:
        found = "; ".join(f"'{file.key}': {file.reason}" for file in selection.discarded[:_SHOWN])
        wanted += f", but found {selection.total} unusable: {found}"
        fix = _component_in_prefix(job, pattern, selection) or "rename the files or choose another KeyPattern"
        return f"{wanted}; {fix}"
    mistake = prefix_mistake(job.prefix, bucket=job.bucket)
    fix = "upload the files there or correct Bucket and Prefix" if mistake is None else f"Prefix: {mistake}"
    return f"{wanted}, but the prefix is empty{_hint(job, customer)}; {fix}"


def _component_in_prefix(job: Ingestion, pattern: KeyPattern, selection: Selection) -> str | None:
    """Return the fix for a prefix that ends with the folder of a component, None for another."""
    above, _, folder = job.prefix.rstrip("/").rpartition("/")
    if job.columns is None:
        ends_so = any("/" not in file.key.removeprefix(job.prefix) for file in selection.discarded)
    else:
        ends_so = folder in job.columns
    if pattern.delimiter != "/" or not folder or not ends_so:
        return None
    instead = f"give '{above}/' as Prefix" if above else "leave out Prefix"
    return (
        f"Prefix '{job.prefix}' seems to be the folder of a component, but each component needs a folder of "
        f"its own below the prefix: if '{folder}' is the component, {instead}"
    )


def _hint(job: Ingestion, customer: CustomerBuckets) -> str:
    """Return what lies near an empty prefix."""
    above = job.prefix.rstrip("/").rpartition("/")[0]
    prefix = f"{above}/" if above else ""
    try:
        near = [item.key for item in customer.objects(job.bucket, prefix, limit=_NEAR_LISTED)]
    except JobFailed:  # the role may list only below the prefix; the hint is all that is lost
        near = []
    return f"; found near it: {some(near)}" if near else f"; bucket '{job.bucket}' has no objects near it"
