"""Two simulated years of a model that is inferred and retrained: operations, wakes and jobs."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine import ObservedRows
from service.context import Context
from service.operations.model_versions import update_active_model_version
from service.operations.retraining_schedulers import create_retraining_scheduler
from service.reconciler import reconcile
from service.schedulers.schedules import RETRAINING_EVENT
from service.settings import Environment, Settings
from service.storage.names import MODEL, RETRAINING_SCHEDULER, accumulated_day, accumulated_prefix
from service.storage.store import Item, Update
from tests.embedded import ACCOUNT, REGION, EmbeddedAws
from tests.service.jobs import pump
from tests.service.jobs.inference import MINUTE
from tests.service.jobs.world import World, at
from tests.service.memory import Machines, ScheduleGroup

HOUR = timedelta(hours=1)
RETRAININGS = 4
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:"


def measured(start: datetime, hours: int) -> ObservedRows:
    """Hourly means of the pump after `start`."""
    rng = np.random.default_rng(int(start.timestamp()))
    since = (start - datetime(2020, 1, 1, tzinfo=UTC)) / HOUR + (np.arange(60 * hours) + 1) / 60

    def noisy(values: NDArray[Any], noise: float) -> NDArray[Any]:
        return values + rng.normal(0, noise, len(values))

    speed = noisy(1000 + 200 * np.sin(since / 3) + 80 * np.sin(since / 1.7), 4)
    columns = [speed, noisy(speed * 0.01, 0.1), noisy(speed * 0.05, 0.3), noisy(2 + speed * 0.002, 0.02)]
    first = np.datetime64(start.replace(tzinfo=None), "us")
    return ObservedRows(
        first + (np.arange(hours) + 1) * np.timedelta64(1, "h"),
        pump.SENSORS,
        np.stack([column.reshape(hours, 60).mean(axis=1) for column in columns], axis=1),
    )


@dataclass(frozen=True)
class Years:
    """A model with both its schedulers, and what happens to it."""

    world: World
    context: Context
    name: str
    scheduler: Item

    @property
    def model(self) -> Item:
        return self.world.get(MODEL, self.name)

    def keep_until(self, start: datetime, end: datetime) -> None:
        """Keep the rows of whole days, as inference does window by window."""
        uuid = self.model["uuid"]

        def keep(day: datetime) -> None:
            body = io.BytesIO()
            measured(day, 24).write(body)
            key = f"{accumulated_day(uuid, day.timestamp())}days.parquet"
            self.world.runtime.service_bucket.put(key, body.getvalue())

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(keep, (start + timedelta(n) for n in range((end - start).days))))
        first = self.model.get("AccumulatedInferenceDataStartTime", start.timestamp() + 3600)
        extent = {"AccumulatedInferenceDataStartTime": first, "AccumulatedInferenceDataEndTime": end}
        self.world.runtime.store.update(MODEL, self.name, extent)

    def infer(self, end: datetime) -> Item:
        """Infer the hour until `end`, and return its execution."""
        start = end - HOUR
        data = list(pump.history(f"{start:%Y-%m-%dT%H:%M}", count=61, step=MINUTE))
        for component, text in (("drive", pump.drive), ("hydraulics", pump.hydraulics)):
            self.world.upload(f"in/{component}_{start:%Y%m%d%H%M%S}.csv", text(data))
        key = (self.scheduler["pk"], self.scheduler["sk"])
        self.world.runtime.store.transact(Update(*key, {"inferredUntil": int(start.timestamp())}))
        self.world.now[0] = end + timedelta(seconds=20)
        ((_, status),) = self.world.tick(self.scheduler).items()
        assert status == "SUCCESS"
        return self.world.executions(self.scheduler)[-1]

    def wake(self) -> None:
        record = self.world.get(RETRAINING_SCHEDULER, self.name)
        event = {"source": RETRAINING_EVENT, "ModelName": self.name, "Uuid": record["uuid"]}
        for _ in range(2):
            reconcile(event, self.context)


@pytest.fixture
def years(jobs_aws: EmbeddedAws, home: World, dataset: Item) -> Years:
    world = replace(home, now=[datetime(2020, 1, 21, 12, tzinfo=UTC)])
    engines = {"stepfunctions": Machines(), "scheduler": ScheduleGroup()}
    environment = Environment(
        account=ACCOUNT,
        table="l4e",
        bucket="service",
        metric_namespace="LookoutEquipment",
        settings=Settings(),
        ingest_state_machine=f"{MACHINE}ingest",
        train_state_machine=f"{MACHINE}train",
        schedule_group="years",
        retraining_function="reconcile",
    )

    def client(name: str) -> Any:
        return engines.get(name) or jobs_aws.client(name)

    context = Context.create(environment, client, world.runtime.clock)
    model = world.model(dataset, pump.SCHEMA, DataPreProcessingConfiguration={"TargetSamplingRate": "PT1H"})
    assert model["Status"] == "SUCCESS", model.get("FailedReason")
    request = {"ModelName": model["ModelName"], "RetrainingFrequency": "P6M", "LookbackWindow": "P180D"}
    create_retraining_scheduler(context, {**request, "ClientToken": "years"})
    scheduler = world.scheduler(model, first_end="2020-01-21T13:00", DataUploadFrequency="PT1H")
    return Years(world, context, model["ModelName"], scheduler)


def test_a_model_is_retrained_for_two_years_while_inference_goes_on(years: Years) -> None:
    world, day = years.world, datetime(2020, 1, 22, tzinfo=UTC)
    active = 1
    for number in range(2, RETRAININGS + 2):
        due = datetime.fromtimestamp(float(world.get(RETRAINING_SCHEDULER, years.name)["nextDate"]), UTC)
        years.keep_until(day, due)
        day = due
        world.now[0] = due
        years.wake()
        years.wake()
        assert world.version(years.model, number)["Status"] == "IN_PROGRESS"
        assert years.infer(due + 2 * HOUR)["ModelVersion"] == active, "inference goes on"
        world.play_training(years.name, number)
        version = world.version(years.model, number)
        assert version["Status"] == "SUCCESS", version.get("FailedReason")
        assert version["AutoPromotionResult"] == "MODEL_PROMOTED", "without labels, the new one is taken"
        assert version["TrainingDataEndTime"] <= at(f"{due:%Y-%m-%d}")
        assert years.model["ActiveModelVersion"] == number
        if number == 3:
            update_active_model_version(years.context, {"ModelName": years.name, "ModelVersion": number - 1})
        active = int(years.model["ActiveModelVersion"])
        assert years.infer(due + 3 * HOUR)["ModelVersion"] == active

    assert day > datetime(2021, 7, 1, tzinfo=UTC)
    assert years.model["LatestScheduledRetrainingModelVersion"] == RETRAININGS + 1
    assert years.model["AccumulatedInferenceDataEndTime"] == (day + 3 * HOUR).timestamp()
    _everything_is_kept_once(years, day)


def _everything_is_kept_once(years: Years, last: datetime) -> None:
    bucket = years.world.runtime.service_bucket
    found = []
    for key in bucket.keys(accumulated_prefix(years.model["uuid"])):
        body = bucket.find(key)
        assert body is not None
        if key.endswith("days.parquet"):
            found += ObservedRows.read(io.BytesIO(body)).times.tolist()
    hours = int((last - datetime(2020, 1, 22, tzinfo=UTC)) / HOUR)
    assert found == [datetime(2020, 1, 22) + (n + 1) * HOUR for n in range(hours)]  # noqa: DTZ001 - naive UTC
