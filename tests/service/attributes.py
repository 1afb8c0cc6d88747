"""Which attributes the records of the table may have: those that `service.storage.records` lists."""

from collections.abc import Mapping

from service.storage import records
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
    schedulers_of_model,
    under_way,
    versions_of,
)
from service.storage.store import Create, Put, Update, Write

KINDS: Mapping[str, type] = {
    DATASET: records.DatasetRecord,
    INGESTION_JOB: records.IngestionJobRecord,
    MODEL: records.ModelRecord,
    versions_of(""): records.ModelVersionRecord,
    RETRAINING_SCHEDULER: records.RetrainingSchedulerRecord,
    SCHEDULER: records.SchedulerRecord,
    executions_of(""): records.ExecutionRecord,
    events_of(""): records.EventRecord,
    LABEL_GROUP: records.LabelGroupRecord,
    labels_of(""): records.LabelRecord,
    policies_of(""): records.ResourcePolicyRecord,
    SIGNING_KEY: records.SigningKeyRecord,
    TOKEN: records.TokenRecord,
    PENDING_DELETION: records.PendingDeletionRecord,
    INDEX_STATE: records.IndexStateRecord,
    jobs_of_dataset(""): records.IndexEntryRecord,
    models_of_dataset(""): records.IndexEntryRecord,
    schedulers_of_model(""): records.IndexEntryRecord,
    under_way(""): records.IndexEntryRecord,
}
"""The kinds of records by their partition, without the uuid that some end with."""


def listed(kind: type) -> frozenset[str]:
    """The attributes that a kind of record may have."""
    required: frozenset[str] = getattr(kind, "__required_keys__")  # noqa: B009  unknown to the type checker
    optional: frozenset[str] = getattr(kind, "__optional_keys__")  # noqa: B009
    return required | optional


def unlisted(write: Write) -> list[str]:
    """What a write to the table has that is not listed: its attributes, or the whole partition."""
    pk = write.item["pk"] if isinstance(write, Create | Put) else write.pk
    head, mark, _ = pk.partition("#")
    kind = KINDS.get(head + mark)
    if kind is None:
        return [f"partition {pk}"]
    names = set(write.item) if isinstance(write, Create | Put) else set(getattr(write, "expect", None) or {})
    if isinstance(write, Update):
        names |= {*write.set, *write.remove, *write.add}
    return sorted(f"{kind.__name__}.{name}" for name in names - listed(kind))
