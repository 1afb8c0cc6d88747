"""A strict, in-process L4E: the states, conflicts, quotas, tags and tokens that the custom resources meet.

It knows nothing of the handlers. Time is a virtual clock: jobs finish when it has advanced far enough.
"""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from botocore.model import ListShape, ServiceModel, Shape, StructureShape

from custom_resources.request import OWNER_TAG, REQUEST_TAG

ACCOUNT = "111122223333"
INGESTION_SECONDS = 15
TRAINING_SECONDS = 25
TRANSITION_SECONDS = 15
QUOTA = {"datasets": 15, "models": 15, "label groups": 15, "pending": 5, "schedulers per model": 1}


class ApiError(Exception):
    """A modelled error of the service."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status

    def from_boto3(self, operation: str) -> ClientError:
        """The exception that boto3 makes of it."""
        response: Any = {
            "Error": {"Code": self.code, "Message": self.message},
            "ResponseMetadata": {"HTTPStatusCode": self.status},
        }
        return ClientError(response, operation)


@dataclass
class Thing:
    """A resource: its API record, tags, and what only the service knows."""

    record: dict[str, Any]
    arn: str
    tags: dict[str, str]
    uuid: str
    invisible_reads: int = 0
    until: float = 0
    then: str = ""


class FakeService:
    """`call` answers one operation; the public attributes are knobs and windows for tests."""

    def __init__(self, model: ServiceModel, clock: Callable[[], float]) -> None:
        self._model = model
        self._clock = clock
        self.datasets: dict[str, Thing] = {}
        self.models: dict[str, Thing] = {}
        self.schedulers: dict[str, Thing] = {}
        self.retrainings: dict[str, Thing] = {}  # retraining schedulers by model; what tests know them by
        self.jobs: dict[str, Thing] = {}
        self.versions: dict[str, dict[int, str]] = {}  # states of versions that retrainings made, by model
        self.copies: dict[str, Thing] = {}  # imported versions of models by ARN
        self.label_groups: dict[str, Thing] = {}
        self.labels: dict[str, dict[str, Any]] = {}
        self.policies: dict[str, Thing] = {}  # by kind and name of their resource
        self.tokens: dict[tuple[str, str], tuple[dict[str, Any], str]] = {}
        self.visibility_lag = 0
        self.strict_updates = False  # a service that updates only stopped schedulers
        self.unready_roles: dict[str, int] = {}
        self.cuts_short = False  # a start or a stop is finished by nothing but its repetition
        self.frozen = False  # nothing ever finishes
        self.data_corrected = False  # what was bad is good now
        self.spoil = False  # what is imported is bad
        self.serial = 0

    # -- what tests look at and do behind everybody's back

    def everything(self) -> dict[str, Thing]:
        """All named resources by ARN."""
        kinds = (
            self.datasets,
            self.models,
            self.schedulers,
            self.label_groups,
            self.retrainings,
            self.policies,
        )
        return {thing.arn: thing for kind in kinds for thing in kind.values()}

    def seed_dataset(self, name: str) -> Thing:
        """A dataset of somebody else, with data in it."""
        record = {
            "DatasetName": name,
            "Status": "ACTIVE",
            "CreatedAt": self._clock(),
            "IngestionInputConfiguration": {"S3InputConfiguration": {"Bucket": "somebody"}},
        }
        return self._add(self.datasets, word="dataset", name=name, record=record, p={})

    def seed_policy(self, arn: str, document: dict[str, Any]) -> Thing:
        """A policy of somebody else."""
        self._PutResourcePolicy({"ResourceArn": arn, "ResourcePolicy": json.dumps(document)})
        return self.policies[_policy_key(arn)]

    def seed_model(self, name: str, *, status: str = "SUCCESS") -> Thing:
        """A model of somebody else."""
        record = {"ModelName": name, "DatasetName": "plant", "Status": status, "CreatedAt": self._clock()}
        if status == "FAILED":
            record["FailedReason"] = "too little data"
        return self._add(self.models, word="model", name=name, record=record, p={})

    def seed_label_group(self, name: str) -> Thing:
        """A label group of somebody else."""
        record = {"LabelGroupName": name, "FaultCodes": [], "CreatedAt": self._clock()}
        return self._add(self.label_groups, word="label-group", name=name, record=record, p={})

    def labels_in(self, group: Thing) -> list[dict[str, Any]]:
        """The labels of a group."""
        return [label for label in self.labels.values() if label["LabelGroupArn"] == group.arn]

    def hold(self, thing: Thing, status: str, *, until: float) -> None:
        """Somebody else's work keeps a resource in a state."""
        thing.then = thing.record["Status"] if thing.record["Status"] != status else "SUCCESS"
        thing.record["Status"], thing.until = status, until

    def settle(self) -> None:
        """Apply every transition whose time has come."""
        now = self._clock()
        kinds = (self.datasets, self.jobs, self.models, self.copies, self.schedulers, self.retrainings)
        for kind in kinds:
            for thing in kind.values():
                if thing.then and now >= thing.until and not self._stands_still(thing):
                    self._transit(thing)

    # -- the wire

    def call(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one operation or raise ApiError."""
        self.settle()
        shape = self._model.operation_model(operation).input_shape
        assert shape is not None
        _check(shape, parameters, operation)
        handler = getattr(self, f"_{operation}", None)
        if handler is None:
            raise ApiError("ValidationException", f"{operation} is not part of this fake")
        token = parameters.get("ClientToken")
        if token is None:
            answer: dict[str, Any] = handler(dict(parameters))
            return answer
        return self._once(operation, token, {k: v for k, v in parameters.items() if k != "ClientToken"})

    def _once(self, operation: str, token: str, parameters: dict[str, Any]) -> dict[str, Any]:
        seen = self.tokens.get((operation, token))
        if seen:
            before, made = seen
            if before != parameters:
                raise ApiError("ValidationException", "ClientToken was used with other parameters")
            thing = self.jobs.get(made) or self.copies.get(made) or self.everything().get(made)
            if operation == "CreateRetrainingScheduler":  # whose record has the ARN of its model
                thing = next((each for each in self.retrainings.values() if each.uuid == made), None)
            record = thing.record if thing else self.labels.get(made)
            if record:
                return dict(record)
        answer: dict[str, Any] = getattr(self, f"_{operation}")(dict(parameters))
        if operation == "CreateRetrainingScheduler":
            self.tokens[operation, token] = (parameters, self.retrainings[parameters["ModelName"]].uuid)
            return answer
        named = ("JobId", "ModelVersionArn", "LabelId", "LabelGroupArn", "InferenceSchedulerArn", "ModelArn")
        key = next((answer[name] for name in named if name in answer), None)
        self.tokens[operation, token] = (parameters, str(key or answer.get("DatasetArn")))
        return answer

    # -- datasets and ingestion

    def _CreateDataset(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - the API's name
        self._new(self.datasets, "dataset", p["DatasetName"], QUOTA["datasets"])
        record = {"DatasetName": p["DatasetName"], "Status": "CREATED", "CreatedAt": self._clock()}
        if "DatasetSchema" in p:
            record["Schema"] = p["DatasetSchema"]["InlineDataSchema"]
        if "ServerSideKmsKeyId" in p:
            record["ServerSideKmsKeyId"] = p["ServerSideKmsKeyId"]
        return self._add(self.datasets, word="dataset", name=p["DatasetName"], record=record, p=p).record

    def _DescribeDataset(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return self._read(self.datasets, "dataset", p["DatasetName"]).record

    def _DeleteDataset(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        thing = self._get(self.datasets, "dataset", p["DatasetName"])
        if thing.record["Status"] in {"INGESTION_IN_PROGRESS", "IMPORT_IN_PROGRESS"}:
            raise ApiError("ConflictException", f"ingestion into dataset {p['DatasetName']} is in progress")
        for scheduler in self.schedulers.values():
            model = self.models.get(scheduler.record["ModelName"])
            if model and model.record["DatasetName"] == p["DatasetName"]:
                name = scheduler.record["InferenceSchedulerName"]
                raise ApiError(
                    "ConflictException", f"inference scheduler {name} uses dataset {p['DatasetName']}"
                )
        self.policies.pop(_policy_key(thing.arn), None)
        del self.datasets[p["DatasetName"]]
        return {}

    def _StartDataIngestionJob(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        dataset = self._get(self.datasets, "dataset", p["DatasetName"])
        self._assume(p["RoleArn"])
        if dataset.record["Status"] == "INGESTION_IN_PROGRESS":
            raise ApiError("ConflictException", f"dataset {p['DatasetName']} is being ingested already")
        pending = sum(job.record["Status"] == "IN_PROGRESS" for job in self.jobs.values())
        if pending >= QUOTA["pending"]:
            raise ApiError(
                "ServiceQuotaExceededException", f"{pending} pending data ingestion jobs (limit 5)"
            )
        job_id = self._uuid().replace("-", "")
        record = {
            "JobId": job_id,
            "DatasetName": p["DatasetName"],
            "DatasetArn": dataset.arn,
            "IngestionInputConfiguration": p["IngestionInputConfiguration"],
            "RoleArn": p["RoleArn"],
            "CreatedAt": self._clock(),
            "Status": "IN_PROGRESS",
        }
        bad = "bad" in p["IngestionInputConfiguration"]["S3InputConfiguration"].get("Prefix", "")
        bad = bad and not self.data_corrected
        self.jobs[job_id] = Thing(
            record=record,
            arn=dataset.arn,
            tags={},
            uuid=job_id,
            until=self._clock() + INGESTION_SECONDS,
            then="FAILED" if bad else "SUCCESS",
        )
        dataset.record["Status"] = "INGESTION_IN_PROGRESS"
        return record

    def _ImportDataset(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        name = p["DatasetName"]
        dataset = self.datasets.get(name)
        if dataset is None:
            self._new(self.datasets, "dataset", name, QUOTA["datasets"])
            record = {"DatasetName": name, "CreatedAt": self._clock()}
            dataset = self._add(self.datasets, word="dataset", name=name, record=record, p=p)
        elif dataset.record["Status"] not in {"CREATED", "ACTIVE"}:
            raise ApiError("ConflictException", f"dataset {name} is {dataset.record['Status']}")
        dataset.tags.update({tag["Key"]: tag["Value"] for tag in p.get("Tags", ())})
        dataset.record["Status"] = "IMPORT_IN_PROGRESS"
        job_id = self._uuid().replace("-", "")
        record = {
            "JobId": job_id,
            "DatasetName": name,
            "DatasetArn": dataset.arn,
            "SourceDatasetArn": p["SourceDatasetArn"],
            "CreatedAt": self._clock(),
            "Status": "IMPORT_IN_PROGRESS",
        }
        self.jobs[job_id] = self._import(record, dataset.arn, p["SourceDatasetArn"], job_id)
        return record

    def _import(self, record: dict[str, Any], arn: str, source: str, identity: str) -> Thing:
        bad = self.spoil or ("bad" in source and not self.data_corrected)
        then, until = "FAILED" if bad else "SUCCESS", self._clock() + INGESTION_SECONDS
        return Thing(record=record, arn=arn, tags={}, uuid=identity, until=until, then=then)

    def _DescribeDataIngestionJob(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        if p["JobId"] not in self.jobs:
            raise ApiError("ResourceNotFoundException", f"ingestion job {p['JobId']} does not exist")
        return self.jobs[p["JobId"]].record

    def _ListDataIngestionJobs(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        found = [
            job.record
            for job in reversed(self.jobs.values())
            if p.get("DatasetName") in {None, job.record["DatasetName"]}
            and p.get("Status") in {None, job.record["Status"]}
        ]
        return {"DataIngestionJobSummaries": found[: p.get("MaxResults", 50)]}

    # -- label groups

    def _CreateLabelGroup(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        name = p["LabelGroupName"]
        self._new(self.label_groups, "label group", name, QUOTA["label groups"])
        record = {"LabelGroupName": name, "FaultCodes": p.get("FaultCodes", []), "CreatedAt": self._clock()}
        return self._add(self.label_groups, word="label-group", name=name, record=record, p=p).record

    def _DescribeLabelGroup(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return self._read(self.label_groups, "label group", p["LabelGroupName"]).record

    def _UpdateLabelGroup(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._get(self.label_groups, "label group", p["LabelGroupName"]).record.update(p)
        return {}

    def _DeleteLabelGroup(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        group = self._get(self.label_groups, "label group", p["LabelGroupName"])
        for model in self.models.values():
            labels = model.record.get("LabelsInputConfiguration", {})
            if (
                labels.get("LabelGroupName") == p["LabelGroupName"]
                and model.record["Status"] == "IN_PROGRESS"
            ):
                raise ApiError(
                    "ConflictException", f"model {model.record['ModelName']} is in training with it"
                )
        del self.label_groups[p["LabelGroupName"]]
        for label in self.labels_in(group):
            del self.labels[label["LabelId"]]
        return {}

    def _CreateLabel(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        group = self._get(self.label_groups, "label group", p["LabelGroupName"])
        if p.get("FaultCode") not in {None, *group.record["FaultCodes"]}:
            raise ApiError("ValidationException", f"FaultCode {p['FaultCode']} is not one of the group")
        label_id = self._uuid().replace("-", "")
        self.labels[label_id] = {**p, "LabelId": label_id, "LabelGroupArn": group.arn}
        return {"LabelId": label_id}

    def _DeleteLabel(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        group = self._get(self.label_groups, "label group", p["LabelGroupName"])
        if p["LabelId"] not in {label["LabelId"] for label in self.labels_in(group)}:
            raise ApiError("ResourceNotFoundException", f"label {p['LabelId']} does not exist")
        del self.labels[p["LabelId"]]
        return {}

    # -- models

    def _CreateModel(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        dataset = self._get(self.datasets, "dataset", p["DatasetName"])
        if "RoleArn" in p:
            self._assume(p["RoleArn"])
        self._new(self.models, "model", p["ModelName"], QUOTA["models"])
        if dataset.record["Status"] != "ACTIVE":
            raise ApiError(
                "ConflictException", f"dataset {p['DatasetName']} is {dataset.record['Status']}, not ACTIVE"
            )
        pending = sum(model.record["Status"] == "IN_PROGRESS" for model in self.models.values())
        if pending >= QUOTA["pending"]:
            raise ApiError("ServiceQuotaExceededException", f"{pending} pending models (limit 5)")
        record = {key: value for key, value in p.items() if key not in {"Tags", "DatasetSchema"}}
        record |= {"Status": "IN_PROGRESS", "CreatedAt": self._clock(), "DatasetArn": dataset.arn}
        record["TrainingExecutionStartTime"] = self._clock()
        thing = self._add(self.models, word="model", name=p["ModelName"], record=record, p=p)
        thing.until = self._clock() + TRAINING_SECONDS
        bad = p["ModelName"].startswith("bad") and not self.data_corrected
        thing.then = "FAILED" if bad else "SUCCESS"
        return thing.record

    def _ImportModelVersion(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        name, number = p["ModelName"], 1
        dataset = self._get(self.datasets, "dataset", p["DatasetName"])
        if dataset.record["Status"] != "ACTIVE":
            raise ApiError("ConflictException", f"dataset {p['DatasetName']} is not ACTIVE")
        if "RoleArn" in p:
            self._assume(p["RoleArn"])
        model = self.models.get(name)
        changes = {each: p[each] for each in ("LabelsInputConfiguration", "RoleArn") if each in p}
        if model is None:
            self._new(self.models, "model", name, QUOTA["models"])
            record = {"ModelName": name, "DatasetName": p["DatasetName"], "DatasetArn": dataset.arn}
            record |= {**changes, "Status": "IMPORT_IN_PROGRESS", "CreatedAt": self._clock()}
            record["SourceModelVersionArn"] = p["SourceModelVersionArn"]
            model = self._add(self.models, word="model", name=name, record=record, p=p)
        else:
            self._require_settled(name)
            if model.record["DatasetName"] != p["DatasetName"]:
                raise ApiError("ValidationException", f"model {name} has another dataset")
            given = {tag["Key"]: tag["Value"] for tag in p.get("Tags", ())}
            if OWNER_TAG in given and given[OWNER_TAG] != model.tags.get(OWNER_TAG):
                raise ApiError("ConflictException", f"model {name} belongs to others")
            model.record.update(changes)
            model.tags.update(given)
            own = [copy.record["ModelVersion"] for copy in self._copies_of(model.arn)]
            number = max([*own, *self.versions.get(name, {})], default=0) + 1
        arn = f"{model.arn}/model-version/{number}"
        version = {
            "ModelName": name,
            "ModelArn": model.arn,
            "ModelVersion": number,
            "ModelVersionArn": arn,
            "SourceType": "IMPORT",
            "SourceModelVersionArn": p["SourceModelVersionArn"],
            "ImportJobStartTime": self._clock(),
            "Status": "IMPORT_IN_PROGRESS",
        }
        self.copies[arn] = self._import(version, arn, p["SourceModelVersionArn"], arn)
        return version

    def _copies_of(self, model_arn: str) -> list[Thing]:
        return [copy for copy in self.copies.values() if copy.record["ModelArn"] == model_arn]

    def _require_settled(self, name: str) -> None:
        model = self._get(self.models, "model", name)
        if model.record["Status"] == "IN_PROGRESS":
            raise ApiError("ConflictException", f"model {name} is in training")
        if any(copy.record["Status"] == "IMPORT_IN_PROGRESS" for copy in self._copies_of(model.arn)):
            raise ApiError("ConflictException", f"a version of model {name} is being imported")

    def _ListModelVersions(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        copies = self._copies_of(self._get(self.models, "model", p["ModelName"]).arn)
        found = [copy.record for copy in copies if copy.record["Status"] == p["Status"]]
        at = int(p.get("NextToken", 0))  # pages of one
        more = {"NextToken": str(at + 1)} if at + 1 < len(found) else {}
        return {"ModelVersionSummaries": found[at : at + 1], **more}

    def _DescribeModel(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return self._read(self.models, "model", p["ModelName"]).record

    def _DescribeModelVersion(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        record = self._get(self.models, "model", p["ModelName"]).record
        for copy in self._copies_of(record["ModelArn"]):
            if copy.record["ModelVersion"] == p["ModelVersion"]:
                return copy.record
        versions = {1: record["Status"], **self.versions.get(p["ModelName"], {})}
        if p["ModelVersion"] not in versions:
            raise ApiError("ResourceNotFoundException", f"version {p['ModelVersion']} does not exist")
        status = versions[p["ModelVersion"]]
        return {"ModelName": p["ModelName"], "ModelVersion": p["ModelVersion"], "Status": status}

    def _UpdateActiveModelVersion(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        if self._DescribeModelVersion(p)["Status"] != "SUCCESS":
            raise ApiError("ConflictException", f"version {p['ModelVersion']} is not SUCCESS")
        self._activate(self.models[p["ModelName"]], p["ModelVersion"])
        return {"ModelName": p["ModelName"], "CurrentActiveVersion": p["ModelVersion"]}

    def _UpdateModel(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        thing = self._get(self.models, "model", p["ModelName"])
        self._require_settled(p["ModelName"])
        if "RoleArn" in p:
            self._assume(p["RoleArn"])
        thing.record.update(p)
        if p.get("LabelsInputConfiguration") == {}:
            del thing.record["LabelsInputConfiguration"]
        return {}

    def _DeleteModel(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        thing = self._get(self.models, "model", p["ModelName"])
        self._require_settled(p["ModelName"])
        for scheduler in self.schedulers.values():
            used = scheduler.record["ModelName"] == p["ModelName"]
            if used and scheduler.record["Status"] != "STOPPED":
                raise ApiError(
                    "ConflictException", f"model {p['ModelName']} has a scheduler that is not STOPPED"
                )
        retraining = self.retrainings.get(p["ModelName"])
        if retraining and retraining.record["Status"] != "STOPPED":
            raise ApiError(
                "ConflictException", f"the retraining scheduler of {p['ModelName']} is not STOPPED"
            )
        self.retrainings.pop(p["ModelName"], None)
        self.policies.pop(_policy_key(thing.arn), None)
        for copy in self._copies_of(thing.arn):
            del self.copies[copy.arn]
        del self.models[p["ModelName"]]
        return {}

    # -- schedulers

    def _CreateInferenceScheduler(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        model = self._get(self.models, "model", p["ModelName"])
        self._assume(p["RoleArn"])
        name = p["InferenceSchedulerName"]
        self._new(self.schedulers, "inference scheduler", name, 10_000)
        if model.record["Status"] != "SUCCESS":
            raise ApiError(
                "ConflictException", f"model {p['ModelName']} is {model.record['Status']}, not SUCCESS"
            )
        same = [s for s in self.schedulers.values() if s.record["ModelName"] == p["ModelName"]]
        if len(same) >= QUOTA["schedulers per model"]:
            raise ApiError(
                "ServiceQuotaExceededException",
                f"model {p['ModelName']} has {len(same)} schedulers (limit 1)",
            )
        record = {key: value for key, value in p.items() if key != "Tags"}
        record |= {"Status": "PENDING", "CreatedAt": self._clock(), "ModelArn": model.arn}
        thing = self._add(self.schedulers, word="inference-scheduler", name=name, record=record, p=p)
        self._turn(thing, "PENDING", "RUNNING")
        return thing.record

    def _DescribeInferenceScheduler(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return self._read(self.schedulers, "inference scheduler", p["InferenceSchedulerName"]).record

    def _ListInferenceSchedulers(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        found = [s.record for s in self.schedulers.values() if s.record["ModelName"] == p.get("ModelName")]
        return {"InferenceSchedulerSummaries": found}

    def _UpdateInferenceScheduler(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        thing = self._steady(p["InferenceSchedulerName"])
        if self.strict_updates and thing.record["Status"] == "RUNNING":
            raise ApiError(
                "ConflictException", f"scheduler {p['InferenceSchedulerName']} is RUNNING: stop it"
            )
        if "RoleArn" in p:
            self._assume(p["RoleArn"])
        thing.record.update(p)
        return {}

    def _StartInferenceScheduler(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        thing = self._led_on(p["InferenceSchedulerName"], "PENDING")
        if thing.record["Status"] == "STOPPED":
            self._turn(thing, "PENDING", "RUNNING")
        return thing.record

    def _StopInferenceScheduler(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        thing = self._led_on(p["InferenceSchedulerName"], "STOPPING")
        if thing.record["Status"] == "RUNNING":
            self._turn(thing, "STOPPING", "STOPPED")
        return thing.record

    def _DeleteInferenceScheduler(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        thing = self._get(self.schedulers, "inference scheduler", p["InferenceSchedulerName"])
        if thing.record["Status"] != "STOPPED":
            raise ApiError(
                "ConflictException", f"scheduler {p['InferenceSchedulerName']} is {thing.record['Status']}"
            )
        del self.schedulers[p["InferenceSchedulerName"]]
        return {}

    # -- retraining schedulers: the ARN is that of the model, and what tests know them by is of their own

    def _CreateRetrainingScheduler(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        name = p["ModelName"]
        model = self._get(self.models, "model", name)
        self._new(self.retrainings, "retraining scheduler of", name, 10_000)
        if model.record["Status"] != "SUCCESS":
            raise ApiError("ConflictException", f"model {name} is {model.record['Status']}, not SUCCESS")
        now = self._clock()
        defaults = {"PromoteMode": "MANAGED", "RetrainingStartDate": now + 86_400}
        record = {**defaults, **p, "CreatedAt": now, "ModelArn": model.arn}
        identity = self._uuid()
        arn = f"arn:aws:lookoutequipment:us-east-1:{ACCOUNT}:retraining-scheduler/{name}/{identity}"
        thing = Thing(record=record, arn=arn, tags={}, uuid=identity, invisible_reads=self.visibility_lag)
        _cut_start_date(record)
        self.retrainings[name] = thing
        self._turn(thing, "PENDING", "RUNNING")
        return thing.record

    def _DescribeRetrainingScheduler(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return self._read(self.retrainings, "retraining scheduler of", p["ModelName"]).record

    def _UpdateRetrainingScheduler(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        thing = self._steady(p["ModelName"], self.retrainings)
        if self.strict_updates and thing.record["Status"] == "RUNNING":
            raise ApiError("ConflictException", f"scheduler of {p['ModelName']} is RUNNING: stop it")
        thing.record.update(p)
        _cut_start_date(thing.record)
        return {}

    def _StartRetrainingScheduler(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        thing = self._led_on(p["ModelName"], "PENDING", self.retrainings)
        if thing.record["Status"] == "STOPPED":
            self._turn(thing, "PENDING", "RUNNING")
        return thing.record

    def _StopRetrainingScheduler(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        thing = self._led_on(p["ModelName"], "STOPPING", self.retrainings)
        if thing.record["Status"] == "RUNNING":
            self._turn(thing, "STOPPING", "STOPPED")
        return thing.record

    def _DeleteRetrainingScheduler(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        thing = self._get(self.retrainings, "retraining scheduler of", p["ModelName"])
        if thing.record["Status"] != "STOPPED":
            raise ApiError("ConflictException", f"scheduler of {p['ModelName']} is {thing.record['Status']}")
        del self.retrainings[p["ModelName"]]
        return {}

    # -- resource policies. The first two words of an Id are taken for the tags that policies do not have.

    def _PutResourcePolicy(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._by_arn(p["ResourceArn"])
        document = json.loads(p["ResourcePolicy"])
        key, owner, request = _policy_key(p["ResourceArn"]), *f"{document.get('Id', '')}  ".split(" ")[:2]
        thing = self.policies.get(key)
        revision = thing.record["PolicyRevisionId"] if thing else None
        if p.get("PolicyRevisionId", revision) != revision:
            raise ApiError("ConflictException", f"the policy of {p['ResourceArn']} is at {revision}")
        if thing is None:
            word, name = key.split("/")
            thing = self._add(self.policies, word=word, name=name, record={}, p={})
            self.policies[key] = self.policies.pop(name)
        thing.tags = {OWNER_TAG: owner, REQUEST_TAG: request} if owner else {}
        thing.record = {
            "ResourceArn": p["ResourceArn"],
            "ResourcePolicy": p["ResourcePolicy"],
            "PolicyRevisionId": self._uuid().replace("-", ""),
        }
        return thing.record

    def _DescribeResourcePolicy(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._by_arn(p["ResourceArn"])
        return self._read(self.policies, "policy", _policy_key(p["ResourceArn"])).record

    def _DeleteResourcePolicy(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._get(self.policies, "policy", _policy_key(p["ResourceArn"]))
        del self.policies[_policy_key(p["ResourceArn"])]
        return {}

    # -- tags

    def _ListTagsForResource(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        tags = self._by_arn(p["ResourceArn"]).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _TagResource(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._by_arn(p["ResourceArn"]).tags.update({tag["Key"]: tag["Value"] for tag in p["Tags"]})
        return {}

    def _UntagResource(self, p: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        for key in p["TagKeys"]:
            self._by_arn(p["ResourceArn"]).tags.pop(key, None)
        return {}

    # -- inside

    def _uuid(self) -> str:
        self.serial += 1
        return str(uuid.UUID(int=self.serial))

    def _new(self, kind: Mapping[str, Thing], word: str, name: str, limit: int) -> None:
        if name in kind:
            raise ApiError("ConflictException", f"{word} {name} already exists")
        if len(kind) >= limit:
            raise ApiError("ServiceQuotaExceededException", f"{len(kind)} {word}s (limit {limit})")

    def _add(
        self, kind: dict[str, Thing], *, word: str, name: str, record: dict[str, Any], p: Mapping[str, Any]
    ) -> Thing:
        identity = self._uuid()
        arn = f"arn:aws:lookoutequipment:us-east-1:{ACCOUNT}:{word}/{name}/{identity}"
        tags = {tag["Key"]: tag["Value"] for tag in p.get("Tags", ())}
        members = {"dataset": "DatasetArn", "model": "ModelArn", "label-group": "LabelGroupArn"}
        record[members.get(word, "InferenceSchedulerArn")] = arn
        thing = Thing(record=record, arn=arn, tags=tags, uuid=identity, invisible_reads=self.visibility_lag)
        kind[name] = thing
        return thing

    def _get(self, kind: Mapping[str, Thing], word: str, name: str) -> Thing:
        if name not in kind:
            raise ApiError("ResourceNotFoundException", f"{word} {name} does not exist")
        return kind[name]

    def _read(self, kind: Mapping[str, Thing], word: str, name: str) -> Thing:
        thing = self._get(kind, word, name)
        if thing.invisible_reads:
            thing.invisible_reads -= 1
            raise ApiError("ResourceNotFoundException", f"{word} {name} does not exist")
        return thing

    def _by_arn(self, arn: str) -> Thing:
        if arn not in self.everything():
            raise ApiError("ResourceNotFoundException", f"{arn} does not exist")
        return self.everything()[arn]

    def _steady(self, name: str, kind: Mapping[str, Thing] | None = None) -> Thing:
        thing = self._get(self.schedulers if kind is None else kind, "scheduler", name)
        if thing.record["Status"] in {"PENDING", "STOPPING"}:
            raise ApiError("ConflictException", f"scheduler {name} is {thing.record['Status']}")
        return thing

    def _led_on(self, name: str, state: str, kind: Mapping[str, Thing] | None = None) -> Thing:
        thing = self._get(self.schedulers if kind is None else kind, "scheduler", name)
        if self.cuts_short and state == "STOPPING" and thing.record["Status"] == "PENDING":
            thing.record["Status"] = "RUNNING"
        if self.cuts_short and thing.record["Status"] == state:
            self._transit(thing)
        return self._steady(name, kind)

    def _turn(self, thing: Thing, now: str, then: str) -> None:
        thing.record["Status"], thing.then = now, then
        thing.until = self._clock() + TRANSITION_SECONDS

    def _stands_still(self, thing: Thing) -> bool:
        schedulers = [*self.schedulers.values(), *self.retrainings.values()]
        return self.frozen or (self.cuts_short and any(thing is each for each in schedulers))

    def _transit(self, thing: Thing) -> None:
        thing.record["Status"], thing.then = thing.then, ""
        if thing.record["Status"] == "FAILED":
            thing.record["FailedReason"] = "no usable data; see https://console.aws.amazon.com/?token=canary"
        if "TrainingExecutionStartTime" in thing.record:
            thing.record["TrainingExecutionEndTime"] = self._clock()
        if "ImportJobStartTime" in thing.record:
            self._end_import(thing)
        if "JobId" not in thing.record:
            return
        dataset = self.datasets.get(thing.record["DatasetName"])
        if dataset is None or dataset.arn != thing.record["DatasetArn"]:
            return
        origins = {"IngestionInputConfiguration", "SourceDatasetArn"}
        if thing.record["Status"] == "SUCCESS":
            dataset.record.update({each: thing.record[each] for each in origins & thing.record.keys()})
            thing.record["IngestedDataSize"] = 4711
        dataset.record["Status"] = "ACTIVE" if origins & dataset.record.keys() else "CREATED"

    def _activate(self, model: Thing, number: int) -> None:
        model.record["ActiveModelVersion"] = number
        model.record.pop("SourceModelVersionArn", None)
        copy = self.copies.get(f"{model.arn}/model-version/{number}")
        if copy is not None:
            model.record["SourceModelVersionArn"] = copy.record["SourceModelVersionArn"]

    def _end_import(self, version: Thing) -> None:
        model = self.models[version.record["ModelName"]]
        if model.record["Status"] == "IMPORT_IN_PROGRESS" or version.record["Status"] == "SUCCESS":
            model.record["Status"] = version.record["Status"]
        if version.record["Status"] == "SUCCESS" and "ActiveModelVersion" not in model.record:
            self._activate(model, version.record["ModelVersion"])
        elif model.record["Status"] == "FAILED":
            model.record["FailedReason"] = version.record["FailedReason"]

    def _assume(self, role: str) -> None:
        if self.unready_roles.get(role, 0) > 0:
            self.unready_roles[role] -= 1
            raise ApiError("ValidationException", f"the service cannot assume role {role}")


def _check(shape: Shape, value: Any, path: str) -> None:
    """The server-side checks that boto3 leaves to the service."""
    if isinstance(shape, StructureShape):
        for name, member in value.items():
            _check(shape.members[name], member, f"{path}.{name}")
    elif isinstance(shape, ListShape):
        for item in value:
            _check(shape.member, item, path)
    elif shape.type_name == "string":
        pattern = shape.metadata.get("pattern", "").replace(r"\p{ASCII}", r"[\x00-\x7f]")
        pattern = pattern.replace(r"[\P{M}\p{M}]", r"[\s\S]")
        choices = getattr(shape, "enum", None)
        low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 10**9)
        fits = not pattern or re.fullmatch(pattern, value)
        if not fits or not low <= len(value) <= high or (choices and value not in choices):
            raise ApiError("ValidationException", f"{path}: {value[:300]!r} does not match {shape.name}")


def _cut_start_date(record: dict[str, Any]) -> None:
    if "RetrainingStartDate" in record:
        record["RetrainingStartDate"] = record["RetrainingStartDate"] // 86_400 * 86_400


def _policy_key(arn: str) -> str:
    word, name, _ = arn.split(":", 5)[5].split("/")
    return f"{word}-policy/{name}"
