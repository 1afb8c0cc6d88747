"""Rows that inference keeps, and retrainings that learn from them: nothing lost, nothing twice."""

import io
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from engine import ObservedRows
from service.jobs.storage.accumulated import AccumulatedRows
from service.jobs.training import train_version
from service.jobs.training.learn import learn
from service.storage.names import MODEL, accumulated_prefix, version_key, versions_of
from service.storage.store import Item
from tests.embedded import EmbeddedAws
from tests.service.counted import counted_calls
from tests.service.jobs import pump
from tests.service.jobs.inference import DAY, MINUTE, started, upload
from tests.service.jobs.world import World, at

MINUTES = {"DataPreProcessingConfiguration": {"TargetSamplingRate": "PT1M"}}


def scheduled(home: World, dataset: Item, **members: Any) -> Item:
    """A trained model that has a retraining scheduler."""
    model = home.model(dataset, pump.SCHEMA, **{**MINUTES, **members})
    assert model["Status"] == "SUCCESS", model.get("FailedReason")
    home.runtime.store.update(MODEL, model["ModelName"], {"RetrainingSchedulerStatus": "RUNNING"})
    return home.get(MODEL, model["ModelName"])


def kept(world: World, model: Item) -> dict[str, ObservedRows]:
    """The kept rows by the day of their object."""
    bucket, prefix = world.runtime.service_bucket, accumulated_prefix(model["uuid"])
    found = {}
    for key in bucket.keys(prefix):
        body = bucket.find(key)
        assert body is not None
        found[key.removeprefix(prefix)[:10]] = ObservedRows.read(io.BytesIO(body))
    return found


def run(world: World, scheduler: Item, *starts: str, **changes: Any) -> None:
    for start in starts:
        upload(world, start, **changes)
        end = np.datetime64(f"{DAY}{start}") + np.timedelta64(5, "m")
        world.set_clock(f"{end}:20")
        assert set(world.tick(scheduler).values()) == {"SUCCESS"}


def test_every_row_is_kept_once_as_it_was_measured(world: World, home: World, dataset: Item) -> None:
    model = scheduled(home, dataset)
    scheduler = started(world, model, "10:05")
    run(world, scheduler, "10:00", "10:05", "10:10")
    (rows,) = kept(world, model).values()
    assert rows.sensors == pump.SENSORS
    first = np.datetime64(f"{DAY}10:01")
    assert rows.times.tolist() == [
        (first + np.timedelta64(n, "m")).astype("datetime64[us]").item() for n in range(15)
    ]
    sent = list(pump.history(f"{DAY}10:00", count=6, step=MINUTE, seed=int(at(f"{DAY}10:00"))))[1:]
    assert np.allclose(rows.values[:5, 2], [row.flow for row in sent], atol=1e-4)
    after = home.get(MODEL, model["ModelName"])
    assert after["AccumulatedInferenceDataStartTime"] == at(f"{DAY}10:01")
    assert after["AccumulatedInferenceDataEndTime"] == at(f"{DAY}10:15")


def test_what_stands_in_is_not_kept(world: World, home: World, dataset: Item) -> None:
    model = scheduled(home, dataset)
    scheduler = started(world, model, "10:05")
    run(world, scheduler, "10:00")
    data = list(pump.history(f"{DAY}10:05", count=6, step=MINUTE))
    world.upload("in/drive_20260105100500.csv", pump.drive(data[1:3]))
    world.upload("in/hydraulics_20260105100500.csv", pump.hydraulics(data[3:]))
    world.set_clock(f"{DAY}10:10:20")
    assert set(world.tick(scheduler).values()) == {"SUCCESS"}
    (rows,) = kept(world, model).values()
    assert len(rows.times) == 10
    known = np.isfinite(rows.values)[5:]
    assert known[:, 0].tolist() == [True, True, False, False, False]
    assert known[:, 2].tolist() == [False, False, True, True, True]


def test_a_model_without_retraining_scheduler_keeps_nothing(world: World, home: World, dataset: Item) -> None:
    model = home.model(dataset, pump.SCHEMA, **MINUTES)
    scheduler = started(world, model, "10:05")
    run(world, scheduler, "10:00")
    assert kept(world, model) == {}
    assert "AccumulatedInferenceDataEndTime" not in home.get(MODEL, model["ModelName"])


def test_a_window_that_failed_keeps_nothing(world: World, home: World, dataset: Item) -> None:
    model = scheduled(home, dataset)
    scheduler = started(world, model, "10:05")
    assert set(world.tick(scheduler).values()) == {"FAILED"}
    assert kept(world, model) == {}


