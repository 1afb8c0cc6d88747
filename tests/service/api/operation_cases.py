"""What brings each operation to success and to each of its errors: the table of `test_api_conformance`.

To add an operation, add its row to `CASES`. A row says

- `succeeds`: situations in which it succeeds, the first with as many members in the request as may be
  together. Their replies together have every member that a reply can have;
- `fails`: a situation for each error of the model that only some operations have;
- `never`: errors and members of replies that do not happen, each with the reason;
- `pages`: a situation in which a list has three entries or more, and `filters`, for each filter of the list
  a value that keeps some of them.

A situation brings a new service into a state and returns the request that is sent then. The errors that every
operation has (validation, throttling, access denied, internal) need no row.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from service.reconciliation.import_end import record_imported_version
from service.storage.names import (
    DATASET,
    INGESTION_JOB,
    MODEL,
    RETRAINING_SCHEDULER,
    SCHEDULER,
    document_key,
    events_of,
    executions_of,
    version_arn,
    version_key,
    versions_of,
)
from service.storage.store import Update
from tests.service.api.conftest import FIRST, INPUT, LAST, OUTPUT, ROLE, SCHEMA, Service
from tests.service.api.in_process import KEY, NOON

Request = dict[str, Any]
Situation = Callable[[Service], Request]

LIMITS = {
    "datasets": 4,
    "models": 4,
    "label_groups": 4,
    "labels_per_group": 4,
    "pending_models": 2,
    "pending_ingestion_jobs": 2,
    "pending_dataset_imports": 2,
    "pending_model_imports": 2,
    "tags_per_resource": 2,
}
"""Settings of the service in the situations: few of everything, so that limits are soon reached."""

TAGS = [{"Key": "line", "Value": "4"}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The situations of one operation."""

    succeeds: Sequence[Situation]
    fails: Mapping[str, Situation] = field(default_factory=dict)
    never: Mapping[str, str] = field(default_factory=dict)
    pages: Situation | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)


def given(*_: object, **request: Any) -> Request:
    """Return a request, once what stands before it has been done."""
    return request


# States


def ingested(service: Service, name: str = "pump") -> str:
    """A dataset with everything that an ingestion finds; returns the id of the job."""
    service.create_dataset(name, ServerSideKmsKeyId=KEY, Tags=TAGS)
    job = service.start_ingestion(name)
    service.finish_ingestion(job, statistics=[sensor(each) for each in ("flow", "heat", "speed")])
    found = {
        "DataQualitySummary": QUALITY,
        "IngestedFilesSummary": {
            "TotalNumberOfFiles": 2,
            "IngestedNumberOfFiles": 1,
            "DiscardedFiles": [{"Bucket": "customer", "Key": "history/notes.txt"}],
        },
    }
    of_job = {
        "RoleArn": ROLE,
        "IngestionInputConfiguration": {"S3InputConfiguration": {"Bucket": "customer", "Prefix": "history/"}},
    }
    service.context.store.transact(
        Update(INGESTION_JOB, job, found), Update(DATASET, name, {**found, **of_job})
    )
    return job


def failed_ingestion(service: Service, name: str = "fan") -> str:
    """A job that failed; returns its id."""
    service.create_dataset(name)
    job = service.start_ingestion(name)
    service.context.store.transact(
        Update(INGESTION_JOB, job, {"Status": "FAILED", "FailedReason": "no file to ingest"}),
        Update(DATASET, name, {"Status": "CREATED"}),
    )
    return job


def trained(service: Service, name: str = "wear", status: str = "SUCCESS", **more: Any) -> None:
    """A model with everything that a training finds."""
    if service.context.records.dataset("pump") is None:
        ingested(service)
    service.create_model(name, **more)
    model = service.context.records.model(name)
    assert model is not None
    uuid, number = model["uuid"], 1
    keys = {"metricsKey": document_key(uuid, "metrics-1.json")}
    for key in keys.values():
        service.context.service_bucket.put_text(key, '{"labeled_ranges":[]}')
    ended = {"Status": status, "TrainingExecutionEndTime": NOON}
    if status == "FAILED":
        ended |= {"FailedReason": "no row is left to learn from"}
        service.context.store.transact(
            Update(MODEL, name, ended), Update(versions_of(uuid), version_key(number), ended)
        )
        return
    ended |= {**keys, "ModelQuality": "QUALITY_THRESHOLD_MET"}
    results = {"Bucket": "customer", "Key": "points/wear/1/model_diagnostics_results.json.gz"}
    service.context.store.transact(
        Update(
            MODEL,
            name,
            {
                **ended,
                "ActiveModelVersion": 1,
                "ActiveModelVersionArn": version_arn(model["ModelArn"], 1),
                "ModelVersionActivatedAt": NOON,
            },
        ),
        Update(versions_of(uuid), version_key(number), {**ended, "ModelDiagnosticsResultsObject": results}),
    )


