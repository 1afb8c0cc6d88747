"""Every attribute of every record in the table.

Attributes that begin with a capital letter are members of the API, in its names and its form. The others are
private to the service. Every record is found by its keys `pk` and `sk`; `names` says what these are.

Times are epoch seconds. They are written as Decimal, int, float or datetime and always read as Decimal;
numbers are read as Decimal too. An attribute whose value is None is not stored.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NotRequired, TypedDict

Number = int | Decimal
Structure = Mapping[str, Any]
"""A structure of the API, as in the service model."""


class _Keyed(TypedDict):
    pk: str
    """Partition key: the kind of record, for some kinds with the uuid of the resource it belongs to."""
    sk: str
    """Sort key within the partition."""


class DatasetRecord(_Keyed):
    """A dataset. `sk` is its name."""

    uuid: str
    """Tells the dataset from others of the same name, before or after it; part of its ARN."""
    DatasetName: str
    DatasetArn: str
    Status: str
    """`CREATED`, `INGESTION_IN_PROGRESS`, `IMPORT_IN_PROGRESS` or `ACTIVE`."""
    CreatedAt: Decimal
    LastUpdatedAt: Decimal
    ServerSideKmsKeyId: NotRequired[str | None]
    """ARN of the KMS key that encrypts the data of the dataset in the service bucket."""
    tags: NotRequired[dict[str, str]]
    """Values of the tags by key."""
    schemaKey: NotRequired[str]
    """Key of the schema in the service bucket; absent until a schema is given or detected."""
    ingestionJobId: NotRequired[str]
    """The job whose data the dataset holds: its latest successful one."""
    SourceDatasetArn: NotRequired[str]
    """Of that job, as are the members below. An imported dataset has neither configuration nor role."""
    IngestionInputConfiguration: NotRequired[Structure]
    RoleArn: NotRequired[str]
    DataQualitySummary: NotRequired[Structure]
    IngestedFilesSummary: NotRequired[Structure]
    DataStartTime: NotRequired[Decimal]
    DataEndTime: NotRequired[Decimal]
    fence: NotRequired[str]
    """Uuid of the model that was created last. A deletion expects it unchanged since it looked for models."""


class IngestionJobRecord(_Keyed):
    """An ingestion job, or an import of a dataset. `sk` is its id.

    Earlier releases also wrote `datasetName`, equal to `DatasetName`, and `accountId`.
    """

    JobId: str
    DatasetName: str
    DatasetArn: str
    datasetUuid: str
    """`uuid` of the dataset."""
    indexed: NotRequired[bool]
    """Whether the indexes have the record: earlier releases wrote none."""
    IngestionInputConfiguration: NotRequired[Structure]
    RoleArn: NotRequired[str]
    SourceDatasetArn: NotRequired[str]
    """The dataset that the data is imported from; a job without it ingests files."""
    importedBy: NotRequired[str]
    """ARN of the principal that asked for the import."""
    CreatedAt: Decimal
    Status: str
    """`IN_PROGRESS`, `IMPORT_IN_PROGRESS`, `SUCCESS` or `FAILED`."""
    FailedReason: NotRequired[str]
    readFailure: NotRequired[Structure]
    """`Error` and `Cause` of the first read that failed. The state machine itself writes it."""
    DataQualitySummary: NotRequired[Structure]
    IngestedFilesSummary: NotRequired[Structure]
    IngestedDataSize: NotRequired[Number]
    """Bytes of the files that were used."""
    DataStartTime: NotRequired[Decimal]
    DataEndTime: NotRequired[Decimal]
    rows: NotRequired[Number]
    """Rows of the longest component."""


class TrainingRequest(TypedDict, total=False):
    """What a training takes over from the request. UpdateModel changes some of it for later versions."""

    EvaluationDataStartTime: Decimal
    """Once trained, cut to the data. So is the end."""
    EvaluationDataEndTime: Decimal
    LabelsInputConfiguration: Structure
    RoleArn: str
    DataPreProcessingConfiguration: Structure
    OffCondition: str
    ModelDiagnosticsOutputConfiguration: Structure


class TrainingFacts(TrainingRequest):
    """What a version says of its training, and a model of the training of its active version."""

    uuid: str
    """Tells the model from others of the same name, before or after it; part of its ARN."""
    ModelName: str
    ModelArn: str
    DatasetName: str
    DatasetArn: str
    datasetUuid: str
    """`uuid` of the dataset."""
    ingestionJobId: str
    """The job whose data the training reads."""
    schemaKey: NotRequired[str]
    """Key in the service bucket of the schema: the components and sensors that are used. Absent until an
    import has succeeded."""
    ServerSideKmsKeyId: NotRequired[str | None]
    """ARN of the KMS key that encrypts schema, metrics and artefacts in the service bucket."""
    Status: str
    """`IN_PROGRESS`, `IMPORT_IN_PROGRESS`, `SUCCESS` or `FAILED`; `CANCELED` of a retraining that was
    stopped."""
    FailedReason: NotRequired[str]
    CreatedAt: Decimal
    LastUpdatedTime: Decimal
    TrainingExecutionStartTime: Decimal
    TrainingExecutionEndTime: NotRequired[Decimal]
    TrainingDataStartTime: Decimal
    """As requested, or the start of the data; once trained, cut to the data. So is the end."""
    TrainingDataEndTime: Decimal
    ModelQuality: NotRequired[str]
    metricsKey: NotRequired[str]
    """Key of the ModelMetrics in the service bucket."""
    priorMetricsKey: NotRequired[str]
    """Key of the PriorModelMetrics in the service bucket."""
    SourceModelVersionArn: NotRequired[str]
    """The version that this one, or the active one, was imported from. So are the next two."""
    ImportJobStartTime: NotRequired[Decimal]
    ImportJobEndTime: NotRequired[Decimal]


class ModelRecord(_Keyed, TrainingFacts):
    """A model. `sk` is its name."""

    indexed: NotRequired[bool]
    """Whether the indexes have the record, as of an ingestion job."""
    tags: NotRequired[dict[str, str]]
    """Values of the tags by key."""
    ActiveModelVersion: NotRequired[Number]
    ActiveModelVersionArn: NotRequired[str]
    ModelVersionActivatedAt: NotRequired[Decimal]
    PreviousActiveModelVersion: NotRequired[Number]
    PreviousActiveModelVersionArn: NotRequired[str]
    PreviousModelVersionActivatedAt: NotRequired[Decimal]
    LatestScheduledRetrainingModelVersion: NotRequired[Number]
    LatestScheduledRetrainingStatus: NotRequired[str]
    LatestScheduledRetrainingFailedReason: NotRequired[str]
    LatestScheduledRetrainingStartTime: NotRequired[Decimal]
    LatestScheduledRetrainingAvailableDataInDays: NotRequired[Number]
    importing: NotRequired[Number]
    """Number of the version that is being imported."""
    RetrainingSchedulerStatus: NotRequired[str]
    """Of the retraining scheduler, and written together with its record. So is the next member."""
    NextScheduledRetrainingStartDate: NotRequired[Decimal]
    """Absent while the retraining scheduler is stopped."""
    AccumulatedInferenceDataStartTime: NotRequired[Decimal]
    """First row that inference has kept for retrainings. The inference function writes it and the next."""
    AccumulatedInferenceDataEndTime: NotRequired[Decimal]
    fence: NotRequired[str]
    """Uuid of the scheduler that was created last. Deletions, and creations of further schedulers, expect it
    unchanged since they looked for schedulers."""


class ModelVersionRecord(_Keyed, TrainingFacts):
    """A version of a model. `sk` is its number in ten digits.

    Earlier releases also wrote `modelName`, equal to `ModelName`.
    """

    ModelVersion: Number
    ModelVersionArn: str
    SourceType: str
    """`TRAINING`, `RETRAINING` or `IMPORT`."""
    indexed: NotRequired[bool]
    """Whether the indexes have the record, as of an ingestion job."""
    importedBy: NotRequired[str]
    """ARN of the principal that asked for the import."""
    importStrategy: NotRequired[str]
    """`InferenceDataImportStrategy` of the import."""
    ImportedDataSizeInBytes: NotRequired[Number]
    tags: NotRequired[dict[str, str]]
    """Values of the tags by key."""
    ModelDiagnosticsResultsObject: NotRequired[Structure]
    priorModelVersion: NotRequired[Number]
    """The version that a retraining is to replace; absent in a first training."""
    promoteMode: NotRequired[str]
    """`MANAGED` or `MANUAL`: whether a retraining may become the active version by itself."""
    accumulatedStart: NotRequired[Decimal]
    """First of the rows kept by inference that a retraining may read, as known when it began."""
    accumulatedEnd: NotRequired[Decimal]
    """The last of them."""
    RetrainingAvailableDataInDays: NotRequired[Number]
    AutoPromotionResult: NotRequired[str]
    AutoPromotionResultReason: NotRequired[str]


class RetrainingSchedulerRecord(_Keyed):
    """The retraining scheduler of a model. `sk` is the name of the model."""

    uuid: str
    """Tells the scheduler from others of the same model, before or after it."""
    ModelName: str
    ModelArn: str
    modelUuid: str
    """`uuid` of the model."""
    RetrainingStartDate: Decimal
    RetrainingFrequency: str
    LookbackWindow: str
    PromoteMode: str
    Status: str
    """`PENDING` or `STOPPING` while its schedule is being changed, `RUNNING` or `STOPPED` after that."""
    CreatedAt: Decimal
    UpdatedAt: Decimal
    nextDate: Decimal
    """The date of the next retraining, at midnight UTC."""
    begunDate: NotRequired[Decimal]
    """The date of the latest retraining that was begun."""


class Pause(TypedDict):
    """A time in which a scheduler was stopped; no window has rows of it."""

    start: Number
    """End of the last window that was due before, in epoch seconds."""
    end: NotRequired[Number]
    """Start of the first window after it, in epoch seconds; absent while the scheduler is stopped."""


class SchedulerRecord(_Keyed):
    """An inference scheduler. `sk` is its name.

    Operations write `pauses`, the inference function writes `inferredUntil`: neither waits for the other.
    """

    uuid: str
    """Tells the scheduler from others of the same name, before or after it; part of its ARN."""
    InferenceSchedulerName: str
    InferenceSchedulerArn: str
    ModelName: str
    ModelArn: str
    modelUuid: str
    """`uuid` of the model."""
    indexed: NotRequired[bool]
    """Whether the indexes have the record, as of an ingestion job."""
    Status: str
    """`PENDING` or `STOPPING` while its schedule is being changed, `RUNNING` or `STOPPED` after that."""
    CreatedAt: Decimal
    UpdatedAt: Decimal
    ServerSideKmsKeyId: NotRequired[str | None]
    """ARN of the KMS key that encrypts what the scheduler remembers in the service bucket."""
    tags: NotRequired[dict[str, str]]
    """Values of the tags by key."""
    DataUploadFrequency: str
    DataDelayOffsetInMinutes: NotRequired[Number]
    DataInputConfiguration: Structure
    DataOutputConfiguration: Structure
    RoleArn: str
    inferredUntil: NotRequired[Number]
    """End of the last window that has an execution, in epoch seconds: the next begins there."""
    nextSegmentEnd: NotRequired[Number]
    """Earlier releases wrote it instead: the end of the next window, one DataUploadFrequency long."""
    pauses: NotRequired[Sequence[Pause]]
    """The times, in order, that are left out from `inferredUntil` on."""
    begun: NotRequired[Number]
    """Start of the window whose execution has not ended yet, in epoch seconds."""
    LatestInferenceResult: NotRequired[str]


class ExecutionRecord(_Keyed):
    """An execution of a scheduler, or windows that it missed. `sk` is the start of its data.

    Names and ARNs are those of its scheduler and model: earlier releases wrote them, now they are added when
    it is shown.
    """

    InferenceSchedulerName: NotRequired[str]
    InferenceSchedulerArn: NotRequired[str]
    ModelName: NotRequired[str]
    ModelArn: NotRequired[str]
    ModelVersion: NotRequired[Number]
    ModelVersionArn: NotRequired[str]
    DataInputConfiguration: Structure
    DataOutputConfiguration: Structure
    ScheduledStartTime: Number
    DataStartTime: Number
    DataEndTime: Number
    Status: str
    """`IN_PROGRESS`, `SUCCESS` or `FAILED`."""
    FailedReason: NotRequired[str]
    CustomerResultObject: NotRequired[Structure]
    claimedAt: NotRequired[Decimal]
    """When the call that infers the window began to. An old one may be taken over by another call."""
    attempts: NotRequired[Number]
    """Calls that have begun to infer the window. Missed windows have neither."""
    notices: NotRequired[Sequence[Structure]]
    """What was remarkable about the input: `kind`, `sensor` and `text` of each notice."""
    ExpiresAt: NotRequired[Number | None]
    """When the table drops the record."""


class EventRecord(_Keyed):
    """An inference event: a run of anomalous rows. `sk` is its start."""

    InferenceSchedulerName: str
    InferenceSchedulerArn: str
    EventStartTime: Decimal
    EventEndTime: Decimal
    EventDurationInSeconds: Number
    Diagnostics: str
    summary: NotRequired[str]
    """A sentence about the event, of the execution in which it was strongest."""
    peak: NotRequired[Decimal]
    """Highest anomaly score of that execution."""


class LabelGroupRecord(_Keyed):
    """A label group. `sk` is its name."""

    uuid: str
    """Tells the group from others of the same name, before or after it; part of its ARN."""
    LabelGroupName: str
    LabelGroupArn: str
    FaultCodes: Sequence[str]
    CreatedAt: Decimal
    UpdatedAt: Decimal
    tags: NotRequired[dict[str, str]]
    """Values of the tags by key."""
    labels: Number
    """How many labels there are."""
    longest: Decimal
    """Seconds that the longest label has, or had before it was deleted: no label that ends in an interval
    starts earlier before it."""
    fence: NotRequired[str]
    """Uuid of the model that was created last with the group. A deletion expects it unchanged since it looked
    for trainings."""


class LabelRecord(_Keyed):
    """A label. `sk` is its id, which begins with its start."""

    LabelGroupName: str
    LabelGroupArn: str
    LabelId: str
    StartTime: Decimal
    EndTime: Decimal
    Rating: str
    """`ANOMALY`, `NO_ANOMALY` or `NEUTRAL`."""
    FaultCode: NotRequired[str]
    Equipment: NotRequired[str]
    Notes: NotRequired[str]
    CreatedAt: Decimal


class ResourcePolicyRecord(_Keyed):
    """The policy of a dataset, a model or a model version. `sk` tells versions from their model."""

    uuid: str
    """Tells the policy from others of the resource, before or after it. It outlives replacements."""
    ResourceArn: str
    PolicyRevisionId: str
    """Changes with each replacement."""
    ResourcePolicy: str
    CreationTime: Decimal
    LastModifiedTime: Decimal


class TokenRecord(_Keyed):
    """What a client token was used for. `sk` is the operation with the token."""

    fingerprint: str
    """Hash of the parameters of the request."""
    recordPk: str
    """Partition key of the record that the request created."""
    recordSk: str
    """Its sort key."""
    identityName: str
    """The attribute of that record whose value no other record ever has."""
    identity: str
    """Its value."""
    ExpiresAt: Number
    """When the token is forgotten."""


class SigningKeyRecord(_Keyed):
    """A key that the service signs with. `sk` is what it signs."""

    secret: str
    """The key in hexadecimal digits."""
    CreatedAt: Decimal


class PendingDeletionRecord(_Keyed):
    """What a deleted or unfinished resource has left behind and is to be removed. `sk` is a uuid."""

    prefixes: Sequence[str]
    """Prefixes in the service bucket."""
    partitions: Sequence[str]
    """Partitions of the table."""
    schedules: Sequence[str]
    """Uuids of schedulers whose EventBridge schedules are to be deleted."""
    CreatedAt: Decimal
    removedAt: NotRequired[Decimal]
    """When it was removed for the first time."""
    reserved: NotRequired[bool]
    """Whether the prefixes hold documents of a resource whose creation is under way."""


class IndexEntryRecord(_Keyed):
    """An entry of an index, which says where to look: what it leads to decides whether it still is so.

    `sk` is that of the record; in the index of what is under way, its name and the job, with a slash between.
    """


class IndexStateRecord(_Keyed):
    """How far the indexes can be trusted: the hourly sweeps that have gone over all records."""

    since: Decimal
    """When the first of the sweeps began that followed each other without a gap."""
    latest: Decimal
    """When the last of them began."""
    ExpiresAt: Number
    """When there is a gap, unless another sweep has ended before."""
