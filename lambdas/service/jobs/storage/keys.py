"""Keys of what the jobs keep in the service bucket. Pure."""

from dataclasses import dataclass

from service.storage.names import (
    component_prefix,
    job_prefix,
    manifest_key,
    part_report_key,
    parts_prefix,
    report_key,
    scheduler_prefix,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestionKeys:
    """Keys of one ingestion job; `dataset` is the uuid."""

    dataset: str
    job: str

    @property
    def manifest(self) -> str:
        """The list of files to read: the items of the Distributed Map."""
        return manifest_key(self.dataset, self.job)

    @property
    def plan(self) -> str:
        """What the manifest leaves out: how many files there were and which were discarded."""
        return self._key("plan.json")

    @property
    def report(self) -> str:
        """Sensor statistics in API form."""
        return report_key(self.dataset, self.job)

    @property
    def findings(self) -> str:
        """What was put right in the files, and which were left out."""
        return self._key("files.json")

    @property
    def parts(self) -> str:
        """The beginning of the keys of all parts."""
        return parts_prefix(self.dataset, self.job)

    def part_columns(self, index: int) -> str:
        """Return the key of the columns of one file, as Parquet."""
        return f"{self.parts}{index}.parquet"

    def part_report(self, index: int) -> str:
        """Return the key of what became of one file, as JSON."""
        return part_report_key(self.dataset, self.job, index)

    def component(self, name: str) -> str:
        """Return the key of the columns of a component, as Parquet."""
        return f"{component_prefix(self.dataset, self.job)}{name}.parquet"

    def _key(self, name: str) -> str:
        return job_prefix(self.dataset, self.job) + name


def state_key(scheduler: str) -> str:
    """Return the key of the states that a scheduler continues from; `scheduler` is the uuid."""
    return f"{scheduler_prefix(scheduler)}state.bin"
