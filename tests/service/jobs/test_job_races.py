"""Documents live and die with their records, whatever happens between a look and a write."""

from collections.abc import Callable

import pytest

from service.storage.names import PENDING_DELETION
from tests.embedded import EmbeddedAws
from tests.service.jobs.boundary import Fuse, Plant, States
from tests.service.jobs.world import World


@pytest.fixture
def plant(jobs_aws: EmbeddedAws, world: World, states: States) -> Plant:
    return Plant.maker(jobs_aws, world, states)()


def just_before(plant: Plant, operation: str, action: Callable[[], object], *, number: int = 1) -> None:
    """Do something just before AWS sees the call with that number of an operation."""
    seen = 0

    def act(called: str) -> None:
        nonlocal seen
        seen += called == operation
        if called == operation and seen == number:
            plant.fuse = Fuse()
            action()

    plant.fuse = act


@pytest.mark.parametrize("number", [1, 2])
def test_of_two_who_create_the_same_dataset_one_leaves_nothing(plant: Plant, number: int) -> None:
    just_before(plant, "TransactWriteItems", lambda: plant.create_dataset(token="2"), number=number)
    reply = plant.create_dataset()
    assert reply["__type"].endswith("ConflictException")
    uuid = plant.must("DescribeDataset", DatasetName="plant")["DatasetArn"].rpartition("/")[2]
    assert plant.objects() == [f"documents/{uuid}/schema.json"]
    assert list(plant.context.store.all(PENDING_DELETION)) == []


def test_a_model_cannot_be_created_on_a_dataset_that_goes(plant: Plant) -> None:
    plant.ingested()
    just_before(plant, "GetObject", lambda: plant.must("DeleteDataset", DatasetName="plant"))
    reply = plant.create_model()
    assert reply["__type"].endswith("ResourceNotFoundException")
    assert "the dataset 'plant' does not exist" in reply["Message"]
    assert plant.objects() == []


def test_a_model_whose_dataset_goes_just_before_it_is_written(plant: Plant) -> None:
    plant.ingested()
    just_before(
        plant, "TransactWriteItems", lambda: plant.must("DeleteDataset", DatasetName="plant"), number=2
    )
    reply = plant.create_model()
    assert reply["__type"].endswith("ResourceNotFoundException")
    assert plant.objects() == []
    assert plant.must("ListModels")["ModelSummaries"] == []


@pytest.mark.parametrize(
    ("kind", "name", "describe"),
    [
        ("Dataset", "plant", {"DatasetName": "plant"}),
        ("Model", "wear", {"ModelName": "wear"}),
        ("ModelVersion", "wear", {"ModelName": "wear", "ModelVersion": 1}),
    ],
)
def test_who_reads_what_is_being_deleted_is_told_that_it_is_gone(
    plant: Plant, kind: str, name: str, describe: dict[str, object]
) -> None:
    plant.ingested()
    if kind != "Dataset":
        plant.create_model()
        plant.play_all()
    resource = kind.removesuffix("Version")
    delete = {f"{resource}Name": name}
    just_before(plant, "GetObject", lambda: plant.must(f"Delete{resource}", **delete))
    reply = plant.call(f"Describe{kind}", **describe)
    assert reply["__type"].endswith("ResourceNotFoundException")


def test_a_schema_that_is_found_belongs_to_its_job(plant: Plant) -> None:
    """A job that was given up but still works does not change the schema that another has found."""
    plant.call("CreateDataset", DatasetName="plant", ClientToken="t")
    pattern = "{prefix}/{component_name}/*"
    assert plant.start_ingestion(KeyPattern=pattern)["status"] == 200
    first = plant.only_running()

    def give_up() -> None:
        first.end("ABORTED")
        plant.tell(first)
        plant.wait(0.1)
        assert plant.start_ingestion(token="2", KeyPattern=pattern)["status"] == 200
        plant.play_all()

    just_before(plant, "TransactWriteItems", give_up)
    plant.play_all()
    jobs = plant.must("ListDataIngestionJobs")["DataIngestionJobSummaries"]
    assert [job["Status"] for job in jobs] == ["SUCCESS", "FAILED"]
    dataset = plant.context.records.dataset("plant")
    assert dataset is not None
    assert jobs[0]["JobId"] in dataset.get("schemaKey", "")
    assert "hydraulics" in plant.must("DescribeDataset", DatasetName="plant")["Schema"]
