"""The one step of an import."""

from collections.abc import Mapping
from typing import Any

from service.jobs.failure import JobFailed
from service.jobs.importing.dataset import import_dataset
from service.jobs.runtime import Runtime
from service.names import INGESTION_JOB


def import_(runtime: Runtime, work: Mapping[str, Any]) -> dict[str, Any]:
    """Do the import that the input of an execution names.

    Raises:
        JobFailed: when the customer has to act.
    """
    job = runtime.store.get(INGESTION_JOB, work["JobId"])
    if job is None:
        raise JobFailed(f"import job '{work['JobId']}' does not exist: start a new one")
    return {"JobId": job["JobId"], "Status": import_dataset(runtime, job)}
