"""Executions of inference schedulers."""

from collections.abc import Iterator
from typing import Any, cast

from service.clock import iso_seconds
from service.context import Context
from service.requests.paging import paged
from service.schedulers.execution_claims import is_abandoned
from service.storage.names import version_arn
from service.storage.records import ExecutionRecord, SchedulerRecord
from service.storage.store import StoreError

_FOREVER = "9999-12-31T23:59:59Z"


def list_inference_executions(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return a scheduler's executions, newest first; of a scheduler that does not exist, none."""
    scheduler = context.records.scheduler(request["InferenceSchedulerName"])
    after, before = request.get("DataStartTimeAfter", 0), request.get("DataEndTimeBefore")
    status = request.get("Status")

    def records(start: str | None) -> Iterator[tuple[str, ExecutionRecord]]:
        if scheduler is None:
            return
        between = (iso_seconds(after), _FOREVER)
        for found in context.records.executions(scheduler["uuid"], between=between, start=start):
            execution = _whole(scheduler, _at_an_end(context, scheduler, found))
            if (
                execution["DataStartTime"] >= after
                and (before is None or execution["DataEndTime"] <= before)
                and status in {None, execution["Status"]}
            ):
                yield execution["sk"], execution

    return paged(context, "ListInferenceExecutions", request, "InferenceExecutionSummaries", records)


def _whole(scheduler: SchedulerRecord, execution: ExecutionRecord) -> ExecutionRecord:
    """Return an execution with what its record leaves to those of its scheduler and model."""
    members: ExecutionRecord = {
        "InferenceSchedulerName": scheduler["InferenceSchedulerName"],
        "InferenceSchedulerArn": scheduler["InferenceSchedulerArn"],
        "ModelName": scheduler["ModelName"],
        "ModelArn": scheduler["ModelArn"],
        **execution,
    }
    if "ModelVersion" in execution:
        members["ModelVersionArn"] = version_arn(scheduler["ModelArn"], int(execution["ModelVersion"]))
    return members


def _at_an_end(context: Context, scheduler: SchedulerRecord, execution: ExecutionRecord) -> ExecutionRecord:
    """Return an execution, which has failed if its call has ended and no further one will take it over.

    Of a scheduler that runs, the next call of the inference function does.
    """
    if (
        execution["Status"] != "IN_PROGRESS"
        or scheduler["Status"] != "STOPPED"
        or not is_abandoned(float(execution["claimedAt"]), now=context.now().timestamp())
    ):
        return execution
    reason = (
        "the call of the inference function that inferred this window ended before it was done, out of time "
        "(15 minutes) or memory, or because it was stopped; and the inference scheduler was stopped before "
        "another one could"
    )
    try:
        ended = context.store.update(
            execution["pk"],
            execution["sk"],
            {"Status": "FAILED", "FailedReason": reason},
            expect={"Status": "IN_PROGRESS", "claimedAt": execution["claimedAt"]},
        )
    except StoreError:  # another request has done it, or the scheduler was started
        return execution
    return cast("ExecutionRecord", ended)


OPERATIONS = {"ListInferenceExecutions": list_inference_executions}
