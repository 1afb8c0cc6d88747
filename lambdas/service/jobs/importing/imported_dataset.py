"""The import of a dataset: data and schema of another one become those of this one."""

from typing import Any

from service.jobs.failure import JobFailed
from service.jobs.importing.source import source_for
from service.jobs.runtime import Runtime, log
from service.sharing.resource_policy import Principal
from service.sharing.shared import SCHEMA
from service.storage.names import DATASET, INGESTION_JOB, document_key, job_prefix
from service.storage.store import Item, Update


def import_dataset(runtime: Runtime, job: Item) -> str:
    """Copy and publish, and return the status of the job. A job that has ended already is left alone.

    Raises:
        JobFailed: when the dataset was deleted, or the source cannot be copied.
    """
    if job["Status"] != "IMPORT_IN_PROGRESS":
        return str(job["Status"])
    dataset = runtime.store.get(DATASET, job["DatasetName"])
    if dataset is None or dataset["uuid"] != job["datasetUuid"]:
        raise JobFailed(f"dataset '{job['DatasetName']}' was deleted while it was imported")
    uuid, bucket = dataset["uuid"], runtime.service_bucket.with_key(dataset.get("ServerSideKmsKeyId"))
    # Named after the job: one that was given up may still be at work beside the next one.
    schema_key = document_key(uuid, f"schema-{job['JobId']}.json")
    with source_for(runtime, job["SourceDatasetArn"], into=job["DatasetArn"]) as source:
        shared = source.share_dataset(
            job["SourceDatasetArn"], Principal.of(job["importedBy"]), with_objects=True
        )
        for name, key in shared.objects.items():
            to_key = schema_key if name == SCHEMA else f"{job_prefix(uuid, job['JobId'])}{name}"
            source.copy(key, bucket, to_key)
    _publish(runtime, job, dict(shared.facts), schema_key)
    return "SUCCESS"


def _publish(runtime: Runtime, job: Item, facts: dict[str, Any], schema_key: str) -> None:
    """Write the end of the job, and its data to the dataset, in one transaction."""
    shown = {name: value for name, value in facts.items() if name not in {"IngestedDataSize", "rows"}}
    runtime.store.transact(
        Update(
            INGESTION_JOB,
            job["JobId"],
            {**facts, "Status": "SUCCESS"},
            expect={"Status": "IMPORT_IN_PROGRESS"},
        ),
        Update(
            DATASET,
            job["DatasetName"],
            {
                **shown,
                "Status": "ACTIVE",
                "LastUpdatedAt": runtime.clock(),
                "SourceDatasetArn": job["SourceDatasetArn"],
                "ingestionJobId": job["JobId"],
                "schemaKey": schema_key,
            },
            ["IngestionInputConfiguration", "RoleArn"],
            expect={"uuid": job["datasetUuid"], "Status": "IMPORT_IN_PROGRESS"},
        ),
    )
    log("import succeeded", JobId=job["JobId"], SourceDatasetArn=job["SourceDatasetArn"])