def retrained(service: Service, name: str = "wear", versions: int = 3) -> None:
    """A model with versions that retrainings made, the last of which is active."""
    trained(service, name, **MODEL_MEMBERS)
    model = service.context.records.model(name)
    assert model is not None
    first = service.context.records.version(model["uuid"], 1)
    assert first is not None
    prior = document_key(model["uuid"], "prior-metrics.json")
    service.context.service_bucket.put_text(prior, '{"labeled_ranges":[]}')
    for number in range(2, versions + 1):
        result = {"AutoPromotionResult": "MODEL_PROMOTED", "AutoPromotionResultReason": "it has labels"}
        service.context.store.create(
            {
                **first,
                **result,
                "sk": version_key(number),
                "ModelVersion": number,
                "ModelVersionArn": version_arn(model["ModelArn"], number),
                "SourceType": "RETRAINING",
                "CreatedAt": NOON + timedelta(days=30 * number),
                "Status": "FAILED" if number == versions else "SUCCESS",
                "FailedReason": "a reason" if number == versions else None,
                "priorModelVersion": number - 1,
                "RetrainingAvailableDataInDays": 180,
                "priorMetricsKey": prior,
            }
        )
    service.context.store.update(
        MODEL,
        name,
        {
            "PreviousActiveModelVersion": 1,
            "PreviousActiveModelVersionArn": version_arn(model["ModelArn"], 1),
            "PreviousModelVersionActivatedAt": NOON,
            "LatestScheduledRetrainingModelVersion": versions,
            "LatestScheduledRetrainingStatus": "FAILED",
            "LatestScheduledRetrainingFailedReason": "a reason",
            "LatestScheduledRetrainingStartTime": NOON,
            "LatestScheduledRetrainingAvailableDataInDays": 180,
            "AccumulatedInferenceDataStartTime": NOON,
            "AccumulatedInferenceDataEndTime": NOON,
            "priorMetricsKey": prior,
        },
    )


def retraining(service: Service, model: str = "wear", **more: Any) -> None:
    """A retraining scheduler that runs."""
    if service.context.records.model(model) is None:
        trained(service, model)
    service.api.create_retraining_scheduler(**{"ModelName": model, **RETRAINING, **more})


def retraining_stopped(service: Service, model: str = "wear", **more: Any) -> None:
    """A retraining scheduler that does not run."""
    retraining(service, model, **more)
    service.api.stop_retraining_scheduler(ModelName=model)


def retraining_in_state(service: Service, status: str) -> None:
    """A retraining scheduler whose schedule could not be changed yet."""
    retraining(service)
    service.context.store.update(RETRAINING_SCHEDULER, "wear", {"Status": status})
    unchangeable(service)


def group(service: Service, name: str = "faults") -> str:
    """A label group with fault codes; returns its ARN."""
    made = service.api.create_label_group(LabelGroupName=name, FaultCodes=["leak", "wear"], Tags=TAGS)
    arn: str = made["LabelGroupArn"]
    return arn


def label(service: Service, **more: Any) -> str:
    """A label in the group; returns its id."""
    if service.context.records.label_group("faults") is None:
        group(service)
    made = service.api.create_label(**{**FAULTS, **FULL_LABEL, **more})
    label_id: str = made["LabelId"]
    return label_id


def labels(service: Service) -> None:
    """Four labels, an hour apart, that differ in everything."""
    for number, code in enumerate(("leak", "wear", "leak", "wear")):
        start = NOON + timedelta(hours=number)
        of_label = {"FaultCode": code, "Equipment": f"pump {number}"}
        label(service, StartTime=start, EndTime=start + timedelta(minutes=30), **of_label)


def import_dataset(service: Service, name: str = "copy") -> str:
    """An import of a dataset that is under way; returns the id of its job."""
    if service.context.records.dataset("pump") is None:
        ingested(service)
    job_id: str = service.api.import_dataset(SourceDatasetArn=arn_of(service, "pump"), DatasetName=name)[
        "JobId"
    ]
    return job_id


def imported_dataset(service: Service) -> None:
    """A dataset that was imported."""
    service.finish_ingestion(import_dataset(service))
    service.context.store.update(DATASET, "copy", {"SourceDatasetArn": arn_of(service, "pump")})


def version_of_wear(service: Service) -> str:
    """A model version that can be imported; returns its ARN."""
    if service.context.records.model("wear") is None:
        trained(service)
    arn: str = service.api.describe_model(**WEAR)["ActiveModelVersionArn"]
    return arn


def import_version(service: Service, name: str = "copy") -> None:
    """An import of a model version that is under way."""
    arn = version_of_wear(service)
    service.api.import_model_version(SourceModelVersionArn=arn, ModelName=name, **PUMP)


