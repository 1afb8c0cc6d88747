"""The `finish` step of an ingestion: merge the files of each component, report what was found, publish."""

from dataclasses import dataclass
from typing import Any

from service.jobs.columns import Columns, detected_schema
from service.jobs.ingestion.data_quality import quality_summary, sensor_statistics
from service.jobs.ingestion.job import Ingestion
from service.jobs.ingestion.merge_parts import component_columns, merge_parts
from service.jobs.ingestion.parts import ReadFiles, gather_parts
from service.jobs.runtime import Runtime, log
from service.jobs.times import epoch
from service.names import DATASET, INGESTION_JOB, document_key
from service.store import Update

_DISCARDED_BYTES = 100_000
"""Bytes of keys of discarded files in a record, which may hold 400 KB in all; the counts stay exact."""


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
    merged = _merge_and_report(runtime, job, files, columns)
    schema_key = None if job.columns is not None else _put_schema(job, files, columns)
    _publish(runtime, job, files, merged, schema_key)
    return {"JobId": job.id, "Status": "SUCCESS"}


def _merge_and_report(runtime: Runtime, job: Ingestion, files: ReadFiles, columns: Columns) -> _MergedData:
    """Write the columns of every component, and the statistics of their sensors."""
    reports = {
        component: merge_parts(
            runtime, job, component, names, [p for p in files.parts if p.source.component == component]
        )
        for component, names in columns.items()
    }
    start = min(epoch(report.start) for report in reports.values() if report.start)
    end = max(epoch(report.end) for report in reports.values() if report.end)
    job.service_bucket.put_json(job.keys.report, sensor_statistics(reports, start=start, end=end))
    rows = max(report.rows for report in reports.values())
    return _MergedData(quality=quality_summary(reports), start=start, end=end, rows=rows)


def _put_schema(job: Ingestion, files: ReadFiles, columns: Columns) -> str:
    """Write the schema that was detected, and return its key."""
    key = document_key(job.dataset["uuid"], "schema.json")
    timestamps = {part.source.component: part.report.header[0] for part in reversed(files.parts)}
    job.service_bucket.put_text(key, detected_schema(columns, timestamps))
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
