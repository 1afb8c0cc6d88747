"""The import of a model version: artefact, schema and metrics of another one, perhaps rows of inference."""

from collections.abc import Container, Mapping
from typing import Any

from service.jobs.failure import JobFailed
from service.jobs.importing.source import source_for
from service.jobs.runtime import Runtime, log
from service.members.schema import parse_schema
from service.members.shortening import shortened_metrics
from service.reconciliation.import_end import record_imported_version
from service.sharing.import_source import ImportSource
from service.sharing.resource_policy import Principal
from service.sharing.shared import (
    ACCUMULATED,
    ACCUMULATED_FACTS,
    ARTEFACT,
    COMPLETE_METRICS,
    METRICS,
    NO_IMPORT,
    SCHEMA,
)
from service.storage.names import DATASET, accumulated_prefix, artefact_key, document_key
from service.storage.service_bucket import ServiceBucket
from service.storage.store import Item


def import_version(runtime: Runtime, model: Item, version: Item) -> str:
    """Copy and publish, and return the status of the version. One that has ended already is left alone.

    Raises:
        JobFailed: when the source cannot be copied, or has sensors that the dataset has not.
    """
    if version["Status"] != "IMPORT_IN_PROGRESS":
        return str(version["Status"])
    arn, strategy = version["SourceModelVersionArn"], version["importStrategy"]
    bucket = runtime.service_bucket.with_key(version.get("ServerSideKmsKeyId"))
    with source_for(runtime, arn, into=version["ModelVersionArn"]) as source:
        shared = source.share_version(
            arn, Principal.of(version["importedBy"]), with_data=strategy != NO_IMPORT, with_objects=True
        )
        objects = {name: key for name, key in shared.objects.items() if not name.startswith(ACCUMULATED)}
        sizes = {name: source.copy(key, bucket, _key(version, name)) for name, key in objects.items()}
        _require_sensors(runtime, version)
        kept = shared.objects.keys() - objects.keys()
        copied: Mapping[str, Any] = {}
        if kept and _wants_rows(strategy, model):
            sizes |= _copy_rows(source, {name: shared.objects[name] for name in kept}, bucket, model["uuid"])
            copied = {name: shared.facts[name] for name in ACCUMULATED_FACTS}
    record_imported_version(
        runtime.store,
        version,
        members=_documents(bucket, version, sizes),
        size=sum(sizes.values()),
        accumulated=copied,
    )
    log("import succeeded", ModelVersionArn=version["ModelVersionArn"], SourceModelVersionArn=arn)
    return "SUCCESS"


def _key(version: Item, name: str) -> str:
    """Return where an object of the version lies, by its name among those that are shared."""
    uuid, number = version["uuid"], int(version["ModelVersion"])
    if name == ARTEFACT:
        return artefact_key(uuid, number)
    documents = {
        SCHEMA: f"schema-{number}.json",
        METRICS: f"metrics-{number}.json",
        COMPLETE_METRICS: f"metrics-{number}-complete.json",
    }
    return document_key(uuid, documents[name])


def _require_sensors(runtime: Runtime, version: Item) -> None:
    """Require that the dataset of the model has every sensor of the version, for its retrainings."""
    dataset = runtime.store.get(DATASET, version["DatasetName"])
    if dataset is None or dataset["uuid"] != version["datasetUuid"]:
        raise JobFailed(
            f"dataset '{version['DatasetName']}' was deleted while the model version was imported"
        )
    bucket = runtime.service_bucket
    whole = parse_schema(bucket.get_text(dataset["schemaKey"]))
    parse_schema(bucket.get_text(_key(version, SCHEMA))).require_within(whole, version["DatasetName"])


def _wants_rows(strategy: str, model: Item) -> bool:
    return strategy == "OVERWRITE" or ACCUMULATED_FACTS[0] not in model


def _copy_rows(
    source: ImportSource, rows: Mapping[str, str], bucket: ServiceBucket, model_uuid: str
) -> dict[str, int]:
    """Put rows of inference in place of those that there are, and return their bytes by name."""
    prefix = accumulated_prefix(model_uuid)
    bucket.delete_prefix(prefix)
    return {
        name: source.copy(key, bucket, f"{prefix}{name.removeprefix(ACCUMULATED)}")
        for name, key in rows.items()
    }


def _documents(bucket: ServiceBucket, version: Item, copied: Container[str]) -> dict[str, str]:
    """Return the keys of the documents; long metrics say where they are whole, which is another place now."""
    keys = {"schemaKey": _key(version, SCHEMA)}
    if METRICS in copied:
        keys["metricsKey"] = _key(version, METRICS)
    if COMPLETE_METRICS in copied:
        complete = _key(version, COMPLETE_METRICS)
        text = shortened_metrics(bucket.get_text(complete), complete=bucket.uri(complete))
        bucket.put_text(_key(version, METRICS), text)
    return keys
