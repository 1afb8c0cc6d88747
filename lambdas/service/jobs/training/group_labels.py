"""The labels of a training that lie in a label group, as they were when it began."""

from collections.abc import Mapping
from typing import Any

from service.jobs.failure import JobFailed
from service.jobs.runtime import Runtime
from service.jobs.training.training_labels import Label, Labels
from service.jobs.training.version import Training
from service.storage.names import LABEL_GROUP, document_key, labels_of

_MEMBERS = ("LabelId", "StartTime", "EndTime", "Rating", "FaultCode")


def group_labels(runtime: Runtime, training: Training) -> Labels:
    """Return the labels of the group that a training names; none when it names none.

    The first call for a version keeps a copy of them, without notes, which later calls read: changes of the
    group do not alter a training that has begun.

    Raises:
        JobFailed: when the group does not exist.
    """
    name = training.record.get("LabelsInputConfiguration", {}).get("LabelGroupName")
    if name is None:
        return Labels()
    key = document_key(training.model_uuid, f"labels-{training.number}.json")
    if training.service_bucket.find(key) is None:
        training.service_bucket.put_json(key, _read(runtime, training, name))
    labels = tuple(Label.of_group(name, label) for label in training.service_bucket.get_json(key))
    notes = () if labels else (f"the label group '{name}' held no label when the training began",)
    return Labels(labels=labels, notes=notes)


def _read(runtime: Runtime, training: Training, name: str) -> list[Mapping[str, Any]]:
    group = runtime.store.get(LABEL_GROUP, name)
    if group is None:
        raise JobFailed(
            f"the label group '{name}' of model '{training.model_name}' does not exist any more: name "
            "another one with UpdateModel, or create it again, and train again"
        )
    return [
        {
            member: float(label[member]) if member.endswith("Time") else label[member]
            for member in _MEMBERS
            if member in label
        }
        for label in runtime.store.all(labels_of(group["uuid"]))
    ]
