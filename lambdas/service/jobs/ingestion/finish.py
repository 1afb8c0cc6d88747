"""The end of an ingestion: merge the files of each component, report what was found, publish the dataset."""

import difflib
import errno
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from engine import ComponentReport, FileReport, SensorStatistics, merge_component
from service.jobs.columns import detected
from service.jobs.failure import JobFailed, reason_of, some
from service.jobs.ingestion.data_quality import epoch, quality_summary, sensor_statistics
from service.jobs.ingestion.job import Ingestion
from service.jobs.ingestion.read import convert, merge_bytes, opened, written
from service.jobs.ingestion.selection import SourceFile
from service.jobs.runtime import Runtime, log
from service.names import DATASET, INGESTION_JOB, document_key
from service.store import NotFound, StateChanged, Update

_PARALLEL = 10
_DISCARDED_BYTES = 100_000
"""Keys of discarded files kept in a record, which may hold 400 KB in all; the counts stay exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file that was read into the part ``index``."""

    index: int
    source: SourceFile
    report: FileReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the reading of all files came to."""

    parts: tuple[Part, ...]
    discarded: tuple[tuple[str, str], ...]
    total: int

    @property
    def size(self) -> int:
        """``IngestedDataSize``: bytes of the files that were used."""
        return sum(part.source.size for part in self.parts)


def finish(runtime: Runtime, job: Ingestion) -> dict[str, Any]:
    """Merge, report and publish. A job that has ended already is left alone."""
    if job.record["Status"] != "IN_PROGRESS":
        return {"JobId": job.id, "Status": job.record["Status"]}
    outcome = _gather(job)
    columns = _columns(job, outcome)
    reports = {
        component: _merge(
            runtime, job, component, names, [p for p in outcome.parts if p.source.component == component]
        )
        for component, names in columns.items()
    }
    starts = [epoch(report.start) for report in reports.values() if report.start]
    ends = [epoch(report.end) for report in reports.values() if report.end]
    start, end = min(starts), max(ends)
    job.vault.put_json(job.keys.report, sensor_statistics(reports, start=start, end=end))
    rows = max(report.rows for report in reports.values())
    _publish(
        runtime, job, outcome, columns, quality=quality_summary(reports), start=start, end=end, rows=rows
    )
    return {"JobId": job.id, "Status": "SUCCESS"}


def fail(runtime: Runtime, job_id: str, error: Mapping[str, str]) -> dict[str, Any]:
    """End a job with its reason and give the dataset its state back. A job that has ended stays so."""
    record = runtime.store.get(INGESTION_JOB, job_id)
    if record is None or record["Status"] != "IN_PROGRESS":
        return {"JobId": job_id, "Status": record and record["Status"]}
    reason = reason_of(error, work=f"ingestion job '{job_id}'")
    log("ingestion failed", JobId=job_id, Reason=reason)
    now = runtime.clock()
    ended = Update(
        INGESTION_JOB,
        job_id,
        {"Status": "FAILED", "FailedReason": reason},
        expect={"Status": "IN_PROGRESS"},
    )
    dataset = runtime.store.get(DATASET, record["DatasetName"])
    restored = "CREATED" if dataset is None or "ingestionJobId" not in dataset else "ACTIVE"
    try:
        runtime.store.transact(
            ended,
            Update(
                DATASET,
                record["DatasetName"],
                {"Status": restored, "LastUpdatedAt": now},
                expect={"uuid": record["datasetUuid"], "Status": "INGESTION_IN_PROGRESS"},
            ),
        )
    except (NotFound, StateChanged) as changed:
        if changed.pk == INGESTION_JOB:
            return {"JobId": job_id, "Status": changed.item and changed.item["Status"]}
        runtime.store.transact(ended)  # the dataset is gone or no longer waits for this job
    return {"JobId": job_id, "Status": "FAILED"}


def _gather(job: Ingestion) -> Outcome:
    plan = job.vault.get_json(job.keys.plan)
    discarded = [(file["key"], file["reason"]) for file in plan["Discarded"]]
    parts: list[Part] = []
    items = job.vault.get_json(job.keys.manifest)
    with ThreadPoolExecutor(_PARALLEL) as pool:
        reads = list(pool.map(lambda item: job.vault.get_json(job.keys.part(item["Index"], "json")), items))
    for item, read in zip(items, reads, strict=True):
        if "Failed" in read:
            raise JobFailed(read["Failed"])
        if "Discarded" in read:
            discarded.append((item["Key"], read["Discarded"]))
            continue
        parts.append(
            Part(
                index=item["Index"],
                source=SourceFile(key=item["Key"], size=item["Size"], component=item["Component"]),
                report=file_report(read["Report"]),
            )
        )
    if not parts:
        reasons = "; ".join(f"'{key}': {reason}" for key, reason in discarded[:5])
        raise JobFailed(
            f"none of the {plan['Total']} files below 's3://{job.bucket}/{job.prefix}' can be ingested: "
            f"{reasons}; correct the files and ingest again"
        )
    return Outcome(parts=tuple(parts), discarded=tuple(sorted(discarded)), total=plan["Total"])


def file_report(members: Mapping[str, Any]) -> FileReport:
    """The engine's report of a file, read back from JSON."""
    return FileReport(
        **{
            **members,
            **{name: tuple(members[name]) for name in ("header", "columns", "unsupported_examples")},
        }
    )


