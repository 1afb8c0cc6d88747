"""Events: runs of consecutive anomalous rows that inference schedulers found."""

from collections.abc import Iterator
from typing import Any

from service.clock import iso_seconds
from service.context import Context
from service.errors import ValidationError
from service.members.shortening import shortened_diagnostics
from service.operations.schedulers import require_scheduler
from service.requests.paging import paged
from service.storage.records import EventRecord


def list_inference_events(context: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Return the events that overlap an interval, oldest first."""
    first, last = request["IntervalStartTime"], request["IntervalEndTime"]
    if first > last:
        raise ValidationError(
            f"IntervalStartTime {iso_seconds(first)} must not be after IntervalEndTime {iso_seconds(last)}"
        )
    scheduler = require_scheduler(context, request["InferenceSchedulerName"])

    def records(start: str | None) -> Iterator[tuple[str, EventRecord]]:
        between = ("0", iso_seconds(last))
        for event in context.records.events(scheduler["uuid"], between=between, start=start):
            if event["EventEndTime"] >= first and event["EventStartTime"] < last:
                yield event["sk"], _as_shown(event)

    return paged(context, "ListInferenceEvents", request, "InferenceEventSummaries", records)


def _as_shown(event: EventRecord) -> EventRecord:
    """Return an event as the API answers it: earlier releases kept diagnostics of any length."""
    return {**event, "Diagnostics": shortened_diagnostics(event["Diagnostics"])}


OPERATIONS = {"ListInferenceEvents": list_inference_events}
