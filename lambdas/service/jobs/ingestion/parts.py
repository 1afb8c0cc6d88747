"""What the reading of all files of an ingestion came to: parts with columns, and discarded files."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from engine import FileReport
from service.jobs.failure import JobFailed
from service.jobs.ingestion.job import Ingestion
from service.jobs.ingestion.selection import SourceFile

_PARALLEL = 10
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """A file that was read into the part `index`."""

    index: int
    source: SourceFile
    report: FileReport


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFiles:
    """The files of an ingestion after reading; `discarded` are key and reason, `total` counts all files."""

    parts: tuple[FilePart, ...]
    discarded: tuple[tuple[str, str], ...]
    total: int

    @property
    def size(self) -> int:
        """`IngestedDataSize`: bytes of the files that were used."""
        return sum(part.source.size for part in self.parts)


def gather_parts(job: Ingestion) -> ReadFiles:
    """Return what became of the files of the manifest.

    Raises:
        JobFailed: when a file fails the job, or none can be used.
    """
    bucket = job.service_bucket
    plan = bucket.get_json(job.keys.plan)
    discarded = [(file["key"], file["reason"]) for file in plan["Discarded"]]
    parts: list[FilePart] = []
    items = bucket.get_json(job.keys.manifest)
    with ThreadPoolExecutor(_PARALLEL) as pool:
        reads = list(pool.map(lambda item: bucket.get_json(job.keys.part_report(item["Index"])), items))
    for item, read in zip(items, reads, strict=True):
        if "Failed" in read:
            raise JobFailed(read["Failed"])
        if "Discarded" in read:
            discarded.append((item["Key"], read["Discarded"]))
            continue
        parts.append(
            FilePart(
                index=item["Index"],
                source=SourceFile(key=item["Key"], size=item["Size"], component=item["Component"]),
                report=FileReport.from_json(read["Report"]),
            )
        )
    if not parts:
        reasons = "; ".join(f"'{key}': {reason}" for key, reason in discarded[:_SHOWN])
        place = f"below 's3://{job.bucket}/{job.prefix}'"
        only = plan["Total"] == 1
        what = f"the only file {place} cannot" if only else f"none of the {plan['Total']:,} files {place} can"
        raise JobFailed(
            f"{what} be ingested: {reasons}; correct the file{'' if only else 's'} and ingest again"
        )
    return ReadFiles(parts=tuple(parts), discarded=tuple(sorted(discarded)), total=plan["Total"])
