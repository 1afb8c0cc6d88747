"""The active version of a scheduler's model, ready to score."""

from dataclasses import dataclass
from datetime import timedelta

from engine import Detector, OffCondition
from service.jobs.adaptation import adapted
from service.jobs.columns import Columns, columns_of
from service.jobs.failure import JobFailed
from service.jobs.machine_off import off_condition
from service.jobs.runtime import Runtime
from service.storage.names import artefact_key, version_key, versions_of
from service.storage.store import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveModel:
    """The version with this number; `version` is its item in the store, `model` that of its model."""

    number: int
    model: Item
    version: Item
    columns: Columns
    detector: Detector

    @classmethod
    def load(cls, runtime: Runtime, model: Item | None, scheduler: Item) -> "ActiveModel":
        """Read the active version of the model of a scheduler.

        Raises:
            JobFailed: when the model was deleted.
            LookupError: when the version has no artefact.
        """
        name = scheduler["ModelName"]
        if model is None or model["uuid"] != scheduler["modelUuid"]:
            raise JobFailed(
                f"model '{name}' was deleted: delete the scheduler and create one for another model"
            )
        number = int(model["ActiveModelVersion"])
        version = runtime.store.get(versions_of(model["uuid"]), version_key(number))
        artefact = runtime.service_bucket.find(artefact_key(model["uuid"], number))
        if version is None or artefact is None:
            raise LookupError(f"version {number} of model '{name}' has no artefact")
        return cls(
            number=number,
            model=model,
            version=version,
            columns=columns_of(runtime.service_bucket.get_text(version["schemaKey"])),
            detector=adapted(Detector.from_bytes(artefact), runtime.settings, model),
        )

    @property
    def off(self) -> OffCondition | None:
        """The condition that says when the machine is off."""
        return off_condition(self.version.get("OffCondition"), self.detector.sensors)

    @property
    def step_seconds(self) -> int:
        """Seconds from row to row."""
        seconds: int = self.detector.step.astype(int).item()
        return seconds

    @property
    def step(self) -> timedelta:
        """The time from row to row."""
        return timedelta(seconds=self.step_seconds)