def _columns(job: Ingestion, outcome: Outcome) -> dict[str, tuple[str, ...]]:
    """The columns of each component: those of the schema, or of all headers when it is detected."""
    headers: dict[str, dict[str, None]] = defaultdict(dict)
    for part in outcome.parts:
        headers[part.source.component].update(dict.fromkeys(part.report.header[1:]))
    if job.columns is None:
        return {component: tuple(names) for component, names in headers.items()}
    for component, found in headers.items():
        absent = [name for name in job.columns[component] if name not in found]
        if absent:
            raise JobFailed(_wrong_column(component, absent, list(found)))
    return dict(job.columns)


def _wrong_column(component: str, absent: Sequence[str], found: Sequence[str]) -> str:
    lower = {name.lower(): name for name in found}
    close = difflib.get_close_matches(absent[0].lower(), lower, n=1)
    hint = f" (did you mean '{lower[close[0]]}'?)" if close else ""
    return (
        f"component '{component}': no file has the column {some(absent)} of the schema{hint}; the files have "
        f"{some(found, limit=20)}. Names must match the header exactly, case included: correct the header of "
        "the files, or create a dataset whose schema lists the columns of the files"
    )


def _merge(
    runtime: Runtime, job: Ingestion, component: str, names: tuple[str, ...], parts: Iterable[Part]
) -> ComponentReport:
    chosen = [_aligned(runtime, job, part, names) for part in parts]
    if not chosen:
        return _without_files(names)
    with ThreadPoolExecutor(_PARALLEL) as pool:
        sources = list(pool.map(lambda part: opened(job, job.keys.part(part.index, "parquet")), chosen))
    reports = [part.report for part in chosen]
    try:
        with written(job, job.keys.component(component)) as sink:
            return merge_component(sources, reports, sink, memory_bytes=merge_bytes(runtime.capacity))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        rows = sum(report.rows for report in reports)
        raise JobFailed(
            f"component '{component}' has {rows:,} rows, many of them far out of order, and sorting them "
            f"needs more than the {runtime.capacity.disk / 1e9:.1f} GB of temporary files that the function "
            "may write: sort the rows of each file by time, or split the component"
        ) from error


def _aligned(runtime: Runtime, job: Ingestion, part: Part, names: tuple[str, ...]) -> Part:
    """The part with all columns of its component; one that was read before they were known is read again."""
    if part.report.columns == names:
        return part
    report = convert(job, job.customer(runtime), part.source, part.index, names, capacity=runtime.capacity)
    return replace(part, report=report)


def _without_files(names: Sequence[str]) -> ComponentReport:
    """The report of a component of the schema that has no file at all: every sensor lacks its data."""
    empty = SensorStatistics(
        sensor="",
        data_exists=False,
        missing=0,
        invalid=0,
        invalid_dates=0,
        duplicates=0,
        rows=0,
        categories=None,
        multiple_modes=False,
        large_gaps=0,
        max_gap_days=0,
        monotonicity=None,
        start=None,
        end=None,
        short_span=False,
    )
    sensors = tuple(replace(empty, sensor=name) for name in names)
    return ComponentReport(
        rows=0, duplicates=0, unsupported_timestamps=0, start=None, end=None, sensors=sensors
    )


def _publish(
    runtime: Runtime,
    job: Ingestion,
    outcome: Outcome,
    columns: Mapping[str, tuple[str, ...]],
    *,
    quality: Mapping[str, Any],
    start: float,
    end: float,
    rows: int,
) -> None:
    facts = {
        "DataQualitySummary": quality,
        "IngestedFilesSummary": _files_summary(job.bucket, outcome),
        "DataStartTime": round(start, 3),
        "DataEndTime": round(end, 3),
    }
    dataset: dict[str, Any] = {
        **facts,
        "Status": "ACTIVE",
        "LastUpdatedAt": runtime.clock(),
        "IngestionInputConfiguration": job.record["IngestionInputConfiguration"],
        "RoleArn": job.record["RoleArn"],
        "ingestionJobId": job.id,
    }
    if job.columns is None:
        dataset["schemaKey"] = document_key(job.dataset["uuid"], "schema.json")
        runtime.documents.put(
            dataset["schemaKey"],
            detected(
                columns, {part.source.component: part.report.header[0] for part in reversed(outcome.parts)}
            ),
            job.vault.kms_key,
        )
    runtime.store.transact(
        Update(
            INGESTION_JOB,
            job.id,
            {**facts, "Status": "SUCCESS", "IngestedDataSize": outcome.size, "rows": rows},
            expect={"Status": "IN_PROGRESS"},
        ),
        Update(
            DATASET,
            job.record["DatasetName"],
            dataset,
            expect={"uuid": job.dataset["uuid"], "Status": "INGESTION_IN_PROGRESS"},
        ),
    )
    log("ingestion succeeded", JobId=job.id, Files=len(outcome.parts), Bytes=outcome.size)


def _files_summary(bucket: str, outcome: Outcome) -> dict[str, Any]:
    listed: list[dict[str, str]] = []
    left = _DISCARDED_BYTES
    for key, _ in outcome.discarded:
        left -= len(key.encode()) + len(bucket)
        if left < 0:
            break
        listed.append({"Bucket": bucket, "Key": key})
    return {
        "TotalNumberOfFiles": outcome.total,
        "IngestedNumberOfFiles": len(outcome.parts),
        "DiscardedFiles": listed,
    }
