"""Executions of inference schedulers."""

from collections.abc import Iterator
from typing import Any

from service.clock import iso_seconds
from service.context import Context
from service.paging import paged
from service.records import ExecutionRecord

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
        for execution in context.records.executions(scheduler["uuid"], between=between, start=start):
            if (
                execution["DataStartTime"] >= after
                and (before is None or execution["DataEndTime"] <= before)
                and status in {None, execution["Status"]}
            ):
                yield execution["sk"], execution

    return paged(context, "ListInferenceExecutions", request, "InferenceExecutionSummaries", records)


OPERATIONS = {"ListInferenceExecutions": list_inference_executions}