def imported_version(service: Service) -> None:
    """A model whose version was imported."""
    import_version(service)
    model = service.context.records.model("copy")
    assert model is not None
    version = service.context.records.version(model["uuid"], 1)
    assert version is not None
    schema = {"schemaKey": document_key(model["uuid"], "schema.json")}
    service.context.service_bucket.put_text(schema["schemaKey"], json.dumps(SCHEMA))
    record_imported_version(service.context.store, version, members=schema, size=1000, accumulated={})


def arn_of(service: Service, dataset: str) -> str:
    """The ARN of a dataset."""
    arn: str = service.api.describe_dataset(DatasetName=dataset)["DatasetArn"]
    return arn


def policy_of(service: Service) -> str:
    """A dataset with a resource policy; returns its ARN."""
    arn = tagged(service)
    service.api.put_resource_policy(ResourceArn=arn, ResourcePolicy=SHARED)
    return arn


def scheduled(service: Service, name: str = "watch", model: str = "wear", **more: Any) -> None:
    """An inference scheduler that runs."""
    if service.context.records.model(model) is None:
        trained(service, model)
    service.create_scheduler(name, **{"ModelName": model, "ServerSideKmsKeyId": KEY, **more})


def stopped(service: Service, name: str = "watch", **more: Any) -> None:
    """An inference scheduler that does not run."""
    scheduled(service, name, **more)
    service.api.stop_inference_scheduler(InferenceSchedulerName=name)


def in_state(service: Service, status: str, name: str = "watch") -> None:
    """An inference scheduler whose schedule could not be changed yet."""
    scheduled(service, name)
    service.context.store.update(SCHEDULER, name, {"Status": status})
    unchangeable(service)


def unchangeable(service: Service) -> None:
    """Schedules that somebody else keeps changing."""
    schedules = service.context.client("scheduler")

    def fails(**_: Any) -> None:
        error = {"Error": {"Code": "ConflictException"}}
        raise schedules.exceptions.ConflictException(error, "UpdateSchedule")

    schedules.update_schedule = schedules.get_schedule = fails


def inferred(service: Service, name: str = "watch", *, executions: int = 3, **more: Any) -> None:
    """A scheduler with executions, the last of which failed, and an event for each."""
    scheduled(service, name, **more)
    scheduler = service.context.records.scheduler(name)
    assert scheduler is not None
    service.context.store.update(SCHEDULER, name, {"LatestInferenceResult": "ANOMALOUS"})
    for number in range(executions):
        start = NOON + timedelta(minutes=10 * number)
        end = start + timedelta(minutes=5)
        sk = f"{start:%Y-%m-%dT%H:%M:%SZ}"
        failed = number == executions - 1
        service.context.store.create(
            {
                "pk": executions_of(scheduler["uuid"]),
                "sk": sk,
                "DataStartTime": start,
                "DataEndTime": end,
                "ScheduledStartTime": end,
                "DataInputConfiguration": scheduler["DataInputConfiguration"],
                "DataOutputConfiguration": scheduler["DataOutputConfiguration"],
                "ModelVersion": 1,
                **({"Status": "FAILED", "FailedReason": "no file"} if failed else {"Status": "SUCCESS"}),
                **({} if failed else {"CustomerResultObject": {"Bucket": "customer", "Key": f"{sk}/r"}}),
            },
            {
                "pk": events_of(scheduler["uuid"]),
                "sk": sk,
                "InferenceSchedulerName": name,
                "InferenceSchedulerArn": scheduler["InferenceSchedulerArn"],
                "EventStartTime": start,
                "EventEndTime": end,
                "EventDurationInSeconds": 300,
                "Diagnostics": "[]",
            },
        )


def several(make: Callable[[Service, str], object], service: Service, *names: str) -> None:
    """One of a kind for each name."""
    for name in names:
        make(service, name)


def tagged(service: Service) -> str:
    """A dataset with tags; returns its ARN."""
    arn: str = service.create_dataset("pump", Tags=TAGS)["DatasetArn"]
    return arn


def sensor(name: str) -> dict[str, Any]:
    """Statistics of a sensor that has every finding there is."""
    share, found = {"Count": 1, "Percentage": 0.5}, {"Status": "POTENTIAL_ISSUE_DETECTED"}
    shares = ("MissingValues", "InvalidValues", "InvalidDateEntries", "DuplicateTimestamps")
    return {
        "ComponentName": "pump",
        "SensorName": name,
        "DataExists": True,
        **dict.fromkeys(shares, share),
        "CategoricalValues": {**found, "NumberOfCategory": 2},
        "MultipleOperatingModes": found,
        "LargeTimestampGaps": {**found, "NumberOfLargeTimestampGaps": 1, "MaxTimestampGapInDays": 40},
        "MonotonicValues": {**found, "Monotonicity": "STATIC"},
        "DataStartTime": FIRST.timestamp(),
        "DataEndTime": LAST.timestamp(),
    }


