"""Functions that the platform ended."""

import json

import pytest
from botocore.exceptions import ClientError

from service.jobs import ingest
from service.jobs.storage.keys import IngestionKeys
from service.reconciliation.failed_reason import exhaustion_reason
from service.reconciliation.training_end import WAYS_OUT
from service.storage.names import INGESTION_JOB
from service.storage.service_bucket import ServiceBucket
from tests.service.jobs.world import World, schema

WORK = "the training of model 'pump'"


@pytest.mark.parametrize(
    ("kind", "cause", "expected"),
    [
        (
            "Sandbox.Timedout",
            "RequestId: 5f Error: Task timed out after 900.00 seconds",
            "took longer than the 15 minutes that its function may run. ",
        ),
        ("States.Timeout", "", "took longer than it may run. "),
        ("Runtime.OutOfMemory", "", "needed more memory than the 3,008 MiB that it has. "),
        (
            "Runtime.ExitError",
            "Error: Runtime exited with error: signal: killed",
            "needed more memory than the 3,008 MiB that it has. ",
        ),
        (
            "_ArrayMemoryError",
            "Unable to allocate 3.35 GiB for an array",
            "needed more memory than the 3,008 MiB that it has. ",
        ),
    ],
)
def test_time_and_memory_are_named_with_ways_out(kind: str, cause: str, expected: str) -> None:
    error = {"Error": kind, "Cause": json.dumps({"errorType": kind, "errorMessage": cause})}
    reason = exhaustion_reason(error, work=WORK, ways_out=WAYS_OUT, memory_mib=3008)
    assert reason is not None
    assert reason.startswith(f"{WORK} {expected}")
    assert "Choose a coarser TargetSamplingRate" in reason
    assert "large_jobs" in reason


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"Reason": "OutOfMemoryError: container killed"}, "more memory than the 30,720 MiB that it has. "),
        ({"StatusReason": "Job attempt duration exceeded timeout"}, "took longer than it may run. "),
    ],
)
def test_a_task_of_aws_batch_has_limits_of_its_own(said: dict[str, str], expected: str) -> None:
    needs = [{"Type": "VCPU", "Value": "4"}, {"Type": "MEMORY", "Value": "30720"}]
    cause = {"Container": {"ExitCode": 137, "ResourceRequirements": needs, **said}, **said}
    error = {"Error": "States.TaskFailed", "Cause": json.dumps(cause)}
    reason = exhaustion_reason(error, work=WORK, ways_out=WAYS_OUT, memory_mib=10_240)
    assert reason is not None
    assert expected in reason


def test_other_failures_are_not_explained_away() -> None:
    cause = json.dumps({"errorType": "KeyError", "errorMessage": "'schemaKey'"})
    failed = json.dumps({"errorType": "JobFailed", "errorMessage": "JobFailed: cell 'MemoryError'"})
    for error in (
        {"Error": "KeyError", "Cause": cause},
        {"Error": "JobFailed", "Cause": "JobFailed: no labels"},
        {"Error": "JobFailed", "Cause": failed},
    ):
        assert exhaustion_reason(error, work=WORK, ways_out=WAYS_OUT, memory_mib=3008) is None


TIMED_OUT = {"Error": "Sandbox.Timedout", "Cause": '{"errorMessage": "Task timed out after 900.00 seconds"}'}
OUT_OF_MEMORY = {"Error": "Runtime.ExitError", "Cause": "Error: Runtime exited with error: signal: killed"}


@pytest.mark.parametrize(
    ("steps", "error", "parts"),
    [
        (
            (),
            TIMED_OUT,
            ["listing its files, took longer than the 15 minutes that", "fewer objects"],
        ),
        (
            ("plan",),
            OUT_OF_MEMORY,
            [
                "of which 'motor/big.csv' (1 KB), 'motor/a.csv' (0 KB) were not done, needed more memory",
                "Split large files into smaller ones",
            ],
        ),
        (
            ("plan", "read 0"),
            TIMED_OUT,
            ["of which 'motor/big.csv' (1 KB) were not done, took longer than the 15 minutes"],
        ),
        (
            ("plan", "read 0", "read 1"),
            OUT_OF_MEMORY,
            ["merging what it read, needed more memory than the 3,008 MiB", "Split the components"],
        ),
        (("plan", "read 0", "read 1"), TIMED_OUT, ["merging what it read, took longer", "shorter history"]),
    ],
)
def test_an_ingestion_that_the_platform_ended_names_the_way_out(
    world: World, steps: tuple[str, ...], error: dict[str, str], parts: list[str]
) -> None:
    text = "Timestamp,speed,flow\n" + "".join(f"2020-01-01T00:00:{second:02d},1,2\n" for second in range(60))
    world.upload("motor/a.csv", text[: text.index("\n", 30) + 1])
    world.upload("motor/big.csv", text)
    job = world.start_ingestion(world.dataset(schema(motor=("speed", "flow"))))
    manifest: list[dict[str, object]] = []
    for step in steps:
        name, _, index = step.partition(" ")
        item = {"Item": manifest[int(index)]} if index else {}
        ingest.run(world.runtime, {"Step": name, "JobId": job, **item})
        if name == "plan":
            keys = IngestionKeys(dataset=world.get(INGESTION_JOB, job)["datasetUuid"], job=job)
            manifest = world.runtime.service_bucket.get_json(keys.manifest)
    world.fail_ingestion(job, error)
    reason = world.get(INGESTION_JOB, job)["FailedReason"]
    assert reason.startswith(f"ingestion job '{job}', ")
    assert "internal error" not in reason
    for part in parts:
        assert part in reason


def test_a_job_ends_even_if_its_progress_is_unknown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject")

    monkeypatch.setattr(ServiceBucket, "find", refused)
    job = world.start_ingestion(world.dataset(schema(motor=("speed",))))
    world.fail_ingestion(job, TIMED_OUT)
    assert world.get(INGESTION_JOB, job)["FailedReason"] == (
        f"ingestion job '{job}' took longer than the 15 minutes that its function may run. Split "
        "large files into smaller ones, of the same columns and other times, or leave out columns"
    )
