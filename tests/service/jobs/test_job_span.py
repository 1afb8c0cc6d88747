"""A dataset of two components of different times: a model learns in the time of the component it uses."""

from datetime import timedelta

import pytest

from service.jobs import train
from service.storage.names import DATASET
from service.storage.store import Item
from tests.service.jobs import pump
from tests.service.jobs.world import World, at, schema

HYDRAULICS = schema(hydraulics=("flow", "pressure"))


@pytest.fixture
def uneven(world: World) -> Item:
    """The drive is known since 2019, the hydraulics for 20 days of 2020."""
    data = list(pump.history("2019-07-01", count=5_000, step=timedelta(hours=1)))
    world.upload("train/drive/data.csv", pump.drive(data))
    data = list(pump.history("2020-01-01", count=20 * 144, step=timedelta(minutes=10)))
    world.upload("train/hydraulics/data.csv", pump.hydraulics(data))
    found = world.dataset(pump.SCHEMA)
    job = world.ingest(found, prefix="train/")
    assert job["Status"] == "SUCCESS", job.get("FailedReason")
    assert (float(job["DataStartTime"]), float(job["DataEndTime"])) == (
        at("2019-07-01"),
        at("2020-01-25T07:00"),
    )
    return world.get(DATASET, found["DatasetName"])


def test_a_training_without_windows_is_that_of_its_sensors(world: World, uneven: Item) -> None:
    model = world.model(uneven, HYDRAULICS)
    assert model["Status"] == "SUCCESS", model.get("FailedReason")
    assert float(model["TrainingDataStartTime"]) == at("2020-01-01")
    assert float(model["TrainingDataEndTime"]) == at("2020-01-20T23:50")


def test_a_sensor_that_its_component_had_later_begins_with_its_first_value(world: World) -> None:
    data = list(pump.history("2020-01-01", count=25 * 144, step=timedelta(minutes=10)))
    lines = pump.hydraulics(data).splitlines()
    late = [line.rpartition(",")[0] + "," for line in lines[1 : 5 * 144 + 1]]  # no pressure for five days
    world.upload("train/hydraulics/data.csv", "\n".join([lines[0], *late, *lines[5 * 144 + 1 :]]))
    dataset = world.dataset(HYDRAULICS)
    job = world.ingest(dataset, prefix="train/")
    assert job["Status"] == "SUCCESS", job.get("FailedReason")
    model = world.model(dataset, schema(hydraulics=("pressure",)))
    assert model["Status"] == "SUCCESS", model.get("FailedReason")
    assert float(model["TrainingDataStartTime"]) == at("2020-01-06")
    assert float(model["TrainingDataEndTime"]) == at("2020-01-25T23:50")


def test_windows_are_cut_to_the_time_of_the_sensors(world: World, uneven: Item) -> None:
    model = world.model(
        uneven,
        HYDRAULICS,
        TrainingDataStartTime=at("2019-07-01"),
        TrainingDataEndTime=at("2020-01-18"),
        EvaluationDataStartTime=at("2020-01-18"),
        EvaluationDataEndTime=at("2020-01-25"),
    )
    assert model["Status"] == "SUCCESS", model.get("FailedReason")
    assert float(model["TrainingDataStartTime"]) == at("2020-01-01")
    assert float(model["EvaluationDataEndTime"]) == at("2020-01-20T23:50")


def test_a_window_before_the_first_value_of_the_sensors_has_no_data(world: World, uneven: Item) -> None:
    model = world.model(
        uneven,
        HYDRAULICS,
        TrainingDataStartTime=at("2019-07-01"),
        TrainingDataEndTime=at("2019-12-01"),
    )
    assert model["FailedReason"] == (
        "the training window 2019-07-01T00:00:00Z to 2019-12-01T00:00:00Z has no data: the sensors of the "
        f"model have data in dataset '{uneven['DatasetName']}' from 2020-01-01T00:00:00Z to "
        "2020-01-20T23:50:00Z; choose a training window inside that range, or ingest the missing history"
    )


def test_what_is_too_short_counts_the_time_of_the_sensors(world: World, uneven: Item) -> None:
    world.settings(minimum_training_days=30)
    model = world.model(uneven, HYDRAULICS)
    assert "has 19.99 days of data (2020-01-01T00:00:00Z to 2020-01-20T23:50:00Z)" in model["FailedReason"]
    assert "needs at least 30 days" in model["FailedReason"]


def test_the_size_is_that_of_the_time_of_the_sensors(world: World, uneven: Item) -> None:
    model = world.model(uneven, HYDRAULICS, train=False)
    planned = train.run(world.runtime, {"Step": "plan", "ModelName": model["ModelName"], "ModelVersion": 1})
    assert planned["Rows"] == pytest.approx(20 * 24, rel=0.01), "as dense as the longest component"
