"""The records of the table by their kind, as `records` describes them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice, repeat
from typing import Any, cast

from service.storage.indexes import is_trusted
from service.storage.names import (
    DATASET,
    INDEX_STATE,
    INGESTION_JOB,
    LABEL_GROUP,
    MODEL,
    PENDING_DELETION,
    RETRAINING_SCHEDULER,
    SCHEDULER,
    SIGNING_KEY,
    TOKEN,
    events_of,
    executions_of,
    jobs_of_dataset,
    labels_of,
    models_of_dataset,
    policies_of,
    policy_key,
    schedulers_of_model,
    under_way,
    version_key,
    versions_of,
)
from service.storage.records import (
    DatasetRecord,
    EventRecord,
    ExecutionRecord,
    IndexStateRecord,
    IngestionJobRecord,
    LabelGroupRecord,
    LabelRecord,
    ModelRecord,
    ModelVersionRecord,
    PendingDeletionRecord,
    ResourcePolicyRecord,
    RetrainingSchedulerRecord,
    SchedulerRecord,
    SigningKeyRecord,
    TokenRecord,
)
from service.storage.store import Item, Store

Range = tuple[str, str]

_LAST_ID = "g"
"""What is behind every id of a job: these are hexadecimal digits."""

_BATCHES = (10, 50, 100)
"""Records that an index leads to and that are read at once: first few, as each is paid for, then as many as
DynamoDB returns, as waiting is paid for too."""


@dataclass(frozen=True, slots=True)
class TypedStore:
    """Reads the store. One record is None when it does not exist; many are ordered by their sort key.

    `prefix` and `between` narrow the sort keys, and `start` is the sort key to begin behind: see `Store.all`.
    """

    store: Store

    def dataset(self, name: str) -> DatasetRecord | None:
        """Return the dataset called `name`."""
        return cast("DatasetRecord | None", self.store.get(DATASET, name))

    def datasets(self, *, prefix: str = "", start: str | None = None) -> Iterator[DatasetRecord]:
        """Return the datasets by name."""
        return cast("Iterator[DatasetRecord]", self.store.all(DATASET, prefix=prefix, start=start))

    def ingestion_job(self, job_id: str) -> IngestionJobRecord | None:
        """Return the ingestion job with the id `job_id`."""
        return cast("IngestionJobRecord | None", self.store.get(INGESTION_JOB, job_id))

    def ingestion_jobs(
        self, *, dataset_uuid: str | None = None, start: str | None = None
    ) -> Iterator[IngestionJobRecord]:
        """Return the ingestion jobs, newest first; with `dataset_uuid`, those of a dataset."""
        if dataset_uuid is None:
            found = self.store.all(INGESTION_JOB, reverse=True, start=start)
        else:
            found = self._belonging(
                INGESTION_JOB,
                jobs_of_dataset(dataset_uuid),
                {"datasetUuid": dataset_uuid},
                reverse=True,
                start=start,
            )
        return cast("Iterator[IngestionJobRecord]", found)

    def ingestion_jobs_since(self, first: str) -> Iterator[IngestionJobRecord]:
        """Return the ingestion jobs whose ids are `first` or behind it, oldest first."""
        return cast("Iterator[IngestionJobRecord]", self.store.all(INGESTION_JOB, between=(first, _LAST_ID)))

    def datasets_under_way(self) -> Iterator[DatasetRecord]:
        """Return the datasets that a job works on, and perhaps others."""
        return cast("Iterator[DatasetRecord]", self._under_way(DATASET))

    def model(self, name: str) -> ModelRecord | None:
        """Return the model called `name`."""
        return cast("ModelRecord | None", self.store.get(MODEL, name))

    def models(self, *, prefix: str = "", start: str | None = None) -> Iterator[ModelRecord]:
        """Return the models by name."""
        return cast("Iterator[ModelRecord]", self.store.all(MODEL, prefix=prefix, start=start))

    def models_of(self, dataset_uuid: str) -> Iterator[ModelRecord]:
        """Return the models that were made for a dataset, by name."""
        where = {"datasetUuid": dataset_uuid}
        found = self._belonging(MODEL, models_of_dataset(dataset_uuid), where)
        return cast("Iterator[ModelRecord]", found)

    def models_under_way(self) -> Iterator[ModelRecord]:
        """Return the models of which a version is in training or being imported, and perhaps others."""
        return cast("Iterator[ModelRecord]", self._under_way(MODEL))

    def version(self, model_uuid: str, number: int) -> ModelVersionRecord | None:
        """Return a version of a model."""
        found = self.store.get(versions_of(model_uuid), version_key(number))
        return cast("ModelVersionRecord | None", found)

    def versions(
        self, model_uuid: str, *, between: Range, start: str | None = None
    ) -> Iterator[ModelVersionRecord]:
        """Return the versions of a model in order."""
        found = self.store.all(versions_of(model_uuid), between=between, start=start)
        return cast("Iterator[ModelVersionRecord]", found)

    def latest_version(self, model_uuid: str) -> ModelVersionRecord | None:
        """Return the version of a model with the highest number."""
        newest = self.store.query(versions_of(model_uuid), reverse=True, limit=1).items
        return cast("ModelVersionRecord", newest[0]) if newest else None

    def retraining_scheduler(self, model: str) -> RetrainingSchedulerRecord | None:
        """Return the retraining scheduler of the model called `model`."""
        found = self.store.get(RETRAINING_SCHEDULER, model)
        return cast("RetrainingSchedulerRecord | None", found)

    def retraining_schedulers(
        self, *, prefix: str = "", start: str | None = None
    ) -> Iterator[RetrainingSchedulerRecord]:
        """Return the retraining schedulers by the name of their model."""
        found = self.store.all(RETRAINING_SCHEDULER, prefix=prefix, start=start)
        return cast("Iterator[RetrainingSchedulerRecord]", found)

    def scheduler(self, name: str) -> SchedulerRecord | None:
        """Return the inference scheduler called `name`."""
        return cast("SchedulerRecord | None", self.store.get(SCHEDULER, name))

    def schedulers(
        self, *, prefix: str = "", model_name: str | None = None, start: str | None = None
    ) -> Iterator[SchedulerRecord]:
        """Return the inference schedulers by name; with `model_name`, those of a model of that name."""
        if model_name is None:
            found = self.store.all(SCHEDULER, prefix=prefix, start=start)
        else:
            where = {"ModelName": model_name}
            index = schedulers_of_model(model_name)
            found = self._belonging(SCHEDULER, index, where, prefix=prefix, start=start)
        return cast("Iterator[SchedulerRecord]", found)

    def update_scheduler(
        self, scheduler: SchedulerRecord, changes: Mapping[str, Any], *, expect: Mapping[str, Any]
    ) -> SchedulerRecord:
        """Change an inference scheduler, if it still is the same one, and return it as it is then.

        Raises:
            NotFound: when it does not exist.
            StateChanged: when another one has its name, or an expected value is not there.
        """
        expect = {"uuid": scheduler["uuid"], **expect}
        return cast("SchedulerRecord", self.store.update(SCHEDULER, scheduler["sk"], changes, expect=expect))

    def executions(
        self, scheduler_uuid: str, *, between: Range, start: str | None = None
    ) -> Iterator[ExecutionRecord]:
        """Return the executions of an inference scheduler, newest first."""
        found = self.store.all(executions_of(scheduler_uuid), between=between, reverse=True, start=start)
        return cast("Iterator[ExecutionRecord]", found)

    def events(
        self, scheduler_uuid: str, *, between: Range, start: str | None = None
    ) -> Iterator[EventRecord]:
        """Return the events of an inference scheduler, oldest first."""
        found = self.store.all(events_of(scheduler_uuid), between=between, start=start)
        return cast("Iterator[EventRecord]", found)

    def label_group(self, name: str) -> LabelGroupRecord | None:
        """Return the label group called `name`."""
        return cast("LabelGroupRecord | None", self.store.get(LABEL_GROUP, name))

    def label_groups(self, *, prefix: str = "", start: str | None = None) -> Iterator[LabelGroupRecord]:
        """Return the label groups by name."""
        found = self.store.all(LABEL_GROUP, prefix=prefix, start=start)
        return cast("Iterator[LabelGroupRecord]", found)

    def label(self, group_uuid: str, label_id: str) -> LabelRecord | None:
        """Return a label of a label group."""
        return cast("LabelRecord | None", self.store.get(labels_of(group_uuid), label_id))

    def labels(
        self,
        group_uuid: str,
        *,
        between: Range | None = None,
        start: str | None = None,
        where: Mapping[str, str] | None = None,
    ) -> Iterator[LabelRecord]:
        """Return the labels of a label group by their start, those with the attributes of `where`."""
        found = self.store.all(labels_of(group_uuid), between=between, start=start, where=where)
        return cast("Iterator[LabelRecord]", found)

    def resource_policy(self, owner_uuid: str, arn: str) -> ResourcePolicyRecord | None:
        """Return the policy of a resource.

        Args:
            owner_uuid: uuid of the dataset or model; for a version, of its model.
            arn: ARN of the resource.
        """
        found = self.store.get(policies_of(owner_uuid), policy_key(arn))
        return cast("ResourcePolicyRecord | None", found)

    def token(self, key: str) -> TokenRecord | None:
        """Return what a client token was used for."""
        return cast("TokenRecord | None", self.store.get(TOKEN, key))

    def signing_key(self, purpose: str) -> SigningKeyRecord | None:
        """Return the key that signs what `purpose` names."""
        return cast("SigningKeyRecord | None", self.store.get(SIGNING_KEY, purpose))

    def index_state(self) -> IndexStateRecord | None:
        """Return how far the indexes can be trusted, None when a sweep is missing."""
        return cast("IndexStateRecord | None", self.store.get(INDEX_STATE, INDEX_STATE))

    def pending_deletions(self) -> Iterator[PendingDeletionRecord]:
        """Return what deleted resources have left behind."""
        return cast("Iterator[PendingDeletionRecord]", self.store.all(PENDING_DELETION))

    def _belonging(
        self,
        kind: str,
        index: str,
        where: Mapping[str, str],
        *,
        prefix: str = "",
        reverse: bool = False,
        start: str | None = None,
    ) -> Iterator[Item]:
        """Yield the records of a kind that have the attributes of `where`, to which the `index` leads."""
        if not is_trusted(self.index_state()):
            yield from self.store.all(kind, prefix=prefix, reverse=reverse, start=start, where=where)
            return
        entries = self.store.all(index, prefix=prefix, reverse=reverse, start=start)
        sizes = chain(_BATCHES, repeat(_BATCHES[-1]))
        while batch := [entry["sk"] for entry in islice(entries, next(sizes))]:
            for record in self.store.get_all(kind, batch):
                if where.items() <= record.items():
                    yield record

    def _under_way(self, kind: str) -> Iterator[Item]:
        if not is_trusted(self.index_state()):
            return self.store.all(kind)
        names = dict.fromkeys(entry["sk"].partition("/")[0] for entry in self.store.all(under_way(kind)))
        return iter(self.store.get_all(kind, list(names)))
