"""The one step of an import."""

from collections.abc import Mapping
from typing import Any

from service.event_bus.job_ends import ingestion_end, version_end
from service.jobs.failure import JobFailed
from service.jobs.importing.imported_dataset import import_dataset
from service.jobs.importing.imported_version import import_version
from service.jobs.runtime import Runtime
from service.storage.names import INGESTION_JOB, MODEL, version_key, versions_of


def import_(runtime: Runtime, work: Mapping[str, Any]) -> dict[str, Any]:
    """Do the import that the input of an execution names.

    Raises:
        JobFailed: when the customer has to act.
    """
    if "JobId" in work:
        job = runtime.store.get(INGESTION_JOB, work["JobId"])
        if job is None:
            raise JobFailed(f"import job '{work['JobId']}' does not exist: start a new one")
        status = import_dataset(runtime, job)
        runtime.event_bus.send(ingestion_end(runtime.store.get(INGESTION_JOB, job["JobId"]) or job))
        return {"JobId": job["JobId"], "Status": status}
    name, number = work["ModelName"], int(work["ModelVersion"])
    model = runtime.store.get(MODEL, name)
    version = None if model is None else runtime.store.get(versions_of(model["uuid"]), version_key(number))
    if model is None or version is None:
        return {"ModelName": name, "ModelVersion": number, "Status": "DELETED"}
    status = import_version(runtime, model, version)
    runtime.event_bus.send(version_end(runtime.store.get(version["pk"], version["sk"]) or version))
    return {"ModelName": name, "ModelVersion": number, "Status": status}
