"""What is shared with importers: datasets and model versions of this service, if their policies allow it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.errors import DeniedError, ValidationError, no_such
from service.sharing.resource_policy import (
    IMPORT_DATASET,
    IMPORT_MODEL_VERSION,
    Import,
    Policy,
    Principal,
    is_allowed,
    parse_policy,
)
from service.storage.names import (
    RESOURCE,
    accumulated_prefix,
    artefact_key,
    component_prefix,
    document_key,
    report_key,
)
from service.storage.records import DatasetRecord, ModelRecord, ModelVersionRecord
from service.storage.service_bucket import ServiceBucket, encryption
from service.storage.typed_store import TypedStore

SCHEMA = "schema.json"
"""Name under which the schema is shared."""

NO_IMPORT = "NO_IMPORT"
"""The `InferenceDataImportStrategy` that leaves the rows of inference with the owner."""

ARTEFACT = "model.bin"
METRICS = "metrics.json"
COMPLETE_METRICS = "metrics-complete.json"
"""Names of what is shared of a model version. Metrics that are long are there in whole as well."""

ACCUMULATED = "accumulated/"
"""Beginning of the names of the rows that inference has kept."""

_VERSION_FACTS = (
    "TrainingDataStartTime",
    "TrainingDataEndTime",
    "EvaluationDataStartTime",
    "EvaluationDataEndTime",
    "TrainingExecutionStartTime",
    "TrainingExecutionEndTime",
    "DataPreProcessingConfiguration",
    "OffCondition",
    "ModelQuality",
)
ACCUMULATED_FACTS = ("AccumulatedInferenceDataStartTime", "AccumulatedInferenceDataEndTime")
_DATASET_FACTS = ("DataQualitySummary", "IngestedDataSize", "DataStartTime", "DataEndTime", "rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What an importer copies.

    Attributes:
        facts: attributes of records.
        objects: keys in the bucket of the owner, by the names that the importer keeps the objects under.
    """

    facts: Mapping[str, Any]
    objects: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A service as the owner of what it and others import, with its account and Region."""

    records: TypedStore
    service_bucket: ServiceBucket
    account: str
    region: str

    def share_dataset(self, arn: str, principal: Principal, *, with_objects: bool) -> Shared:
        """Return the data of a dataset, of its latest successful ingestion or import.

        What is known of the files that it was made of stays with the owner.

        Raises:
            DeniedError: when the policy of the dataset does not allow it.
            NotFoundError: when there is no such dataset.
            ValidationError: when it has no data.
        """
        dataset = self._dataset(arn)
        wanted = Import(action=IMPORT_DATASET, resource=arn, principal=principal)
        self._judge(wanted, () if dataset is None else self._policies(dataset["uuid"], arn))
        if dataset is None:
            raise no_such("dataset", arn)
        job_id = dataset.get("ingestionJobId")
        job = None if job_id is None else self.records.ingestion_job(job_id)
        if job is None or "schemaKey" not in dataset:
            raise ValidationError(
                f"the dataset '{arn}' has no data to import: ingest data into it and wait until the job has "
                "succeeded"
            )
        found: Mapping[str, Any] = job
        facts = {name: found[name] for name in _DATASET_FACTS if name in found}
        if "IngestedFilesSummary" in job:
            counts = {**job["IngestedFilesSummary"], "DiscardedFiles": []}
            facts["IngestedFilesSummary"] = counts
        uuid, components = dataset["uuid"], component_prefix(dataset["uuid"], job["JobId"])
        if not with_objects:
            return Shared(facts=facts, objects={})
        return Shared(
            facts=facts,
            objects={
                SCHEMA: dataset["schemaKey"],
                "report.json": report_key(uuid, job["JobId"]),
                **{
                    f"components/{key.removeprefix(components)}": key
                    for key in self.service_bucket.keys(components)
                },
            },
        )

    def share_version(self, arn: str, principal: Principal, *, with_data: bool, with_objects: bool) -> Shared:
        """Return a model version and, `with_data`, the rows that inference has kept for its model.

        Labels, schedulers, diagnostics and tags stay with the owner.

        Raises:
            DeniedError: when the policies of version and model do not allow it.
            NotFoundError: when there is no such version.
            ValidationError: when its training has not succeeded.
        """
        found = self._version(arn)
        wanted = Import(
            action=IMPORT_MODEL_VERSION, resource=arn, principal=principal, importing_data=with_data
        )
        model_arn = arn.partition("/model-version/")[0]
        self._judge(wanted, () if found is None else self._policies(found[0]["uuid"], arn, model_arn))
        if found is None:
            raise no_such("model version", arn)
        model, version = found
        if version["Status"] != "SUCCESS":
            raise ValidationError(
                f"the model version '{arn}' is {version['Status']}, not SUCCESS: import a version whose "
                "training has succeeded"
            )
        facts = {name: value for name, value in version.items() if name in _VERSION_FACTS}
        if not with_objects:
            return Shared(facts=facts, objects={})
        objects = self._version_objects(version)
        if with_data:
            prefix = accumulated_prefix(model["uuid"])
            facts |= {name: value for name, value in model.items() if name in ACCUMULATED_FACTS}
            kept = self.service_bucket.keys(prefix)
            objects |= {f"{ACCUMULATED}{key.removeprefix(prefix)}": key for key in kept}
        return Shared(facts=facts, objects=objects)

    def _version_objects(self, version: ModelVersionRecord) -> dict[str, str]:
        uuid, number = version["uuid"], int(version["ModelVersion"])
        objects = {SCHEMA: version["schemaKey"], ARTEFACT: artefact_key(uuid, number)}
        if "metricsKey" in version:
            objects[METRICS] = version["metricsKey"]
            complete = document_key(uuid, f"metrics-{number}-complete.json")
            if self.service_bucket.size(complete) is not None:
                objects[COMPLETE_METRICS] = complete
        return objects

    def copy(self, key: str, to: ServiceBucket, to_key: str) -> int:
        """Copy an object within the bucket, large ones in parts, and return its bytes.

        It is encrypted with the key of `to`, whatever the original has.

        Raises:
            ClientError: when the object is gone (code `404`), or cannot be read or written.
        """
        bucket = self.service_bucket.name
        size = to.s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
        to.s3.copy({"Bucket": bucket, "Key": key}, to.name, to_key, ExtraArgs=encryption(to.kms_key))
        return size

    def _dataset(self, arn: str) -> DatasetRecord | None:
        match = RESOURCE.fullmatch(arn.split(":", 5)[-1])
        found = None if match is None else self.records.dataset(match[2])
        return found if found is not None and found["DatasetArn"] == arn else None

    def _version(self, arn: str) -> tuple[ModelRecord, ModelVersionRecord] | None:
        match = RESOURCE.fullmatch(arn.split(":", 5)[-1])
        if match is None or match[4] is None:
            return None
        model, version = self.records.model(match[2]), self.records.version(match[3], int(match[4]))
        if model is None or version is None or version["ModelVersionArn"] != arn:
            return None
        return model, version

    def _policies(self, owner_uuid: str, *arns: str) -> Sequence[Policy]:
        found = [self.records.resource_policy(owner_uuid, arn) for arn in arns]
        return [
            parse_policy(each["ResourcePolicy"], resource=each["ResourceArn"])
            for each in found
            if each is not None
        ]

    def _judge(self, wanted: Import, policies: Sequence[Policy]) -> None:
        """Require that the policies allow an import; of what does not exist, others learn nothing."""
        if not is_allowed(policies, wanted, owner=self.account):
            raise DeniedError(
                f"{wanted.principal} is not authorized to perform {wanted.action} on the resource "
                f"'{wanted.resource}': its owner, account {self.account}, must allow it in the resource "
                "policy of the resource"
            )
