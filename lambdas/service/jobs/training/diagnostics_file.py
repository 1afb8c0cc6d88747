"""The pointwise diagnostics of a training: written row by row to disk, then to the customer's bucket."""

import gzip
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from engine import Scores
from service.jobs.result_lines import lines
from service.jobs.runtime import Runtime
from service.jobs.training.version import Training
from service.members.diagnostics_place import diagnostics_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostics:
    """The pointwise diagnostics file: its place, and the configuration that a description shows for it."""

    location: Mapping[str, str]
    configuration: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticsWriter:
    """Pointwise diagnostics on their way into a file on disk."""

    config: Mapping[str, Any]
    sensors: tuple[str, ...]
    file: BinaryIO
    packed: gzip.GzipFile

    def append(self, scores: Scores) -> Scores:
        """Append the lines of these rows, and return the rows."""
        self.packed.writelines(line.encode() for line in lines(scores, self.sensors))
        return scores

    def put(self, runtime: Runtime, training: Training) -> Diagnostics:
        """End the file and copy it to its place.

        Raises:
            JobFailed: when the role or the bucket of the customer refuses.
        """
        self.packed.close()
        target = self.config["S3OutputConfiguration"]
        key = diagnostics_key(target.get("Prefix", ""), training.model_name, training.number)
        self.file.seek(0)
        training.customer_buckets(runtime).put(
            target["Bucket"],
            key,
            self.file,
            content_type="application/gzip",
            kms_key=self.config.get("KmsKeyId"),
        )
        return Diagnostics(
            location={"Bucket": target["Bucket"], "Key": key},
            configuration={**self.config, "S3OutputConfiguration": {**target, "Prefix": key}},
        )


@contextmanager
def diagnostics_writer(training: Training) -> Iterator[DiagnosticsWriter | None]:
    """Yield the writer of the diagnostics file, None when none is configured."""
    config = training.record.get("ModelDiagnosticsOutputConfiguration")
    if config is None:
        yield None
        return
    with (
        tempfile.TemporaryFile() as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=4, mtime=0) as packed,
    ):
        yield DiagnosticsWriter(config=config, sensors=training.sensors, file=file, packed=packed)