def test_a_window_that_is_inferred_again_is_kept_once(
    world: World, home: World, dataset: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = scheduled(home, dataset)
    scheduler = started(world, model, "10:05")
    run(world, scheduler, "10:00")
    upload(world, "10:05")
    world.set_clock(f"{DAY}10:10:20")
    with monkeypatch.context() as patch:
        patch.setattr("service.jobs.inference.loop.close", _killed)
        with pytest.raises(SystemExit):
            world.tick(scheduler)
    (rows,) = kept(world, model).values()
    assert len(rows.times) == 10
    world.now[0] += timedelta(minutes=17)
    world.settings(inference_catch_up_hours=0.1)  # only this window
    world.tick(scheduler)
    (again,) = kept(world, model).values()
    assert again.times.tolist() == rows.times.tolist()
    assert np.array_equal(again.values, rows.values)


def _killed(*_: Any, **__: Any) -> None:
    raise SystemExit


def test_days_and_schedulers_have_objects_of_their_own(world: World, home: World, dataset: Item) -> None:
    model = scheduled(home, dataset)
    one, two = (started(world, model, "23:55", now="23:55:20") for _ in range(2))
    upload(world, "23:50")
    for scheduler in (one, two):
        assert set(world.tick(scheduler).values()) == {"SUCCESS"}
    prefix = accumulated_prefix(model["uuid"])
    keys = [key.removeprefix(prefix) for key in world.runtime.service_bucket.keys(prefix)]
    assert sorted(keys) == sorted(f"2026-01-05/{each['uuid']}.parquet" for each in (one, two))
    accumulated = AccumulatedRows(service_bucket=world.runtime.service_bucket, model=model["uuid"])
    assert len(accumulated.sizes(at("2026-01-05T23:59"), at("2026-01-06"))) == 2
    assert len(accumulated.sizes(at("2026-01-06T00:00"), at("2026-01-07"))) == 2, "a row of midnight is there"
    assert accumulated.sizes(at("2026-01-07"), at("2026-01-08")) == {}
    assert accumulated.sizes(at("2026-01-01"), at("2026-01-03")) == {}


def test_calls_of_a_window_that_is_kept(world: World, home: World, dataset: Item) -> None:
    """Two requests to the service bucket and a write of the record of the model, however many components."""
    model = scheduled(home, dataset)
    scheduler = started(world, model, "10:05")
    run(world, scheduler, "10:00", "10:05")
    upload(world, "10:10")
    world.set_clock(f"{DAY}10:15:20")
    with counted_calls() as counted:
        assert set(world.tick(scheduler).values()) == {"SUCCESS"}
    assert len(counted.in_bucket("PutObject", world.runtime.bucket)) == 2, "state and rows"
    assert len(counted.in_bucket("GetObject", world.runtime.bucket)) == 4
    calls = counted.by_operation()
    assert (calls["UpdateItem"], calls["GetItem"], calls["TransactWriteItems"]) == (1, 4, 2)


def retraining(world: World, model: Item, *, accumulated: tuple[float, float] | None, **windows: Any) -> Item:
    """Train version 2 as the service would begin it; returns the version."""
    before = world.version(model)
    names = (
        "ModelName",
        "ModelArn",
        "DatasetName",
        "DatasetArn",
        "schemaKey",
        "datasetUuid",
        "ingestionJobId",
    )
    extent = (
        {}
        if accumulated is None
        else dict(zip(("accumulatedStart", "accumulatedEnd"), accumulated, strict=True))
    )
    world.runtime.store.create(
        {
            "pk": versions_of(model["uuid"]),
            "sk": version_key(2),
            "uuid": model["uuid"],
            "ModelVersion": 2,
            "Status": "IN_PROGRESS",
            "CreatedAt": world.now[0],
            "SourceType": "RETRAINING",
            "priorModelVersion": 1,
            "promoteMode": "MANAGED",
            "DataPreProcessingConfiguration": {"TargetSamplingRate": "PT5M"},
            **{name: before[name] for name in names},
            **extent,
            **windows,
        }
    )
    world.play_training(model["ModelName"], 2)
    return world.version(model, 2)


def keep(world: World, model: Item, data: list[pump.Row]) -> tuple[float, float]:
    """Keep rows as inference would, day by day; returns their extent in epoch seconds."""
    days: dict[str, list[pump.Row]] = {}
    for row in data:
        days.setdefault(row.time.date().isoformat(), []).append(row)
    for day, rows in days.items():
        body = io.BytesIO()
        ObservedRows(
            np.array([row.time for row in rows], "datetime64[us]"),
            pump.SENSORS,
            np.array([[row.speed, row.current, row.flow, row.pressure] for row in rows]),
        ).write(body)
        key = f"{accumulated_prefix(model['uuid'])}{day}/one.parquet"
        world.runtime.service_bucket.put(key, body.getvalue())
    return at(data[0].time.isoformat()), at(data[-1].time.isoformat())


def test_a_retraining_learns_from_dataset_and_kept_rows(home: World, dataset: Item) -> None:
    """The dataset ends on 21 January 2020; kept rows go on until 10 February."""
    model = home.model(dataset, pump.SCHEMA, DataPreProcessingConfiguration={"TargetSamplingRate": "PT5M"})
    extent = keep(home, model, list(pump.history("2020-01-20T18:00", count=21 * 1440, step=MINUTE, seed=7)))
    windows = {"TrainingDataStartTime": at("2020-01-05"), "TrainingDataEndTime": at("2020-02-05")}
    windows |= {"EvaluationDataStartTime": at("2020-02-05"), "EvaluationDataEndTime": at("2020-02-12")}
    version = retraining(home, model, accumulated=extent, **windows)
    assert version["Status"] == "SUCCESS", version.get("FailedReason")
    assert version["EvaluationDataEndTime"] == extent[1]
    assert version["RetrainingAvailableDataInDays"] == int((extent[1] - at("2020-01-05")) / 86_400)
    assert version["AutoPromotionResult"] == "MODEL_PROMOTED", version["AutoPromotionResultReason"]


def test_kept_rows_alone_reach_a_window_after_the_dataset(home: World, dataset: Item) -> None:
    model = home.model(dataset, pump.SCHEMA, DataPreProcessingConfiguration={"TargetSamplingRate": "PT5M"})
    extent = keep(home, model, list(pump.history("2020-03-01", count=20 * 1440, step=MINUTE, seed=7)))
    windows = {"TrainingDataStartTime": at("2020-03-01"), "TrainingDataEndTime": at("2020-03-21")}
    version = retraining(home, model, accumulated=extent, **windows)
    assert version["Status"] == "SUCCESS", version.get("FailedReason")


@pytest.mark.parametrize("accumulated", [True, False])
def test_too_little_data_fails_and_says_so(home: World, dataset: Item, *, accumulated: bool) -> None:
    model = home.model(dataset, pump.SCHEMA, DataPreProcessingConfiguration={"TargetSamplingRate": "PT5M"})
    extent = None
    if accumulated:
        extent = keep(home, model, list(pump.history("2020-03-18", count=3 * 1440, step=MINUTE, seed=7)))
    windows = {"TrainingDataStartTime": at("2020-03-01"), "TrainingDataEndTime": at("2020-03-21")}
    version = retraining(home, model, accumulated=extent, **windows)
    assert (version["Status"], version["AutoPromotionResult"]) == ("FAILED", "RETRAINING_CUSTOMER_ERROR")
    reason = "has 3.00 days of data" if accumulated else "has no data"
    assert reason in version["FailedReason"]


def test_how_a_retraining_ended_is_published(home: World, dataset: Item, jobs_aws: EmbeddedAws) -> None:
    model = home.model(dataset, pump.SCHEMA, DataPreProcessingConfiguration={"TargetSamplingRate": "PT5M"})
    windows = {"TrainingDataStartTime": at("2020-01-02"), "TrainingDataEndTime": at("2020-01-19")}
    version = retraining(home, model, accumulated=None, **windows)
    assert version["AutoPromotionResult"] == "MODEL_PROMOTED", version["AutoPromotionResultReason"]
    found = jobs_aws.client("cloudwatch").list_metrics(
        Namespace="LookoutEquipment", Dimensions=[{"Name": "ModelName", "Value": model["ModelName"]}]
    )["Metrics"]
    assert [each["MetricName"] for each in found] == ["VersionPromoted"]


def test_a_version_activated_meanwhile_stays_active(
    home: World, dataset: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = home.model(dataset, pump.SCHEMA, DataPreProcessingConfiguration={"TargetSamplingRate": "PT5M"})

    def activated(*arguments: Any) -> Any:
        learned = learn(*arguments)
        home.runtime.store.update(MODEL, model["ModelName"], {"ActiveModelVersion": 7})
        return learned

    monkeypatch.setattr(train_version, "learn", activated)
    windows = {"TrainingDataStartTime": at("2020-01-02"), "TrainingDataEndTime": at("2020-01-19")}
    version = retraining(home, model, accumulated=None, **windows)
    assert (version["Status"], version["AutoPromotionResult"]) == ("SUCCESS", "MODEL_NOT_PROMOTED")
    assert version["AutoPromotionResultReason"] == (
        "ANOTHER_VERSION_ACTIVATED: version 7 was activated during the retraining, which had compared with "
        "another one"
    )
    after = home.get(MODEL, model["ModelName"])
    assert after["ActiveModelVersion"] == 7
    assert after["LatestScheduledRetrainingStatus"] == "SUCCESS"
