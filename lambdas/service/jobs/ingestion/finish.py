"""The `finish` step of an ingestion: merge the files of each component, report what was found, publish."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.jobs.columns import Columns, detected_schema
from service.jobs.ingestion.data_quality import quality_summary, sensor_statistics
from service.jobs.ingestion.findings import MergedComponent, findings, require_values
from service.jobs.ingestion.job import Ingestion
from service.jobs.ingestion.merge_parts import component_columns, merge_parts
from service.jobs.ingestion.parts import ReadFiles, gather_parts
from service.jobs.ingestion.second_reading import is_day_first
from service.jobs.runtime import Runtime, log
from service.jobs.times import epoch
from service.storage.names import DATASET, INGESTION_JOB, document_key
from service.storage.store import Update

_DISCARDED_BYTES = 100_000
"""Bytes of keys of discarded files in a record, which may hold 400 KB in all; the counts stay exact."""
_LOGGED = 50
"""Repairs of a component in one line of the log, which may hold 256 KB; the document has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _MergedData:
    """What the dataset holds: its extent (epoch seconds), and the rows of its longest component."""

    quality: dict[str, Any]
    start: float
    end: float
    rows: int


def finish(runtime: Runtime, job: Ingestion) -> dict[str, Any]:
    """Merge, report and publish. A job that has ended already is left alone.

    Raises:
        JobFailed: when the files have no usable data or not the columns of the schema.
    """
    if job.record["Status"] != "IN_PROGRESS":
        return {"JobId": job.id, "Status": job.record["Status"]}
    files = gather_parts(job)
    columns = component_columns(job, files.parts)
    schema = None if job.columns is not None else _detected_schema(runtime, files, columns)
    merged = _merge_and_report(runtime, job, files, columns)
    schema_key = None if schema is None else _put_schema(job, schema)
    _publish(runtime, job, files, merged, schema_key)
    return {"JobId": job.id, "Status": "SUCCESS"}


def _merge_and_report(runtime: Runtime, job: Ingestion, files: ReadFiles, columns: Columns) -> _MergedData:
    """Write the columns of every component, the statistics of their sensors, and what was put right."""
    components: dict[str, MergedComponent] = {}
    day_first = is_day_first(part.report for part in files.parts)
    for component, names in columns.items():
        parts = [part for part in files.parts if part.source.component == component]
        components[component] = merge_parts(runtime, job, component, names, parts, day_first=day_first)
        require_values(component, components[component])
    reports = {name: merged.report for name, merged in components.items()}
    start = min(epoch(report.start) for report in reports.values() if report.start)
    end = max(epoch(report.end) for report in reports.values() if report.end)
    job.service_bucket.put_json(job.keys.report, sensor_statistics(reports, start=start, end=end))
    found = findings(components, files.discarded, now=runtime.clock())
    job.service_bucket.put_json(job.keys.findings, found)
    _log_findings(job, found)
    rows = max(report.rows for report in reports.values())
    return _MergedData(quality=quality_summary(reports), start=start, end=end, rows=rows)


def _log_findings(job: Ingestion, found: Mapping[str, Any]) -> None:
    """Write a line to the log for each component in whose files something was put right."""
    for component in found["Components"]:
        texts = [repair["text"] for repair in component["Repairs"]] + component["Notes"]
        if texts:
            told, more = texts[:_LOGGED], max(0, len(texts) - _LOGGED)
            log("files repaired", JobId=job.id, Component=component["ComponentName"], What=told, More=more)


def _detected_schema(runtime: Runtime, files: ReadFiles, columns: Columns) -> str:
    """Return the schema that the headers of the files make.

    Raises:
        JobFailed: when it has names that no schema may have, or more than the quotas allow.
    """
    timestamps = {part.source.component: part.report.header[0] for part in reversed(files.parts)}
    settings = runtime.settings
    return detected_schema(
        columns,
        timestamps,
        most_components=settings.components_per_dataset,
        most_columns=settings.columns_per_dataset,
    )


def _put_schema(job: Ingestion, text: str) -> str:
    """Write the schema that was detected, and return its key."""
    # Named after the job: one that was given up may still be at work beside the next one.
    key = document_key(job.dataset["uuid"], f"schema-{job.id}.json")
    job.service_bucket.put_text(key, text)
    return key


def _publish(
    runtime: Runtime, job: Ingestion, files: ReadFiles, merged: _MergedData, schema_key: str | None
) -> None:
    """Write the end of the job, and its data to the dataset, in one transaction."""
    facts = {
        "DataQualitySummary": merged.quality,
        "IngestedFilesSummary": _files_summary(job.bucket, files),
        "DataStartTime": round(merged.start, 3),
        "DataEndTime": round(merged.end, 3),
    }
    dataset: dict[str, Any] = {
        **facts,
        "Status": "ACTIVE",
        "LastUpdatedAt": runtime.clock(),
        "IngestionInputConfiguration": job.record["IngestionInputConfiguration"],
        "RoleArn": job.record["RoleArn"],
        "ingestionJobId": job.id,
        **({} if schema_key is None else {"schemaKey": schema_key}),
    }
    runtime.store.transact(
        Update(
            INGESTION_JOB,
            job.id,
            {**facts, "Status": "SUCCESS", "IngestedDataSize": files.size, "rows": merged.rows},
            expect={"Status": "IN_PROGRESS"},
        ),
        Update(
            DATASET,
            job.record["DatasetName"],
            dataset,
            ["SourceDatasetArn"],
            expect={"uuid": job.dataset["uuid"], "Status": "INGESTION_IN_PROGRESS"},
        ),
    )
    log("ingestion succeeded", JobId=job.id, Files=len(files.parts), Bytes=files.size)


def _files_summary(bucket: str, files: ReadFiles) -> dict[str, Any]:
    listed: list[dict[str, str]] = []
    left = _DISCARDED_BYTES
    for key, _ in files.discarded:
        left -= len(key.encode()) + len(bucket)
        if left < 0:
            break
        listed.append({"Bucket": bucket, "Key": key})
    return {
        "TotalNumberOfFiles": files.total,
        "IngestedNumberOfFiles": len(files.parts),
        "DiscardedFiles": listed,
    }
