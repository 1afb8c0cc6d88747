"""A last value stands in for as long as its sensor usually pauses, in training, evaluation and inference."""

import json
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from engine import Detector
from service.storage.names import DATASET, artefact_key
from service.storage.store import Item
from tests.service.jobs import pump
from tests.service.jobs.inference import DAY, MINUTE, results, started, upload
from tests.service.jobs.world import World, at

DAYS = 20
OUTAGE = ("2020-01-05T06:00:00", "2020-01-07T06:00:00")
FLOW = "hydraulics\\flow"


def always_but_two_days(_: int, time: str) -> bool:
    return not OUTAGE[0] <= time < OUTAGE[1]


def every_ten_minutes(row: int, _: str) -> bool:
    return row % 10 == 0


def trained(home: World, reports: pump.Reports) -> Item:
    prefix = f"{reports.__name__}/"
    data = list(pump.history("2020-01-01", count=DAYS * 1440, step=timedelta(minutes=1)))
    home.upload(f"{prefix}drive/data.csv", pump.drive(data))
    home.upload(f"{prefix}hydraulics/data.csv", pump.without_flow(pump.hydraulics(data), reports))
    found = home.dataset(pump.SCHEMA)
    home.ingest(found, prefix=prefix)
    model = home.model(
        home.get(DATASET, found["DatasetName"]),
        pump.SCHEMA,
        TrainingDataStartTime=at("2020-01-01"),
        TrainingDataEndTime=at("2020-01-18"),
        EvaluationDataStartTime=at("2020-01-18"),
        EvaluationDataEndTime=at("2020-01-20"),
        DataPreProcessingConfiguration={"TargetSamplingRate": "PT1M"},
    )
    assert model["Status"] == "SUCCESS", model.get("FailedReason")
    return model


def detector(home: World, model: Item) -> Detector:
    body = home.runtime.service_bucket.find(artefact_key(model["uuid"], 1))
    assert body is not None
    return Detector.from_bytes(body)


def limit(home: World, model: Item, sensor: str) -> float:
    return float(detector(home, model).fill_limits[sensor] / np.timedelta64(1, "m"))


def told(home: World, model: Item) -> dict[str, Any]:
    document = json.loads(home.runtime.service_bucket.get_text(model["metricsKey"]))
    found: dict[str, Any] = document.get("training", {"silent_percent": 0.0, "notes": []})
    return found


def test_two_days_of_silence_are_not_learned_and_told(home: World) -> None:
    model = trained(home, always_but_two_days)
    found = told(home, model)
    assert found["silent_percent"] == pytest.approx(100 * 2 / 17, abs=0.3)
    (note,) = [each for each in found["notes"] if FLOW in each]
    assert "2020-01-05T06:02:00Z to 2020-01-07T05:59:00Z" in note
    assert limit(home, model, FLOW) == 2


def test_a_sensor_that_reports_seldom_costs_a_training_nothing(home: World) -> None:
    seldom = trained(home, every_ten_minutes)
    assert limit(home, seldom, FLOW) == 20
    assert not [each for each in told(home, seldom)["notes"] if FLOW in each]


@pytest.mark.parametrize(("reports", "silent"), [(always_but_two_days, True), (every_ten_minutes, False)])
def test_a_window_without_a_value_of_a_sensor(
    world: World, home: World, reports: pump.Reports, *, silent: bool
) -> None:
    """The sensor of every row is left out and told; the one of every ten minutes has its last value."""
    scheduler = started(world, trained(home, reports), "10:05", now="10:10:20")
    upload(world, "10:00")
    upload(world, "10:05", components=("drive",))
    data = list(pump.history(f"{DAY}10:06", count=5, step=MINUTE))
    world.upload(
        "in/hydraulics_20260105100600.csv", pump.without_flow(pump.hydraulics(data), lambda *_: False)
    )
    assert set(world.tick(scheduler).values()) == {"SUCCESS"}
    notices = world.executions(scheduler)[-1].get("notices", [])
    assert [each["sensor"] for each in notices if each["kind"] == "no-values"] == ([FLOW] if silent else [])
    shares = {
        each["value"]
        for row in results(world, "10:05")[2:]  # so long does a value stand in for one of every row
        for each in row["diagnostics"]
        if each["name"] == FLOW
    }
    nothing_to_tell = {0.0, 1 / len(pump.SENSORS)}
    assert (shares <= nothing_to_tell) == silent
