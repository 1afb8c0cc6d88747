"""Functions that the platform ended."""

import json

import pytest

from service.jobs.failure import exhaustion_reason

WORK = "the training of model 'pump'"


@pytest.mark.parametrize(
    ("kind", "cause", "expected"),
    [
        ("Sandbox.Timedout", "RequestId: 5f Error: Task timed out after 900.00 seconds", "took longer"),
        ("States.Timeout", "", "took longer"),
        ("Runtime.OutOfMemory", "", "needed more memory"),
        ("Runtime.ExitError", "Error: Runtime exited with error: signal: killed", "needed more memory"),
        ("_ArrayMemoryError", "Unable to allocate 3.35 GiB for an array", "needed more memory"),
    ],
)
def test_time_and_memory_are_named_with_ways_out(kind: str, cause: str, expected: str) -> None:
    error = {"Error": kind, "Cause": json.dumps({"errorType": kind, "errorMessage": cause})}
    reason = exhaustion_reason(error, work=WORK)
    assert reason is not None
    assert reason.startswith(f"{WORK} {expected}")
    assert "Choose a coarser TargetSamplingRate" in reason
    assert "large_jobs" in reason


def test_other_failures_are_not_explained_away() -> None:
    cause = json.dumps({"errorType": "KeyError", "errorMessage": "'schemaKey'"})
    assert exhaustion_reason({"Error": "KeyError", "Cause": cause}, work=WORK) is None
    assert exhaustion_reason({"Error": "JobFailed", "Cause": "JobFailed: no labels"}, work=WORK) is None