QUALITY = {
    "InsufficientSensorData": {
        "MissingCompleteSensorData": {"AffectedSensorCount": 1},
        "SensorsWithShortDateRange": {"AffectedSensorCount": 2},
    },
    "MissingSensorData": {"AffectedSensorCount": 3, "TotalNumberOfMissingValues": 4},
    "InvalidSensorData": {"AffectedSensorCount": 5, "TotalNumberOfInvalidValues": 6},
    "UnsupportedTimestamps": {"TotalNumberOfUnsupportedTimestamps": 7},
    "DuplicateTimestamps": {"TotalNumberOfDuplicateTimestamps": 8},
}


# Requests

INGESTION = {
    "IngestionInputConfiguration": {
        "S3InputConfiguration": {
            "Bucket": "customer",
            "Prefix": "history/",
            "KeyPattern": "{prefix}/{component_name}_*",
        }
    },
    "RoleArn": ROLE,
}
LABEL_FILES = {"S3InputConfiguration": {"Bucket": "customer", "Prefix": "labels/"}}
DIAGNOSTICS = {
    "S3OutputConfiguration": {"Bucket": "customer", "Prefix": "points/"},
    "KmsKeyId": KEY.rpartition("/")[2],
}
MODEL_MEMBERS = {
    "DatasetSchema": {"InlineDataSchema": json.dumps(SCHEMA)},
    "LabelsInputConfiguration": LABEL_FILES,
    "TrainingDataStartTime": FIRST,
    "TrainingDataEndTime": FIRST + timedelta(days=100),
    "EvaluationDataStartTime": FIRST + timedelta(days=100),
    "EvaluationDataEndTime": LAST,
    "RoleArn": ROLE,
    "DataPreProcessingConfiguration": {"TargetSamplingRate": "PT1M"},
    "ServerSideKmsKeyId": KEY,
    "Tags": TAGS,
    "OffCondition": r"pump\flow < 1",
    "ModelDiagnosticsOutputConfiguration": DIAGNOSTICS,
}
FULL_INPUT = {
    **INPUT,
    "InputTimeZoneOffset": "+05:30",
    "InferenceInputNameConfiguration": {"TimestampFormat": "EPOCH", "ComponentTimestampDelimiter": "-"},
}
FULL_OUTPUT = {**OUTPUT, "KmsKeyId": KEY.rpartition("/")[2]}
SCHEDULING = {
    "DataUploadFrequency": "PT5M",
    "DataInputConfiguration": INPUT,
    "DataOutputConfiguration": OUTPUT,
    "RoleArn": ROLE,
}
FULL_SCHEDULING = {
    **SCHEDULING,
    "DataDelayOffsetInMinutes": 3,
    "DataInputConfiguration": FULL_INPUT,
    "DataOutputConfiguration": FULL_OUTPUT,
}
WATCH = {"InferenceSchedulerName": "watch"}
FAULTS = {"LabelGroupName": "faults"}
HOUR = {"StartTime": NOON, "EndTime": NOON + timedelta(hours=1)}
FULL_LABEL = {
    **HOUR,
    "Rating": "ANOMALY",
    "FaultCode": "leak",
    "Notes": "seen by the night shift",
    "Equipment": "pump 3",
}
RETRAINING = {"RetrainingFrequency": "P1M", "LookbackWindow": "P180D"}
FULL_RETRAINING = {**RETRAINING, "RetrainingStartDate": NOON + timedelta(days=30), "PromoteMode": "MANUAL"}
WEAR = {"ModelName": "wear"}
PUMP = {"DatasetName": "pump"}
SHARED = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "222222222222"},
                "Action": "lookoutequipment:ImportDataset",
            }
        ],
    }
)
ALWAYS = {"IntervalStartTime": FIRST, "IntervalEndTime": LAST + timedelta(days=10)}

CONTENDED = "only when five attempts in a row met a change by another request"

