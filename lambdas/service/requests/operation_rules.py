"""Which way in each operation of the API needs, and which resources its request and its reply name."""

from collections.abc import Mapping
from dataclasses import dataclass

from service.requests.way_in import Level
from service.storage.names import DATASET, LABEL_GROUP, MODEL, SCHEDULER

NAMING_MEMBERS: Mapping[str, str] = {
    "DatasetName": DATASET,
    "ModelName": MODEL,
    "InferenceSchedulerName": SCHEDULER,
    "LabelGroupName": LABEL_GROUP,
}
"""The members of requests that name a resource, and its kind. So do `JobId`, `IngestionJobId` and
`ResourceArn`, and the label group within `LabelsInputConfiguration`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRule:
    """What a way in must allow for one operation.

    Attributes:
        level: the lowest level that has the operation.
        creates: the member that names a new resource, which gets the tags of the request.
        lists: the member of each entry of the reply that names its resource. Members of the request are
            filters then.
        widens: whether the request names resources of others, which no name or tag can hold.
    """

    level: Level
    creates: str | None = None
    lists: str | None = None
    widens: bool = False


_READ = OperationRule(level=Level.READ)
_OPERATE = OperationRule(level=Level.OPERATE)
_FULL = OperationRule(level=Level.FULL)


def _lists(member: str) -> OperationRule:
    return OperationRule(level=Level.READ, lists=member)


def _creates(member: str) -> OperationRule:
    return OperationRule(level=Level.FULL, creates=member)


OPERATION_RULES: Mapping[str, OperationRule] = {
    "CreateDataset": _creates("DatasetName"),
    "DescribeDataset": _READ,
    "ListDatasets": _lists("DatasetName"),
    "DeleteDataset": _FULL,
    "ImportDataset": OperationRule(level=Level.FULL, widens=True),
    "StartDataIngestionJob": _FULL,
    "DescribeDataIngestionJob": _READ,
    "ListDataIngestionJobs": _lists("DatasetName"),
    "ListSensorStatistics": _READ,
    "CreateModel": _creates("ModelName"),
    "DescribeModel": _READ,
    "ListModels": _lists("ModelName"),
    "UpdateModel": _FULL,
    "DeleteModel": _FULL,
    "DescribeModelVersion": _READ,
    "ListModelVersions": _READ,
    "UpdateActiveModelVersion": _FULL,
    "ImportModelVersion": OperationRule(level=Level.FULL, widens=True),
    "CreateRetrainingScheduler": _FULL,
    "DescribeRetrainingScheduler": _READ,
    "ListRetrainingSchedulers": _lists("ModelName"),
    "UpdateRetrainingScheduler": _OPERATE,
    "StartRetrainingScheduler": _OPERATE,
    "StopRetrainingScheduler": _OPERATE,
    "DeleteRetrainingScheduler": _FULL,
    "CreateInferenceScheduler": _creates("InferenceSchedulerName"),
    "DescribeInferenceScheduler": _READ,
    "ListInferenceSchedulers": _lists("InferenceSchedulerName"),
    "UpdateInferenceScheduler": _OPERATE,
    "StartInferenceScheduler": _OPERATE,
    "StopInferenceScheduler": _OPERATE,
    "DeleteInferenceScheduler": _FULL,
    "ListInferenceExecutions": _READ,
    "ListInferenceEvents": _READ,
    "CreateLabelGroup": OperationRule(level=Level.OPERATE, creates="LabelGroupName"),
    "DescribeLabelGroup": _READ,
    "ListLabelGroups": _lists("LabelGroupName"),
    "UpdateLabelGroup": _OPERATE,
    "DeleteLabelGroup": _OPERATE,
    "CreateLabel": _OPERATE,
    "DescribeLabel": _READ,
    "ListLabels": _READ,
    "DeleteLabel": _OPERATE,
    "PutResourcePolicy": _FULL,
    "DescribeResourcePolicy": _READ,
    "DeleteResourcePolicy": _FULL,
    "TagResource": _FULL,
    "UntagResource": _FULL,
    "ListTagsForResource": _READ,
}
