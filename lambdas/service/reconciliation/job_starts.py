"""Starts of the executions that do what a record says is in progress."""

from collections.abc import Mapping
from typing import Any

from service.context import Context
from service.reconciliation.state_machines import (
    MachineExecution,
    find_execution,
    start_execution,
    stop_execution,
)
from service.storage.names import training_name
from service.storage.records import IngestionJobRecord

Version = Mapping[str, Any]
"""The record of a model version, or that of a model in its first training."""


def start_ingestion(context: Context, job: IngestionJobRecord) -> None:
    """Start the execution of an ingestion or of an import of a dataset, unless it was started before."""
    machine = context.environment.ingest_state_machine
    kind = {"Import": True} if "SourceDatasetArn" in job else {}
    start_execution(context, machine, job["JobId"], {"JobId": job["JobId"], **kind})


def find_ingestion(context: Context, job: IngestionJobRecord) -> MachineExecution | None:
    """Return the execution of an ingestion or of an import of a dataset."""
    return find_execution(context, context.environment.ingest_state_machine, job["JobId"])


def start_training(context: Context, version: Version) -> None:
    """Start the execution of a training, unless it was started before."""
    number = int(version.get("ModelVersion", 1))
    name = training_name(version["uuid"], number)
    data = {"ModelName": version["ModelName"], "ModelVersion": number}
    start_execution(context, context.environment.train_state_machine, name, data)


def start_version_import(context: Context, version: Version) -> None:
    """Start the execution of an import of a model version, unless it was started before."""
    number = int(version["ModelVersion"])
    data = {"ModelName": version["ModelName"], "ModelVersion": number, "Import": True}
    machine = context.environment.ingest_state_machine
    start_execution(context, machine, training_name(version["uuid"], number), data)


def find_version_import(context: Context, version: Version) -> MachineExecution | None:
    """Return the execution of an import of a model version."""
    name = training_name(version["uuid"], int(version["ModelVersion"]))
    return find_execution(context, context.environment.ingest_state_machine, name)


def find_training(context: Context, version: Version) -> MachineExecution | None:
    """Return the execution of a training."""
    name = training_name(version["uuid"], int(version.get("ModelVersion", 1)))
    return find_execution(context, context.environment.train_state_machine, name)


def stop_training(context: Context, version: Version, cause: str) -> None:
    """Stop the execution of a training, if it runs."""
    name = training_name(version["uuid"], int(version["ModelVersion"]))
    stop_execution(context, context.environment.train_state_machine, name, cause)
