"""Inference: each due window of a scheduler becomes one execution with one result file.

EventBridge Scheduler calls the function after every window. A window is claimed by creating its execution
record, so that repeated or overlapping calls never infer it twice; missed ones are caught up, oldest first.
The API calls it too, to try the role of a scheduler, and `l4e doctor`, to ask for the libraries.
"""

from collections.abc import Callable, Mapping
from typing import Any

from engine import libraries
from service.jobs.inference.access import refusal
from service.jobs.inference.loop import infer_due_windows
from service.jobs.runtime import Runtime, current_runtime


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Infer what is due for `InferenceSchedulerName`, if `Uuid` still is that scheduler; or try a role."""
    return run(current_runtime(), event, seconds_left=lambda: context.get_remaining_time_in_millis() / 1000)


def run(runtime: Runtime, event: Mapping[str, Any], *, seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Infer the due windows; return the name of the scheduler and the status of each execution.

    An event with a `Step` asks whether a role gives access, to which the answer is the `Refusal` or None; or
    which numeric libraries there are.
    """
    match event.get("Step"):
        case "try-access":
            return {"Refusal": refusal(runtime, event)}
        case "libraries":
            return {**libraries()}
    executions = infer_due_windows(runtime, event, seconds_left=seconds_left)
    return {"InferenceSchedulerName": event["InferenceSchedulerName"], "Executions": executions}
