"""How far an ingestion job has come, as its objects in the service bucket show."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.storage.names import manifest_key, part_report_key, parts_prefix
from service.storage.service_bucket import ServiceBucket


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestionProgress:
    """The files of a job, None until they were listed, and which of them were not read yet."""

    files: int | None
    unread: Sequence[tuple[str, int]] = ()
    """Keys and sizes, largest first."""

    @classmethod
    def read(cls, bucket: ServiceBucket, job: Mapping[str, Any]) -> "IngestionProgress":
        """Return the progress of the job with this record."""
        dataset, id_ = job["datasetUuid"], job["JobId"]
        manifest = bucket.find(manifest_key(dataset, id_))
        if manifest is None:
            return cls(files=None)
        files = json.loads(manifest)
        done = set(bucket.keys(parts_prefix(dataset, id_)))
        unread = [
            (file["Key"], file["Size"])
            for file in files
            if part_report_key(dataset, id_, file["Index"]) not in done
        ]
        return cls(files=len(files), unread=sorted(unread, key=lambda file: -file[1]))

    @property
    def detail(self) -> str:
        """What the job is doing, as the `StatusDetail` of the API."""
        if self.files is None:
            return "listing the files below the prefix"
        if self.unread:
            return f"reading files: {self.files - len(self.unread):,} of {self.files:,} are done"
        return f"merging what was read from {self.files:,} files"
