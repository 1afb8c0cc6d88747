"""Ingestion: files below a prefix become columns of a dataset. Imports: columns of another one do.

The state machine calls `plan` (which files), `read` for each file in parallel, and `finish` (merge, report,
publish); for an import it calls `import` alone. Every step may run again: it then finds its own work done.
When a step fails, so does the execution, and `service.reconciliation.reconcile` records why.
"""

from collections.abc import Mapping
from typing import Any

from service.event_bus.job_ends import ingestion_end
from service.jobs.importing.work import import_
from service.jobs.ingestion.finish import finish
from service.jobs.ingestion.job import Ingestion
from service.jobs.ingestion.plan import plan
from service.jobs.ingestion.read import read
from service.jobs.runtime import Runtime, current_runtime
from service.storage.names import INGESTION_JOB


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda passes it
    """Run one step of an ingestion job."""
    return run(current_runtime(), event)


def run(runtime: Runtime, event: Mapping[str, Any]) -> dict[str, Any]:
    """Run the `Step` of the ingestion job `JobId`, or of the import that `Work` names.

    Raises:
        JobFailed: when the customer has to act.
        ValueError: for a step of another release.
    """
    if event["Step"] == "import":
        return import_(runtime, event["Work"])
    job = Ingestion.load(runtime, event["JobId"])
    match event["Step"]:
        case "plan":
            return plan(runtime, job)
        case "read":
            return read(runtime, job, event["Item"])
        case "finish":
            ended = finish(runtime, job)
            runtime.event_bus.send(ingestion_end(runtime.store.get(INGESTION_JOB, job.id) or job.record))
            return ended
        case step:
            raise ValueError(f"an ingestion has no step '{step}'")
