"""Executions of inference schedulers."""

from collections.abc import Iterator
from typing import Any

from service.clock import iso_seconds
from service.context import Context
from service.names import SCHEDULER, executions_of
from service.paging import paged
from service.store import Item

_FOREVER = "9999-12-31T23:59:59Z"


def list_inference_executions(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return a scheduler's executions, newest first; of a scheduler that does not exist, none."""
    scheduler = context.store.get(SCHEDULER, request["InferenceSchedulerName"])
    after, before = request.get("DataStartTimeAfter", 0), request.get("DataEndTimeBefore")
    status = request.get("Status")

    def records(start: str | None) -> Iterator[tuple[str, Item]]:
        if scheduler is None:
            return
        for execution in context.store.all(
            executions_of(scheduler["uuid"]),
            between=(iso_seconds(after), _FOREVER),
            reverse=True,
            start=start,
        ):
            if (
                execution["DataStartTime"] >= after
                and (before is None or execution["DataEndTime"] <= before)
                and status in {None, execution["Status"]}
            ):
                yield execution["sk"], execution

    return paged(context, "ListInferenceExecutions", request, "InferenceExecutionSummaries", records)


OPERATIONS = {"ListInferenceExecutions": list_inference_executions}
