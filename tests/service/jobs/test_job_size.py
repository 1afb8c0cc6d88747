"""How large a training will be: the step that a state machine chooses by."""

from decimal import Decimal
from typing import Any

import pytest

from service.jobs import train
from service.jobs.failure import JobFailed
from service.jobs.training.size import Size
from service.members.training_windows import TimeSpan, TrainingWindows
from service.storage.names import INGESTION_JOB, MODEL
from service.storage.store import Item, Update
from tests.service.jobs import pump
from tests.service.jobs.world import World, at

DAY = Decimal(86_400)
TEN_DAYS = TimeSpan(start=0 * DAY, end=10 * DAY)


def size(*, evaluation: TimeSpan | None = None, **known: Any) -> Size:
    spans = TrainingWindows(training=TimeSpan(start=0 * DAY, end=4 * DAY), evaluation=evaluation)
    known = {"data_rows": None, "step_seconds": None, **known}
    return Size.of(spans, sensors=30, data=TEN_DAYS, **known)


@pytest.mark.parametrize(
    ("known", "rows"),
    [
        ({"data_rows": 14_400}, 5_760),
        ({"step_seconds": 60}, 5_760),
        ({"data_rows": 14_400, "step_seconds": 1}, 5_760),
        ({"data_rows": 14_400_000, "step_seconds": 600}, 576),
        ({"data_rows": 14_400, "evaluation": TimeSpan(start=4 * DAY, end=10 * DAY)}, 8_640),
        ({"data_rows": 14_400, "evaluation": TimeSpan(start=9 * DAY, end=10 * DAY)}, 5_760),
        ({"data_rows": 1, "evaluation": TEN_DAYS}, 1),
        ({}, 0),
    ],
)
def test_of_the_longer_window(known: dict[str, Any], rows: int) -> None:
    found = size(**known)
    assert (found.rows, found.sensors, found.cells) == (rows, 30, rows * 30)


def plan(world: World, model: Item) -> dict[str, Any]:
    return train.run(world.runtime, {"Step": "plan", "ModelName": model["ModelName"], "ModelVersion": 1})


def test_is_learned_from_the_records(home: World, dataset: Item) -> None:
    model = home.model(dataset, pump.SCHEMA, train=False, TrainingDataEndTime=at("2020-01-18"))
    found = plan(home, model)
    assert (found["Status"], found["Sensors"]) == ("IN_PROGRESS", len(pump.SENSORS))
    assert found["Rows"] == pytest.approx(17 * 1440, rel=1e-3)
    assert found["Cells"] == found["Rows"] * found["Sensors"]
    assert home.get(MODEL, model["ModelName"])["Status"] == "IN_PROGRESS"


def test_goes_with_the_sampling_rate(home: World, dataset: Item) -> None:
    model = home.model(
        dataset,
        pump.SCHEMA,
        train=False,
        TrainingDataEndTime=at("2020-01-18"),
        DataPreProcessingConfiguration={"TargetSamplingRate": "PT1H"},
    )
    assert plan(home, model)["Rows"] == 17 * 24


def test_of_data_that_was_not_counted_is_not_known(home: World, dataset: Item) -> None:
    model = home.model(dataset, pump.SCHEMA, train=False)
    job = home.get(INGESTION_JOB, model["ingestionJobId"])
    uncounted = Update(INGESTION_JOB, job["JobId"], {}, remove=("rows",))
    home.runtime.store.transact(uncounted)
    try:
        assert plan(home, model)["Cells"] == 0
    finally:
        home.runtime.store.transact(Update(INGESTION_JOB, job["JobId"], {"rows": job["rows"]}))


def test_of_a_training_that_is_over_is_not_told(home: World, model: Item) -> None:
    assert plan(home, model) == {"ModelName": model["ModelName"], "ModelVersion": 1, "Status": "SUCCESS"}


def test_of_windows_without_data_is_a_failure(home: World, dataset: Item) -> None:
    model = home.model(
        dataset,
        pump.SCHEMA,
        train=False,
        TrainingDataStartTime=at("2021-01-01"),
        TrainingDataEndTime=at("2021-06-01"),
    )
    with pytest.raises(JobFailed, match=r"the training window .* has no data"):
        plan(home, model)
