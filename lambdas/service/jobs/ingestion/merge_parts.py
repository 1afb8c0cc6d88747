"""The parts of each component become its columns, in order of time."""

import difflib
import errno
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from engine import ComponentReport, SensorStatistics, far_rows, merge_component
from service.jobs.capacity import MIB, Capacity
from service.jobs.columns import Columns
from service.jobs.failure import JobFailed, some
from service.jobs.ingestion.convert_file import convert, object_reader, object_writer
from service.jobs.ingestion.findings import MergedComponent
from service.jobs.ingestion.job import Ingestion
from service.jobs.ingestion.parts import FilePart
from service.jobs.ingestion.second_reading import second_reading
from service.jobs.runtime import Runtime

_PARALLEL = 10
_MERGE_SHARE, _MERGE_MOST = 1 / 6, 1024 * MIB


def component_columns(job: Ingestion, parts: Iterable[FilePart]) -> Columns:
    """Return the columns of each component: those of the schema, or of all headers when it is detected.

    Raises:
        JobFailed: when no file of a component has a column of the schema.
    """
    headers: dict[str, dict[str, None]] = defaultdict(dict)
    for part in parts:
        headers[part.source.component].update(dict.fromkeys(part.report.header[1:]))
    if job.columns is None:
        return {component: tuple(names) for component, names in headers.items()}
    for component, found in headers.items():
        absent = [name for name in job.columns[component] if name not in found]
        if absent:
            raise JobFailed(_absent_columns(component, absent, list(found)))
    return dict(job.columns)


def merge_parts(
    runtime: Runtime,
    job: Ingestion,
    component: str,
    names: tuple[str, ...],
    parts: Sequence[FilePart],
    *,
    day_first: bool,
) -> MergedComponent:
    """Merge the parts of a component into its columns, and return the report of all its rows.

    With `day_first`, files whose dates allow both orders of day and month have the day first.

    Raises:
        JobFailed: when the rows are so far out of order that the disk cannot hold what sorting needs.
    """
    if not parts:
        return MergedComponent(report=_report_without_files(names), parts=())
    chosen = tuple(_as_in_component(runtime, job, part, names, day_first=day_first) for part in parts)
    with ThreadPoolExecutor(_PARALLEL) as pool:
        sources = list(pool.map(lambda part: object_reader(job, job.keys.part_columns(part.index)), chosen))
    reports = [part.report for part in chosen]
    try:
        with object_writer(job, job.keys.component(component)) as sink:
            total = merge_component(
                sources,
                reports,
                sink,
                far=far_rows([report.periods for report in reports]),
                memory_bytes=_merge_bytes(runtime.capacity),
            )
        return MergedComponent(report=total, parts=chosen)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        rows = sum(report.rows for report in reports)
        raise JobFailed(
            f"component '{component}' has {rows:,} rows, many of them far out of order, and sorting them "
            f"needs more than the {runtime.capacity.disk / 1e9:.1f} GB of temporary files that the function "
            "may write: sort the rows of each file by time, or split the component"
        ) from error


def _absent_columns(component: str, absent: Sequence[str], found: Sequence[str]) -> str:
    lower = {name.lower(): name for name in found}
    close = difflib.get_close_matches(absent[0].lower(), lower, n=1)
    hint = f" (did you mean '{lower[close[0]]}'?)" if close else ""
    return (
        f"component '{component}': no file has the column {some(absent)} of the schema{hint}; the files have "
        f"{some(found, limit=20)}. Names must match the header exactly, case included: correct the header of "
        "the files, or create a dataset whose schema lists the columns of the files"
    )


def _as_in_component(
    runtime: Runtime, job: Ingestion, part: FilePart, names: tuple[str, ...], *, day_first: bool
) -> FilePart:
    """Return the part as its component has it: read again when other files show how it is meant."""
    reading = second_reading(part.report, names, day_first=day_first)
    if reading is None:
        return part
    customer = job.customer_buckets(runtime)
    report = convert(
        job, customer, part.source, part.index, names, runtime=runtime, day_first=reading.day_first
    )
    return replace(part, report=report)


def _report_without_files(names: Sequence[str]) -> ComponentReport:
    """Return the report of a component of the schema that has no file: every sensor lacks its data."""
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


def _merge_bytes(capacity: Capacity) -> int:
    """Return the bytes of rows to merge at a time: a sixth of the memory, at most 1 GiB."""
    return min(_MERGE_MOST, int(capacity.memory * _MERGE_SHARE))
