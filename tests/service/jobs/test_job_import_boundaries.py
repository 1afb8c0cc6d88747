"""Imports that are killed between any two writes, or whose executions end badly, come to an end as well.

As in `test_job_boundaries`: the record says why, its quota is free, and copies go with their resource.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest

from tests.service.jobs.boundary import Plant
from tests.service.jobs.test_job_boundaries import (
    ENDS,
    abort,
    by_event,
    by_hour,
    by_read,
    kill,
    make,  # noqa: F401 - its fixture
    report,
    settle,
    time_out,
    with_model,
)


@dataclass(frozen=True)
class Kind:
    """How something is imported, looked at and deleted."""

    start: Callable[..., dict[str, Any]]
    delete: tuple[str, str]
    again: str

    def status(self, plant: Plant, name: str) -> tuple[str | None, str]:
        """Status and reason of the latest import of a name; None when there is none."""
        if self.start is Plant.import_version:
            found = plant.call("DescribeModelVersion", ModelName=name, ModelVersion=1)
            return found.get("Status"), found.get("FailedReason", "")
        for one in plant.must("ListDataIngestionJobs", DatasetName=name)["DataIngestionJobSummaries"]:
            job = plant.must("DescribeDataIngestionJob", JobId=one["JobId"])
            return job["Status"], job.get("FailedReason", "")
        return None, ""

    def remove(self, plant: Plant, name: str) -> None:
        operation, member = self.delete
        plant.must(operation, **{member: name})


KINDS = {
    "dataset": Kind(Plant.import_dataset, ("DeleteDataset", "DatasetName"), "import the dataset again"),
    "version": Kind(Plant.import_version, ("DeleteModel", "ModelName"), "import the model version again"),
}


@pytest.fixture
def plant(make: Callable[[], Plant]) -> Plant:  # noqa: F811 - the fixture
    """A plant with a model and so with a dataset, both of which can be copied."""
    made = make()
    with_model(made)
    return made


def boundaries(
    plant: Plant, work: Callable[[str], object], before: Callable[[str], object] = lambda _: None
) -> Iterator[tuple[str, str, bool]]:
    """Kill `work` at every boundary between its writes, each time with another name.

    Yields:
        The name, the boundary, and whether it is the last one, behind all writes.
    """
    at, done = 0, False
    while not done:
        name = f"copy-{at}"
        before(name)
        with plant.killed(at) as fuse:
            work(name)
        done = fuse.killed_at is None
        yield name, f"after write {at}" if done else f"before write {at + 1}, {fuse.killed_at}", done
        at += 1


def gone(plant: Plant, kind: Kind, *names: str) -> list[str]:
    """Delete what was imported and return the objects that are left once everything has gone."""
    for name in names:
        kind.remove(plant, name)
    plant.wait(2)
    plant.hourly()
    return plant.objects()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_start_of_an_import(plant: Plant, kind: Kind) -> None:
    before, killed = plant.objects(), 0
    for name, boundary, done in boundaries(plant, lambda name: kind.start(plant, name)):
        settle(plant)
        status, _ = kind.status(plant, name)
        assert status in ({"SUCCESS"} if done else {None, "SUCCESS"})
        again = name if status is None else f"{name}-again"
        assert kind.start(plant, again, "2")["status"] == 200, "the quota is free, and so is the name"
        plant.play_all()
        assert kind.status(plant, again)[0] == "SUCCESS"
        assert gone(plant, kind, *{name, again}) == before
        report("import", boundary, "not there; again" if status is None else "started later; SUCCESS")
        killed += not done
    assert killed >= 2


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_repeated_request_starts_the_import_that_was_not(plant: Plant, kind: Kind) -> None:
    lost = 0
    for name, boundary, _ in boundaries(plant, lambda name: kind.start(plant, name)):
        lost += boundary.endswith("StartExecution")
        assert kind.start(plant, name)["status"] == 200
        assert len(plant.running()) == 1
        plant.play_all()
        assert kind.status(plant, name)[0] == "SUCCESS"
    assert lost == 1


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_an_import_at_work(plant: Plant, kind: Kind) -> None:
    kept, killed = plant.objects(), 0

    def begin(name: str) -> None:
        assert kind.start(plant, name)["status"] == 200

    for name, boundary, done in boundaries(plant, lambda _: plant.play_all(), begin):
        settle(plant)
        status, reason = kind.status(plant, name)
        assert status == ("SUCCESS" if done else "FAILED")
        assert done or "needed more memory than the 3,008 MiB that it has. " in reason
        assert gone(plant, kind, name) == kept
        report("import function", boundary, f"{status} {reason[:100]}")
        killed += not done
    assert killed >= 3


def test_an_import_over_a_dataset_leaves_it_its_data_wherever_it_is_killed(plant: Plant) -> None:
    first = plant.import_dataset("target")["JobId"]
    plant.play_all()
    jobs: list[str] = []

    def begin(token: str) -> None:
        jobs.append(plant.import_dataset("target", token)["JobId"])

    for _, boundary, done in boundaries(plant, lambda _: plant.play_all(), begin):
        settle(plant)
        now = plant.context.records.dataset("target")
        assert now is not None
        assert now["Status"] == "ACTIVE"
        assert now["ingestionJobId"] == (jobs[-1] if done else first)
        assert "Schema" in plant.must("DescribeDataset", DatasetName="target")
        statistics = plant.must("ListSensorStatistics", DatasetName="target")
        assert statistics["SensorStatisticsSummaries"]
        report("import over a dataset", boundary, "new data" if done else "its data as before")
    assert len(jobs) > 3


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_an_execution_of_an_import_that_ended(plant: Plant, kind: Kind) -> None:
    for end, way in product((abort, time_out, kill), (by_event, by_hour, by_read)):
        name = f"{end.__name__}-{way.__name__}"
        assert kind.start(plant, name)["status"] == 200
        execution = plant.only_running()
        end(plant, execution)
        way(plant, execution)
        status, reason = kind.status(plant, name)
        assert status == "FAILED"
        assert ENDS[end] in reason
        assert end is not abort or reason.endswith(kind.again)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_lost_start_of_an_import_is_made_up_for(plant: Plant, kind: Kind) -> None:
    for way in (by_hour, by_read):
        name = way.__name__
        assert kind.start(plant, name)["status"] == 200
        (lost,) = (arn for arn, one in plant.machines.executions.items() if one.status == "RUNNING")
        execution = plant.machines.executions.pop(lost)
        way(plant, execution)
        assert kind.status(plant, name)[0] == "IMPORT_IN_PROGRESS"
        plant.play_all()
        assert kind.status(plant, name)[0] == "SUCCESS"
