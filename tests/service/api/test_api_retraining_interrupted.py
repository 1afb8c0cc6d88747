"""Retraining schedulers whose requests and wakes are cut short at any write, or come twice and at once."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError

from service.operations.retraining_schedulers import OPERATIONS
from service.reconciler import reconcile
from service.schedulers.schedules import RETRAINING_EVENT
from service.storage.names import (
    MODEL,
    RETRAINING_SCHEDULER,
    TOKEN,
    versions_of,
)
from tests.service.api.conftest import Deploy
from tests.service.api.test_api_retraining import (
    GIVEN,
    HOURLY,
    NAME,
    Plant,
    plant,  # noqa: F401 - its fixture
)
from tests.service.mortal import Fate, Killed, Mortal


def test_twenty_are_begun_once_each_while_inference_goes_on(deploy: Deploy) -> None:
    """Schedulers are woken twice, and the hourly look comes, while inference writes to the same models."""
    time = [datetime(2026, 7, 10, 15, tzinfo=UTC)]
    service = deploy(clock=lambda: time[0], models=20)
    service.ingested_dataset()
    store, names = service.context.store, [f"wear-{number}" for number in range(20)]
    for name in names:
        service.trained_model(name)
        store.update(MODEL, name, {"ActiveModelVersion": 1})
        service.api.create_retraining_scheduler(**{**GIVEN, "ModelName": name})
    time[0] += timedelta(days=1)

    def wake(name: str) -> None:
        record = store.get(RETRAINING_SCHEDULER, name)
        assert record is not None
        event = {"source": RETRAINING_EVENT, "ModelName": name, "Uuid": record["uuid"]}
        reconcile(event, service.context)

    def infer(name: str) -> None:
        for window in range(3):
            kept = {"AccumulatedInferenceDataStartTime": 1, "AccumulatedInferenceDataEndTime": 300 * window}
            store.update(MODEL, name, kept)

    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(act, name) for name in names for act in (wake, infer, wake)]
        work += [pool.submit(reconcile, HOURLY, service.context) for _ in range(2)]
    for each in work:
        each.result()
    for name in names:
        model = store.get(MODEL, name)
        assert model is not None
        assert [int(each["ModelVersion"]) for each in store.all(versions_of(model["uuid"]))] == [1, 2]
        assert model["LatestScheduledRetrainingModelVersion"] == 2
        assert model["AccumulatedInferenceDataEndTime"] == 600
        found = service.context.client("stepfunctions").describe_execution(
            executionArn=f"{service.context.environment.train_state_machine}:{model['uuid']}-2".replace(
                ":stateMachine:", ":execution:"
            )
        )
        assert json.loads(found["input"]) == {"ModelName": name, "ModelVersion": 2}


REQUESTS: dict[str, dict[str, Any]] = {
    "Create": {**GIVEN, "ClientToken": "t"},
    "Update": {**NAME, "RetrainingFrequency": "P60D"},
    "Stop": NAME,
    "Start": NAME,
    "Delete": NAME,
}
BEFORE = {"Create": (), "Update": ("Create",), "Stop": ("Create",), "Start": ("Create", "Stop")}
BEFORE["Delete"] = ("Create", "Stop")
MOST = 8


@pytest.mark.parametrize("deaf", [False, True], ids=["killed", "reply lost"])
@pytest.mark.parametrize("verb", REQUESTS)
def test_a_request_that_is_cut_short_is_completed(plant: Plant, verb: str, *, deaf: bool) -> None:  # noqa: F811 - the fixture
    context = plant.service.context

    def call(each: str, within: Any = context) -> Any:
        return OPERATIONS[f"{each}RetrainingScheduler"](within, dict(REQUESTS.get(each, NAME)))

    for at in range(MOST):
        for earlier in BEFORE[verb]:
            call(earlier)
        fate = Fate(at=at, deaf=deaf)
        with suppress(Killed, BotoCoreError):
            call(verb, replace(context, client=lambda name, fate=fate: Mortal(context.client(name), fate)))
        uuid = None
        found = context.store.get(RETRAINING_SCHEDULER, "wear")
        if found is not None:
            uuid = found["uuid"]
            status = call("Describe")["Status"]
            schedule = plant.service.schedule(uuid)
            assert schedule is not None
            assert schedule["State"] == {"RUNNING": "ENABLED", "STOPPED": "DISABLED"}[status]
            assert plant.model["RetrainingSchedulerStatus"] == status
            call("Stop")
            call("Delete")
        assert "RetrainingSchedulerStatus" not in plant.model
        reconcile(HOURLY, context)
        assert uuid is None or plant.service.schedule(uuid) is None
        for token in context.store.all(TOKEN):
            context.store.delete(TOKEN, token["sk"])
        if fate.met is None:
            break
    else:
        pytest.fail(f"more than {MOST} writes")


@pytest.mark.parametrize("deaf", [False, True], ids=["killed", "reply lost"])
def test_a_wake_that_is_cut_short_begins_one_retraining(plant: Plant, *, deaf: bool) -> None:  # noqa: F811 - the fixture
    """Begun twice or never is what must not happen."""
    plant.api.create_retraining_scheduler(**GIVEN)
    context = plant.service.context
    for at, number in zip(range(MOST), range(2, 99), strict=False):
        plant.time[0] = datetime.fromtimestamp(int(plant.record()["nextDate"]), UTC)
        fate = Fate(at=at, deaf=deaf)
        mortal = replace(context, client=lambda name, fate=fate: Mortal(context.client(name), fate))
        event = {"source": RETRAINING_EVENT, "ModelName": "wear", "Uuid": plant.record()["uuid"]}
        with suppress(Killed, BotoCoreError):
            reconcile(event, mortal)
        plant.wake()
        assert plant.versions()[-1] == (number, "IN_PROGRESS")
        plant.time[0] += timedelta(seconds=61)
        with suppress(Exception):
            plant.execution(number)
        reconcile(HOURLY, context)
        assert plant.execution(number)
        assert len(plant.versions()) == number
        if plant.version(number)["Status"] == "IN_PROGRESS":
            plant.succeed(number)
        if fate.met is None:
            break
    else:
        pytest.fail(f"more than {MOST} writes")
