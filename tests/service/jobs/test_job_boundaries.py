"""Nothing sticks: processes killed between any two writes, executions that end in every bad way, lost starts.

Whatever happens, the record reaches an end and says why, its quota is free, and the resource can be deleted.
`pytest -s` on this file lists every injected boundary with its outcome.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from service.storage.names import DATASET, MODEL, PENDING_DELETION
from tests.embedded import EmbeddedAws
from tests.service.jobs.boundary import KILLED, THROTTLED, Execution, Fuse, Plant, States
from tests.service.jobs.world import World


@pytest.fixture
def make(jobs_aws: EmbeddedAws, world: World, states: States) -> Callable[[], Plant]:
    return Plant.maker(jobs_aws, world, states)


def boundaries(
    make: Callable[[], Plant], work: Callable[[Plant], object], before: Callable[[Plant], Any]
) -> Iterator[tuple[Plant, str]]:
    """A plant for every boundary between the writes of `work`, killed there, and the name of the boundary."""
    at, done = 0, False
    while not done:
        plant = make()
        before(plant)
        with plant.killed(at) as fuse:
            work(plant)
        done = fuse.killed_at is None
        yield plant, f"before write {at + 1}, {fuse.killed_at}" if not done else f"after write {at}"
        at += 1


def report(what: str, boundary: str, outcome: str) -> None:
    print(f"{what:24} | {boundary:38} | {outcome}")


def nothing(_: Plant) -> None:
    """No preparation."""


def settle(plant: Plant) -> None:
    """A day later everything that was to happen by itself has happened, but nobody has read anything."""
    plant.wait(0.1)
    plant.hourly()
    plant.play_all()
    for execution in plant.machines.executions.values():
        if execution.status != "SUCCEEDED":
            plant.tell(execution)
    plant.wait(2)
    plant.hourly()


def remove_everything(plant: Plant) -> None:
    """Deletes all there is, and requires that nothing is left in the table and the bucket."""
    for model in plant.must("ListModels")["ModelSummaries"]:
        plant.must("DeleteModel", ModelName=model["ModelName"])
    for dataset in plant.must("ListDatasets")["DatasetSummaries"]:
        plant.must("DeleteDataset", DatasetName=dataset["DatasetName"])
    plant.wait(2)
    plant.hourly()
    assert plant.objects() == []
    for partition in (DATASET, MODEL, PENDING_DELETION):
        assert list(plant.context.store.all(partition)) == []


def test_a_creation_of_a_dataset(make: Callable[[], Plant]) -> None:
    for plant, boundary in boundaries(make, Plant.create_dataset, nothing):
        settle(plant)
        before = plant.call("DescribeDataset", DatasetName="plant")["status"]
        assert plant.objects() == [] or before == 200, "documents live with their record"
        assert plant.create_dataset()["status"] == 200, "the same request can be sent again"
        assert "Schema" in plant.must("DescribeDataset", DatasetName="plant")
        report("CreateDataset", boundary, "there" if before == 200 else "not there; nothing left behind")
        remove_everything(plant)


def test_a_start_of_an_ingestion(make: Callable[[], Plant]) -> None:
    for plant, boundary in boundaries(make, Plant.start_ingestion, Plant.create_dataset):
        settle(plant)
        jobs = plant.must("ListDataIngestionJobs")["DataIngestionJobSummaries"]
        assert [job["Status"] for job in jobs] in ([], ["SUCCESS"])
        status = plant.must("DescribeDataset", DatasetName="plant")["Status"]
        assert status == ("ACTIVE" if jobs else "CREATED")
        report("StartDataIngestionJob", boundary, "started later; SUCCESS" if jobs else "not there")
        assert plant.start_ingestion(token="2")["status"] == 200, "the quota is free"
        plant.play_all()
        remove_everything(plant)


@pytest.mark.parametrize(
    ("before", "start"),
    [(Plant.create_dataset, Plant.start_ingestion), (Plant.ingested, Plant.create_model)],
    ids=["ingestion", "training"],
)
def test_a_request_that_is_sent_again_starts_what_it_could_not(
    make: Callable[[], Plant], before: Callable[[Plant], Any], start: Callable[[Plant], dict[str, Any]]
) -> None:
    cut_short = 0
    for plant, boundary in boundaries(make, start, before):
        lost = boundary.endswith("StartExecution")
        cut_short += lost
        if lost:
            assert plant.running() == []
        assert start(plant)["status"] == 200
        assert len(plant.running()) == 1
    assert cut_short == 1


def test_a_creation_of_a_model(make: Callable[[], Plant]) -> None:
    for plant, boundary in boundaries(make, Plant.create_model, Plant.ingested):
        kept = len(plant.objects())
        settle(plant)
        models = plant.must("ListModels")["ModelSummaries"]
        assert [model["Status"] for model in models] in ([], ["SUCCESS"])
        if not models:
            assert len(plant.objects()) <= kept, "documents live with their record"
        report(
            "CreateModel", boundary, "started later; SUCCESS" if models else "not there; nothing left behind"
        )
        remove_everything(plant)


def with_model(plant: Plant) -> None:
    def work() -> None:
        plant.ingested()
        assert plant.create_model()["status"] == 200
        plant.play_all()
        assert plant.must("DescribeModel", ModelName="wear")["Status"] == "SUCCESS"

    plant.once("with model", work)


DELETIONS = {
    "DeleteDataset": (Plant.ingested, lambda plant: plant.call("DeleteDataset", DatasetName="plant")),
    "DeleteModel": (with_model, lambda plant: plant.call("DeleteModel", ModelName="wear")),
}


@pytest.mark.parametrize("operation", DELETIONS)
def test_a_deletion(make: Callable[[], Plant], operation: str) -> None:
    before, work = DELETIONS[operation]
    for plant, boundary in boundaries(make, work, before):
        settle(plant)
        again = work(plant)["status"]
        report(
            operation,
            boundary,
            "still there, deleted later" if again == 200 else "deleted; rest removed later",
        )
        remove_everything(plant)


def begun_ingestion(plant: Plant) -> None:
    plant.create_dataset()
    assert plant.start_ingestion()["status"] == 200


def begun_training(plant: Plant) -> None:
    plant.ingested()
    assert plant.create_model()["status"] == 200


JOBS = {"ingestion": begun_ingestion, "training": begun_training}


def ended(plant: Plant, kind: str) -> dict[str, Any]:
    """What the customer reads of the job."""
    if kind == "training":
        version = plant.must("DescribeModelVersion", ModelName="wear", ModelVersion=1)
        assert {k: version[k] for k in ("Status", "FailedReason") if k in version}.items() <= plant.must(
            "DescribeModel", ModelName="wear"
        ).items()
        return version
    (job,) = plant.must("ListDataIngestionJobs")["DataIngestionJobSummaries"]
    return plant.must("DescribeDataIngestionJob", JobId=job["JobId"])


def goes_on(plant: Plant, kind: str, *, play: bool) -> None:
    """The quota is free and the customer can try again, with success if it is played to its end."""
    if kind == "training":
        plant.must("DeleteModel", ModelName="wear")
        assert plant.create_model(token="2")["status"] == 200
    else:
        assert plant.start_ingestion(token="2")["status"] == 200
    if not play:
        execution = plant.only_running()
        execution.end("ABORTED")
        plant.tell(execution)
        remove_everything(plant)
        return
    plant.play_all()
    if kind == "training":
        assert plant.must("DescribeModel", ModelName="wear")["Status"] == "SUCCESS"
    else:
        assert plant.must("DescribeDataset", DatasetName="plant")["Status"] == "ACTIVE"
    remove_everything(plant)


@pytest.mark.parametrize("kind", JOBS)
def test_a_function_at_work(make: Callable[[], Plant], kind: str) -> None:
    for plant, boundary in boundaries(make, Plant.play_all, JOBS[kind]):
        # `play_all` has ended the execution as Step Functions does when its function is killed.
        settle(plant)
        job = ended(plant, kind)
        if boundary.startswith("before"):
            assert job["Status"] == "FAILED"
            assert "needed more memory than the" in job["FailedReason"]
        else:
            assert job["Status"] == "SUCCESS"
        report(f"{kind} function", boundary, f"{job['Status']} {job.get('FailedReason', '')[:100]}")
        goes_on(plant, kind, play=boundary.startswith("after"))


def abort(_: Plant, execution: Execution) -> None:
    execution.end("ABORTED", Error="Maintenance", Cause="stopped by hand")


def time_out(_: Plant, execution: Execution) -> None:
    execution.end("TIMED_OUT")


def throttle(_: Plant, execution: Execution) -> None:
    execution.end("FAILED", **THROTTLED)


def kill(_: Plant, execution: Execution) -> None:
    execution.end("FAILED", **KILLED)


def end_without_result(_: Plant, execution: Execution) -> None:
    execution.end("SUCCEEDED")


def kill_read(plant: Plant, execution: Execution) -> None:
    plant.fail_read(execution, KILLED, noted=True)


def throttle_read(plant: Plant, execution: Execution) -> None:
    plant.fail_read(execution, THROTTLED, noted=True)


def throttle_read_and_note(plant: Plant, execution: Execution) -> None:
    plant.fail_read(execution, THROTTLED, noted=False)


AGAIN = {"ingestion": "start a new ingestion job", "training": "delete the model and create it again"}
ENDS: dict[Callable[[Plant, Execution], None], str] = {
    abort: "was stopped: its execution was aborted (Maintenance; stopped by hand). To go on, ",
    time_out: "took longer than it may run. ",
    throttle: "found no function to run in for about an hour: ",
    kill: "needed more memory than the ",
    end_without_result: "internal error: NoResult: the execution ended without a result; look for execution",
}
READ_ENDS = {
    kill_read: "needed more memory than the 3,008 MiB that it has. ",
    throttle_read: "found no function to run in for about an hour: ",
    throttle_read_and_note: "internal error: States.ExceedToleratedFailureThreshold: The specified",
}
CASES = [
    *(("ingestion", end) for end in (*ENDS, *READ_ENDS)),
    *(("training", end) for end in ENDS),
]


def by_event(plant: Plant, execution: Execution) -> None:
    plant.tell(execution)
    plant.tell(execution)  # at least once


def by_hour(plant: Plant, _: Execution) -> None:
    plant.wait(1)
    plant.hourly()


def by_read(plant: Plant, _: Execution) -> None:
    plant.wait(1)


@pytest.mark.parametrize("way", [by_event, by_hour, by_read])
@pytest.mark.parametrize(("kind", "end"), CASES)
def test_an_execution_that_ended(
    make: Callable[[], Plant],
    kind: str,
    end: Callable[[Plant, Execution], None],
    way: Callable[[Plant, Execution], None],
) -> None:
    plant = make()
    JOBS[kind](plant)
    execution = plant.only_running()
    end(plant, execution)
    way(plant, execution)
    job = ended(plant, kind)
    assert job["Status"] == "FAILED"
    assert {**ENDS, **READ_ENDS}[end] in job["FailedReason"]
    if end is abort:
        assert job["FailedReason"].endswith(AGAIN[kind])
    report(f"{kind}: {end.__name__}", way.__name__, f"FAILED {job['FailedReason'][:100]}")
    goes_on(plant, kind, play=way is by_event)


READS: dict[str, list[tuple[str, Callable[[Plant], dict[str, Any]]]]] = {
    "ingestion": [
        ("DescribeDataset", lambda plant: plant.call("DescribeDataset", DatasetName="plant")),
        ("ListDatasets", lambda plant: plant.call("ListDatasets")),
        ("ListDataIngestionJobs", lambda plant: plant.call("ListDataIngestionJobs", Status="FAILED")),
        ("StartDataIngestionJob", lambda plant: plant.start_ingestion(token="2")),
        ("StartDataIngestionJob elsewhere", lambda plant: plant.start_ingestion("other", token="2")),
        ("DeleteDataset", lambda plant: plant.call("DeleteDataset", DatasetName="plant")),
    ],
    "training": [
        ("DescribeModel", lambda plant: plant.call("DescribeModel", ModelName="wear")),
        (
            "DescribeModelVersion",
            lambda plant: plant.call("DescribeModelVersion", ModelName="wear", ModelVersion=1),
        ),
        ("ListModels", lambda plant: plant.call("ListModels", Status="FAILED")),
        (
            "ListModelVersions",
            lambda plant: plant.call("ListModelVersions", ModelName="wear", Status="FAILED"),
        ),
        ("CreateModel elsewhere", lambda plant: plant.create_model("other", token="2")),
        ("DeleteModel", lambda plant: plant.call("DeleteModel", ModelName="wear")),
        ("DeleteDataset", lambda plant: plant.call("DeleteDataset", DatasetName="plant")),
    ],
}


@pytest.mark.parametrize(
    ("kind", "operation", "read"), [(kind, *read) for kind in READS for read in READS[kind]]
)
def test_whoever_is_in_the_way_is_looked_at(
    make: Callable[[], Plant], kind: str, operation: str, read: Callable[[Plant], dict[str, Any]]
) -> None:
    plant = make()
    JOBS[kind](plant)
    if operation == "StartDataIngestionJob elsewhere":
        plant.create_dataset("other")
    plant.only_running().end("ABORTED")
    plant.wait(1)
    reply = read(plant)
    assert reply["status"] == 200, reply
    assert "IN_PROGRESS" not in str([reply.get(name) for name in reply if name.startswith("List")])
    for name in ("DataIngestionJobSummaries", "ModelSummaries", "ModelVersionSummaries"):
        if name in reply:
            assert [one["Status"] for one in reply[name]] == ["FAILED"]
    report(f"{kind}: aborted", f"seen by {operation}", "the request succeeds")


@pytest.mark.parametrize("kind", JOBS)
def test_an_execution_that_runs_is_left_alone(make: Callable[[], Plant], kind: str) -> None:
    plant = make()
    JOBS[kind](plant)
    for hours in (0.01, 1, 100):
        plant.wait(hours)
        plant.hourly()
        assert ended(plant, kind)["Status"] == "IN_PROGRESS"
    plant.play_all()
    assert ended(plant, kind)["Status"] == "SUCCESS"


@pytest.mark.parametrize("kind", JOBS)
@pytest.mark.parametrize("way", [by_hour, by_read])
def test_a_lost_start_is_made_up_for(
    make: Callable[[], Plant], kind: str, way: Callable[[Plant, Execution], None]
) -> None:
    plant = make()
    JOBS[kind](plant)
    (lost,) = (arn for arn, one in plant.machines.executions.items() if one.status == "RUNNING")
    execution = plant.machines.executions.pop(lost)
    assert ended(plant, kind)["Status"] == "IN_PROGRESS"
    assert lost not in plant.machines.executions, "a start may be under way"
    way(plant, execution)
    assert ended(plant, kind)["Status"] == "IN_PROGRESS"
    plant.play_all()
    assert ended(plant, kind)["Status"] == "SUCCESS"
    report(f"{kind}: lost start", way.__name__, "started again with the same name; SUCCESS")


@pytest.mark.parametrize("kind", JOBS)
def test_what_was_not_started_for_a_day_fails(make: Callable[[], Plant], kind: str) -> None:
    plant = make()
    JOBS[kind](plant)
    plant.machines.executions.clear()
    plant.wait(25)
    job = ended(plant, kind)
    assert job["Status"] == "FAILED"
    assert job["FailedReason"].endswith(f"was never started, or its execution is gone: {AGAIN[kind]}")
    report(f"{kind}: lost start", "a day later", f"FAILED {job['FailedReason'][:100]}")
    goes_on(plant, kind, play=True)


@pytest.mark.parametrize("kind", JOBS)
def test_the_reconciler_itself(make: Callable[[], Plant], kind: str) -> None:
    def stopped(plant: Plant) -> None:
        JOBS[kind](plant)
        plant.only_running().end("ABORTED")
        plant.wait(1)

    for plant, boundary in boundaries(make, Plant.hourly, stopped):
        assert ended(plant, kind)["Status"] == "FAILED"
        report(f"reconciler of {kind}", boundary, "FAILED by the next to look")
        goes_on(plant, kind, play=False)


def test_a_throttled_step_functions_keeps_nobody_from_reading(make: Callable[[], Plant]) -> None:
    plant = make()
    begun_ingestion(plant)
    plant.only_running().end("ABORTED")
    plant.wait(1)
    plant.machines.broken = ClientError({"Error": {"Code": "ThrottlingException"}}, "DescribeExecution")
    assert ended(plant, "ingestion")["Status"] == "IN_PROGRESS"
    plant.hourly()
    plant.machines.broken = None
    assert ended(plant, "ingestion")["Status"] == "FAILED"


@pytest.mark.parametrize("kind", JOBS)
def test_an_event_that_cannot_be_handled_is_handed_back(make: Callable[[], Plant], kind: str) -> None:
    """The reconciler raises, so that Lambda tries again."""
    plant = make()
    JOBS[kind](plant)
    execution = plant.only_running()
    execution.end("ABORTED")
    plant.machines.broken = ClientError({"Error": {"Code": "ThrottlingException"}}, "DescribeExecution")
    with pytest.raises(ClientError):
        plant.tell(execution)
    plant.machines.broken = None
    plant.tell(execution)
    assert ended(plant, kind)["Status"] == "FAILED"


@pytest.mark.parametrize("kind", JOBS)
def test_a_start_that_is_refused_leaves_nothing(make: Callable[[], Plant], kind: str) -> None:
    plant = make()
    if kind == "training":
        plant.ingested()
    else:
        plant.create_dataset()
    start = plant.create_model if kind == "training" else plant.start_ingestion
    plant.machines.broken = ClientError({"Error": {"Code": "ThrottlingException"}}, "StartExecution")
    assert start()["__type"].endswith("ThrottlingException")
    plant.machines.broken = None
    assert plant.must("ListModels")["ModelSummaries"] == []
    assert start(token="2")["status"] == 200
    plant.play_all()
    assert ended(plant, kind)["Status"] == "SUCCESS"
    remove_everything(plant)


def test_a_job_that_was_given_up_changes_nothing_when_it_goes_on(make: Callable[[], Plant]) -> None:
    """A stopped execution does not stop the function that works for it, here just before its last write."""
    plant = make()
    begun_ingestion(plant)
    first = plant.only_running()

    def give_up(operation: str) -> None:
        if operation == "TransactWriteItems":
            plant.fuse = Fuse()
            first.end("ABORTED")
            plant.tell(first)
            plant.wait(0.1)
            assert plant.start_ingestion(token="2")["status"] == 200
            plant.play_all()

    plant.fuse = give_up
    plant.play_all()
    assert first.error["Error"] == "StateChanged"
    jobs = plant.must("ListDataIngestionJobs")["DataIngestionJobSummaries"]
    assert [job["Status"] for job in jobs] == ["SUCCESS", "FAILED"]
    dataset = plant.context.records.dataset("plant")
    assert dataset is not None
    assert (dataset["Status"], dataset.get("ingestionJobId")) == ("ACTIVE", jobs[0]["JobId"])


def test_a_training_that_was_given_up_changes_nothing_when_it_goes_on(make: Callable[[], Plant]) -> None:
    plant = make()
    begun_training(plant)
    execution = plant.only_running()

    def give_up(operation: str) -> None:
        if operation == "TransactWriteItems":
            plant.fuse = Fuse()
            execution.end("ABORTED")
            plant.tell(execution)

    plant.fuse = give_up
    plant.play_all()
    version = ended(plant, "training")
    assert version["Status"] == "FAILED"
    assert "was aborted" in version["FailedReason"]
    assert "ActiveModelVersion" not in plant.must("DescribeModel", ModelName="wear")
    goes_on(plant, "training", play=True)


def test_a_training_that_goes_on_after_its_model_was_deleted_leaves_nothing(
    make: Callable[[], Plant],
) -> None:
    plant = make()
    begun_training(plant)
    execution = plant.only_running()
    execution.end("ABORTED")
    plant.tell(execution)
    kept = plant.context.records.version(plant.must("DescribeModel", ModelName="wear")["ModelArn"][-36:], 1)
    assert kept is not None
    assert kept["Status"] == "FAILED"
    plant.must("DeleteModel", ModelName="wear")
    plant.context.service_bucket.put_text(f"models/{kept['uuid']}/1/model.bin", "late")
    plant.now[0] += timedelta(minutes=20)
    plant.hourly()
    remove_everything(plant)