CASES: Mapping[str, Case] = {
    "CreateDataset": Case(
        succeeds=[
            lambda _: given(
                **PUMP,
                DatasetSchema={"InlineDataSchema": json.dumps(SCHEMA)},
                ServerSideKmsKeyId=KEY,
                Tags=TAGS,
            ),
            lambda _: given(**PUMP),
        ],
        fails={
            "ConflictException": lambda s: given(s.create_dataset("pump"), **PUMP),
            "ServiceQuotaExceededException": lambda s: given(
                several(Service.create_dataset, s, "a", "b", "c", "d"), **PUMP
            ),
        },
    ),
    "DescribeDataset": Case(
        succeeds=[
            lambda s: given(ingested(s), **PUMP),
            lambda s: given(imported_dataset(s), DatasetName="copy"),
        ],
        fails={"ResourceNotFoundException": lambda _: given(**PUMP)},
        never={"IngestionInputConfiguration.S3InputConfiguration.KeyPattern": "echoed as it was sent"},
    ),
    "ListDatasets": Case(
        succeeds=[lambda s: given(ingested(s))],
        pages=lambda s: given(several(Service.create_dataset, s, "fan", "pump", "pump2")),
        filters={"DatasetNameBeginsWith": "pump"},
    ),
    "DeleteDataset": Case(
        succeeds=[lambda s: given(ingested(s), **PUMP)],
        fails={
            "ResourceNotFoundException": lambda _: given(**PUMP),
            "ConflictException": lambda s: given(s.create_dataset("pump"), s.start_ingestion("pump"), **PUMP),
        },
    ),
    "StartDataIngestionJob": Case(
        succeeds=[lambda s: given(s.create_dataset("pump"), **PUMP, **INGESTION)],
        fails={
            "ResourceNotFoundException": lambda _: given(**PUMP, **INGESTION),
            "ConflictException": lambda s: given(
                s.create_dataset("pump"), s.start_ingestion("pump"), **PUMP, **INGESTION
            ),
            "ServiceQuotaExceededException": lambda s: given(
                several(Service.create_dataset, s, "a", "b", "pump"),
                several(Service.start_ingestion, s, "a", "b"),
                **PUMP,
                **INGESTION,
            ),
        },
    ),
    "DescribeDataIngestionJob": Case(
        succeeds=[
            lambda s: given(JobId=ingested(s)),
            lambda s: given(JobId=failed_ingestion(s)),
            lambda s: given(s.create_dataset("pump"), JobId=s.start_ingestion("pump", **INGESTION)),
            lambda s: given(JobId=import_dataset(s)),
        ],
        fails={"ResourceNotFoundException": lambda _: given(JobId="0" * 32)},
    ),
    "ListDataIngestionJobs": Case(
        succeeds=[lambda s: given(s.create_dataset("pump"), s.start_ingestion("pump", **INGESTION))],
        pages=lambda s: given(
            several(ingested, s, "pump", "press"), several(failed_ingestion, s, "fan", "mill")
        ),
        filters={"DatasetName": "pump", "Status": "FAILED"},
    ),
    "ListSensorStatistics": Case(
        succeeds=[lambda s: given(**PUMP, IngestionJobId=ingested(s)), lambda s: given(ingested(s), **PUMP)],
        fails={"ResourceNotFoundException": lambda s: given(s.create_dataset("pump"), **PUMP)},
        pages=lambda s: given(ingested(s), **PUMP),
    ),
    "CreateModel": Case(
        succeeds=[
            lambda s: given(ingested(s), **WEAR, **PUMP, **MODEL_MEMBERS),
            lambda s: given(ingested(s), **WEAR, **PUMP),
        ],
        fails={
            "ConflictException": lambda s: given(trained(s, "wear"), **WEAR, **PUMP),
            "ResourceNotFoundException": lambda _: given(**WEAR, **PUMP),
            "ServiceQuotaExceededException": lambda s: given(
                several(trained, s, "a", "b", "c", "d"), **WEAR, **PUMP
            ),
        },
    ),
    "DescribeModel": Case(
        succeeds=[
            lambda s: given(retrained(s), retraining(s), **WEAR),
            lambda s: given(trained(s, "wear", "FAILED"), **WEAR),
            lambda s: given(group(s), trained(s, LabelsInputConfiguration=FAULTS), **WEAR),
            lambda s: given(imported_version(s), ModelName="copy"),
        ],
        fails={"ResourceNotFoundException": lambda _: given(**WEAR)},
    ),
    "ListModels": Case(
        succeeds=[lambda s: given(retrained(s), retraining(s))],
        pages=lambda s: given(
            several(trained, s, "wear", "wear2"),
            ingested(s, "fan"),
            trained(s, "leak", "FAILED", DatasetName="fan"),
        ),
        filters={"ModelNameBeginsWith": "wear", "DatasetNameBeginsWith": "fan", "Status": "FAILED"},
    ),
    "UpdateModel": Case(
        succeeds=[
            lambda s: given(
                trained(s),
                **WEAR,
                LabelsInputConfiguration=LABEL_FILES,
                RoleArn=ROLE,
                ModelDiagnosticsOutputConfiguration=DIAGNOSTICS,
            ),
            lambda s: given(trained(s), **WEAR),
        ],
        fails={
            "ResourceNotFoundException": lambda _: given(**WEAR),
            "ConflictException": lambda s: given(ingested(s), s.create_model("wear"), **WEAR),
        },
    ),
    "DeleteModel": Case(
        succeeds=[lambda s: given(trained(s), **WEAR)],
        fails={
            "ResourceNotFoundException": lambda _: given(**WEAR),
            "ConflictException": lambda s: given(scheduled(s), **WEAR),
        },
    ),
    "DescribeModelVersion": Case(
        succeeds=[
            lambda s: given(retrained(s), **WEAR, ModelVersion=2),
            lambda s: given(trained(s, "wear", "FAILED"), **WEAR, ModelVersion=1),
            lambda s: given(group(s), trained(s, LabelsInputConfiguration=FAULTS), **WEAR, ModelVersion=1),
            lambda s: given(imported_version(s), ModelName="copy", ModelVersion=1),
        ],
        fails={"ResourceNotFoundException": lambda s: given(trained(s), **WEAR, ModelVersion=2)},
    ),
    "ListModelVersions": Case(
        succeeds=[lambda s: given(retrained(s), **WEAR)],
        never={"ResourceNotFoundException": "a model that does not exist has no versions: the list is empty"},
        pages=lambda s: given(retrained(s, versions=4), **WEAR),
        filters={
            "Status": "FAILED",
            "SourceType": "RETRAINING",
            "CreatedAtStartTime": NOON + timedelta(days=1),
            "CreatedAtEndTime": NOON + timedelta(days=61),
            "MinModelVersion": 2,
            "MaxModelVersion": 3,
        },
    ),
    "UpdateActiveModelVersion": Case(
        succeeds=[lambda s: given(retrained(s), **WEAR, ModelVersion=2)],
        fails={
            "ResourceNotFoundException": lambda s: given(trained(s), **WEAR, ModelVersion=2),
            "ConflictException": lambda s: given(retrained(s), **WEAR, ModelVersion=3),
        },
    ),
    "CreateRetrainingScheduler": Case(
        succeeds=[
            lambda s: given(trained(s), **WEAR, **FULL_RETRAINING),
            lambda s: given(trained(s), **WEAR, **RETRAINING),
        ],
        fails={
            "ResourceNotFoundException": lambda _: given(**WEAR, **RETRAINING),
            "ConflictException": lambda s: given(retraining(s), **WEAR, **RETRAINING),
        },
    ),
    "DescribeRetrainingScheduler": Case(
        succeeds=[lambda s: given(retraining(s), **WEAR)],
        fails={"ResourceNotFoundException": lambda s: given(trained(s), **WEAR)},
    ),
    "ListRetrainingSchedulers": Case(
        succeeds=[lambda s: given(retraining(s))],
        pages=lambda s: given(retraining(s, "wear"), retraining_stopped(s, "wear2"), retraining(s, "leak")),
        filters={"ModelNameBeginsWith": "wear", "Status": "STOPPED"},
    ),
    "UpdateRetrainingScheduler": Case(
        succeeds=[
            lambda s: given(retraining(s), **WEAR, **FULL_RETRAINING),
            lambda s: given(retraining_stopped(s), **WEAR),
        ],
        fails={
            "ResourceNotFoundException": lambda s: given(trained(s), **WEAR),
            "ConflictException": lambda s: given(retraining_in_state(s, "STOPPING"), **WEAR),
        },
    ),
    "StartRetrainingScheduler": Case(
        succeeds=[
            lambda s: given(retraining_stopped(s), **WEAR),
            lambda s: given(retraining(s), **WEAR),
        ],
        fails={
            "ResourceNotFoundException": lambda s: given(trained(s), **WEAR),
            "ConflictException": lambda s: given(retraining_in_state(s, "STOPPING"), **WEAR),
        },
    ),
    "StopRetrainingScheduler": Case(
        succeeds=[
            lambda s: given(retraining(s), **WEAR),
            lambda s: given(retraining_stopped(s), **WEAR),
        ],
        fails={
            "ResourceNotFoundException": lambda s: given(trained(s), **WEAR),
            "ConflictException": lambda s: given(retraining_in_state(s, "PENDING"), **WEAR),
        },
    ),
    "DeleteRetrainingScheduler": Case(
        succeeds=[lambda s: given(retraining_stopped(s), **WEAR)],
        fails={
            "ResourceNotFoundException": lambda s: given(trained(s), **WEAR),
            "ConflictException": lambda s: given(retraining(s), **WEAR),
        },
    ),
    "CreateLabelGroup": Case(
        succeeds=[
            lambda _: given(**FAULTS, FaultCodes=["leak"], Tags=TAGS),
            lambda _: given(**FAULTS),
        ],
        fails={
            "ConflictException": lambda s: given(group(s), **FAULTS),
            "ServiceQuotaExceededException": lambda s: given(several(group, s, "a", "b", "c", "d"), **FAULTS),
        },
    ),
    "DescribeLabelGroup": Case(
        succeeds=[lambda s: given(group(s), **FAULTS)],
        fails={"ResourceNotFoundException": lambda _: given(**FAULTS)},
    ),
    "ListLabelGroups": Case(
        succeeds=[lambda s: given(group(s))],
        pages=lambda s: given(several(group, s, "faults", "faults2", "repairs")),
        filters={"LabelGroupNameBeginsWith": "faults"},
    ),
    "UpdateLabelGroup": Case(
        succeeds=[
            lambda s: given(group(s), **FAULTS, FaultCodes=["rust"]),
            lambda s: given(group(s), **FAULTS),
        ],
        fails={"ResourceNotFoundException": lambda _: given(**FAULTS)},
        never={"ConflictException": CONTENDED},
    ),
    "DeleteLabelGroup": Case(
        succeeds=[lambda s: given(labels(s), **FAULTS)],
        fails={
            "ResourceNotFoundException": lambda _: given(**FAULTS),
            "ConflictException": lambda s: given(
                ingested(s), group(s), s.create_model("wear", LabelsInputConfiguration=FAULTS), **FAULTS
            ),
        },
    ),
    "CreateLabel": Case(
        succeeds=[
            lambda s: given(group(s), **FAULTS, **FULL_LABEL),
            lambda s: given(group(s), **FAULTS, **HOUR, Rating="NEUTRAL"),
        ],
        fails={
            "ResourceNotFoundException": lambda _: given(**FAULTS, **FULL_LABEL),
            "ServiceQuotaExceededException": lambda s: given(labels(s), **FAULTS, **FULL_LABEL),
        },
        never={"ConflictException": CONTENDED},
    ),
    "DescribeLabel": Case(
        succeeds=[lambda s: given(**FAULTS, LabelId=label(s))],
        fails={"ResourceNotFoundException": lambda s: given(group(s), **FAULTS, LabelId="0" * 32)},
    ),
    "ListLabels": Case(
        succeeds=[lambda s: given(label(s), **FAULTS)],
        pages=lambda s: given(labels(s), **FAULTS),
        filters={
            "IntervalStartTime": NOON + timedelta(hours=1),
            "IntervalEndTime": NOON + timedelta(hours=3),
            "FaultCode": "leak",
            "Equipment": "pump 2",
        },
    ),
    "DeleteLabel": Case(
        succeeds=[lambda s: given(**FAULTS, LabelId=label(s))],
        fails={"ResourceNotFoundException": lambda s: given(group(s), **FAULTS, LabelId="0" * 32)},
        never={"ConflictException": CONTENDED},
    ),
    "ImportDataset": Case(
        succeeds=[
            lambda s: given(
                ingested(s),
                SourceDatasetArn=arn_of(s, "pump"),
                DatasetName="copy",
                ServerSideKmsKeyId=KEY,
                Tags=TAGS,
            ),
        ],
        fails={
            "ResourceNotFoundException": lambda s: given(
                SourceDatasetArn=f"{tagged(s)}0", DatasetName="copy"
            ),
            "ConflictException": lambda s: given(
                import_dataset(s), SourceDatasetArn=arn_of(s, "pump"), DatasetName="copy"
            ),
            "ServiceQuotaExceededException": lambda s: given(
                several(import_dataset, s, "a", "b"), SourceDatasetArn=arn_of(s, "pump"), DatasetName="copy"
            ),
        },
    ),
    "ImportModelVersion": Case(
        succeeds=[
            lambda s: given(
                SourceModelVersionArn=version_of_wear(s),
                ModelName="copy",
                **PUMP,
                LabelsInputConfiguration=LABEL_FILES,
                RoleArn=ROLE,
                ServerSideKmsKeyId=KEY,
                Tags=TAGS,
                InferenceDataImportStrategy="OVERWRITE",
            ),
            lambda s: given(SourceModelVersionArn=version_of_wear(s), ModelName="copy", **PUMP),
        ],
        fails={
            "ResourceNotFoundException": lambda s: given(
                SourceModelVersionArn=version_of_wear(s), ModelName="copy", DatasetName="none"
            ),
            "ConflictException": lambda s: given(
                import_version(s), SourceModelVersionArn=version_of_wear(s), ModelName="copy", **PUMP
            ),
            "ServiceQuotaExceededException": lambda s: given(
                several(import_version, s, "a", "b"),
                SourceModelVersionArn=version_of_wear(s),
                ModelName="copy",
                **PUMP,
            ),
        },
    ),
    "PutResourcePolicy": Case(
        succeeds=[lambda s: given(ResourceArn=tagged(s), ResourcePolicy=SHARED)],
        fails={
            "ResourceNotFoundException": lambda s: given(ResourceArn=f"{tagged(s)}0", ResourcePolicy=SHARED),
            "ConflictException": lambda s: given(
                ResourceArn=policy_of(s), ResourcePolicy=SHARED, PolicyRevisionId="abc"
            ),
        },
        never={"ServiceQuotaExceededException": "a resource has one policy, and its length is validated"},
    ),
    "DescribeResourcePolicy": Case(
        succeeds=[lambda s: given(ResourceArn=policy_of(s))],
        fails={"ResourceNotFoundException": lambda s: given(ResourceArn=tagged(s))},
    ),
    "DeleteResourcePolicy": Case(
        succeeds=[lambda s: given(ResourceArn=policy_of(s))],
        fails={"ResourceNotFoundException": lambda s: given(ResourceArn=tagged(s))},
        never={"ConflictException": CONTENDED},
    ),
    "CreateInferenceScheduler": Case(
        succeeds=[
            lambda s: given(
                trained(s), **WEAR, **WATCH, **FULL_SCHEDULING, ServerSideKmsKeyId=KEY, Tags=TAGS
            ),
            lambda s: given(trained(s), **WEAR, **WATCH, **SCHEDULING),
        ],
        fails={
            "ConflictException": lambda s: given(scheduled(s), **WEAR, **WATCH, **SCHEDULING),
            "ResourceNotFoundException": lambda _: given(**WEAR, **WATCH, **SCHEDULING),
            "ServiceQuotaExceededException": lambda s: given(
                scheduled(s, "guard"), **WEAR, **WATCH, **SCHEDULING
            ),
        },
    ),
    "DescribeInferenceScheduler": Case(
        succeeds=[lambda s: given(inferred(s, **FULL_SCHEDULING), **WATCH)],
        fails={"ResourceNotFoundException": lambda _: given(**WATCH)},
    ),
    "ListInferenceSchedulers": Case(
        succeeds=[lambda s: given(inferred(s))],
        pages=lambda s: given(
            several(trained, s, "wear", "leak", "rust"),
            scheduled(s, "watch"),
            stopped(s, "watch2", model="leak"),
            scheduled(s, "guard", "rust"),
        ),
        filters={"InferenceSchedulerNameBeginsWith": "watch", "ModelName": "leak", "Status": "STOPPED"},
    ),
    "UpdateInferenceScheduler": Case(
        succeeds=[
            lambda s: given(scheduled(s), **WATCH, **FULL_SCHEDULING),
            lambda s: given(stopped(s), **WATCH),
        ],
        fails={
            "ResourceNotFoundException": lambda _: given(**WATCH),
            "ConflictException": lambda s: given(in_state(s, "STOPPING"), **WATCH),
        },
    ),
    "StartInferenceScheduler": Case(
        succeeds=[lambda s: given(stopped(s), **WATCH), lambda s: given(scheduled(s), **WATCH)],
        fails={
            "ResourceNotFoundException": lambda _: given(**WATCH),
            "ConflictException": lambda s: given(stopped(s), s.api.delete_model(**WEAR), **WATCH),
        },
    ),
    "StopInferenceScheduler": Case(
        succeeds=[lambda s: given(scheduled(s), **WATCH), lambda s: given(stopped(s), **WATCH)],
        fails={
            "ResourceNotFoundException": lambda _: given(**WATCH),
            "ConflictException": lambda s: given(in_state(s, "PENDING"), **WATCH),
        },
    ),
    "DeleteInferenceScheduler": Case(
        succeeds=[lambda s: given(stopped(s), **WATCH)],
        fails={
            "ResourceNotFoundException": lambda _: given(**WATCH),
            "ConflictException": lambda s: given(scheduled(s), **WATCH),
        },
    ),
    "ListInferenceExecutions": Case(
        succeeds=[lambda s: given(inferred(s, **FULL_SCHEDULING), **WATCH)],
        never={"ResourceNotFoundException": "of a scheduler that does not exist, the list is empty"},
        pages=lambda s: given(inferred(s, executions=4), **WATCH),
        filters={
            "Status": "FAILED",
            "DataStartTimeAfter": NOON + timedelta(minutes=10),
            "DataEndTimeBefore": NOON + timedelta(minutes=15),
        },
    ),
    "ListInferenceEvents": Case(
        succeeds=[lambda s: given(inferred(s), **WATCH, **ALWAYS)],
        fails={"ResourceNotFoundException": lambda _: given(**WATCH, **ALWAYS)},
        pages=lambda s: given(inferred(s, executions=4), **WATCH, **ALWAYS),
        filters={
            "IntervalStartTime": NOON + timedelta(minutes=15),
            "IntervalEndTime": NOON + timedelta(minutes=20),
        },
    ),
    "TagResource": Case(
        succeeds=[lambda s: given(ResourceArn=tagged(s), Tags=[{"Key": "site", "Value": ""}])],
        fails={
            "ResourceNotFoundException": lambda s: given(ResourceArn=f"{tagged(s)}0", Tags=TAGS),
            "ServiceQuotaExceededException": lambda s: given(
                ResourceArn=tagged(s), Tags=[{"Key": key, "Value": "x"} for key in ("a", "b", "c")]
            ),
        },
    ),
    "UntagResource": Case(
        succeeds=[lambda s: given(ResourceArn=tagged(s), TagKeys=["line", "unknown"])],
        fails={"ResourceNotFoundException": lambda s: given(ResourceArn=f"{tagged(s)}0", TagKeys=["line"])},
    ),
    "ListTagsForResource": Case(
        succeeds=[lambda s: given(ResourceArn=tagged(s))],
        fails={"ResourceNotFoundException": lambda s: given(ResourceArn=f"{tagged(s)}0")},
    ),
}
